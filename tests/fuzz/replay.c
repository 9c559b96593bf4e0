/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a fuzz target over its corpus: every file of tests/fuzz/corpus/NAME, where the program is called
 * fuzz_NAME, and of the folders that the target names in fuzz_more_corpora, and over every prefix of small
 * files and each single flipped bit of tiny ones. So whatever a fuzzer found once is tested by every build,
 * with any compiler. `make fuzzers` links the same targets with libFuzzer instead.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/tap.h"

#define FILE_MAX_SIZE (8u << 20)
#define PREFIX_MAX 2048
#define FLIP_MAX 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Folders below the source tree, NULL at the end; a target may do without. */
extern const char *const fuzz_more_corpora[] __attribute__((weak));

/* A copy of exactly n bytes, so that a read beyond the end is one that a sanitizer sees. */
static void try_bytes(const uint8_t *data, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);

	if (!copy)
		bail_out("no memory");
	memcpy(copy, data, n);
	LLVMFuzzerTestOneInput(copy, n);
	free(copy);
}

static void try_variants(const uint8_t *data, size_t n)
{
	uint8_t flipped[FLIP_MAX];

	try_bytes(data, n);
	for (size_t i = 0; n <= PREFIX_MAX && i < n; i++)
		try_bytes(data, i);
	if (n > FLIP_MAX)
		return;
	memcpy(flipped, data, n);
	for (size_t bit = 0; bit < n * 8; bit++) {
		flipped[bit / 8] ^= (uint8_t) (1u << bit % 8);
		try_bytes(flipped, n);
		flipped[bit / 8] ^= (uint8_t) (1u << bit % 8);
	}
}

static int replay_file(int dirfd, const char *name)
{
	struct stat st;
	uint8_t *data;
	size_t have = 0;
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size > FILE_MAX_SIZE) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	data = malloc((size_t) st.st_size + 1);
	if (!data)
		bail_out("no memory");
	while (have < (size_t) st.st_size) {
		ssize_t got = read(fd, data + have, (size_t) st.st_size - have);

		if (got <= 0)
			break;
		have += (size_t) got;
	}
	close(fd);
	try_variants(data, have);
	free(data);
	return 0;
}

static void replay_dir(const char *src, const char *path, const char *name)
{
	char full[4096];
	struct dirent *d;
	DIR *dir;

	snprintf(full, sizeof(full), "%s%s%s%s", src, *src ? "/" : "", path, name);
	dir = opendir(full);
	if (!dir) {
		printf("# %s: %s\n", full, strerror(errno));
		bail_out("no corpus");
	}
	while ((d = readdir(dir))) {
		if (d->d_name[0] == '.')
			continue;
		/* flushed first: when the target dies, the name of the file is in the log */
		printf("# %s\n", d->d_name);
		fflush(stdout);
		ok(!replay_file(dirfd(dir), d->d_name), "%s ends without a fault", d->d_name);
	}
	closedir(dir);
}

int main(int argc, char **argv)
{
	const char *base = strrchr(argv[0], '/'), *src = getenv("KAVACH_SRC");

	base = base ? base + 1 : argv[0];
	if (strncmp(base, "fuzz_", 5))
		bail_out("the program's name must be fuzz_NAME");
	src = src ? src : ".";
	for (int i = 1; i < argc; i++)
		replay_dir("", argv[i], "");
	if (argc == 1)
		replay_dir(src, "tests/fuzz/corpus/", base + 5);
	for (size_t i = 0; argc == 1 && fuzz_more_corpora && fuzz_more_corpora[i]; i++)
		replay_dir(src, fuzz_more_corpora[i], "");
	return done();
}
