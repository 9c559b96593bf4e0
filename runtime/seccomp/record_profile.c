/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From recorded calls to a profile.
 *
 * - What was not seen is answered with ENOSYS, so that a C library falls back; calls of the dangerous set with EPERM.
 * - clone without namespaces stays without: its flags are a condition. clone3's are in memory: unless the workload asked for
 *   namespaces, it is left to ENOSYS, and what C libraries then do instead is allowed.
 * - Values of an argument are conditions where they are few, lasting and a way to more kernel: socket families,
 *   personalities. Of ioctl and prctl they are not: they change with the terminal and the C library.
 */
#include "seccomp/record.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/log.h"
#include "base/str.h"
#include "seccomp/view.h"

#define NEW_NAMESPACES 0x7e020000ULL /* without NEWTIME, which clone cannot be asked for */
#define CLONE3_NAMESPACES (NEW_NAMESPACES | 0x80)

/* Calls of which the first argument is kept, 32 bits of it. */
static const char *const limited[] = {"socket", "personality"};

/* What is called whatever the workload does: by whoever loads the filter and starts the program, to end, and by the
 * kernel's signal frames. */
static const char *const always[] = {"execve",	     "exit",	  "exit_group",
				     "rt_sigreturn", "sigreturn", "restart_syscall",
				     "read",	     "write",	  "close",
				     "futex"};
/* A C library's way to a process without clone3. */
static const char *const instead_of_clone3[] = {"rt_sigaction", "rt_sigprocmask"};

/* What container runtimes (runc, crun) call between the filter and the program, besides: without no_new_privs the filter comes
 * first, and the identity and the capabilities after it. */
static const char *const by_runtimes[] = {
	/* descriptors that are closed or checked */
	"openat",
	"fchown",
	"faccessat",
	"faccessat2",
	"fstat",
	"newfstatat",
	"getdents64",
	"fstatfs",
	"fcntl",
	"lseek",
	"close_range",
	/* the identity and the capabilities */
	"capget",
	"capset",
	"prctl",
	"setuid",
	"setgid",
	"setgroups",
	"setresuid",
	"setresgid",
	"getuid",
	"getgid",
	"geteuid",
	"getegid",
	"getpid",
	"getppid",
	"gettid",
	"chdir",
	/* of languages whose memory and threads are taken care of */
	"mmap",
	"munmap",
	"madvise",
	"mprotect",
	"brk",
	"nanosleep",
	"sched_yield",
	"sched_getaffinity",
	"tgkill",
	"rt_sigaction",
	"rt_sigprocmask",
	"sigaltstack",
	"epoll_create1",
	"epoll_ctl",
	"epoll_pwait",
	"eventfd2",
	"pipe2",
};

const char *record_always(size_t i)
{
	return i < ARRAY_LEN(always) ? always[i] : NULL;
}

static bool is_limited(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(limited); i++)
		if (str_eq(limited[i], name))
			return true;
	return false;
}

static struct record_call *find(struct record *rec, uint32_t token, int nr)
{
	struct record_call *more;

	for (size_t i = 0; i < rec->n; i++)
		if (rec->call[i].nr == nr && rec->call[i].token == token)
			return &rec->call[i];
	if (rec->n == rec->room) {
		more = arena_array(rec->a, rec->room ? 2 * rec->room : 128, sizeof(*more));
		if (rec->n)
			memcpy(more, rec->call, rec->n * sizeof(*more));
		rec->room = rec->room ? 2 * rec->room : 128;
		rec->call = more;
	}
	rec->call[rec->n] = (struct record_call){.token = token, .nr = nr};
	for (size_t i = 0; i < ARRAY_LEN(limited); i++)
		rec->call[rec->n].limited |= nr == filter_call_nr(token, limited[i]);
	return &rec->call[rec->n++];
}

static void add_value(struct record_call *c, uint64_t value)
{
	for (size_t i = 0; i < c->n_values && i < RECORD_VALUES; i++)
		if (c->value[i] == value)
			return;
	if (c->n_values < RECORD_VALUES)
		c->value[c->n_values] = value;
	if (c->n_values <= RECORD_VALUES)
		c->n_values++;
}

bool record_add(struct record *rec, uint32_t token, int nr, const uint64_t *args, uint64_t flags)
{
	const struct record before = *rec;
	struct record_call *c = find(rec, token, nr);
	const size_t values = c->n_values;
	const uint64_t clone_flags =
		args[token == AUDIT_ARCH_S390X || token == AUDIT_ARCH_S390 ? 1 : 0];

	if (c->limited)
		add_value(c, args[0] & UINT32_MAX);
	if (nr == filter_call_nr(token, "clone3")) {
		rec->clone3 = true;
		rec->namespaces |= (flags & CLONE3_NAMESPACES) != 0;
	} else if (nr == filter_call_nr(token, "clone")) {
		rec->namespaces |= (clone_flags & NEW_NAMESPACES) != 0;
	}
	return rec->n != before.n || c->n_values != values || rec->clone3 != before.clone3 ||
	       rec->namespaces != before.namespaces;
}

/* ---- the profile ---- */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

static void put_name(struct strs *l, const char *name)
{
	if (!strs_has(l, name))
		l->v[l->n++] = (char *) (uintptr_t) name;
}

static void put_rule(struct jsonw *w, const struct strs *names, const char *action, int err)
{
	jw_obj(w);
	jw_kstrs(w, "names", names);
	jw_kstr(w, "action", action);
	if (err)
		jw_ki64(w, "errnoRet", err);
	jw_obj_end(w);
}

/* One name, allowed when one argument is like that. */
static void put_limit(struct jsonw *w, const char *name, uint32_t index, uint64_t mask,
		      uint64_t value)
{
	const struct strs names = {.v = (char *[]){(char *) (uintptr_t) name}, .n = 1};

	jw_obj(w);
	jw_kstrs(w, "names", &names);
	jw_kstr(w, "action", "SCMP_ACT_ALLOW");
	jw_key(w, "args");
	jw_arr(w);
	jw_obj(w);
	jw_ku64(w, "index", index);
	jw_ku64(w, "value", mask);
	jw_ku64(w, "valueTwo", value);
	jw_kstr(w, "op", "SCMP_CMP_MASKED_EQ");
	jw_obj_end(w);
	jw_arr_end(w);
	jw_obj_end(w);
}

/* The values of a name over all ABIs; false when they are too many. */
static bool values_of(const struct record *rec, const char *name, struct record_call *ret)
{
	*ret = (struct record_call){0};
	for (size_t i = 0; i < rec->n; i++) {
		const struct record_call *c = &rec->call[i];

		if (c->nr != filter_call_nr(c->token, name))
			continue;
		if (c->n_values > RECORD_VALUES)
			return false;
		for (size_t k = 0; k < c->n_values; k++)
			add_value(ret, c->value[k]);
	}
	return ret->n_values <= RECORD_VALUES;
}

/* Names that are allowed whatever their arguments; *ret_clone when clone is allowed, with a condition. */
static struct strs free_names(const struct record *rec, bool *ret_clone)
{
	struct strs l = {.v = arena_array(rec->a,
					  rec->n + ARRAY_LEN(always) +
						  ARRAY_LEN(instead_of_clone3) +
						  ARRAY_LEN(by_runtimes) + 2,
					  sizeof(*l.v))};
	struct record_call values;

	*ret_clone = rec->clone3 || rec->container; /* threads of the runtime */
	for (size_t i = 0; i < ARRAY_LEN(always); i++)
		put_name(&l, always[i]);
	for (size_t i = 0; i < ARRAY_LEN(by_runtimes) && rec->container; i++)
		put_name(&l, by_runtimes[i]);
	for (size_t i = 0; i < ARRAY_LEN(instead_of_clone3) && rec->clone3; i++)
		put_name(&l, instead_of_clone3[i]);
	for (size_t i = 0; i < rec->n; i++) {
		const char *name = filter_call_name(rec->call[i].token, rec->call[i].nr, rec->a);

		if (!name)
			log_warn("call %d has no name here, so the profile does not allow it",
				 rec->call[i].nr);
		else if (str_eq(name, "clone") && !rec->namespaces)
			*ret_clone = true;
		else if ((!is_limited(name) || !values_of(rec, name, &values)) &&
			 (!str_eq(name, "clone3") || rec->namespaces))
			put_name(&l, name);
	}
	if (rec->namespaces) {
		put_name(&l, "clone");
		*ret_clone = false;
	}
	qsort(l.v, l.n, sizeof(*l.v), by_name);
	return l;
}

static void put_archs(struct jsonw *w, const struct record *rec)
{
	struct strs l = {.v = arena_array(rec->a, rec->n + 1, sizeof(*l.v))};

	put_name(&l, view_arch_word(filter_native(), rec->a));
	for (size_t i = 0; i < rec->n; i++)
		put_name(&l, view_arch_word(rec->call[i].token, rec->a));
	jw_kstrs(w, "architectures", &l);
}

static void put_limits(struct jsonw *w, const struct record *rec)
{
	struct record_call values;

	for (size_t i = 0; i < ARRAY_LEN(limited); i++) {
		if (!values_of(rec, limited[i], &values))
			continue;
		for (size_t k = 0; k < values.n_values; k++)
			put_limit(w, limited[i], 0, UINT32_MAX, values.value[k]);
	}
}

static bool was_seen(const struct record *rec, const char *name)
{
	for (size_t i = 0; i < rec->n; i++)
		if (rec->call[i].nr == filter_call_nr(rec->call[i].token, name))
			return true;
	return false;
}

static struct strs denied_names(const struct record *rec)
{
	struct strs l = {0};
	size_t n = 0;

	while (seccomp_dangerous_name(n))
		n++;
	l.v = arena_array(rec->a, n + 1, sizeof(*l.v));
	for (size_t i = 0; i < n; i++) {
		const char *name = seccomp_dangerous_name(i);

		if (!was_seen(rec, name) && !str_eq(name, "clone") && !str_eq(name, "clone3"))
			put_name(&l, name);
	}
	return l;
}

void record_profile(const struct record *rec, struct buf *b)
{
	const uint32_t native = filter_native();
	const uint32_t flags_arg = native == AUDIT_ARCH_S390X || native == AUDIT_ARCH_S390;
	struct strs names;
	struct jsonw w;
	bool clone;

	jw_init(&w, b, true);
	jw_obj(&w);
	jw_kstr(&w, "defaultAction", "SCMP_ACT_ERRNO");
	jw_ki64(&w, "defaultErrnoRet", ENOSYS);
	put_archs(&w, rec);
	jw_key(&w, "syscalls");
	jw_arr(&w);
	names = free_names(rec, &clone);
	put_rule(&w, &names, "SCMP_ACT_ALLOW", 0);
	if (clone)
		put_limit(&w, "clone", flags_arg, NEW_NAMESPACES, 0);
	put_limits(&w, rec);
	names = denied_names(rec);
	put_rule(&w, &names, "SCMP_ACT_ERRNO", EPERM);
	jw_arr_end(&w);
	jw_obj_end(&w);
	buf_put(b, "\n", 1);
}
