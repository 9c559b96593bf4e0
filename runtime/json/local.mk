# SPDX-License-Identifier: Apache-2.0
# json/: reading JSON (read.c is the only file that includes yajl) and typed decoding

libkv_json_a_SOURCES = \
	runtime/json/decode.c \
	runtime/json/decode.h \
	runtime/json/read.c \
	runtime/json/read.h
