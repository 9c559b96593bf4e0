/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session keyring of the container's own, so that it does not see the keys of whoever started the runtime. It has
 * a name, so that processes of `exec` join the same one.
 */
#include "base/str.h"
#include "base/sys.h"
#include "exec/ctx.h"

/* keyctl_setperm(3): search permission for the key's user, and for others */
#define KEY_USR_SEARCH 0x00080000
#define KEY_OTH_SEARCH 0x00000008

/* The container's processes may run as another user than the one who made the keyring, and must find keys in it; in a
 * user namespace they are nobody's user in the keyring's eyes. */
static int allow_search(int32_t key, bool userns)
{
	uint32_t perm;
	int r = sys_keyctl_describe_perm(key, &perm);

	if (r < 0)
		return r;
	return sys_keyctl_setperm(key, perm | (userns ? KEY_OTH_SEARCH : KEY_USR_SEARCH));
}

/* A new key gets the label of attr/keycreate; it is taken back at once, because other keys are none of its business. */
static int set_key_label(struct stage *s, const char *label, struct err *e)
{
	int r = proc_write(s, "thread-self/attr/keycreate", label, e);

	return r < 0 ? err_context(e, "process.selinuxLabel: labelling the session keyring in "
				      "`/proc/thread-self/attr/keycreate`")
		     : 0;
}

int keyring_join(struct stage *s, struct err *e)
{
	bool labelled = !str_empty(s->proc->selinux);
	int r, key;

	if (!s->proc->new_keyring)
		return 0;
	if (labelled) {
		r = set_key_label(s, s->proc->selinux, e);
		if (r < 0)
			return r;
	}
	key = sys_keyctl_join(arena_printf(s->a, "_ses.%s", s->boot->id));
	if (labelled) {
		r = set_key_label(s, "", e);
		if (r < 0)
			return r;
	}
	/* Not built in, quota used up, or filtered by whoever runs us: keys are a convenience that is then missing. */
	if (key == -ENOSYS || key == -EDQUOT || key == -EPERM)
		return 0;
	if (key < 0)
		return err_neg(e, key, "joining the session keyring _ses.%s", s->boot->id);
	if (s->boot->mode == STAGE_CREATE) {
		r = allow_search(key, s->boot->new_userns || s->boot->joined_userns);
		if (r < 0 && r != -ENOSYS && r != -EPERM && r != -EACCES)
			return err_neg(e, r, "giving the session keyring its permissions");
	}
	return 0;
}
