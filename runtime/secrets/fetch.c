/* SPDX-License-Identifier: Apache-2.0 */
/* All secrets of a policy, each from its source, straight into the block: there is no copy to forget. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "secrets/secrets.h"

static ssize_t (*const sources[])(const struct source *s, struct err *e) = {
	[POL_SECRET_FROM_FILE] = source_file,
	[POL_SECRET_FROM_CREDENTIAL] = source_credential,
	[POL_SECRET_FROM_PROGRAM] = source_program,
	[POL_SECRET_FROM_SOCKET] = source_socket,
};

/* What is a broker's the guest gets itself. */
static bool is_wanted(const struct pol_secret *s, enum secrets_when when)
{
	if (s->source == POL_SECRET_FROM_BROKER)
		return false;
	return when == SECRETS_CREATE || (s->exec && s->give == POL_SECRET_ENV);
}

bool secrets_wanted(const struct policy *p, enum secrets_when when)
{
	for (size_t i = 0; i < p->secrets.n; i++)
		if (is_wanted(&p->secrets.v[i], when))
			return true;
	return false;
}

static int fetch(const struct pol_secret *secret, const char *id, struct secret_block *b,
		 struct err *e)
{
	struct source s = {.secret = secret, .id = id};
	struct secret_slot slot;
	ssize_t n;

	if (secret->source >= ARRAY_LEN(sources) || !sources[secret->source])
		return err_set(e, -EINVAL, "unknown source %u", secret->source);
	if (secret_begin(b, secret, &slot, &s.value, &s.room) < 0)
		return err_set(e, -ENOSPC, "all secrets together are more than %u KiB",
			       SECRET_BLOCK_MAX >> 10);
	n = sources[secret->source](&s, e);
	if (n >= 0)
		n = secret_fit(secret, s.value, (size_t) n, e);
	if (n < 0) {
		secret_undo(b, &slot);
		return (int) n;
	}
	secret_end(b, &slot, (size_t) n);
	return 0;
}

static int explain(const struct pol_secret *s, struct err *e)
{
	return err_context(e, "%s%ssecret %s", s->at ? s->at : "", s->at ? ": " : "", s->name);
}

int secrets_fetch(const struct policy *p, enum secrets_when when, const char *id,
		  struct secret_block *ret, struct err *e)
{
	int r = secret_block_open(ret, e);

	for (size_t i = 0; i < p->secrets.n && r == 0; i++) {
		const struct pol_secret *s = &p->secrets.v[i];

		if (!is_wanted(s, when))
			continue;
		r = fetch(s, id, ret, e);
		if (r < 0)
			explain(s, e);
		if (r < 0 && !s->required) {
			log_warn("%s; it is not required, so the process goes without it", e->msg);
			err_clear(e);
			r = 0;
		}
	}
	return r;
}
