# SPDX-License-Identifier: Apache-2.0
# cmd/: one file per command, and the table of commands

libkv_cmd_a_SOURCES = \
	runtime/cmd/cmd.h
