/* SPDX-License-Identifier: Apache-2.0 */
/* The boot block's fields for the codec, and what a stage checks before it believes one. */
#include "base/types.h"
#include "exec/stage.h"

/* clang-format off */
#define KIND(m)                                                                                     \
	_Generic(((ST *) 0)->m,                                                                     \
		bool: C_BOOL, uint32_t: C_U32, int32_t: C_I32, uint64_t: C_U64, char *: C_STR,      \
		struct strs: C_STRS, struct kvs: C_KVS, struct u64s: C_U64S, struct bytes: C_BYTES)
#define F(m) {.name = #m, .kind = KIND(m), .off = offsetof(ST, m)}
#define FL(m, t) {.name = #m, .kind = C_OBJS, .off = offsetof(ST, m), .sub = &(t)}
/* clang-format on */

#define ST struct stage_fd
static const struct cfield fd_rows[] = {F(index), F(fd), F(set)};
static const struct ctable fd_table = {"stage_fd", fd_rows, ARRAY_LEN(fd_rows), sizeof(ST)};
#undef ST

#define ST struct stage_filter
static const struct cfield filter_rows[] = {F(bpf), F(flags), F(notify)};
static const struct ctable filter_table = {"stage_filter", filter_rows, ARRAY_LEN(filter_rows),
					   sizeof(ST)};
#undef ST

#define ST struct stage_cg_bind
static const struct cfield cg_bind_rows[] = {F(fd), F(source), F(name)};
static const struct ctable cg_bind_table = {"stage_cg_bind", cg_bind_rows, ARRAY_LEN(cg_bind_rows),
					    sizeof(ST)};
#undef ST

#define ST struct stage_unmount
static const struct cfield unmount_rows[] = {F(destination), F(id), F(unique)};
static const struct ctable unmount_table = {"stage_unmount", unmount_rows, ARRAY_LEN(unmount_rows),
					    sizeof(ST)};
#undef ST

#define ST struct stage_boot
static const struct cfield boot_rows[] = {
	F(mode),
	F(policy),
	F(process),
	FL(filters, filter_table),
	FL(landlock, policy_landlock_table),
	F(new_userns),
	F(joined_userns),
	F(rootless),
	F(setgroups_denied),
	F(join_here),
	F(pid_fd),
	F(create_ns),
	F(join_fds),
	F(join_flags),
	F(target_pidfd),
	F(target_ns),
	F(unshare_cgroup),
	F(host_cgroupns),
	F(sync_fd),
	F(start_fd),
	F(console_fd),
	F(console_rows),
	F(console_columns),
	F(proc_fd),
	F(tasks_fds),
	FL(mount_fds, fd_table),
	FL(cg_binds, cg_bind_table),
	FL(unmounts, unmount_table),
	F(cg_layout),
	F(cg_v2_path),
	F(secrets_fd),
	F(rootfs_fd),
	F(preserve_fds),
	F(listen_fds),
	F(listen_fdnames),
	F(hook_env),
	F(id),
	F(bundle),
	F(oci_version),
	F(annotations),
	F(chown_stdio),
	F(slow_paths),
};
const struct ctable stage_boot_table = {"stage_boot", boot_rows, ARRAY_LEN(boot_rows), sizeof(ST)};
#undef ST

/* sock_filter: 8 bytes; BPF_MAXINSNS: 4096. */
static bool bpf_fits(const struct bytes *b)
{
	return b->n && b->n % 8 == 0 && b->n / 8 <= 4096;
}

static int check_filters(const struct stage_boot *b, struct err *e)
{
	if (b->filters.n > STAGE_FILTERS_MAX)
		return err_set(e, -EBADMSG, "boot block: %zu seccomp programs", b->filters.n);
	for (size_t i = 0; i < b->filters.n; i++) {
		if (!bpf_fits(&b->filters.v[i].bpf))
			return err_set(e, -EBADMSG, "boot block: %zu bytes are no seccomp program",
				       b->filters.v[i].bpf.n);
		if (b->filters.v[i].notify && i + 1 < b->filters.n)
			return err_set(e, -EBADMSG,
				       "boot block: a listener before the last seccomp program");
	}
	return 0;
}

#define PASSED_MAX (1u << 20)

static bool all_above(const struct u64s *fds, int64_t min)
{
	for (size_t i = 0; i < fds->n; i++)
		if (fds->v[i] < (uint64_t) min || fds->v[i] > INT32_MAX)
			return false;
	return true;
}

/* Ours are neither stdio nor in the range that goes to the workload: a sync socket in there would be handed to it. */
static bool fds_fit(const struct stage_boot *b)
{
	const int32_t fds[] = {b->start_fd,	b->console_fd, b->proc_fd,   b->rootfs_fd,
			       b->target_pidfd, b->pid_fd,     b->secrets_fd};
	int64_t min;

	if (b->listen_fds > PASSED_MAX || b->preserve_fds > PASSED_MAX)
		return false;
	min = 3 + (int64_t) b->listen_fds + b->preserve_fds;
	if (b->sync_fd < min || !all_above(&b->tasks_fds, min) || !all_above(&b->join_fds, min))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		if (fds[i] >= 0 && fds[i] < min)
			return false;
	for (size_t i = 0; i < b->mount_fds.n; i++)
		if (b->mount_fds.v[i].fd >= 0 && b->mount_fds.v[i].fd < min)
			return false;
	for (size_t i = 0; i < b->cg_binds.n; i++)
		if (b->cg_binds.v[i].fd >= 0 && b->cg_binds.v[i].fd < min)
			return false;
	return true;
}

static bool unmounts_fit(const struct stage_boot *b)
{
	for (size_t i = 0; i < b->unmounts.n; i++)
		if (!b->unmounts.v[i].destination || b->unmounts.v[i].destination[0] != '/')
			return false;
	return b->mode == STAGE_MOUNTS || !b->unmounts.n;
}

int stage_boot_decode(const void *p, size_t n, struct arena *a, struct stage_boot *ret,
		      struct err *e)
{
	struct buf b = BUF_READER(p, n);
	struct stage_boot boot = {0};

	codec_decode(&b, &stage_boot_table, &boot, a);
	if (b.bad || buf_left(&b) != 0)
		return err_set(e, -EBADMSG,
			       "the boot block of the container's first process is malformed");
	if (boot.mode < STAGE_CREATE || boot.mode > STAGE_MOUNTS)
		return err_set(e, -EBADMSG, "boot block: unknown mode %u", boot.mode);
	if (boot.mode == STAGE_EXEC ? !boot.process.n : !boot.policy.n)
		return err_set(e, -EBADMSG, "boot block: nothing to run");
	if (!unmounts_fit(&boot))
		return err_set(e, -EBADMSG, "boot block: a mount without a place");
	if (!boot.id || !boot.bundle || !boot.oci_version)
		return err_set(e, -EBADMSG, "boot block: the container has no name");
	if (check_filters(&boot, e) < 0)
		return e->code;
	if (boot.join_fds.n != boot.join_flags.n)
		return err_set(e, -EBADMSG, "boot block: namespaces without their types");
	if (!fds_fit(&boot))
		return err_set(e, -EBADMSG,
			       "boot block: a descriptor of ours is among those for the workload");
	*ret = boot;
	return 0;
}
