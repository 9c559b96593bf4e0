# SPDX-License-Identifier: Apache-2.0
# audit/: the audit log: records, keys, recovery, verification

libkv_audit_a_SOURCES = \
	runtime/audit/append.c \
	runtime/audit/audit.h \
	runtime/audit/caller.c \
	runtime/audit/files.c \
	runtime/audit/init.c \
	runtime/audit/internal.h \
	runtime/audit/keyfile.c \
	runtime/audit/lines.c \
	runtime/audit/lines.h \
	runtime/audit/record.c \
	runtime/audit/recover.c \
	runtime/audit/rotate.c \
	runtime/audit/sink.c \
	runtime/audit/verify.c \
	runtime/audit/verify.h
