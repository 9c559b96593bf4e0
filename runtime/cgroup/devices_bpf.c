/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device rules as a program of cgroup v2 (BPF_PROG_TYPE_CGROUP_DEVICE).
 *
 * Theory of operation: what loading costs is the verifier's walk over all paths, so the program is a
 * decision tree without state: type, then major, then minor, then a jump to one of at most eight leaves,
 * one per set of access bits. The minors of one major that share a leaf are one bit mask instead of a
 * chain of comparisons. Jumps only go forward and name labels, which are patched at the end.
 *
 * The program is attached with BPF_F_ALLOW_MULTI: programs of the cgroups above (systemd's, an outer
 * container's) stay in force, and all of them must agree.
 *
 * RLIMIT_MEMLOCK is left alone: since 5.11 BPF memory is charged to the memory cgroup instead.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "cgroup/internal.h"

/* Labels: the leaf of each access mask, then "this is a character device", then one per major. */
#define LEAF(access) (access)
#define L_CHAR 8
#define L_MAJORS 9

enum reg {
	R_RET = BPF_REG_0,
	R_CTX = BPF_REG_1,
	R_ACCESS = BPF_REG_2,
	R_TYPE = BPF_REG_3,
	R_MAJOR = BPF_REG_4,
	R_MINOR = BPF_REG_5,
};

struct prog {
	struct bpf_insn *v;
	int *label; /* jump target of each instruction, -1: none */
	size_t n, cap;
	size_t *at; /* where each label is */
	int n_labels;
	bool too_big;
};

static void emit(struct prog *p, uint8_t code, uint8_t dst, uint8_t src, int16_t off, int32_t imm,
		 int label)
{
	if (p->n == p->cap) {
		p->too_big = true;
		return;
	}
	p->label[p->n] = label;
	p->v[p->n++] = (struct bpf_insn){
		.code = code,
		.dst_reg = dst & 15,
		.src_reg = src & 15,
		.off = off,
		.imm = imm,
	};
}

static void emit_load(struct prog *p, uint8_t dst, size_t off)
{
	emit(p, BPF_LDX | BPF_MEM | BPF_W, dst, R_CTX, (int16_t) off, 0, -1);
}

static void emit_jump(struct prog *p, uint8_t op, uint8_t reg, int32_t imm, int label)
{
	emit(p, BPF_JMP | op | BPF_K, reg, 0, 0, imm, label);
}

static void emit_goto(struct prog *p, int label)
{
	emit(p, BPF_JMP | BPF_JA, 0, 0, 0, 0, label);
}

static void emit_exit(struct prog *p, int32_t verdict)
{
	emit(p, BPF_ALU64 | BPF_MOV | BPF_K, R_RET, 0, 0, verdict, -1);
	emit(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0, -1);
}

static void put_label(struct prog *p, int label)
{
	p->at[label] = p->n;
}

/* The kernel's bits: mknod 1, read 2, write 4; the policy's: read 1, write 2, mknod 4. */
static int32_t kernel_access(uint8_t access)
{
	return (access & 1 ? BPF_DEVCG_ACC_READ : 0) | (access & 2 ? BPF_DEVCG_ACC_WRITE : 0) |
	       (access & 4 ? BPF_DEVCG_ACC_MKNOD : 0);
}

/* "Is the minor one of these?": jumps to the leaf if so. Minors are below 64 here. */
static void emit_mask(struct prog *p, uint64_t mask, int label)
{
	emit(p, BPF_LD | BPF_IMM | BPF_DW, R_RET, 0, 0, (int32_t) (uint32_t) mask, -1);
	emit(p, 0, 0, 0, 0, (int32_t) (uint32_t) (mask >> 32), -1);
	emit(p, BPF_ALU64 | BPF_RSH | BPF_X, R_RET, R_MINOR, 0, 0, -1);
	emit_jump(p, BPF_JSET, R_RET, 1, label);
}

/* All cells of one major: v[n - 1] is "any other minor". */
static void emit_minors(struct prog *p, const struct cg_dev_cell *v, size_t n)
{
	uint8_t rest = v[n - 1].access;
	uint64_t mask[8] = {0};
	bool small = false;

	for (size_t i = 0; i + 1 < n; i++) {
		if (v[i].access == rest)
			continue;
		if (v[i].minor < 64) {
			mask[v[i].access] |= UINT64_C(1) << v[i].minor;
			small = true;
		} else {
			emit_jump(p, BPF_JEQ, R_MINOR, (int32_t) v[i].minor, LEAF(v[i].access));
		}
	}
	if (small)
		emit_jump(p, BPF_JGT, R_MINOR, 63, LEAF(rest));
	for (uint8_t access = 0; access < 8; access++) {
		if (mask[access] && !(mask[access] & (mask[access] - 1)))
			emit_jump(p, BPF_JEQ, R_MINOR, __builtin_ctzll(mask[access]), LEAF(access));
		else if (mask[access])
			emit_mask(p, mask[access], LEAF(access));
	}
	emit_goto(p, LEAF(rest));
}

static size_t same_major(const struct cg_dev_cell *v, size_t n)
{
	size_t k = 1;

	while (k < n && v[k].type == v[0].type && v[k].major == v[0].major)
		k++;
	return k;
}

/* One type: comparisons with its majors, then what "any other major" means, then the majors. */
static void emit_type(struct prog *p, const struct cg_dev_cell *v, size_t n)
{
	int first = p->n_labels, label = first;
	size_t i, k = 0;

	for (i = 0; v[i].major >= 0; i += k) {
		k = same_major(v + i, n - i);
		emit_jump(p, BPF_JEQ, R_MAJOR, (int32_t) v[i].major, p->n_labels++);
	}
	emit_minors(p, v + i, n - i);
	for (i = 0; v[i].major >= 0; i += k) {
		k = same_major(v + i, n - i);
		put_label(p, label++);
		emit_minors(p, v + i, k);
	}
}

/* Most are used; those that are not cost nothing but a few bytes, except that the verifier refuses
 * instructions that cannot be reached. */
static void emit_leaves(struct prog *p)
{
	bool used[8] = {false};

	for (size_t i = 0; i < p->n; i++)
		if (p->label[i] >= 0 && p->label[i] < 8)
			used[p->label[i]] = true;
	for (uint8_t access = 1; access < 7; access++) {
		if (!used[access])
			continue;
		put_label(p, LEAF(access));
		emit_jump(p, BPF_JSET, R_ACCESS, kernel_access(7 & ~access), LEAF(0));
		emit_goto(p, LEAF(7));
		used[0] = used[7] = true;
	}
	if (used[7]) {
		put_label(p, LEAF(7));
		emit_exit(p, 1);
	}
	if (used[0]) {
		put_label(p, LEAF(0));
		emit_exit(p, 0);
	}
}

static void patch(struct prog *p)
{
	for (size_t i = 0; i < p->n; i++) {
		size_t off;

		if (p->label[i] < 0)
			continue;
		off = p->at[p->label[i]] - i - 1;
		p->too_big |= off > INT16_MAX;
		p->v[i].off = (int16_t) off;
	}
}

int cg_devices_bpf(const struct cg_dev_cells *c, struct arena *a, struct bpf_insn **ret,
		   size_t *ret_n, struct err *e)
{
	/* Per cell at most five instructions (mask 4, goto 1) and a comparison with its major. */
	struct prog p = {.cap = 48 + 6 * c->n, .n_labels = L_MAJORS};
	size_t n_b = 0;

	p.v = arena_array(a, p.cap, sizeof(*p.v));
	p.label = arena_array(a, p.cap, sizeof(*p.label));
	p.at = arena_array(a, L_MAJORS + c->n, sizeof(*p.at));
	while (n_b < c->n && c->v[n_b].type == 'b')
		n_b++;

	emit_load(&p, R_ACCESS, offsetof(struct bpf_cgroup_dev_ctx, access_type));
	emit_load(&p, R_MAJOR, offsetof(struct bpf_cgroup_dev_ctx, major));
	emit_load(&p, R_MINOR, offsetof(struct bpf_cgroup_dev_ctx, minor));
	emit(&p, BPF_ALU64 | BPF_MOV | BPF_X, R_TYPE, R_ACCESS, 0, 0, -1);
	emit(&p, BPF_ALU64 | BPF_AND | BPF_K, R_TYPE, 0, 0, 0xffff, -1);
	emit(&p, BPF_ALU64 | BPF_RSH | BPF_K, R_ACCESS, 0, 0, 16, -1);
	emit_jump(&p, BPF_JEQ, R_TYPE, BPF_DEVCG_DEV_CHAR, L_CHAR);
	emit_jump(&p, BPF_JNE, R_TYPE, BPF_DEVCG_DEV_BLOCK, LEAF(0));
	emit_type(&p, c->v, n_b);
	put_label(&p, L_CHAR);
	emit_type(&p, c->v + n_b, c->n - n_b);
	emit_leaves(&p);
	patch(&p);
	if (p.too_big)
		return err_set(e, -E2BIG,
			       "linux.resources.devices: more than a device program can hold");
	*ret = p.v;
	*ret_n = p.n;
	return 0;
}

static int load(const struct bpf_insn *v, size_t n)
{
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
		.insns = (uintptr_t) v,
		.insn_cnt = (uint32_t) n,
		.license = (uintptr_t) "Apache-2.0",
		.prog_name = "kavach_devices",
	};

	return sys_bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
}

static int attach(int dir, int prog)
{
	union bpf_attr attr = {
		.target_fd = (uint32_t) dir,
		.attach_bpf_fd = (uint32_t) prog,
		.attach_type = BPF_CGROUP_DEVICE,
		.attach_flags = BPF_F_ALLOW_MULTI,
	};

	return sys_bpf(BPF_PROG_ATTACH, &attr, sizeof(attr));
}

int cg_devices_load(const struct cg_hier *h, const struct cg_dev_cells *c, struct arena *a,
		    struct err *e)
{
	fd_auto int prog = -EBADF, dir = -EBADF;
	struct bpf_insn *v;
	char path[PATH_MAX];
	size_t n;
	int r;

	if (c->all) /* nothing to forbid */
		return 0;
	r = cg_devices_bpf(c, a, &v, &n, e);
	if (r < 0)
		return r;
	r = cg_path(path, h, NULL);
	if (r < 0)
		return err_neg(e, r, "linux.resources.devices: the path of the cgroup");
	prog = load(v, n);
	if (prog < 0)
		return err_neg(e, prog, "linux.resources.devices: loading a program of %zu steps",
			       n);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_sys(e, "linux.resources.devices: open %s", path);
	r = attach(dir, prog);
	return r < 0 ? err_neg(e, r, "linux.resources.devices: attaching to %s", path) : 0;
}

/* The kernel's digest of a program's instructions as they were loaded. */
static int tag_of(int prog, uint8_t ret[BPF_TAG_SIZE])
{
	struct bpf_prog_info info = {0};
	union bpf_attr attr = {
		.info = {.bpf_fd = (uint32_t) prog,
			 .info_len = sizeof(info),
			 .info = (uintptr_t) &info},
	};
	int r = sys_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr));

	if (r < 0)
		return r;
	memcpy(ret, info.tag, BPF_TAG_SIZE);
	return 0;
}

static int tag_of_id(uint32_t id, uint8_t ret[BPF_TAG_SIZE])
{
	union bpf_attr attr = {.prog_id = id};
	fd_auto int prog = sys_bpf(BPF_PROG_GET_FD_BY_ID, &attr, sizeof(attr));

	return prog < 0 ? prog : tag_of(prog, ret);
}

#define PROGS_MAX 64 /* the kernel's BPF_CGROUP_MAX_PROGS */

static int attached_ids(const struct cg_hier *h, uint32_t ids[PROGS_MAX], unsigned *ret_n)
{
	char path[PATH_MAX];
	union bpf_attr attr = {0};
	int r = cg_path(path, h, NULL);
	fd_auto int dir = r < 0 ? r : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return r < 0 ? r : -errno;
	attr.query.target_fd = (uint32_t) dir;
	attr.query.attach_type = BPF_CGROUP_DEVICE;
	attr.query.prog_ids = (uintptr_t) ids;
	attr.query.prog_cnt = PROGS_MAX;
	r = sys_bpf(BPF_PROG_QUERY, &attr, sizeof(attr));
	*ret_n = r < 0 ? 0 : attr.query.prog_cnt;
	return r < 0 ? r : 0;
}

/* All programs of a cgroup have to agree, so others beside ours take nothing away. */
int cg_devices_attached(const struct cg_hier *h, const struct cg_dev_cells *c, struct arena *a,
			unsigned *ret_n)
{
	uint8_t want[BPF_TAG_SIZE], have[BPF_TAG_SIZE];
	struct err ignored = ERR_INIT;
	uint32_t ids[PROGS_MAX];
	fd_auto int prog = -EBADF;
	struct bpf_insn *v;
	size_t n;
	int r = attached_ids(h, ids, ret_n);

	if (r < 0 || c->all)
		return r < 0 ? r : 1;
	r = cg_devices_bpf(c, a, &v, &n, &ignored);
	if (r < 0)
		return r;
	prog = load(v, n); /* for its digest; it is attached nowhere */
	r = prog < 0 ? prog : tag_of(prog, want);
	for (unsigned i = 0; i < *ret_n && r == 0; i++) {
		r = tag_of_id(ids[i], have);
		if (r == 0 && memcmp(want, have, sizeof(want)) == 0)
			return 1;
	}
	return r;
}
