/* SPDX-License-Identifier: Apache-2.0 */
/* libs: base */
/* The error value: texts, context, truncation, exit statuses, and the words that it must not use. */
#include "base/err.h"

#include "base/errcat.h"
#include "base/types.h"
#include "tests/unit/tap.h"

/* What engines search for (E-01..E-10), in any case. */
static const char *const matched[] = {
	"does not exist",	"container not running", "no such process",
	"already finished",	"invalid process",	 "executable file not found",
	"no such file",		"permission denied",	 "not permitted",
	"is a directory",	"not a directory",	 "needs an argument",
	"requires an argument",
};

static void test_words(void)
{
	int bad = 0;

	for (int err = 1; err < 200; err++)
		for (size_t i = 0; i < ARRAY_LEN(matched); i++)
			if (strcasestr(err_errno_text(err), matched[i])) {
				printf("# errno %d: %s\n", err, err_errno_text(err));
				bad++;
			}
	is_int(bad, 0, "no errno text holds words that engines match on");
	is_str(err_errno_text(ENOENT), "not found", "ENOENT has words of our own");
	is_str(err_errno_text(99999), err_errno_text(88888), "unknown errno values have a text");
}

static void test_set(void)
{
	struct err e = ERR_INIT;

	is_int(err_set(&e, -EINVAL, "mounts[%d]: %s", 3, "bad"), -EINVAL,
	       "err_set returns the code");
	is_str(e.msg, "mounts[3]: bad", "err_set formats");
	is_int(e.code, -EINVAL, "err_set stores the code");
	is_int(err_context(&e, "container %s", "c1"), -EINVAL, "err_context returns the code");
	is_str(e.msg, "container c1: mounts[3]: bad", "err_context puts its text in front");
	errno = EACCES;
	is_int(err_sys(&e, "open %s", "/x"), -EACCES, "err_sys takes errno");
	is_str(e.msg, "open /x: access refused", "err_sys appends what errno means");
	is_int(err_neg(&e, -EBUSY, "rmdir"), -EBUSY, "err_neg takes a negative errno");
	err_set_id(&e, ERR_NO_CONTAINER, -ENOENT, ERRCAT_NO_CONTAINER);
	err_context(&e, "state");
	is_int(e.id, ERR_NO_CONTAINER, "context keeps the kind");
	err_clear(&e);
	ok(e.code == 0 && e.id == ERR_OTHER && !*e.msg, "err_clear unsets everything");
}

static void test_hostile_text(void)
{
	struct err e = ERR_INIT;

	err_set(&e, -EINVAL, "name %s", "a\nlevel=info\r\x1b[2J\x7f");
	is_str(e.msg, "name a?level=info??[2J?", "control characters are replaced");
	err_set(&e, -EINVAL, "%s",
		"x\xc2\x9b"
		"31m\xc3\xa4");
	is_str(e.msg, "x??31m\xc3\xa4", "C1 controls are replaced, letters are not");
	err_set(&e, -EINVAL, "a");
	err_context(&e, "b\tc");
	is_str(e.msg, "b?c: a", "context is cleaned as well");
}

static void test_truncation(void)
{
	static char big[3 * ERR_MSG_MAX], wide[3 * ERR_MSG_MAX];
	struct err e = ERR_INIT;

	memset(big, 'a', sizeof(big) - 1);
	err_set(&e, -E2BIG, "%s", big);
	is_int(strlen(e.msg), ERR_MSG_MAX - 1, "a long text fills the buffer");
	is_str(e.msg + ERR_MSG_MAX - 6, "aa...", "and ends in dots");
	err_context(&e, "first");
	ok(!strncmp(e.msg, "first: aaa", 10), "context stays in front of a full message");
	is_str(e.msg + strlen(e.msg) - 4, "a...", "which ends in dots again");
	err_sys_at(&e, ENOENT, "%s", big);
	is_int(e.code, -ENOENT, "err_sys on a full message keeps the code");
	for (size_t i = 0; i + 2 < sizeof(wide); i += 2)
		memcpy(wide + i, "\xc3\xa4", 2);
	for (unsigned shift = 0; shift < 2; shift++) {
		size_t n;

		err_set(&e, -E2BIG, "%s%s", shift ? "x" : "", wide);
		n = strlen(e.msg);
		ok((unsigned char) e.msg[n - 4] == 0xa4, "no character is cut in two (%u)", shift);
	}
}

static void test_exit_status(void)
{
	static const struct {
		enum err_id id;
		int status;
	} rows[] = {
		{ERR_OTHER, 1},		{ERR_USAGE, 1},
		{ERR_CONFIG, 1},	{ERR_NO_CONTAINER, 1},
		{ERR_EXISTS, 1},	{ERR_NOT_RUNNING, 1},
		{ERR_PAUSED, 1},	{ERR_NO_EXECUTABLE, 127},
		{ERR_EXEC_DENIED, 126}, {ERR_EXEC_DIR, 126},
		{ERR_HOOK, 1},
	};
	struct err e = ERR_INIT;

	_Static_assert(ARRAY_LEN(rows) == ERR_ID_MAX, "all kinds");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		err_set_id(&e, rows[i].id, -EINVAL, "x");
		is_int(err_exit_status(&e), rows[i].status, "kind %d has exit status %d",
		       rows[i].id, rows[i].status);
	}
	e.id = 4000000000u;
	is_int(err_exit_status(&e), 1, "a kind from a broken peer has exit status 1");
}

int main(void)
{
	test_words();
	test_set();
	test_hostile_text();
	test_truncation();
	test_exit_status();
	return done();
}
