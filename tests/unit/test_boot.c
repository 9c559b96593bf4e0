/* SPDX-License-Identifier: Apache-2.0 */
/* libs: exec policy base */
/* The boot block: what the host's side encodes is what the stage decodes; what it could not have encoded is refused. */
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "exec/stage.h"
#include "tests/unit/tap.h"

static struct arena a;

/* Every member set to something that is not its zero. */
static struct stage_boot full(void)
{
	struct stage_boot b = {
		.mode = STAGE_CREATE,
		.policy = {(uint8_t *) arena_strdup(&a, "policy"), 6},
		.process = {(uint8_t *) arena_strdup(&a, "proc"), 4},
		.new_userns = true,
		.joined_userns = true,
		.rootless = true,
		.setgroups_denied = true,
		.join_here = true,
		.create_ns = 0x20000,
		.target_pidfd = 30,
		.target_ns = 0x40000,
		.pid_fd = 31,
		.secrets_fd = 32,
		.unshare_cgroup = true,
		.host_cgroupns = true,
		.sync_fd = 5,
		.start_fd = 6,
		.console_fd = 7,
		.proc_fd = 8,
		.cg_layout = 2,
		.cg_v2_path = arena_strdup(&a, "/sys/fs/cgroup/x"),
		.rootfs_fd = 9,
		.preserve_fds = 1,
		.listen_fds = 1,
		.listen_fdnames = arena_strdup(&a, "one"),
		.id = arena_strdup(&a, "box"),
		.bundle = arena_strdup(&a, "/bundle"),
		.oci_version = arena_strdup(&a, "1.3.0"),
		.chown_stdio = true,
	};

	b.filters.v = arena_array(&a, 2, sizeof(struct stage_filter));
	b.filters.v[0] = (struct stage_filter){.bpf = {(uint8_t *) arena_strdup(&a, "12345678"), 8},
					       .flags = 1ull << 40 | 2};
	b.filters.v[1] = b.filters.v[0];
	b.filters.v[1].notify = true;
	b.filters.n = 2;
	b.tasks_fds.v = arena_array(&a, 2, sizeof(uint64_t));
	b.tasks_fds.v[0] = 20;
	b.tasks_fds.v[1] = 21;
	b.tasks_fds.n = 2;
	b.join_fds.v = arena_array(&a, 1, sizeof(uint64_t));
	b.join_fds.v[0] = 22;
	b.join_flags.v = arena_array(&a, 1, sizeof(uint64_t));
	b.join_flags.v[0] = 0x40000000;
	b.join_fds.n = b.join_flags.n = 1;
	b.mount_fds.v = arena_new(&a, struct stage_fd);
	b.mount_fds.v[0] = (struct stage_fd){.index = 3, .fd = 11};
	b.mount_fds.n = 1;
	b.cg_binds.v = arena_new(&a, struct stage_cg_bind);
	b.cg_binds.v[0] = (struct stage_cg_bind){.fd = 12, .name = arena_strdup(&a, "memory")};
	b.cg_binds.n = 1;
	b.hook_env = str_split(&a, "A=1 B=2", ' ');
	b.annotations.v = arena_new(&a, struct kv);
	b.annotations.v[0] = (struct kv){arena_strdup(&a, "k"), arena_strdup(&a, "v")};
	b.annotations.n = 1;
	return b;
}

static int decode(const struct stage_boot *in, struct stage_boot *out, struct err *e)
{
	buf_auto b = BUF_WRITER(1u << 20);

	codec_encode(&b, &stage_boot_table, in);
	if (b.bad)
		bail_out("encoding");
	return stage_boot_decode(b.p, b.n, &a, out, e);
}

static void unmount(struct stage_boot *b, const char *place)
{
	b->unmounts.v = arena_new(&a, struct stage_unmount);
	b->unmounts.v[0] = (struct stage_unmount){.destination = place ? arena_strdup(&a, place)
								       : NULL,
						  .id = 1ull << 33,
						  .unique = true};
	b->unmounts.n = 1;
}

static void test_mounts_mode(void)
{
	struct stage_boot in = full(), out = {0};
	struct err e = ERR_INIT;

	in.mode = STAGE_MOUNTS;
	in.process.n = 0;
	unmount(&in, "/data");
	is_int(decode(&in, &out, &e), 0, "mounts to take away come through: %s", e.msg);
	ok(out.unmounts.n == 1 && out.unmounts.v[0].id == 1ull << 33 && out.unmounts.v[0].unique,
	   "with their ids");
	is_str(out.unmounts.v[0].destination, "/data", "and places");
}

static void test_round_trip(void)
{
	struct stage_boot in = full(), out = {0};
	buf_auto one = BUF_WRITER(1u << 20), two = BUF_WRITER(1u << 20);
	struct err e = ERR_INIT;

	is_int(decode(&in, &out, &e), 0, "a full boot block comes through: %s", e.msg);
	codec_encode(&one, &stage_boot_table, &in);
	codec_encode(&two, &stage_boot_table, &out);
	ok(one.n == two.n && !memcmp(one.p, two.p, one.n), "its encoding is the same again");
	is_int(out.sync_fd, 5, "numbers");
	ok(out.filters.n == 2 && out.filters.v[1].notify, "filters in their order");
	is_int(out.filters.v[0].flags, 1ll << 40 | 2, "wide numbers");
	is_str(out.listen_fdnames, "one", "strings");
	ok(out.cg_binds.n == 1 && !out.cg_binds.v[0].source && out.cg_binds.v[0].fd == 12,
	   "lists of structures, absent strings");
	ok(out.mount_fds.n == 1 && out.mount_fds.v[0].index == 3, "mount sources");
	ok(out.hook_env.n == 2 && !strcmp(out.hook_env.v[1], "B=2"), "lists of strings");
	ok(out.annotations.n == 1 && !strcmp(out.annotations.v[0].val, "v"), "maps");
	ok(out.policy.n == 6 && !memcmp(out.policy.v, "policy", 6), "bytes");
}

/* Members that no row encodes would silently be 0 in the stage. */
static void test_every_member_has_a_row(void)
{
	size_t covered = 0;

	for (size_t i = 0; i < stage_boot_table.n; i++) {
		static const size_t size[] = {
			[C_BOOL] = sizeof(bool),
			[C_U32] = 4,
			[C_I32] = 4,
			[C_U64] = 8,
			[C_STR] = sizeof(char *),
			[C_STRS] = sizeof(struct strs),
			[C_KVS] = sizeof(struct kvs),
			[C_U64S] = sizeof(struct u64s),
			[C_BYTES] = sizeof(struct bytes),
			[C_OBJS] = sizeof(struct kvs),
		};
		covered += size[stage_boot_table.f[i].kind];
	}
	/* what is not covered is padding: less than one pointer per change of size */
	ok(sizeof(struct stage_boot) - covered < 48,
	   "every member of the boot block has a row (%zu of %zu bytes)", covered,
	   sizeof(struct stage_boot));
}

#define REFUSES(change, what)                                                                      \
	do {                                                                                       \
		struct stage_boot in = full(), out = {0};                                          \
		struct err e = ERR_INIT;                                                           \
		change;                                                                            \
		is_int(decode(&in, &out, &e), -EBADMSG, "refuses " what);                          \
		ok(e.msg[0], "with words: %s", e.msg);                                             \
	} while (0)

static void test_refusals(void)
{
	REFUSES(in.mode = 0, "no mode");
	REFUSES(in.mode = 4, "an unknown mode");
	REFUSES((in.mode = STAGE_MOUNTS, in.policy.n = 0), "mounts without a policy");
	REFUSES((in.mode = STAGE_MOUNTS, unmount(&in, "relative")), "a mount at a relative path");
	REFUSES((in.mode = STAGE_MOUNTS, unmount(&in, NULL)), "a mount without a path");
	REFUSES(unmount(&in, "/data"), "a mount to take from a container that is created");
	REFUSES(in.policy.n = 0, "a container without a policy");
	REFUSES((in.mode = STAGE_EXEC, in.process.n = 0), "an exec without a process");
	REFUSES(in.id = NULL, "no id");
	REFUSES(in.filters.v[1].bpf.n = 7, "a filter of odd size");
	REFUSES(in.filters.v[0].bpf.n = 0, "an empty filter");
	REFUSES(in.filters.v[0].notify = true, "a listener before the last filter");
	REFUSES((in.filters.v = arena_array(&a, 17, sizeof(struct stage_filter)),
		 in.filters.n = 17),
		"more filters than there can be");
	REFUSES(in.sync_fd = -1, "no sync socket");
	REFUSES(in.sync_fd = 2, "stderr as the sync socket");
	REFUSES(in.start_fd = 0, "stdin as the start socket");
	REFUSES(in.tasks_fds.v[1] = 1, "stdout as a cgroup file");
	REFUSES(in.tasks_fds.v[1] = 1ull << 32, "a descriptor that is no int");
	REFUSES(in.preserve_fds = 2, "the sync socket among the preserved descriptors");
	REFUSES(in.sync_fd = 4, "the sync socket among the socket-activated and preserved ones");
	REFUSES(in.join_flags.n = 0, "namespaces without their types");
	REFUSES(in.join_fds.v[0] = 3, "a namespace among the preserved descriptors");
	REFUSES(in.pid_fd = 4, "the pipe for the pid among the preserved descriptors");
	REFUSES(in.secrets_fd = 4, "the pipe with secrets among the preserved descriptors");
	REFUSES(in.preserve_fds = UINT32_MAX, "more preserved descriptors than there can be");
	REFUSES((in.sync_fd = 15, in.start_fd = 16, in.console_fd = in.proc_fd = in.rootfs_fd = -1,
		 in.preserve_fds = 8),
		"a mount source among the preserved descriptors");
}

static void test_damage(void)
{
	struct stage_boot in = full();
	buf_auto b = BUF_WRITER(1u << 20);
	unsigned accepted = 0;

	codec_encode(&b, &stage_boot_table, &in);
	for (size_t n = 0; n < b.n; n++) {
		struct stage_boot out = {0};
		struct err e = ERR_INIT;

		accepted += stage_boot_decode(b.p, n, &a, &out, &e) == 0;
	}
	is_int(accepted, 0, "no beginning of a boot block is one");
	buf_put_u8(&b, 0);
	struct stage_boot out = {0};
	struct err e = ERR_INIT;
	is_int(stage_boot_decode(b.p, b.n, &a, &out, &e), -EBADMSG, "nothing may follow it");
	ok(out.mode == 0, "a refused block leaves nothing behind");
}

int main(void)
{
	test_round_trip();
	test_mounts_mode();
	test_every_member_has_a_row();
	test_refusals();
	test_damage();
	arena_free(&a);
	return done();
}
