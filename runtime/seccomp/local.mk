# SPDX-License-Identifier: Apache-2.0
# seccomp/: filters: compile.c is the only file that includes libseccomp

libkv_seccomp_a_SOURCES = \
	runtime/seccomp/cache.c \
	runtime/seccomp/calls.c \
	runtime/seccomp/compile.c \
	runtime/seccomp/dangerous.c \
	runtime/seccomp/emit.c \
	runtime/seccomp/enosys.c \
	runtime/seccomp/filter.h \
	runtime/seccomp/range.c \
	runtime/seccomp/range.h \
	runtime/seccomp/record.c \
	runtime/seccomp/record.h \
	runtime/seccomp/record_profile.c \
	runtime/seccomp/record_watch.c \
	runtime/seccomp/report.c \
	runtime/seccomp/report.h \
	runtime/seccomp/report_call.c \
	runtime/seccomp/report_log.c \
	runtime/seccomp/report_watch.c \
	runtime/seccomp/seccomp.h \
	runtime/seccomp/sim.c \
	runtime/seccomp/version.c \
	runtime/seccomp/view.c \
	runtime/seccomp/view.h \
	runtime/seccomp/view_diff.c \
	runtime/seccomp/view_rules.c \
	runtime/seccomp/view_text.c \
	runtime/seccomp/watch.c \
	runtime/seccomp/watch.h
