/* SPDX-License-Identifier: Apache-2.0 */
/* libs: host json base */
/* Names and ranges of ids of an ordinary user, as they stand in /etc. */
#include <string.h>

#include "base/types.h"
#include "host/host.h"
#include "tap.h"

static void test_names(void)
{
	static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
				     "# a comment\n"
				     "short:x\n"
				     ":x:7:7::/:/bin/sh\n"
				     "many:x:1000:1000:a:b:c:d\n"
				     "second:x:1000:1000::/:/bin/sh\n"
				     "bad:x:1001x:1::/:\n"
				     "last:x:1002:1";
	static const struct {
		uint32_t uid;
		const char *name;
	} rows[] = {{0, "root"}, {1000, "many"}, {1001, NULL},
		    {7, NULL},	 {1002, "last"}, {5, NULL}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[sizeof(passwd)];
		const char *name;

		memcpy(text, passwd, sizeof(passwd));
		name = host_user_name(text, rows[i].uid);
		ok(rows[i].name ? name && !strcmp(name, rows[i].name) : !name, "uid %u is %s",
		   rows[i].uid, rows[i].name ? rows[i].name : "nobody");
	}
	ok(!host_user_name(NULL, 0), "without a file there is no name");
}

/* "FIRST+COUNT ..." of a user in a text */
static const char *ranges(const char *text, const char *name, uint32_t uid)
{
	static char got[512];
	struct host_ranges r;
	char copy[512];
	size_t n = 0;

	snprintf(copy, sizeof(copy), "%s", text);
	host_subids_parse(copy, name, uid, &r);
	got[0] = '\0';
	for (size_t i = 0; i < r.n; i++)
		n += (size_t) snprintf(got + n, sizeof(got) - n, "%s%u+%u", i ? " " : "",
				       r.v[i].first, r.v[i].n);
	return got;
}

static void test_ranges(void)
{
	struct host_ranges r = {.n = 3};

	is_str(ranges("a:100000:65536\nb:200000:5\n", "b", 1), "200000+5", "by name");
	is_str(ranges("a:100000:65536\n1000:300000:7", "a", 1000), "100000+65536 300000+7",
	       "by name and by number, in the order of the file");
	is_str(ranges("1000:300000:7\n", NULL, 1000), "300000+7", "without a name by number");
	is_str(ranges("ab:1:1\na :2:1\n:3:1\n", "a", 1000), "", "other names are others");
	is_str(ranges("a:5:0\na:x:1\na:1:-1\na:1\na::\na\n\na:4294967295:1\na:7:1\na:8:1:extra\n",
		      "a", 0),
	       "7+1", "what is not well-formed or has no room is left out");
	is_str(ranges("a:1:1\na:2:1\na:3:1\na:4:1\na:5:1\na:6:1\na:7:1\na:8:1\na:9:1\n", "a", 0),
	       "1+1 2+1 3+1 4+1 5+1 6+1 7+1 8+1", "the first ones of many");
	host_subids_parse(NULL, "a", 0, &r);
	ok(r.n == 0, "without a file there are none");
}

int main(void)
{
	test_names();
	test_ranges();
	return done();
}
