/* SPDX-License-Identifier: Apache-2.0 */
/* libs: host json base */
/* guest.json: what is read from a right one, and where a wrong one is wrong. */
#include "host/guest_image.h"

#include "base/str.h"
#include "tap.h"

#define A16 "aaaaaaaaaaaaaaaa"
#define A64 A16 A16 A16 A16
#define FILES "{\"vmlinux\": \"" A64 "\", \"vmlinuz\": \"" A64 "\", \"initrd\": \"" A64 "\"}"
#define WITH_SEV                                                                                   \
	"{\"vmlinux\": \"" A64 "\", \"vmlinuz\": \"" A64 "\", \"initrd\": \"" A64                  \
	"\", \"initrd-sev\": \"" A64 "\"}"
#define IMAGE(version, release, features, files)                                                   \
	"{\"version\": " version ", \"release\": " release ", \"features\": " features             \
	", \"files\": " files "}"

static const struct {
	const char *name, *text, *error;
} wrong[] = {
	{"nothing", "", "guest.json"},
	{"no object", "[]", "expected an object"},
	{"another version", IMAGE("2", "\"6.12\"", "[]", FILES), "version: expected 1"},
	{"no version", "{\"release\": \"6.12\", \"features\": [], \"files\": " FILES "}",
	 "version"},
	{"no files", "{\"version\": 1, \"release\": \"6.12\", \"features\": []}", "files"},
	{"an unknown member",
	 "{\"version\": 1, \"more\": 1, \"release\": \"6.12\", \"features\": [], \"files\": " FILES
	 "}",
	 "more"},
	{"an unknown file",
	 IMAGE("1", "\"6.12\"", "[]",
	       "{\"vmlinux\": \"" A64 "\", \"vmlinuz\": \"" A64 "\", \"initrd\": \"" A64
	       "\", \"rootfs\": \"" A64 "\"}"),
	 "rootfs"},
	{"a file less", IMAGE("1", "\"6.12\"", "[]", "{\"vmlinux\": \"" A64 "\"}"), "files"},
	{"a short digest",
	 IMAGE("1", "\"6.12\"", "[]",
	       "{\"vmlinux\": \"" A16 "\", \"vmlinuz\": \"" A64 "\", \"initrd\": \"" A64 "\"}"),
	 "files.vmlinux: expected 64 digits"},
	{"a digest in capitals",
	 IMAGE("1", "\"6.12\"", "[]",
	       "{\"vmlinux\": \"" A64 "\", \"vmlinuz\": \"" A16 A16 A16 "AAAAAAAAAAAAAAAA"
	       "\", \"initrd\": \"" A64 "\"}"),
	 "files.vmlinuz: expected 64 digits"},
	{"no release", IMAGE("1", "\"\"", "[]", FILES), "release"},
	{"a release with a slash", IMAGE("1", "\"../6.12\"", "[]", FILES),
	 "release: expected a kernel's release"},
	{"a release that moves the cursor", IMAGE("1", "\"6.12\\u001b[2J\"", "[]", FILES),
	 "release: expected a kernel's release"},
	{"a feature of two words", IMAGE("1", "\"6.12\"", "[\"9p net\"]", FILES),
	 "features[0]: expected letters"},
	{"a feature without a name", IMAGE("1", "\"6.12\"", "[\"9p\", \"\"]", FILES),
	 "features[1]: expected letters"},
};

static void test_landlock(void)
{
	static const struct {
		const char *release;
		uint32_t abi;
	} rows[] = {
		{"5.10.0-30-amd64", 0}, {"5.13", 1},  {"5.19.17", 2}, {"6.1.0-13-amd64", 2},
		{"6.2.0", 3},		{"6.8.1", 4}, {"6.11", 5},    {"6.12.95+deb12-amd64", 6},
		{"6.15.0", 7},		{"7.0", 7},   {"", 0},	      {"linux", 0}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		is_int(guest_image_landlock(rows[i].release), rows[i].abi,
		       "Landlock of Linux \"%s\"", rows[i].release);
	is_int(guest_image_landlock(NULL), 0, "of none");
}

int main(void)
{
	static const char good[] = IMAGE("1", "\"6.12.95+deb12-amd64\"", "[\"boot\", \"9p\"]",
					 FILES);
	static const char more[] = IMAGE("1", "\"6.12\"", "[]", WITH_SEV);
	struct guest_image image;
	struct arena a = {0};
	struct err e = ERR_INIT;

	ok(guest_image_parse("guest.json", good, strlen(good), &a, &image, &e) == 0, "a right one");
	is_str(image.release, "6.12.95+deb12-amd64", "its release");
	ok(image.features.n == 2 && strs_has(&image.features, "9p"), "its features");
	for (unsigned i = 0; i < GUEST_INITRD_SEV; i++)
		is_str(image.sha256[i], A64, "the digest of its %s", guest_file_names[i]);
	ok(!image.sha256[GUEST_INITRD_SEV], "none for confidential guests");
	ok(guest_image_parse("guest.json", more, strlen(more), &a, &image, &e) == 0 &&
		   str_eq0(image.sha256[GUEST_INITRD_SEV], A64),
	   "one with a second initrd, for confidential guests");
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		e = (struct err) ERR_INIT;
		ok(guest_image_parse("guest.json", wrong[i].text, strlen(wrong[i].text), &a, &image,
				     &e) == -EINVAL &&
			   str_prefix(e.msg, "guest.json") && strstr(e.msg, wrong[i].error),
		   "refuses %s", wrong[i].name);
		if (!strstr(e.msg, wrong[i].error))
			printf("# %s\n", e.msg);
	}
	arena_free(&a);
	test_landlock();
	return done();
}
