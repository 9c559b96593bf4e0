/* SPDX-License-Identifier: Apache-2.0 */
/* Small value types that the decoder fills in and the policy is made of. */
#ifndef KAVACH_BASE_TYPES_H
#define KAVACH_BASE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An absent number is not 0: `set` tells. v is 0 when not set. */
struct opt_u64 {
	bool set;
	uint64_t v;
};
struct opt_i64 {
	bool set;
	int64_t v;
};
struct opt_bool {
	bool set;
	bool v;
};

/* List of strings; v may be NULL when n is 0. `set` tells [] from absent. */
struct strs {
	char **v;
	size_t n;
	bool set;
};

struct kv {
	char *key;
	char *val;
};
/* String map, sorted by key (strcmp order), keys unique. */
struct kvs {
	struct kv *v;
	size_t n;
};

struct bytes {
	uint8_t *v;
	size_t n;
};

struct u64s {
	uint64_t *v;
	size_t n;
};

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
