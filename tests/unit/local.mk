# SPDX-License-Identifier: Apache-2.0
# tests/unit/: written by `tests/lint/sources --update`. A test's second line may name the libraries
# that it links, `/* libs: base json */`; without it, all.

unit_programs = \
	tests/unit/test_buf \
	tests/unit/test_err \
	tests/unit/test_jsonw \
	tests/unit/test_num \
	tests/unit/test_sha256 \
	tests/unit/test_str
EXTRA_PROGRAMS += $(unit_programs)
CLEANFILES += $(unit_programs)
EXTRA_DIST += \
	tests/unit/tap.h

tests_unit_test_buf_SOURCES = tests/unit/test_buf.c
tests_unit_test_buf_LDADD = libkv_base.a

tests_unit_test_err_SOURCES = tests/unit/test_err.c
tests_unit_test_err_LDADD = libkv_base.a

tests_unit_test_jsonw_SOURCES = tests/unit/test_jsonw.c
tests_unit_test_jsonw_LDADD = libkv_base.a

tests_unit_test_num_SOURCES = tests/unit/test_num.c
tests_unit_test_num_LDADD = libkv_base.a

tests_unit_test_sha256_SOURCES = tests/unit/test_sha256.c
tests_unit_test_sha256_LDADD = libkv_base.a

tests_unit_test_str_SOURCES = tests/unit/test_str.c
tests_unit_test_str_LDADD = libkv_base.a
