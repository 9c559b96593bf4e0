# SPDX-License-Identifier: Apache-2.0
# tests/fuzz/: written by `tests/lint/sources --update`, below. Each target is linked with replay.c, which
# runs it over its corpus; `make fuzzers` links it with libFuzzer (clang) into tests/fuzz/lf_NAME.

FUZZ_CC = clang
FUZZ_CFLAGS = -std=gnu11 -D_GNU_SOURCE -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all

fuzzers: $(fuzz_programs)
	for t in $(fuzz_programs); do \
		$(FUZZ_CC) $(FUZZ_CFLAGS) -I$(srcdir)/runtime -I$(srcdir) $(KAVACH_LIBS_CFLAGS) \
			-o tests/fuzz/lf_$${t#tests/fuzz/fuzz_} $(srcdir)/$$t.c \
			$(fuzz_sources:%=$(srcdir)/%) $(KAVACH_LIBS) $(CRYPTO_LIBS) || exit 1; \
	done

# what decides; the code that acts has side effects that no fuzzer should have
fuzz_sources = $(filter %.c,$(libkv_base_a_SOURCES) $(libkv_json_a_SOURCES) $(libkv_spec_a_SOURCES) \
	$(libkv_policy_a_SOURCES) $(libkv_audit_a_SOURCES) $(libkv_attest_a_SOURCES) $(libkv_keeper_a_SOURCES) $(libkv_wire_a_SOURCES) $(libkv_seccomp_a_SOURCES)) \
	runtime/criu/log.c runtime/criu/plan.c runtime/criu/rpc.c \
	runtime/cgroup/fields.c runtime/cgroup/gvariant.c runtime/cgroup/rdt.c runtime/host/subids.c runtime/exec/boot.c runtime/exec/proto.c runtime/state/record.c \
	runtime/vm/qjson.c runtime/vm/qmp.c
.PHONY: fuzzers

fuzz_programs = \
	tests/fuzz/fuzz_audit \
	tests/fuzz/fuzz_broker \
	tests/fuzz/fuzz_certs \
	tests/fuzz/fuzz_codec \
	tests/fuzz/fuzz_config \
	tests/fuzz/fuzz_criu \
	tests/fuzz/fuzz_evidence \
	tests/fuzz/fuzz_expect \
	tests/fuzz/fuzz_gvariant \
	tests/fuzz/fuzz_json \
	tests/fuzz/fuzz_keeper \
	tests/fuzz/fuzz_ovmf \
	tests/fuzz/fuzz_policy \
	tests/fuzz/fuzz_procfs \
	tests/fuzz/fuzz_proto \
	tests/fuzz/fuzz_qmp \
	tests/fuzz/fuzz_report \
	tests/fuzz/fuzz_rules \
	tests/fuzz/fuzz_seclog \
	tests/fuzz/fuzz_secrets \
	tests/fuzz/fuzz_sevcert \
	tests/fuzz/fuzz_spec \
	tests/fuzz/fuzz_state \
	tests/fuzz/fuzz_subids \
	tests/fuzz/fuzz_wire
EXTRA_PROGRAMS += $(fuzz_programs)
CLEANFILES += $(fuzz_programs)
EXTRA_DIST +=

tests_fuzz_fuzz_audit_SOURCES = tests/fuzz/fuzz_audit.c tests/fuzz/replay.c
tests_fuzz_fuzz_audit_LDADD = libkv_audit.a libkv_base.a

tests_fuzz_fuzz_broker_SOURCES = tests/fuzz/fuzz_broker.c tests/fuzz/replay.c
tests_fuzz_fuzz_broker_LDADD = libkv_attest.a libkv_json.a libkv_base.a $(KAVACH_LIBS) $(CRYPTO_LIBS)
tests_fuzz_fuzz_broker_LDFLAGS = $(HARDEN_LDFLAGS) $(HELPER_LINK_FLAGS)

tests_fuzz_fuzz_certs_SOURCES = tests/fuzz/fuzz_certs.c tests/fuzz/replay.c
tests_fuzz_fuzz_certs_LDADD = libkv_attest.a libkv_json.a libkv_base.a $(KAVACH_LIBS) $(CRYPTO_LIBS)
tests_fuzz_fuzz_certs_LDFLAGS = $(HARDEN_LDFLAGS) $(HELPER_LINK_FLAGS)

tests_fuzz_fuzz_codec_SOURCES = tests/fuzz/fuzz_codec.c tests/fuzz/replay.c
tests_fuzz_fuzz_codec_LDADD = libkv_state.a libkv_cgroup.a libkv_exec.a libkv_hooks.a libkv_policy.a libkv_host.a libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_fuzz_fuzz_config_SOURCES = tests/fuzz/fuzz_config.c tests/fuzz/replay.c
tests_fuzz_fuzz_config_LDADD = libkv_policy.a libkv_host.a libkv_spec.a libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_fuzz_fuzz_criu_SOURCES = tests/fuzz/fuzz_criu.c tests/fuzz/replay.c
tests_fuzz_fuzz_criu_LDADD = libkv_criu.a libkv_policy.a libkv_base.a

tests_fuzz_fuzz_evidence_SOURCES = tests/fuzz/fuzz_evidence.c tests/fuzz/replay.c
tests_fuzz_fuzz_evidence_LDADD = libkv_attest.a libkv_json.a libkv_base.a $(KAVACH_LIBS) $(CRYPTO_LIBS)
tests_fuzz_fuzz_evidence_LDFLAGS = $(HARDEN_LDFLAGS) $(HELPER_LINK_FLAGS)

tests_fuzz_fuzz_expect_SOURCES = tests/fuzz/fuzz_expect.c tests/fuzz/replay.c
tests_fuzz_fuzz_expect_LDADD = libkv_attest.a libkv_json.a libkv_base.a $(KAVACH_LIBS) $(CRYPTO_LIBS)
tests_fuzz_fuzz_expect_LDFLAGS = $(HARDEN_LDFLAGS) $(HELPER_LINK_FLAGS)

tests_fuzz_fuzz_gvariant_SOURCES = tests/fuzz/fuzz_gvariant.c tests/fuzz/replay.c
tests_fuzz_fuzz_gvariant_LDADD = libkv_cgroup.a libkv_policy.a libkv_host.a libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_fuzz_fuzz_json_SOURCES = tests/fuzz/fuzz_json.c tests/fuzz/replay.c
tests_fuzz_fuzz_json_LDADD = libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_fuzz_fuzz_keeper_SOURCES = tests/fuzz/fuzz_keeper.c tests/fuzz/replay.c
tests_fuzz_fuzz_keeper_LDADD = libkv_keeper.a libkv_attest.a libkv_json.a libkv_base.a $(KAVACH_LIBS) $(CRYPTO_LIBS)
tests_fuzz_fuzz_keeper_LDFLAGS = $(HARDEN_LDFLAGS) $(HELPER_LINK_FLAGS)

tests_fuzz_fuzz_ovmf_SOURCES = tests/fuzz/fuzz_ovmf.c tests/fuzz/replay.c
tests_fuzz_fuzz_ovmf_LDADD = libkv_attest.a libkv_base.a $(CRYPTO_LIBS)
tests_fuzz_fuzz_ovmf_LDFLAGS = $(HARDEN_LDFLAGS) $(HELPER_LINK_FLAGS)

tests_fuzz_fuzz_policy_SOURCES = tests/fuzz/fuzz_policy.c tests/fuzz/replay.c
tests_fuzz_fuzz_policy_LDADD = libkv_policy.a libkv_host.a libkv_spec.a libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_fuzz_fuzz_procfs_SOURCES = tests/fuzz/fuzz_procfs.c tests/fuzz/replay.c
tests_fuzz_fuzz_procfs_LDADD = libkv_inspect.a libkv_cgroup.a libkv_policy.a libkv_host.a libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_fuzz_fuzz_proto_SOURCES = tests/fuzz/fuzz_proto.c tests/fuzz/replay.c
tests_fuzz_fuzz_proto_LDADD = libkv_exec.a libkv_policy.a libkv_base.a

tests_fuzz_fuzz_qmp_SOURCES = tests/fuzz/fuzz_qmp.c tests/fuzz/replay.c
tests_fuzz_fuzz_qmp_LDADD = libkv_vm.a libkv_base.a

tests_fuzz_fuzz_report_SOURCES = tests/fuzz/fuzz_report.c tests/fuzz/replay.c
tests_fuzz_fuzz_report_LDADD = libkv_attest.a libkv_json.a libkv_base.a $(KAVACH_LIBS) $(CRYPTO_LIBS)
tests_fuzz_fuzz_report_LDFLAGS = $(HARDEN_LDFLAGS) $(HELPER_LINK_FLAGS)

tests_fuzz_fuzz_rules_SOURCES = tests/fuzz/fuzz_rules.c tests/fuzz/replay.c
tests_fuzz_fuzz_rules_LDADD = libkv_policy.a libkv_host.a libkv_spec.a libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_fuzz_fuzz_seclog_SOURCES = tests/fuzz/fuzz_seclog.c tests/fuzz/replay.c
tests_fuzz_fuzz_seclog_LDADD = libkv_seccomp.a libkv_policy.a libkv_base.a $(KAVACH_LIBS)

tests_fuzz_fuzz_secrets_SOURCES = tests/fuzz/fuzz_secrets.c tests/fuzz/replay.c
tests_fuzz_fuzz_secrets_LDADD = libkv_exec.a libkv_policy.a libkv_base.a

tests_fuzz_fuzz_sevcert_SOURCES = tests/fuzz/fuzz_sevcert.c tests/fuzz/replay.c
tests_fuzz_fuzz_sevcert_LDADD = libkv_attest.a libkv_json.a libkv_base.a $(KAVACH_LIBS) $(CRYPTO_LIBS)
tests_fuzz_fuzz_sevcert_LDFLAGS = $(HARDEN_LDFLAGS) $(HELPER_LINK_FLAGS)

tests_fuzz_fuzz_spec_SOURCES = tests/fuzz/fuzz_spec.c tests/fuzz/replay.c
tests_fuzz_fuzz_spec_LDADD = libkv_spec.a libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_fuzz_fuzz_state_SOURCES = tests/fuzz/fuzz_state.c tests/fuzz/replay.c
tests_fuzz_fuzz_state_LDADD = libkv_state.a libkv_cgroup.a libkv_exec.a libkv_hooks.a libkv_policy.a libkv_host.a libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_fuzz_fuzz_subids_SOURCES = tests/fuzz/fuzz_subids.c tests/fuzz/replay.c
tests_fuzz_fuzz_subids_LDADD = libkv_host.a libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_fuzz_fuzz_wire_SOURCES = tests/fuzz/fuzz_wire.c tests/fuzz/replay.c
tests_fuzz_fuzz_wire_LDADD = libkv_wire.a libkv_policy.a libkv_base.a
