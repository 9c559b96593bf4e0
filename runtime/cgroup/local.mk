# SPDX-License-Identifier: Apache-2.0
# cgroup/: cgroup v1 and v2 through one table of knobs

libkv_cgroup_a_SOURCES = \
	runtime/cgroup/cgroup.h \
	runtime/cgroup/file.c \
	runtime/cgroup/internal.h \
	runtime/cgroup/layout.c \
	runtime/cgroup/plan.c
