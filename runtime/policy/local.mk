# SPDX-License-Identifier: Apache-2.0
# policy/: spec + rules + host facts -> policy: decides, and has no side effects

libkv_policy_a_SOURCES = \
	runtime/policy/build.c \
	runtime/policy/build.h \
	runtime/policy/codec.c \
	runtime/policy/codec.h \
	runtime/policy/codec_json.c \
	runtime/policy/encode.c \
	runtime/policy/explain.c \
	runtime/policy/explain.h \
	runtime/policy/explain_files.c \
	runtime/policy/explain_json.c \
	runtime/policy/explain_limits.c \
	runtime/policy/facts.c \
	runtime/policy/facts.h \
	runtime/policy/fields.c \
	runtime/policy/landlock.c \
	runtime/policy/landlock.h \
	runtime/policy/merge.c \
	runtime/policy/mntopt.c \
	runtime/policy/mntopt.h \
	runtime/policy/names.c \
	runtime/policy/names.h \
	runtime/policy/p_caps.c \
	runtime/policy/p_dev.c \
	runtime/policy/p_joined.c \
	runtime/policy/p_landlock.c \
	runtime/policy/p_live.c \
	runtime/policy/p_misc.c \
	runtime/policy/p_mount.c \
	runtime/policy/p_notify.c \
	runtime/policy/p_ns.c \
	runtime/policy/p_process.c \
	runtime/policy/p_resources.c \
	runtime/policy/p_rules.c \
	runtime/policy/p_rules.h \
	runtime/policy/p_rules_features.c \
	runtime/policy/p_rules_match.c \
	runtime/policy/p_seccomp.c \
	runtime/policy/p_sysctl.c \
	runtime/policy/p_vm.c \
	runtime/policy/page.c \
	runtime/policy/page.h \
	runtime/policy/pb.h \
	runtime/policy/policy.h \
	runtime/policy/preset.c \
	runtime/policy/profiles.c \
	runtime/policy/rules.c \
	runtime/policy/rules.h \
	runtime/policy/rules_decode.c \
	runtime/policy/rules_explain.c \
	runtime/policy/rules_machine.c \
	runtime/policy/rules_report.c \
	runtime/policy/rules_tables.h \
	runtime/policy/score.c
