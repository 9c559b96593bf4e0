/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A readiness socket (sd_notify) for the process: the directory of kavach's own socket is mounted, read-only and not
 * the socket itself, so that the socket can be made anew by `start`; the environment names it there (B-09).
 */
#include <linux/mount.h>
#include <string.h>

#include "policy/pb.h"

#define NOTIFY_DIR "/run/notify"
#define NOTIFY_ENV "NOTIFY_SOCKET=" NOTIFY_DIR "/notify.sock"

static void add_mount(struct pb *b)
{
	struct policy *p = b->p;
	struct pol_mount *v = arena_array(b->a, p->mounts.n + 1, sizeof(*v));

	if (p->mounts.n)
		memcpy(v, p->mounts.v, p->mounts.n * sizeof(*v));
	v[p->mounts.n++] = (struct pol_mount){
		.kind = POL_MOUNT_BIND,
		.destination = arena_strdup(b->a, NOTIFY_DIR),
		.source = arena_strdup(b->a, b->in->notify_dir),
		.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
			    MOUNT_ATTR_NOEXEC,
		.config_index = UINT32_MAX,
	};
	p->mounts.v = v;
}

static void add_env(struct pb *b)
{
	struct strs *env = &b->p->process.env;
	struct strs l = {.v = arena_array(b->a, env->n + 1, sizeof(char *)), .set = true};

	for (size_t i = 0; i < env->n; i++)
		if (!str_prefix(env->v[i], "NOTIFY_SOCKET="))
			l.v[l.n++] = env->v[i];
	l.v[l.n++] = arena_strdup(b->a, NOTIFY_ENV);
	*env = l;
}

int pb_notify(struct pb *b, struct err *e)
{
	(void) e;
	if (!b->in->notify_dir || !b->p->has_process)
		return 0;
	add_mount(b);
	add_env(b);
	return 0;
}
