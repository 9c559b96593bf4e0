/* SPDX-License-Identifier: Apache-2.0 */
/* `kavach check`: a table of rows, what was found for each, and which backends can start a container here. */
#ifndef KAVACH_HOST_CHECK_H
#define KAVACH_HOST_CHECK_H

#include "base/buf.h"
#include "base/err.h"
#include "base/types.h"
#include "host/hint.h"
#include "host/look.h"

enum check_backend { CHECK_PROCESS, CHECK_VM, CHECK_SNP, CHECK_BACKENDS };
#define CHECK_ALL ((1u << CHECK_BACKENDS) - 1)

enum check_state { CHECK_OK, CHECK_LIMITED, CHECK_MISSING };

/* What a row found. fact: one line, what was seen; fixes: what to do, nothing when all is well. */
struct finding {
	enum check_state state;
	unsigned stops; /* backends (bits) that cannot start anything because of this */
	char *fact;
	struct strs fixes;
	struct kv values[8]; /* for programs: names that stay as they are */
	size_t n_values;
	struct arena *a;
};

enum check_group { GROUP_HOST, GROUP_VM, GROUP_SNP, GROUP_MAX };

struct check_row {
	const char *name;
	enum check_group group;
	void (*look)(const struct look *l, struct finding *f);
};

extern const struct check_row check_rows[];
extern const size_t check_rows_n;

/* ---- for the rows ---- */
/* finding_say: adds to the fact, after "; " if there is one. */
void finding_say(struct finding *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* finding_is: makes the state at least this bad, and adds backends that it stops. */
void finding_is(struct finding *f, enum check_state state, unsigned stops);
void finding_fix(struct finding *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* finding_hint: cause into the fact, fix to the fixes. */
void finding_hint(struct finding *f, const struct hint *h);
void finding_value(struct finding *f, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* check_kvm: row_kvm() without what follows from it; whether a guest ran. */
bool check_kvm(const struct look *l, struct finding *f);

void row_kernel(const struct look *l, struct finding *f);
void row_namespaces(const struct look *l, struct finding *f);
void row_userns(const struct look *l, struct finding *f);
void row_subids(const struct look *l, struct finding *f);
void row_idhelpers(const struct look *l, struct finding *f);
void row_idmap(const struct look *l, struct finding *f);
void row_cgroup(const struct look *l, struct finding *f);
void row_systemd(const struct look *l, struct finding *f);
void row_seccomp(const struct look *l, struct finding *f);
void row_lsm(const struct look *l, struct finding *f);
void row_privilege(const struct look *l, struct finding *f);
void row_limits(const struct look *l, struct finding *f);
void row_state(const struct look *l, struct finding *f);
void row_devices(const struct look *l, struct finding *f);
void row_criu(const struct look *l, struct finding *f);
void row_clock(const struct look *l, struct finding *f);
void row_build(const struct look *l, struct finding *f);
void row_kvm(const struct look *l, struct finding *f);
void row_qemu(const struct look *l, struct finding *f);
void row_firmware(const struct look *l, struct finding *f);
void row_guest(const struct look *l, struct finding *f);
void row_mkfs(const struct look *l, struct finding *f);
void row_virtiofsd(const struct look *l, struct finding *f);
void row_vhost(const struct look *l, struct finding *f);
void row_tun(const struct look *l, struct finding *f);
void row_sev_cpu(const struct look *l, struct finding *f);
void row_sev_kvm(const struct look *l, struct finding *f);
void row_sev_firmware(const struct look *l, struct finding *f);
void row_sev_device(const struct look *l, struct finding *f);

/* ---- the report ---- */
struct report {
	const struct look *look;
	bool *shown; /* by row */
	struct finding *found;
	unsigned stopped; /* backends that some row stops */
	unsigned asked;	  /* backends to tell of */
	unsigned advise;  /* groups whose fixes the screen has, as bits */
	bool partial;	  /* only some rows were asked for: nothing can be said of backends */
	bool missing;	  /* some row of these is */
};

/* check_find: index of a row, or -1. */
int check_find(const char *name);
/* check_run: looks at the rows in `names`; n 0: all. backend: CHECK_BACKENDS for all, else only the rows that have
 * to do with it. An unknown name is an error that lists the known ones. */
int check_run(const struct look *l, char *const *names, size_t n, enum check_backend backend,
	      struct report *ret, struct err *e);
/* check_screen: for a person, 80 columns; colour: with escape sequences for a terminal. */
void check_screen(struct buf *b, const struct report *r, bool colour);
void check_json(struct buf *b, const struct report *r);

const char *check_backend_name(enum check_backend b);

#endif
