# SPDX-License-Identifier: Apache-2.0
# base/: knows nothing of containers: errors, memory, strings, numbers, descriptors, paths

libkv_base_a_SOURCES = \
	runtime/base/addr.c \
	runtime/base/addr.h \
	runtime/base/arena.c \
	runtime/base/arena.h \
	runtime/base/buf.c \
	runtime/base/buf.h \
	runtime/base/err.c \
	runtime/base/err.h \
	runtime/base/errcat.h \
	runtime/base/fd.c \
	runtime/base/fd.h \
	runtime/base/helper.c \
	runtime/base/helper.h \
	runtime/base/hmac.c \
	runtime/base/hmac.h \
	runtime/base/io.c \
	runtime/base/io.h \
	runtime/base/jsonw.c \
	runtime/base/jsonw.h \
	runtime/base/log.c \
	runtime/base/log.h \
	runtime/base/mountinfo.c \
	runtime/base/mountinfo.h \
	runtime/base/num.c \
	runtime/base/num.h \
	runtime/base/opt.c \
	runtime/base/opt.h \
	runtime/base/path.c \
	runtime/base/path.h \
	runtime/base/path_walk.c \
	runtime/base/path_walk.h \
	runtime/base/sha256.c \
	runtime/base/sha256.h \
	runtime/base/str.c \
	runtime/base/str.h \
	runtime/base/sys.c \
	runtime/base/sys.h \
	runtime/base/types.h
