/* SPDX-License-Identifier: Apache-2.0 */
/* libs: cgroup host json base */
#include "tap.h"

#include "cgroup/internal.h"

/* FNV-1a over the weights of all shares from 2 to 262144, as computed with log2() and pow() of libm. */
#define ALL_WEIGHTS 3319025742u

static uint32_t hash_of_all_weights(void)
{
	uint32_t h = 2166136261u;

	for (uint64_t s = 2; s <= 262144; s++) {
		uint64_t w = cg_shares_to_weight(s);

		h = (h ^ (uint32_t) (w & 0xff)) * 16777619u;
		h = (h ^ (uint32_t) (w >> 8)) * 16777619u;
	}
	return h;
}

static bool monotone(void)
{
	for (uint64_t s = 0; s < 300000; s++)
		if (cg_shares_to_weight(s) > cg_shares_to_weight(s + 1))
			return false;
	return true;
}

static void test_shares(void)
{
	static const struct {
		uint64_t shares, weight;
	} rows[] = {
		{0, 1},		 {1, 1},	  {2, 1},	   {3, 2},
		{256, 35},	 {512, 59},	  {1024, 100},	   {2048, 174},
		{262143, 10000}, {262144, 10000}, {262145, 10000}, {UINT64_MAX, 10000},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		is_int(cg_shares_to_weight(rows[i].shares), rows[i].weight,
		       "cpu.shares %llu is cpu.weight %llu", (unsigned long long) rows[i].shares,
		       (unsigned long long) rows[i].weight);
	ok(monotone(), "more shares never mean less weight");
	is_int(hash_of_all_weights(), ALL_WEIGHTS,
	       "every weight is the one that log2() and pow() give");
}

static void test_blkio(void)
{
	static const struct {
		uint64_t blkio, io;
	} rows[] = {{0, 1},	 {10, 1},     {11, 11},	     {100, 910},
		    {500, 4950}, {999, 9989}, {1000, 10000}, {1001, 10000}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		is_int(cg_blkio_to_io_weight(rows[i].blkio), rows[i].io,
		       "blkio weight %llu is io.weight %llu", (unsigned long long) rows[i].blkio,
		       (unsigned long long) rows[i].io);
}

int main(void)
{
	test_shares();
	test_blkio();
	return done();
}
