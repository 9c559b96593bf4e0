/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing the files of one cgroup directory. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/num.h"
#include "cgroup/internal.h"

int cg_path(char buf[PATH_MAX], const struct cg_hier *h, const char *file)
{
	int n = snprintf(buf, PATH_MAX, "%s%s%s%s", h->mount, h->path, file ? "/" : "",
			 file ? file : "");

	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

ssize_t cg_read(const struct cg_hier *h, const char *file, char *buf, size_t size)
{
	char path[PATH_MAX];
	int r = cg_path(path, h, file);

	return r < 0 ? r : io_read_small(AT_FDCWD, path, buf, size);
}

int cg_read_u64(const struct cg_hier *h, const char *file, uint64_t *ret)
{
	char buf[64];
	ssize_t n = cg_read(h, file, buf, sizeof(buf));

	if (n < 0)
		return (int) n;
	if (buf[0] == '-' || str_eq(buf, "max")) {
		*ret = UINT64_MAX;
		return 0;
	}
	return num_parse_u64(buf, UINT64_MAX, ret);
}

int cg_write(const struct cg_hier *h, const char *file, const char *value, bool *ret_opened)
{
	fd_auto int fd = -EBADF;
	char path[PATH_MAX];
	ssize_t n;
	int r;

	if (ret_opened)
		*ret_opened = false;
	r = cg_path(path, h, file);
	if (r < 0)
		return r;
	/* Never O_CREAT, never O_TRUNC: if this is not a cgroup file system, nothing must come into being. */
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (ret_opened)
		*ret_opened = true;
	do
		n = write(fd, value, strlen(value));
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

bool cg_flat_get(const char *text, const char *key, uint64_t *ret)
{
	size_t n = strlen(key);
	char num[24];

	for (const char *s = text; s; s = strchr(s, '\n')) {
		size_t len;

		s += *s == '\n';
		if (strncmp(s, key, n) != 0 || s[n] != ' ')
			continue;
		s += n + 1;
		len = strcspn(s, "\n");
		if (len >= sizeof(num))
			return false;
		memcpy(num, s, len);
		num[len] = '\0';
		return num_parse_u64(num, UINT64_MAX, ret) == 0;
	}
	return false;
}
