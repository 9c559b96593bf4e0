/* SPDX-License-Identifier: Apache-2.0 */
/* libs: exec policy base */
/*
 * The block of secrets: what is put in comes out, what does not fit is refused, nothing of what is taken back stays, and
 * the memory is what the header promises. That a hostile block is refused is fuzz_secrets' part; the cases here are those
 * that a person thinks of.
 */
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "exec/secret_block.h"
#include "tap.h"

static struct err err;
static struct secret_item items[SECRET_ITEMS_MAX];
static size_t n_items;

static struct pol_secret file = {
	.name = (char *) (uintptr_t) "db",
	.give = POL_SECRET_FILE,
	.target = (char *) (uintptr_t) "/run/secrets/db",
	.mode = 0440,
	.uid = 1,
	.gid = 2,
};
static struct pol_secret env = {
	.name = (char *) (uintptr_t) "token",
	.give = POL_SECRET_ENV,
	.target = (char *) (uintptr_t) "TOKEN",
};
static struct pol_secret in = {.name = (char *) (uintptr_t) "in", .give = POL_SECRET_STDIN};

static size_t put(struct secret_block *b, const struct pol_secret *s, const char *value)
{
	struct secret_slot slot;
	uint8_t *p;
	size_t room;

	if (secret_begin(b, s, &slot, &p, &room) < 0)
		return 0;
	memcpy(p, value, strlen(value));
	secret_end(b, &slot, strlen(value));
	return room;
}

static void fill(struct secret_block *b)
{
	err = ERR_INIT;
	if (secret_block_open(b, &err) < 0)
		bail_out(err.msg);
	put(b, &file, "file's value");
	put(b, &env, "variable's");
	put(b, &in, "input's");
}

static void test_there_and_back(void)
{
	secret_block_auto b = {0}, back = {0};
	int fd;

	fill(&b);
	fd = secret_pipe(b.p, b.n);
	ok(fd >= 0, "a block fits a pipe");
	ok(secret_block_open(&back, &err) == 0 && secret_block_read(&back, fd, &err) == 0 &&
		   secret_items(&back, items, &n_items) == 0 && n_items == 3,
	   "and comes out of it");
	close(fd);
	ok(items[0].give == POL_SECRET_FILE && items[0].mode == 0440 && items[0].uid == 1 &&
		   items[0].gid == 2 && items[0].n == 12 &&
		   !memcmp(items[0].value, "file's value", 12),
	   "a file with its owner and mode");
	is_str(items[0].target, "/run/secrets/db", "its place");
	is_str((char *) items[1].value, "TOKEN=variable's", "a variable as execve takes it");
	ok(items[2].give == POL_SECRET_STDIN && items[2].n == 7, "the standard input");
}

static void test_limits(void)
{
	secret_block_auto b = {0};
	struct secret_slot slot;
	size_t room, n = 0, before;
	uint8_t *p;

	fill(&b);
	before = b.n;
	ok(secret_begin(&b, &env, &slot, &p, &room) == 0 && room == SECRET_VALUE_MAX,
	   "there is room for the largest");
	memset(p, 'x', room);
	secret_undo(&b, &slot);
	ok(b.n == before, "what is taken back takes no room");
	for (size_t i = 0; i < SECRET_VALUE_MAX; i++)
		n += b.p[before + i] != 0;
	ok(n == 0, "and is overwritten");
	for (n = 0; secret_begin(&b, &env, &slot, &p, &room) == 0; n++) {
		memset(p, 'x', room);
		secret_end(&b, &slot, room);
	}
	ok(n >= 8 && b.n <= SECRET_BLOCK_MAX, "it is full at its limit, not behind it: %zu bytes",
	   b.n);
	ok(secret_items(&b, items, &n_items) == 0 && n_items == n + 3, "and good when it is full");
}

static bool flags_of(const void *p, char *ret, size_t size)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	unsigned long begin, end;
	bool here = false, found = false;
	char line[512];

	while (f && !found && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &begin, &end) == 2)
			here = (uintptr_t) p >= begin && (uintptr_t) p < end;
		if (here && !strncmp(line, "VmFlags:", 8)) {
			snprintf(ret, size, "%s", line);
			found = true;
		}
	}
	if (f)
		fclose(f);
	return found;
}

static void test_memory(void)
{
	struct secret_block b = {0};
	char flags[512] = "";

	ok(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0, "a process that can be dumped");
	fill(&b);
	ok(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0, "cannot while it has secrets");
	ok(flags_of(b.p, flags, sizeof(flags)), "the kernel tells about the memory");
	ok(strstr(flags, " dd") && strstr(flags, " dc"), "which is neither dumped nor inherited:%s",
	   flags);
	secret_block_close(&b);
	ok(!b.p && prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1, "and can be again");
	secret_block_close(&b);
	ok(true, "closing twice does no harm");
}

static void bad(const char *what, struct secret_block *b)
{
	ok(secret_items(b, items, &n_items) == -EBADMSG, "refuses %s", what);
}

static void test_refusals(void)
{
	secret_block_auto b = {0};
	size_t n;

	fill(&b);
	n = b.n;
	b.n = n - 1;
	bad("one that is cut", &b);
	b.n = n + 1;
	bad("one with something behind it", &b);
	b.n = n;
	b.p[4]++;
	bad("one that lacks a secret", &b);
	b.p[4] = 0xff;
	bad("more than there can be", &b);
	b.p[4] = 3;
	b.p[0] ^= 1;
	bad("what is no block", &b);
	b.p[0] ^= 1;
	b.p[8] = 9;
	bad("an unknown way", &b);
	b.p[8] = POL_SECRET_ENV;
	bad("a variable without its name in front", &b);
	b.p[8] = POL_SECRET_FILE;
	ok(secret_items(&b, items, &n_items) == 0, "takes what it refused when it is whole again");
}

int main(void)
{
	test_there_and_back();
	test_limits();
	test_memory();
	test_refusals();
	return done();
}
