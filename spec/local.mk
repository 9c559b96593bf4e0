# SPDX-License-Identifier: Apache-2.0
# spec/: the OCI documents: types, field tables, what we write

libkv_spec_a_SOURCES = \
	spec/annot.c \
	spec/annot.h \
	spec/check.c \
	spec/fields.h \
	spec/out.h \
	spec/out_features.c \
	spec/out_spec.c \
	spec/out_state.c \
	spec/parse.c \
	spec/spec.h \
	spec/t_config.c \
	spec/t_hooks.c \
	spec/t_linux.c \
	spec/t_process.c \
	spec/t_resources.c \
	spec/t_seccomp.c \
	spec/t_vm.c
