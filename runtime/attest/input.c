/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands are given: files and numbers. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "attest/bytes.h"
#include "attest/cmd.h"
#include "base/io.h"
#include "base/num.h"
#include "base/str.h"

int attest_read(const char *what, const char *path, size_t max, struct arena *a, struct bytes *ret,
		struct err *e)
{
	int r = str_eq(path, "-") ? io_read_fd(STDIN_FILENO, max, a, ret)
				  : io_read_at(AT_FDCWD, path, O_RDONLY, max, a, ret);

	if (r == -EFBIG)
		return err_set(e, r, "%s: %s is longer than the %zu bytes that are allowed", what,
			       path, max);
	return r < 0 ? err_neg(e, r, "%s: read %s", what, path) : 0;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct attest_file *) a)->path,
		      ((const struct attest_file *) b)->path);
}

int attest_read_folder(const char *what, const char *path, size_t max_size, struct arena *a,
		       struct attest_file *ret, size_t max, size_t *ret_n, struct err *e)
{
	struct dirent *d;
	struct stat st;
	DIR *dir = opendir(path);
	size_t n = 0;
	int r = 0;

	if (!dir && errno != ENOTDIR && !str_eq(path, "-"))
		return err_sys(e, "%s: open %s", what, path);
	if (!dir) {
		if (max == 0)
			return err_set(e, -E2BIG, "%s: %s: too many files", what, path);
		ret->path = arena_strdup(a, path);
		*ret_n = 1;
		return attest_read(what, path, max_size, a, &ret->data, e);
	}
	while (r == 0 && (d = readdir(dir))) {
		if (fstatat(dirfd(dir), d->d_name, &st, 0) < 0 || !S_ISREG(st.st_mode))
			continue;
		if (n == max)
			r = err_set(e, -E2BIG, "%s: %s: too many files", what, path);
		else {
			ret[n].path = arena_printf(a, "%s/%s", path, d->d_name);
			r = attest_read(what, ret[n].path, max_size, a, &ret[n].data, e);
			n++;
		}
	}
	closedir(dir);
	/* the order of a folder is nobody's; ours is always the same */
	qsort(ret, n, sizeof(*ret), by_path);
	*ret_n = n;
	return r;
}

static int digits(const char **at, int n, int *ret)
{
	int v = 0;

	for (; n > 0; n--, (*at)++) {
		if (**at < '0' || **at > '9')
			return -EINVAL;
		v = v * 10 + (**at - '0');
	}
	*ret = v;
	return 0;
}

static int letter(const char **at, const char *set)
{
	if (!**at || !strchr(set, **at))
		return -EINVAL;
	return *(*at)++;
}

/* the offset behind the time, in minutes */
static int zone(const char **at, int *ret)
{
	int sign = letter(at, "Zz+-"), h, m;

	*ret = 0;
	if (sign == 'Z' || sign == 'z' || sign < 0)
		return sign < 0 ? sign : 0;
	if (digits(at, 2, &h) < 0 || letter(at, ":") < 0 || digits(at, 2, &m) < 0 || h > 23 ||
	    m > 59)
		return -EINVAL;
	*ret = (sign == '-' ? -1 : 1) * (h * 60 + m);
	return 0;
}

/* 2026-06-01T00:00:00Z; no fractions, and no second 60 */
static int rfc3339(const char *s, int64_t *ret)
{
	struct tm tm = {0}, back;
	int minutes;
	time_t t;

	if (digits(&s, 4, &tm.tm_year) < 0 || letter(&s, "-") < 0 ||
	    digits(&s, 2, &tm.tm_mon) < 0 || letter(&s, "-") < 0 ||
	    digits(&s, 2, &tm.tm_mday) < 0 || letter(&s, "Tt ") < 0 ||
	    digits(&s, 2, &tm.tm_hour) < 0 || letter(&s, ":") < 0 ||
	    digits(&s, 2, &tm.tm_min) < 0 || letter(&s, ":") < 0 || digits(&s, 2, &tm.tm_sec) < 0 ||
	    zone(&s, &minutes) < 0 || *s)
		return -EINVAL;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	back = tm;
	t = timegm(&back);
	/* what timegm() had to put right was no date */
	if (back.tm_mon != tm.tm_mon || back.tm_mday != tm.tm_mday || back.tm_hour != tm.tm_hour ||
	    back.tm_min != tm.tm_min || back.tm_sec != tm.tm_sec)
		return -EINVAL;
	*ret = t - minutes * 60;
	return 0;
}

int attest_time(const char *opt, const char *text, int64_t *ret, struct err *e)
{
	if (str_eq(text, "now")) {
		*ret = time(NULL);
		return 0;
	}
	if (rfc3339(text, ret) < 0)
		return err_set_id(
			e, ERR_USAGE, -EINVAL,
			"--%s: expected \"now\" or a time like 2026-06-01T00:00:00Z, found "
			"\"%s\"",
			opt, text);
	return 0;
}

int attest_hex(const char *opt, const char *text, uint8_t *ret, size_t n, struct err *e)
{
	if (!hex_bytes(text, ret, n))
		return err_set_id(
			e, ERR_USAGE, -EINVAL,
			"--%s: expected %zu bytes as %zu hexadecimal digits, found \"%s\"", opt, n,
			2 * n, text);
	return 0;
}

static bool parse_hex(const char *s, uint64_t *ret)
{
	uint64_t v = 0;
	size_t n = 0;

	for (; hex_digit(*s) >= 0 && n < 16; s++, n++)
		v = v << 4 | (uint64_t) hex_digit(*s);
	*ret = v;
	return n > 0 && !*s;
}

int attest_number(const char *opt, const char *text, uint64_t max, uint64_t *ret, struct err *e)
{
	const char *hex = str_prefix(text, "0x");
	uint64_t v;
	bool good = hex ? parse_hex(hex, &v) : num_parse_u64(text, max, &v) == 0;

	if (!good || v > max)
		return err_set_id(e, ERR_USAGE, -EINVAL,
				  "--%s: expected a number up to 0x%llx, found \"%s\"", opt,
				  (unsigned long long) max, text);
	*ret = v;
	return 0;
}

int attest_print(const struct buf *b, struct err *e)
{
	int r = b->bad ? -EFBIG : io_write_all(STDOUT_FILENO, b->p, b->n);

	return r < 0 ? err_neg(e, r, "standard output") : 0;
}
