/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/host_may.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

const struct name_val host_may_names[] = {
	{"exec", POL_HOST_EXEC},
	{"update", POL_HOST_UPDATE},
	{"signal", POL_HOST_SIGNAL},
	{"stats", POL_HOST_STATS},
};
_Static_assert(ARRAY_LEN(host_may_names) == HOST_MAY_NAMES_N, "the constant in the header");

/* What a person wanted when it is refused. */
static const char *const deeds[] = {
	"run further processes in it",
	"change its limits",
	"send it this signal",
	"see its processes and statistics",
};
_Static_assert(ARRAY_LEN(deeds) == HOST_MAY_NAMES_N, "a text for each name");

static const char *trimmed(char *word)
{
	size_t n;

	word += strspn(word, " ");
	for (n = strlen(word); n && word[n - 1] == ' '; n--)
		word[n - 1] = '\0';
	return word;
}

static int one_word(const char *word, uint32_t *bits)
{
	if (!*word || str_eq(word, "none"))
		return 0;
	if (str_eq(word, "all")) {
		*bits |= POL_HOST_ALL;
		return 0;
	}
	for (size_t i = 0; i < HOST_MAY_NAMES_N; i++)
		if (str_eq(word, host_may_names[i].name)) {
			*bits |= (uint32_t) host_may_names[i].val;
			return 0;
		}
	return -EINVAL;
}

int host_may_parse(const char *text, struct arena *a, uint32_t *ret, const char **ret_word)
{
	struct strs words = str_split(a, text, ',');
	uint32_t bits = 0;

	for (size_t i = 0; i < words.n; i++) {
		const char *word = trimmed(words.v[i]);

		if (one_word(word, &bits) < 0) {
			*ret_word = word;
			return -EINVAL;
		}
	}
	*ret = bits;
	return 0;
}

const char *host_may_text(uint32_t bits, char ret[HOST_MAY_TEXT])
{
	size_t n = 0;

	for (size_t i = 0; i < HOST_MAY_NAMES_N; i++)
		if (bits & (uint32_t) host_may_names[i].val)
			n += (size_t) snprintf(ret + n, HOST_MAY_TEXT - n, "%s%s", n ? ", " : "",
					       host_may_names[i].name);
	if (!n)
		snprintf(ret, HOST_MAY_TEXT, "nothing");
	return ret;
}

int host_may(const struct policy *p, uint32_t what, struct err *e)
{
	if (!p->vm.set || (p->vm.host_may & what) == what)
		return 0;
	for (size_t i = 0; i < HOST_MAY_NAMES_N; i++)
		if ((uint32_t) host_may_names[i].val == what)
			return err_set(e, -EPERM,
				       "the container's policy does not let the host %s: "
				       "annotations[\"" HOST_MAY_ANNOTATION
				       "\"] does not have \"%s\"",
				       deeds[i], host_may_names[i].name);
	return err_set(e, -EPERM, "the container's policy does not let the host do this");
}

int host_may_signal(const struct policy *p, int sig, struct err *e)
{
	static const int always[] = {SIGTERM, SIGKILL, SIGINT, SIGHUP, SIGQUIT, SIGWINCH};

	for (size_t i = 0; i < ARRAY_LEN(always); i++)
		if (sig == always[i])
			return 0;
	return host_may(p, POL_HOST_SIGNAL, e);
}
