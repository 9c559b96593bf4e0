# SPDX-License-Identifier: Apache-2.0
# state/: the state directory, locks, the lifecycle table, undo

libkv_state_a_SOURCES = \
	runtime/state/state.h
