/* SPDX-License-Identifier: Apache-2.0 */
/* libs: spec json base */
/*
 * Golden files of the decoder, in tests/golden: every ok/NAME.json is accepted, every bad/NAME.json is
 * refused with the one line in bad/NAME.err. A name that ends in .process or .resources is such an object
 * by itself, everything else a config.json. With --update the .err files are written from what comes out:
 * read them before they go into a commit.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "spec/spec.h"
#include "tests/unit/tap.h"

static bool update;

static int parse(const char *name, const struct bytes *text, struct arena *a, struct err *e)
{
	const char *s = (const char *) text->v;
	const struct spec *config;
	const struct spec_process *process;
	const struct spec_resources *resources;

	if (str_has_suffix(name, ".process"))
		return spec_parse_process("process.json", s, text->n, a, &process, e);
	if (str_has_suffix(name, ".resources"))
		return spec_parse_resources("resources.json", s, text->n, a, &resources, e);
	return spec_parse("config.json", s, text->n, a, &config, e);
}

static void test_ok(int dir, const char *name, struct arena *a)
{
	struct err e = ERR_INIT;
	struct bytes text;

	if (io_read_at(dir, arena_printf(a, "%s.json", name), O_RDONLY, JSON_MAX_SIZE, a, &text) <
	    0)
		bail_out("cannot read a golden file");
	ok(parse(name, &text, a, &e) == 0, "accepts %s", name);
	if (e.code)
		printf("# %s\n", e.msg);
}

static void test_bad(int dir, const char *name, struct arena *a)
{
	const char *err_name = arena_printf(a, "%s.err", name);
	struct err e = ERR_INIT;
	struct bytes text, want;
	char *got;
	int r;

	if (io_read_at(dir, arena_printf(a, "%s.json", name), O_RDONLY, JSON_MAX_SIZE, a, &text) <
	    0)
		bail_out("cannot read a golden file");
	r = parse(name, &text, a, &e);
	got = arena_printf(a, "%s\n", r < 0 ? e.msg : "(accepted)");
	if (update && io_replace_at(dir, err_name, 0644, got, strlen(got)) < 0)
		bail_out("cannot write a golden file");
	if (io_read_at(dir, err_name, O_RDONLY, 65536, a, &want) < 0)
		want = (struct bytes){.v = (uint8_t *) arena_strdup(a, "(no .err file)\n")};
	ok(r < 0 && str_eq(got, (char *) want.v), "refuses %s", name);
	if (!str_eq(got, (char *) want.v))
		printf("#   got:  %s#   want: %s", got, (char *) want.v);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/* Calls test for every *.json of a directory, in the order of their names. */
static void for_each(const char *sub, size_t at_least,
		     void (*test)(int dir, const char *name, struct arena *a))
{
	const char *src = getenv("KAVACH_SRC");
	char *names[1024];
	struct dirent *d;
	arena_auto a = {0};
	size_t n = 0;
	DIR *dir;

	dir = opendir(arena_printf(&a, "%s/tests/golden/%s", src ? src : ".", sub));
	if (!dir)
		bail_out("no golden files; KAVACH_SRC is the source tree");
	while ((d = readdir(dir)))
		if (str_has_suffix(d->d_name, ".json") && n < ARRAY_LEN(names))
			names[n++] = arena_strndup(&a, d->d_name,
						   strlen(d->d_name) - strlen(".json"));
	qsort(names, n, sizeof(names[0]), compare);
	for (size_t i = 0; i < n; i++)
		test(dirfd(dir), names[i], &a);
	ok(n >= at_least && n < ARRAY_LEN(names), "there are at least %zu files in %s", at_least,
	   sub);
	closedir(dir);
}

int main(int argc, char **argv)
{
	update = argc > 1 && str_eq(argv[1], "--update");
	for_each("ok", 10, test_ok);
	for_each("bad", 60, test_bad);
	return done();
}
