# SPDX-License-Identifier: Apache-2.0
# tests/unit/: written by `tests/lint/sources --update`. A test's second line may name the libraries
# that it links, `/* libs: base json */`; without it, all.

unit_programs = \
	tests/unit/test_agent \
	tests/unit/test_agent_broker \
	tests/unit/test_attest \
	tests/unit/test_audit \
	tests/unit/test_audit_verify \
	tests/unit/test_boot \
	tests/unit/test_broker \
	tests/unit/test_buf \
	tests/unit/test_caps \
	tests/unit/test_cgroup_convert \
	tests/unit/test_cgroup_devices \
	tests/unit/test_cgroup_files \
	tests/unit/test_cgroup_inspect \
	tests/unit/test_cgroup_knobs \
	tests/unit/test_cgroup_live \
	tests/unit/test_cgroup_systemd \
	tests/unit/test_check \
	tests/unit/test_criu_plan \
	tests/unit/test_criu_rpc \
	tests/unit/test_denied \
	tests/unit/test_env \
	tests/unit/test_err \
	tests/unit/test_evidence \
	tests/unit/test_exec_dev \
	tests/unit/test_exec_mount \
	tests/unit/test_exec_race \
	tests/unit/test_fd \
	tests/unit/test_find \
	tests/unit/test_golden_policy \
	tests/unit/test_golden_spec \
	tests/unit/test_golden_vm \
	tests/unit/test_guest_image \
	tests/unit/test_guest_policy \
	tests/unit/test_gvariant \
	tests/unit/test_hmac \
	tests/unit/test_hooks \
	tests/unit/test_inspect \
	tests/unit/test_io \
	tests/unit/test_jail \
	tests/unit/test_json_decode \
	tests/unit/test_json_read \
	tests/unit/test_jsonw \
	tests/unit/test_lifecycle \
	tests/unit/test_log \
	tests/unit/test_machine \
	tests/unit/test_merge \
	tests/unit/test_mntopt \
	tests/unit/test_modsig \
	tests/unit/test_mountinfo \
	tests/unit/test_names \
	tests/unit/test_net_live \
	tests/unit/test_num \
	tests/unit/test_opt \
	tests/unit/test_out \
	tests/unit/test_outside \
	tests/unit/test_pack \
	tests/unit/test_path \
	tests/unit/test_policy \
	tests/unit/test_policy_codec \
	tests/unit/test_policy_refusals \
	tests/unit/test_preset \
	tests/unit/test_profiles \
	tests/unit/test_proto \
	tests/unit/test_qmp \
	tests/unit/test_rdt \
	tests/unit/test_relay \
	tests/unit/test_report \
	tests/unit/test_rules \
	tests/unit/test_rules_policy \
	tests/unit/test_rules_schema \
	tests/unit/test_score \
	tests/unit/test_seccomp \
	tests/unit/test_seccomp_cache \
	tests/unit/test_seccomp_equiv \
	tests/unit/test_seccomp_record \
	tests/unit/test_seccomp_view \
	tests/unit/test_secret_block \
	tests/unit/test_secrets_policy \
	tests/unit/test_sha256 \
	tests/unit/test_spec \
	tests/unit/test_split \
	tests/unit/test_state \
	tests/unit/test_str \
	tests/unit/test_subids \
	tests/unit/test_sys \
	tests/unit/test_undo \
	tests/unit/test_vm_image \
	tests/unit/test_vm_qemu \
	tests/unit/test_wire
EXTRA_PROGRAMS += $(unit_programs)
CLEANFILES += $(unit_programs)
EXTRA_DIST += \
	tests/unit/audit_log.h \
	tests/unit/codec_gen.h \
	tests/unit/exec_world.h \
	tests/unit/policy_fixture.h \
	tests/unit/seccomp_profile.h \
	tests/unit/tap.h

tests_unit_test_agent_SOURCES = tests/unit/test_agent.c
tests_unit_test_agent_LDADD = libkv_exec.a libkv_wire.a libkv_policy.a libkv_host.a libkv_spec.a libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_unit_test_agent_broker_SOURCES = tests/unit/test_agent_broker.c
tests_unit_test_agent_broker_LDADD = libkv_exec.a libkv_wire.a libkv_policy.a libkv_base.a

tests_unit_test_attest_SOURCES = tests/unit/test_attest.c
tests_unit_test_attest_LDADD = libkv_attest.a libkv_json.a libkv_base.a $(KAVACH_LIBS) $(CRYPTO_LIBS)
tests_unit_test_attest_LDFLAGS = $(HARDEN_LDFLAGS) $(HELPER_LINK_FLAGS)

tests_unit_test_audit_SOURCES = tests/unit/test_audit.c
tests_unit_test_audit_LDADD = libkv_audit.a libkv_base.a

tests_unit_test_audit_verify_SOURCES = tests/unit/test_audit_verify.c
tests_unit_test_audit_verify_LDADD = libkv_audit.a libkv_base.a

tests_unit_test_boot_SOURCES = tests/unit/test_boot.c
tests_unit_test_boot_LDADD = libkv_exec.a libkv_policy.a libkv_base.a

tests_unit_test_broker_SOURCES = tests/unit/test_broker.c
tests_unit_test_broker_LDADD = libkv_keeper.a libkv_attest.a libkv_json.a libkv_base.a $(KAVACH_LIBS) $(CRYPTO_LIBS)
tests_unit_test_broker_LDFLAGS = $(HARDEN_LDFLAGS) $(HELPER_LINK_FLAGS)

tests_unit_test_buf_SOURCES = tests/unit/test_buf.c
tests_unit_test_buf_LDADD = libkv_base.a

tests_unit_test_caps_SOURCES = tests/unit/test_caps.c
tests_unit_test_caps_LDADD = libkv_exec.a libkv_hooks.a libkv_policy.a libkv_base.a

tests_unit_test_cgroup_convert_SOURCES = tests/unit/test_cgroup_convert.c
tests_unit_test_cgroup_convert_LDADD = libkv_cgroup.a libkv_host.a libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_unit_test_cgroup_devices_SOURCES = tests/unit/test_cgroup_devices.c
tests_unit_test_cgroup_devices_LDADD = libkv_cgroup.a libkv_host.a libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_unit_test_cgroup_files_SOURCES = tests/unit/test_cgroup_files.c
tests_unit_test_cgroup_files_LDADD = libkv_cgroup.a libkv_policy.a libkv_host.a libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_unit_test_cgroup_inspect_SOURCES = tests/unit/test_cgroup_inspect.c
tests_unit_test_cgroup_inspect_LDADD = libkv_cgroup.a libkv_host.a libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_unit_test_cgroup_knobs_SOURCES = tests/unit/test_cgroup_knobs.c
tests_unit_test_cgroup_knobs_LDADD = libkv_cgroup.a libkv_host.a libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_unit_test_cgroup_live_SOURCES = tests/unit/test_cgroup_live.c
tests_unit_test_cgroup_live_LDADD = libkv_cgroup.a libkv_policy.a libkv_host.a libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_unit_test_cgroup_systemd_SOURCES = tests/unit/test_cgroup_systemd.c
tests_unit_test_cgroup_systemd_LDADD = libkv_cgroup.a libkv_policy.a libkv_host.a libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_unit_test_check_SOURCES = tests/unit/test_check.c
tests_unit_test_check_LDADD = libkv_host.a libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_unit_test_criu_plan_SOURCES = tests/unit/test_criu_plan.c
tests_unit_test_criu_plan_LDADD = libkv_criu.a libkv_policy.a libkv_base.a

tests_unit_test_criu_rpc_SOURCES = tests/unit/test_criu_rpc.c
tests_unit_test_criu_rpc_LDADD = libkv_criu.a libkv_policy.a libkv_base.a

tests_unit_test_denied_SOURCES = tests/unit/test_denied.c
tests_unit_test_denied_LDADD = libkv_seccomp.a libkv_policy.a libkv_base.a $(KAVACH_LIBS)

tests_unit_test_env_SOURCES = tests/unit/test_env.c
tests_unit_test_env_LDADD = libkv_exec.a libkv_hooks.a libkv_policy.a libkv_base.a

tests_unit_test_err_SOURCES = tests/unit/test_err.c
tests_unit_test_err_LDADD = libkv_base.a

tests_unit_test_evidence_SOURCES = tests/unit/test_evidence.c
tests_unit_test_evidence_LDADD = libkv_attest.a libkv_policy.a libkv_json.a libkv_base.a $(KAVACH_LIBS) $(CRYPTO_LIBS)
tests_unit_test_evidence_LDFLAGS = $(HARDEN_LDFLAGS) $(HELPER_LINK_FLAGS)

tests_unit_test_exec_dev_SOURCES = tests/unit/test_exec_dev.c
tests_unit_test_exec_dev_LDADD = libkv_exec.a libkv_policy.a libkv_base.a

tests_unit_test_exec_mount_SOURCES = tests/unit/test_exec_mount.c
tests_unit_test_exec_mount_LDADD = libkv_exec.a libkv_policy.a libkv_base.a

tests_unit_test_exec_race_SOURCES = tests/unit/test_exec_race.c
tests_unit_test_exec_race_LDADD = libkv_exec.a libkv_policy.a libkv_base.a

tests_unit_test_fd_SOURCES = tests/unit/test_fd.c
tests_unit_test_fd_LDADD = libkv_base.a

tests_unit_test_find_SOURCES = tests/unit/test_find.c
tests_unit_test_find_LDADD = libkv_exec.a libkv_hooks.a libkv_policy.a libkv_base.a

tests_unit_test_golden_policy_SOURCES = tests/unit/test_golden_policy.c
tests_unit_test_golden_policy_LDADD = libkv_policy.a libkv_host.a libkv_spec.a libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_unit_test_golden_spec_SOURCES = tests/unit/test_golden_spec.c
tests_unit_test_golden_spec_LDADD = libkv_spec.a libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_unit_test_golden_vm_SOURCES = tests/unit/test_golden_vm.c
tests_unit_test_golden_vm_LDADD = libkv_vm.a libkv_attest.a libkv_policy.a libkv_host.a libkv_spec.a libkv_json.a libkv_base.a $(KAVACH_LIBS) $(CRYPTO_LIBS)
tests_unit_test_golden_vm_LDFLAGS = $(HARDEN_LDFLAGS) $(HELPER_LINK_FLAGS)

tests_unit_test_guest_image_SOURCES = tests/unit/test_guest_image.c
tests_unit_test_guest_image_LDADD = libkv_host.a libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_unit_test_guest_policy_SOURCES = tests/unit/test_guest_policy.c
tests_unit_test_guest_policy_LDADD = libkv_attest.a libkv_base.a $(CRYPTO_LIBS)
tests_unit_test_guest_policy_LDFLAGS = $(HARDEN_LDFLAGS) $(HELPER_LINK_FLAGS)

tests_unit_test_gvariant_SOURCES = tests/unit/test_gvariant.c
tests_unit_test_gvariant_LDADD = libkv_cgroup.a libkv_policy.a libkv_host.a libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_unit_test_hmac_SOURCES = tests/unit/test_hmac.c
tests_unit_test_hmac_LDADD = libkv_base.a

tests_unit_test_hooks_SOURCES = tests/unit/test_hooks.c
tests_unit_test_hooks_LDADD = libkv_hooks.a libkv_policy.a libkv_base.a

tests_unit_test_inspect_SOURCES = tests/unit/test_inspect.c
tests_unit_test_inspect_LDADD = libkv_inspect.a libkv_policy.a libkv_host.a libkv_spec.a libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_unit_test_io_SOURCES = tests/unit/test_io.c
tests_unit_test_io_LDADD = libkv_base.a

tests_unit_test_jail_SOURCES = tests/unit/test_jail.c
tests_unit_test_jail_LDADD = libkv_vm.a libkv_exec.a libkv_hooks.a libkv_policy.a libkv_base.a

tests_unit_test_json_decode_SOURCES = tests/unit/test_json_decode.c
tests_unit_test_json_decode_LDADD = libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_unit_test_json_read_SOURCES = tests/unit/test_json_read.c
tests_unit_test_json_read_LDADD = libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_unit_test_jsonw_SOURCES = tests/unit/test_jsonw.c
tests_unit_test_jsonw_LDADD = libkv_base.a

tests_unit_test_lifecycle_SOURCES = tests/unit/test_lifecycle.c
tests_unit_test_lifecycle_LDADD = libkv_cmd.a libkv_audit.a libkv_state.a libkv_vm.a libkv_process.a libkv_inspect.a libkv_keeper.a libkv_attest.a libkv_criu.a libkv_net.a libkv_secrets.a libkv_cgroup.a libkv_seccomp.a libkv_exec.a libkv_wire.a libkv_hooks.a libkv_policy.a libkv_host.a libkv_spec.a libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_unit_test_log_SOURCES = tests/unit/test_log.c
tests_unit_test_log_LDADD = libkv_base.a

tests_unit_test_machine_SOURCES = tests/unit/test_machine.c
tests_unit_test_machine_LDADD = libkv_state.a libkv_cgroup.a libkv_policy.a libkv_host.a libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_unit_test_merge_SOURCES = tests/unit/test_merge.c
tests_unit_test_merge_LDADD = libkv_policy.a libkv_host.a libkv_spec.a libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_unit_test_mntopt_SOURCES = tests/unit/test_mntopt.c
tests_unit_test_mntopt_LDADD = libkv_policy.a libkv_spec.a libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_unit_test_modsig_SOURCES = tests/unit/test_modsig.c
tests_unit_test_modsig_LDADD = libkv_base.a

tests_unit_test_mountinfo_SOURCES = tests/unit/test_mountinfo.c
tests_unit_test_mountinfo_LDADD = libkv_base.a

tests_unit_test_names_SOURCES = tests/unit/test_names.c
tests_unit_test_names_LDADD = libkv_policy.a libkv_spec.a libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_unit_test_net_live_SOURCES = tests/unit/test_net_live.c
tests_unit_test_net_live_LDADD = libkv_net.a libkv_wire.a libkv_policy.a libkv_host.a libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_unit_test_num_SOURCES = tests/unit/test_num.c
tests_unit_test_num_LDADD = libkv_base.a

tests_unit_test_opt_SOURCES = tests/unit/test_opt.c
tests_unit_test_opt_LDADD = libkv_cmd.a libkv_audit.a libkv_state.a libkv_vm.a libkv_process.a libkv_inspect.a libkv_keeper.a libkv_attest.a libkv_criu.a libkv_net.a libkv_secrets.a libkv_cgroup.a libkv_seccomp.a libkv_exec.a libkv_wire.a libkv_hooks.a libkv_policy.a libkv_host.a libkv_spec.a libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_unit_test_out_SOURCES = tests/unit/test_out.c
tests_unit_test_out_LDADD = libkv_policy.a libkv_host.a libkv_spec.a libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_unit_test_outside_SOURCES = tests/unit/test_outside.c
tests_unit_test_outside_LDADD = libkv_exec.a libkv_hooks.a libkv_policy.a libkv_base.a

tests_unit_test_pack_SOURCES = tests/unit/test_pack.c
tests_unit_test_pack_LDADD = libkv_vm.a libkv_exec.a libkv_hooks.a libkv_policy.a libkv_base.a

tests_unit_test_path_SOURCES = tests/unit/test_path.c
tests_unit_test_path_LDADD = libkv_base.a

tests_unit_test_policy_SOURCES = tests/unit/test_policy.c
tests_unit_test_policy_LDADD = libkv_policy.a libkv_host.a libkv_spec.a libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_unit_test_policy_codec_SOURCES = tests/unit/test_policy_codec.c
tests_unit_test_policy_codec_LDADD = libkv_policy.a libkv_spec.a libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_unit_test_policy_refusals_SOURCES = tests/unit/test_policy_refusals.c
tests_unit_test_policy_refusals_LDADD = libkv_policy.a libkv_host.a libkv_spec.a libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_unit_test_preset_SOURCES = tests/unit/test_preset.c
tests_unit_test_preset_LDADD = libkv_policy.a libkv_host.a libkv_spec.a libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_unit_test_profiles_SOURCES = tests/unit/test_profiles.c
tests_unit_test_profiles_LDADD = libkv_seccomp.a libkv_policy.a libkv_host.a libkv_spec.a libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_unit_test_proto_SOURCES = tests/unit/test_proto.c
tests_unit_test_proto_LDADD = libkv_exec.a libkv_policy.a libkv_base.a

tests_unit_test_qmp_SOURCES = tests/unit/test_qmp.c
tests_unit_test_qmp_LDADD = libkv_vm.a libkv_base.a

tests_unit_test_rdt_SOURCES = tests/unit/test_rdt.c
tests_unit_test_rdt_LDADD = libkv_cgroup.a libkv_policy.a libkv_base.a

tests_unit_test_relay_SOURCES = tests/unit/test_relay.c
tests_unit_test_relay_LDADD = libkv_vm.a libkv_attest.a libkv_net.a libkv_cgroup.a libkv_seccomp.a libkv_exec.a libkv_wire.a libkv_hooks.a libkv_policy.a libkv_host.a libkv_spec.a libkv_json.a libkv_base.a $(KAVACH_LIBS) $(CRYPTO_LIBS)
tests_unit_test_relay_LDFLAGS = $(HARDEN_LDFLAGS) $(HELPER_LINK_FLAGS)

tests_unit_test_report_SOURCES = tests/unit/test_report.c
tests_unit_test_report_LDADD = libkv_attest.a libkv_json.a libkv_base.a $(KAVACH_LIBS) $(CRYPTO_LIBS)
tests_unit_test_report_LDFLAGS = $(HARDEN_LDFLAGS) $(HELPER_LINK_FLAGS)

tests_unit_test_rules_SOURCES = tests/unit/test_rules.c
tests_unit_test_rules_LDADD = libkv_policy.a libkv_spec.a libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_unit_test_rules_policy_SOURCES = tests/unit/test_rules_policy.c
tests_unit_test_rules_policy_LDADD = libkv_policy.a libkv_host.a libkv_spec.a libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_unit_test_rules_schema_SOURCES = tests/unit/test_rules_schema.c
tests_unit_test_rules_schema_LDADD = libkv_policy.a libkv_host.a libkv_spec.a libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_unit_test_score_SOURCES = tests/unit/test_score.c
tests_unit_test_score_LDADD = libkv_policy.a libkv_host.a libkv_spec.a libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_unit_test_seccomp_SOURCES = tests/unit/test_seccomp.c
tests_unit_test_seccomp_LDADD = libkv_seccomp.a libkv_policy.a libkv_base.a $(KAVACH_LIBS)

tests_unit_test_seccomp_cache_SOURCES = tests/unit/test_seccomp_cache.c
tests_unit_test_seccomp_cache_LDADD = libkv_seccomp.a libkv_policy.a libkv_base.a $(KAVACH_LIBS)

tests_unit_test_seccomp_equiv_SOURCES = tests/unit/test_seccomp_equiv.c
tests_unit_test_seccomp_equiv_LDADD = libkv_seccomp.a libkv_policy.a libkv_base.a $(KAVACH_LIBS)

tests_unit_test_seccomp_record_SOURCES = tests/unit/test_seccomp_record.c
tests_unit_test_seccomp_record_LDADD = libkv_seccomp.a libkv_policy.a libkv_host.a libkv_spec.a libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_unit_test_seccomp_view_SOURCES = tests/unit/test_seccomp_view.c
tests_unit_test_seccomp_view_LDADD = libkv_seccomp.a libkv_policy.a libkv_base.a $(KAVACH_LIBS)

tests_unit_test_secret_block_SOURCES = tests/unit/test_secret_block.c
tests_unit_test_secret_block_LDADD = libkv_exec.a libkv_policy.a libkv_base.a

tests_unit_test_secrets_policy_SOURCES = tests/unit/test_secrets_policy.c
tests_unit_test_secrets_policy_LDADD = libkv_policy.a libkv_host.a libkv_spec.a libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_unit_test_sha256_SOURCES = tests/unit/test_sha256.c
tests_unit_test_sha256_LDADD = libkv_base.a

tests_unit_test_spec_SOURCES = tests/unit/test_spec.c
tests_unit_test_spec_LDADD = libkv_spec.a libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_unit_test_split_SOURCES = tests/unit/test_split.c
tests_unit_test_split_LDADD = libkv_vm.a libkv_policy.a libkv_base.a

tests_unit_test_state_SOURCES = tests/unit/test_state.c
tests_unit_test_state_LDADD = libkv_state.a libkv_cgroup.a libkv_policy.a libkv_host.a libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_unit_test_str_SOURCES = tests/unit/test_str.c
tests_unit_test_str_LDADD = libkv_base.a

tests_unit_test_subids_SOURCES = tests/unit/test_subids.c
tests_unit_test_subids_LDADD = libkv_host.a libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_unit_test_sys_SOURCES = tests/unit/test_sys.c
tests_unit_test_sys_LDADD = libkv_base.a

tests_unit_test_undo_SOURCES = tests/unit/test_undo.c
tests_unit_test_undo_LDADD = libkv_state.a libkv_cgroup.a libkv_policy.a libkv_host.a libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_unit_test_vm_image_SOURCES = tests/unit/test_vm_image.c
tests_unit_test_vm_image_LDADD = libkv_vm.a libkv_policy.a libkv_host.a libkv_json.a libkv_base.a $(KAVACH_LIBS)

tests_unit_test_vm_qemu_SOURCES = tests/unit/test_vm_qemu.c
tests_unit_test_vm_qemu_LDADD = libkv_vm.a libkv_attest.a libkv_exec.a libkv_hooks.a libkv_policy.a libkv_host.a libkv_json.a libkv_base.a $(KAVACH_LIBS) $(CRYPTO_LIBS)
tests_unit_test_vm_qemu_LDFLAGS = $(HARDEN_LDFLAGS) $(HELPER_LINK_FLAGS)

tests_unit_test_wire_SOURCES = tests/unit/test_wire.c
tests_unit_test_wire_LDADD = libkv_wire.a libkv_policy.a libkv_base.a
