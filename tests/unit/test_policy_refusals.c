/* SPDX-License-Identifier: Apache-2.0 */
/* libs: policy host spec json base */
/* What policy_build() refuses, and with which words. What it decides is in test_policy.c. */
#include <string.h>

#include "policy_fixture.h"

enum {
	NO_TIME_NS = 1 << 0,
	LESS_ROOT = 1 << 1, /* euid 1000 */
	APPARMOR = 1 << 2,
	SELINUX = 1 << 3,
	V1 = 1 << 4,
	ODD_MACHINE = 1 << 5,
	SYSTEMD = 1 << 6,
	NO_CGROUPS = 1 << 7,
	PRESET_STRICT = 1 << 9,
	NO_USER_NS = 1 << 10,
};

static void adjust(unsigned how)
{
	reset();
	if (how & NO_TIME_NS)
		host.time_ns = false;
	if (how & NO_USER_NS)
		host.user_ns = false;
	if (how & LESS_ROOT) {
		host.euid = 1000;
		host.rootless = true;
	}
	host.apparmor = how & APPARMOR;
	host.selinux = how & SELINUX;
	if (how & V1)
		host.cgroup = CG_V1;
	if (how & ODD_MACHINE)
		strcpy(host.machine, "vax");
	if (how & SYSTEMD)
		input.cg_manager = POL_CG_SYSTEMD;
	if (how & NO_CGROUPS)
		input.cg_manager = POL_CG_DISABLED;
	if (how & PRESET_STRICT)
		must_site("{'preset':'strict'}");
}

struct refusal {
	const char *name;
	struct config c;
	unsigned how;
	const char *message; /* without "config.json: " */
};

static const struct refusal refusals[] = {
	/* namespaces */
	{"a namespace type given twice",
	 {.ns = "{'type':'pid'},{'type':'pid'}"},
	 0,
	 "linux.namespaces[2].type: \"pid\" is given twice"},
	{"a second mount namespace",
	 {.ns = "{'type':'mount'}"},
	 0,
	 "linux.namespaces[1].type: \"mount\" is given twice"},
	{"a time namespace that the kernel does not have",
	 {.ns = "{'type':'time'}"},
	 NO_TIME_NS,
	 "linux.namespaces[1].type: this kernel has no time namespaces"},
	{"host name without uts namespace",
	 {.top = "'hostname':'h'"},
	 0,
	 "hostname: \"h\" needs a uts namespace in linux.namespaces, it would rename the host"},
	{"domain name without uts namespace",
	 {.top = "'domainname':'d'"},
	 0,
	 "domainname: \"d\" needs a uts namespace in linux.namespaces, it would rename the host"},
	{"a host name of more than 64 bytes",
	 {.top = "'hostname':'01234567890123456789012345678901234567890123456789012345678901234'",
	  .ns = "{'type':'uts'}"},
	 0,
	 "hostname: expected at most 64 bytes, found 65"},
	{"id mappings without user namespace",
	 {.linux_ = "'uidMappings':[{'containerID':0,'hostID':1000,'size':1}]"},
	 0,
	 "linux.uidMappings: id mappings need a user namespace in linux.namespaces"},
	{"a user namespace without mappings",
	 {.ns = "{'type':'user'}"},
	 0,
	 "linux.uidMappings: a new user namespace needs at least one mapping"},
	{"a user namespace without group mappings",
	 {.ns = "{'type':'user'}",
	  .linux_ = "'uidMappings':[{'containerID':0,'hostID':1000,'size':1}]"},
	 0,
	 "linux.gidMappings: a new user namespace needs at least one mapping"},
	{"no root privileges where there are no user namespaces",
	 {0},
	 LESS_ROOT | NO_USER_NS,
	 "linux.namespaces: without root privileges the container needs a user namespace, and this kernel "
	 "has none"},
	{"an ordinary user's map of one kind without the other",
	 {.linux_ = "'uidMappings':[{'containerID':0,'hostID':1000,'size':1}]"},
	 LESS_ROOT,
	 "linux.gidMappings: a new user namespace needs at least one mapping"},
	{"time offsets without time namespace",
	 {.linux_ = "'timeOffsets':{'monotonic':{'secs':1}}"},
	 0,
	 "linux.timeOffsets: offsets need a time namespace in linux.namespaces"},
	{"time offsets of a joined time namespace",
	 {.ns = "{'type':'time','path':'/proc/9/ns/time'}",
	  .linux_ = "'timeOffsets':{'boottime':{'secs':1}}"},
	 0,
	 "linux.timeOffsets: the offsets of the time namespace \"/proc/9/ns/time\" cannot be changed by joining "
	 "it"},
	/* sysctl */
	{"a sysctl of no namespace",
	 {.linux_ = "'sysctl':{'kernel.core_pattern':'|/x'}"},
	 0,
	 "linux.sysctl: \"kernel.core_pattern\" is not a parameter of a namespace, it would change the host"},
	{"net sysctl with the host's network",
	 {.linux_ = "'sysctl':{'net.ipv4.ip_forward':'1'}"},
	 0,
	 "linux.sysctl: \"net.ipv4.ip_forward\" needs a network namespace in linux.namespaces, it would change "
	 "the host"},
	{"ipc sysctl with the host's ipc",
	 {.linux_ = "'sysctl':{'kernel.shmmax':'1'}"},
	 0,
	 "linux.sysctl: \"kernel.shmmax\" needs a ipc namespace in linux.namespaces, it would change the host"},
	{"mqueue sysctl with the host's ipc",
	 {.linux_ = "'sysctl':{'fs.mqueue.msg_max':'1'}"},
	 0,
	 "linux.sysctl: \"fs.mqueue.msg_max\" needs a ipc namespace in linux.namespaces, it would change the "
	 "host"},
	{"user sysctl without user namespace",
	 {.linux_ = "'sysctl':{'user.max_user_namespaces':'1'}"},
	 0,
	 "linux.sysctl: \"user.max_user_namespaces\" needs a user namespace in linux.namespaces, it would "
	 "change the host"},
	{"kernel.hostname",
	 {.ns = "{'type':'uts'}", .linux_ = "'sysctl':{'kernel.hostname':'x'}"},
	 0,
	 "linux.sysctl: \"kernel.hostname\" is what the member hostname is for"},
	{"two domain names",
	 {.ns = "{'type':'uts'}",
	  .linux_ = "'sysctl':{'kernel.domainname':'x'}",
	  .top = "'domainname':'y'"},
	 0,
	 "linux.sysctl: \"kernel.domainname\" says \"x\", the member domainname \"y\""},
	{"a sysctl that walks up",
	 {.ns = "{'type':'network'}", .linux_ = "'sysctl':{'net/../kernel/core_pattern':'x'}"},
	 0,
	 "linux.sysctl: \"net/../kernel/core_pattern\" is not a name of a parameter"},
	{"a sysctl that walks up with dots",
	 {.ns = "{'type':'network'}", .linux_ = "'sysctl':{'net.//.kernel.core_pattern':'x'}"},
	 0,
	 "linux.sysctl: \"net.//.kernel.core_pattern\" is not a name of a parameter"},
	{"a sysctl with an empty part",
	 {.ns = "{'type':'network'}", .linux_ = "'sysctl':{'net..x':'x'}"},
	 0,
	 "linux.sysctl: \"net..x\" is not a name of a parameter"},
	{"a prefix as a sysctl",
	 {.ns = "{'type':'network'}", .linux_ = "'sysctl':{'net.':'x'}"},
	 0,
	 "linux.sysctl: \"net.\" is not a name of a parameter"},
	{"a sysctl in both spellings",
	 {.ns = "{'type':'network'}",
	  .linux_ = "'sysctl':{'net.core.somaxconn':'1','net/core/somaxconn':'2'}"},
	 0,
	 "linux.sysctl: \"net/core/somaxconn\" is given twice"},
	/* root and mounts */
	{"an unknown mount context",
	 {.top = "'annotations':{'run.oci.mount_context_type':'magic'}"},
	 0,
	 "annotations[\"run.oci.mount_context_type\"]: \"magic\" is not one of the words that are known here"},
	{"a mount label without SELinux",
	 {.linux_ = "'mountLabel':'system_u:object_r:x'"},
	 0,
	 "linux.mountLabel: \"system_u:object_r:x\" is given, but SELinux is not enabled on this host"},
	{"a mount without type",
	 {.mounts = "{'destination':'/x','source':'y'}"},
	 0,
	 "mounts[0]: expected a type, or \"bind\" or \"rbind\" in options"},
	{"type bind without the option",
	 {.mounts = "{'destination':'/x','type':'bind','source':'/y'}"},
	 0,
	 "mounts[0].type: \"bind\" is no file system; a bind mount has \"bind\" or \"rbind\" in options"},
	{"a mount over the root",
	 {.mounts = "{'destination':'/x/..','type':'tmpfs'}"},
	 0,
	 "mounts[0].destination: \"/x/..\" would hide the root file system"},
	{"a bind mount without source",
	 {.mounts = "{'destination':'/x','options':['bind']}"},
	 0,
	 "mounts[0].source: a bind mount needs one"},
	{"tmpfs over /proc",
	 {.mounts = "{'destination':'/proc','type':'tmpfs'}"},
	 0,
	 "mounts[0].type: expected \"proc\" at /proc, found \"tmpfs\""},
	{"a mount in /proc",
	 {.mounts = "{'destination':'/proc/self','type':'tmpfs'}"},
	 0,
	 "mounts[0].destination: nothing may be mounted at \"/proc/self\", inside of /proc"},
	{"a bind in /proc, hidden by dots",
	 {.mounts = "{'destination':'/sys/../proc//sys/kernel/','source':'/x','options':['bind']}"},
	 0,
	 "mounts[0].destination: nothing may be mounted at \"/proc/sys/kernel\", inside of /proc"},
	{"data on a bind mount",
	 {.mounts = "{'destination':'/a','type':'tmpfs'},{'destination':'/x','source':'/y','options':['rbind',"
		    "'size=1m']}"},
	 0,
	 "mounts[1].options: \"size=1m\" is an option of a file system, a bind mount has none"},
	{"data on a remount",
	 {.mounts = "{'destination':'/x','options':['remount','size=1m']}"},
	 0,
	 "mounts[0].options: \"size=1m\" is an option of a file system, a remount has none"},
	{"tmpcopyup on a bind mount",
	 {.mounts = "{'destination':'/x','source':'/y','options':['bind','tmpcopyup']}"},
	 0,
	 "mounts[0].options: \"tmpcopyup\" is only for type \"tmpfs\""},
	{"copy-symlink on a tmpfs",
	 {.mounts = "{'destination':'/x','type':'tmpfs','options':['copy-symlink']}"},
	 0,
	 "mounts[0].options: \"copy-symlink\" is only for bind mounts"},
	{"idmap on a remount",
	 {.mounts = "{'destination':'/x','options':['remount','idmap'],'uidMappings':[{'containerID':0,'hostID'"
		    ":1,'size':1}],'gidMappings':[{'containerID':0,'hostID':1,'size':1}]}"},
	 0,
	 "mounts[0].options: \"idmap\" is only for bind mounts and new file systems"},
	{"idmap with nothing to map by",
	 {.mounts = "{'destination':'/x','source':'/y','options':['bind','idmap']}"},
	 0,
	 "mounts[0].options: \"idmap\" needs uidMappings and gidMappings, or a user namespace in "
	 "linux.namespaces"},
	{"a malformed idmap option",
	 {.mounts =
		  "{'destination':'/x','source':'/y','options':['bind','idmap=uids=0-1;gids=0-1-1']}"},
	 0,
	 "mounts[0].options: expected \"idmap=uids=C-H-N#...;gids=C-H-N#...\" with ids that are mapped, found "
	 "\"idmap=uids=0-1;gids=0-1-1\""},
	{"an idmap option relative to no map",
	 {.mounts =
		  "{'destination':'/x','source':'/y','options':['bind','idmap=uids=@0-1-1;gids=@0-1-1']}"},
	 0,
	 "mounts[0].options: expected \"idmap=uids=C-H-N#...;gids=C-H-N#...\" with ids that are mapped, found "
	 "\"idmap=uids=@0-1-1;gids=@0-1-1\""},
	{"all of the root as a masked path",
	 {.linux_ = "'maskedPaths':['/a/..']"},
	 0,
	 "linux.maskedPaths[0]: \"/a/..\" is all of the root"},
	/* devices */
	{"two different devices at one path",
	 {.linux_ = "'devices':[{'path':'/dev/x','type':'c','major':1,'minor':3},{'path':'/dev//x','type':'c',"
		    "'major':1,'minor':5}]"},
	 0,
	 "linux.devices[1].path: \"/dev/x\" is given twice, with different properties"},
	/* process */
	{"no program", {.args = "[]"}, 0, "process.args: expected at least one string, the program"},
	{"an unknown rlimit",
	 {.proc = "'rlimits':[{'type':'RLIMIT_BEER','soft':1,'hard':1}]"},
	 0,
	 "process.rlimits[0].type: \"RLIMIT_BEER\" is not one of the words that are known here"},
	{"an rlimit given twice",
	 {.proc = "'rlimits':[{'type':'RLIMIT_CPU','soft':1,'hard':1},{'type':'RLIMIT_CPU','soft':2,'hard':2}]"},
	 0,
	 "process.rlimits[1].type: \"RLIMIT_CPU\" is given twice"},
	{"a soft limit above the hard one",
	 {.proc = "'rlimits':[{'type':'RLIMIT_NOFILE','soft':18446744073709551615,'hard':1024}]"},
	 0,
	 "process.rlimits[0].soft: expected at most the hard limit 1024, found 18446744073709551615"},
	{"a user that is not mapped",
	 {.ns = "{'type':'user'}",
	  .linux_ = "'uidMappings':[{'containerID':1,'hostID':1000,'size':10}],'gidMappings':[{'containerID':0,"
		    "'hostID':1000,'size':10}]"},
	 0,
	 "process.user.uid: 0 is not mapped into the user namespace"},
	{"an AppArmor profile without AppArmor",
	 {.proc = "'apparmorProfile':'docker-default'"},
	 0,
	 "process.apparmorProfile: \"docker-default\" is given, but AppArmor is not enabled on this host"},
	{"an SELinux label without SELinux",
	 {.proc = "'selinuxLabel':'a:b:c:s0'"},
	 0,
	 "process.selinuxLabel: \"a:b:c:s0\" is given, but SELinux is not enabled on this host"},
	{"a scheduler that Linux does not have",
	 {.proc = "'scheduler':{'policy':'SCHED_ISO'}"},
	 0,
	 "process.scheduler.policy: \"SCHED_ISO\" is not one of the words that are known here"},
	{"SCHED_FIFO without priority",
	 {.proc = "'scheduler':{'policy':'SCHED_FIFO'}"},
	 0,
	 "process.scheduler.priority: expected 1 to 99 with SCHED_FIFO, found 0"},
	{"a priority with SCHED_OTHER",
	 {.proc = "'scheduler':{'policy':'SCHED_OTHER','priority':1}"},
	 0,
	 "process.scheduler.priority: only for SCHED_FIFO and SCHED_RR, the policy is SCHED_OTHER"},
	{"a runtime with SCHED_RR",
	 {.proc = "'scheduler':{'policy':'SCHED_RR','priority':1,'runtime':5}"},
	 0,
	 "process.scheduler: runtime, deadline and period are only for SCHED_DEADLINE, the policy is SCHED_RR"},
	{"a deadline before the runtime ends",
	 {.proc = "'scheduler':{'policy':'SCHED_DEADLINE','runtime':5,'deadline':4,'period':9}"},
	 0,
	 "process.scheduler: expected 0 < runtime <= deadline <= period with SCHED_DEADLINE"},
	/* seccomp */
	{"NOTIFY as the default",
	 {.linux_ = "'seccomp':{'defaultAction':'SCMP_ACT_NOTIFY','listenerPath':'/s'}"},
	 0,
	 "linux.seccomp.defaultAction: SCMP_ACT_NOTIFY cannot be the default, no process could start"},
	{"NOTIFY for write",
	 {.linux_ = "'seccomp':{'defaultAction':'SCMP_ACT_ALLOW','listenerPath':'/s','syscalls':[{'names':["
		    "'mkdir','write'],'action':'SCMP_ACT_NOTIFY'}]}"},
	 0,
	 "linux.seccomp.syscalls[0]: SCMP_ACT_NOTIFY cannot be used for \"write\", which hands over the "
	 "listener"},
	{"NOTIFY without listenerPath",
	 {.linux_ = "'seccomp':{'defaultAction':'SCMP_ACT_ALLOW','syscalls':[{'names':['mkdir'],'action':"
		    "'SCMP_ACT_NOTIFY'}]}"},
	 0,
	 "linux.seccomp.listenerPath: required with SCMP_ACT_NOTIFY"},
	{"a relative listenerPath",
	 {.linux_ = "'seccomp':{'defaultAction':'SCMP_ACT_ALLOW','listenerPath':'s','syscalls':[{'names':["
		    "'mkdir'],'action':'SCMP_ACT_NOTIFY'}]}"},
	 0,
	 "linux.seccomp.listenerPath: expected an absolute path, found \"s\""},
	{"WAIT_KILLABLE_RECV without NOTIFY",
	 {.linux_ = "'seccomp':{'defaultAction':'SCMP_ACT_ALLOW','flags':["
		    "'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV']}"},
	 0,
	 "linux.seccomp.flags: SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV needs a rule with SCMP_ACT_NOTIFY"},
	{"a filter on a machine without seccomp",
	 {.linux_ = "'seccomp':{'defaultAction':'SCMP_ACT_ALLOW'}"},
	 ODD_MACHINE,
	 "linux.seccomp: machine \"vax\" of this host is not known to seccomp"},
	/* resources */
	{"memory and swap below memory",
	 {.linux_ = "'resources':{'memory':{'limit':2048,'swap':1024}}"},
	 0,
	 "linux.resources.memory.swap: expected at least memory.limit (2048), found 1024: it counts memory and "
	 "swap together"},
	{"swap without a limit of memory",
	 {.linux_ = "'resources':{'memory':{'swap':1024}}"},
	 0,
	 "linux.resources.memory.swap: a limit of memory and swap together needs memory.limit"},
	{"an I/O weight below 10",
	 {.linux_ = "'resources':{'blockIO':{'weight':9}}"},
	 0,
	 "linux.resources.blockIO.weight: expected 10 to 1000, found 9"},
	{"an I/O weight above 1000",
	 {.linux_ = "'resources':{'blockIO':{'leafWeight':1001}}"},
	 0,
	 "linux.resources.blockIO.leafWeight: expected 10 to 1000, found 1001"},
	{"an I/O weight of a device below 10",
	 {.linux_ = "'resources':{'blockIO':{'weightDevice':[{'major':8,'minor':0,'weight':1}]}}"},
	 0,
	 "linux.resources.blockIO.weightDevice.weight: expected 10 to 1000, found 1"},
	{"a size of huge pages given twice",
	 {.linux_ =
		  "'resources':{'hugepageLimits':[{'pageSize':'2MB','limit':1},{'pageSize':'2MB','limit':2}]}"},
	 0,
	 "linux.resources.hugepageLimits[1].pageSize: \"2MB\" is given twice"},
	{"an interface priority given twice",
	 {.linux_ = "'resources':{'network':{'priorities':[{'name':'eth0','priority':1},{'name':'eth0',"
		    "'priority':2}]}}"},
	 0,
	 "linux.resources.network.priorities[1].name: \"eth0\" is given twice"},
	{"unified without version 2",
	 {.linux_ = "'resources':{'unified':{'memory.high':'1'}}"},
	 V1,
	 "linux.resources.unified: this host has only version 1 of control groups"},
	{"a cgroupsPath that walks up",
	 {.linux_ = "'cgroupsPath':'/a/../../b'"},
	 0,
	 "linux.cgroupsPath: expected a path without \"..\", found \"/a/../../b\""},
	{"a path for the systemd manager",
	 {.linux_ = "'cgroupsPath':'/a/b'"},
	 SYSTEMD,
	 "linux.cgroupsPath: expected \"slice:prefix:name\" with the systemd manager, found \"/a/b\""},
	/* the rest */
	{"network devices without network namespace",
	 {.linux_ = "'netDevices':{'eth0':{}}"},
	 0,
	 "linux.netDevices: needs a network namespace in linux.namespaces"},
	{"a network device's name with a pattern that is not at the end",
	 {.ns = "{'type':'network'}", .linux_ = "'netDevices':{'eth0':{'name':'a%db'}}"},
	 0,
	 "linux.netDevices[\"eth0\"].name: expected \"%\" only in \"%d\" at the end, found \"a%db\""},
	{"two network devices of one name",
	 {.ns = "{'type':'network'}",
	  .linux_ = "'netDevices':{'eth0':{'name':'x'},'eth1':{'name':'x'}}"},
	 0,
	 "linux.netDevices[\"eth1\"].name: \"x\" is given twice"},
	{"resctrl groups",
	 {.linux_ = "'intelRdt':{'closID':'x'}"},
	 0,
	 "linux.intelRdt: resctrl is not mounted at /sys/fs/resctrl on this host"},
	{"nodes with MPOL_LOCAL",
	 {.linux_ = "'memoryPolicy':{'mode':'MPOL_LOCAL','nodes':'0'}"},
	 0,
	 "linux.memoryPolicy: MPOL_LOCAL takes no nodes and no flags"},
	{"MPOL_BIND without nodes",
	 {.linux_ = "'memoryPolicy':{'mode':'MPOL_BIND','nodes':''}"},
	 0,
	 "linux.memoryPolicy.nodes: required with MPOL_BIND"},
	{"static and relative nodes",
	 {.linux_ = "'memoryPolicy':{'mode':'MPOL_BIND','nodes':'0','flags':['MPOL_F_STATIC_NODES',"
		    "'MPOL_F_RELATIVE_NODES']}"},
	 0,
	 "linux.memoryPolicy.flags: MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other"},
	{"NUMA balancing with interleaving",
	 {.linux_ =
		  "'memoryPolicy':{'mode':'MPOL_INTERLEAVE','nodes':'0','flags':['MPOL_F_NUMA_BALANCING']}"},
	 0,
	 "linux.memoryPolicy.flags: MPOL_F_NUMA_BALANCING is only for MPOL_BIND and MPOL_PREFERRED_MANY"},
	{"a hypervisor of the bundle's choice",
	 {.top = "'vm':{'hypervisor':{'path':'/evil'},'kernel':{'path':'/k'}}"},
	 0,
	 "vm.hypervisor.path: /evil is not one that the site's rules allow (vm.hypervisors of rules.d)"},
	{"memory of the host in the guest",
	 {.top = "'vm':{'kernel':{'path':'/k'},'hwConfig':{'iomems':[{'firstGFN':1,'firstMFN':1,'nrMFNs':1}]}}"},
	 0,
	 "vm.hwConfig.iomems: not supported"},
	{"interrupts of the host in the guest",
	 {.top = "'vm':{'kernel':{'path':'/k'},'hwConfig':{'irqs':[1]}}"},
	 0,
	 "vm.hwConfig.irqs: not supported"},
	{"an unknown annotation of ours",
	 {.top = "'annotations':{'io.kavach.presett':'strict'}"},
	 0,
	 "annotations[\"io.kavach.presett\"]: kavach has no such annotation"},
	{"an unknown preset",
	 {.top = "'annotations':{'io.kavach.preset':'Strict'}"},
	 0,
	 "annotations[\"io.kavach.preset\"]: \"Strict\" is not one of the words that are known here"},
	{"strict without control groups",
	 {0},
	 PRESET_STRICT | NO_CGROUPS,
	 "the preset strict of rules file /etc/kavach/rules.d/10.json: preset limits resources, but control groups are disabled"},
};

static void test_refusals(void)
{
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		const struct refusal *r = &refusals[i];
		const char *want = arena_printf(&arena, "config.json: %s", r->message);

		adjust(r->how);
		err = ERR_INIT;
		is_str(build_text(config_text(&r->c)) ? "accepted" : err.msg, want, "refuses %s",
		       r->name);
		if (err.id != ERR_CONFIG || err.code != -EINVAL)
			ok(0, "... as an error of the config (id %u, code %d)", err.id, err.code);
	}
	reset();
}

static void test_missing(void)
{
	static const char no_ns[] = "{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"r\"}}";
	static const char no_root[] =
		"{\"ociVersion\":\"1.0.0\",\"linux\":{\"namespaces\":[{\"type\":\"mount\"}]}}";
	static const char no_process[] = "{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"r\"},"
					 "\"linux\":{\"namespaces\":[{\"type\":\"mount\"}]}}";
	const struct policy *p;

	reset();
	ok(!build_text(no_ns), "refuses a config without mount namespace");
	is_str(err.msg,
	       "config.json: linux.namespaces: a mount namespace is required, the root is assembled in it",
	       "and says why");
	ok(!build_text(no_root), "refuses a config without root");
	ok(!build_text(no_process), "refuses a config without process when it is to run");
	is_str(err.msg, "config.json: process: required, there is nothing to run", "and says so");
	input.need_process = false;
	p = build_text(no_process);
	ok(p && !p->has_process, "accepts it when it is only to be created");
	input.need_process = true;
	input.need_process = false;
	ok(!build_text(quotes(arena_strdup(
		   &arena, "{'ociVersion':'1.0.0','root':{'path':'r'},'linux':{"
			   "'namespaces':[{'type':'mount','path':'/proc/1/ns/mnt'}]}}"))),
	   "refuses another root than that of a joined mount namespace");
	is_str(err.msg,
	       "config.json: root.path: expected \"/\", the root of the mount namespace "
	       "\"/proc/1/ns/mnt\" that is joined, found \"r\"",
	       "and says why");
	p = build_text(quotes(
		arena_strdup(&arena, "{'ociVersion':'1.0.0','root':{'path':'/'},'linux':{"
				     "'namespaces':[{'type':'mount','path':'/proc/1/ns/mnt'}]}}")));
	ok(p && p->devices.n == 0, "joins a mount namespace, and makes no device there");
	input.need_process = true;
}

int main(void)
{
	reset();
	test_refusals();
	test_missing();
	arena_free(&arena);
	return done();
}
