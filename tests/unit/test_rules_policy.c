/* SPDX-License-Identifier: Apache-2.0 */
/* libs: policy host spec json base */
/* The site's rules against containers: which rule is about which, what is refused and in which words, what is added. */
#include <linux/mount.h>

#include "policy/landlock.h"
#include "policy_fixture.h"

#define FILE_NAME "/etc/kavach/rules.d/10.json"

static const struct kvs *no_map;

static void fresh(const char *text)
{
	reset();
	input.as_uid.set = false;
	input.annotations = (struct kvs){0};
	input.real_sources = no_map;
	input.report = NULL;
	must_site(text);
}

/* The namespaces that a container of a test has unless it is about them. */
#define OWN "{'type':'pid'},{'type':'ipc'},{'type':'uts'},{'type':'network'},{'type':'cgroup'}"

/* ---- refusals ---- */

struct refusal {
	const char *rules;   /* JSON */
	struct config c;     /* is refused... */
	const char *message; /* ...with this after "rules file FILE: " */
	struct config good;  /* and this, which follows the advice, is not */
};

static const struct refusal refusals[] = {
	{"{'forbid':['terminal','hostNetwork']}",
	 {.ns = "{'type':'pid'}"},
	 "forbid[1]: hostNetwork is forbidden; config.json: linux.namespaces: the network namespace is "
	 "the host's; give it its own (--network=bridge or none)",
	 {.ns = "{'type':'network'}"}},
	{"{'forbid':['hostPid']}",
	 {.ns = "{'type':'pid','path':'/proc/1/ns/pid'}"},
	 "forbid[0]: hostPid is forbidden; config.json: linux.namespaces: the pid namespace is the "
	 "host's; give it its own (--pid=private)",
	 {.ns = "{'type':'pid','path':'/run/ns/pid'}"}},
	{"{'require':['memoryLimit','pidsLimit','cpuLimit']}",
	 {.linux_ = "'resources':{'memory':{'limit':9},'pids':{'limit':-1}}"},
	 "require[1]: pidsLimit is required; config.json: linux.resources.pids.limit: the number of "
	 "processes is not limited; limit it (--pids-limit)",
	 {.linux_ = "'resources':{'memory':{'limit':9},'pids':{'limit':1},'cpu':{'quota':1000}}"}},
	{"{'require':['readOnlyRoot'],'forbid':['newPrivileges','rootUser']}",
	 {.root = "{'path':'r','readonly':true}", .proc = "'noNewPrivileges':true"},
	 "forbid[1]: rootUser is forbidden; config.json: process.user.uid: the process is root of the "
	 "host, too; use another user (--user) or a user namespace (--userns=auto)",
	 {.root = "{'path':'r','readonly':true}",
	  .proc = "'noNewPrivileges':true",
	  .ns = "{'type':'user'}",
	  .linux_ = "'uidMappings':[{'containerID':0,'hostID':100000,'size':65536}],"
		    "'gidMappings':[{'containerID':0,'hostID':100000,'size':65536}]"}},
	{"{'forbid':['rootUser']}",
	 {.ns = "{'type':'user'}",
	  .linux_ = "'uidMappings':[{'containerID':0,'hostID':0,'size':65536}],"
		    "'gidMappings':[{'containerID':0,'hostID':0,'size':65536}]"},
	 "forbid[0]: rootUser is forbidden; config.json: process.user.uid: the process is root of the "
	 "host, too; use another user (--user) or a user namespace (--userns=auto)",
	 {.ns = "{'type':'user'}",
	  .linux_ = "'uidMappings':[{'containerID':0,'hostID':1,'size':65536}],"
		    "'gidMappings':[{'containerID':0,'hostID':1,'size':65536}]"}},
	{"{'forbid':['privileged']}",
	 {.linux_ = "'resources':{'devices':[{'allow':true,'access':'rwm'}]}"},
	 "forbid[0]: privileged is forbidden; config.json: process.capabilities, "
	 "linux.resources.devices: all devices or nearly all capabilities; run it without --privileged; "
	 "--cap-add and --device give what is needed",
	 {.linux_ = "'resources':{'devices':[{'allow':false,'access':'rwm'}]}"}},
	{"{'require':['seccomp','seccompDeniesByDefault']}",
	 {.linux_ = "'seccomp':{'defaultAction':'SCMP_ACT_ALLOW'}"},
	 "require[1]: seccompDeniesByDefault is required; config.json: linux.seccomp.defaultAction: calls "
	 "that are not named are allowed; use a profile that names what is allowed",
	 {.linux_ = "'seccomp':{'defaultAction':'SCMP_ACT_ERRNO'}"}},
	{"{'forbid':['hooks']}",
	 {.top = "'hooks':{'poststop':[{'path':'/bin/true'}]}"},
	 "forbid[0]: hooks is forbidden; config.json: hooks: there are hooks; leave them out",
	 {.top = "'hooks':{}"}},
	{"{'forbid':['foreignFilesystems','mountPropagation']}",
	 {.mounts = "{'destination':'/d','type':'ext4','source':'/dev/sda1'}"},
	 "forbid[0]: foreignFilesystems is forbidden; config.json: mounts: one is of a type that brings "
	 "in files of the host or of a device; use bind mounts, tmpfs, and the engine's volumes",
	 {.mounts = "{'destination':'/d','type':'tmpfs','source':'tmpfs'}"}},
	{"{'forbid':['mountPropagation']}",
	 {.mounts = "{'destination':'/d','source':'/srv','options':['rbind','rshared']}"},
	 "forbid[0]: mountPropagation is forbidden; config.json: mounts: mounts that are made inside "
	 "appear on the host (shared); mount with \"rslave\" or \"rprivate\"",
	 {.mounts = "{'destination':'/d','source':'/srv','options':['rbind','rslave']}"}},
	{"{'forbid':['unmaskedProc','hostRoot','sysctl','terminal']}",
	 {.mounts = "{'destination':'/proc','type':'proc','source':'proc'}"},
	 "forbid[0]: unmaskedProc is forbidden; config.json: linux.maskedPaths, linux.readonlyPaths: "
	 "parts of /proc or /sys that are the host's are open; keep the engine's (not "
	 "--security-opt=unmask)",
	 {.ns = NULL}},
	{"{'forbid':['hostRoot']}",
	 {.root = "{'path':'/'}"},
	 "forbid[0]: hostRoot is forbidden; config.json: root.path: the root is the host's own; use the "
	 "root of an image",
	 {.root = "{'path':'/srv/root'}"}},
	{"{'forbid':['network']}",
	 {.ns = "{'type':'network','path':'/run/netns/a'}"},
	 "forbid[0]: network is forbidden; config.json: linux.namespaces: the network is more than a "
	 "loopback of its own; run it without one (--network=none), and without hooks that add one",
	 {.ns = "{'type':'network'}"}},

	/* capabilities */
	{"{'forbiddenCapabilities':['CAP_CHOWN','CAP_SYS_ADMIN']}",
	 {.proc = "'capabilities':{'bounding':['CAP_SYS_ADMIN']}"},
	 "forbiddenCapabilities[1]: CAP_SYS_ADMIN is forbidden; config.json: process.capabilities: the "
	 "process has it; drop it (--cap-drop=SYS_ADMIN)",
	 {.proc = "'capabilities':{'bounding':['CAP_KILL']}"}},
	{"{'allowedCapabilities':['CAP_KILL']}",
	 {.proc = "'capabilities':{'bounding':['CAP_KILL','CAP_CHOWN','CAP_BPF']}"},
	 "allowedCapabilities: only CAP_KILL may be given; config.json: process.capabilities: the process "
	 "has CAP_CHOWN, CAP_BPF; drop the others (--cap-drop=CHOWN, --cap-drop=BPF)",
	 {.proc = "'capabilities':{'bounding':['CAP_KILL']}"}},
	{"{'allowedCapabilities':[]}",
	 {.proc = "'capabilities':{'bounding':['CAP_KILL']}"},
	 "allowedCapabilities: only no capability may be given; config.json: process.capabilities: the "
	 "process has CAP_KILL; drop the others (--cap-drop=KILL)",
	 {.proc = "'capabilities':{}"}},

	/* binds */
	{"{'binds':[{'source':'/','access':'forbidden'},{'source':'/srv','access':'read-only'}]}",
	 {.mounts = "{'destination':'/d','source':'/srv/a','options':['bind']}"},
	 "binds[1]: /srv is read-only; config.json: mounts[0].source: /srv/a can be written; mount it "
	 "read-only (\"ro\")",
	 {.mounts = "{'destination':'/d','source':'/srv/a','options':['bind','ro']}"}},
	{"{'binds':[{'source':'/run/docker.sock','access':'forbidden'}]}",
	 {.mounts = "{'destination':'/d','source':'/run','options':['rbind','ro']}"},
	 "binds[0]: /run/docker.sock is forbidden; config.json: mounts[0].source: /run is mounted, with "
	 "that in it; leave this mount out",
	 {.mounts = "{'destination':'/d','source':'/run/docker.sockets','options':['rbind','ro']}"}},
	{"{'binds':[{'source':'/','access':'forbidden'}]}",
	 {.mounts = "{'destination':'/d','source':'/home','options':['rbind','ro']}"},
	 "binds[0]: / is forbidden; config.json: mounts[0].source: /home is mounted; leave this mount out",
	 {.mounts = "{'destination':'/d','type':'tmpfs','source':'tmpfs'}"}},
	{"{'binds':[{'source':'/etc','access':'forbidden'}]}",
	 {.mounts = "{'destination':'/d','source':'/srv/../etc','options':['bind']}"},
	 "binds: sources are limited; config.json: mounts[0].source: where /srv/../etc leads is not known; "
	 "write the path without \"..\"",
	 {.mounts = "{'destination':'/d','source':'/srv/..etc','options':['bind']}"}},
	{"{'binds':[{'source':'/etc','access':'forbidden'}]}",
	 {.mounts =
		  "{'destination':'/d','type':'overlay','source':'o','options':['lowerdir=/etc']}"},
	 "binds: sources are limited; config.json: mounts[0].source: what a file system of type "
	 "\"overlay\" shows is not known; use bind mounts, tmpfs, and the engine's volumes",
	 {.mounts = "{'destination':'/d','type':'devpts','source':'devpts'}"}},
	{"{'binds':[{'source':'/etc','access':'read-only'}]}",
	 {.root = "{'path':'/'}"},
	 "binds[0]: /etc is read-only; config.json: root.path: / can be written; make the root read-only "
	 "(--read-only)",
	 {.root = "{'path':'/','readonly':true}"}},

	/* devices */
	{"{'allowedDevices':['c 10:229']}",
	 {.linux_ = "'devices':[{'path':'/dev/sda','type':'b','major':8,'minor':0}]"},
	 "allowedDevices: only the devices of the list may be there; config.json: linux.devices: /dev/sda "
	 "is b 8:0; leave it out (--device), or ask for it to be added to the list",
	 {.linux_ = "'devices':[{'path':'/dev/fuse','type':'c','major':10,'minor':229},"
		    "{'path':'/dev/nul','type':'c','major':1,'minor':3}]"}},
	{"{'allowedDevices':['c 10:*']}",
	 {.linux_ = "'resources':{'devices':[{'allow':true,'type':'b','major':8,'access':'r'}]}"},
	 "allowedDevices: only the devices of the list may be there; config.json: "
	 "linux.resources.devices: b 8:* may be used; leave it out (--device), or ask for it to be added "
	 "to the list",
	 {.linux_ =
		  "'resources':{'devices':[{'allow':false,'access':'rwm'},{'allow':true,'type':'c',"
		  "'major':10,'minor':1,'access':'r'},{'allow':true,'type':'c','major':1,'minor':3}]}"}},
	{"{'allowedDevices':['c *:*']}",
	 {.linux_ = "'resources':{'devices':[{'allow':true,'access':'rwm'}]}"},
	 "allowedDevices: only the devices of the list may be there; config.json: "
	 "linux.resources.devices: a *:* may be used; leave it out (--device), or ask for it to be added "
	 "to the list",
	 {.linux_ = "'resources':{'devices':[{'allow':true,'type':'c','access':'rwm'}]}"}},

	/* annotations */
	{"{'allowedAnnotations':['io.kavach.*','run.oci.hooks.stdout']}",
	 {.top = "'annotations':{'run.oci.hooks.stderr':'/x'}"},
	 "allowedAnnotations: only settings of the list may come with a container; config.json: "
	 "annotations[\"run.oci.hooks.stderr\"]: this one is not in it; leave it out",
	 {.top = "'annotations':{'run.oci.hooks.stdout':'/x','io.kavach.preset':'basic','other':'y'}"}},
};

static void test_refusals(void)
{
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		const struct refusal *r = &refusals[i];

		fresh(r->rules);
		err = ERR_INIT;
		is_str(build_text(config_text(&r->c)) ? "accepted" : err.msg,
		       arena_printf(&arena, "rules file " FILE_NAME ": %s", r->message),
		       "refuses by %s", r->rules);
		if (err.id != ERR_CONFIG || err.code != -EINVAL)
			ok(0, "... as an error of the config (id %u, code %d)", err.id, err.code);
		ok(build_config(&r->good) != NULL, "and not what follows the advice");
	}
}

static void test_strength(void)
{
	fresh("{'rules':[{'match':{'uids':[0]},'minimumStrength':90}]}");
	ok(!build_text(config_text(&(struct config){.ns = OWN})), "refuses what is too weak");
	is_str(err.msg,
	       "rules file " FILE_NAME
	       ": rules[0].minimumStrength: a strength of 90 is required; config.json: this container "
	       "has 55 (standard); most is gained by a user namespace whose root is an unprivileged user "
	       "of the host (--userns=auto with podman) (+8), a seccomp filter (linux.seccomp, or the "
	       "preset basic or strict) (+5); `kavach policy` shows all",
	       "and says what helps most");
	fresh("{'minimumStrength':55}");
	ok(BUILD(.ns = OWN), "but not what is just strong enough");
}

/* ---- which rule is about which container ---- */

static bool about(const char *match, const struct config *c)
{
	struct rules_report rep = {0};
	bool ret;

	reset();
	must_site(arena_printf(&arena, "{'rules':[{'match':%s,'forbid':['sysctl']}]}", match));
	input.report = &rep;
	must_build(c);
	input.report = NULL;
	ret = rep.n && rep.v[0].kind == VERDICT_MATCHES;
	return ret;
}
#define ABOUT(match, ...) about((match), &(struct config){__VA_ARGS__})
#define NOTE(k, v) "'annotations':{'" k "':'" v "'}"

static void test_match(void)
{
	static const char *const uid[] = {"{'uids':[1,1000]}", "{'uids':[0]}"};

	fresh("{}");
	ok(ABOUT("{'annotations':{'team':'a*z'}}", .top = NOTE("team", "abcz")), "an annotation");
	ok(ABOUT("{'annotations':{'team':'*'}}", .top = NOTE("team", "")), "with any value");
	ok(!ABOUT("{'annotations':{'team':'a*z'}}", .top = NOTE("team", "abczy")), "of that form");
	ok(!ABOUT("{'annotations':{'team':'*'}}", .top = NOTE("Team", "x")), "and of that name");
	ok(!ABOUT("{'annotations':{'a':'1','b':'2'}}", .top = NOTE("a", "1")), "all of them");
	ok(ABOUT("{'annotations':{'p':'*a*b*'}}", .top = NOTE("p", "xxaxxaxb")),
	   "a pattern with several stars");

	ok(ABOUT("{'namespaces':['podman']}", .top = NOTE("io.container.manager", "libpod")),
	   "podman's containers");
	ok(ABOUT("{'namespaces':['cri-o']}", .top = NOTE("io.container.manager", "cri-o")),
	   "CRI-O's");
	ok(ABOUT("{'namespaces':['podman','kubernetes/b*']}",
		 .top = NOTE("io.kubernetes.cri.sandbox-namespace", "batch")),
	   "a Kubernetes namespace with containerd");
	ok(ABOUT("{'namespaces':['kubernetes/batch']}",
		 .top = NOTE("io.kubernetes.cri-o.Namespace", "batch")),
	   "with CRI-O");
	ok(!ABOUT("{'namespaces':['kubernetes/batch']}",
		  .top = NOTE("io.kubernetes.pod.namespace", "batch2")),
	   "and not another one");
	input.bundle = "/run/containerd/io.containerd.runtime.v2.task/moby/0123";
	ok(ABOUT("{'namespaces':['containerd/moby']}", .ns = NULL), "containerd's, by the bundle");
	ok(!ABOUT("{'namespaces':['containerd/k8s.io']}", .ns = NULL), "and not another one");
	input.bundle = "/b";
	ok(!ABOUT("{'namespaces':['containerd/*']}", .ns = NULL), "only if there is one");

	ok(!ABOUT(uid[0], .ns = NULL) && ABOUT(uid[1], .ns = NULL), "the caller's user");
	input.as_uid = (struct opt_u64){true, 1000};
	ok(ABOUT(uid[0], .ns = NULL) && !ABOUT(uid[1], .ns = NULL),
	   "or the one who is asked about");
	input.as_uid.set = false;
	ok(ABOUT("{'backends':['vm','process']}", .ns = NULL) &&
		   !ABOUT("{'backends':['vm','sev-snp']}", .ns = NULL),
	   "the backend");
	ok(!ABOUT("{'backends':['process'],'uids':[7]}", .ns = NULL), "all that is given");

	/* the default */
	fresh("{'rules':[{'match':{'default':true},'forbid':['hostPid']},"
	      "{'match':{'annotations':{'team':'ops'}},'forbid':['hostNetwork']}]}");
	ok(!BUILD(.ns = "{'type':'network'}"), "the default is for who says nothing");
	ok(str_prefix(err.msg, "rules file " FILE_NAME ": rules[0].forbid[0]"), "and is named");
	ok(BUILD(.ns = "{'type':'network'}", .top = NOTE("team", "ops")),
	   "not for whom another rule is about");
	ok(!BUILD(.ns = "{'type':'pid'}", .top = NOTE("team", "ops")) &&
		   str_prefix(err.msg, "rules file " FILE_NAME ": rules[1].forbid[0]"),
	   "but that one is");

	/* an annotation on the command line counts before the config's */
	input.annotations = (struct kvs){&(struct kv){(char *) "team", (char *) "ops"}, 1};
	ok(BUILD(.ns = "{'type':'network'}", .top = NOTE("team", "dev")), "an annotation to try");
	input.annotations = (struct kvs){0};
}

static void test_overlap(void)
{
	fresh("{'rules':[{'match':{'uids':[0]},'require':['terminal']},"
	      "{'match':{'backends':['process']},'forbid':['hooks','terminal']}]}");
	ok(!BUILD(.ns = OWN), "rules that contradict each other here");
	is_str(err.msg,
	       "rules file " FILE_NAME
	       ": rules[1].forbid[1]: forbids \"terminal\", which rules file " FILE_NAME
	       ": rules[0].require[0] requires, and both are about this container",
	       "are the site's to sort out");
}

/* ---- what rules add ---- */

static void test_presets(void)
{
	const struct policy *p;

	fresh("{'defaultPreset':'strict','rules':[{'match':{'uids':[0]},'preset':'minimal'},"
	      "{'match':{'annotations':{'hard':'*'}},'preset':'strict'}]}");
	ok(MUST(.ns = OWN)->preset == POL_PRESET_STRICT, "the default preset");
	ok(MUST(.top = NOTE("io.kavach.preset", "basic"))->preset == POL_PRESET_BASIC,
	   "for who names none");
	ok(MUST(.top = "'annotations':{'io.kavach.preset':'basic','hard':'x'}")->preset ==
		   POL_PRESET_STRICT,
	   "but the floor is for all");
	fresh("{'preset':'strict'}");
	p = MUST(.linux_ = "'seccomp':{'defaultAction':'SCMP_ACT_ALLOW'}");
	ok(p->stacked.n == 1 && p->stacked.v[0].default_action == POL_ACT_ERRNO &&
		   p->seccomp.default_action == POL_ACT_ALLOW,
	   "the profile of a preset stands beside an open filter of the config");
	p = MUST(.ns = NULL);
	ok(!p->stacked.n && p->seccomp.set, "and in the place of none");
}

static void test_stacked(void)
{
	const struct policy *p;

	fresh("{'seccompProfile':'basic','rules':[{'match':{'uids':[0]},'seccompProfile':'strict'},"
	      "{'match':{'uids':[0],'backends':['process']},'seccompProfile':'basic'}]}");
	p = MUST(.linux_ = "'seccomp':{'defaultAction':'SCMP_ACT_ERRNO'}");
	ok(p->stacked.n == 2 && str_eq(p->stacked.v[0].source, "profile basic") &&
		   str_eq(p->stacked.v[1].source, "profile strict"),
	   "profiles of several rules are stacked, each once");
	ok(p->seccomp.default_action == POL_ACT_ERRNO, "with the config's own untouched");
	p = MUST(.ns = NULL);
	ok(p->stacked.n == 2 && !p->seccomp.set, "and without one");
}

#define FAILS(message, ...)                                                                        \
	is_str(build_text(config_text(&(struct config){__VA_ARGS__})) ? "accepted" : err.msg,      \
	       message, "a kernel with less is an error")

static void test_landlock(void)
{
	const struct policy *p;

	fresh("{'landlock':{'readOnly':['/usr']},'rules':[{'match':{'uids':[0]},'landlock':"
	      "{'requiredAbi':4,'tcpConnect':[443]}}]}");
	p = MUST(.ns = NULL);
	ok(p->landlock.n == 2 && p->landlock.v[0].paths_limited &&
		   !p->landlock.v[0].connect_limited && p->landlock.v[1].connect_limited,
	   "each rule is a layer of its own");
	is_str(p->landlock.v[1].source, FILE_NAME ": rules[0].landlock", "and says whose");

	fresh("{'landlock':{'readOnly':['/'],'tcpConnect':[443],'scopes':['signal']}}");
	host.landlock = 5;
	FAILS("rules file " FILE_NAME
	      ": landlock: needs a kernel with Landlock ABI 6; this one has ABI 5",
	      .ns = NULL);
	fresh("{'landlock':{'readWrite':['/']}}");
	host.landlock = 2;
	FAILS("rules file " FILE_NAME
	      ": landlock: needs a kernel with Landlock ABI 3; this one has ABI 2",
	      .ns = NULL);
	host.landlock = 3;
	p = MUST(.ns = NULL);
	is_int(landlock_handled(&p->landlock.v[0]).fs, 0x7fff, "ABI 3 limits truncation");
	host.landlock = 7;
	p = MUST(.ns = NULL);
	is_int(landlock_handled(&p->landlock.v[0]).fs, 0xffff, "ABI 5 ioctls of devices too");
	ok(!(landlock_allowed(&p->landlock.v[0], LANDLOCK_READ_WRITE) &
	     (LL_FS_MAKE_CHAR | LL_FS_MAKE_BLOCK | LL_FS_EXECUTE)),
	   "writing is neither making devices nor executing");
	fresh("{'landlock':{'requiredAbi':0,'readOnly':['/'],'tcpBind':[],'scopes':['signal']}}");
	host.landlock = 1;
	p = MUST(.ns = NULL);
	ok(landlock_handled(&p->landlock.v[0]).fs == 0x1fff &&
		   !landlock_handled(&p->landlock.v[0]).net &&
		   !landlock_handled(&p->landlock.v[0]).scopes,
	   "a rule that asks for less gets what ABI 1 has");
	host.landlock = 4;
	p = MUST(.ns = NULL);
	is_int(landlock_handled(&p->landlock.v[0]).net, LL_NET_BIND_TCP,
	       "ABI 4 limits ports, and only those of the lists that are there");
}

static const char *list(const struct strs *l)
{
	const char *ret = "";

	for (size_t i = 0; i < l->n; i++)
		ret = arena_printf(&arena, "%s%s%s", ret, *ret ? " " : "", l->v[i]);
	return ret;
}

#define M(place, options) "{'destination':'" place "','type':'tmpfs','options':[" options "]}"
#define DEV M("/dev", "'nosuid'")
#define RO_ROOT .root = "{'path':'rootfs','readonly':true}"

static void test_landlock_from_mounts(void)
{
	const struct policy_landlock *l;
	const struct policy *p;
	const char *text;

	fresh("{'landlock':{'fromMounts':true}}");
	p = MUST(RO_ROOT,
		 .mounts = DEV
		 "," M("/a", "") "," M("/a/b", "") "," M("/ro", "'ro'") "," M("/ro/rw", "") "," M(
			 "/c", "'ro'") "," M("/c", "") "," M("/d", "") "," M("/d", "'ro'"));
	l = &p->landlock.v[0];
	is_str(list(&l->mounts), "/dev /a /ro/rw /c",
	       "the last mount of a place decides, and what is below a writable one is its");
	ok(!l->read_write.n && !l->read_only.n, "nothing else can be written");
	is_str(list(&l->execute), "/", "everything can be read and executed");
	ok(landlock_walls(l) && landlock_writable(l, "/a/b/c") && !landlock_writable(l, "/ro/x"),
	   "and that is what is said of it");

	p = MUST(RO_ROOT,
		 .mounts = M("/a", "'ro'") "," M("/b", "") ",{'destination':'/a','options':["
							   "'remount','rw']},{'destination':'/b',"
							   "'options':['remount','ro']}");
	is_str(list(&p->landlock.v[0].mounts), "/a", "a remount changes it");
	is_str(list(&p->landlock.v[0].read_write),
	       "/dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty",
	       "without a mount at /dev, its devices can be written");

	fresh("{'landlock':{'fromMounts':true,'execute':['/usr'],'readWrite':['/x']}}");
	l = &MUST(RO_ROOT, .mounts = DEV)->landlock.v[0];
	is_str(list(&l->execute), "/usr", "a list of what can be executed stays as it is");
	is_str(list(&l->read_only), "/", "then the rest can be read only");
	is_str(list(&l->read_write), "/x", "what the rule names comes on top");
	l = &MUST(.mounts = DEV)->landlock.v[0];
	is_str(list(&l->read_write), "/x /", "with a writable root everything can be written");
	ok(!l->mounts.n && !landlock_walls(l), "and it counts as no wall");

	fresh("{'landlock':{'fromMounts':true}}");
	text = quotes(arena_strdup(
		&arena,
		"{'ociVersion':'1.3.0','root':{'path':'/'},'process':{'cwd':'/','args':['sh'],"
		"'user':{'uid':0,'gid':0}},'linux':{'namespaces':[{'type':'mount',"
		"'path':'/run/ns'}]}}"));
	is_str(build_text(text) ? "accepted" : err.msg,
	       "rules file " FILE_NAME
	       ": landlock.fromMounts: what is mounted in the mount namespace \"/run/ns\", which is "
	       "joined, is not known",
	       "the mounts of a namespace that is joined are refused");
}

static void test_landlock_strict(void)
{
	const struct policy_landlock *l;
	const struct policy *p;

	fresh("{'preset':'strict'}");
	p = MUST(.mounts = DEV, .ns = "{'type':'network'}");
	l = &p->landlock.v[0];
	ok(p->landlock.n == 1 && l->from_mounts && l->required_abi == 6 && landlock_walls(l),
	   "strict has a layer");
	is_str(landlock_of(l), "", "which is no rules file's");
	is_int(l->scopes, POL_SCOPE_ABSTRACT_UNIX | POL_SCOPE_SIGNAL, "with both scopes");
	is_int(l->exec_scopes, POL_SCOPE_SIGNAL,
	       "for exec only where there are others: the network is its own, the pids are not");
	host.landlock = 0;
	p = MUST(.mounts = DEV);
	l = &p->landlock.v[0];
	ok(p->landlock.n == 1 && l->required_abi == 0 && !landlock_walls(l),
	   "without Landlock it is no wall");
	must_site("{'require':['landlock']}");
	is_str(build_text(config_text(&(struct config){.mounts = DEV})) ? "accepted" : err.msg,
	       "rules file " FILE_NAME
	       ": require[0]: landlock is required; config.json: the preset and the site's rules: no "
	       "Landlock layer limits what can be written; use the preset strict, on a kernel with "
	       "Landlock",
	       "which is refused where a rule requires one");
	reset();
	must_site("{'preset':'basic'}");
	ok(!MUST(.mounts = DEV)->landlock.n, "basic has none");
	reset();
}

static void test_sources(void)
{
	struct kv real = {(char *) "/data", (char *) "/srv/secret"};
	const struct kvs map = {&real, 1};
	const struct pol_mount *m;

	fresh("{'binds':[{'source':'/srv/secret','access':'forbidden'}]}");
	ok(BUILD(.mounts = "{'destination':'/d','source':'/data','options':['rbind','ro']}"),
	   "a source is judged by its path...");
	input.real_sources = &map;
	ok(!BUILD(.mounts = "{'destination':'/d','source':'/data','options':['rbind','ro']}"),
	   "...when it is known, by its real one");
	ok(strstr(err.msg, "mounts[0].source: /srv/secret is mounted"), "which the message shows");
	fresh("{'binds':[{'source':'/srv','access':'read-only'}]}");
	input.real_sources = &map;
	m = MUST(.mounts = "{'destination':'/d','source':'/data','options':['rbind','ro']}")
		    ->mounts.v;
	is_str(m->source, "/srv/secret", "the real one is mounted");
	ok(m->flags & POL_MOUNT_SRC_REAL, "and not followed any further");
	ok(m->rattr_set & MOUNT_ATTR_RDONLY, "read-only with all below it");
	input.real_sources = NULL;
	reset();
	m = MUST(.mounts = "{'destination':'/d','source':'/data','options':['rbind','ro']}")
		    ->mounts.v;
	ok(!(m->flags & POL_MOUNT_SRC_REAL) && !m->rattr_set, "nothing of this without such rules");
}

static void test_vm(void)
{
	static const char *const config = "'vm':{'kernel':{'path':'/boot/k','initrd':'/boot/i'}}";
	static const char *const own = "{'type':'pid'},{'type':'network'},{'type':'ipc'},"
				       "{'type':'uts'}";

	fresh("{'vm':{'kernels':[{'path':'/boot/vm','sha256':"
	      "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'}]}}");
	must_site("{'vm':{'defaults':{'initrd':'/boot/i'}}}");
	ok(!BUILD(.top = config, .ns = own), "a kernel that is not in the list");
	is_str(err.msg,
	       "rules file " FILE_NAME
	       ": vm.kernels: only the files of the list may be used; config.json: "
	       "vm.kernel.path: /boot/k is not in it; use one of them",
	       "is refused");
	ok(BUILD(.top = "'vm':{'kernel':{'path':'/boot/vm','initrd':'/boot/i'}}", .ns = own),
	   "one of the list is not, with the site's own initrd");
}

/* ---- execs ---- */

static bool exec_fits(const struct policy *base, const char *proc)
{
	const struct spec_process *s;
	struct pol_process p;
	char *text = quotes(arena_strdup(&arena, proc));

	err = ERR_INIT;
	if (spec_parse_process("process.json", text, strlen(text), &arena, &s, &err) < 0)
		bail_out(err.msg);
	return policy_build_process(s, base, &host, "process.json", &arena, &p, &err) == 0;
}

static void test_exec(void)
{
	static const char config[] =
		"{'ociVersion':'1.3.0','root':{'path':'r'},'process':{'cwd':'/','args':['sh'],"
		"'user':{'uid':7,'gid':7},'noNewPrivileges':true},"
		"'linux':{'namespaces':[{'type':'mount'}]}}";
	const struct policy *p;

	fresh("{'forbid':['newPrivileges','rootUser'],'forbiddenCapabilities':['CAP_SYS_ADMIN']}");
	p = build_text(quotes(arena_strdup(&arena, config)));
	if (!p)
		bail_out(err.msg);
	ok(exec_fits(p,
		     "{'cwd':'/','args':['sh'],'noNewPrivileges':true,'user':{'uid':7,'gid':7}}"),
	   "an exec within the limits of the container");
	ok(!exec_fits(p, "{'cwd':'/','args':['sh'],'noNewPrivileges':true,'user':{'uid':7,'gid':7},"
			 "'capabilities':{'bounding':['CAP_SYS_ADMIN']}}"),
	   "one with a capability that the container must not have");
	is_str(err.msg,
	       "process.json: capabilities: CAP_SYS_ADMIN: forbidden for this container by the site's "
	       "rules",
	       "is refused");
	ok(!exec_fits(p, "{'cwd':'/','args':['sh'],'user':{'uid':7,'gid':7}}") &&
		   !exec_fits(p, "{'cwd':'/','args':['sh'],'noNewPrivileges':true}"),
	   "and so are new privileges and root");
	reset();
	p = MUST(.ns = NULL);
	ok(exec_fits(p, "{'cwd':'/','args':['sh'],'capabilities':{'bounding':['CAP_SYS_ADMIN']}}"),
	   "without rules nothing is");
}

/* ---- the report ---- */

static void test_report(void)
{
	struct rules_report rep = {0};
	size_t n[VERDICT_BREAKS + 1] = {0};

	fresh("{'forbid':['hostPid','hostIpc','terminal'],'preset':'basic','minimumStrength':99,"
	      "'rules':[{'name':'x','match':{'uids':[9]},'forbid':['hooks']}]}");
	input.report = &rep;
	ok(!BUILD(.ns = "{'type':'network'}"), "a container that breaks several rules");
	input.report = NULL;
	for (size_t i = 0; i < rep.n; i++)
		n[rep.v[i].kind]++;
	ok(rep.refused && n[VERDICT_BREAKS] == 3, "all of them are in the report");
	ok(strstr(err.msg, "forbid[0]"), "the error is the first of them");
	ok(n[VERDICT_MATCHES] == 1 && n[VERDICT_OTHER] == 1 && n[VERDICT_SETS] == 1 &&
		   n[VERDICT_HOLDS] == 1,
	   "and what is in force, what is not, what was set, what holds");
	is_str(rep.preset, "basic", "and the preset");
}

int main(void)
{
	test_refusals();
	test_strength();
	test_match();
	test_overlap();
	test_presets();
	test_stacked();
	test_landlock();
	test_landlock_from_mounts();
	test_landlock_strict();
	test_sources();
	test_vm();
	test_exec();
	test_report();
	arena_free(&arena);
	return done();
}
