# SPDX-License-Identifier: Apache-2.0
# agent/: all of kavach-agent, the first process of a guest; also the stage, under its name. Made like kavach-init
# (runtime/exec/local.mk), from the stage's objects and some more.

agent_sources = \
	runtime/agent/agent.h \
	runtime/agent/bare.c \
	runtime/agent/broker.c \
	runtime/agent/cgroup.c \
	runtime/agent/container.c \
	runtime/agent/evidence.c \
	runtime/agent/facts.c \
	runtime/agent/guest.c \
	runtime/agent/handle.c \
	runtime/agent/judge.c \
	runtime/agent/judge.h \
	runtime/agent/keeper.c \
	runtime/agent/loop.c \
	runtime/agent/main.c \
	runtime/agent/modsig.h \
	runtime/agent/modules.c \
	runtime/agent/net.c \
	runtime/agent/packed.c \
	runtime/agent/procs.c \
	runtime/agent/report.c \
	runtime/agent/report.h \
	runtime/agent/secrets.c \
	runtime/agent/spawn.c \
	runtime/agent/stdio.c \
	runtime/agent/talk.c

# Of cgroup/ all but what talks to systemd (bare.c stands for it); the linker takes what is called.
agent_cgroup = $(filter-out %/scope_run.c %/scope_fields.c %/systemd.c %/gvariant.c %/plan.c %/rdt.c, \
	$(filter %.c,$(libkv_cgroup_a_SOURCES)))
agent_more = $(patsubst %.c,stage/%.o,$(filter %.c,$(agent_sources) $(libkv_wire_a_SOURCES) \
	$(libkv_net_a_SOURCES)) \
	$(agent_cgroup) runtime/vm/split.c runtime/policy/vm_root.c runtime/attest/bytes.c \
	runtime/attest/evidence_make.c)

stage/libagent.a: $(agent_more)
	$(AM_V_AR)rm -f $@ && $(AR) $(ARFLAGS) $@ $(agent_more)

# agent/main.c's main() comes before that of the stage
kavach-agent.debug: stage/libagent.a stage/libstage.a
	$(AM_V_CCLD)$(STAGE_CC) $(STAGE_CFLAGS) $(STAGE_LINKFLAGS) -o $@ stage/libagent.a stage/libstage.a

kavach-agent: kavach-agent.debug
	$(AM_V_GEN)$(STRIP) --strip-all -R .comment -R .note.gnu.property -o $@ kavach-agent.debug

-include $(agent_more:.o=.d)

# with everything else: tests run it, `make guest` packs it
noinst_DATA = kavach-agent

CLEANFILES += kavach-agent kavach-agent.debug stage/libagent.a $(agent_more) $(agent_more:.o=.d)
EXTRA_DIST += $(agent_sources)
