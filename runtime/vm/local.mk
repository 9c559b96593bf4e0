# SPDX-License-Identifier: Apache-2.0
# vm/: the backend that runs a workload in a microVM

libkv_vm_a_SOURCES = \
	runtime/vm/backend.c \
	runtime/vm/boot.c \
	runtime/vm/boot.h \
	runtime/vm/control.c \
	runtime/vm/control.h \
	runtime/vm/create.c \
	runtime/vm/evidence.h \
	runtime/vm/image.c \
	runtime/vm/image.h \
	runtime/vm/inspect.c \
	runtime/vm/jail.c \
	runtime/vm/jail.h \
	runtime/vm/launch.h \
	runtime/vm/measurement.c \
	runtime/vm/monitor.h \
	runtime/vm/nic.c \
	runtime/vm/ops.c \
	runtime/vm/owner.c \
	runtime/vm/owner.h \
	runtime/vm/pack.c \
	runtime/vm/pack.h \
	runtime/vm/pack_key.c \
	runtime/vm/pack_mkfs.c \
	runtime/vm/qemu.c \
	runtime/vm/qemu.h \
	runtime/vm/qjson.c \
	runtime/vm/qjson.h \
	runtime/vm/qmp.c \
	runtime/vm/qmp.h \
	runtime/vm/relay.c \
	runtime/vm/relay.h \
	runtime/vm/shape.c \
	runtime/vm/shape.h \
	runtime/vm/shape_show.c \
	runtime/vm/split.c \
	runtime/vm/split.h \
	runtime/vm/verity.c \
	runtime/vm/verity.h \
	runtime/vm/virtiofsd.c \
	runtime/vm/virtiofsd.h \
	runtime/vm/vm.h

# kavach-monitor, the container's process on the host: made like kavach-init and with all of it, for it assembles the root.
monitor_sources = \
	runtime/vm/boot.c \
	runtime/vm/control.c \
	runtime/vm/jail.c \
	runtime/vm/monitor.c \
	runtime/vm/monitor_confine.c \
	runtime/vm/monitor_ctl.c \
	runtime/vm/monitor_launch.c \
	runtime/vm/monitor_loop.c \
	runtime/vm/monitor_net.c \
	runtime/vm/monitor_qemu.c \
	runtime/vm/monitor_relay.c \
	runtime/vm/monitor_root.c \
	runtime/vm/monitor_stream.c \
	runtime/vm/monitor_tty.c \
	runtime/vm/monitor_vfs.c \
	runtime/vm/monitor_wire.c \
	runtime/vm/nic.c \
	runtime/vm/proxy.c \
	runtime/vm/qjson.c \
	runtime/vm/qmp.c \
	runtime/vm/split.c \
	runtime/policy/vm_root.c \
	runtime/wire/body.c \
	runtime/wire/wire.c \
	$(filter %.c,$(libkv_net_a_SOURCES))
monitor_objects = $(monitor_sources:%.c=stage/%.o)

kavach-monitor.debug: $(monitor_objects) stage/libstage.a
	$(AM_V_CCLD)$(STAGE_CC) $(STAGE_CFLAGS) $(STAGE_LINKFLAGS) -o $@ $(monitor_objects) stage/libstage.a

kavach-monitor: kavach-monitor.debug
	$(AM_V_GEN)$(STRIP) --strip-all -R .comment -R .note.gnu.property -o $@ kavach-monitor.debug

-include $(monitor_objects:.o=.d)

kavachlibexec_SCRIPTS = kavach-monitor
EXTRA_DIST += $(monitor_sources)
CLEANFILES += kavach-monitor kavach-monitor.debug $(monitor_objects) $(monitor_objects:.o=.d)
