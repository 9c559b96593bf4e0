# SPDX-License-Identifier: Apache-2.0
#
# attest/: kavach-attest, the one program that links libcrypto: launch digests, reports, certificates. kavach runs it for
# "measure" and "attest"; it needs no privilege.

noinst_LIBRARIES += libkv_attest.a
libkv_attest_a_SOURCES = \
	runtime/attest/broker.h \
	runtime/attest/broker_files.c \
	runtime/attest/bytes.c \
	runtime/attest/bytes.h \
	runtime/attest/cache.c \
	runtime/attest/cache.h \
	runtime/attest/certtable.c \
	runtime/attest/certtable.h \
	runtime/attest/cmd.h \
	runtime/attest/cmd_fetch.c \
	runtime/attest/cmd_idblock.c \
	runtime/attest/cmd_measure.c \
	runtime/attest/cmd_release.c \
	runtime/attest/cmd_serve.c \
	runtime/attest/cmd_session.c \
	runtime/attest/cmd_show.c \
	runtime/attest/cmd_verify.c \
	runtime/attest/confine.c \
	runtime/attest/confine.h \
	runtime/attest/crypto.c \
	runtime/attest/crypto.h \
	runtime/attest/evidence.c \
	runtime/attest/evidence.h \
	runtime/attest/evidence_make.c \
	runtime/attest/expect.c \
	runtime/attest/expect.h \
	runtime/attest/guid.c \
	runtime/attest/guid.h \
	runtime/attest/idblock.c \
	runtime/attest/idblock.h \
	runtime/attest/input.c \
	runtime/attest/jose.c \
	runtime/attest/jose.h \
	runtime/attest/keys.c \
	runtime/attest/keys.h \
	runtime/attest/launch.c \
	runtime/attest/launch.h \
	runtime/attest/launchdoc.c \
	runtime/attest/launchdoc.h \
	runtime/attest/ovmf.c \
	runtime/attest/ovmf.h \
	runtime/attest/p256.c \
	runtime/attest/p256.h \
	runtime/attest/policy.c \
	runtime/attest/policy.h \
	runtime/attest/release.c \
	runtime/attest/release.h \
	runtime/attest/release_request.c \
	runtime/attest/release_table.c \
	runtime/attest/report.c \
	runtime/attest/report.h \
	runtime/attest/report_show.c \
	runtime/attest/roots.c \
	runtime/attest/roots.h \
	runtime/attest/rsakey.c \
	runtime/attest/rsakey.h \
	runtime/attest/serve.c \
	runtime/attest/session.c \
	runtime/attest/session.h \
	runtime/attest/sevcert.c \
	runtime/attest/sevcert.h \
	runtime/attest/verify.c \
	runtime/attest/verify.h \
	runtime/attest/verify_claims.c \
	runtime/attest/verify_doc.c \
	runtime/attest/verify_impl.h \
	runtime/attest/vmsa.c \
	runtime/attest/x509.c \
	runtime/attest/x509.h \
	runtime/attest/x509_chain.c \
	runtime/attest/x509_impl.h
libkv_attest_a_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)

kavachlibexec_PROGRAMS += kavach-attest
kavach_attest_SOURCES = runtime/attest/main.c
kavach_attest_LDADD = libkv_attest.a libkv_json.a libkv_base.a $(YAJL_LIBS) $(CRYPTO_LIBS)
kavach_attest_LDFLAGS = $(HARDEN_LDFLAGS) $(HELPER_LINK_FLAGS)
