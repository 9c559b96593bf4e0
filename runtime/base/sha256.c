/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 as FIPS 180-4 section 6.2 has it. The only trick: the eight working variables change their
 * names from round to round instead of moving, and the message schedule is a ring of 16 words.
 */
#include "base/sha256.h"

#include <string.h>

/* clang-format off */
static const uint32_t K[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};
/* clang-format on */

static inline uint32_t ror(uint32_t v, unsigned n)
{
	return v >> n | v << (32 - n);
}

static inline uint32_t load_be32(const uint8_t *p)
{
	return (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16 | (uint32_t) p[2] << 8 | p[3];
}

static inline void store_be32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t) (v >> 24);
	p[1] = (uint8_t) (v >> 16);
	p[2] = (uint8_t) (v >> 8);
	p[3] = (uint8_t) v;
}

/* One round; d and h are the only variables that get a new value. */
#define ROUND(a, b, c, d, e, f, g, h, i)                                                           \
	do {                                                                                       \
		uint32_t t = h + (ror(e, 6) ^ ror(e, 11) ^ ror(e, 25)) + (g ^ (e & (f ^ g))) +     \
			     K[(i) + j] + w[i];                                                    \
		d += t;                                                                            \
		h = t + (ror(a, 2) ^ ror(a, 13) ^ ror(a, 22)) + ((a & b) | (c & (a | b)));         \
	} while (0)

static inline uint32_t sigma0(uint32_t v)
{
	return ror(v, 7) ^ ror(v, 18) ^ v >> 3;
}

static inline uint32_t sigma1(uint32_t v)
{
	return ror(v, 17) ^ ror(v, 19) ^ v >> 10;
}

static void add_block(uint32_t s[8], const uint8_t *p)
{
	uint32_t a = s[0], b = s[1], c = s[2], d = s[3], e = s[4], f = s[5], g = s[6], h = s[7];
	uint32_t w[16];

	for (unsigned i = 0; i < 16; i++)
		w[i] = load_be32(p + 4 * i);
	for (unsigned j = 0;; j += 16) {
		ROUND(a, b, c, d, e, f, g, h, 0);
		ROUND(h, a, b, c, d, e, f, g, 1);
		ROUND(g, h, a, b, c, d, e, f, 2);
		ROUND(f, g, h, a, b, c, d, e, 3);
		ROUND(e, f, g, h, a, b, c, d, 4);
		ROUND(d, e, f, g, h, a, b, c, 5);
		ROUND(c, d, e, f, g, h, a, b, 6);
		ROUND(b, c, d, e, f, g, h, a, 7);
		ROUND(a, b, c, d, e, f, g, h, 8);
		ROUND(h, a, b, c, d, e, f, g, 9);
		ROUND(g, h, a, b, c, d, e, f, 10);
		ROUND(f, g, h, a, b, c, d, e, 11);
		ROUND(e, f, g, h, a, b, c, d, 12);
		ROUND(d, e, f, g, h, a, b, c, 13);
		ROUND(c, d, e, f, g, h, a, b, 14);
		ROUND(b, c, d, e, f, g, h, a, 15);
		if (j == 48)
			break;
		/* each word makes place for the one 16 rounds later */
		for (unsigned i = 0; i < 16; i++)
			w[i] += sigma0(w[(i + 1) & 15]) + w[(i + 9) & 15] +
				sigma1(w[(i + 14) & 15]);
	}
	s[0] += a;
	s[1] += b;
	s[2] += c;
	s[3] += d;
	s[4] += e;
	s[5] += f;
	s[6] += g;
	s[7] += h;
}

void sha256_init(struct sha256 *s)
{
	static const uint32_t h0[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
				       0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

	memcpy(s->h, h0, sizeof(h0));
	s->total = 0;
}

void sha256_add(struct sha256 *s, const void *data, size_t n)
{
	size_t have = s->total % sizeof(s->block);
	const uint8_t *p = data;

	s->total += n;
	if (have) {
		size_t take = sizeof(s->block) - have;

		if (take > n)
			take = n;
		if (take)
			memcpy(s->block + have, p, take);
		p += take;
		n -= take;
		if (have + take < sizeof(s->block))
			return;
		add_block(s->h, s->block);
	}
	for (; n >= sizeof(s->block); p += sizeof(s->block), n -= sizeof(s->block))
		add_block(s->h, p);
	if (n)
		memcpy(s->block, p, n);
}

void sha256_end(struct sha256 *s, uint8_t ret[SHA256_LEN])
{
	static const uint8_t pad[64] = {0x80};
	uint64_t bits = s->total * 8;
	size_t have = s->total % sizeof(s->block);
	uint8_t len[8];

	store_be32(len, (uint32_t) (bits >> 32));
	store_be32(len + 4, (uint32_t) bits);
	/* 0x80 and zeros up to 8 bytes before the end of a block, then the length in bits. */
	sha256_add(s, pad, (have < 56 ? 56 : 120) - have);
	sha256_add(s, len, sizeof(len));
	for (size_t i = 0; i < 8; i++)
		store_be32(ret + 4 * i, s->h[i]);
}

void sha256(const void *p, size_t n, uint8_t ret[SHA256_LEN])
{
	struct sha256 s;

	sha256_init(&s);
	sha256_add(&s, p, n);
	sha256_end(&s, ret);
}

void sha256_hex(const uint8_t d[SHA256_LEN], char ret[SHA256_HEX])
{
	static const char digit[] = "0123456789abcdef";

	for (size_t i = 0; i < SHA256_LEN; i++) {
		ret[2 * i] = digit[d[i] >> 4];
		ret[2 * i + 1] = digit[d[i] & 15];
	}
	ret[2 * SHA256_LEN] = '\0';
}
