# SPDX-License-Identifier: Apache-2.0
# cgroup/: cgroup v1 and v2 through one table of knobs

libkv_cgroup_a_SOURCES = \
	runtime/cgroup/apply.c \
	runtime/cgroup/cgroup.h \
	runtime/cgroup/convert.c \
	runtime/cgroup/devices.c \
	runtime/cgroup/devices_bpf.c \
	runtime/cgroup/devices_v1.c \
	runtime/cgroup/enable.c \
	runtime/cgroup/fields.c \
	runtime/cgroup/file.c \
	runtime/cgroup/freeze.c \
	runtime/cgroup/gvariant.c \
	runtime/cgroup/gvariant.h \
	runtime/cgroup/inspect.c \
	runtime/cgroup/internal.h \
	runtime/cgroup/join.c \
	runtime/cgroup/kill.c \
	runtime/cgroup/knobs.c \
	runtime/cgroup/layout.c \
	runtime/cgroup/make.c \
	runtime/cgroup/oom.c \
	runtime/cgroup/pids.c \
	runtime/cgroup/plan.c \
	runtime/cgroup/rdt.c \
	runtime/cgroup/rdt.h \
	runtime/cgroup/remove.c \
	runtime/cgroup/scope.h \
	runtime/cgroup/scope_fields.c \
	runtime/cgroup/scope_run.c \
	runtime/cgroup/stats.c \
	runtime/cgroup/stats.h \
	runtime/cgroup/stats_json.c \
	runtime/cgroup/stats_net.c \
	runtime/cgroup/stats_parse.c \
	runtime/cgroup/systemd.c \
	runtime/cgroup/update.c \
	runtime/cgroup/view.c \
	runtime/cgroup/wait.c
