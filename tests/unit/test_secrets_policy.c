/* SPDX-License-Identifier: Apache-2.0 */
/* libs: policy host spec json base */
/* Which secrets a container gets, and where they may be: what p_secrets.c decides, refuses, and puts into the digest. */
#include "policy_fixture.h"

#define SPKI                                                                                       \
	"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEXH8UTN"     \
	"G72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ=="
#define FILE_A "'source':{'file':'/s/a'}"

static const struct policy *with(const char *rules_text, const struct config *c)
{
	reset();
	must_site(rules_text);
	return build_text(config_text(c));
}
#define WITH(rules, ...) with(rules, &(struct config){__VA_ARGS__})

static void refuses(const struct policy *p, const char *message, const char *what)
{
	ok(!p, "refuses %s", what);
	is_str(p ? "" : err.msg, message, "%s: the message", what);
}

#define AT(key, name, target)                                                                      \
	"rules file /etc/kavach/rules.d/10.json: " key ": the secret " name                        \
	" cannot be given as " target ": "

static void test_defaults(void)
{
	const struct policy *p = WITH("{'secrets':[{'name':'a'," FILE_A "}]}",
				      .proc = "'noNewPrivileges':true");
	const struct pol_secret *s;

	if (!p || p->secrets.n != 1)
		bail_out(err.msg);
	s = &p->secrets.v[0];
	is_str(s->target, "/run/secrets/a", "a file in /run/secrets");
	ok(s->give == POL_SECRET_FILE && s->mode == 0400 && s->uid == 0 && s->gid == 0 &&
		   s->required && !s->exec,
	   "of the process's user alone, and required");
	is_str(pol_secret_dir(&arena, s), "/run/secrets", "its directory");
	p = WITH("{'secrets':[{'name':'a'," FILE_A ",'env':'A'}]}",
		 .proc = "'noNewPrivileges':true");
	ok(p && !pol_secret_dir(&arena, &p->secrets.v[0]), "a variable has none");
}

static void test_which(void)
{
	static const char offer[] =
		"{'rules':[{'match':{'annotations':{'t':'x'}},'secrets':[{'name':'a'," FILE_A
		",'onRequest':true},{'name':'b'," FILE_A "}]}]}";
	const struct policy *p;

	p = WITH(offer, .top = "'annotations':{'t':'x'}");
	ok(p && p->secrets.n == 1, "what is offered is not given");
	p = WITH(offer, .top = "'annotations':{'t':'x','io.kavach.secrets':' a ,b'}");
	ok(p && p->secrets.n == 2, "until it is asked for; what is given may be asked for too");
	p = WITH(offer, .top = "'annotations':{'t':'y'}");
	ok(p && p->secrets.n == 0, "other containers have none");
	refuses(WITH(offer, .top = "'annotations':{'t':'y','io.kavach.secrets':'a'}"),
		"config.json: annotations[\"io.kavach.secrets\"]: no rule of the site offers this "
		"container a secret \"a\"",
		"what is offered to others");
	p = WITH(offer, .top = "'annotations':{'io.kavach.secrets':''}");
	ok(p && p->secrets.n == 0, "who asks for nothing gets nothing");
}

static void test_rules_together(void)
{
	const struct policy *p;
	char *one, *other;

	reset();
	must_site("{'secrets':[{'name':'b'," FILE_A "}]}");
	must_site("{'secrets':[{'name':'a'," FILE_A "},{'name':'b'," FILE_A "}]}");
	p = build_text(config_text(&(struct config){0}));
	ok(p && p->secrets.n == 2 && str_eq(p->secrets.v[0].name, "a"),
	   "the same secret of two rules is one; they are sorted");
	one = arena_strdup(&arena, digest_of(p));
	reset();
	must_site("{'secrets':[{'name':'a'," FILE_A "}]}");
	must_site("{'secrets':[{'name':'b'," FILE_A "}]}");
	other = arena_strdup(&arena, digest_of(build_text(config_text(&(struct config){0}))));
	is_str(one, other, "the order of rules does not change the digest, nor does their file");
	reset();
	must_site("{'secrets':[{'name':'a'," FILE_A ",'env':'X'}]}");
	must_site("{'secrets':[{'name':'a'," FILE_A "}]}");
	refuses(build_text(config_text(&(struct config){0})),
		"rules file /etc/kavach/rules.d/10.json: secrets[0]: \"a\" is another secret, or given "
		"in another way, than that of rules file /etc/kavach/rules.d/10.json: secrets[0], and "
		"both are for this container",
		"one name for two");
}

static void test_places(void)
{
	static const char a[] = "{'secrets':[{'name':'a'," FILE_A "}]}";

	refuses(WITH("{'secrets':[{'name':'a'," FILE_A ",'env':'X'},{'name':'b'," FILE_A
		     ",'env':'X'}]}",
		     .proc = "'noNewPrivileges':true"),
		AT("secrets[1]", "b", "X") "so is the secret a, by rules file "
					   "/etc/kavach/rules.d/10.json: secrets[0]",
		"one variable for two");
	refuses(WITH("{'secrets':[{'name':'a'," FILE_A ",'file':'/x/y/a'},{'name':'b'," FILE_A
		     ",'file':'/x/b'}]}",
		     .proc = "'noNewPrivileges':true"),
		AT("secrets[1]", "b",
		   "/x/b") "the directory of /x/y/a is above or below; use the same one for both",
		"a directory in another one");
	refuses(WITH("{'secrets':[{'name':'a'," FILE_A ",'stdin':true}]}",
		     .proc = "'terminal':true"),
		AT("secrets[0]", "a",
		   "standard input") "config.json: process.terminal: it is a terminal",
		"the input of a terminal");
	refuses(WITH(a, .linux_ = "'maskedPaths':['/run']"),
		AT("secrets[0]", "a",
		   "/run/secrets/a") "config.json: linux.maskedPaths[0]: /run hides it",
		"what would be masked");
	refuses(WITH(a, .mounts = "{'destination':'/run/secrets','type':'tmpfs','source':'t'}"),
		AT("secrets[0]", "a",
		   "/run/secrets/a") "config.json: mounts[0].destination: /run/secrets would be "
				     "covered; give one of them another place",
		"what is mounted there");
	refuses(WITH(a,
		     .mounts =
			     "{'destination':'/run','type':'bind','source':'/srv','options':['bind']}"),
		AT("secrets[0]", "a",
		   "/run/secrets/a") "config.json: mounts[0].destination: /run is above it, and the "
				     "host can see what is mounted there; give the secret "
				     "another place",
		"a place in a bind mount");
	ok(WITH(a, .mounts = "{'destination':'/run','type':'tmpfs','source':'t'}") != NULL,
	   "a tmpfs of the container is fine");
}

static void test_joined(void)
{
	static const char config[] =
		"{'ociVersion':'1.3.0','root':{'path':'/'},'process':{'cwd':'/','args':['sh'],"
		"'user':{'uid':0,'gid':0}},'linux':{'namespaces':[{'type':'mount','path':'/proc/1/ns/mnt'}]}}";
	const struct policy *p;

	reset();
	must_site("{'secrets':[{'name':'a'," FILE_A "}]}");
	p = build_text(quotes(arena_strdup(&arena, config)));
	ok(!p && strstr(err.msg, "secrets[0]: no secret is given as a file in the mount namespace"),
	   "refuses a file in somebody else's mount namespace");
	reset();
	must_site("{'secrets':[{'name':'a'," FILE_A ",'env':'X'}]}");
	p = build_text(quotes(arena_strdup(&arena, config)));
	ok(p && p->secrets.n == 1, "a variable needs no mount");
}

static void test_maps(void)
{
	static const struct config c = {
		.ns = "{'type':'user'}",
		.linux_ = "'uidMappings':[{'containerID':0,'hostID':1000,'size':10}],"
			  "'gidMappings':[{'containerID':0,'hostID':1000,'size':10}]"};

	ok(with("{'secrets':[{'name':'a'," FILE_A ",'uid':9,'gid':9}]}", &c) != NULL,
	   "an owner who is mapped");
	refuses(with("{'secrets':[{'name':'a'," FILE_A ",'uid':10}]}", &c),
		AT("secrets[0]", "a", "/run/secrets/a") "user 10 is not in linux.uidMappings",
		"a user who is not");
	refuses(with("{'secrets':[{'name':'a'," FILE_A ",'gid':10}]}", &c),
		AT("secrets[0]", "a", "/run/secrets/a") "group 10 is not in linux.gidMappings",
		"a group that is not");
}

#define VM_SPACES "{'type':'network'},{'type':'pid'},{'type':'ipc'},{'type':'uts'}"

static const struct policy *in_vm(uint32_t backend)
{
	reset();
	input.backend_floor = backend;
	must_site("{'secrets':[{'name':'a'," FILE_A "}]}");
	return build_text(config_text(&(struct config){.ns = VM_SPACES}));
}

static void test_vm(void)
{
	const struct policy *p = in_vm(POL_BACKEND_VM);

	ok(p && p->secrets.n == 1, "a VM gets them");
	for (uint32_t b = POL_BACKEND_SEV; b <= POL_BACKEND_SEV_SNP; b++)
		refuses(in_vm(b),
			"rules file /etc/kavach/rules.d/10.json: secrets[0]: the secret a: its "
			"source is on the host, from which a confidential VM takes no secrets",
			"those of the host for a confidential VM");
	reset();
}

#define OF_BROKER "'secrets':[{'name':'a','source':{'broker':'db'}}]"

static const struct policy *of_broker(uint32_t backend, const char *vm)
{
	reset();
	input.backend_floor = backend;
	must_site(vm ? arena_printf(&arena, "{" OF_BROKER ",'vm':{%s}}", vm) : "{" OF_BROKER "}");
	return build_text(config_text(&(struct config){.ns = VM_SPACES}));
}

static void test_broker(void)
{
	static const char at[] =
		"rules file /etc/kavach/rules.d/10.json: secrets[0]: the secret a: ";
	const struct policy *p = of_broker(POL_BACKEND_SEV_SNP, "'broker':'/run/b'");
	const char *one;

	ok(p && p->secrets.n == 1 && p->secrets.v[0].source == POL_SECRET_FROM_BROKER &&
		   str_eq(p->secrets.v[0].from.v[0], "db") && str_eq0(p->vm.broker, "/run/b") &&
		   !p->vm.broker_key,
	   "a confidential VM gets those of a broker: %s", p ? "" : err.msg);
	one = p ? arena_strdup(&arena, digest_of(p)) : "";
	p = of_broker(POL_BACKEND_SEV_SNP, "'broker':'/run/b','brokerKey':'" SPKI "'");
	ok(p && str_eq0(p->vm.broker_key, SPKI) && strcmp(digest_of(p), one) != 0,
	   "the key of the broker is a part of the digest");
	refuses(of_broker(POL_BACKEND_SEV_SNP, NULL),
		arena_printf(&arena,
			     "%sits source is a broker, and no rules file says where that is "
			     "(vm.broker)",
			     at),
		"those of a broker that is nowhere");
	for (uint32_t b = POL_BACKEND_SEV; b <= POL_BACKEND_SEV_ES; b++)
		refuses(of_broker(b, "'broker':'/run/b'"),
			arena_printf(&arena,
				     "%sits source is a broker, which wants a report that only "
				     "SEV-SNP has; SEV and SEV-ES have secrets of the launch",
				     at),
			"those of a broker for a guest without a report");
	for (uint32_t b = POL_BACKEND_PROCESS; b <= POL_BACKEND_VM; b++)
		refuses(of_broker(b, "'broker':'/run/b'"),
			arena_printf(&arena,
				     "%sits source is a broker, which gives it to a confidential VM "
				     "only",
				     at),
			"those of a broker for what proves nothing");
	reset();
	input.backend_floor = POL_BACKEND_SEV_SNP;
	must_site("{'vm':{'broker':'/run/b'}}");
	p = build_text(config_text(&(struct config){.ns = VM_SPACES}));
	ok(p && !p->vm.broker, "a container without such secrets does not know the broker");
	reset();
}

int main(void)
{
	test_defaults();
	test_which();
	test_rules_together();
	test_places();
	test_joined();
	test_maps();
	test_vm();
	test_broker();
	return done();
}
