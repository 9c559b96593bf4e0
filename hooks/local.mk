# SPDX-License-Identifier: Apache-2.0
# hooks/: running OCI hooks, and the table of phases

libkv_hooks_a_SOURCES = \
	hooks/hooks.h \
	hooks/phase.c \
	hooks/run.c \
	hooks/state.c

# A program for other runtimes' hooks; linked like kavach itself.
kavach_audit_hook_SOURCES = hooks/audit/main.c
kavach_audit_hook_LDADD = libkv_audit.a libkv_host.a libkv_json.a libkv_base.a $(KAVACH_LIBS)
kavachlibexec_PROGRAMS += kavach-audit-hook
