/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Capabilities (rule R-08). The bounding set goes first, because dropping from it needs CAP_SETPCAP; then the ids
 * change with KEEPCAPS (ids.c); then the four other sets are what the config says, ambient last, because the
 * kernel wants each of its bits permitted and inheritable before.
 *
 * Without no_new_privs, loading a seccomp filter needs CAP_SYS_ADMIN, and the filter must be the very last step:
 * so that bit may stay permitted and effective until execve(). It does not survive it. execve() computes
 *	P'(permitted) = (P(inheritable) & F(inheritable)) | (F(permitted) & bounding) | P'(ambient)
 *	P'(effective) = F(effective) ? P'(permitted) : P'(ambient)
 * (capabilities(7)): P(permitted) and P(effective) from before do not occur in it, and the bit is added to neither
 * inheritable nor ambient nor bounding.
 */
#include <linux/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"
#include "base/sys.h"
#include "exec/ctx.h"
#include "policy/names.h"

#define BIT(n) ((uint64_t) 1 << (n))

static const char *cap_name(unsigned cap)
{
	const char *s = name_of(cap_names, cap_names_n, (long) cap);

	return s ? s : "a capability without a name";
}

int caps_drop_bounding(const struct pol_caps *c, struct err *e)
{
	if (!c->set)
		return 0;
	for (unsigned cap = 0; cap < 64; cap++) {
		if (c->bounding & BIT(cap))
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0)
			continue;
		if (errno == EINVAL) /* above the last one that the kernel has */
			break;
		/* Without CAP_SETPCAP: fine if it is not there anyway, or (-1) beyond the last one. */
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) > 0)
			return err_set(e, -EPERM, "process.capabilities.bounding: cannot drop %s",
				       cap_name(cap));
	}
	return 0;
}

static void warn_missing(const char *set, uint64_t missing)
{
	for (unsigned cap = 0; cap < 64; cap++)
		if (missing & BIT(cap))
			log_warn(
				"process.capabilities.%s: %s cannot be granted, this runtime does not have it",
				set, cap_name(cap));
}

static int set_ambient(uint64_t ambient, struct err *e)
{
	/* EINVAL: Linux before 4.3 */
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
		return err_sys(e, "process.capabilities.ambient: clearing the set");
	for (unsigned cap = 0; cap < 64; cap++)
		if ((ambient & BIT(cap)) &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
			return err_sys(e, "process.capabilities.ambient: raising %s",
				       cap_name(cap));
	return 0;
}

int caps_apply(const struct pol_caps *c, bool keep_sys_admin, struct err *e)
{
	uint64_t have, eff, inh, want_eff, want_per, want_inh, extra = 0;
	int r;

	r = sys_capget(&eff, &have, &inh);
	if (r < 0)
		return err_neg(e, r, "reading our capabilities");
	if (keep_sys_admin)
		extra = have & BIT(CAP_SYS_ADMIN);
	if (c->set) {
		want_eff = c->effective;
		want_per = c->permitted;
		want_inh = c->inheritable;
	} else {
		/* As the kernel has it for a user that changed, without KEEPCAPS. Nothing is inheritable: that is never a
		 * default (CVE-2022-29162). */
		want_eff = want_per = geteuid() == 0 ? have : 0;
		want_inh = 0;
	}
	/* What we cannot give is a warning (runtime-spec, process.capabilities). */
	warn_missing("permitted", want_per & ~have);
	want_per &= have;
	want_eff &= want_per;
	/* capset(2): only what is in the bounding set or inheritable already can become inheritable */
	want_inh &= c->set ? (have & c->bounding) | inh : 0;
	r = sys_capset(want_eff | extra, want_per | extra, want_inh);
	if (r < 0)
		return err_neg(e, r, "process.capabilities: setting the sets");
	if (geteuid() != 0 && prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0)
		return err_sys(e, "process.capabilities");
	return set_ambient(c->set ? c->ambient & want_per & want_inh : 0, e);
}
