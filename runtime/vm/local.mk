# SPDX-License-Identifier: Apache-2.0
# vm/: the backend that runs a workload in a microVM

libkv_vm_a_SOURCES = \
	runtime/vm/image.c \
	runtime/vm/image.h \
	runtime/vm/jail.c \
	runtime/vm/jail.h \
	runtime/vm/qemu.c \
	runtime/vm/qemu.h \
	runtime/vm/qjson.c \
	runtime/vm/qjson.h \
	runtime/vm/qmp.c \
	runtime/vm/qmp.h \
	runtime/vm/shape.c \
	runtime/vm/shape.h \
	runtime/vm/shape_show.c \
	runtime/vm/split.c \
	runtime/vm/split.h
