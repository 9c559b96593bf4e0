/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of cgroup/ share with each other and with their unit tests. */
#ifndef KAVACH_CGROUP_INTERNAL_H
#define KAVACH_CGROUP_INTERNAL_H

#include <limits.h>

#include "base/str.h"
#include "cgroup/cgroup.h"

#define CG_ROOT "/sys/fs/cgroup"

/* ---- hierarchies (layout.c) ---- */

enum cg_ctl {
	CTL_CPU,
	CTL_CPUACCT,
	CTL_CPUSET,
	CTL_MEMORY,
	CTL_BLKIO,
	CTL_PIDS,
	CTL_DEVICES,
	CTL_FREEZER,
	CTL_HUGETLB,
	CTL_NET_CLS,
	CTL_NET_PRIO,
	CTL_RDMA,
	CTL_MAX
};

/* cg_ctl_name: "blkio" or "io", as the version calls it. */
const char *cg_ctl_name(enum cg_ctl c, bool v2);
/* cg_unified: the cgroup2 directory, alone or beside v1 hierarchies; NULL on pure v1. */
const struct cg_hier *cg_unified(const struct cg *cg);
static inline bool cg_hier_is_v2(const struct cg_hier *h)
{
	return h->name[0] == '\0';
}
/* cg_hier_v1: the v1 hierarchy that a controller is mounted in, or NULL. */
const struct cg_hier *cg_hier_v1(const struct cg *cg, const char *controller);
/* cg_where: where to look for a controller: its v1 hierarchy, else the cgroup2 one, else NULL. */
const struct cg_hier *cg_where(const struct cg *cg, enum cg_ctl c);
/* cg_has_word: whether a list with separators (" " or ",") holds the word. */
bool cg_has_word(const char *list, const char *word, char sep);

/* ---- files (file.c) ---- */

/* cg_path: "<mount><path>/<file>" (file may be NULL); -ENAMETOOLONG. */
int cg_path(char buf[PATH_MAX], const struct cg_hier *h, const char *file);
/* cg_read: io_read_small of a file in the directory. */
ssize_t cg_read(const struct cg_hier *h, const char *file, char *buf, size_t size);
/* cg_read_u64: a file with one number; "max" and negative numbers are UINT64_MAX. */
int cg_read_u64(const struct cg_hier *h, const char *file, uint64_t *ret);
/* cg_write: one write. *ret_opened (may be NULL): the file could be opened for writing. */
int cg_write(const struct cg_hier *h, const char *file, const char *value, bool *ret_opened);
/* cg_flat_get: the number after "key " at the start of a line; false when there is none. */
bool cg_flat_get(const char *text, const char *key, uint64_t *ret);

/* ---- conversions (convert.c) ---- */

uint64_t cg_shares_to_weight(uint64_t shares);
uint64_t cg_blkio_to_io_weight(uint64_t weight);

/* ---- knobs (knobs.c): from resources to file contents, pure ---- */

enum {
	CGK_OPTIONAL = 1 << 0, /* a kernel without the file has the same effect */
	CGK_RETRY = 1 << 1, /* EINVAL now may be fine after the others of this round were written */
};

struct cg_knob {
	const char *field; /* "linux.resources.memory.limit", for messages */
	const char *ctl;   /* controller, in the version's words; NULL: core file of v2 */
	bool v2;	   /* which hierarchy: cgroup2 or the controller's v1 */
	bool done;	   /* given up (rootless): not to be written any more */
	const char *file, *value;
	const char *alt_file, *alt_value; /* instead, when the kernel has no `file`; may be NULL */
	unsigned flags;
};

struct cg_knobs {
	struct cg_knob *v;
	size_t n, cap;
};

/* What the decision depends on beside the resources. */
struct cg_world {
	uint8_t version[CTL_MAX]; /* 1, 2, or 0: nowhere */
	bool update;		  /* there are old values; the fields below are them */
	struct opt_u64 mem_limit, memsw_limit,
		mem_usage; /* UINT64_MAX = unlimited; v2 swap: not needed */
	char *cpu_quota;   /* v2: first word of cpu.max, NULL = unknown */
};

/* cgroup_knobs: what to write where, in order. Strings are in the arena or constant. -EINVAL: values that contradict
 * each other; -EOPNOTSUPP: a v1 setting without a counterpart on v2 (S-49). */
int cgroup_knobs(const struct pol_resources *r, const struct cg_world *w, struct arena *a,
		 struct cg_knobs *ret, struct err *e);

/* ---- applying (apply.c, enable.c) ---- */

/* cg_world_of: fills the versions; with `update`, reads the old values that r needs. */
int cg_world_of(const struct cg *cg, const struct pol_resources *r, bool update,
		struct cg_world *ret, struct arena *a, struct err *e);
/* cg_note: a limit cannot be applied, which rootless containers live with: warns, appends e to cg->error, clears e. */
void cg_note(struct cg *cg, struct err *e);
/* cg_enable: hands the controllers that the knobs need down from the root of cgroup2 to the container, and those that
 * statistics like to have if it costs nothing. With `note` a failure is left for cg_apply to find. */
int cg_enable(const struct cg *cg, const struct cg_knobs *k, struct cg *note, struct err *e);
/* cg_apply: writes them. With `note`, knobs that are out of reach go there (cg_note) instead of failing. */
int cg_apply(const struct cg *cg, struct cg_knobs *k, struct cg *note, struct err *e);

/* ---- devices (devices.c, devices_v1.c, devices_bpf.c) ---- */

/* One cell of the device space; -1: all numbers that no other cell names. */
struct cg_dev_cell {
	char type; /* 'b' or 'c' */
	int64_t major, minor;
	uint8_t access; /* what is allowed: 1 read, 2 write, 4 mknod */
};
struct cg_dev_cells {
	struct cg_dev_cell *v; /* sorted: type, major, minor; -1 last in its group */
	size_t n;
	bool all; /* everything is allowed */
};

/* cg_devices_resolve: ordered rules to cells: the last rule that matches a device decides for each access bit; what no
 * rule matches is denied. */
void cg_devices_resolve(const struct pol_device_rule *rules, size_t n, struct arena *a,
			struct cg_dev_cells *ret);
/* cg_devices_v1: lines for devices.deny and, after that, devices.allow. -EOPNOTSUPP when the v1 list, which cannot
 * make exceptions from exceptions, would allow more than the rules. */
int cg_devices_v1(const struct cg_dev_cells *c, struct arena *a, struct strs *ret_deny,
		  struct strs *ret_allow, struct err *e);
struct bpf_insn;
/* cg_devices_bpf: the BPF_PROG_TYPE_CGROUP_DEVICE program. -E2BIG: too many rules. */
int cg_devices_bpf(const struct cg_dev_cells *c, struct arena *a, struct bpf_insn **ret,
		   size_t *ret_n, struct err *e);
int cg_devices_write(const struct cg_hier *h, const struct cg_dev_cells *c, struct arena *a,
		     struct err *e);
int cg_devices_load(const struct cg_hier *h, const struct cg_dev_cells *c, struct arena *a,
		    struct err *e);
/* cg_devices_apply: whichever the host has. */
int cg_devices_apply(const struct cg *cg, const struct pol_resources *r, struct err *e);

/* cg_devices_compare: whether a text of devices.list is what cg_devices_write() has made. */
enum cg_verdict cg_devices_compare(const struct cg_dev_cells *c, const char *text, struct arena *a);
/* cg_devices_attached: whether the program of these cells is attached to the directory, and no other of ours: 1 or 0;
 * -errno: the kernel does not say. *ret_n: how many programs are. */
int cg_devices_attached(const struct cg_hier *h, const struct cg_dev_cells *c, struct arena *a,
			unsigned *ret_n);

/* ---- comparing (inspect.c) ---- */

/* cg_compare: what a file says against what was written to it. */
enum cg_verdict cg_compare(const char *file, const char *want, const char *have);

/* ---- processes (pids.c) ---- */

/* cg_hier_pids: pids in one hierarchy's directory and below, sorted, each once. A missing directory has none. */
int cg_hier_pids(const struct cg_hier *h, struct arena *a, struct u64s *ret, struct err *e);
/* cg_main: the hierarchy whose lists speak for all: unified, else the first v1 one. NULL: no cgroup. */
const struct cg_hier *cg_main(const struct cg *cg);

/* ---- waiting (wait.c) ---- */

/* cg_wait_key: waits until the line "key value" stands in cgroup.events, by the kernel's notification. Returns 0,
 * -ETIMEDOUT, or -errno. */
int cg_wait_key(const struct cg_hier *h, const char *key, uint64_t value, int timeout_ms);
int64_t cg_now_ms(void);
void cg_sleep_ms(unsigned ms);

#endif
