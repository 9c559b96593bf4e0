# SPDX-License-Identifier: Apache-2.0
# host/: what this host can do, probed once

libkv_host_a_SOURCES = \
	runtime/host/accel.c \
	runtime/host/check.c \
	runtime/host/check.h \
	runtime/host/guest_image.c \
	runtime/host/guest_image.h \
	runtime/host/hardware.c \
	runtime/host/hardware.h \
	runtime/host/hint.c \
	runtime/host/hint.h \
	runtime/host/host.h \
	runtime/host/look.c \
	runtime/host/look.h \
	runtime/host/probe.c \
	runtime/host/rows_cgroup.c \
	runtime/host/rows_guest.c \
	runtime/host/rows_host.c \
	runtime/host/rows_ids.c \
	runtime/host/rows_vm.c \
	runtime/host/screen.c \
	runtime/host/sev.c \
	runtime/host/sev.h \
	runtime/host/subids.c \
	runtime/host/tries.c \
	runtime/host/try.c \
	runtime/host/try.h \
	runtime/host/try_idmap.c
