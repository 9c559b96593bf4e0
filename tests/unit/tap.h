/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Just enough TAP for our unit tests: ok(cond, "what is expected"), and done() as the last statement of
 * main(). A failing check prints the place and goes on; bail_out() stops.
 */
#ifndef KAVACH_TESTS_TAP_H
#define KAVACH_TESTS_TAP_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int tap_n, tap_failed;

#define ok(cond, ...)                                                                              \
	do {                                                                                       \
		int tap_c = !!(cond);                                                              \
		tap_failed += !tap_c;                                                              \
		printf("%sok %d - ", tap_c ? "" : "not ", ++tap_n);                                \
		printf(__VA_ARGS__);                                                               \
		printf("\n");                                                                      \
		if (!tap_c)                                                                        \
			printf("# %s:%d: %s\n", __FILE__, __LINE__, #cond);                        \
	} while (0)

#define is_str(got, want, ...)                                                                     \
	do {                                                                                       \
		const char *tap_g = (got), *tap_w = (want);                                        \
		int tap_eq = tap_g && tap_w ? !strcmp(tap_g, tap_w) : tap_g == tap_w;              \
		ok(tap_eq, __VA_ARGS__);                                                           \
		if (!tap_eq)                                                                       \
			printf("#   got:  %s\n#   want: %s\n", tap_g ? tap_g : "(null)",           \
			       tap_w ? tap_w : "(null)");                                          \
	} while (0)

#define is_int(got, want, ...)                                                                     \
	do {                                                                                       \
		long long tap_g = (long long) (got), tap_w = (long long) (want);                   \
		ok(tap_g == tap_w, __VA_ARGS__);                                                   \
		if (tap_g != tap_w)                                                                \
			printf("#   got:  %lld\n#   want: %lld\n", tap_g, tap_w);                  \
	} while (0)

#define skip(why, ...)                                                                             \
	do {                                                                                       \
		printf("ok %d - ", ++tap_n);                                                       \
		printf(__VA_ARGS__);                                                               \
		printf(" # SKIP %s\n", (why));                                                     \
	} while (0)

static inline int done(void)
{
	printf("1..%d\n", tap_n);
	return tap_failed ? 1 : 0;
}

static inline void bail_out(const char *why)
{
	printf("Bail out! %s\n", why);
	exit(1);
}

#endif
