/* SPDX-License-Identifier: Apache-2.0 */
/* libs: policy host spec json base */
/* The strength: figures of known containers, what each row stands on, and that tightening never costs. */
#include "policy/facts.h"
#include "policy_fixture.h"

static struct score score;

static const struct score_row *row(const char *what)
{
	for (size_t i = 0; i < score.n; i++)
		if (str_eq(score.rows[i].what, what))
			return &score.rows[i];
	return NULL;
}

static int points(const char *what)
{
	const struct score_row *r = row(what);

	return r ? r->points : 0;
}

static int total(const struct config *c)
{
	policy_score(must_build(c), &arena, &score);
	return score.total;
}
#define TOTAL(...) total(&(struct config){__VA_ARGS__})

#define ALL_NS "{'type':'pid'},{'type':'network'},{'type':'ipc'},{'type':'uts'},{'type':'cgroup'}"
#define USERNS                                                                                     \
	"'uidMappings':[{'containerID':0,'hostID':100000,'size':65536}],"                          \
	"'gidMappings':[{'containerID':0,'hostID':100000,'size':65536}]"
#define FILTER "'seccomp':{'defaultAction':'SCMP_ACT_ERRNO'}"
#define CAPS(list)                                                                                 \
	"'capabilities':{'bounding':[" list "],'permitted':[" list "],'effective':[" list "]}"

static void test_figures(void)
{
	is_int(TOTAL(.ns = ALL_NS, .proc = CAPS("'CAP_KILL'"), .linux_ = FILTER), 60,
	       "its own namespaces and a filter: base, filter, no network");
	is_str(score.label, "standard", "which is standard");
	is_int(TOTAL(.ns = ALL_NS ",{'type':'user'}",
		     .linux_ = USERNS
		     "," FILTER ",'resources':{'memory':{'limit':1048576},'pids':{'limit':10}}",
		     .proc = "'noNewPrivileges':true", .root = "{'path':'r','readonly':true}"),
	       82, "everything that a process can have");
	is_str(score.label, "hardened", "which is hardened");
	is_int(TOTAL(.proc = CAPS("'CAP_SYS_ADMIN','CAP_SYS_MODULE','CAP_SYS_RAWIO'"),
		     .linux_ = "'resources':{'devices':[{'allow':true}]}",
		     .mounts =
			     "{'destination':'/proc','type':'proc'},{'destination':'/h','source':'/','options':["
			     "'rbind']},{'destination':'/e','source':'/etc','options':['rbind']}"),
	       0, "a privileged container on the host's namespaces and files");
	is_str(score.label, "minimal", "which is minimal");
	must_site("{'vm':{'kernels':[{'path':'/k','sha256':'" ZEROES
		  "'}],'initrds':[{'path':'/i','sha256':'" ZEROES "'}]}}");
	is_int(TOTAL(.ns = ALL_NS, .proc = CAPS("'CAP_KILL'"),
		     .top = "'vm':{'kernel':{'path':'/k','initrd':'/i'}}", .linux_ = FILTER),
	       80, "a microVM starts from 70");
	input.backend_floor = POL_BACKEND_SEV_SNP;
	is_int(TOTAL(.ns = ALL_NS, .proc = CAPS("'CAP_KILL'"), .linux_ = FILTER), 92,
	       "a confidential one from 82");
	is_str(score.label, "fortress", "which is a fortress");
	reset();
}

static void test_credits(void)
{
	TOTAL(.ns = ALL_NS);
	is_int(points("no network"), 5, "a loopback only");
	TOTAL(.ns = "{'type':'network','path':'/run/netns/x'}");
	is_int(points("no network"), 0, "a joined network namespace earns nothing");
	is_str(row("no network")->evidence, "joins /run/netns/x", "and is named");
	TOTAL(.ns = ALL_NS, .top = "'hooks':{'createRuntime':[{'path':'/h'}]}");
	is_int(points("no network"), 0, "nor does one that a hook may fill");
	TOTAL(.ns = ALL_NS, .top = "'hooks':{'poststop':[{'path':'/h'}]}");
	is_int(points("no network"), 5, "a hook after the end does not matter");
	TOTAL(.ns = "{'type':'user','path':'/proc/5/ns/user'}");
	is_int(points("user namespace"), 0, "the maps of a joined user namespace are not known");
	TOTAL(.ns = "{'type':'user'}",
	      .linux_ = "'uidMappings':[{'containerID':0,'hostID':0,'size':1}],'gidMappings':["
			"{'containerID':0,'hostID':1000,'size':1}]");
	is_int(points("user namespace"), 0, "a user namespace with the host's root in it is none");
	TOTAL(.ns = "{'type':'user'}", .linux_ = USERNS);
	is_str(row("user namespace")->evidence, "root in the container is user 100000 of the host",
	       "the evidence names the id");
	TOTAL(.proc = CAPS(""));
	is_int(points("no capabilities"), 5, "no capabilities");
	TOTAL(.proc = "'capabilities':{'bounding':['CAP_KILL']}");
	is_int(points("no capabilities"), 0,
	       "the bounding set counts: a set-user-id program has it");
	TOTAL(.linux_ =
		      "'resources':{'memory':{'limit':-1},'cpu':{'quota':-1},'pids':{'limit':-1}}");
	is_int(points("memory or CPU limit") + points("process limit"), 0, "unlimited is no limit");
	TOTAL(.linux_ = "'resources':{'cpu':{'quota':1000}}");
	is_int(points("memory or CPU limit"), 2, "a limit of CPU time");
	ok(row("read-only root")->hint && !row("memory or CPU limit")->hint,
	   "hints only for what is not earned");
}

static void test_deductions(void)
{
	TOTAL(.ns = "{'type':'ipc'},{'type':'uts'},{'type':'cgroup'},{'type':'network'}");
	is_int(points("namespaces of the host"), -10, "the host's processes");
	is_str(row("namespaces of the host")->evidence, "pid", "by name");
	TOTAL(.ns = "{'type':'pid','path':'/proc/1/ns/pid'},{'type':'ipc'},{'type':'uts'},{'type':'cgroup'},"
		    "{'type':'network'}");
	is_int(points("namespaces of the host"), -10, "the same by another name");
	TOTAL(.ns = ALL_NS);
	ok(!row("namespaces of the host"), "no row where there is nothing to say");
	TOTAL(.proc = CAPS("'CAP_SYS_PTRACE'"));
	is_int(points("dangerous capabilities"), -4, "one dangerous capability");
	is_str(row("dangerous capabilities")->evidence, "SYS_PTRACE", "by name");
	TOTAL(.proc = CAPS(
		      "'CAP_SYS_ADMIN','CAP_SYS_MODULE','CAP_SYS_RAWIO','CAP_BPF','CAP_SYSLOG'"));
	is_int(points("dangerous capabilities"), -20, "many: the row ends at 20");
	ok(str_has_suffix(row("dangerous capabilities")->evidence, " and 1 more"), "four by name");
	TOTAL(.ns = "{'type':'user'}", .linux_ = USERNS,
	      .proc = CAPS("'CAP_SYS_ADMIN','CAP_SYS_MODULE'"));
	is_int(points("dangerous capabilities"), -2,
	       "in a user namespace they are only more kernel to reach");
	TOTAL(.ns = ALL_NS);
	is_int(points("no seccomp filter"), -5, "no filter");
	TOTAL(.linux_ = "'seccomp':{'defaultAction':'SCMP_ACT_ALLOW'}");
	is_int(points("filter allows by default") + points("seccomp filter"), 2,
	       "a filter that allows by default");
	TOTAL(.linux_ = "'seccomp':{'defaultAction':'SCMP_ACT_LOG'}");
	is_int(points("filter allows by default"), -3, "and one that only logs");
	TOTAL(.linux_ = "'resources':{'devices':[{'allow':true,'access':'rwm'}]}");
	is_int(points("all devices"), -10, "all devices");
	TOTAL(.linux_ =
		      "'resources':{'devices':[{'allow':true},{'allow':false},{'allow':true,'type':'c'}]}");
	is_int(points("all devices"), 0, "taken back by a later rule");
	TOTAL(.mounts = "{'destination':'/proc','type':'proc'}");
	is_int(points("unmasked /proc and /sys"), -5, "nothing is masked");
	TOTAL(.mounts =
		      "{'destination':'/proc','type':'proc'},{'destination':'/sys','type':'sysfs'}",
	      .linux_ =
		      "'maskedPaths':['/proc/kcore','/proc/keys','/proc/timer_list','/sys/firmware'],"
		      "'readonlyPaths':['/proc/bus','/proc/irq','/proc/sys','/proc/sysrq-trigger']");
	ok(!row("unmasked /proc and /sys"), "what engines mask is enough");
	TOTAL(.mounts =
		      "{'destination':'/proc','type':'proc'},{'destination':'/sys','type':'sysfs'}",
	      .linux_ =
		      "'maskedPaths':['/proc/kcore','/proc/timer_list','/sys/firmware'],"
		      "'readonlyPaths':['/proc/bus','/proc/irq','/proc/sys','/proc/sysrq-trigger','/proc/keys']");
	is_str(row("unmasked /proc and /sys")->evidence, "/proc/keys",
	       "what must not be read is not helped by read-only");
}

static const struct {
	const char *source, *options;
	bool risky;
} mounts[] = {
	{"/", "'rbind'", true},
	{"/", "'rbind','ro'", false},
	{"/", "'rbind','rro'", false},
	{"/etc", "'bind'", true},
	{"/etc/passwd", "'bind'", true},
	{"/etcetera", "'bind'", false},
	{"/usr/lib/x", "'bind'", true},
	{"/sys/fs/cgroup", "'bind'", true},
	{"/dev", "'bind'", true},
	{"/dev/null", "'bind'", false},
	{"/var/lib/docker", "'bind'", true},
	{"/var/lib/docker/containers/abc/hosts", "'bind'", false},
	{"/run/docker.sock", "'bind'", true},
	{"/var/run/docker.sock", "'bind','ro'", true},
	{"/run/containers/storage/x/resolv.conf", "'bind'", false},
	{"/srv/data", "'rbind'", false},
};

static void test_mounts(void)
{
	for (size_t i = 0; i < ARRAY_LEN(mounts); i++) {
		TOTAL(.mounts = arena_printf(&arena,
					     "{'destination':'/m','source':'%s','options':[%s]}",
					     mounts[i].source, mounts[i].options));
		is_int(points("host paths within reach"), mounts[i].risky ? -10 : 0,
		       "%s with %s is %s", mounts[i].source, mounts[i].options,
		       mounts[i].risky ? "a danger" : "none");
	}
	TOTAL(.root = "{'path':'/'}");
	is_int(points("host paths within reach"), -20, "the host's root as the container's");
}

static void test_calls(void)
{
	const struct pol_seccomp *s;

	s = &MUST(.linux_ =
			  "'seccomp':{'defaultAction':'SCMP_ACT_ERRNO','syscalls':[{'names':['mount','clone'],'action':"
			  "'SCMP_ACT_ALLOW','args':[{'index':0,'value':1,'op':'SCMP_CMP_EQ'}]},{'names':['bpf'],"
			  "'action':'SCMP_ACT_ALLOW'},{'names':['clone'],'action':'SCMP_ACT_ALLOW'}]}")
		     ->seccomp;
	ok(fact_call(s, "mount").conditional,
	   "a call that is allowed with an argument is conditional");
	ok(!fact_call(s, "clone").conditional && fact_call(s, "clone").action == POL_ACT_ALLOW,
	   "unless another rule allows it in any case");
	ok(fact_call(s, "bpf").action == POL_ACT_ALLOW, "an allowed call");
	ok(fact_action_denies(fact_call(s, "ptrace").action),
	   "what no rule names gets the default");
	s = &MUST(.top = "'annotations':{'io.kavach.preset':'strict'}")->seccomp;
	for (size_t i = 0; fact_calls[i]; i++)
		if (!fact_action_denies(fact_call(s, fact_calls[i]).action))
			ok(0, "strict denies %s", fact_calls[i]);
	s = &MUST(.top = "'annotations':{'io.kavach.preset':'basic'}")->seccomp;
	for (size_t i = 0; fact_calls[i]; i++)
		if (!fact_action_denies(fact_call(s, fact_calls[i]).action))
			ok(0, "basic denies %s", fact_calls[i]);
	ok(1, "both profiles deny every call that matters");
}

/* Each of these makes a container stronger, whatever the others are. */
static const struct config tighter[] = {
	{.ns = "{'type':'pid'}"},
	{.ns = "{'type':'network'}"},
	{.ns = "{'type':'ipc'}"},
	{.ns = "{'type':'cgroup'}"},
	{.proc = "'noNewPrivileges':true"},
	{.root = "{'path':'r','readonly':true}"},
	{.linux_ = FILTER},
	{.linux_ = "'resources':{'memory':{'limit':1048576}}"},
	{.linux_ = "'resources':{'pids':{'limit':5}}"},
	{.ns = "{'type':'user'}", .linux_ = USERNS},
};

static void test_monotonic(void)
{
	size_t lower = 0, outside = 0, sums = 0;
	int bare = TOTAL(.proc = CAPS("'CAP_SYS_ADMIN'"));

	for (size_t i = 0; i < ARRAY_LEN(tighter); i++) {
		struct config c = tighter[i];
		int sum = 0, t;

		if (!c.proc)
			c.proc = CAPS("'CAP_SYS_ADMIN'");
		t = total(&c);
		lower += t <= bare;
		outside += t < 0 || t > 100;
		for (size_t j = 0; j < score.n; j++) {
			sum += score.rows[j].points;
			outside += !score.rows[j].evidence || !*score.rows[j].evidence;
		}
		sums += sum != t;
	}
	is_int(lower, 0, "every measure by itself raises the strength");
	is_int(outside, 0, "from 0 to 100, and each row has its evidence");
	is_int(sums, 0, "the total is the sum of the rows");
}

int main(void)
{
	reset();
	test_figures();
	test_credits();
	test_deductions();
	test_mounts();
	test_calls();
	test_monotonic();
	arena_free(&arena);
	return done();
}
