/* SPDX-License-Identifier: Apache-2.0 */
/* linux.seccomp: words to numbers, defaults, and the rules of the spec about combinations. */
#include <linux/version.h>

#include "policy/pb.h"

#define EPERM_RET 1
enum { FLAG_TSYNC = 1 << 0, FLAG_SPEC_ALLOW = 1 << 2, FLAG_WAIT_KILLABLE = 1 << 5 };

static const struct {
	const char *machine, *arch;
} machines[] = {
	{"x86_64", "SCMP_ARCH_X86_64"},
	{"aarch64", "SCMP_ARCH_AARCH64"},
	{"i686", "SCMP_ARCH_X86"},
	{"i586", "SCMP_ARCH_X86"},
	{"i386", "SCMP_ARCH_X86"},
	{"armv7l", "SCMP_ARCH_ARM"},
	{"armv6l", "SCMP_ARCH_ARM"},
	{"armv8l", "SCMP_ARCH_ARM"},
	{"ppc64le", "SCMP_ARCH_PPC64LE"},
	{"ppc64", "SCMP_ARCH_PPC64"},
	{"s390x", "SCMP_ARCH_S390X"},
	{"riscv64", "SCMP_ARCH_RISCV64"},
	{"loongarch64", "SCMP_ARCH_LOONGARCH64"},
};

const char *pb_native_arch(const char *machine)
{
	for (size_t i = 0; i < ARRAY_LEN(machines); i++)
		if (str_eq(machines[i].machine, machine))
			return machines[i].arch;
	return NULL;
}

/* The errno of an action: EPERM unless given; only ERRNO and TRACE have one. */
static int errno_ret(struct pb *b, uint32_t action, struct opt_u64 given, uint32_t *ret,
		     struct err *e, const char *what, size_t i)
{
	bool takes = action == POL_ACT_ERRNO || action == POL_ACT_TRACE;

	if (given.set && !takes)
		return pb_refuse(
			b, e,
			"linux.seccomp.%s[%zu].errnoRet: only with SCMP_ACT_ERRNO and SCMP_ACT_TRACE",
			what, i);
	if (takes)
		*ret = given.set ? (uint32_t) given.v : EPERM_RET;
	return 0;
}

static int rule_args(struct pb *b, size_t i, const struct spec_seccomp_rule *s,
		     struct pol_seccomp_rule *p, struct err *e)
{
	p->args.v = arena_array(b->a, s->args.n, sizeof(*p->args.v));
	for (size_t j = 0; j < s->args.n; j++) {
		const struct spec_seccomp_arg *arg = &s->args.v[j];
		long op;
		int r = pb_word(b, seccomp_op_names, seccomp_op_names_n, arg->op, &op, e,
				"linux.seccomp.syscalls[%zu].args[%zu].op", i, j);

		if (r < 0)
			return r;
		if (arg->index.v > 5)
			return pb_refuse(
				b, e,
				"linux.seccomp.syscalls[%zu].args[%zu].index: expected 0 to 5", i,
				j);
		p->args.v[p->args.n++] = (struct pol_seccomp_arg){
			(uint32_t) arg->index.v, (uint32_t) op, arg->value.v, arg->valueTwo.v};
	}
	return 0;
}

/*
 * A call with NOTIFY waits for an agent that does not have the listener yet: these are what hands it
 * over, between the loading of the filter and the program.
 */
static int check_notify(struct pb *b, size_t i, const struct spec_seccomp_rule *s, struct err *e)
{
	static const char *const needed[] = {"write", "read"};

	for (size_t j = 0; j < ARRAY_LEN(needed); j++)
		if (strs_has(&s->names, needed[j]))
			return pb_refuse(
				b, e,
				"linux.seccomp.syscalls[%zu]: SCMP_ACT_NOTIFY cannot be used for \"%s\", "
				"which hands over the listener",
				i, needed[j]);
	return 0;
}

static int add_rule(struct pb *b, size_t i, const struct spec_seccomp_rule *s,
		    struct pol_seccomp *p, bool *notify, struct err *e)
{
	struct pol_seccomp_rule *rule = &p->rules.v[i];
	long action;
	int r;

	r = pb_word(b, seccomp_action_names, seccomp_action_names_n, s->action, &action, e,
		    "linux.seccomp.syscalls[%zu].action", i);
	if (r < 0)
		return r;
	rule->action = (uint32_t) action;
	rule->names = s->names;
	if (!s->names.n)
		return pb_refuse(b, e, "linux.seccomp.syscalls[%zu].names: expected at least one",
				 i);
	r = errno_ret(b, rule->action, s->errnoRet, &rule->errno_ret, e, "syscalls", i);
	if (r < 0)
		return r;
	if (action == POL_ACT_NOTIFY) {
		*notify = true;
		r = check_notify(b, i, s, e);
		if (r < 0)
			return r;
	}
	return rule_args(b, i, s, rule, e);
}

/* Sorted in the order of the spec's table and with the native one, so that lists that mean the same
 * give the same filter. */
static int archs(struct pb *b, const struct strs *s, struct strs *ret, struct err *e)
{
	const char *native = pb_native_arch(b->h->machine);
	long known;

	if (!native)
		return pb_refuse(
			b, e, "linux.seccomp: machine \"%s\" of this host is not known to seccomp",
			b->h->machine);
	for (size_t i = 0; i < s->n; i++) {
		int r = pb_word(b, seccomp_arch_names, seccomp_arch_names_n, s->v[i], &known, e,
				"linux.seccomp.architectures[%zu]", i);

		if (r < 0)
			return r;
	}
	ret->v = arena_array(b->a, seccomp_arch_names_n, sizeof(*ret->v));
	ret->set = true;
	for (size_t i = 0; i < seccomp_arch_names_n; i++)
		if (str_eq(seccomp_arch_names[i].name, native) ||
		    strs_has(s, seccomp_arch_names[i].name))
			ret->v[ret->n++] = (char *) (uintptr_t) seccomp_arch_names[i].name;
	return 0;
}

/* Absent is not empty: without the member runc asks for SPEC_ALLOW, and engines rely on it. */
static int flags(struct pb *b, const struct strs *s, bool notify, uint64_t *ret, struct err *e)
{
	if (!s->set)
		*ret = FLAG_SPEC_ALLOW;
	for (size_t i = 0; i < s->n; i++) {
		long bit;
		int r = pb_word(b, seccomp_flag_names, seccomp_flag_names_n, s->v[i], &bit, e,
				"linux.seccomp.flags[%zu]", i);

		if (r < 0)
			return r;
		*ret |= (uint64_t) bit;
	}
	if ((*ret & FLAG_WAIT_KILLABLE) && !notify)
		return pb_refuse(
			b, e,
			"linux.seccomp.flags: SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV needs a rule with "
			"SCMP_ACT_NOTIFY");
	/* The process that loads it has one thread, and the kernel refuses TSYNC with a listener. */
	if (notify)
		*ret &= ~(uint64_t) FLAG_TSYNC;
	return 0;
}

static int listener(struct pb *b, const struct spec_seccomp *s, bool notify, struct pol_seccomp *p,
		    struct err *e)
{
	if (s->listenerMetadata && !s->listenerPath)
		return pb_refuse(
			b, e, "linux.seccomp.listenerMetadata: not allowed without listenerPath");
	if (!notify)
		return 0; /* the spec: listenerPath is ignored then */
	if (str_empty(s->listenerPath))
		return pb_refuse(b, e, "linux.seccomp.listenerPath: required with SCMP_ACT_NOTIFY");
	if (s->listenerPath[0] != '/')
		return pb_refuse(
			b, e, "linux.seccomp.listenerPath: expected an absolute path, found \"%s\"",
			s->listenerPath);
	p->listener_path = s->listenerPath;
	p->listener_metadata = s->listenerMetadata;
	return 0;
}

int pb_seccomp_section(struct pb *b, const struct spec_seccomp *s, struct pol_seccomp *p,
		       struct err *e)
{
	bool notify = false;
	long v;
	int r;

	p->set = true;
	p->source = (char *) (uintptr_t) b->config;
	p->fail_unknown = pb_annotation_on(b, "run.oci.seccomp_fail_unknown_syscall");
	r = pb_word(b, seccomp_action_names, seccomp_action_names_n, s->defaultAction, &v, e,
		    "linux.seccomp.defaultAction");
	if (r < 0)
		return r;
	p->default_action = (uint32_t) v;
	if (v == POL_ACT_NOTIFY)
		return pb_refuse(
			b, e,
			"linux.seccomp.defaultAction: SCMP_ACT_NOTIFY cannot be the default, no "
			"process could start");
	if (s->defaultErrnoRet.set && v != POL_ACT_ERRNO && v != POL_ACT_TRACE)
		return pb_refuse(
			b, e,
			"linux.seccomp.defaultErrnoRet: only with SCMP_ACT_ERRNO and SCMP_ACT_TRACE, "
			"the action is %s",
			s->defaultAction);
	if (v == POL_ACT_ERRNO || v == POL_ACT_TRACE)
		p->default_errno = s->defaultErrnoRet.set ? (uint32_t) s->defaultErrnoRet.v
							  : EPERM_RET;
	p->rules.v = arena_array(b->a, s->syscalls.n, sizeof(*p->rules.v));
	p->rules.n = s->syscalls.n;
	for (size_t i = 0; i < s->syscalls.n; i++) {
		r = add_rule(b, i, &s->syscalls.v[i], p, &notify, e);
		if (r < 0)
			return r;
	}
	r = archs(b, &s->architectures, &p->archs, e);
	if (r < 0)
		return r;
	r = flags(b, &s->flags, notify, &p->flags, e);
	if (r < 0)
		return r;
	return listener(b, s, notify, p, e);
}

int pb_seccomp(struct pb *b, struct err *e)
{
	return b->l->seccomp ? pb_seccomp_section(b, b->l->seccomp, &b->p->seccomp, e) : 0;
}

int policy_seccomp(const struct spec_seccomp *s, const char *name, const struct host *h,
		   struct arena *a, struct pol_seccomp *ret, struct err *e)
{
	static const struct name_val profiles[] = {{"basic", POL_PRESET_BASIC},
						   {"strict", POL_PRESET_STRICT}};
	const struct name_val *p = name_find(profiles, ARRAY_LEN(profiles), name);
	struct policy none = {0};
	struct spec empty = {0};
	struct pb b = {.s = &empty, .h = h, .config = name, .a = a, .p = &none};

	if (!pb_native_arch(h->machine))
		return pb_refuse(&b, e, "machine \"%s\" is not known to seccomp", h->machine);
	if (s)
		return pb_seccomp_section(&b, s, ret, e);
	if (!p)
		return err_set(e, -ENOENT, "%s: no profile of kavach's has this name", name);
	pb_profile(&b, (uint32_t) p->val, ret);
	return 0;
}

#define REPORT "annotations[\"" POL_REPORT_ANNOTATION "\"]: "

/* The report takes the one listener that a process can have. */
int pb_report(struct pb *b, struct err *e)
{
	const char *word = pb_annotation(b, POL_REPORT_ANNOTATION);

	if (!word || str_eq(word, "false"))
		return 0;
	if (!str_eq(word, "true"))
		return pb_refuse(b, e, REPORT "expected true or false, found \"%s\"", word);
	if (b->p->seccomp.listener_path)
		return pb_refuse(b, e,
				 REPORT "denied calls cannot be reported beside an agent "
					"(linux.seccomp.listenerPath)");
	if (b->p->backend != POL_BACKEND_PROCESS)
		return pb_refuse(b, e, REPORT "only the backend process reports denied calls");
	if (b->h->kernel < (uint32_t) KERNEL_VERSION(5, 9, 0))
		return pb_refuse(b, e, REPORT "denied calls are reported on Linux 5.9 or later");
	if (!b->p->seccomp.set && !b->p->stacked.n)
		pb_warn(b, REPORT "there is no seccomp filter, nothing is denied");
	else
		b->p->seccomp.listener_path = (char *) (uintptr_t) POL_LISTENER_REPORT;
	return 0;
}

#define RECORD "annotations[\"" POL_RECORD_ANNOTATION "\"]: "

/* A tracer's answer is weaker than the recorder's question, so it would not be asked any more. */
static bool traces(const struct pol_seccomp *s)
{
	bool found = s->default_action == POL_ACT_TRACE;

	for (size_t i = 0; i < s->rules.n; i++)
		found |= s->rules.v[i].action == POL_ACT_TRACE;
	return found;
}

/* The recorder takes the one listener that a process can have. */
int pb_record(struct pb *b, struct err *e)
{
	const char *word = pb_annotation(b, POL_RECORD_ANNOTATION);
	bool traced = b->p->seccomp.set && traces(&b->p->seccomp);

	if (!word || str_eq(word, "false"))
		return 0;
	if (!str_eq(word, "true"))
		return pb_refuse(b, e, RECORD "expected true or false, found \"%s\"", word);
	if (b->p->seccomp.listener_path)
		return pb_refuse(b, e, RECORD "calls cannot be recorded beside %s",
				 pol_reports_denied(b->p)
					 ? "a report of denied ones (" POL_REPORT_ANNOTATION ")"
					 : "an agent (linux.seccomp.listenerPath)");
	if (b->p->backend != POL_BACKEND_PROCESS)
		return pb_refuse(b, e, RECORD "only the backend process records calls");
	if (b->h->kernel < (uint32_t) KERNEL_VERSION(5, 9, 0))
		return pb_refuse(b, e, RECORD "calls are recorded on Linux 5.9 or later");
	for (size_t i = 0; i < b->p->stacked.n; i++)
		traced |= traces(&b->p->stacked.v[i]);
	if (traced)
		return pb_refuse(b, e,
				 RECORD "calls cannot be recorded with a filter that has "
					"SCMP_ACT_TRACE: the tracer would not be asked");
	b->p->seccomp.listener_path = (char *) (uintptr_t) POL_LISTENER_RECORD;
	return 0;
}
