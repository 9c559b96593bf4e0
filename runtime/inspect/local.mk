# SPDX-License-Identifier: Apache-2.0
# inspect/: a policy against what the kernel says of processes

libkv_inspect_a_SOURCES = \
	runtime/inspect/caps.c \
	runtime/inspect/inspect.h \
	runtime/inspect/look.c \
	runtime/inspect/mounts.c \
	runtime/inspect/namespaces.c \
	runtime/inspect/process.c \
	runtime/inspect/report.c \
	runtime/inspect/seen.c \
	runtime/inspect/seen.h \
	runtime/inspect/show.c
