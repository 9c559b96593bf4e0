# SPDX-License-Identifier: Apache-2.0
#
# keeper/: kavach-keeper, the process of a confidential guest that has its key (kavach-broker(7)). Linked statically where
# libcrypto's archive is there, for there are no libraries in a guest.

noinst_LIBRARIES += libkv_keeper.a
libkv_keeper_a_SOURCES = \
	runtime/keeper/answer.c \
	runtime/keeper/keeper.h \
	runtime/keeper/proto.h

noinst_PROGRAMS = kavach-keeper
kavach_keeper_SOURCES = runtime/keeper/absent.c runtime/keeper/main.c
kavach_keeper_LDADD = libkv_keeper.a libkv_attest.a libkv_json.a libkv_base.a $(KEEPER_LIBS)
kavach_keeper_LDFLAGS = $(HARDEN_LDFLAGS) $(KEEPER_LINK_FLAGS) -Wl,--wrap=dlopen
