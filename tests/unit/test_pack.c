/* SPDX-License-Identifier: Apache-2.0 */
/* libs: vm exec hooks policy base */
/*
 * Packed roots: the tree of hashes against a root hash that veritysetup gave once, and against the program where it is
 * installed; the same folder gives the same image wherever it is and however it came about; the fingerprint changes with whatever
 * changes in a folder; images are found again, and what somebody else could have written is not used.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "tap.h"
#include "vm/pack.h"
#include "vm/verity.h"

#define VERITYSETUP "/usr/sbin/veritysetup"

static struct arena arena;
static struct err err;
static char dir[] = "/tmp/kavach-pack.XXXXXX";

static char *at(const char *name)
{
	return arena_printf(&arena, "%s/%s", dir, name);
}

static void must(int r, const char *what)
{
	if (r < 0)
		bail_out(arena_printf(&arena, "%s: %s", what, err_errno_text(errno)));
}

static void shell(const char *command)
{
	if (system(arena_printf(&arena, "cd %s && { %s; }", dir, command)) != 0)
		bail_out(command);
}

/* ---- the tree of hashes ---- */

/* A file with so many blocks of bytes that differ from block to block. */
static int data_file(const char *path, uint64_t blocks)
{
	uint8_t block[VERITY_BLOCK];
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	must(fd, path);
	for (uint64_t i = 0; i < blocks; i++) {
		for (size_t k = 0; k < sizeof(block); k++)
			block[k] = (uint8_t) (i * 7 + k * 13 + (i >> 8) + (k >> 8));
		must(io_write_all(fd, block, sizeof(block)), path);
	}
	return fd;
}

static void test_sizes(void)
{
	static const struct {
		uint64_t blocks, tree;
	} rows[] = {
		{1, 0},
		{2, 1},
		{128, 1},
		{129, 3},
		{16384, 129},
		{16385, 129 + 1 + 2},
		{2097152, 16384 + 129},
		{2097153, 16385 + 129 + 2 + 1},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		is_int((long long) verity_tree_blocks(rows[i].blocks), (long long) rows[i].tree,
		       "%llu blocks: the size of their tree", (unsigned long long) rows[i].blocks);
}

/* Root hashes that veritysetup 2.6 prints for these files (format --no-superblock --hash-offset, sha256, 4096). */
static const struct {
	uint64_t blocks;
	const char *salt_hex, *root;
	struct bytes salt;
} known[] = {
	{2,
	 "6b6176616368",
	 "eef5bf11010b7ba3c3034be401849166522a6e1385e4c6c7c275c3cf520eda18",
	 {(uint8_t *) (uintptr_t) "kavach", 6}},
	{128,
	 "6b6176616368",
	 "f5b6e8a114acc5a357e717084bf9c966be8a1377fb8c4053704ebea63c289c69",
	 {(uint8_t *) (uintptr_t) "kavach", 6}},
	{129,
	 "00",
	 "b1dfbbafd3c8f3fc5499d858e91ea5586b73d94293f1793d07ce559626330f83",
	 {(uint8_t *) (uintptr_t) "", 1}},
	{16385,
	 "6b6176616368",
	 "481a0030be712068ddf37b4251e31152fd6c56199f4e2df8759275536c9c40d2",
	 {(uint8_t *) (uintptr_t) "kavach", 6}},
};

static void compare_with_program(const char *path, size_t i, const char *hex)
{
	unsigned long long at_byte = known[i].blocks * VERITY_BLOCK;
	const char *theirs = at("theirs");
	FILE *f;
	char line[256] = "";

	if (access(VERITYSETUP, X_OK) < 0) {
		skip("veritysetup is not installed", "%llu blocks: as veritysetup has it",
		     (unsigned long long) known[i].blocks);
		return;
	}
	shell(arena_printf(&arena, "head -c %llu %s >%s", at_byte, path, theirs));
	f = popen(arena_printf(&arena,
			       VERITYSETUP
			       " format --no-superblock --hash-offset %llu --salt %s "
			       "--data-blocks %llu %s %s | sed -n 's/^Root hash:[[:space:]]*//p'",
			       at_byte, known[i].salt_hex, (unsigned long long) known[i].blocks,
			       theirs, theirs),
		  "re");
	if (!f || !fgets(line, sizeof(line), f))
		bail_out("veritysetup");
	pclose(f);
	line[strcspn(line, "\n")] = '\0';
	is_str(hex, line, "%llu blocks: the root hash of veritysetup",
	       (unsigned long long) known[i].blocks);
	ok(system(arena_printf(&arena, "cmp -s %s %s", path, theirs)) == 0,
	   "%llu blocks: and its bytes", (unsigned long long) known[i].blocks);
}

static void test_tree(void)
{
	const char *path = at("data");

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		fd_auto int fd = data_file(path, known[i].blocks);
		uint8_t digest[SHA256_LEN];
		char hex[SHA256_HEX];
		struct stat st;

		err = ERR_INIT;
		ok(verity_append(fd, path, known[i].blocks, known[i].salt, digest, &err) == 0,
		   "%llu blocks get a tree", (unsigned long long) known[i].blocks);
		sha256_hex(digest, hex);
		is_str(hex, known[i].root, "%llu blocks: the root hash",
		       (unsigned long long) known[i].blocks);
		must(fstat(fd, &st), path);
		is_int((long long) st.st_size,
		       (long long) ((known[i].blocks + verity_tree_blocks(known[i].blocks)) *
				    VERITY_BLOCK),
		       "%llu blocks: the file ends with the tree",
		       (unsigned long long) known[i].blocks);
		compare_with_program(path, i, hex);
	}
}

static void test_tree_refusals(void)
{
	const char *path = at("short");
	fd_auto int fd = data_file(path, 1);
	uint8_t digest[SHA256_LEN];

	err = ERR_INIT;
	is_int(verity_append(fd, path, 0, known[0].salt, digest, &err), -EFBIG, "no blocks");
	is_str(err.msg, arena_printf(&arena, "%s: expected 1 to 4294967296 blocks, found 0", path),
	       "... and says so");
}

/* ---- images ---- */

#define TREE                                                                                       \
	"mkdir -p %s/bin %s/etc/deep/er %s/tmp; printf program >%s/bin/p; chmod 4755 %s/bin/p; "   \
	"printf x >%s/etc/deep/er/x; ln -s ../etc %s/bin/l; chmod 1777 %s/tmp; ln %s/bin/p "       \
	"%s/bin/q; mkfifo %s/etc/fifo; head -c 20000 /dev/zero | tr '\\0' z >%s/etc/large"
#define TREE_BACKWARDS                                                                              \
	"mkdir -p %s/tmp %s/etc/deep/er %s/bin; head -c 20000 /dev/zero | tr '\\0' z "              \
	">%s/etc/large; mkfifo %s/etc/fifo; printf program >%s/bin/q; ln %s/bin/q %s/bin/p; chmod " \
	"4755 %s/bin/q; ln -s ../etc %s/bin/l; printf x >%s/etc/deep/er/x; chmod 1777 %s/tmp"

static void make_tree(const char *form, const char *name)
{
	char *text = arena_strdup(&arena, form), *p;

	while ((p = strstr(text, "%s"))) {
		*p = '\0';
		text = arena_printf(&arena, "%s%s%s", text, name, p + 2);
	}
	shell(text);
}

/* Once nothing was changed within the clock's tick, there is a fingerprint. */
static void settle(void)
{
	const struct timespec t = {.tv_nsec = 60000000};

	nanosleep(&t, NULL);
}

static struct packed pack(const char *rootfs, const char *cache)
{
	struct packed p = {.fd = -EBADF};

	err = ERR_INIT;
	if (pack_root(rootfs, cache, &arena, &p, &err) < 0)
		printf("# %s\n", err.msg);
	fd_close(p.fd);
	return p;
}

static bool same(struct packed a, struct packed b)
{
	return a.root.hash && b.root.hash && str_eq(a.root.hash, b.root.hash) &&
	       a.root.blocks == b.root.blocks;
}

static void test_images(void)
{
	struct packed a, b, c;

	make_tree(TREE, "one");
	make_tree(TREE_BACKWARDS, "other");
	settle();
	a = pack(at("one"), at("cache/deep"));
	ok(a.root.hash && !a.kept, "a folder is packed");
	b = pack(at("other"), at("cache2"));
	ok(same(a, b) && !b.kept,
	   "another one with the same in it, made in another order, is the same");
	ok(a.path && b.path && system(arena_printf(&arena, "cmp -s %s %s", a.path, b.path)) == 0,
	   "... byte for byte");
	c = pack(at("one"), at("cache/deep"));
	ok(same(a, c) && c.kept, "it is found again");
	is_str(c.path,
	       arena_printf(&arena, "%s/cache/deep/%s-%llu.img", dir, a.root.hash,
			    (unsigned long long) a.root.blocks),
	       "under its root hash");
	shell("printf y >one/etc/deep/er/x");
	settle();
	c = pack(at("one"), at("cache/deep"));
	ok(c.root.hash && !same(a, c) && !c.kept, "one byte that changed is another image");
	shell("printf x >one/etc/deep/er/x");
	settle();
	c = pack(at("one"), at("cache/deep"));
	ok(same(a, c), "changed back, it is the first one again");
	is_int(system(arena_printf(&arena,
				   "cd %s/cache/deep && [ $(ls *.img | wc -l) = 2 ] && ! ls -A "
				   "| grep -q '^.new'",
				   dir)),
	       0, "each image is there once, and nothing unfinished");
}

/* ---- the fingerprint ---- */

static bool key_of(const char *rootfs, uint8_t ret[SHA256_LEN])
{
	err = ERR_INIT;
	return pack_key(rootfs, ret, &err) == 1;
}

static void test_key(void)
{
	static const struct {
		const char *what, *how;
	} rows[] = {
		{"content", "printf other.. >k/bin/p"},
		{"content with the time set back",
		 "touch -r k/bin/p ref; printf third.. >k/bin/p; touch -r ref k/bin/p"},
		{"a mode", "chmod 755 k/bin/p"},
		{"a name", "mv k/etc/large k/etc/larger"},
		{"a file more", ": >k/tmp/new"},
		{"a file less", "rm k/tmp/new"},
		{"a link's target", "ln -sfn ../tmp k/bin/l"},
		{"the mode of the folder itself", "chmod 700 k"},
	};
	uint8_t was[SHA256_LEN], is[SHA256_LEN];
	const char *k = at("k");
	bool young = false;

	make_tree(TREE, "k");
	/* on a busy machine "just now" may be over before it is looked at */
	for (int i = 0; i < 200 && !young; i++) {
		must(chmod(k, 0755), "chmod");
		young = !key_of(k, was) && !err.code;
	}
	ok(young, "what was changed just now has none: it may change unseen");
	settle();
	ok(key_of(k, was), "a moment later it has one");
	ok(key_of(k, is) && !memcmp(was, is, sizeof(is)), "which stays");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		shell(rows[i].how);
		settle();
		ok(key_of(k, is) && memcmp(was, is, sizeof(is)) != 0, "it changes with %s",
		   rows[i].what);
		memcpy(was, is, sizeof(is));
	}
	if (geteuid() == 0) {
		must(lchown(at("k/bin/p"), 1, 2), "chown");
		settle();
		ok(key_of(k, is) && memcmp(was, is, sizeof(is)) != 0, "it changes with an owner");
		memcpy(was, is, sizeof(is));
	} else {
		skip("needs root", "it changes with an owner");
	}
	if (setxattr(at("k/bin/p"), "user.kavach", "1", 1, 0) < 0) {
		skip("this file system has no extended attributes", "it changes with an attribute");
	} else {
		settle();
		ok(key_of(k, is) && memcmp(was, is, sizeof(is)) != 0,
		   "it changes with an attribute");
	}
	is_int(pack_key(at("nowhere"), is, &err), -ENOENT,
	       "a folder that is not there is an error");
}

static void test_deep(void)
{
	uint8_t key[SHA256_LEN];

	shell("mkdir deep && cd deep && i=0; while [ $i -lt 230 ]; do mkdir d && cd d; i=$((i+1)); done");
	settle();
	err = ERR_INIT;
	is_int(pack_key(at("deep"), key, &err), 0, "a folder that is too deep has no fingerprint");
	ok(pack(at("deep"), at("cache")).root.hash, "... and is packed all the same");
}

/* ---- who could have written it ---- */

static void refused_cache(const char *what, const char *words)
{
	struct packed p;

	err = ERR_INIT;
	ok(pack_root(at("one"), at("cache3"), &arena, &p, &err) < 0, "%s is refused", what);
	ok(strstr(err.msg, words), "... for what it is: %s", err.msg);
}

static void test_trust(void)
{
	struct packed a = pack(at("one"), at("cache")), b;
	struct stat st;

	shell("mkdir -m 775 cache3");
	refused_cache("a directory that others may write", "somebody else may write it");
	shell("rmdir cache3; ln -s cache cache3");
	refused_cache("a link to a directory", "cache3");
	shell("rm cache3; : >cache3");
	refused_cache("a file", "cache3");
	must(chmod(a.path, 0622), "chmod");
	b = pack(at("one"), at("cache"));
	ok(same(a, b) && !b.kept && stat(b.path, &st) == 0 && (st.st_mode & 07777) == 0400,
	   "an image that others could write is made anew");
	must(chmod(a.path, 0600), "chmod");
	must(truncate(a.path, (off_t) (a.size - VERITY_BLOCK)), "truncate");
	b = pack(at("one"), at("cache"));
	ok(same(a, b) && !b.kept && b.size == a.size, "an image that is too short, too");
	shell("rm cache/*.img");
	b = pack(at("one"), at("cache"));
	ok(same(a, b) && !b.kept, "and one that is gone");
	is_int(pack_root(at("one"), NULL, &arena, &b, &err), -ENOENT, "no place for images");
	is_int(pack_root(at("one"), "relative", &arena, &b, &err), -EINVAL, "a relative one");
}

/* The oldest go when there are too many; what is used now stays. */
static void test_trim(void)
{
	struct packed a;

	shell("i=100; while [ $i -lt 180 ]; do f=cache/$(printf %064d $i)-1.img; : >$f; touch -d @$i $f; ln -s "
	      "${f#*/} cache/$i.key; i=$((i+1)); done; : >cache/.new-old; touch -d @1 cache/.new-old");
	shell("printf z >one/etc/deep/er/x");
	a = pack(at("one"), at("cache"));
	ok(a.root.hash && !a.kept && access(a.path, F_OK) == 0, "a new image stays");
	is_int(system(arena_printf(&arena, "cd %s/cache && [ $(ls *.img | wc -l) = 64 ]", dir)), 0,
	       "64 images are kept");
	ok(access(at("cache/.new-old"), F_OK) < 0, "what was left unfinished long ago goes");
	is_int(system(arena_printf(&arena,
				   "cd %s/cache && [ -e %064d-1.img ] && [ ! -e %064d-1.img ]", dir,
				   179, 100)),
	       0, "the oldest went");
}

static void test_errors(void)
{
	struct packed p;

	err = ERR_INIT;
	is_int(pack_root(at("nowhere"), at("cache"), &arena, &p, &err), -ENOENT,
	       "a root that is not there");
	ok(strstr(err.msg, "root.path: ") == err.msg, "... is named: %s", err.msg);
}

int main(void)
{
	if (!mkdtemp(dir))
		bail_out("cannot make a folder in /tmp");
	test_sizes();
	test_tree();
	test_tree_refusals();
	if (!pack_program()) {
		skip(PACK_PROGRAM " is not installed", "images");
	} else {
		test_images();
		test_key();
		test_deep();
		test_trust();
		test_trim();
		test_errors();
	}
	shell("chmod -R u+rwx . && rm -rf -- *");
	must(rmdir(dir), dir);
	arena_free(&arena);
	return done();
}
