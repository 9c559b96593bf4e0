# SPDX-License-Identifier: Apache-2.0
# hooks/: running OCI hooks, and the table of phases

libkv_hooks_a_SOURCES = \
	hooks/hooks.h \
	hooks/phase.c \
	hooks/run.c \
	hooks/state.c
