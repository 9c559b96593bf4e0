/* SPDX-License-Identifier: Apache-2.0 */
/* Text in, typed and checked structures out: reads JSON and decodes it with one of the tables. */
#include "spec/fields.h"

static int parse(const char *name, const char *text, size_t len, const struct jtable *t,
		 struct arena *a, void *obj, struct err *e)
{
	struct json_doc doc;
	int r;

	r = json_read(name, text, len, a, &doc, e);
	if (r < 0)
		return r;
	return json_decode(&doc, doc.root, t, obj, a, e);
}

int spec_parse(const char *name, const char *text, size_t len, struct arena *a,
	       const struct spec **ret, struct err *e)
{
	struct spec *s = arena_new(a, struct spec);
	int r;

	r = parse(name, text, len, &spec_t_config, a, s, e);
	if (r < 0)
		return r;
	*ret = s;
	return 0;
}

int spec_parse_process(const char *name, const char *text, size_t len, struct arena *a,
		       const struct spec_process **ret, struct err *e)
{
	struct spec_process *p = arena_new(a, struct spec_process);
	int r;

	r = parse(name, text, len, &spec_t_process, a, p, e);
	if (r < 0)
		return r;
	*ret = p;
	return 0;
}

int spec_parse_resources(const char *name, const char *text, size_t len, struct arena *a,
			 const struct spec_resources **ret, struct err *e)
{
	struct spec_resources *res = arena_new(a, struct spec_resources);
	int r;

	r = parse(name, text, len, &spec_t_resources, a, res, e);
	if (r < 0)
		return r;
	*ret = res;
	return 0;
}

int spec_parse_seccomp(const char *name, const char *text, size_t len, struct arena *a,
		       const struct spec_seccomp **ret, struct err *e)
{
	struct spec_seccomp *p = arena_new(a, struct spec_seccomp);
	int r;

	r = parse(name, text, len, &spec_t_seccomp, a, p, e);
	if (r < 0)
		return r;
	*ret = p;
	return 0;
}

/* The array alone is read as what it stands for, so that messages have the same paths. */
int spec_parse_mounts(const char *name, const char *text, size_t len, struct arena *a,
		      spec_mounts *ret, struct err *e)
{
	struct json_node whole = {.type = JSON_OBJECT, .n = 1};
	struct spec s = {0};
	struct json_doc doc;
	int r;

	r = json_read(name, text, len, a, &doc, e);
	if (r < 0)
		return r;
	if (doc.root->type == JSON_ARRAY) {
		whole.child = doc.root;
		doc.root->parent = &whole;
		doc.root->key = arena_strdup(a, "mounts");
		doc.root = &whole;
	}
	r = json_decode(&doc, doc.root, &spec_t_mounts, &s, a, e);
	if (r < 0)
		return r;
	*ret = s.mounts;
	return 0;
}
