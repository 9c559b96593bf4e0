/* SPDX-License-Identifier: Apache-2.0 */
/* libs: policy spec json base */
/* The name tables against the kernel's headers, and the two parsers on top of them. */
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/resource.h>

#include "policy/names.h"
#include "policy/policy.h"
#include "tap.h"

/* Known only by the kernel's headers: one of each end and of those that were added late. */
_Static_assert(CAP_CHOWN == 0 && CAP_SYS_ADMIN == 21 && CAP_CHECKPOINT_RESTORE == 40,
	       "linux/capability.h");
_Static_assert(CAP_LAST_CAP == CAP_NAMES_N - 1, "a capability is missing in cap_names[]");

static void test_caps(void)
{
	size_t wrong = 0;

	for (size_t i = 0; i < cap_names_n; i++)
		wrong += cap_names[i].val != (long) i || strncmp(cap_names[i].name, "CAP_", 4) != 0;
	is_int(wrong, 0, "cap_names[N] is capability N");
	is_int(cap_parse("CAP_NET_RAW"), CAP_NET_RAW, "a capability by its name");
	is_int(cap_parse("net_raw"), CAP_NET_RAW, "without prefix, in lower case");
	is_int(cap_parse("cap_Bpf"), CAP_BPF, "in any case");
	ok(cap_parse("CAP_") < 0 && cap_parse("") < 0 && cap_parse("CAP_NET_RAWX") < 0 &&
		   cap_parse("CAP_CAP_KILL") < 0 && cap_parse("13") < 0,
	   "anything else is refused");
}

static void test_signals(void)
{
	static const struct {
		const char *text;
		int want;
	} rows[] = {
		{"9", 9},
		{"KILL", 9},
		{"SIGKILL", 9},
		{"sigkill", 9},
		{"kill", 9},
		{"TERM", 15},
		{"HUP", 1},
		{"1", 1},
		{"64", 64},
		{"WINCH", SIGWINCH},
		{"POLL", SIGIO},
		{"IO", SIGIO},
		{"IOT", SIGABRT},
		{"CLD", SIGCHLD},
		{"SIGSYS", SIGSYS},
		{"PWR", SIGPWR},
		{"RTMIN", 34},
		{"SIGRTMIN", 34},
		{"RTMIN+3", 37},
		{"SIGRTMIN+30", 64},
		{"sigrtmax-1", 63},
		{"RTMAX", 64},
		{"RTMAX-30", 34},
		{"0", -EINVAL},
		{"65", -EINVAL},
		{"-9", -EINVAL},
		{"+9", -EINVAL},
		{" 9", -EINVAL},
		{"9 ", -EINVAL},
		{"", -EINVAL},
		{"SIG", -EINVAL},
		{"SIG9", -EINVAL},
		{"SIGSIGKILL", -EINVAL},
		{"KILLX", -EINVAL},
		{"RTMIN-1", -EINVAL},
		{"RTMIN+31", -EINVAL},
		{"RTMIN+", -EINVAL},
		{"RTMIN+-1", -EINVAL},
		{"RTMAX+1", -EINVAL},
		{"RTMAX-31", -EINVAL},
		{"RTMIN+4294967299", -EINVAL},
		{"RTMID", -EINVAL},
		{"0x9", -EINVAL},
		{"99999999999999999999", -EINVAL},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		is_int(signal_parse(rows[i].text), rows[i].want, "signal \"%s\"", rows[i].text);
}

/* Each name once; the first row of a value is the one that is written. */
static void test_unique(const char *what, const struct name_val *t, size_t n)
{
	size_t twice = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++)
			twice += str_eq(t[i].name, t[j].name);
	is_int(twice, 0, "%s: each name once", what);
}

int main(void)
{
	test_caps();
	test_signals();
	test_unique("capabilities", cap_names, cap_names_n);
	test_unique("namespaces", ns_names, ns_names_n);
	test_unique("rlimits", rlimit_names, rlimit_names_n);
	test_unique("seccomp actions", seccomp_action_names, seccomp_action_names_n);
	test_unique("seccomp operators", seccomp_op_names, seccomp_op_names_n);
	test_unique("seccomp architectures", seccomp_arch_names, seccomp_arch_names_n);
	test_unique("seccomp flags", seccomp_flag_names, seccomp_flag_names_n);
	test_unique("signals", signal_names, signal_names_n);
	is_int(rlimit_names_n, RLIM_NLIMITS, "every resource limit of the kernel has a name");
	is_str(name_of(rlimit_names, rlimit_names_n, RLIMIT_RTTIME), "RLIMIT_RTTIME",
	       "the last one as well");
	is_str(name_of(seccomp_action_names, seccomp_action_names_n, POL_ACT_KILL_THREAD),
	       "SCMP_ACT_KILL_THREAD", "the new name of SCMP_ACT_KILL is the one that is written");
	is_int(name_find(seccomp_flag_names, seccomp_flag_names_n,
			 "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV")
		       ->val,
	       SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, "a flag as the kernel has it");
	is_int(name_find(seccomp_flag_names, seccomp_flag_names_n, "SECCOMP_FILTER_FLAG_SPEC_ALLOW")
		       ->val,
	       SECCOMP_FILTER_FLAG_SPEC_ALLOW, "and another");
	is_int(name_find(seccomp_op_names, seccomp_op_names_n, "SCMP_CMP_MASKED_EQ")->val, 7,
	       "operators are numbered as in libseccomp");
	is_int(name_find(ns_names, ns_names_n, "network")->val, POL_NS_NET,
	       "a namespace by the spec's name");
	return done();
}
