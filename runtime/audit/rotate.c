/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A further file. The key block names the file that is written to, so the empty file is made first and the block is
 * written next: killed in between, there is an empty file that the next rotation takes.
 */
#include "audit/internal.h"

#include <unistd.h>

int audit_rotate(struct audit *a, struct audit_state *s, const struct audit_settings *set,
		 uint64_t *ret_kept, struct err *e)
{
	arena_auto mem = {0};
	struct audit_state next = *s;
	struct u64s files;
	int r;

	next.first = s->seq;
	next.size = 0;
	r = audit_open_log(a, next.first, true);
	if (r < 0)
		return err_neg(e, r, "making a further file of the audit log %s", a->dir);
	if (set->fsync && fsync(a->dir_fd) < 0)
		return err_sys(e, "writing the directory of the audit log %s to the disk", a->dir);
	r = audit_state_save(a->key_fd, &next, set->fsync, e);
	if (r == 0)
		r = audit_files(a->dir_fd, &mem, &files, e);
	if (r < 0)
		return r;
	*s = next;
	/* the new one is the last of them */
	*ret_kept = set->keep && files.n > set->keep + 1 ? files.v[files.n - 1 - set->keep]
							 : files.v[0];
	return 0;
}

void audit_remove_before(struct audit *a, uint64_t kept)
{
	arena_auto mem = {0};
	struct err ignored = ERR_INIT;
	char name[AUDIT_NAME_MAX];
	struct u64s files;

	if (audit_files(a->dir_fd, &mem, &files, &ignored) < 0)
		return;
	for (size_t i = 0; i < files.n && files.v[i] < kept; i++) {
		audit_file_name(files.v[i], name);
		(void) unlinkat(a->dir_fd, name, 0); /* the next rotation tries again */
	}
}
