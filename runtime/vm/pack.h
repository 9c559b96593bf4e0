/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packing a root: the folder becomes an erofs image with dm-verity's tree of hashes behind it, in one file. The same folder gives
 * the same bytes wherever it lies and whenever it was made: names, contents, modes, owners and extended attributes count, times
 * do not (all are 1970).
 *
 * Images are kept in a directory of ours, by their root hash. A fingerprint of the folder leads to its image without reading it:
 * of each entry the name, inode number, mode, owner, size and time of last change (ctime, which no program can set). Folders that
 * were changed an instant ago have none, for they may change again within the same tick of the clock. What comes out of the
 * directory is never trusted: the guest holds each block against the root hash.
 */
#ifndef KAVACH_VM_PACK_H
#define KAVACH_VM_PACK_H

#include "base/arena.h"
#include "base/err.h"
#include "base/sha256.h"
#include "policy/build.h"

#define PACK_PROGRAM "mkfs.erofs"
#define PACK_PACKAGE "erofs-utils" /* of Debian */

struct packed {
	struct policy_root root;
	uint64_t size; /* of the file, bytes */
	bool kept;     /* it was there already */
	const char *path;
	int fd; /* read-only; the caller's */
};

/* pack_root: the image of the folder `rootfs` (absolute), from the directory `cache` or made. cache: made if missing (0700; missing
 * parents 0755); it must be ours and only ours to write. Needs root for a folder whose files we may not all read. */
int pack_root(const char *rootfs, const char *cache, struct arena *a, struct packed *ret,
	      struct err *e);

/* pack_cache_dir: $KAVACH_CACHE, or /var/cache/kavach for root, or kavach in $XDG_CACHE_HOME or ~/.cache, and there "roots". NULL
 * when none is known. */
const char *pack_cache_dir(struct arena *a);

/* pack_program: where mkfs.erofs is; NULL: nowhere below /usr. */
const char *pack_program(void);

/* pack_key: the fingerprint. 1: *ret is set; 0: there is none now, or the folder is too deep. <0 with *e. */
int pack_key(const char *rootfs, uint8_t ret[SHA256_LEN], struct err *e);

/* pack_mkfs: runs the program, in a jail when we are root, which sees `rootfs` and may write the file `image`, nothing else. */
int pack_mkfs(const char *rootfs, const char *image, struct err *e);

#endif
