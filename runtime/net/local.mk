# SPDX-License-Identifier: Apache-2.0
# net/: rtnetlink, interfaces, and how they get into a guest

libkv_net_a_SOURCES = \
	runtime/net/apply.c \
	runtime/net/link.c \
	runtime/net/link.h \
	runtime/net/nics.h \
	runtime/net/rtnl.c \
	runtime/net/rtnl.h \
	runtime/net/scan.c \
	runtime/net/tap.c
