# SPDX-License-Identifier: Apache-2.0
# wire/: what the monitor and the agent say to each other

libkv_wire_a_SOURCES = \
	runtime/wire/body.c \
	runtime/wire/body.h \
	runtime/wire/wire.c \
	runtime/wire/wire.h
