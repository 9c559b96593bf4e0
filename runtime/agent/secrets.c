/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets between the wire and a stage. They wait in a pipe, which nobody but us has open and whose pages are neither dumped nor
 * swapped; the stage reads it empty (exec/secrets.c). What comes is held against the sealed policy: the policy says which
 * secrets there are and where they go, whoever sends them only says what they are.
 */
#include <string.h>

#include "agent/agent.h"
#include "base/fd.h"
#include "base/str.h"
#include "exec/secret_block.h"

_Static_assert(SECRET_ITEMS_MAX <= 64, "one bit for each");

/* An exec gets variables only: files are there, and its standard input is its own. */
static bool is_for(const struct pol_secret *s, bool exec)
{
	return !exec || (s->exec && s->give == POL_SECRET_ENV);
}

static bool same(const struct pol_secret *s, const struct secret_item *it)
{
	bool file = s->give == POL_SECRET_FILE;

	return str_eq(s->name, it->name) && s->give == it->give &&
	       str_eq(s->target ? s->target : "", it->target) &&
	       (!file || (s->mode == it->mode && s->uid == it->uid && s->gid == it->gid));
}

/* Each item is one of the policy's, and none is there twice. */
static int compare(const struct policy *p, const struct secret_item *items, size_t n, bool exec,
		   uint64_t *ret, struct err *e)
{
	uint64_t have = 0;

	for (size_t i = 0; i < n; i++) {
		size_t k = 0;

		while (k < p->secrets.n && !same(&p->secrets.v[k], &items[i]))
			k++;
		if (k >= p->secrets.n || !is_for(&p->secrets.v[k], exec) || have >> k & 1)
			return err_set(e, -EBADMSG,
				       "a secret came that the policy does not give like that: %s",
				       items[i].name);
		have |= 1ull << k;
	}
	*ret = have;
	return 0;
}

int agent_secrets_take(struct agent *a, uint32_t stream, const void *block, size_t n, struct err *e)
{
	const struct secret_block b = {.p = (uint8_t *) (uintptr_t) block, .n = n};
	struct secret_item items[SECRET_ITEMS_MAX];
	size_t count = 0;
	int r;

	if (n > SECRET_BLOCK_MAX || secret_items(&b, items, &count) < 0)
		return err_set(e, -EBADMSG, "a malformed block of secrets came");
	r = compare(a->policy, items, count, stream > 1, &a->secrets.have, e);
	if (r < 0)
		return r;
	a->secrets.stream = stream;
	a->secrets.fd = secret_pipe(block, n);
	return 0;
}

void agent_secrets_drop(struct agent *a)
{
	fd_close(a->secrets.fd);
	a->secrets = (struct agent_secrets){.fd = -EBADF};
}

int agent_secrets_give(struct agent *a, struct proc *p, bool exec, struct err *e)
{
	const struct policy *pol = a->policy;
	struct agent_secrets s = a->secrets;

	a->secrets = (struct agent_secrets){.fd = -EBADF};
	if (s.stream && s.fd < 0)
		return err_neg(e, s.fd, "a pipe for secrets in the guest");
	p->secrets = s.stream ? s.fd : -EBADF;
	for (size_t i = 0; i < pol->secrets.n; i++)
		if (pol->secrets.v[i].required && is_for(&pol->secrets.v[i], exec) &&
		    !(s.have >> i & 1))
			return err_set(e, -ENOKEY, "secret %s: the guest did not get it",
				       pol->secrets.v[i].name);
	return 0;
}
