# SPDX-License-Identifier: Apache-2.0
# exec/: performs a policy inside the new namespaces; also all of kavach-init

libkv_exec_a_SOURCES = \
	runtime/exec/attr.c \
	runtime/exec/boot.c \
	runtime/exec/caps.c \
	runtime/exec/cgroup_view.c \
	runtime/exec/ctx.h \
	runtime/exec/cwd.c \
	runtime/exec/dev.c \
	runtime/exec/entry.c \
	runtime/exec/env.c \
	runtime/exec/fds.c \
	runtime/exec/find.c \
	runtime/exec/hold.c \
	runtime/exec/idmap.c \
	runtime/exec/ids.c \
	runtime/exec/join.c \
	runtime/exec/keyring.c \
	runtime/exec/landlock.c \
	runtime/exec/list.c \
	runtime/exec/live.c \
	runtime/exec/lsm.c \
	runtime/exec/main.c \
	runtime/exec/mask.c \
	runtime/exec/mount.c \
	runtime/exec/mount.h \
	runtime/exec/mount_legacy.c \
	runtime/exec/mount_new.c \
	runtime/exec/mount_target.c \
	runtime/exec/net.c \
	runtime/exec/outside.c \
	runtime/exec/proc.c \
	runtime/exec/proto.c \
	runtime/exec/proto.h \
	runtime/exec/rlimit.c \
	runtime/exec/rlimit.h \
	runtime/exec/rootfs.c \
	runtime/exec/seccomp_load.c \
	runtime/exec/secret_block.c \
	runtime/exec/secret_block.h \
	runtime/exec/secrets.c \
	runtime/exec/stage.c \
	runtime/exec/stage.h \
	runtime/exec/state.c \
	runtime/exec/stdio.c \
	runtime/exec/sysctl.c \
	runtime/exec/sysctl_path.c \
	runtime/exec/tmpcopy.c \
	runtime/exec/tty.c \
	runtime/exec/wait.c

# kavach-init, the stage: the same sources once more, with the stage compiler, static, small, without
# sanitizers and coverage (it runs inside foreign roots), stripped; runtime/process embeds it. They go
# through an archive, so that only those files are in it that something in it calls.
#
# It is linked at a fixed address. A static musl program that relocates itself starts in 0.10 ms more
# (its relocations fault in pages), which is a twentieth of a whole container start; and its address says
# nothing to an attacker: it has ended before the workload's first instruction.
# Warnings have another way from there (exec/main.c), so base/log.c is left out.
stage_sources = $(filter-out %/base/log.c,$(filter %.c,$(libkv_base_a_SOURCES) $(libkv_hooks_a_SOURCES) $(libkv_exec_a_SOURCES))) \
	runtime/policy/codec.c \
	runtime/policy/encode.c \
	runtime/policy/fields.c \
	runtime/policy/host_may.c \
	runtime/policy/landlock.c \
	runtime/policy/names.c
stage_objects = $(stage_sources:%.c=stage/%.o)
STAGE_CFLAGS = -std=gnu11 -Os -g $(WARN_CFLAGS) $(HARDEN_CFLAGS) -fno-pie -fomit-frame-pointer \
	-fno-asynchronous-unwind-tables $(REPRODUCIBLE_CFLAGS)
STAGE_LINKFLAGS = -static -no-pie $(HARDEN_LDFLAGS) -Wl,--build-id=none

stage/%.o: %.c
	@$(MKDIR_P) $(@D)
	$(AM_V_CC)$(STAGE_CC) -DKAVACH_STAGE -D_GNU_SOURCE $(STAGE_CPPFLAGS) $(AM_CPPFLAGS) \
		$(STAGE_CFLAGS) -MMD -MP -c -o $@ $<

stage/libstage.a: $(stage_objects)
	$(AM_V_AR)rm -f $@ && $(AR) $(ARFLAGS) $@ $(stage_objects)

kavach-init.debug: stage/libstage.a
	$(AM_V_CCLD)$(STAGE_CC) $(STAGE_CFLAGS) $(STAGE_LINKFLAGS) -o $@ stage/libstage.a

kavach-init: kavach-init.debug
	$(AM_V_GEN)$(STRIP) --strip-all -R .comment -R .note.gnu.property -o $@ kavach-init.debug

-include $(stage_objects:.o=.d)

CLEANFILES += kavach-init kavach-init.debug stage/libstage.a $(stage_objects) $(stage_objects:.o=.d)
