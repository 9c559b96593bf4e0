/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filters that report.
 *
 * Theory of operation. The kernel takes the strictest answer of all filters, and an errno is stricter than the question to a
 * supervisor (SECCOMP_RET_USER_NOTIF): a filter beside the others would never be asked about what they deny. So the others
 * are loaded without their errnos, and one more filter asks wherever one of them had an errno: their programs behind one
 * another, each end of a program being a jump to the next. What kills, traps or is logged stays with the others, as strict as
 * it was, because they are still loaded.
 *
 * The supervisor answers with the errno that the filters would have given, found by running them on the call. It never answers
 * that a call is to go on, and it cannot: when it is gone, the kernel fails the call with ENOSYS. What it reads from a
 * process's memory is for the report only; that the process can change it meanwhile changes nothing.
 */
#include "seccomp/report.h"

#include <string.h>

#include "seccomp/filter.h"

static bool is_errno(uint32_t ret)
{
	return (ret & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO;
}

static size_t length(const struct bytes *p)
{
	return p->n / sizeof(struct sock_filter);
}

/* Our programs end with constants only; a program from elsewhere might not. */
static int check_ends(const struct bytes *p, struct err *e)
{
	const struct sock_filter *f = (const void *) p->v;

	for (size_t i = 0; i < length(p); i++)
		if (BPF_CLASS(f[i].code) == BPF_RET && f[i].code != (BPF_RET | BPF_K))
			return err_set(e, -EINVAL, "a filter ends with a value that it computes");
	return 0;
}

/* The same program, but what it answers with an errno it allows. */
static struct bytes without_errnos(const struct bytes *from, struct arena *a)
{
	struct sock_filter *f = arena_memdup(a, from->v, from->n);

	for (size_t i = 0; i < length(from); i++)
		if (f[i].code == (BPF_RET | BPF_K) && is_errno(f[i].k))
			f[i].k = SECCOMP_RET_ALLOW;
	return (struct bytes){.v = (void *) f, .n = from->n};
}

/* All of them in a row: an errno becomes the question, everything else goes on behind the program. */
static int asking(const struct bytes *from, size_t n, struct bytes *ret, struct arena *a,
		  struct err *e)
{
	struct sock_filter *f;
	size_t total = 1, at = 0;

	for (size_t i = 0; i < n; i++)
		total += length(&from[i]);
	if (total > BPF_MAXINSNS)
		return err_set(
			e, -E2BIG,
			"the seccomp filters have %zu instructions together, and a report of "
			"what they deny can have %d at most",
			total, BPF_MAXINSNS);
	f = arena_array(a, total, sizeof(*f));
	for (size_t i = 0; i < n; i++) {
		size_t end = at + length(&from[i]);

		memcpy(&f[at], from[i].v, from[i].n);
		for (; at < end; at++) {
			if (f[at].code != (BPF_RET | BPF_K))
				continue;
			if (is_errno(f[at].k))
				f[at].k = SECCOMP_RET_USER_NOTIF;
			else
				f[at] = (struct sock_filter) BPF_STMT(BPF_JMP | BPF_JA,
								      (uint32_t) (end - at - 1));
		}
	}
	f[at] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	*ret = (struct bytes){.v = (void *) f, .n = total * sizeof(*f)};
	return 0;
}

/* Calls that are made when the filters are in force, by whoever has not handed the listener over yet: nobody would answer. */
int report_check(const struct bytes *from, size_t n, const char *what, struct err *e)
{
	static const char *const asked[] = {"seccomp", "write", "read"};
	struct sim_call c;
	uint32_t out[8];

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < sizeof(asked) / sizeof(*asked); k++) {
			size_t found;

			sim_call(&c, filter_native(), filter_call_nr(filter_native(), asked[k]),
				 NULL);
			found = sim_outcomes(&from[i], &c, out, 8);
			for (size_t j = 0; j < found && j < 8; j++)
				if (filter_rank(out[j]) <= filter_rank(SECCOMP_RET_ERRNO))
					return err_set_id(
						e, ERR_CONFIG, -EINVAL,
						"%s: the seccomp filter denies %s, which hands the "
						"listener over",
						what, asked[k]);
		}
	return 0;
}

int report_filters(const struct bytes *from, size_t n, struct bytes *ret, struct arena *a,
		   struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		r = check_ends(&from[i], e);
		ret[i] = without_errnos(&from[i], a);
	}
	if (r == 0)
		r = report_check(from, n, "denied calls cannot be reported", e);
	return r < 0 ? r : asking(from, n, &ret[n], a, e);
}

/* The kernel asks the youngest first, and among answers that are as strict as each other the first one counts. */
int report_errno(const struct bytes *from, size_t n, uint32_t arch, int nr, const uint64_t *args)
{
	while (n-- > 0) {
		uint32_t ret = seccomp_sim(&from[n], arch, nr, args);

		if (is_errno(ret))
			return (int) (ret & SECCOMP_RET_DATA);
	}
	return EPERM;
}
