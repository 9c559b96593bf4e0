# SPDX-License-Identifier: Apache-2.0
# state/: the state directory, locks, the lifecycle table, undo

libkv_state_a_SOURCES = \
	runtime/state/idname.c \
	runtime/state/machine.c \
	runtime/state/record.c \
	runtime/state/state.h \
	runtime/state/store.c \
	runtime/state/undo.c
