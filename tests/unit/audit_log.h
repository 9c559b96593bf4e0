/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of the audit log: a log in a directory of its own, and what verification says of it. */
#ifndef KAVACH_TESTS_AUDIT_LOG_H
#define KAVACH_TESTS_AUDIT_LOG_H

#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/internal.h"
#include "base/fd.h"
#include "tests/unit/tap.h"

static char log_base[64]; /* directory of all logs */
static char log_dir[128]; /* of the present one */
static uint8_t log_k0[AUDIT_KEY_LEN];
static char log_problems[8192];	     /* of the last verification, a line each */
static struct audit_verdict verdict; /* the same */

static inline void logs_begin(void)
{
	strcpy(log_base, "/tmp/kavach-audit-XXXXXX");
	if (!mkdtemp(log_base))
		bail_out("no temporary directory");
}

static inline void logs_end(void)
{
	char cmd[128];

	snprintf(cmd, sizeof(cmd), "rm -rf %s", log_base);
	if (system(cmd))
		printf("# %s is left behind\n", log_base);
}

static inline struct audit_settings log_settings(uint64_t rotate, uint32_t keep)
{
	return (struct audit_settings){.rotate_bytes = rotate, .keep = keep};
}

static inline void log_new(uint64_t rotate, uint32_t keep)
{
	const struct audit_settings s = log_settings(rotate, keep);
	static unsigned n;
	struct err e = ERR_INIT;

	snprintf(log_dir, sizeof(log_dir), "%s/log-%d-%u", log_base, getpid(), n++);
	if (audit_init(log_dir, &s, "test", log_k0, &e) < 0)
		bail_out(e.msg);
}

/* One record with a process of its own would be slow; opening anew is what counts. */
static inline int log_add_to(const char *dir, const char *id, struct err *e)
{
	const struct audit_field f[] = {{.name = "signal", .n = 15}};
	const struct audit_event ev = {.kind = AUDIT_KILL,
				       .outcome = AUDIT_OK,
				       .id = id,
				       .score = 50,
				       .by = "test",
				       .fields = f,
				       .n_fields = 1};
	struct audit a = AUDIT_CLOSED;
	int r = audit_open(dir, &a, e);

	if (r == 0)
		r = audit_append(&a, &ev, NULL, e);
	audit_close(&a);
	return r;
}

static inline void log_add(unsigned n)
{
	struct err e = ERR_INIT;
	char id[32];

	for (unsigned i = 0; i < n; i++) {
		snprintf(id, sizeof(id), "box%u", i);
		if (log_add_to(log_dir, id, &e) < 0)
			bail_out(e.msg);
	}
}

static inline void log_found(void *arg, const char *text)
{
	size_t n = strlen(log_problems);

	(void) arg;
	snprintf(log_problems + n, sizeof(log_problems) - n, "%s\n", text);
}

/* Number of problems, or -errno. */
static inline int log_verify_with(const struct audit_verify *given)
{
	struct audit_verify v = *given;
	struct err e = ERR_INIT;
	int r;

	v.found = log_found;
	log_problems[0] = 0;
	r = audit_verify_dir(log_dir, &v, &verdict, &e);
	if (r < 0)
		snprintf(log_problems, sizeof(log_problems), "%s\n", e.msg);
	return r < 0 ? r : (int) verdict.problems;
}

static inline int log_verify(void)
{
	return log_verify_with(&(struct audit_verify){.k0 = log_k0});
}

static inline int log_verify_chain(void)
{
	return log_verify_with(&(struct audit_verify){0});
}

/* ---- files of the log ---- */

struct image {
	uint8_t *p;
	size_t n;
};

static inline char *log_path(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", log_dir, name);
	return path;
}

static inline char *log_file(uint64_t first)
{
	char name[AUDIT_NAME_MAX];

	audit_file_name(first, name);
	return log_path(name);
}

static inline struct image load(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct image i = {0};

	if (fd < 0 || fstat(fd, &st) < 0)
		bail_out(path);
	i.n = (size_t) st.st_size;
	i.p = malloc(i.n + 1);
	if (!i.p || read(fd, i.p, i.n) != (ssize_t) i.n)
		bail_out(path);
	i.p[i.n] = 0;
	close(fd);
	return i;
}

static inline void store(const char *path, const void *p, size_t n)
{
	/* no O_TRUNC: a file system may write such a file to the disk when it is closed */
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, p, n) != (ssize_t) n || ftruncate(fd, (off_t) n) < 0)
		bail_out(path);
	close(fd);
}

static inline void add_bytes(const char *path, const void *p, size_t n)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

	if (fd < 0 || write(fd, p, n) != (ssize_t) n)
		bail_out(path);
	close(fd);
}

/* Offset of line i (from 0) of an image; of the end when there are not so many. */
static inline size_t line_at(const struct image *m, unsigned i)
{
	size_t at = 0;

	for (; i && at < m->n; at++)
		i -= m->p[at] == '\n';
	return at;
}

#endif
