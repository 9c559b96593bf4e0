/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of cgroup v1, which config.json speaks, in the ranges of v2.
 *
 * cpu.shares (2 to 262144, default 1024) becomes cpu.weight (1 to 10000, default 100) by the curve that
 * the runtimes agreed on in 2025: w = ceil(10^((l^2 + 125 l) / 612 - 7/34)) with l = log2(shares). It
 * meets minimum, default and maximum of both ranges; the straight line used before made 1024 a 39.
 *
 * The curve is computed here without libm: log2() and pow() in a static glibc are chosen by CPU probing
 * at each program start, which costs every command more than this conversion ever would.
 */
#include "cgroup/internal.h"

#define SHARES_MAX 262144
#define WEIGHT_MAX 10000

/* log2(x) for 1 <= x < 2^63: the integer part by halving, then one binary digit per squaring. */
static double log2_of(uint64_t x)
{
	double l = 0, digit = 0.5, m;

	for (m = (double) x; m >= 2; m /= 2)
		l += 1;
	for (int i = 0; i < 50; i++, digit /= 2) {
		m *= m;
		if (m >= 2) {
			m /= 2;
			l += digit;
		}
	}
	return l;
}

/* e^x for 0 <= x < 16: the power series of x/64, squared six times. */
static double exp_of(double x)
{
	double y = x / 64, term = 1, sum = 1;

	for (int i = 1; i < 20; i++) {
		term *= y / i;
		sum += term;
	}
	for (int i = 0; i < 6; i++)
		sum *= sum;
	return sum;
}

uint64_t cg_shares_to_weight(uint64_t shares)
{
	const double ln10 = 2.302585092994045684, slack = 1e-9;
	uint64_t w;
	double l, x;

	if (shares <= 2)
		return 1;
	if (shares >= SHARES_MAX)
		return WEIGHT_MAX;
	l = log2_of(shares);
	x = exp_of(((l * l + 125 * l) / 612 - 7.0 / 34) * ln10);
	/* Rounded up, but 1024 is 100 and not 101 because of the last bit of a double. */
	w = (uint64_t) (x - slack);
	return w + 1;
}

/* 10 to 1000 (BFQ and old CFQ) onto 1 to 10000 (io.weight), a straight line. */
uint64_t cg_blkio_to_io_weight(uint64_t weight)
{
	if (weight <= 10)
		return 1;
	if (weight >= 1000)
		return WEIGHT_MAX;
	return 1 + (weight - 10) * 9999 / 990;
}
