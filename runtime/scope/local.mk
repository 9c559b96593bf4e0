# SPDX-License-Identifier: Apache-2.0
#
# scope/: kavach-scope, the one program that links libsystemd; only where that is found. kavach looks for it beside
# itself and in KAVACH_LIBEXECDIR.

scope_sources = \
	runtime/scope/bus.c \
	runtime/scope/bus.h \
	runtime/scope/main.c

kavachlibexecdir = $(libexecdir)/kavach
AM_CPPFLAGS += -DKAVACH_LIBEXECDIR='"$(kavachlibexecdir)"'

kavachlibexec_PROGRAMS =
if SCOPE
kavachlibexec_PROGRAMS += kavach-scope
endif
EXTRA_PROGRAMS += kavach-scope
kavach_scope_SOURCES = $(scope_sources)
kavach_scope_CFLAGS = $(AM_CFLAGS) $(SYSTEMD_CFLAGS)
kavach_scope_LDADD = libkv_cgroup.a libkv_policy.a libkv_base.a $(SYSTEMD_LIBS)
# not AM_LDFLAGS: that is how kavach is linked, which may be statically
kavach_scope_LDFLAGS = $(HARDEN_LDFLAGS) $(HELPER_LINK_FLAGS)

# The bus, answered by a manager of the test's own.
scope_tests = tests/scope/test_bus
tests_scope_test_bus_SOURCES = tests/scope/test_bus.c runtime/scope/bus.c
tests_scope_test_bus_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests
tests_scope_test_bus_CFLAGS = $(kavach_scope_CFLAGS)
tests_scope_test_bus_LDADD = $(kavach_scope_LDADD)
tests_scope_test_bus_LDFLAGS = $(kavach_scope_LDFLAGS)
EXTRA_PROGRAMS += $(scope_tests)
CLEANFILES += $(scope_tests)
