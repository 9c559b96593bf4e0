/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads one JSON document into compact nodes in an arena. read.c is the only file that knows yajl, and
 * it uses only the streaming parser: numbers stay text, positions are kept, depth and sizes are capped,
 * and what differential parsers disagree on is refused (duplicate keys, NUL in strings, lone
 * surrogates, invalid UTF-8, trailing data).
 */
#ifndef KAVACH_JSON_READ_H
#define KAVACH_JSON_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json_node {
	enum json_type type;
	bool b;		     /* JSON_BOOL */
	uint32_t offset;     /* byte offset of the value's first byte in the document */
	uint32_t index;	     /* position in the parent */
	uint32_t n;	     /* children (array, object); string length */
	uint32_t key_offset; /* byte offset of the member's name, when there is one */
	char *key;	     /* member name when the parent is an object, else NULL */
	char *s; /* JSON_STRING: NUL-terminated text; JSON_NUMBER: the literal as written */
	struct json_node *parent; /* NULL at the root */
	struct json_node *child;  /* first child */
	struct json_node *next;	  /* next sibling */
};

struct json_doc {
	const char *name; /* for messages: "config.json" */
	const char *text; /* the bytes; for line and column */
	size_t len;
	struct json_node *root;
};

/* Limits; exceeding one is an error that names it. */
#define JSON_MAX_SIZE (4u << 20)
#define JSON_MAX_DEPTH 64
#define JSON_MAX_STRING (1u << 20)

/* json_read: parses text (kept by reference: it must outlive the doc). Errors look like
 * "config.json:3:17: expected ..., found ...". */
int json_read(const char *name, const char *text, size_t len, struct arena *a, struct json_doc *ret,
	      struct err *e);

/* json_get: member of an object by name, or NULL. */
struct json_node *json_get(const struct json_node *obj, const char *key);

/* json_path: "linux.namespaces[1].type" of a node, in the arena; "" for the root. Keys that are not
 * plain identifiers are written as ["key"]. */
char *json_path(struct arena *a, const struct json_node *n);
/* json_pos: 1-based line and column (in bytes) of an offset. */
void json_pos(const struct json_doc *d, size_t offset, unsigned *ret_line, unsigned *ret_col);
/* json_type_name: "string", "number", ... as users say it. */
const char *json_type_name(enum json_type t);

#endif
