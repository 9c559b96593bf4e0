/* SPDX-License-Identifier: Apache-2.0 */
/*
 * User and group ids of the process. Raw system calls: libc's wrappers broadcast the change to all threads, of which
 * there is one, at the price of a dozen signal mask calls each.
 *
 * setresuid() away from 0 clears the permitted set unless KEEPCAPS is on, and the sets of the config are made from
 * what is permitted afterwards (caps.c). A change of ids also makes the process dumpable again where
 * fs.suid_dumpable says so; stage.c turns that off each time.
 */
#include <grp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "exec/ctx.h"

#ifdef SYS_setresuid32 /* the plain names take 16-bit ids there */
#define NR_SETRESUID SYS_setresuid32
#define NR_SETRESGID SYS_setresgid32
#define NR_SETGROUPS SYS_setgroups32
#else
#define NR_SETRESUID SYS_setresuid
#define NR_SETRESGID SYS_setresgid
#define NR_SETGROUPS SYS_setgroups
#endif

/* (uid_t) -1 tells the kernel to leave the id as it is: as a user to become it would be "stay root". */
static bool is_id(uint64_t id)
{
	return id < UINT32_MAX;
}

static int set_gid(uint32_t gid)
{
	if (!is_id(gid))
		return -ERANGE;
	return syscall(NR_SETRESGID, gid, gid, gid) < 0 ? -errno : 0;
}

static int set_uid(uint32_t uid)
{
	if (!is_id(uid))
		return -ERANGE;
	return syscall(NR_SETRESUID, uid, uid, uid) < 0 ? -errno : 0;
}

/* Where 0 is not mapped (EINVAL) we stay who we are: the capabilities of the namespace are ours all the same. */
int ids_become_root(struct err *e)
{
	int r = set_gid(0);

	if (r == 0 || r == -EINVAL)
		r = set_uid(0);
	return r < 0 && r != -EINVAL ? err_neg(e, r, "becoming root of the user namespace") : 0;
}

static int set_groups(struct stage *s, struct err *e)
{
	const struct u64s *g = &s->proc->groups;
	gid_t *list;

	if (s->proc->keep_groups)
		return 0;
	if (s->boot->setgroups_denied) {
		if (g->n)
			log_warn(
				"process.user.additionalGids: ignored, this user may not set groups (setgroups is "
				"\"deny\" in its user namespace)");
		return 0;
	}
	list = arena_array(s->a, g->n, sizeof(*list));
	for (size_t i = 0; i < g->n; i++) {
		if (!is_id(g->v[i]))
			return err_set(e, -ERANGE,
				       "process.user.additionalGids[%zu]: %llu is not a group id",
				       i, (unsigned long long) g->v[i]);
		list[i] = (gid_t) g->v[i];
	}
	if (syscall(NR_SETGROUPS, g->n, list) == 0)
		return 0;
	/* Nothing to give up and no privilege to do it with: as asked. */
	if (errno == EPERM && g->n == 0 && getgroups(0, NULL) == 0)
		return 0;
	return err_sys(e, "process.user.additionalGids: setting %zu groups", g->n);
}

int ids_apply(struct stage *s, struct err *e)
{
	const struct pol_process *p = s->proc;
	int r;

	r = set_groups(s, e);
	if (r < 0)
		return r;
	r = set_gid(p->gid);
	if (r < 0)
		return r == -EINVAL
			       ? err_set(e, r,
					 "process.user.gid: %u has no mapping in the user namespace",
					 p->gid)
			       : err_neg(e, r, "process.user.gid: becoming group %u", p->gid);
	if (p->uid != 0 && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return err_sys(e, "keeping the capabilities while the user changes");
	r = set_uid(p->uid);
	if (r < 0)
		return r == -EINVAL
			       ? err_set(e, r,
					 "process.user.uid: %u has no mapping in the user namespace",
					 p->uid)
			       : err_neg(e, r, "process.user.uid: becoming user %u", p->uid);
	umask(p->umask.set ? (mode_t) p->umask.v : s->umask);
	return 0;
}
