/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry of annotations in config.json that change what we do. Anything that is not in it has no
 * effect; whoever gives an annotation an effect adds its row. The features document lists the unsafe ones
 * (features.md, "Potentially unsafe annotations"), so that an engine can keep people from setting them.
 */
#ifndef KAVACH_SPEC_ANNOT_H
#define KAVACH_SPEC_ANNOT_H

#include <stdbool.h>
#include <stddef.h>

enum annot_type {
	ANNOT_BOOL = 1, /* 1, true, 0 or false */
	ANNOT_TEXT,	/* any text; who uses it checks it */
	ANNOT_PATH,	/* absolute host path */
	ANNOT_GVARIANT, /* a systemd property value in GVariant text form */
};

struct annot_row {
	const char *name; /* one that ends in '.' stands for all that start with it */
	enum annot_type type;
	bool is_unsafe;	  /* changes what the runtime does: goes into the features document */
	const char *what; /* what it does, one line */
};
extern const struct annot_row annot_rows[];
extern const size_t annot_rows_n;

/* annot_find: the row for an annotation, or NULL when it means nothing to us. */
const struct annot_row *annot_find(const char *name);

/* annot_bool: the value of an ANNOT_BOOL; returns whether it is one. */
bool annot_bool(const char *value, bool *ret);

#endif
