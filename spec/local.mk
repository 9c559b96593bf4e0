# SPDX-License-Identifier: Apache-2.0
# spec/: the OCI documents: types, field tables, what we write

libkv_spec_a_SOURCES = \
	spec/out.h \
	spec/spec.h
