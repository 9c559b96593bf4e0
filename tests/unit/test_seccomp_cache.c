/* SPDX-License-Identifier: Apache-2.0 */
/* libs: seccomp policy base */
/*
 * The cache of compiled filters: what makes an entry, what is believed, what is not. That a filter
 * came from the cache is seen by planting another, correctly signed program there under the same
 * key.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/sha256.h"
#include "seccomp_profile.h"
#include "seccomp/filter.h"
#include "tap.h"

#define HEAD (8 + 2 * SHA256_LEN)

static struct arena arena;
static struct err err;
static char top[] = "/tmp/kavach-test-cache.XXXXXX", folder[64];

static struct pol_seccomp *small(uint32_t errno_ret)
{
	struct pol_seccomp *s = profile_new(&arena, POL_ACT_ALLOW, 0, "");

	profile_rule(s, &arena, POL_ACT_ERRNO, errno_ret, "getppid");
	return s;
}

static uint32_t got(const struct pol_seccomp *s, const char *dir)
{
	struct bytes b = {0};

	if (seccomp_get(s, dir, &arena, &b, &err) < 0)
		return 0;
	return seccomp_sim(&b, filter_native(), SYS_getppid, NULL) & SECCOMP_RET_DATA;
}

/* The only entry of the folder; "" if there is none or more than one. */
static const char *entry(void)
{
	static char path[512];
	struct dirent *de;
	DIR *d = opendir(folder);
	int n = 0;

	while (d && (de = readdir(d)))
		if (de->d_name[0] != '.') {
			snprintf(path, sizeof(path), "%s/%s", folder, de->d_name);
			n++;
		}
	if (d)
		closedir(d);
	return n == 1 ? path : "";
}

static int count(void)
{
	DIR *d = opendir(folder);
	int n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n - 2;
}

static size_t read_file(const char *path, uint8_t *p, size_t max)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, p, max);

	if (fd >= 0)
		close(fd);
	return n < 0 ? 0 : (size_t) n;
}

static void write_file(const char *path, const uint8_t *p, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, p, n) != (ssize_t) n || fchmod(fd, 0600) < 0)
		bail_out("cannot write a test file");
	close(fd);
}

/* An entry for the same key, with a checksum, whose program answers errno 99 to everything. */
static void plant(const char *path)
{
	struct sock_filter program = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 99);
	uint8_t file[HEAD + sizeof(program)], old[65536];
	struct sha256 h;

	if (read_file(path, old, sizeof(old)) < HEAD)
		bail_out("no entry to replace");
	memcpy(file, old, HEAD);
	memcpy(file + HEAD, &program, sizeof(program));
	sha256_init(&h);
	sha256_add(&h, file + 8, SHA256_LEN);
	sha256_add(&h, file + HEAD, sizeof(program));
	sha256_end(&h, file + 8 + SHA256_LEN);
	write_file(path, file, sizeof(file));
}

static void empty_folder(void)
{
	char cmd[256];

	snprintf(cmd, sizeof(cmd), "rm -rf %s && mkdir -m 700 %s", folder, folder);
	if (system(cmd) != 0)
		bail_out("cannot empty the folder");
}

/* Fills the cache with one entry that answers 99 if it is believed. */
static const char *planted(void)
{
	const char *path;

	empty_folder();
	got(small(7), folder);
	path = entry();
	plant(path);
	return path;
}

static void test_hit_and_miss(void)
{
	struct pol_seccomp *s = small(7);
	struct stat st;

	is_int(got(s, NULL), 7, "without a folder the profile is compiled");
	is_int(got(s, folder), 7, "a first start compiles");
	ok(stat(folder, &st) == 0 && (st.st_mode & 07777) == 0700, "and makes the folder, 0700");
	ok(stat(entry(), &st) == 0 && (st.st_mode & 07777) == 0600, "and one entry, 0600");
	plant(entry());
	is_int(got(s, folder), 99, "a second start takes the entry");
	is_int(got(small(8), folder), 8, "another profile does not");
	is_int(count(), 2, "and gets an entry of its own");
	planted();
	s->source = arena_strdup(&arena, "elsewhere");
	s->listener_metadata = arena_strdup(&arena, "container 5");
	s->flags = SECCOMP_FILTER_FLAG_LOG;
	is_int(got(s, folder), 99,
	       "where the profile is from, flags and listener make no difference");
	s->fail_unknown = true;
	is_int(got(s, folder), 7, "fail_unknown does");
}

/* Profiles that would be one if their strings were hashed without lengths. */
static void test_key_is_unambiguous(void)
{
	struct pol_seccomp *a = profile_new(&arena, POL_ACT_ALLOW, 0, "");
	struct pol_seccomp *b = profile_new(&arena, POL_ACT_ALLOW, 0, "");

	profile_rule(a, &arena, POL_ACT_ERRNO, 5, "getppid getuid");
	profile_rule(b, &arena, POL_ACT_ERRNO, 5, "getppidgetuid");
	empty_folder();
	is_int(got(a, folder), 5, "names \"getppid\", \"getuid\"");
	is_int(got(b, folder), 0, "and \"getppidgetuid\" are different profiles");
	is_int(count(), 2, "with an entry each");
}

static void test_damage(void)
{
	static const size_t at[] = {0, 8, 8 + SHA256_LEN, HEAD, HEAD + 4};
	uint8_t p[65536];
	const char *path;
	size_t n;

	for (size_t i = 0; i < ARRAY_LEN(at); i++) {
		path = planted();
		n = read_file(path, p, sizeof(p));
		p[at[i]] ^= 1;
		write_file(path, p, n);
		is_int(got(small(7), folder), 7, "an entry with byte %zu changed is not believed",
		       at[i]);
		read_file(path, p, sizeof(p));
		is_int(got(small(7), folder), 7, "and is written anew");
		plant(path);
		is_int(got(small(7), folder), 99, "and then believed");
	}
	path = planted();
	write_file(path, p, 0);
	is_int(got(small(7), folder), 7, "an empty entry is not believed");
	path = planted();
	if (truncate(path, HEAD) < 0)
		bail_out("truncate");
	is_int(got(small(7), folder), 7, "an entry without a program is not believed");
	path = planted();
	if (truncate(path, HEAD + 7) < 0)
		bail_out("truncate");
	is_int(got(small(7), folder), 7, "an entry with a piece of a program is not believed");
	path = planted();
	if (truncate(path, 1 << 20) < 0)
		bail_out("truncate");
	is_int(got(small(7), folder), 7, "an entry that is too large is not believed");
	path = planted();
	n = read_file(path, p, sizeof(p));
	got(small(8), folder);
	unlink(path);
	if (rename(entry(), path) < 0)
		bail_out("rename");
	is_int(got(small(7), folder), 7, "an entry under another's name is not believed");
}

static void test_foreign_files(void)
{
	const char *path = planted();
	char other[128];
	uint8_t p[4096];
	size_t n;

	chmod(path, 0644);
	is_int(got(small(7), folder), 7, "an entry that others can read is not believed");
	path = planted();
	chmod(path, 04600);
	is_int(got(small(7), folder), 7, "nor one with special bits");
	path = planted();
	n = read_file(path, p, sizeof(p));
	snprintf(other, sizeof(other), "%s/other", top);
	write_file(other, p, n);
	unlink(path);
	if (symlink(other, path) < 0)
		bail_out("symlink");
	is_int(got(small(7), folder), 7, "nor a symbolic link");
	path = entry();
	is_int(readlink(path, (char *) p, sizeof(p)), -1, "which is replaced by an entry");
	is_int(read_file(other, p, sizeof(p)), n, "without touching what it pointed to");
	path = planted();
	unlink(path);
	if (mkfifo(path, 0600) < 0)
		bail_out("mkfifo");
	is_int(got(small(7), folder), 7, "a FIFO does not stop us");
	if (geteuid() != 0) {
		skip("needs root", "an entry of another owner is not believed");
		return;
	}
	path = planted();
	if (chown(path, 65534, 0) < 0)
		bail_out("chown");
	is_int(got(small(7), folder), 7, "an entry of another owner is not believed");
}

static void test_foreign_folders(void)
{
	char link[128], missing[128];

	planted();
	chmod(folder, 0770);
	is_int(got(small(7), folder), 7, "a folder that the group can enter is not used");
	chmod(folder, 0701);
	is_int(got(small(7), folder), 7, "nor one that others can enter");
	chmod(folder, 0700);
	is_int(got(small(7), folder), 99, "(it is used otherwise)");
	snprintf(link, sizeof(link), "%s/link", top);
	if (symlink(folder, link) < 0)
		bail_out("symlink");
	is_int(got(small(7), link), 7, "nor a symbolic link to one");
	snprintf(missing, sizeof(missing), "%s/a/b", top);
	is_int(got(small(7), missing), 7, "a folder that cannot be made is no error");
	is_int(got(small(7), "/dev/null"), 7, "nor is one that is a file");
	if (geteuid() != 0) {
		skip("needs root", "a folder of another owner is not used");
		return;
	}
	if (chown(folder, 65534, 0) < 0)
		bail_out("chown");
	is_int(got(small(7), folder), 7, "a folder of another owner is not used");
	if (chown(folder, 0, 0) < 0)
		bail_out("chown");
}

static void test_concurrent(void)
{
	bool good = true;
	int status;

	empty_folder();
	for (int i = 0; i < 8; i++)
		if (fork() == 0) {
			for (uint32_t k = 0; k < 60; k++)
				if (got(small(1 + k % 6), folder) != 1 + k % 6)
					_exit(1);
			_exit(0);
		}
	for (int i = 0; i < 8; i++)
		good &= wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	ok(good, "eight writers of the same six entries all get theirs");
	is_int(count(), 6, "and leave six files");
}

static void test_bounded(void)
{
	char path[256];
	struct timespec old[2] = {{1000, 0}, {1000, 0}};

	empty_folder();
	for (int i = 0; i < 300; i++) {
		snprintf(path, sizeof(path), "%s/%s%064x%s", folder, i < 5 ? "." : "", i,
			 i < 5 ? ".99-1" : "");
		write_file(path, (const uint8_t *) "x", 1);
		old[1].tv_sec = 1000 + i;
		utimensat(AT_FDCWD, path, old, 0);
	}
	snprintf(path, sizeof(path), "%s/README", folder);
	write_file(path, (const uint8_t *) "x", 1);
	utimensat(AT_FDCWD, path, old, 0);
	is_int(got(small(7), folder), 7, "a full folder takes another entry");
	is_int(count(), 193, "the oldest are removed");
	ok(access(path, F_OK) == 0, "files that are not ours stay");
	snprintf(path, sizeof(path), "%s/%064x", folder, 299);
	ok(access(path, F_OK) == 0, "new ones stay");
	snprintf(path, sizeof(path), "%s/%064x", folder, 20);
	ok(access(path, F_OK) < 0, "old ones go");
}

static void test_errors(void)
{
	struct pol_seccomp *s = small(5000);
	struct bytes b;

	empty_folder();
	ok(seccomp_get(s, folder, &arena, &b, &err) == -ERANGE,
	   "a wrong profile is an error with a cache too");
	is_int(count(), 0, "and leaves nothing there");
}

static void print_cost(void)
{
	struct pol_seccomp *s = profile_engine(&arena, EPERM, "");
	struct timespec t0, t1;
	double best = 1e9, us;
	struct bytes b;

	for (int i = 0; i < 200; i++) {
		struct arena a = {0};

		clock_gettime(CLOCK_MONOTONIC, &t0);
		seccomp_get(s, folder, &a, &b, &err);
		clock_gettime(CLOCK_MONOTONIC, &t1);
		us = (double) (t1.tv_sec - t0.tv_sec) * 1e6 +
		     (double) (t1.tv_nsec - t0.tv_nsec) / 1e3;
		best = us < best ? us : best;
		arena_free(&a);
	}
	printf("# an engine's profile from the cache: %.0f us\n", best);
}

int main(void)
{
	char cmd[256];

	umask(022);
	if (!mkdtemp(top))
		bail_out("mkdtemp");
	snprintf(folder, sizeof(folder), "%s/cache", top);
	test_hit_and_miss();
	test_key_is_unambiguous();
	test_damage();
	test_foreign_files();
	test_foreign_folders();
	test_concurrent();
	test_bounded();
	test_errors();
	print_cost();
	snprintf(cmd, sizeof(cmd), "rm -rf %s", top);
	if (system(cmd) != 0)
		printf("# %s is left\n", top);
	arena_free(&arena);
	return done();
}
