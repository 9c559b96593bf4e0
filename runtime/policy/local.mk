# SPDX-License-Identifier: Apache-2.0
# policy/: spec + rules + host facts -> policy: decides, and has no side effects

libkv_policy_a_SOURCES = \
	runtime/policy/build.h \
	runtime/policy/codec.c \
	runtime/policy/codec.h \
	runtime/policy/codec_json.c \
	runtime/policy/encode.c \
	runtime/policy/fields.c \
	runtime/policy/names.c \
	runtime/policy/names.h \
	runtime/policy/policy.h
