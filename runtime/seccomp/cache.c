/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiled filters, kept by content.
 *
 * Theory of operation: an entry's name is the SHA-256 of everything that the program follows from:
 * the canonical (length-prefixed) encoding of the profile, libseccomp's version, the native ABI and
 * the version of our own writers. Nothing else decides what is in the file, so entries never get
 * stale and any number of processes can write the same one: each makes a file of its own and
 * renames it.
 *
 * The filter is a security boundary, so an entry is believed only if nobody else can have made it:
 * folder and file are ours and closed to others, neither is a symbolic link, and the file says
 * itself which profile it is for (a hard link or a rename of another entry does not) with a
 * checksum over all of it (a crash between write and rename to disk does not either). Anything else
 * counts as missing and is written anew. The cache is only ever a shortcut: whatever fails here,
 * the profile is compiled.
 */
#include "seccomp/filter.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/log.h"
#include "base/sha256.h"
#include "base/sys.h"
#include "policy/codec.h"

#define KEY_LABEL "kavach seccomp program 2" /* the number changes when our writers do */
#define KEY_MAX (64U << 20)
#define MAGIC "KVSCBPF1"

/* A directory of 256 entries is 1 to 3 MB; engines have a handful of profiles. */
#define ENTRIES_MAX 256
#define ENTRIES_KEPT 192

struct entry_head {
	char magic[8]; /* not a string */
	uint8_t key[SHA256_LEN];
	uint8_t sum[SHA256_LEN]; /* over key and program */
};
_Static_assert(sizeof(struct entry_head) % sizeof(struct sock_filter) == 0, "aligned program");

struct key {
	uint8_t digest[SHA256_LEN];
	char name[SHA256_HEX];
};

static int make_key(const struct pol_seccomp *s, struct key *ret)
{
	buf_auto b = BUF_WRITER(KEY_MAX);
	struct pol_seccomp decides = *s;
	uint32_t library[3];

	/* matter when the program is loaded, not what it is */
	decides.flags = 0;
	decides.listener_path = decides.listener_metadata = decides.source = NULL;

	filter_library(library);
	buf_put_str(&b, KEY_LABEL);
	for (size_t i = 0; i < ARRAY_LEN(library); i++)
		buf_put_u32(&b, library[i]);
	buf_put_u32(&b, filter_native());
	codec_encode(&b, &pol_seccomp_table, &decides);
	if (b.bad)
		return -EFBIG;
	sha256(b.p, b.n, ret->digest);
	sha256_hex(ret->digest, ret->name);
	return 0;
}

static bool is_private(const struct stat *st, mode_t type)
{
	return (st->st_mode & S_IFMT) == type && st->st_uid == sys_euid() && !(st->st_mode & 077);
}

/* The folder as an fd, or -errno when it cannot be trusted. */
static int open_folder(const char *path)
{
	fd_auto int fd = -EBADF;
	struct stat st;

	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return -errno;
		fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	}
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!is_private(&st, S_IFDIR))
		return -EPERM;
	return fd_take(&fd);
}

static void checksum(const struct key *key, const uint8_t *program, size_t n,
		     uint8_t ret[SHA256_LEN])
{
	struct sha256 h;

	sha256_init(&h);
	sha256_add(&h, key->digest, sizeof(key->digest));
	sha256_add(&h, program, n);
	sha256_end(&h, ret);
}

static bool is_entry(const struct key *key, const uint8_t *p, size_t n)
{
	const struct entry_head *head = (const struct entry_head *) (const void *) p;
	uint8_t sum[SHA256_LEN];

	if (n <= sizeof(*head) || (n - sizeof(*head)) % sizeof(struct sock_filter))
		return false;
	if (memcmp(head->magic, MAGIC, sizeof(head->magic)) != 0 ||
	    memcmp(head->key, key->digest, sizeof(head->key)) != 0)
		return false;
	checksum(key, p + sizeof(*head), n - sizeof(*head), sum);
	return memcmp(sum, head->sum, sizeof(sum)) == 0;
}

/* O_NONBLOCK: a FIFO in the place of the file must not stop us. */
static int read_entry(int dirfd, const struct key *key, struct arena *a, struct bytes *ret)
{
	const size_t max = sizeof(struct entry_head) + BPF_MAXINSNS * sizeof(struct sock_filter);
	fd_auto int fd = openat(dirfd, key->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	uint8_t *p;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!is_private(&st, S_IFREG) || (st.st_mode & 07777) != 0600)
		return -EPERM;
	if (st.st_size <= 0 || (uint64_t) st.st_size > max)
		return -EBADMSG;
	p = arena_alloc(a, (size_t) st.st_size);
	if (io_read_full(fd, p, (size_t) st.st_size) != st.st_size ||
	    !is_entry(key, p, (size_t) st.st_size))
		return -EBADMSG;
	ret->v = p + sizeof(struct entry_head);
	ret->n = (size_t) st.st_size - sizeof(struct entry_head);
	return 0;
}

/* ---- writing ---- */

struct aged {
	struct timespec written;
	char name[NAME_MAX + 1];
};

static int compare_age(const void *pa, const void *pb)
{
	const struct timespec *a = &((const struct aged *) pa)->written;
	const struct timespec *b = &((const struct aged *) pb)->written;

	if (a->tv_sec != b->tv_sec)
		return a->tv_sec < b->tv_sec ? -1 : 1;
	return a->tv_nsec < b->tv_nsec ? -1 : a->tv_nsec > b->tv_nsec;
}

/* Entries, and what writers that died left: a dot, the name, a suffix. */
static bool is_ours(const char *name)
{
	if (*name == '.')
		name++;
	return strspn(name, "0123456789abcdef") == SHA256_HEX - 1;
}

/* At most max of the folder's files; returns how many. */
static size_t list_entries(DIR *d, struct aged *list, size_t max)
{
	struct dirent *de;
	struct stat st;
	size_t n = 0;

	while (n < max && (de = readdir(d))) {
		if (!is_ours(de->d_name) ||
		    fstatat(dirfd(d), de->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		list[n].written = st.st_mtim;
		memcpy(list[n++].name, de->d_name, strlen(de->d_name) + 1);
	}
	return n;
}

/* Keeps the folder bounded: only here, where a compilation costs more anyway. Two processes that do
 * it at the same time remove the same files; one that is needed again is compiled again. */
static void prune(int dirfd)
{
	const size_t max = 4 * ENTRIES_MAX;
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct aged *list = d ? calloc(max, sizeof(*list)) : NULL;
	size_t n;

	if (list) {
		n = list_entries(d, list, max);
		qsort(list, n, sizeof(*list), compare_age);
		for (size_t i = 0; n > ENTRIES_MAX && i < n - ENTRIES_KEPT; i++)
			unlinkat(dirfd, list[i].name, 0);
	}
	free(list);
	if (d)
		closedir(d);
	else
		fd_close(fd);
}

static void write_entry(int dirfd, const struct key *key, const struct bytes *program)
{
	buf_auto b = BUF_WRITER(sizeof(struct entry_head) + program->n);
	struct entry_head head = {.magic = MAGIC};
	int r;

	memcpy(head.key, key->digest, sizeof(head.key));
	checksum(key, program->v, program->n, head.sum);
	buf_put(&b, &head, sizeof(head));
	buf_put(&b, program->v, program->n);
	r = b.bad ? -EFBIG : io_replace_at(dirfd, key->name, 0600, b.p, b.n);
	if (r < 0)
		log_debug("seccomp: the filter is not cached: %s", err_errno_text(-r));
	prune(dirfd);
}

int seccomp_get(const struct pol_seccomp *s, const char *cache_dir, struct arena *a,
		struct bytes *ret, struct err *e)
{
	fd_auto int dirfd = -EBADF;
	struct key key;
	int r;

	if (!cache_dir || make_key(s, &key) < 0)
		return seccomp_compile(s, a, ret, e);
	dirfd = open_folder(cache_dir);
	if (dirfd < 0) {
		log_debug("seccomp: %s is not used as a cache: %s", cache_dir,
			  err_errno_text(-dirfd));
		return seccomp_compile(s, a, ret, e);
	}
	if (read_entry(dirfd, &key, a, ret) == 0)
		return 0;
	r = seccomp_compile(s, a, ret, e);
	if (r == 0)
		write_entry(dirfd, &key, ret);
	return r;
}
