/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profile -> numbers -> program: the only file that knows libseccomp. It asks it for the numbers;
 * the program is ours (range.c) for the ABIs that engines list, libseccomp's for the others.
 *
 * What a profile means is what libseccomp makes of it, because runc and crun hand it over in the
 * same way and profiles are tested with them:
 * - A rule whose action is the default one says nothing (libseccomp refuses it): left out.
 * - All conditions of a rule must hold; but when two of them look at the same argument, which
 *   libseccomp cannot express, each becomes a rule of its own: any of them is enough. runc and crun
 *   do so, and profiles rely on it (youki#3489).
 * - For one call, the first rule without conditions decides alone, whatever else is said about it.
 * - Of rules with conditions that hold at the same time, the strictest wins.
 * - A call of an architecture that the profile does not list kills the process. runc and crun leave
 *   it at libseccomp's kill of one thread, which a program with threads survives, damaged.
 *
 * libseccomp is told to take all actions as supported, instead of asking the kernel it runs on: the
 * program depends on profile and library only and can be cached. The kernel checks at load. Only a
 * supervisor (NOTIFY) is checked here, because what goes wrong at load is harder to explain.
 */
#include "seccomp/filter.h"

#include <ctype.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "base/types.h"

#define NOTIFY_API 5	   /* libseccomp's API level with NOTIFY: Linux 5.0 */
#define NOTIFY_TSYNC_API 6 /* NOTIFY together with TSYNC: Linux 5.7 */
#define RULES_MAX 65536	   /* names times conditions that we look at */

_Static_assert((int) OP_NE == (int) SCMP_CMP_NE && (int) OP_LT == (int) SCMP_CMP_LT &&
		       (int) OP_LE == (int) SCMP_CMP_LE && (int) OP_EQ == (int) SCMP_CMP_EQ &&
		       (int) OP_GE == (int) SCMP_CMP_GE && (int) OP_GT == (int) SCMP_CMP_GT &&
		       (int) OP_MASKED_EQ == (int) SCMP_CMP_MASKED_EQ,
	       "operators are libseccomp's");
_Static_assert(FILTER_TOKEN_X32 == SCMP_ARCH_X32, "x32's token is libseccomp's");

static const struct {
	uint32_t ret;
	uint32_t data_max; /* largest errnoRet; 0 = the action takes none */
} actions[] = {
	[POL_ACT_KILL_THREAD] = {SECCOMP_RET_KILL_THREAD, 0},
	[POL_ACT_KILL_PROCESS] = {SECCOMP_RET_KILL_PROCESS, 0},
	[POL_ACT_TRAP] = {SECCOMP_RET_TRAP, 0},
	[POL_ACT_ERRNO] = {SECCOMP_RET_ERRNO, 4094}, /* libseccomp takes less than MAX_ERRNO */
	[POL_ACT_TRACE] = {SECCOMP_RET_TRACE, SECCOMP_RET_DATA},
	[POL_ACT_ALLOW] = {SECCOMP_RET_ALLOW, 0},
	[POL_ACT_LOG] = {SECCOMP_RET_LOG, 0},
	[POL_ACT_NOTIFY] = {SECCOMP_RET_USER_NOTIF, 0},
};

static int action_ret(uint32_t action, uint32_t errno_ret, uint32_t *ret, struct err *e)
{
	if (action < POL_ACT_KILL_THREAD || action >= ARRAY_LEN(actions))
		return err_set(e, -EINVAL, "action number %u is not known", action);
	*ret = actions[action].ret;
	if (actions[action].data_max == 0)
		return 0;
	if (errno_ret > actions[action].data_max)
		return err_set(e, -ERANGE, "errno %u is larger than %u", errno_ret,
			       actions[action].data_max);
	*ret |= errno_ret;
	return 0;
}

/* ---- architectures ---- */

static bool abi_seen(const struct filter *f, uint32_t token)
{
	for (size_t i = 0; i < f->n_abis; i++)
		if (f->abi[i].token == token)
			return true;
	return false;
}

static int add_abi(struct filter *f, const char *name, uint32_t token, struct err *e)
{
	if (abi_seen(f, token))
		return 0;
	if ((token ^ seccomp_arch_native()) & __AUDIT_ARCH_LE)
		return err_set(e, -EINVAL, "%s: this machine has the other byte order", name);
	if (f->n_abis == FILTER_ABI_MAX)
		return err_set(e, -E2BIG, "%s: more than %d architectures", name, FILTER_ABI_MAX);
	f->abi[f->n_abis++] = (struct filter_abi){
		.name = name,
		.token = token,
		.audit = token == FILTER_TOKEN_X32 ? AUDIT_ARCH_X86_64 : token,
		.last = -1,
		.last_high = -1,
	};
	return 0;
}

/* "SCMP_ARCH_X86_64" -> libseccomp's token, 0 when it has none */
static uint32_t arch_token(const char *name)
{
	const char *s = str_prefix(name, "SCMP_ARCH_");
	char lower[32];
	size_t n;

	if (!s || strlen(s) >= sizeof(lower))
		return 0;
	for (n = 0; s[n]; n++)
		lower[n] = (char) tolower((unsigned char) s[n]);
	lower[n] = '\0';
	return seccomp_arch_resolve_name(lower);
}

static int resolve_abis(const struct pol_seccomp *s, struct filter *f, struct err *e)
{
	const struct scmp_version *v = seccomp_version();
	uint32_t token;
	int r;

	r = add_abi(f, "the native architecture", seccomp_arch_native(), e);
	for (size_t i = 0; r == 0 && i < s->archs.n; i++) {
		token = arch_token(s->archs.v[i]);
		if (token == 0)
			r = err_set(e, -EINVAL,
				    "%s: libseccomp %u.%u.%u does not know this architecture",
				    s->archs.v[i], v->major, v->minor, v->micro);
		else
			r = add_abi(f, s->archs.v[i], token, e);
	}
	return r < 0 ? err_context(e, "linux.seccomp.architectures") : 0;
}

/* ---- rules ---- */

static int check_args(const struct pol_seccomp_rule *rule, struct err *e)
{
	for (size_t i = 0; i < rule->args.n; i++) {
		const struct pol_seccomp_arg *arg = &rule->args.v[i];

		if (arg->index >= FILTER_ARGS)
			return err_set(e, -EINVAL, "args[%zu].index: %u is not in 0 to 5", i,
				       arg->index);
		if (arg->op < OP_NE || arg->op > OP_MASKED_EQ)
			return err_set(e, -EINVAL, "args[%zu].op: operator number %u is not known",
				       i, arg->op);
	}
	return 0;
}

static bool has_index_twice(const struct pol_seccomp_rule *rule)
{
	unsigned seen = 0;

	for (size_t i = 0; i < rule->args.n; i++) {
		if (seen & 1U << rule->args.v[i].index)
			return true;
		seen |= 1U << rule->args.v[i].index;
	}
	return false;
}

static const struct pol_seccomp_arg *sorted_args(const struct pol_seccomp_rule *rule,
						 struct arena *a)
{
	struct pol_seccomp_arg *args = arena_array(a, FILTER_ARGS, sizeof(*args));
	size_t n = 0;

	for (uint32_t index = 0; index < FILTER_ARGS; index++)
		for (size_t i = 0; i < rule->args.n; i++)
			if (rule->args.v[i].index == index)
				args[n++] = rule->args.v[i];
	return args;
}

/* Calls that libseccomp does not know can only be in a program that is ours. */
static bool is_known(const struct filter *f, const char *name)
{
	return seccomp_syscall_resolve_name(name) != __NR_SCMP_ERROR ||
	       (range_is_ours(f) && filter_late_call(name) >= 0);
}

/* The numbers of a name in all ABIs, or NULL when it is not known. */
static const int *resolve_name(struct filter *f, const char *name, struct arena *a)
{
	int *nr;

	if (!is_known(f, name))
		return NULL;
	nr = arena_array(a, f->n_abis, sizeof(*nr));
	for (size_t i = 0; i < f->n_abis; i++)
		nr[i] = filter_call_nr(f->abi[i].token, name);
	for (size_t i = 0; i < f->n_abis; i++)
		enosys_note(&f->abi[i], nr[i]);
	return nr;
}

static int resolve_rule(const struct pol_seccomp *s, size_t index, struct arena *a,
			struct filter *f, struct err *e)
{
	const struct pol_seccomp_rule *rule = &s->rules.v[index];
	struct filter_rule one = {.config_index = index};
	bool split;
	int r;

	r = action_ret(rule->action, rule->errno_ret, &one.ret, e);
	if (r == 0)
		r = check_args(rule, e);
	if (r < 0)
		return r;
	split = has_index_twice(rule);
	one.n_args = split ? 1 : (uint32_t) rule->args.n;
	one.args = rule->args.n > 0 && !split ? sorted_args(rule, a) : NULL;
	for (size_t i = 0; i < rule->names.n; i++) {
		one.name = rule->names.v[i];
		one.nr = resolve_name(f, one.name, a);
		if (!one.nr) {
			if (s->fail_unknown)
				return err_set(e, -EINVAL,
					       "names[%zu]: libseccomp does not know \"%s\"", i,
					       one.name);
			log_debug("seccomp: unknown call %s is left out", one.name);
			continue;
		}
		if (one.ret == f->default_ret)
			continue;
		f->notify |= one.ret == SECCOMP_RET_USER_NOTIF;
		for (size_t k = 0; k < (split ? rule->args.n : 1); k++) {
			f->rules[f->n_rules] = one;
			if (split)
				f->rules[f->n_rules].args = &rule->args.v[k];
			f->n_rules++;
		}
	}
	return 0;
}

/* How many rules there can be after splitting; 0 when they are too many. */
static size_t count_rules(const struct pol_seccomp *s)
{
	size_t n = 0, conditions;

	for (size_t i = 0; i < s->rules.n; i++) {
		conditions = s->rules.v[i].args.n ? s->rules.v[i].args.n : 1;
		if (conditions > RULES_MAX || s->rules.v[i].names.n > RULES_MAX)
			return 0;
		n += conditions * s->rules.v[i].names.n;
		if (n > RULES_MAX)
			return 0;
	}
	return n + 1;
}

/* By what a rule says, then by position, so that the first of equal rules comes first. */
static int compare_rules(const void *pa, const void *pb)
{
	const struct filter_rule *a = *(const struct filter_rule *const *) pa;
	const struct filter_rule *b = *(const struct filter_rule *const *) pb;
	const struct pol_seccomp_arg *x, *y;

#define ORDER(l, r)                                                                                \
	if ((l) != (r))                                                                            \
	return (l) < (r) ? -1 : 1
	ORDER(a->nr[0], b->nr[0]);
	ORDER(a->ret, b->ret);
	ORDER(a->n_args, b->n_args);
	for (uint32_t i = 0; i < a->n_args; i++) {
		x = &a->args[i];
		y = &b->args[i];
		ORDER(x->index, y->index);
		ORDER(x->op, y->op);
		ORDER(x->value, y->value);
		ORDER(x->op == OP_MASKED_EQ ? x->value2 : 0, y->op == OP_MASKED_EQ ? y->value2 : 0);
	}
	return 0;
#undef ORDER
}

static int compare_rules_stable(const void *pa, const void *pb)
{
	const struct filter_rule *a = *(const struct filter_rule *const *) pa;
	const struct filter_rule *b = *(const struct filter_rule *const *) pb;
	int r = compare_rules(pa, pb);

	return r ? r : a < b ? -1 : a > b;
}

/* Drops repeated rules; the first one of each stays where it is. */
static void drop_repeated(struct filter *f, struct arena *a)
{
	struct filter_rule **sorted = arena_array(a, f->n_rules + 1, sizeof(*sorted));
	size_t n = 0;

	for (size_t i = 0; i < f->n_rules; i++)
		sorted[i] = &f->rules[i];
	qsort(sorted, f->n_rules, sizeof(*sorted), compare_rules_stable);
	for (size_t i = f->n_rules; i-- > 1;)
		if (compare_rules(&sorted[i - 1], &sorted[i]) == 0)
			sorted[i]->nr = NULL;
	for (size_t i = 0; i < f->n_rules; i++)
		if (f->rules[i].nr)
			f->rules[n++] = f->rules[i];
	f->n_rules = n;
}

int filter_too_big(struct err *e)
{
	return err_set(e, -E2BIG, "linux.seccomp: the filter needs more than %d instructions",
		       BPF_MAXINSNS);
}

int filter_resolve(const struct pol_seccomp *s, struct arena *a, struct filter *ret, struct err *e)
{
	struct filter f = {.badarch_ret = SECCOMP_RET_KILL_PROCESS};
	size_t room = count_rules(s);
	int r;

	r = action_ret(s->default_action, s->default_errno, &f.default_ret, e);
	if (r < 0)
		return err_context(e, "linux.seccomp.defaultAction");
	f.notify = f.default_ret == SECCOMP_RET_USER_NOTIF;
	if (room == 0)
		return err_set(e, -E2BIG, "linux.seccomp.syscalls: more than %d rules", RULES_MAX);
	r = resolve_abis(s, &f, e);
	if (r < 0)
		return r;
	f.rules = arena_array(a, room, sizeof(*f.rules));
	for (size_t i = 0; i < s->rules.n; i++) {
		r = resolve_rule(s, i, a, &f, e);
		if (r < 0)
			return err_context(e, "linux.seccomp.syscalls[%zu]", i);
	}
	drop_repeated(&f, a);
	if (f.n_rules > 2 * BPF_MAXINSNS) /* libseccomp's time grows with the square */
		return filter_too_big(e);
	*ret = f;
	return 0;
}

/* ---- libseccomp's program ---- */

static int add_rule(scmp_filter_ctx ctx, const struct filter_rule *rule, struct err *e)
{
	struct scmp_arg_cmp cmp[FILTER_ARGS];
	int r;

	for (uint32_t i = 0; i < rule->n_args; i++)
		cmp[i] = (struct scmp_arg_cmp){
			.arg = rule->args[i].index,
			.op = (enum scmp_compare) rule->args[i].op,
			.datum_a = rule->args[i].value,
			.datum_b = rule->args[i].value2,
		};
	r = seccomp_rule_add_array(ctx, rule->ret, rule->nr[0], rule->n_args, cmp);
	if (r == -EEXIST) /* not for equal rules */
		return err_set(
			e, r,
			"linux.seccomp.syscalls[%zu]: the rule for %s conflicts with another one",
			rule->config_index, rule->name);
	if (r < 0)
		return err_neg(e, r, "linux.seccomp.syscalls[%zu]: rule for %s", rule->config_index,
			       rule->name);
	return 0;
}

static int fill_context(scmp_filter_ctx ctx, const struct filter *f, struct err *e)
{
	int r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, f->badarch_ret);

	if (r < 0)
		return err_neg(e, r, "linux.seccomp: set the action for other architectures");
	for (size_t i = 0; i < f->n_abis; i++) {
		r = seccomp_arch_add(ctx, f->abi[i].token);
		if (r < 0 && r != -EEXIST) /* the native one is there */
			return err_neg(e, r, "linux.seccomp.architectures: add %s", f->abi[i].name);
	}
	/* Without rules libseccomp up to 2.5.4 makes a wrong tree. With rules it makes a wrong
	 * list, if the first call of the list does not exist on the ABI: the number is then never
	 * loaded. */
	if (f->n_rules > 0)
		seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	for (size_t i = 0; i < f->n_rules; i++) {
		r = add_rule(ctx, &f->rules[i], e);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Through a memfd and not a pipe, which can be as small as a page: nobody reads meanwhile. */
static int export_program(scmp_filter_ctx ctx, struct arena *a, struct bytes *ret, struct err *e)
{
	fd_auto int fd = memfd_create("seccomp", MFD_CLOEXEC);
	int r;

	if (fd < 0)
		return err_sys(e, "make a memory file for the seccomp filter");
	r = seccomp_export_bpf(ctx, fd);
	if (r < 0)
		return err_neg(e, r, "linux.seccomp: libseccomp cannot write this filter");
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(e, "read the seccomp filter");
	r = io_read_fd(fd, (size_t) BPF_MAXINSNS * sizeof(struct sock_filter), a, ret);
	if (r == -EFBIG)
		return filter_too_big(e);
	if (r < 0)
		return err_neg(e, r, "read the seccomp filter");
	if (ret->n == 0 || ret->n % sizeof(struct sock_filter))
		return err_set(e, -EIO, "linux.seccomp: libseccomp wrote %zu bytes", ret->n);
	return 0;
}

/* Whether each rule left a trace in the program: a number that has rules must be able to end in
 * something else than the default action. Against mistakes of the library like the one above: with
 * a default of ALLOW, they open what the profile closes. */
static int check_program(const struct filter *f, const struct bytes *bpf, struct err *e)
{
	uint32_t out[2];
	struct sim_call c;
	size_t n;

	for (size_t i = 0; i < f->n_rules; i++)
		for (size_t k = 0; k < f->n_abis; k++) {
			if (f->rules[i].nr[k] < 0)
				continue;
			sim_call(&c, f->abi[k].audit, f->rules[i].nr[k], NULL);
			n = sim_outcomes(bpf, &c, out, ARRAY_LEN(out));
			if (n == 1 && out[0] == f->default_ret)
				return err_set(
					e, -EIO,
					"linux.seccomp.syscalls[%zu]: libseccomp lost the rule for %s",
					f->rules[i].config_index, f->rules[i].name);
		}
	return 0;
}

static void assume_all_actions(void)
{
	if (seccomp_api_set(NOTIFY_TSYNC_API) < 0)
		seccomp_api_set(NOTIFY_API);
}

int filter_libseccomp(const struct filter *f, struct arena *a, struct bytes *ret, struct err *e)
{
	scmp_filter_ctx ctx;
	int r;

	assume_all_actions();
	ctx = seccomp_init(f->default_ret);
	if (!ctx)
		return err_set(e, -EINVAL, "linux.seccomp: libseccomp refuses the default action");
	r = fill_context(ctx, f, e);
	if (r == 0)
		r = export_program(ctx, a, ret, e);
	seccomp_release(ctx);
	return r < 0 ? r : check_program(f, ret, e);
}

/* Before assume_all_actions(): asks the kernel. */
static int check_notify(const struct pol_seccomp *s, struct err *e)
{
	unsigned want = s->flags & SECCOMP_FILTER_FLAG_TSYNC ? NOTIFY_TSYNC_API : NOTIFY_API;
	unsigned have = seccomp_api_get();

	if (have >= want)
		return 0;
	return err_set(
		e, -EOPNOTSUPP,
		"linux.seccomp: SCMP_ACT_NOTIFY needs %s (libseccomp API level %u, here it is %u)",
		want == NOTIFY_API ? "Linux 5.0" : "Linux 5.7 together with the flag TSYNC", want,
		have);
}

int seccomp_compile(const struct pol_seccomp *s, struct arena *a, struct bytes *ret, struct err *e)
{
	struct bytes bpf = {0};
	struct filter f;
	int r;

	r = filter_resolve(s, a, &f, e);
	if (r == 0 && f.notify)
		r = check_notify(s, e);
	if (r < 0)
		return r;
	r = range_compile(&f, a, &bpf, e);
	if (r == 0) {
		r = filter_libseccomp(&f, a, &bpf, e);
		if (r == 0 && enosys_wanted(f.default_ret))
			r = enosys_prepend(&f, a, &bpf, e);
	}
	if (r < 0)
		return r;
	*ret = bpf;
	return 0;
}

struct strs seccomp_unknown_names(const struct pol_seccomp *s, struct arena *a)
{
	struct strs ret = {.set = true};
	struct filter f = {0};
	struct err e = ERR_INIT;
	size_t room = 0;

	resolve_abis(s, &f, &e);
	for (size_t i = 0; i < s->rules.n; i++)
		room += s->rules.v[i].names.n;
	ret.v = arena_array(a, room + 1, sizeof(*ret.v));
	for (size_t i = 0; i < s->rules.n; i++) {
		const struct strs *names = &s->rules.v[i].names;

		for (size_t k = 0; k < names->n; k++)
			if (!is_known(&f, names->v[k]) && !strs_has(&ret, names->v[k]))
				ret.v[ret.n++] = names->v[k];
	}
	return ret;
}

void filter_library(uint32_t ret[3])
{
	const struct scmp_version *v = seccomp_version();

	ret[0] = v->major;
	ret[1] = v->minor;
	ret[2] = v->micro;
}

uint32_t filter_native(void)
{
	return seccomp_arch_native();
}
