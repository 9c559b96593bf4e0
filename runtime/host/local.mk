# SPDX-License-Identifier: Apache-2.0
# host/: what this host can do, probed once

libkv_host_a_SOURCES = \
	runtime/host/host.h \
	runtime/host/probe.c
