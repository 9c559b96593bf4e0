/* SPDX-License-Identifier: Apache-2.0 */
/* libs: policy spec json base */
/* Site rules from a directory: strict, and only from files that nobody else can write. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/build.h"
#include "tap.h"

static char dir[] = "/tmp/kavach-rules.XXXXXX";
static struct arena arena;
static struct rules rules;
static struct host host;
static struct err err;

static char *path_of(const char *name)
{
	return arena_printf(&arena, "%s/%s", dir, name);
}

static void put(const char *name, const char *text, mode_t mode)
{
	int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, text, strlen(text)) < 0 || fchmod(fd, mode) < 0)
		bail_out("cannot write a file of the test");
	close(fd);
}

static int read_rules(void)
{
	err = ERR_INIT;
	rules = (struct rules){0};
	return rules_read(dir, &host, &arena, &rules, &err);
}

static char *quotes(const char *text)
{
	char *s = arena_strdup(&arena, text);

	for (char *p = s; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	return s;
}

/* The message that a file alone is refused with; "DIR" stands for the directory. */
static void refuses(const char *text, const char *message, const char *what)
{
	put("50.json", quotes(text), 0644);
	ok(read_rules() < 0 && err.id == ERR_CONFIG, "refuses %s", what);
	is_str(err.msg, arena_printf(&arena, "%s/50.json%s", dir, quotes(message)),
	       "with file and place");
	unlink(path_of("50.json"));
}

#define SPKI                                                                                       \
	"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEXH8UTN"     \
	"G72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ=="

static const struct {
	const char *what, *text, *message;
} refused[] = {
	{"a misspelt key", "{'minimumStrenght':40}",
	 ":1:20: minimumStrenght: unknown member; did you mean 'minimumStrength'?"},
	{"a misspelt key of a rule", "{'rules':[{'match':{'uids':[0]},'forbit':['hooks']}]}",
	 ":1:42: rules[0].forbit: unknown member; did you mean 'forbid'?"},
	{"a misspelt key of the audit log", "{'audit':{'requierd':true}}",
	 ":1:22: audit.requierd: unknown member; did you mean 'required'?"},
	{"a strength above 100", "{'minimumStrength':101}",
	 ":1:20: minimumStrength: expected a number from 0 to 100, found number 101"},
	{"a number as a string", "{'minimumStrength':'40'}",
	 ":1:20: minimumStrength: expected a number, found string '40'"},
	{"what is no object", "[]", ":1:1: expected an object, found array"},
	{"a key that is there twice", "{'preset':'basic','preset':'strict'}",
	 ":1:19: member 'preset' is there twice"},
	{"an unknown preset", "{'preset':'paranoid'}",
	 ":1:11: preset: expected one of minimal, basic, strict; found 'paranoid'"},
	{"a rule without a match", "{'rules':[{'preset':'basic'}]}",
	 ":1:11: rules[0]: required member 'match' is missing"},
	{"an empty match", "{'rules':[{'match':{},'preset':'basic'}]}",
	 ":1:20: rules[0].match: expected 'annotations', 'namespaces', 'uids', 'backends' or 'default', "
	 "found none; a rule for all containers has no match"},
	{"a default with more",
	 "{'rules':[{'match':{'default':true,'uids':[0]},'preset':'basic'}]}",
	 ":1:31: rules[0].match.default: goes with nothing else: it stands for what no other match fits"},
	{"a default that is none", "{'rules':[{'match':{'default':false},'preset':'basic'}]}",
	 ":1:31: rules[0].match.default: expected true; without it a rule is no default"},
	{"a rule that demands nothing", "{'rules':[{'match':{'uids':[0]},'name':'x'}]}",
	 ":1:11: rules[0]: demands nothing"},
	{"a namespace of no engine",
	 "{'rules':[{'match':{'namespaces':['batch']},'preset':'basic'}]}",
	 ":1:35: rules[0].match.namespaces[0]: expected 'podman', 'cri-o', 'containerd/NAME' or "
	 "'kubernetes/NAME', found string 'batch'"},
	{"a feature that is required and forbidden",
	 "{'require':['hooks'],'forbid':['terminal','hooks']}",
	 ":1:31: forbid: 'hooks' is required and forbidden"},
	{"a bind source that is not absolute", "{'binds':[{'source':'etc','access':'forbidden'}]}",
	 ":1:21: binds[0].source: expected an absolute path without '.' and '..', found string 'etc'"},
	{"a bind source that leads elsewhere",
	 "{'binds':[{'source':'/etc/../srv','access':'forbidden'}]}",
	 ":1:21: binds[0].source: expected an absolute path without '.' and '..', found string "
	 "'/etc/../srv'"},
	{"two answers for one source",
	 "{'binds':[{'source':'/a','access':'forbidden'},{'source':'/a','access':'read-only'}]}",
	 ":1:10: binds: [0] and [1] are both about /a"},
	{"an unknown access", "{'binds':[{'source':'/a','access':'ro'}]}",
	 ":1:35: binds[0].access: expected one of forbidden, read-only, read-write; found 'ro'"},
	{"a device without a number", "{'allowedDevices':['/dev/fuse']}",
	 ":1:20: allowedDevices[0]: expected a device like 'c 10:229' or 'b 8:*', found string "
	 "'/dev/fuse'"},
	{"any driver's minor number", "{'allowedDevices':['c *:3']}",
	 ":1:20: allowedDevices[0]: expected a device like 'c 10:229' or 'b 8:*', found string 'c *:3'"},
	{"an annotation that means nothing", "{'allowedAnnotations':['com.example.*']}",
	 ":1:24: allowedAnnotations[0]: expected a name that starts with io.kavach., run.oci. or "
	 "org.systemd.property., found string 'com.example.*'"},
	{"a profile that is no path", "{'seccompProfile':'none'}",
	 ":1:19: seccompProfile: expected basic, strict or the absolute path of a profile, found string "
	 "'none'"},
	{"Landlock that limits nothing", "{'landlock':{'requiredAbi':1}}",
	 ":1:13: landlock: limits nothing: expected paths, ports or scopes"},
	{"a port that is none", "{'landlock':{'tcpBind':[65536]}}",
	 ":1:25: landlock.tcpBind[0]: expected a number from 0 to 65535, found number 65536"},
	{"a digest that is too short", "{'vm':{'kernels':[{'path':'/k','sha256':'00'}]}}",
	 ":1:41: vm.kernels[0].sha256: expected 64 digits 0-9 and a-f, found string '00'"},
	{"a default that is not allowed", "{'vm':{'kernels':[],'defaults':{'kernel':'/k'}}}", NULL},
	{"bits that are to be set and clear",
	 "{'attestation':{'guestPolicy':{'mustSet':3,'mustClear':2}}}",
	 ":1:31: attestation.guestPolicy: mustSet and mustClear have bits 0x2 in common"},
	{"a log that is required and off", "{'audit':{'enabled':false,'required':true}}",
	 ":1:38: audit.required: contradicts 'enabled': false"},
	{"a secret from nowhere", "{'secrets':[{'name':'a','source':{}}]}",
	 ":1:34: secrets[0].source: expected one of 'file', 'credential', 'program', 'socket' "
	 "and 'broker'"},
	{"a secret from two places",
	 "{'secrets':[{'name':'a','source':{'file':'/a','credential':'b'}}]}",
	 ":1:34: secrets[0].source: expected one of 'file', 'credential', 'program', 'socket' "
	 "and 'broker'"},
	{"a secret from a relative path", "{'secrets':[{'name':'a','source':{'file':'x'}}]}",
	 ":1:42: secrets[0].source.file: expected an absolute path without '.' and '..', found string "
	 "'x'"},
	{"a secret of a broker for each exec",
	 "{'secrets':[{'name':'a','source':{'broker':'b'},'env':'A','exec':true}]}",
	 ":1:66: secrets[0].exec: is not possible for a secret from a broker, which gives it once"},
	{"a broker's secret with a slash", "{'secrets':[{'name':'a','source':{'broker':'a/b'}}]}",
	 ":1:44: secrets[0].source.broker: expected up to 64 letters, digits, '_', '.' and '-', found "
	 "string 'a/b'"},
	{"a broker with a name", "{'vm':{'broker':'localhost:7443'}}",
	 ":1:17: vm.broker: expected a clean absolute path of a socket, or an address and a port like "
	 "192.0.2.1:7443 or [2001:db8::1]:7443, found string 'localhost:7443'"},
	{"a broker without a port", "{'vm':{'broker':'[::1]'}}",
	 ":1:17: vm.broker: expected a clean absolute path of a socket, or an address and a port like "
	 "192.0.2.1:7443 or [2001:db8::1]:7443, found string '[::1]'"},
	{"a broker's port that is none", "{'vm':{'broker':'192.0.2.1:65536'}}",
	 ":1:17: vm.broker: expected a clean absolute path of a socket, or an address and a port like "
	 "192.0.2.1:7443 or [2001:db8::1]:7443, found string '192.0.2.1:65536'"},
	{"a broker's key that is none", "{'vm':{'broker':'/b','brokerKey':'MFkw'}}",
	 ":1:34: vm.brokerKey: expected a public key on P-256 in base64: the lines of its PEM but for the "
	 "first and the last, as one, found string 'MFkw'"},
	{"a broker's key without a broker", "{'vm':{'brokerKey':'" SPKI "'}}",
	 ":1:20: vm.brokerKey: says nothing without 'broker'"},
	{"a secret of a program without a path",
	 "{'secrets':[{'name':'a','source':{'program':['cat','/x']}}]}",
	 ":1:45: secrets[0].source.program: [0]: expected an absolute path without '.' and '..', found "
	 "'cat'"},
	{"a secret of no program", "{'secrets':[{'name':'a','source':{'program':[]}}]}",
	 ":1:45: secrets[0].source.program: expected at least one element, found none"},
	{"a credential with a path", "{'secrets':[{'name':'a','source':{'credential':'../x'}}]}",
	 ":1:48: secrets[0].source.credential: expected the name of a systemd credential, found string "
	 "'../x'"},
	{"a secret whose name has a slash", "{'secrets':[{'name':'a/b','source':{'file':'/x'}}]}",
	 ":1:21: secrets[0].name: expected up to 64 letters, digits, '_', '.' and '-', found string "
	 "'a/b'"},
	{"a secret that goes two ways",
	 "{'secrets':[{'name':'a','source':{'file':'/x'},'env':'A','stdin':true}]}",
	 ":1:13: secrets[0]: goes one way: 'file', 'env' or 'stdin'; for more than one, list it again "
	 "under another name"},
	{"a secret in /proc", "{'secrets':[{'name':'a','source':{'file':'/x'},'file':'/proc/a'}]}",
	 ":1:55: secrets[0].file: expected a clean absolute path with a directory, not in /proc, /sys or "
	 "/dev, found string '/proc/a'"},
	{"a secret in the root", "{'secrets':[{'name':'a','source':{'file':'/x'},'file':'/a'}]}",
	 ":1:55: secrets[0].file: expected a clean absolute path with a directory, not in /proc, /sys or "
	 "/dev, found string '/a'"},
	{"a variable that is none", "{'secrets':[{'name':'a','source':{'file':'/x'},'env':'A=B'}]}",
	 ":1:54: secrets[0].env: expected the name of a variable, found string 'A=B'"},
	{"a variable with a mode",
	 "{'secrets':[{'name':'a','source':{'file':'/x'},'env':'A','mode':'0400'}]}",
	 ":1:65: secrets[0].mode: is for files only"},
	{"a mode that is not octal",
	 "{'secrets':[{'name':'a','source':{'file':'/x'},'mode':'0680'}]}",
	 ":1:55: secrets[0].mode: expected an octal mode like '0400', found string '0680'"},
	{"a file that is given to exec",
	 "{'secrets':[{'name':'a','source':{'file':'/x'},'exec':true}]}",
	 ":1:55: secrets[0].exec: is for 'env': files are there for every process, and the standard "
	 "input of 'exec' comes from its caller"},
	{"two secrets of one name",
	 "{'secrets':[{'name':'a','source':{'file':'/x'}},{'name':'a','source':{'file':'/y'}}]}",
	 ":1:12: secrets: [0] and [1] are both called 'a'"},
	{"files of a few bytes", "{'audit':{'rotateBytes':10}}",
	 ":1:25: audit.rotateBytes: expected at least 4096, found 10"},
};

static void test_refusals(void)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		if (refused[i].message) {
			refuses(refused[i].text, refused[i].message, refused[i].what);
			continue;
		}
		put("50.json", quotes(refused[i].text), 0644);
		ok(read_rules() < 0 && strstr(err.msg, "vm.kernels"), "refuses %s",
		   refused[i].what);
		unlink(path_of("50.json"));
	}
}

/* ---- several files ---- */

static void two(const char *first, const char *second)
{
	put("10.json", quotes(first), 0644);
	put("20.json", quotes(second), 0644);
}

/* The second file contradicts the first one: both places are named. */
static void contradicts(const char *first, const char *second, const char *message,
			const char *what)
{
	char *want = arena_strdup(&arena, "");

	two(first, second);
	ok(read_rules() < 0 && err.id == ERR_CONFIG, "refuses %s", what);
	for (const char *p = message; *p; p++)
		want = *p == '%' ? arena_printf(&arena, "%s%s", want, dir)
				 : arena_printf(&arena, "%s%c", want, *p == '\'' ? '"' : *p);
	is_str(err.msg, want, "with both places");
}

static void test_contradictions(void)
{
	contradicts(
		"{'require':['terminal','hooks']}", "{'forbid':['hooks']}",
		"rules file %/20.json: forbid[0]: contradicts %/10.json: require[1], which says "
		"otherwise: 'hooks' is required and forbidden",
		"what one file requires and another forbids");
	contradicts(
		"{'forbid':['hooks']}", "{'rules':[{'match':{'uids':[1]},'require':['hooks']}]}",
		"rules file %/10.json: forbid[0]: contradicts %/20.json: rules[0].require[0], which "
		"says otherwise: 'hooks' is required and forbidden",
		"a rule that no container can fulfil beside one for all");
	contradicts(
		"{'audit':{'directory':'/a'}}", "{'audit':{'directory':'/b'}}",
		"rules file %/20.json: audit.directory: contradicts %/10.json: audit.directory, "
		"which says otherwise: '/a' and '/b'",
		"two directories of the audit log");
	contradicts(
		"{'audit':{}}", "{'audit':{'enabled':false}}",
		"rules file %/20.json: audit.enabled: contradicts %/10.json: audit.enabled, which "
		"says otherwise: the audit log is on and off",
		"an audit log that is on and off");
	contradicts(
		"{'vm':{'defaults':{'vcpus':2}}}", "{'vm':{'defaults':{'vcpus':4}}}",
		"rules file %/20.json: vm.defaults.vcpus: contradicts %/10.json: vm.defaults.vcpus, "
		"which says otherwise: 2 and 4",
		"two defaults");
	contradicts(
		"{'vm':{'defaults':{'vcpus':8}}}", "{'vm':{'maximum':{'vcpus':4}}}",
		"rules file %/10.json: vm.defaults.vcpus: contradicts %/20.json: vm.maximum.vcpus, "
		"which says otherwise: the default is more than the maximum",
		"a default above the maximum");
	contradicts(
		"{'vm':{'timeouts':{'hello':5}}}", "{'vm':{'timeouts':{'hello':6,'qmp':1}}}",
		"rules file %/20.json: vm.timeouts.hello: contradicts %/10.json: vm.timeouts.hello, "
		"which says otherwise: 5 and 6",
		"two timeouts");
	contradicts("{'attestation':{'guestPolicy':{'mustSet':1}}}",
		    "{'attestation':{'guestPolicy':{'mustClear':3}}}",
		    "rules file %/20.json: attestation.guestPolicy: contradicts %/10.json: "
		    "attestation.guestPolicy, which says otherwise: a bit must be set and clear",
		    "bits of the guest policy");
	two("{'rules':[{'match':{'uids':[1]},'require':['hooks']}]}",
	    "{'rules':[{'match':{'uids':[2]},'forbid':['hooks']}]}");
	ok(read_rules() == 0, "rules for different containers may differ");
}

#define DIGEST_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define DIGEST_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static void test_combined(void)
{
	const struct rules_files *k = &rules.vm.allowed[RULES_VM_KERNEL];

	two("{'audit':{'fsync':true,'rotateBytes':9000,'keep':3,'directory':'/var/log/k'}}",
	    "{'audit':{'required':true,'sinks':['syslog'],'rotateBytes':5000,'keep':2}}");
	ok(read_rules() == 0 && rules.audit.enabled && rules.audit.required && rules.audit.fsync &&
		   rules.audit.syslog && !rules.audit.journald,
	   "what any file turns on for the audit log is on");
	ok(rules.audit.rotate_bytes == 5000 && rules.audit.keep == 3,
	   "small files, and as many as the one wants that wants more");
	is_str(rules.audit.dir, "/var/log/k", "in the directory that one of them names");
	two("{'audit':{'enabled':false}}", "{}");
	ok(read_rules() == 0 && !rules.audit.enabled, "it can be off");

	two("{'vm':{'kernels':[{'path':'/a','sha256':'" DIGEST_A "'},"
	    "{'path':'/b','sha256':'" DIGEST_B "'}]}}",
	    "{'vm':{'kernels':[{'path':'/b','sha256':'" DIGEST_B "'},"
	    "{'path':'/c','sha256':'" DIGEST_A "'}],'maximum':{'memory':1000}}}");
	ok(read_rules() == 0 && k->set && k->n == 1 && str_eq(k->v[0].path, "/b"),
	   "kernels: those that all files allow");
	ok(rules.vm.max_memory.v == 1000, "limits: the smallest");
	contradicts(
		"{'vm':{'kernels':[{'path':'/a','sha256':'" DIGEST_A "'}]}}",
		"{'vm':{'kernels':[{'path':'/a','sha256':'" DIGEST_B "'}]}}",
		"rules file %/20.json: vm.kernels: contradicts %/10.json: vm.kernels, which says "
		"otherwise: two digests of /a",
		"two digests of one file");
	two("{'attestation':{'measurements':['" DIGEST_A "','" DIGEST_B "'],'minimumTcb':770}}",
	    "{'attestation':{'measurements':['" DIGEST_B "'],'minimumTcb':516}}");
	ok(read_rules() == 0 && rules.attest.measurements.n == 1 &&
		   str_eq(rules.attest.measurements.v[0], DIGEST_B),
	   "measurements: those that all files accept");
	is_int(rules.attest.min_tcb.v, 0x0304, "a TCB: the largest of each component");
	two("{'vm':{'broker':'192.0.2.1:7443'}}",
	    "{'vm':{'broker':'192.0.2.1:7443','brokerKey':'" SPKI "'}}");
	ok(read_rules() == 0 && str_eq0(rules.vm.broker, "192.0.2.1:7443") &&
		   str_eq0(rules.vm.broker_key, SPKI),
	   "a broker and its key");
	contradicts("{'vm':{'broker':'/a'}}", "{'vm':{'broker':'/b'}}",
		    "rules file %/20.json: vm.broker: contradicts %/10.json: vm.broker, which says "
		    "otherwise: \"/a\" and \"/b\"",
		    "two brokers");
	unlink(path_of("10.json"));
	unlink(path_of("20.json"));
}

/* ---- one rule, in full ---- */

static void test_fields(void)
{
	const struct rule *r;

	put("50.json",
	    quotes("{'$schema':'x','rules':[{'name':'batch','match':{'annotations':{'b':'*','a':'x'},"
		   "'namespaces':['podman'],'uids':[0,1000],'backends':['vm','sev-snp']},"
		   "'minimumStrength':70,'preset':'basic','defaultPreset':'strict',"
		   "'require':['memoryLimit'],'forbid':['hostPid','hooks'],"
		   "'forbiddenCapabilities':['CAP_CHOWN'],'allowedCapabilities':['CAP_KILL'],"
		   "'binds':[{'source':'/srv','access':'read-only'}],"
		   "'allowedDevices':['c 10:229','b 8:*','c *:*'],'allowedAnnotations':[],"
		   "'seccompProfile':'strict','landlock':{'requiredAbi':4,'readOnly':['/'],"
		   "'tcpBind':[443,80],'tcpConnect':[],'scopes':['signal']}}]}"),
	    0644);
	ok(read_rules() == 0, "a rule with everything is read: %s", err.msg);
	r = rules.v;
	ok(rules.n == 1 && str_eq(r->name, "batch") && str_eq(r->at.key, "rules[0]"),
	   "with name and place, and no rule for all containers");
	ok(r->match->annotations.n == 2 && str_eq(r->match->annotations.v[0].key, "a") &&
		   r->match->namespaces.n == 1 && r->match->uids.v[1] == 1000 &&
		   r->match->backends.v[1] == POL_BACKEND_SEV_SNP,
	   "its match");
	ok(r->min_strength.v == 70 && r->preset == POL_PRESET_BASIC &&
		   r->default_preset == POL_PRESET_STRICT && r->require.v[0] == RULE_MEMORY_LIMIT &&
		   r->forbid.v[0] == RULE_HOST_PID && r->forbid.v[1] == RULE_HOOKS,
	   "strength, presets, features in their order");
	ok(r->caps_forbidden.n == 1 && r->caps_forbidden.v[0] == 0 && r->caps_allowed.set &&
		   r->caps_allowed.v == 1 << 5,
	   "capabilities, the number 0 too");
	ok(r->binds.n == 1 && r->binds.v[0].access == RULE_BIND_READ_ONLY, "binds");
	ok(r->devices_set && r->devices.n == 3 && r->devices.v[0].minor == 229 &&
		   r->devices.v[1].type == 'b' && r->devices.v[1].minor == -1 &&
		   r->devices.v[2].major == -1,
	   "devices");
	ok(r->annotations.set && !r->annotations.n, "an empty list is a list");
	ok(r->seccomp->preset == POL_PRESET_STRICT && !r->seccomp->file, "a named profile");
	ok(r->landlock->required_abi == 4 && r->landlock->paths_limited &&
		   r->landlock->bind_limited && r->landlock->tcp_bind.v[0] == 80 &&
		   r->landlock->connect_limited && !r->landlock->tcp_connect.n &&
		   r->landlock->scopes == POL_SCOPE_SIGNAL,
	   "Landlock: ports sorted, none is not any");
	is_str(r->landlock->source, arena_printf(&arena, "%s/50.json: rules[0].landlock", dir),
	       "and its place");
	put("50.json",
	    quotes("{'landlock':{'readOnly':['/'],'tcpBind':null},'allowedDevices':null}"), 0644);
	ok(read_rules() == 0 && !rules.v[0].landlock->bind_limited && !rules.v[0].devices_set,
	   "null is not there");
	put("50.json", "{\"$schema\": \"x\", \"vm\": {}}", 0644);
	ok(read_rules() == 0 && rules.n == 0 && rules.vm.set && rules.files.n == 1,
	   "a file without demands is no rule");
	unlink(path_of("50.json"));
}

/* ---- profiles ---- */

static void profile(const char *text, const char *message, const char *what)
{
	put("p.profile", quotes(text), 0644);
	put("50.json", arena_printf(&arena, "{\"seccompProfile\":\"%s/p.profile\"}", dir), 0644);
	if (!message) {
		ok(read_rules() == 0 && rules.v[0].seccomp->file, "%s", what);
	} else {
		ok(read_rules() < 0, "%s", what);
		is_str(err.msg, arena_printf(&arena, "%s/p.profile%s", dir, message),
		       "with its file");
	}
	unlink(path_of("p.profile"));
	unlink(path_of("50.json"));
}

static void test_profiles(void)
{
	profile("{'defaultAction':'SCMP_ACT_ALLOW','syscalls':[{'names':['mount'],'action':"
		"'SCMP_ACT_ERRNO'}]}",
		NULL, "reads a profile from a file");
	profile("{'defaultAction':'SCMP_ACT_ERRNO','syscalls':[{'names':['write','execve',"
		"'exit_group'],'action':'SCMP_ACT_ALLOW'}]}",
		": expected seccomp to be allowed: it is called after this filter is loaded, to start the "
		"program",
		"refuses one that no other filter could follow");
	profile("{'defaultAction':'SCMP_ACT_ALLOW','listenerPath':'/x'}",
		": SCMP_ACT_NOTIFY and listenerPath are for the config's own filter, not for a profile of "
		"the rules",
		"refuses one with a listener");
	profile("{}", ":1:1: required member \"defaultAction\" is missing",
		"refuses one that is none");
	put("50.json", "{\"seccompProfile\":\"/nonexistent/p.json\"}", 0644);
	ok(read_rules() == -ENOENT, "refuses one that is not there");
	unlink(path_of("50.json"));
}

/* ---- whose files ---- */

static void test_owner(void)
{
	put("50.json", "{}", 0664);
	ok(read_rules() == -EPERM && err.id == ERR_CONFIG, "refuses a file that a group can write");
	put("50.json", "{}", 0646);
	ok(read_rules() == -EPERM, "and one that all can write");
	is_str(err.msg,
	       arena_printf(&arena, "%s/50.json: others than its owner can write it (mode 0646)",
			    dir),
	       "with its mode");
	put("p.profile", "{\"defaultAction\":\"SCMP_ACT_ALLOW\"}", 0666);
	put("50.json", arena_printf(&arena, "{\"seccompProfile\":\"%s/p.profile\"}", dir), 0644);
	ok(read_rules() == -EPERM, "and so a profile");
	unlink(path_of("p.profile"));
	put("50.json", "{}", 0644);
	if (geteuid() == 0) {
		if (chown(path_of("50.json"), 1234, 0) < 0)
			bail_out("chown");
		ok(read_rules() == -EPERM, "refuses a file of another user");
		if (chown(path_of("50.json"), 65534, 0) < 0)
			bail_out("chown");
		ok(read_rules() == -EPERM, "refuses a file of nobody");
		host.in_userns = true;
		ok(read_rules() == 0, "but not where the host's root is shown as nobody");
		host.in_userns = false;
	} else {
		skip("needs root", "refuses a file of another user");
	}
	unlink(path_of("50.json"));
	if (mkfifo(path_of("50.json"), 0644) < 0)
		bail_out("mkfifo");
	ok(read_rules() < 0, "refuses a FIFO, and does not wait for it");
	unlink(path_of("50.json"));
	if (chmod(dir, 0777) < 0)
		bail_out("chmod");
	ok(read_rules() == -EPERM, "refuses a directory that others can write");
	if (chmod(dir, 0755) < 0)
		bail_out("chmod");
}

static void test_caps(void)
{
	char *text = arena_alloc(&arena, 300 << 10);

	for (int i = 0; i < 65; i++)
		put(arena_printf(&arena, "%02d.json", i), "{}", 0644);
	ok(read_rules() == -E2BIG, "refuses a directory of 65 files");
	for (int i = 0; i < 65; i++)
		unlink(path_of(arena_printf(&arena, "%02d.json", i)));
	memset(text, ' ', (300 << 10) - 1);
	put("50.json", text, 0644);
	ok(read_rules() == -EFBIG, "refuses a file of 300 KiB");
	unlink(path_of("50.json"));
}

int main(void)
{
	if (!mkdtemp(dir))
		bail_out("mkdtemp");
	ok(rules_read("/nonexistent/rules.d", &host, &arena, &rules, &err) == 0 && !rules.n &&
		   !rules.files.n,
	   "a directory that does not exist has no rules");
	ok(read_rules() == 0 && !rules.n, "nor has an empty one");
	put("20-team.json", "{\"minimumStrength\": 60, \"preset\": \"basic\"}", 0600);
	put("10-site.json", "{\"minimumStrength\": 40, \"preset\": \"strict\"}", 0644);
	put("README", "not JSON", 0666);
	put(".hidden.json", "not JSON", 0666);
	ok(read_rules() == 0 && rules.n == 2, "reads *.json and nothing else");
	is_str(rules.v[0].at.file, path_of("10-site.json"), "in the order of their names");
	is_str(rules.v[1].at.file, path_of("20-team.json"), "each with its file");
	for (size_t i = 0; i < 4; i++)
		unlink(path_of((const char *[]){"10-site.json", "20-team.json", "README",
						".hidden.json"}[i]));
	test_fields();
	test_refusals();
	test_contradictions();
	test_combined();
	test_profiles();
	test_owner();
	test_caps();
	rmdir(dir);
	arena_free(&arena);
	return done();
}
