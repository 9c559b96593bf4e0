/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands are given: files and numbers. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
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
