/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree of hashes that dm-verity holds a disk against (kernel: Documentation/admin-guide/device-mapper/verity.rst): version 1,
 * SHA-256, blocks of 4096 bytes, no superblock, behind the data in the same file. What `veritysetup format --no-superblock
 * --hash-offset` writes.
 */
#ifndef KAVACH_VM_VERITY_H
#define KAVACH_VM_VERITY_H

#include "base/err.h"
#include "base/sha256.h"
#include "base/types.h"

#define VERITY_BLOCK 4096u
#define VERITY_BLOCKS_MAX (1ull << 32) /* 16 TiB of data */

/* verity_tree_blocks: how many blocks the tree over so many blocks of data has. */
uint64_t verity_tree_blocks(uint64_t blocks);

/* verity_append: reads blocks * 4096 bytes from the beginning of fd, writes the tree behind them and cuts the file there. *ret:
 * the root hash. path: for messages. */
int verity_append(int fd, const char *path, uint64_t blocks, struct bytes salt,
		  uint8_t ret[SHA256_LEN], struct err *e);

#endif
