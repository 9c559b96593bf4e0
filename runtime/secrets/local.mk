# SPDX-License-Identifier: Apache-2.0
# secrets/: where secrets come from

libkv_secrets_a_SOURCES = \
	runtime/secrets/fetch.c \
	runtime/secrets/file.c \
	runtime/secrets/program.c \
	runtime/secrets/read.c \
	runtime/secrets/secrets.h \
	runtime/secrets/socket.c
