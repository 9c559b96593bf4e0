/* SPDX-License-Identifier: Apache-2.0 */
/* libs: base */
/* Mount tables: lines, and which mount a path is in for who walks there. */
#include "base/mountinfo.h"

#include "tests/unit/tap.h"

static struct arena arena;
static struct mountinfo *v;
static size_t n;

static size_t parse(const char *text)
{
	n = mountinfo_parse(text, strlen(text), &arena, &v);
	return n;
}

static int at(const char *path)
{
	const struct mountinfo *m = mountinfo_at(v, n, path);

	return m ? (int) m->id : -1;
}

static void test_lines(void)
{
	is_int(parse("36 35 98:0 /a\\134b /c\\011d rw,noatime master:1 propagate_from:2 - ext4 /dev/x\\040y rw,e\n"),
	       1, "a line with optional fields");
	is_str(v[0].optional, "master:1 propagate_from:2", "which are kept");
	is_str(v[0].type, "ext4", "what is behind the dash");
	is_str(v[0].source, "/dev/x y", "escapes in the source");
	is_str(v[0].super, "rw,e", "options of the file system");
	is_str(v[0].place, "/c\td", "escapes in the place");
	is_int(v[0].parent, 35, "the parent");
	is_int(parse("36 35 98:0 / / rw - tmpfs - rw\n"), 1, "a line without optional fields");
	is_str(v[0].optional, "", "has none");
	is_str(v[0].source, "-", "a source that is a dash");
	is_int(parse("36 35 98:0 / /x rw\n"), 0, "no dash");
	is_int(parse("36 35 98:0 / /x rw shared:1 -\n"), 0, "nothing behind it");
	is_int(parse("36 35 98:0 / x rw - t s o\n"), 0, "a place that is not absolute");
	is_int(parse("x 35 98:0 / /x rw - t s o\n"), 0, "an id that is none");
	is_int(parse("36 35 98:0 / /\\400\\1 rw - t s o"), 1, "what only looks like an escape");
	is_str(v[0].place, "/\\400\\1", "is none");
	ok(mountinfo_has("rw,nosuid,nodev", "nosuid") && mountinfo_has("ro", "ro"),
	   "words of a list");
	ok(!mountinfo_has("rw,errors=remount-ro", "ro") && !mountinfo_has("rox", "ro") &&
		   !mountinfo_has("", "ro"),
	   "whole words only");
}

static void test_at(void)
{
	parse("1 0 0:1 / / rw - ext4 x rw\n"
	      "2 1 0:2 / /proc rw - proc x rw\n"
	      "3 2 0:3 / /proc/keys ro - tmpfs x rw\n"
	      "4 1 0:4 / /a/b rw - tmpfs x rw\n"
	      "5 4 0:5 / /a/b/c rw - tmpfs x rw\n");
	is_int(at("/"), 1, "the root");
	is_int(at("/procx"), 1, "not below a mount that it only begins like");
	is_int(at("/proc/1"), 2, "in a mount");
	is_int(at("/proc/keys"), 3, "at a mount in a mount");
	is_int(at("/a/b/c/d"), 5, "two deep");
	is_int(at("/a"), 1, "above a mount");
	parse("1 0 0:1 / / rw - ext4 x rw\n"
	      "2 1 0:2 / /proc rw - proc x rw\n"
	      "3 2 0:3 / /proc/keys ro - tmpfs x rw\n"
	      "4 2 0:2 / /proc rw - proc x rw\n"
	      "5 1 0:6 / /a/b rw - tmpfs x rw\n"
	      "6 1 0:7 / /a rw - tmpfs x rw\n"
	      "7 1 0:8 / / ro - tmpfs x rw\n");
	is_int(at("/proc/keys"), 7, "another root hides everything");
	n--;
	is_int(at("/proc/keys"), 4, "a mount over a mount hides what is in it");
	is_int(at("/a/b"), 6, "one above another, made later, hides it");
	/* a container's table has no mount with the root's parent */
	parse("9 8 0:1 / / rw - ext4 x rw\n10 9 0:2 / / rw - ext4 y rw\n");
	is_int(at("/x"), 10, "the root that is on top");
	parse("9 8 0:1 / /x rw - ext4 x rw\n");
	is_int(at("/x"), -1, "no root");
	is_int(at("/"), -1, "no root at all");
	n = 0;
	is_int(at("/"), -1, "no mounts");
	/* the kernel never says so */
	parse("1 0 0:1 / / rw - e x rw\n2 3 0:1 / /a rw - e x rw\n3 2 0:1 / /a rw - e x rw\n1 1 0:1 / /a rw - e x rw\n");
	ok(at("/a") > 0, "circles end");
}

int main(void)
{
	test_lines();
	test_at();
	arena_free(&arena);
	return done();
}
