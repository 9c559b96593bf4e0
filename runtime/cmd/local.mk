# SPDX-License-Identifier: Apache-2.0
# cmd/: one file per command, and the table of commands

libkv_cmd_a_SOURCES = \
	runtime/cmd/attest.c \
	runtime/cmd/attest.h \
	runtime/cmd/audit.c \
	runtime/cmd/audit.h \
	runtime/cmd/audit_show.c \
	runtime/cmd/audited.c \
	runtime/cmd/audited.h \
	runtime/cmd/box.c \
	runtime/cmd/box.h \
	runtime/cmd/bundle.c \
	runtime/cmd/check.c \
	runtime/cmd/checkpoint.c \
	runtime/cmd/cmd.h \
	runtime/cmd/common.c \
	runtime/cmd/create.c \
	runtime/cmd/criu_args.c \
	runtime/cmd/criu_args.h \
	runtime/cmd/delete.c \
	runtime/cmd/events.c \
	runtime/cmd/evidence.c \
	runtime/cmd/exec.c \
	runtime/cmd/features.c \
	runtime/cmd/foreground.c \
	runtime/cmd/help.c \
	runtime/cmd/inspect.c \
	runtime/cmd/inspected.h \
	runtime/cmd/kill.c \
	runtime/cmd/launch.c \
	runtime/cmd/lifecycle.h \
	runtime/cmd/measure.c \
	runtime/cmd/mounts.c \
	runtime/cmd/notify.c \
	runtime/cmd/notify.h \
	runtime/cmd/pack.c \
	runtime/cmd/pause.c \
	runtime/cmd/policy.c \
	runtime/cmd/profile.c \
	runtime/cmd/profile.h \
	runtime/cmd/ps.c \
	runtime/cmd/restore.c \
	runtime/cmd/rules.c \
	runtime/cmd/run.c \
	runtime/cmd/seccomp.c \
	runtime/cmd/start.c \
	runtime/cmd/state.c \
	runtime/cmd/table.c \
	runtime/cmd/update.c \
	runtime/cmd/version.h
