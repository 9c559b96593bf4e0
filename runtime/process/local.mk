# SPDX-License-Identifier: Apache-2.0
# process/: the backend "process"

libkv_process_a_SOURCES = \
	runtime/process/backend.c \
	runtime/process/checkpoint.c \
	runtime/process/create.c \
	runtime/process/criu_opts.c \
	runtime/process/exec.c \
	runtime/process/filters.c \
	runtime/process/idmap.c \
	runtime/process/inspect.c \
	runtime/process/inspect.h \
	runtime/process/launch.c \
	runtime/process/mounts.c \
	runtime/process/netdev.c \
	runtime/process/notify.c \
	runtime/process/ns.c \
	runtime/process/ops.c \
	runtime/process/process.h \
	runtime/process/restore.c \
	runtime/process/sources.c \
	runtime/process/spawn.c \
	runtime/process/stage_blob.S \
	runtime/process/sysctls.c

# kavach-init is part of kavach: .incbin does not tell make about the file it reads.
runtime/process/stage_blob.$(OBJEXT): kavach-init
