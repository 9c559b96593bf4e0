/* SPDX-License-Identifier: Apache-2.0 */
/* libs: policy host spec json base */
/* What policy_build() decides. What it refuses is in test_policy_refusals.c. */
#include <linux/mount.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "policy/host_may.h"
#include "policy_fixture.h"

static void test_namespaces(void)
{
	const struct policy *p, *q;

	p = MUST(.ns = "{'type':'time'},{'type':'user'},{'type':'pid','path':'/proc/7/ns/pid'}",
		 .linux_ =
			 "'uidMappings':[{'containerID':0,'hostID':100000,'size':65536}],"
			 "'gidMappings':[{'containerID':0,'hostID':100000,'size':65536}],"
			 "'timeOffsets':{'monotonic':{'secs':-5,'nanosecs':7},'boottime':{'secs':3}}");
	is_int(p->ns.n, 4, "all namespaces are there");
	ok(p->ns.v[0].type == POL_NS_USER && p->ns.v[1].type == POL_NS_PID &&
		   p->ns.v[2].type == POL_NS_MNT && p->ns.v[3].type == POL_NS_TIME,
	   "sorted by type");
	is_str(pol_ns_find(p, POL_NS_PID)->path, "/proc/7/ns/pid", "a path joins");
	ok(!pol_ns_find(p, POL_NS_NET), "what is not named is shared");
	ok(p->uid_map.n == 1 && p->uid_map.v[0].host == 100000 && p->uid_map.v[0].size == 65536,
	   "the id map");
	ok(p->time_offsets.n == 2 && p->time_offsets.v[0].clock == 2 &&
		   p->time_offsets.v[1].clock == 1 && p->time_offsets.v[1].secs == -5 &&
		   p->time_offsets.v[1].nanosecs == 7,
	   "time offsets");
	p = MUST(.ns = "{'type':'user','path':'/proc/7/ns/user'}",
		 .linux_ = "'uidMappings':[{'containerID':0,'hostID':0,'size':1}]");
	ok(!p->uid_map.n,
	   "mappings with a joined user namespace are its owner's, as podman needs it");
	p = MUST(.ns = "{'type':'uts'}", .top = "'hostname':'h','domainname':'d'");
	is_str(p->hostname, "h", "host name");
	is_str(p->domainname, "d", "domain name");
	p = MUST(.ns = "{'type':'network'}",
		 .linux_ =
			 "'sysctl':{'net/ipv4/conf/eth0.100/forwarding':'1','net.core.somaxconn':'5'}");
	is_str(p->sysctl.v[0].key, "net.core.somaxconn", "sysctls are sorted by name");
	is_str(p->sysctl.v[1].key, "net.ipv4.conf.eth0/100.forwarding",
	       "slashes and dots change places");
	p = MUST(.ns = "{'type':'pid'},{'type':'ipc'}");
	q = MUST(.ns = "{'type':'ipc'},{'type':'pid'}");
	is_str(digest_of(p), digest_of(q), "the order of namespaces does not change the digest");
}

static const struct pol_mount *one_mount(const char *options)
{
	const struct policy *p = must_build(&(struct config){
		.mounts = arena_printf(
			&arena, "{'destination':'/m','type':'tmpfs','source':'t','options':[%s]}",
			options)});

	return &p->mounts.v[0];
}

static void test_mounts(void)
{
	const struct policy *p;
	const struct pol_mount *m;

	p = MUST(.root = "{'path':'rootfs','readonly':true}",
		 .linux_ = "'rootfsPropagation':'rslave'",
		 .mounts =
			 "{'destination':'/proc','type':'proc','source':'proc'},"
			 "{'destination':'data//x/','source':'vol/./a','options':['rbind','ro','rw']},"
			 "{'destination':'/l','source':'a/../b','options':['bind','src-nofollow']},"
			 "{'destination':'/sys/fs/cgroup','type':'cgroup2','source':'cgroup','options':['ro']},"
			 "{'destination':'/proc/cpuinfo','source':'/lxcfs/cpuinfo','options':['bind']},"
			 "{'destination':'/proc','options':['remount','ro']}");
	is_str(p->rootfs, "/b/rootfs", "the root is below the bundle");
	ok(p->rootfs_readonly && p->rootfs_propagation == (MS_SLAVE | MS_REC), "read-only, rslave");
	is_int(p->mounts.n, 6, "all mounts, in order");
	ok(p->mounts.v[0].kind == POL_MOUNT_FS && p->mounts.v[0].config_index == 0,
	   "a file system");
	m = &p->mounts.v[1];
	ok(m->kind == POL_MOUNT_RBIND && !m->type, "rbind is a bind whatever the type");
	is_str(m->destination, "/data/x", "a relative destination is below the root, cleaned");
	is_str(m->source, "/b/vol/a", "a relative source is below the bundle");
	ok(!(m->attr_set & MOUNT_ATTR_RDONLY) && (m->attr_clr & MOUNT_ATTR_RDONLY),
	   "the later of ro and rw wins");
	ok(m->flags & POL_MOUNT_USER_CLEARED, "and that it was asked for is kept");
	is_str(p->mounts.v[2].source, "/b/a/../b",
	       "\"..\" behind a possible symlink is not resolved by text");
	ok(p->mounts.v[2].flags & POL_MOUNT_SRC_NOFOLLOW, "src-nofollow");
	ok(p->mounts.v[3].kind == POL_MOUNT_CGROUP, "cgroup2 is the container's view of its group");
	ok(p->mounts.v[4].kind == POL_MOUNT_BIND, "a file of lxcfs in /proc");
	ok(p->mounts.v[5].kind == POL_MOUNT_REMOUNT && p->mounts.v[5].attr_set == MOUNT_ATTR_RDONLY,
	   "a remount of /proc");
	m = one_mount("'mode=755','size=5m','nr_inodes=7'");
	ok(m->data.n == 3 && str_eq(m->data.v[0], "mode=755") &&
		   str_eq(m->data.v[2], "nr_inodes=7"),
	   "options that we do not know go to the file system, in order");
	m = one_mount("'ro','tmpcopyup'");
	ok((m->flags & POL_MOUNT_DATA_RO) && (m->flags & POL_MOUNT_TMPCOPYUP),
	   "a read-only file system is so itself");
	ok(!(one_mount("'ro','rw'")->flags & POL_MOUNT_DATA_RO), "unless rw comes later");
	p = MUST(.mounts = "{'destination':'/x','source':'/y','options':['bind','sync']}");
	is_int(p->mounts.v[0].sb_flags, 0,
	       "a bind mount cannot change the super block of its source");
	p = MUST(.linux_ =
			 "'maskedPaths':['/proc/kcore','/proc//kcore/','/sys/firmware'],'readonlyPaths':[]");
	ok(p->masked.n == 2 && str_eq(p->masked.v[0], "/proc/kcore"),
	   "masked paths are cleaned, once each");
	p = MUST(.mounts = "{'destination':'/proc','source':'/proc','options':['rbind']}");
	ok(p->mounts.v[0].kind == POL_MOUNT_RBIND,
	   "a bind of /proc, whose source is looked at when it is open");
	host.selinux = true;
	p = MUST(.linux_ = "'mountLabel':'l'",
		 .top = "'annotations':{'run.oci.mount_context_type':'rootcontext'}");
	ok(str_eq(p->mount_label, "l") && p->mount_label_kind == 3, "mount label and its kind");
	reset();
}

static void test_idmaps(void)
{
	const struct policy *p;

	p = MUST(.ns = "{'type':'user'}",
		 .linux_ = "'uidMappings':[{'containerID':0,'hostID':1000,'size':100}],"
			   "'gidMappings':[{'containerID':0,'hostID':2000,'size':100}]",
		 .mounts = "{'destination':'/a','source':'/y','options':['bind','idmap']},"
			   "{'destination':'/b','source':'/y','options':['rbind','ridmap']},"
			   "{'destination':'/c','source':'/y','options':['bind',"
			   "'idmap=uids=0-5-3#9-8-1;gids=@0-7-2']},"
			   "{'destination':'/d','source':'/y','options':['bind'],"
			   "'uidMappings':[{'containerID':1,'hostID':2,'size':3}],"
			   "'gidMappings':[{'containerID':4,'hostID':5,'size':6}]}");
	ok(p->mounts.v[0].flags == POL_MOUNT_IDMAP && !p->mounts.v[0].uid_map.n,
	   "idmap without maps: by the user namespace");
	ok(p->mounts.v[1].flags == (POL_MOUNT_IDMAP | POL_MOUNT_IDMAP_REC), "ridmap");
	ok(p->mounts.v[2].uid_map.n == 2 && p->mounts.v[2].uid_map.v[0].host == 5 &&
		   p->mounts.v[2].uid_map.v[1].container == 9,
	   "maps in the option");
	ok(p->mounts.v[2].gid_map.v[0].host == 2007 && p->mounts.v[2].gid_map.v[0].size == 2,
	   "relative to the user namespace with \"@\"");
	ok((p->mounts.v[3].flags & POL_MOUNT_IDMAP) && p->mounts.v[3].gid_map.v[0].host == 5,
	   "mappings without option, as before spec 1.2");
}

static const struct pol_device *device(const struct policy *p, const char *path)
{
	for (size_t i = 0; i < p->devices.n; i++)
		if (str_eq(p->devices.v[i].path, path))
			return &p->devices.v[i];
	return NULL;
}

static void test_devices(void)
{
	const struct pol_device_rule *r;
	const struct pol_resources *res;
	const struct pol_device *d;
	const struct policy *p;

	p = MUST(.linux_ =
			 "'devices':[{'path':'/dev/fuse','type':'c','major':10,'minor':229,'fileMode':438},"
			 "{'path':'/dev/pipe','type':'p'},{'path':'/dev/null','type':'u','major':1,'minor':3,"
			 "'uid':5},{'path':'/dev/fuse','type':'c','major':10,'minor':229}]");
	is_int(p->devices.n, 8, "the default devices and those of the config, equal ones once");
	d = device(p, "/dev/zero");
	ok(d && d->is_default && d->type == S_IFCHR && d->major == 1 && d->minor == 5 &&
		   d->mode == 0666,
	   "a default device");
	d = device(p, "/dev/null");
	ok(d && !d->is_default && d->uid == 5, "one that the config gives is the config's");
	d = device(p, "/dev/pipe");
	ok(d && d->type == S_IFIFO, "a FIFO");
	res = &MUST(.linux_ = "'resources':{}")->resources;
	is_int(res->devices.n, 12, "without rules: deny all, then what every container has");
	r = &res->devices.v[0];
	ok(!r->allow && r->type == 'a' && r->major == -1 && r->minor == -1 && r->access == 7,
	   "deny all comes first");
	r = &res->devices.v[1];
	ok(r->allow && r->type == 'c' && r->major == -1 && r->access == 4, "nodes may be made");
	r = &res->devices.v[11];
	ok(r->allow && r->type == 'c' && r->major == 136 && r->minor == -1 && r->access == 7,
	   "terminals");
	res = &MUST(.linux_ = "'resources':{'devices':[{'allow':false},{'allow':true,'type':'b','major':8,"
			      "'access':'r'},{'allow':true,'major':10,'minor':200,'access':'wm'}]}")
		       ->resources;
	is_int(res->devices.n, 16, "the config's rules stand between");
	r = &res->devices.v[2];
	ok(r->type == 'b' && r->major == 8 && r->minor == -1 && r->access == 1,
	   "a missing number is any");
	ok(res->devices.v[3].type == 'b' && res->devices.v[4].type == 'c' &&
		   res->devices.v[4].major == 10 && res->devices.v[4].access == 6,
	   "\"all\" with numbers is two rules: version 1 would take it for everything");
}

static void test_process(void)
{
	const struct pol_process *proc;
	const struct policy *p;

	p = MUST(.proc = "'terminal':true,'consoleSize':{'width':80,'height':25},'noNewPrivileges':true,"
			 "'env':['A=1','B=2','A=3'],'oomScoreAdj':0,'ioPriority':{'class':'IOPRIO_CLASS_BE',"
			 "'priority':4},'execCPUAffinity':{'initial':'0-1','final':''},"
			 "'scheduler':{'policy':'SCHED_BATCH','nice':5,'flags':['SCHED_FLAG_RESET_ON_FORK']},"
			 "'rlimits':[{'type':'RLIMIT_NOFILE','soft':5,'hard':6}]",
		 .args = "['a','']", .linux_ = "'personality':{'domain':'LINUX32'}");
	proc = &p->process;
	ok(proc->terminal && proc->console_width == 80 && proc->console_height == 25,
	   "terminal and its size");
	ok(proc->args.n == 2 && !*proc->args.v[1], "arguments, also empty ones");
	ok(proc->env.n == 2 && str_eq(proc->env.v[0], "A=3") && str_eq(proc->env.v[1], "B=2"),
	   "the last value of a variable counts");
	ok(proc->no_new_privs, "no new privileges");
	ok(proc->oom_score_adj.set && proc->oom_score_adj.v == 0, "an OOM score of 0 is a score");
	is_int(proc->ioprio.v, 2 << 13 | 4, "I/O priority as the kernel takes it");
	ok(str_eq(proc->affinity_initial, "0-1") && !proc->affinity_final, "CPU affinity");
	ok(proc->sched.set && proc->sched.policy == 3 && proc->sched.nice == 5 &&
		   proc->sched.flags == 1,
	   "scheduler");
	ok(proc->rlimits.n == 1 && proc->rlimits.v[0].resource == RLIMIT_NOFILE &&
		   proc->rlimits.v[0].hard == 6,
	   "rlimits");
	ok(proc->personality.set && proc->personality.v == 8, "personality");
	ok(proc->new_keyring, "a session keyring of its own");
	input.no_new_keyring = input.no_pivot = true;
	p = MUST(.top = "'annotations':{'run.oci.keep_original_groups':'1'}",
		 .proc = "'consoleSize':{'width':80,'height':25}");
	ok(!p->process.new_keyring && p->no_pivot, "unless the command line says so");
	ok(p->process.keep_groups, "run.oci.keep_original_groups");
	is_int(p->process.console_width, 0, "no size without terminal");
	ok(!p->process.oom_score_adj.set && !p->process.umask.set,
	   "what is not given stays untouched");
	ok(!MUST(.top = "'annotations':{'run.oci.keep_original_groups':'0'}")->process.keep_groups,
	   "an annotation of \"0\" is off");
	reset();
	ok(!MUST(.proc = "'apparmorProfile':'unconfined'")->process.apparmor,
	   "unconfined needs no AppArmor");
	host.apparmor = host.selinux = true;
	p = MUST(.proc = "'apparmorProfile':'x','selinuxLabel':'y'");
	ok(str_eq(p->process.apparmor, "x") && str_eq(p->process.selinux, "y"),
	   "labels where there are modules");
	reset();
	p = MUST(.proc = "'rlimits':[{'type':'RLIMIT_AS','soft':18446744073709551615,'hard':18446744073709551615}]");
	ok(p->process.rlimits.v[0].soft == UINT64_MAX, "unlimited survives as a 64-bit number");
}

#define BIT(n) (1ULL << (n))

static void test_caps(void)
{
	const struct pol_caps *c;

	c = &MUST(.proc = NULL)->process.caps;
	ok(c->set && !c->bounding && !c->permitted && !c->effective,
	   "no capabilities object: no capabilities");
	c = &MUST(.proc = "'capabilities':{'bounding':['CAP_CHOWN','CAP_NONSENSE','CAP_KILL'],'permitted':['CAP_KILL'],"
			  "'effective':['CAP_KILL','CAP_CHOWN'],'inheritable':['CAP_CHOWN','CAP_SYS_ADMIN'],"
			  "'ambient':['CAP_KILL','CAP_CHOWN']}")
		     ->process.caps;
	ok(c->bounding == (BIT(0) | BIT(5)), "an unknown name is left out");
	ok(c->effective == BIT(5), "effective is within permitted");
	ok(c->inheritable == BIT(0), "inheritable is within bounding");
	ok(c->ambient == 0, "ambient is within permitted and inheritable");
	host.last_cap = 37;
	host.caps &= ~BIT(24);
	c = &MUST(.proc = "'capabilities':{'bounding':['CAP_BPF','CAP_SYS_RESOURCE','CAP_AUDIT_READ']}")
		     ->process.caps;
	ok(c->bounding == BIT(37),
	   "what the kernel does not know and what is not ours to give is left out");
	c = &MUST(.ns = "{'type':'user','path':'/p'}",
		  .proc = "'capabilities':{'bounding':['CAP_SYS_RESOURCE']}")
		     ->process.caps;
	ok(c->bounding == BIT(24), "in a user namespace the kernel gives all");
	reset();
}

static void test_seccomp(void)
{
	const struct pol_seccomp *s;

	ok(!MUST(.ns = NULL)->seccomp.set, "no section, no filter");
	s = &MUST(.linux_ =
			  "'seccomp':{'defaultAction':'SCMP_ACT_ERRNO','architectures':['SCMP_ARCH_X32',"
			  "'SCMP_ARCH_X86','SCMP_ARCH_X86'],'listenerPath':'/ignored','syscalls':[{'names':['read'"
			  "],'action':'SCMP_ACT_ALLOW'},{'names':['clone'],'action':'SCMP_ACT_ERRNO','errnoRet':38,"
			  "'args':[{'index':0,'value':2114060288,'valueTwo':0,'op':'SCMP_CMP_MASKED_EQ'}]}]}")
		     ->seccomp;
	ok(s->set && s->default_action == POL_ACT_ERRNO && s->default_errno == 1,
	   "the default errno is EPERM");
	ok(s->archs.n == 3 && str_eq(s->archs.v[0], "SCMP_ARCH_X86") &&
		   str_eq(s->archs.v[1], "SCMP_ARCH_X86_64"),
	   "the native architecture is added, the list sorted, each once");
	is_int(s->flags, 4, "SPEC_ALLOW when there are no flags");
	ok(!s->listener_path, "a listener without NOTIFY is ignored");
	ok(s->rules.n == 2 && s->rules.v[0].action == POL_ACT_ALLOW &&
		   s->rules.v[1].errno_ret == 38,
	   "rules");
	ok(s->rules.v[1].args.n == 1 && s->rules.v[1].args.v[0].op == 7 &&
		   s->rules.v[1].args.v[0].value == 2114060288,
	   "arguments");
	is_str(s->source, "config.json", "where it is from");
	s = &MUST(.top = "'annotations':{'run.oci.seccomp_fail_unknown_syscall':'1'}",
		  .linux_ =
			  "'seccomp':{'defaultAction':'SCMP_ACT_ALLOW','flags':[],'listenerPath':'/s',"
			  "'listenerMetadata':'m','syscalls':[{'names':['mkdir'],'action':'SCMP_ACT_NOTIFY'}]}")
		     ->seccomp;
	ok(s->flags == 0 && s->fail_unknown, "an empty list of flags is no flags; fail_unknown");
	ok(str_eq(s->listener_path, "/s") && str_eq(s->listener_metadata, "m"), "listener");
	s = &MUST(.linux_ = "'seccomp':{'defaultAction':'SCMP_ACT_KILL'}")->seccomp;
	ok(s->default_action == POL_ACT_KILL_THREAD && s->default_errno == 0,
	   "KILL is KILL_THREAD, without errno");
}

static void test_resources(void)
{
	/* what engines of the time meant by it */
	static const struct {
		const char *version;
		int64_t limit;
	} versions[] = {{"1.0.2-dev", -1}, {"1.2.1", -1}, {"1.3.0", 0}, {"1.10.0", 0}};
	const struct pol_resources *r;
	const struct policy *p;

	r = &MUST(.linux_ =
			  "'resources':{'memory':{'limit':1048576,'swap':-1,'reservation':0,'swappiness':0,"
			  "'checkBeforeUpdate':true},'cpu':{'shares':512,'quota':-1,'period':0,'burst':7,'idle':0,"
			  "'cpus':'0-1','mems':''},'pids':{'limit':0},'blockIO':{'weight':500,'weightDevice':[{"
			  "'major':8,'minor':0,'weight':10,'leafWeight':20}],'throttleWriteIOPSDevice':[{'major':8,"
			  "'minor':1,'rate':5}]},'hugepageLimits':[{'pageSize':'2MB','limit':9}],'network':{"
			  "'classID':3,'priorities':[{'name':'b','priority':2},{'name':'a','priority':1}]},"
			  "'rdma':{'mlx':{'hcaHandles':3}},'unified':{'memory.high':'1'}}")
		     ->resources;
	ok(r->memory.v == 1048576 && r->memory_swap.v == -1 && !r->memory_reservation.set,
	   "memory, 0 is not given");
	ok(r->swappiness.set && r->check_before_update.v, "swappiness 0 is a value");
	ok(r->cpu_shares.v == 512 && r->cpu_quota.v == -1 && !r->cpu_period.set &&
		   r->cpu_burst.v == 7,
	   "CPU");
	ok(r->cpu_idle.set && str_eq(r->cpus, "0-1") && !r->mems,
	   "cpu.idle 0 is a value, an empty list is not");
	ok(r->pids.set && r->pids.v == 0, "0 processes is a limit");
	ok(r->blkio_weight.v == 500 && r->blkio.n == 3 && r->blkio.v[0].knob == POL_BLKIO_WEIGHT &&
		   r->blkio.v[1].value == 20 && r->blkio.v[2].knob == POL_BLKIO_WIOPS,
	   "block I/O");
	ok(r->hugepages.n == 1 && r->hugepages.v[0].limit == 9, "huge pages");
	ok(r->net_classid.v == 3 && str_eq(r->net_prio.v[0].key, "a") &&
		   str_eq(r->net_prio.v[1].val, "2"),
	   "network, sorted by interface");
	ok(r->rdma.n == 1 && r->rdma.v[0].handles.v == 3 && !r->rdma.v[0].objects.set, "rdma");
	ok(r->unified.n == 1 && str_eq(r->unified.v[0].key, "memory.high"), "unified");
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		p = build_text(quotes(arena_printf(
			&arena,
			"{'ociVersion':'%s','root':{'path':'r'},'process':{'cwd':'/','args':['a'],"
			"'user':{'uid':0,'gid':0}},'linux':{'namespaces':[{'type':'mount'}],"
			"'resources':{'pids':{'limit':0}}}}",
			versions[i].version)));
		ok(p && p->resources.pids.set && p->resources.pids.v == versions[i].limit,
		   "0 processes in a config of version %s", versions[i].version);
	}
	input.cg_manager = POL_CG_DISABLED;
	p = MUST(.linux_ = "'resources':{'pids':{'limit':5}}");
	ok(!p->resources.pids.set && !p->resources.devices.n,
	   "nothing is promised when control groups are disabled");
	input.cg_manager = POL_CG_SYSTEMD;
	p = MUST(.linux_ = "'cgroupsPath':'system.slice:docker:abc'",
		 .top = "'annotations':{'org.systemd.property.CollectMode':'x','org.systemd.property.':'y'}");
	ok(p->cgroup.manager == POL_CG_SYSTEMD && p->cgroup.systemd_props.n == 1 &&
		   str_eq(p->cgroup.systemd_props.v[0].key, "CollectMode"),
	   "the systemd manager and its properties");
	p = MUST(.linux_ = "'cgroupsPath':'system.slice:docker:abc'",
		 .top = "'annotations':{'org.systemd.property.CollectMode':'x','org.systemd.property.Z':'y',"
			"'run.oci.systemd.subgroup':'c_1'}");
	ok(p->cgroup.systemd_props.n == 3 &&
		   str_eq(p->cgroup.systemd_props.v[1].key, "DelegateSubgroup") &&
		   str_eq(p->cgroup.systemd_props.v[1].val, "'c_1'"),
	   "crun's name of the subgroup is systemd's, in its place");
	p = MUST(.top = "'annotations':{'run.oci.systemd.subgroup':''}");
	ok(p->cgroup.systemd_props.n == 0, "an empty one is none");
	p = MUST(.top = "'annotations':{'org.systemd.property.DelegateSubgroup':'x',"
			"'run.oci.systemd.subgroup':'y'}");
	ok(p->cgroup.systemd_props.n == 1 && str_eq(p->cgroup.systemd_props.v[0].val, "x"),
	   "systemd's name goes before crun's");
	ok(!BUILD(.top = "'annotations':{'run.oci.systemd.subgroup':'a/b'}") &&
		   strstr(err.msg, "annotations[\"run.oci.systemd.subgroup\"]"),
	   "a path is refused by its name");
	reset();
	p = MUST(.ns = "{'type':'cgroup'}",
		 .mounts = "{'destination':'/sys/fs/cgroup','type':'cgroup'}");
	ok(p->cgroup.delegate, "a writable view in a namespace of its own delegates the group");
	p = MUST(.ns = "{'type':'cgroup'}",
		 .mounts = "{'destination':'/sys/fs/cgroup','type':'cgroup','options':['ro']}");
	ok(!p->cgroup.delegate, "a read-only one does not");
	p = MUST(.mounts = "{'destination':'/sys/fs/cgroup','type':'cgroup'}");
	ok(!p->cgroup.delegate, "nor one in the host's namespace");
}

/* what a VM has anyway cannot be the host's */
#define VM_NS "{'type':'pid'},{'type':'ipc'},{'type':'uts'},{'type':'network'}"

static void test_rest(void)
{
	const struct policy *p;

	p = MUST(.top = "'hooks':{'poststop':[{'path':'/h','args':['h','x'],'env':[],'timeout':3}],"
			"'prestart':[{'path':'/p'}]}");
	ok(p->hooks[HOOK_POSTSTOP].n == 1 && p->hooks[HOOK_POSTSTOP].v[0].timeout == 3 &&
		   p->hooks[HOOK_POSTSTOP].v[0].env.set,
	   "a hook with an empty environment of its own");
	ok(p->hooks[HOOK_PRESTART].n == 1 && !p->hooks[HOOK_PRESTART].v[0].env.set &&
		   !p->hooks[HOOK_PRESTART].v[0].timeout,
	   "a hook that inherits it, without timeout");
	p = MUST(.linux_ = "'memoryPolicy':{'mode':'MPOL_BIND','nodes':'0-1','flags':['MPOL_F_STATIC_NODES']},"
			   "'intelRdt':{}");
	ok(p->mempolicy.set && p->mempolicy.mode == (2 | 1 << 15) &&
		   str_eq(p->mempolicy.nodes, "0-1"),
	   "memory policy");
	ok(!p->rdt.set, "an intelRdt object that asks for nothing");
	must_site("{'vm':{'kernels':[{'path':'/k','sha256':'" ZEROES
		  "'}],'initrds':[{'path':'/i','sha256':'" ZEROES
		  "'}],'kernelParameters':['quiet']}}");
	p = MUST(.ns = VM_NS,
		 .top = "'vm':{'kernel':{'path':'/k','initrd':'/i','parameters':['quiet']},"
			"'hwConfig':{'vcpus':2,'memory':1073741824}}");
	ok(p->backend == POL_BACKEND_VM && p->backend_floor == POL_BACKEND_PROCESS,
	   "a vm section chooses the microVM");
	ok(p->vm.set && str_eq(p->vm.kernel, "/k") && str_eq(p->vm.initrd, "/i") &&
		   p->vm.vcpus.v == 2 && p->vm.memory.v == 1073741824 && p->vm.kernel_params.n == 1,
	   "and describes it");
	input.backend_floor = POL_BACKEND_SEV_SNP;
	ok(MUST(.ns = VM_NS, .top = "'vm':{'kernel':{'path':'/k','initrd':'/i'}}")->backend ==
		   POL_BACKEND_SEV_SNP,
	   "what the program was called as is never weakened");
	reset();
}

#define CONFIDENTIAL(...)                                                                          \
	(input.backend_floor = POL_BACKEND_SEV_SNP,                                                \
	 build_text(config_text(&(struct config){.ns = VM_NS, __VA_ARGS__})))
#define MAY(words) .top = "'annotations':{'io.kavach.host-may':'" words "'}"

/* What the host may do in a VM after the start. */
static void test_host_may(void)
{
	const struct policy *p;
	struct err e = ERR_INIT;

	p = CONFIDENTIAL(.top = NULL);
	ok(p && p->vm.host_may == 0, "in a confidential guest the host may do nothing");
	ok(host_may(p, POL_HOST_EXEC, &e) == -EPERM, "no exec");
	is_str(e.msg,
	       "the container's policy does not let the host run further processes in it: "
	       "annotations[\"io.kavach.host-may\"] does not have \"exec\"",
	       "and the annotation is named");
	ok(host_may_signal(p, SIGTERM, &e) == 0 && host_may_signal(p, SIGKILL, &e) == 0 &&
		   host_may_signal(p, SIGWINCH, &e) == 0,
	   "but end it");
	err_clear(&e);
	ok(host_may_signal(p, SIGUSR1, &e) == -EPERM, "and not send it other signals");
	err_clear(&e);
	ok(host_may_signal(p, SIGCONT, &e) == -EPERM && host_may_signal(p, SIGSTOP, &e) == -EPERM,
	   "nor stop its processes");
	p = CONFIDENTIAL(MAY("exec, stats"));
	ok(p && p->vm.host_may == (POL_HOST_EXEC | POL_HOST_STATS), "what the annotation says");
	p = CONFIDENTIAL(MAY("all"));
	ok(p && p->vm.host_may == POL_HOST_ALL, "everything");
	ok(!CONFIDENTIAL(MAY("exec,shell")), "a word that is none is refused");
	is_str(err.msg,
	       "config.json: annotations[\"io.kavach.host-may\"]: expected \"exec\", \"update\", "
	       "\"signal\", \"stats\" with commas between, \"all\" or \"none\", found \"shell\"",
	       "with the words that there are");
	must_site("{'vm':{'hostMay':['stats','update']}}");
	p = CONFIDENTIAL(MAY("stats"));
	ok(p && p->vm.host_may == POL_HOST_STATS, "what the site allows may be asked for");
	ok(!CONFIDENTIAL(MAY("stats,exec")), "more may not");
	is_str(err.msg,
	       "config.json: annotations[\"io.kavach.host-may\"]: \"exec\" is more than the site's "
	       "rules allow (rules file /etc/kavach/rules.d/10.json: vm.hostMay)",
	       "with the rules file");
	rules = (struct rules){0};
	input.backend_floor = POL_BACKEND_VM;
	p = MUST(.ns = VM_NS);
	ok(p->vm.host_may == POL_HOST_ALL && host_may(p, POL_HOST_EXEC, &e) == 0,
	   "a plain VM keeps nobody out");
	p = MUST(.ns = VM_NS, MAY("none"));
	ok(p->vm.host_may == 0 && host_may(p, POL_HOST_UPDATE, &e) < 0, "unless it is told to");
	reset();
	ok(!BUILD(MAY("exec")), "a container without a VM cannot");
	is_str(err.msg,
	       "config.json: annotations[\"io.kavach.host-may\"]: only a VM keeps the host out",
	       "and is told so");
	reset();
}

static void test_presets(void)
{
	const struct pol_resources *r;
	const struct policy *p;

	p = MUST(.top = "'annotations':{'io.kavach.preset':'minimal'}");
	ok(p->preset == POL_PRESET_MINIMAL && !p->seccomp.set && !p->rootfs_readonly,
	   "minimal adds nothing");
	p = MUST(.top = "'annotations':{'io.kavach.preset':'basic'}");
	ok(p->seccomp.set && p->seccomp.default_action == POL_ACT_ALLOW && p->seccomp.archs.n == 2,
	   "basic adds a filter that allows by default, also for 32-bit programs");
	is_str(p->seccomp.source, "profile basic", "and says where it is from");
	ok(!p->rootfs_readonly && !p->process.no_new_privs && !p->resources.memory.set,
	   "and nothing else");
	p = MUST(.top = "'annotations':{'io.kavach.preset':'strict'}");
	r = &p->resources;
	ok(p->seccomp.default_action == POL_ACT_ERRNO && p->seccomp.archs.n == 1,
	   "strict denies by default");
	ok(p->rootfs_readonly && r->memory.v == 512 << 20 && r->pids.v == 64 &&
		   r->cpu_quota.v == 100000 && r->cpu_period.v == 100000,
	   "strict: read-only root, 512 MiB, 64 processes, one CPU");
	p = MUST(.top = "'annotations':{'io.kavach.preset':'strict'}",
		 .linux_ =
			 "'resources':{'memory':{'limit':1024},'pids':{'limit':-1},'cpu':{'quota':900,'period':1000}}");
	r = &p->resources;
	ok(r->memory.v == 1024 && r->cpu_quota.v == 900 && r->cpu_period.v == 1000,
	   "a stricter config is kept");
	ok(r->pids.v == 64, "unlimited is not");
	p = MUST(.top = "'annotations':{'io.kavach.preset':'strict'}",
		 .linux_ = "'resources':{'cpu':{'quota':5000,'period':1000}},'seccomp':{'defaultAction':"
			   "'SCMP_ACT_KILL_PROCESS'}");
	ok(p->resources.cpu_quota.v == 1000, "five CPUs become one");
	is_str(p->seccomp.source, "config.json", "a filter of the config's own is kept");
	ok(p->stacked.n == 1 && str_eq(p->stacked.v[0].source, "profile strict"),
	   "and the profile is stacked with it");
	must_site("{'preset':'strict'}");
	p = MUST(.top = "'annotations':{'io.kavach.preset':'minimal'}");
	ok(p->preset == POL_PRESET_STRICT, "an annotation cannot weaken the site's preset");
	rules = (struct rules){0};
	must_site("{'preset':'minimal'}");
	p = MUST(.top = "'annotations':{'io.kavach.preset':'basic'}");
	ok(p->preset == POL_PRESET_BASIC, "but strengthen it");
	rules = (struct rules){0};
	must_site("{'minimumStrength':90}");
	ok(!build_text(config_text(&(struct config){0})),
	   "a policy below the site's minimum is refused");
	ok(str_prefix(
		   err.msg,
		   "rules file /etc/kavach/rules.d/10.json: minimumStrength: a strength of 90 is required; "
		   "config.json: this container has "),
	   "with file and key in the message");
	rules = (struct rules){0};
	must_site("{'minimumStrength':1}");
	ok(BUILD(.ns = "{'type':'pid'},{'type':'ipc'},{'type':'network'}"), "one above it is not");
	reset();
}

/* Long lists: the time must not grow with the square of their length, or they are refused. */
static void test_many(void)
{
	enum { MANY = 100000 };
	char *text = arena_alloc(&arena, 32 * MANY + 64), *at = text;
	const struct pol_process *proc;

	at += sprintf(at, "'env':[");
	for (int i = 0; i < MANY; i++)
		at += sprintf(at, "%s'V%d=%d'", i ? "," : "", i % (MANY / 2), i);
	sprintf(at, "]");
	proc = &MUST(.proc = text)->process;
	is_int(proc->env.n, MANY / 2, "a hundred thousand variables, each twice");
	ok(str_eq(proc->env.v[0], "V0=50000") && str_eq(proc->env.v[49999], "V49999=99999"),
	   "in the order of their first, with the value of their last place");
	at = text + sprintf(text, "'maskedPaths':[");
	for (int i = 0; i < 20000; i++)
		at += sprintf(at, "%s'/m%d'", i ? "," : "", i);
	sprintf(at, "]");
	ok(!build_text(config_text(&(struct config){.linux_ = text})),
	   "refuses twenty thousand masked paths");
	is_str(err.msg,
	       "config.json: linux.maskedPaths: expected at most 16384 entries, found 20000",
	       "and says how many there may be");
}

/* ---- exec and update ---- */

static int build_process(const struct policy *base, const char *json, struct pol_process *ret)
{
	const struct spec_process *s;
	char *text = quotes(arena_strdup(&arena, json));

	err = ERR_INIT;
	if (spec_parse_process("p.json", text, strlen(text), &arena, &s, &err) < 0)
		bail_out(err.msg);
	return policy_build_process(s, base, &host, "p.json", &arena, ret, &err);
}

static void test_exec(void)
{
	const struct policy *base;
	struct pol_process p;

	host.apparmor = true;
	base = MUST(.ns = "{'type':'user'}",
		    .linux_ =
			    "'uidMappings':[{'containerID':0,'hostID':1000,'size':10}],'gidMappings':["
			    "{'containerID':0,'hostID':1000,'size':10}],'personality':{'domain':'LINUX32'}",
		    .proc = "'apparmorProfile':'prof','oomScoreAdj':7,'capabilities':{'bounding':['CAP_KILL']},"
			    "'rlimits':[{'type':'RLIMIT_CPU','soft':1,'hard':1}],'noNewPrivileges':true");
	ok(build_process(base, "{'cwd':'/','args':['x'],'user':{'uid':0,'gid':0}}", &p) == 0,
	   "a process for exec");
	is_str(p.apparmor, "prof", "the label is the container's");
	ok(p.caps.bounding == BIT(5) && p.rlimits.n == 1 && p.oom_score_adj.v == 7 &&
		   p.personality.v == 8,
	   "capabilities, limits, OOM score and personality as well");
	ok(!p.no_new_privs && p.new_keyring,
	   "no_new_privs is the object's, and the session keyring is the container's");
	ok(build_process(
		   base,
		   "{'cwd':'/','args':['x'],'user':{'uid':0,'gid':0},'capabilities':{},"
		   "'apparmorProfile':'other','rlimits':[{'type':'RLIMIT_AS','soft':1,'hard':1}]}",
		   &p) == 0 &&
		   !p.caps.bounding && str_eq(p.apparmor, "other") &&
		   p.rlimits.v[0].resource == RLIMIT_AS,
	   "what the object gives counts");
	ok(build_process(base, "{'cwd':'/','args':['x'],'user':{'uid':10,'gid':0}}", &p) < 0,
	   "a user that is not mapped is refused");
	is_str(err.msg, "p.json: user.uid: 10 is not mapped into the user namespace",
	       "with the path in its own file");
	ok(build_process(base,
			 "{'cwd':'/','args':['x'],'user':{'uid':0,'gid':0,'additionalGids':[1,99]}}",
			 &p) < 0,
	   "and so is a group");
	is_str(err.msg, "p.json: user.additionalGids: 99 is not mapped into the user namespace",
	       "by its list");
	reset();
}

static void test_update(void)
{
	struct pol_resources r;
	const struct spec_resources *s;
	char *text = quotes(
		arena_strdup(&arena, "{'memory':{'swap':4096},'devices':[{'allow':true}]}"));

	err = ERR_INIT;
	if (spec_parse_resources("-", text, strlen(text), &arena, &s, &err) < 0)
		bail_out(err.msg);
	ok(policy_build_resources(s, &host, "-", &arena, &r, &err) == 0 && r.memory_swap.v == 4096,
	   "update: swap alone, the limit of memory is there already");
	is_int(r.devices.n, 0, "update never touches device rules");
}

/* ---- what does not matter ---- */

static void test_digest(void)
{
	static const char *const same[] = {
		"{'ociVersion':'1.3.0','root':{'path':'r','readonly':true},'hostname':'h','process':{'cwd':'/','args':"
		"['x'],'user':{'uid':1,'gid':2}},'linux':{'namespaces':[{'type':'mount'},{'type':'uts'}],'sysctl':{},"
		"'resources':{'pids':{'limit':5},'unified':{'a.b':'1','c.d':'2'}}}}",
		"{'linux':{'resources':{'unified':{'c.d':'2','a.b':'1'},'pids':{'limit':5}},'namespaces':[{'type':"
		"'uts'},{'type':'mount'}]},'process':{'user':{'gid':2,'uid':1},'args':['x'],'cwd':'/'},'hostname':'h',"
		"'root':{'readonly':true,'path':'r'},'ociVersion':'1.3.0'}",
		"{'ociVersion':'1.0.2','unknown':[1,{'x':null}],'root':{'path':'./r/','readonly':true,'colour':'red'},"
		"'hostname':'h','process':{'cwd':'/','args':['x'],'user':{'uid':1,'gid':2,'mood':'good'}},'annotations':"
		"{'org.example':'any'},'linux':{'namespaces':[{'type':'mount','x':1},{'type':'uts'}],'resources':{"
		"'pids':{'limit':5},'unified':{'a.b':'1','c.d':'2'}}},'windows':{}}",
	};
	const struct policy *p[ARRAY_LEN(same)];

	for (size_t i = 0; i < ARRAY_LEN(same); i++) {
		p[i] = build_text(quotes(arena_strdup(&arena, same[i])));
		if (!p[i])
			bail_out(err.msg);
	}
	is_str(digest_of(p[1]), digest_of(p[0]), "the order of members does not change the digest");
	is_str(digest_of(p[2]), digest_of(p[0]),
	       "nor do unknown members, versions and annotations");
	ok(!str_eq(digest_of(MUST(.top = "'process2':1")), digest_of(p[0])),
	   "another config has another digest");
}

int main(void)
{
	reset();
	test_namespaces();
	test_mounts();
	test_idmaps();
	test_devices();
	test_process();
	test_caps();
	test_seccomp();
	test_resources();
	test_rest();
	test_host_may();
	test_presets();
	test_exec();
	test_update();
	test_many();
	test_digest();
	arena_free(&arena);
	return done();
}
