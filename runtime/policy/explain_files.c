/* SPDX-License-Identifier: Apache-2.0 */
/* The sections about files: the root, mounts, devices. */
#include <linux/mount.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "policy/explain.h"

/* ---- file systems ---- */

static const struct name_val attr_words[] = {
	{"ro", MOUNT_ATTR_RDONLY},
	{"nosuid", MOUNT_ATTR_NOSUID},
	{"nodev", MOUNT_ATTR_NODEV},
	{"noexec", MOUNT_ATTR_NOEXEC},
	{"nodiratime", MOUNT_ATTR_NODIRATIME},
	{"nosymfollow", 0x00200000},
};
static const struct name_val propagation_words[] = {{"shared", MS_SHARED},
						    {"slave", MS_SLAVE},
						    {"private", MS_PRIVATE},
						    {"unbindable", MS_UNBINDABLE}};
static const struct name_val flag_words[] = {
	{"tmpcopyup", POL_MOUNT_TMPCOPYUP},
	{"copy-symlink", POL_MOUNT_COPY_SYMLINK},
	{"src-nofollow", POL_MOUNT_SRC_NOFOLLOW},
	{"dest-nofollow", POL_MOUNT_DEST_NOFOLLOW},
	{"idmap", POL_MOUNT_IDMAP},
};

static const struct name_val sb_words[] = {
	{"sync", MS_SYNCHRONOUS}, {"dirsync", MS_DIRSYNC}, {"lazytime", 1 << 25},
	{"mand", MS_MANDLOCK},	  {"silent", MS_SILENT},   {"iversion", MS_I_VERSION},
};

static void attrs(struct page *pg, const char *prefix, uint64_t set)
{
	for (size_t i = 0; i < ARRAY_LEN(attr_words); i++)
		if (set & (uint64_t) attr_words[i].val)
			page_printf(pg, "%s%s", prefix, attr_words[i].name);
	if ((set & MOUNT_ATTR__ATIME) == MOUNT_ATTR_NOATIME)
		page_printf(pg, "%snoatime", prefix);
	if ((set & MOUNT_ATTR__ATIME) == MOUNT_ATTR_STRICTATIME)
		page_printf(pg, "%sstrictatime", prefix);
}

static void propagation(struct page *pg, uint64_t flags)
{
	const char *name = name_of(propagation_words, ARRAY_LEN(propagation_words),
				   (long) (flags & ~(uint64_t) MS_REC));

	if (name)
		page_printf(pg, "%s%s", flags & MS_REC ? "r" : "", name);
}

static const char *mount_word(const struct pol_mount *m)
{
	switch (m->kind) {
	case POL_MOUNT_BIND: return "bind";
	case POL_MOUNT_RBIND: return "rbind";
	case POL_MOUNT_REMOUNT: return "remount";
	default: return m->type ? m->type : "?";
	}
}

static void explain_mount(struct page *pg, const struct pol_mount *m)
{
	bool bind = m->kind == POL_MOUNT_BIND || m->kind == POL_MOUNT_RBIND;
	const char *risk = fact_mount_risk(m);

	page_row(pg, NULL);
	pg->indent = 36;
	page_value(pg, m->destination);
	page_to(pg, 26);
	page_value(pg, mount_word(m));
	page_to(pg, 36);
	if (bind && !((m->attr_set | m->rattr_set) & MOUNT_ATTR_RDONLY))
		page_text(pg, "rw");
	attrs(pg, "", m->attr_set);
	attrs(pg, "r", m->rattr_set);
	for (size_t i = 0; i < ARRAY_LEN(sb_words); i++)
		if (m->sb_flags & (uint64_t) sb_words[i].val)
			page_text(pg, sb_words[i].name);
	propagation(pg, m->propagation);
	for (size_t i = 0; i < ARRAY_LEN(flag_words); i++)
		if (m->flags & (uint32_t) flag_words[i].val)
			page_text(pg, flag_words[i].name);
	for (size_t i = 0; i < m->data.n; i++)
		page_value(pg, m->data.v[i]);
	page_end(pg);
	if (!bind)
		return;
	pg->indent = 4;
	page_to(pg, 4);
	page_text(pg, "from");
	page_value(pg, m->source);
	page_end(pg);
	if (risk) {
		page_to(pg, 4);
		page_printf(pg, "DANGER: %s", risk);
		page_end(pg);
	}
}

static const char *source_words(const struct pol_secret *s)
{
	switch (s->source) {
	case POL_SECRET_FROM_FILE: return "from the file";
	case POL_SECRET_FROM_CREDENTIAL: return "from systemd's credential";
	case POL_SECRET_FROM_PROGRAM: return "printed by";
	case POL_SECRET_FROM_BROKER: return "from the broker, which calls it";
	default: return "from the service at";
	}
}

static void explain_secret(struct page *pg, const struct pol_secret *s)
{
	page_row(pg, NULL);
	pg->indent = 4;
	page_value(pg, s->name);
	page_to(pg, 26);
	switch (s->give) {
	case POL_SECRET_FILE:
		page_value(pg, s->target);
		page_printf(pg, "(mode %04o, user %u, group %u)", s->mode, s->uid, s->gid);
		break;
	case POL_SECRET_ENV:
		page_text(pg, "variable");
		page_value(pg, s->target);
		page_text(pg, s->exec ? "(processes of exec get it, too)" : "");
		break;
	default: page_text(pg, "standard input");
	}
	page_end(pg);
	page_to(pg, 4);
	page_text(pg, source_words(s));
	page_value(pg, s->from.v[0]);
	if (!s->required)
		page_text(pg, "(the container starts without it)");
	page_end(pg);
}

/* What the strength does not count is said here. */
void explain_secrets(struct page *pg, const struct policy *p)
{
	bool env = false;

	if (!p->secrets.n)
		return;
	page_head(pg, "Secrets");
	for (size_t i = 0; i < p->secrets.n; i++) {
		explain_secret(pg, &p->secrets.v[i]);
		env |= p->secrets.v[i].give == POL_SECRET_ENV;
	}
	if (!env)
		return;
	page_row(pg, NULL);
	page_text(pg,
		  "A variable can be read in /proc/PID/environ by the container's processes of the "
		  "same user and by root of the host, and is inherited by every child: a file is "
		  "the better way.");
	page_end(pg);
}

void explain_files(struct page *pg, const struct policy *p)
{
	page_head(pg, "Files");
	page_row(pg, "root");
	page_value(pg, p->rootfs);
	page_printf(pg, "(%s)", p->rootfs_readonly ? "read-only" : "writable");
	page_end(pg);
	if (p->rootfs_propagation) {
		page_row(pg, "propagation");
		propagation(pg, p->rootfs_propagation);
		page_end(pg);
	}
	page_row_list(pg, "hidden", &p->masked);
	page_row_list(pg, "read-only", &p->readonly);
	if (!p->mounts.n)
		return;
	page_head(pg, "Mounts, in this order");
	for (size_t i = 0; i < p->mounts.n; i++)
		explain_mount(pg, &p->mounts.v[i]);
}

/* ---- devices ---- */

static void device_number(struct page *pg, uint32_t type, int64_t major, int64_t minor)
{
	char num[2][24] = {"*", "*"};

	if (major >= 0)
		snprintf(num[0], sizeof(num[0]), "%lld", (long long) major);
	if (minor >= 0)
		snprintf(num[1], sizeof(num[1]), "%lld", (long long) minor);
	page_printf(pg, "%s %s:%s", type == 'b' || type == S_IFBLK ? "block" : "character", num[0],
		    num[1]);
}

static void explain_rules(struct page *pg, const struct policy *p)
{
	size_t shown = 0, common;

	if (!p->resources.devices.n) {
		page_line(pg, "may use", "any device that there is a node of (no device rules)");
		return;
	}
	if (fact_devices_open(p)) {
		page_line(pg, "may use", "ALL devices of the host");
		return;
	}
	/* The last eleven are those that every container has, the first one is "deny all". */
	common = p->resources.devices.n < 12 ? p->resources.devices.n : p->resources.devices.n - 11;
	page_row(pg, "may use");
	page_text(pg, "the default ones, terminals");
	for (size_t i = 1; i < common; i++) {
		const struct pol_device_rule *r = &p->resources.devices.v[i];

		if (r->type == 'a' && !r->allow)
			continue;
		page_break(pg);
		if (++shown > 24) {
			page_printf(pg, "... and %zu rules more", common - i);
			break;
		}
		page_text(pg, r->allow ? "allow" : "deny");
		device_number(pg, r->type, r->major, r->minor);
		page_printf(pg, "%s%s%s", r->access & 1 ? "r" : "", r->access & 2 ? "w" : "",
			    r->access & 4 ? "m" : "");
	}
	page_end(pg);
}

void explain_devices(struct page *pg, const struct policy *p)
{
	page_head(pg, "Devices");
	page_row(pg, "default");
	for (size_t i = 0; i < p->devices.n; i++)
		if (p->devices.v[i].is_default)
			page_value(pg, p->devices.v[i].path);
	page_end(pg);
	for (size_t i = 0; i < p->devices.n; i++) {
		const struct pol_device *d = &p->devices.v[i];

		if (d->is_default)
			continue;
		page_row(pg, "also");
		page_value(pg, d->path);
		if (d->type == S_IFIFO)
			page_text(pg, "a FIFO");
		else
			device_number(pg, d->type, d->major, d->minor);
		page_printf(pg, "mode %04o of %u:%u", d->mode, d->uid, d->gid);
		page_end(pg);
	}
	explain_rules(pg, p);
}
