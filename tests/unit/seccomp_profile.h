/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles for the tests of runtime/seccomp/: written in C, and one of an engine's size. */
#ifndef KAVACH_TESTS_SECCOMP_PROFILE_H
#define KAVACH_TESTS_SECCOMP_PROFILE_H

#include <errno.h>
#include <seccomp.h>
#include <stdlib.h>

#include "base/str.h"
#include "seccomp/seccomp.h"

#define PROFILE_RULES 512

static inline struct pol_seccomp *profile_new(struct arena *a, uint32_t action, uint32_t err,
					      const char *archs)
{
	struct pol_seccomp *s = arena_new(a, struct pol_seccomp);

	s->set = true;
	s->default_action = action;
	s->default_errno = err;
	s->archs = str_split(a, archs, ' ');
	s->rules.v = arena_array(a, PROFILE_RULES, sizeof(*s->rules.v));
	return s;
}

/* profile_rule: names separated by blanks; returns the rule. */
static inline struct pol_seccomp_rule *profile_rule(struct pol_seccomp *s, struct arena *a,
						    uint32_t action, uint32_t err,
						    const char *names)
{
	struct pol_seccomp_rule *r = &s->rules.v[s->rules.n++];

	r->action = action;
	r->errno_ret = err;
	r->names = str_split(a, names, ' ');
	r->args.v = arena_array(a, 16, sizeof(*r->args.v));
	return r;
}

static inline struct pol_seccomp_rule *profile_arg(struct pol_seccomp_rule *r, uint32_t index,
						   uint32_t op, uint64_t value, uint64_t value2)
{
	r->args.v[r->args.n++] = (struct pol_seccomp_arg){index, op, value, value2};
	return r;
}

/* What engines deny, so that the rest of what libseccomp knows can stand for what they allow. */
static const char *const profile_denied[] = {
	"acct",
	"add_key",
	"bdflush",
	"bpf",
	"clock_settime",
	"clock_settime64",
	"create_module",
	"delete_module",
	"fanotify_init",
	"finit_module",
	"get_kernel_syms",
	"get_mempolicy",
	"init_module",
	"ioperm",
	"iopl",
	"io_pgetevents",
	"kcmp",
	"kexec_file_load",
	"kexec_load",
	"keyctl",
	"lookup_dcookie",
	"mbind",
	"migrate_pages",
	"move_pages",
	"mount",
	"name_to_handle_at",
	"nfsservctl",
	"open_by_handle_at",
	"perf_event_open",
	"personality",
	"pivot_root",
	"process_madvise",
	"process_vm_readv",
	"process_vm_writev",
	"ptrace",
	"query_module",
	"quotactl",
	"reboot",
	"request_key",
	"set_mempolicy",
	"setns",
	"settimeofday",
	"socket",
	"stime",
	"swapoff",
	"swapon",
	"sysfs",
	"_sysctl",
	"umount",
	"umount2",
	"unshare",
	"uselib",
	"userfaultfd",
	"ustat",
	"vm86",
	"vm86old",
	"vmsplice",
	"clone",
	"clone3",
};

static inline bool profile_is_denied(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(profile_denied); i++)
		if (str_eq(profile_denied[i], name))
			return true;
	return false;
}

/* profile_engine: shape and size of what podman (ENOSYS by default) and Docker (EPERM) hand over
 * for three architectures: one long list of names, conditions on personality, socket, clone. */
static inline struct pol_seccomp *profile_engine(struct arena *a, uint32_t default_errno,
						 const char *archs)
{
	static const uint32_t abis[] = {SCMP_ARCH_X86_64, SCMP_ARCH_X86};
	static const uint64_t personas[] = {0x0, 0x8, 0x20000, 0x20008, 0xffffffff};
	struct pol_seccomp *s = profile_new(a, POL_ACT_ERRNO, default_errno, archs);
	struct pol_seccomp_rule *r = profile_rule(s, a, POL_ACT_ERRNO, EPERM, "");

	r->names.v = (char **) arena_memdup(a, profile_denied, sizeof(profile_denied));
	r->names.n = ARRAY_LEN(profile_denied) - 5;
	for (size_t i = 0; i < r->names.n; i++) /* these have rules of their own below */
		if (str_eq(r->names.v[i], "socket") || str_eq(r->names.v[i], "personality"))
			r->names.v[i] = arena_strdup(a, "reboot");
	r = profile_rule(s, a, POL_ACT_ALLOW, 0, "");
	r->names.v = arena_array(a, 2048, sizeof(char *));
	for (size_t i = 0; i < ARRAY_LEN(abis); i++)
		for (int nr = 0; nr < 1024; nr++) {
			char *name = seccomp_syscall_resolve_num_arch(abis[i], nr);

			if (name && !profile_is_denied(name) && !strs_has(&r->names, name))
				r->names.v[r->names.n++] = arena_strdup(a, name);
			free(name);
		}
	for (size_t i = 0; i < ARRAY_LEN(personas); i++)
		profile_arg(profile_rule(s, a, POL_ACT_ALLOW, 0, "personality"), 0, SCMP_CMP_EQ,
			    personas[i], 0);
	r = profile_rule(s, a, POL_ACT_ERRNO, EINVAL, "socket");
	profile_arg(profile_arg(r, 0, SCMP_CMP_EQ, 16, 0), 2, SCMP_CMP_EQ, 9, 0);
	profile_arg(profile_rule(s, a, POL_ACT_ALLOW, 0, "socket"), 2, SCMP_CMP_NE, 9, 0);
	profile_arg(profile_rule(s, a, POL_ACT_ALLOW, 0, "socket"), 0, SCMP_CMP_NE, 16, 0);
	profile_arg(profile_rule(s, a, POL_ACT_ALLOW, 0, "socket"), 2, SCMP_CMP_NE, 9, 0);
	profile_arg(profile_rule(s, a, POL_ACT_ALLOW, 0, "clone"), 0, SCMP_CMP_MASKED_EQ,
		    0x7e020000, 0);
	profile_rule(s, a, POL_ACT_ERRNO, ENOSYS, "clone3");
	return s;
}

#endif
