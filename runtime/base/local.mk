# SPDX-License-Identifier: Apache-2.0
# base/: knows nothing of containers: errors, memory, strings, numbers, descriptors, paths

libkv_base_a_SOURCES = \
	runtime/base/arena.h \
	runtime/base/buf.h \
	runtime/base/err.h \
	runtime/base/fd.h \
	runtime/base/io.h \
	runtime/base/jsonw.h \
	runtime/base/log.h \
	runtime/base/num.h \
	runtime/base/path.h \
	runtime/base/sha256.h \
	runtime/base/str.h \
	runtime/base/sys.h \
	runtime/base/types.h
