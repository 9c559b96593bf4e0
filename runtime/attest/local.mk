# SPDX-License-Identifier: Apache-2.0
#
# attest/: kavach-attest, the one program that links libcrypto: launch digests, reports, certificates. kavach runs it for
# "measure" and "attest"; it needs no privilege.

noinst_LIBRARIES += libkv_attest.a
libkv_attest_a_SOURCES = \
	runtime/attest/bytes.c \
	runtime/attest/bytes.h \
	runtime/attest/cmd.h \
	runtime/attest/cmd_idblock.c \
	runtime/attest/cmd_measure.c \
	runtime/attest/confine.c \
	runtime/attest/confine.h \
	runtime/attest/crypto.c \
	runtime/attest/crypto.h \
	runtime/attest/guid.c \
	runtime/attest/guid.h \
	runtime/attest/idblock.c \
	runtime/attest/idblock.h \
	runtime/attest/input.c \
	runtime/attest/keys.c \
	runtime/attest/keys.h \
	runtime/attest/launch.c \
	runtime/attest/launch.h \
	runtime/attest/ovmf.c \
	runtime/attest/ovmf.h \
	runtime/attest/policy.c \
	runtime/attest/policy.h \
	runtime/attest/session.c \
	runtime/attest/session.h \
	runtime/attest/vmsa.c
libkv_attest_a_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)

kavachlibexec_PROGRAMS += kavach-attest
kavach_attest_SOURCES = runtime/attest/main.c
kavach_attest_LDADD = libkv_attest.a libkv_base.a $(CRYPTO_LIBS)
kavach_attest_LDFLAGS = $(HARDEN_LDFLAGS) $(HELPER_LINK_FLAGS)
