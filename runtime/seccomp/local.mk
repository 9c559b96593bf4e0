# SPDX-License-Identifier: Apache-2.0
# seccomp/: filters: compile.c is the only file that includes libseccomp

libkv_seccomp_a_SOURCES = \
	runtime/seccomp/cache.c \
	runtime/seccomp/compile.c \
	runtime/seccomp/dangerous.c \
	runtime/seccomp/emit.c \
	runtime/seccomp/enosys.c \
	runtime/seccomp/filter.h \
	runtime/seccomp/range.c \
	runtime/seccomp/range.h \
	runtime/seccomp/seccomp.h \
	runtime/seccomp/sim.c \
	runtime/seccomp/version.c
