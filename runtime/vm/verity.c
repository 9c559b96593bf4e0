/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Level 0 has the hash of each block of data, 128 to a block; level 1 the hash of each block of level 0; and so on, until one
 * block is left, whose hash is the root. The last block of a level is filled up with zeros. The kernel looks for the levels from
 * the top down: the tree begins with the one block.
 */
#include "vm/verity.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PER_BLOCK (VERITY_BLOCK / SHA256_LEN)
#define LEVELS_MAX 6 /* 128^5 blocks are more than there can be */
#define CHUNK (256 * VERITY_BLOCK)

/* The sizes of the levels, from 0 on. */
static unsigned levels(uint64_t blocks, uint64_t ret[LEVELS_MAX])
{
	unsigned n = 0;

	while (blocks > 1) {
		blocks = (blocks + PER_BLOCK - 1) / PER_BLOCK;
		ret[n++] = blocks;
	}
	return n;
}

uint64_t verity_tree_blocks(uint64_t blocks)
{
	uint64_t sizes[LEVELS_MAX], sum = 0;
	unsigned n = levels(blocks, sizes);

	while (n > 0)
		sum += sizes[--n];
	return sum;
}

/* Version 1: the salt is in front of the block. */
static void hash_block(const uint8_t *block, struct bytes salt, uint8_t ret[SHA256_LEN])
{
	struct sha256 h;

	sha256_init(&h);
	sha256_add(&h, salt.v, salt.n);
	sha256_add(&h, block, VERITY_BLOCK);
	sha256_end(&h, ret);
}

static int read_exactly(int fd, uint8_t *p, size_t n, off_t at)
{
	while (n) {
		ssize_t got = pread(fd, p, n, at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : -ENODATA;
		p += got;
		n -= (size_t) got;
		at += got;
	}
	return 0;
}

static int write_exactly(int fd, const uint8_t *p, size_t n, off_t at)
{
	while (n) {
		ssize_t put = pwrite(fd, p, n, at);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return put < 0 ? -errno : -EIO;
		p += put;
		n -= (size_t) put;
		at += put;
	}
	return 0;
}

/* Level 0. */
static int hash_data(int fd, uint64_t blocks, struct bytes salt, uint8_t *ret)
{
	uint8_t *chunk = malloc(CHUNK);
	uint64_t done = 0;
	int r = chunk ? 0 : -ENOMEM;

	while (r == 0 && done < blocks) {
		uint64_t n = CHUNK / VERITY_BLOCK;

		n = n < blocks - done ? n : blocks - done;
		r = read_exactly(fd, chunk, n * VERITY_BLOCK, (off_t) (done * VERITY_BLOCK));
		for (uint64_t i = 0; r == 0 && i < n; i++)
			hash_block(chunk + i * VERITY_BLOCK, salt, ret + (done + i) * SHA256_LEN);
		done += n;
	}
	free(chunk);
	return r;
}

/* One level after the other, each behind the next higher one. */
static int write_tree(int fd, uint64_t blocks, struct bytes salt, uint8_t ret[SHA256_LEN])
{
	uint64_t sizes[LEVELS_MAX], at = blocks + verity_tree_blocks(blocks);
	unsigned n = levels(blocks, sizes);
	uint8_t *level = calloc(n ? sizes[0] : 1, VERITY_BLOCK);
	int r = level ? hash_data(fd, blocks, salt, level) : -ENOMEM;

	for (unsigned i = 0; r == 0 && i < n; i++) {
		at -= sizes[i];
		r = write_exactly(fd, level, sizes[i] * VERITY_BLOCK, (off_t) (at * VERITY_BLOCK));
		/* the next level grows where this one is read: 32 bytes for each 4096 */
		for (uint64_t k = 0; k < sizes[i]; k++) {
			uint8_t digest[SHA256_LEN];

			hash_block(level + k * VERITY_BLOCK, salt, digest);
			memcpy(level + k * SHA256_LEN, digest, SHA256_LEN);
		}
		if (i + 1 < n)
			memset(level + sizes[i] * SHA256_LEN, 0,
			       sizes[i + 1] * VERITY_BLOCK - sizes[i] * SHA256_LEN);
	}
	if (r == 0)
		memcpy(ret, level, SHA256_LEN);
	free(level);
	return r;
}

int verity_append(int fd, const char *path, uint64_t blocks, struct bytes salt,
		  uint8_t ret[SHA256_LEN], struct err *e)
{
	uint64_t all = blocks + verity_tree_blocks(blocks);
	int r;

	if (!blocks || blocks > VERITY_BLOCKS_MAX)
		return err_set(e, -EFBIG, "%s: expected 1 to %llu blocks, found %llu", path,
			       VERITY_BLOCKS_MAX, (unsigned long long) blocks);
	if (ftruncate(fd, (off_t) (all * VERITY_BLOCK)) < 0)
		return err_sys(e, "%s: making room for its hashes", path);
	r = write_tree(fd, blocks, salt, ret);
	return r < 0 ? err_neg(e, r, "%s: its hashes", path) : 0;
}
