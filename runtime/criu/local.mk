# SPDX-License-Identifier: Apache-2.0
# criu/: talking to the program criu

libkv_criu_a_SOURCES = \
	runtime/criu/criu.c \
	runtime/criu/criu.h \
	runtime/criu/log.c \
	runtime/criu/plan.c \
	runtime/criu/plan.h \
	runtime/criu/rpc.c \
	runtime/criu/rpc.h
