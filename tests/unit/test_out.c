/* SPDX-License-Identifier: Apache-2.0 */
/* libs: policy host spec json base */
/*
 * The documents that we write: state, features, the template. They are read back with our own reader; the
 * template has to pass our own decoder and may hold nothing that the decoder does not know. And the
 * names that the decoder accepts are the names that the policy knows how to carry out, no more, no less.
 */
#include <stdlib.h>

#include "policy/build.h"
#include "policy/names.h"
#include "spec/annot.h"
#include "spec/fields.h"
#include "spec/out.h"
#include "tests/unit/tap.h"

#define MAX (1u << 20)

static void put_nul(struct buf *b)
{
	buf_put_u8(b, '\0');
	if (b->bad)
		bail_out("the buffer is too small");
}

static struct json_doc read_back(struct arena *a, const struct buf *b)
{
	struct json_doc d = {0};
	struct err e = ERR_INIT;

	if (json_read("out", (char *) b->p, b->n, a, &d, &e) < 0)
		bail_out(e.msg);
	return d;
}

/* ---- state ---- */

static void test_state(void)
{
	struct kv kv[] = {{(char *) "k", (char *) "a \"quoted\"\n"}};
	const struct kvs annotations = {.v = kv, .n = 1}, none = {0};
	struct out_state s = {
		.oci_version = "1.2.0",
		.id = "c1",
		.status = "stopped",
		.bundle = "/b",
		.annotations = &none,
	};
	buf_auto hook = BUF_WRITER(MAX), full = BUF_WRITER(MAX);

	out_state(&hook, &s, false);
	put_nul(&hook);
	is_str((char *) hook.p,
	       "{\"ociVersion\":\"1.2.0\",\"id\":\"c1\",\"pid\":0,\"status\":\"stopped\",\"bundle\":\"/b\"}",
	       "writes the state for hooks on one line, with pid 0 when there is no process");

	s.pid = 4422;
	s.rootfs = "/b/rootfs";
	s.created = "2026-01-02T03:04:05.000000006Z";
	s.owner = "root";
	s.annotations = &annotations;
	out_state(&full, &s, true);
	put_nul(&full);
	is_str((char *) full.p,
	       "{\n"
	       "  \"ociVersion\": \"1.2.0\",\n"
	       "  \"id\": \"c1\",\n"
	       "  \"pid\": 4422,\n"
	       "  \"status\": \"stopped\",\n"
	       "  \"bundle\": \"/b\",\n"
	       "  \"rootfs\": \"/b/rootfs\",\n"
	       "  \"created\": \"2026-01-02T03:04:05.000000006Z\",\n"
	       "  \"owner\": \"root\",\n"
	       "  \"annotations\": {\n"
	       "    \"k\": \"a \\\"quoted\\\"\\n\"\n"
	       "  }\n"
	       "}\n",
	       "writes the state for people indented, with everything that it was given");
}

/* ---- features ---- */

static const char *no_option(size_t i)
{
	return i ? NULL : "rro";
}

/* The node at a path of member names, or NULL. */
static const struct json_node *at(const struct json_node *n, const char *const *path)
{
	for (; n && *path; path++)
		n = json_get(n, *path);
	return n;
}
#define AT(doc, ...) at((doc)->root, (const char *const[]){__VA_ARGS__, NULL})

static bool holds(const struct json_node *list, const char *s)
{
	for (const struct json_node *c = list ? list->child : NULL; c; c = c->next)
		if (str_eq(c->s, s))
			return true;
	return false;
}

static bool is(const struct json_node *n, bool v)
{
	return n && n->type == JSON_BOOL && n->b == v;
}

static void test_features(void)
{
	const struct out_features_in in = {
		.version = "0.1.0",
		.libseccomp = "2.5.4",
		.mount_option = mount_option_name,
		.namespaces = {ns_names, ns_names_n},
		.capabilities = {cap_names, cap_names_n},
		.seccomp_actions = {seccomp_action_names, seccomp_action_names_n},
		.seccomp_operators = {seccomp_op_names, seccomp_op_names_n},
		.seccomp_archs = {seccomp_arch_names, seccomp_arch_names_n},
		.seccomp_flags = {seccomp_flag_names, seccomp_flag_names_n},
		.cgroup_v2 = true,
		.memory_policy = true,
		.idmap = true,
	};
	buf_auto b = BUF_WRITER(MAX);
	arena_auto a = {0};
	struct json_doc d;

	out_features(&b, &in);
	d = read_back(&a, &b);
	is_str(AT(&d, "ociVersionMin")->s, "1.0.0", "accepts configurations from 1.0.0");
	is_str(AT(&d, "ociVersionMax")->s, "1.3.0", "accepts configurations to 1.3.0");
	ok(AT(&d, "hooks")->n == 6 && holds(AT(&d, "hooks"), "createContainer"), "lists six hooks");
	ok(holds(AT(&d, "mountOptions"), "rro") && holds(AT(&d, "mountOptions"), "tmpcopyup"),
	   "lists mount options");
	ok(AT(&d, "linux", "namespaces")->n == 8 && holds(AT(&d, "linux", "namespaces"), "time"),
	   "lists eight namespaces");
	is_int(AT(&d, "linux", "capabilities")->n, 41, "lists 41 capabilities");
	ok(is(AT(&d, "linux", "cgroup", "v2"), true) &&
		   is(AT(&d, "linux", "cgroup", "systemd"), false),
	   "says what cgroup drivers there are");
	ok(is(AT(&d, "linux", "seccomp", "enabled"), true) &&
		   AT(&d, "linux", "seccomp", "archs")->n == 23 &&
		   AT(&d, "linux", "seccomp", "supportedFlags")->n == 4,
	   "says what seccomp can do");
	ok(is(AT(&d, "linux", "mountExtensions", "idmap", "enabled"), true), "says idmap");
	ok(is(AT(&d, "linux", "intelRdt", "enabled"), false) &&
		   is(AT(&d, "linux", "netDevices", "enabled"), false),
	   "says false of what is not there");
	ok(AT(&d, "linux", "memoryPolicy", "modes")->n == 7 &&
		   AT(&d, "linux", "memoryPolicy", "flags")->n == 3,
	   "lists memory policies");
	is_str(AT(&d, "annotations", "org.opencontainers.runc.checkpoint.enabled")->s, "true",
	       "says that there is checkpoint");
	ok(!AT(&d, "annotations", "io.kavach.commit"), "leaves out an unknown commit");
	ok(holds(AT(&d, "potentiallyUnsafeConfigAnnotations"), "org.systemd.property."),
	   "lists unsafe annotations");
}

static void test_features_without(void)
{
	const struct out_features_in in = {
		.version = "0.1.0", .commit = "abc", .mount_option = no_option};
	buf_auto b = BUF_WRITER(MAX);
	arena_auto a = {0};
	struct json_doc d;

	out_features(&b, &in);
	d = read_back(&a, &b);
	ok(is(AT(&d, "linux", "seccomp", "enabled"), false) &&
		   !AT(&d, "linux", "seccomp", "actions"),
	   "claims no seccomp when it is not built in");
	ok(!AT(&d, "linux", "memoryPolicy"), "claims no memory policy when there is none");
	is_str(AT(&d, "annotations", "io.kavach.commit")->s, "abc", "says the commit");
}

/* ---- template ---- */

/* Members that the tables do not know, which the decoder would have ignored. */
static size_t unknown_members(const struct jtable *t, const struct json_node *obj)
{
	size_t bad = 0;

	for (const struct json_node *c = obj->child; c; c = c->next) {
		size_t i = 0;

		while (i < t->n && !str_eq(t->f[i].name, c->key))
			i++;
		if (i == t->n) {
			bad++;
			continue;
		}
		if (t->f[i].kind == J_OBJ)
			bad += unknown_members(t->f[i].sub, c);
		else if (t->f[i].kind == J_OBJS)
			for (const struct json_node *o = c->child; o; o = o->next)
				bad += unknown_members(t->f[i].sub, o);
	}
	return bad;
}

static const struct spec *template(struct arena *a, struct buf *b, bool rootless)
{
	const struct spec *s = NULL;
	struct err e = ERR_INIT;

	out_spec_template(b, rootless, 1000, 1001);
	ok(!spec_parse("template", (char *) b->p, b->n, a, &s, &e), "accepts its own template");
	if (!s)
		bail_out(e.msg);
	ok(!unknown_members(&spec_t_config, read_back(a, b).root),
	   "knows every member of its own template");
	return s;
}

static bool has_namespace(const struct spec *s, const char *type)
{
	for (size_t i = 0; i < s->linux_->namespaces.n; i++)
		if (str_eq(s->linux_->namespaces.v[i].type, type))
			return true;
	return false;
}

static void test_template(void)
{
	buf_auto b = BUF_WRITER(MAX), rootless = BUF_WRITER(MAX);
	arena_auto a = {0};
	const struct spec *s = template(&a, &b, false);

	is_str(s->process->args.v[0], "sh", "the template runs sh");
	ok(s->process->noNewPrivileges.v && s->root->readonly.v, "and is strict by default");
	ok(!s->process->capabilities->inheritable.n && !s->process->capabilities->ambient.n,
	   "and asks for no inheritable capabilities");
	ok(has_namespace(s, "cgroup") && has_namespace(s, "network") && !has_namespace(s, "user"),
	   "and has its own namespaces");
	is_int(s->linux_->resources->devices.n, 1, "and denies devices");

	s = template(&a, &rootless, true);
	ok(has_namespace(s, "user") && !has_namespace(s, "network"),
	   "the rootless template has a user namespace");
	ok(s->linux_->uidMappings.v[0].hostID.v == 1000 &&
		   s->linux_->gidMappings.v[0].hostID.v == 1001,
	   "and maps the caller's ids");
	ok(!s->linux_->resources, "and has no limits");
}

/* ---- names ---- */

static bool find_row(const struct jtable *t, const char *name, const struct jfield **ret)
{
	for (size_t i = 0; i < t->n; i++)
		if (str_eq(t->f[i].name, name)) {
			*ret = &t->f[i];
			return true;
		}
	return false;
}

/* The closed list of a member, found through the tables by its path. */
static void same_names(const struct jtable *t, const char *const *path, const struct name_val *v,
		       size_t n)
{
	const struct jfield *f = NULL;
	size_t missing = 0;

	for (; *path; path++) {
		if (!find_row(t, *path, &f))
			bail_out("no such row");
		t = f->sub;
	}
	for (size_t i = 0; i < f->n_names; i++)
		missing += !name_find(v, n, f->names[i].name);
	for (size_t i = 0; i < n; i++)
		missing += !name_find(f->names, f->n_names, v[i].name);
	ok(!missing && f->n_names == n, "decoder and policy know the same names for %s", f->name);
}
#define SAME(list, ...)                                                                            \
	same_names(&spec_t_linux, (const char *const[]){__VA_ARGS__, NULL}, list, list##_n)

static void test_names(void)
{
	bool v = false;

	SAME(ns_names, "namespaces", "type");
	SAME(seccomp_action_names, "seccomp", "syscalls", "action");
	SAME(seccomp_op_names, "seccomp", "syscalls", "args", "op");
	SAME(seccomp_arch_names, "seccomp", "architectures");
	SAME(seccomp_flag_names, "seccomp", "flags");

	ok(annot_find("run.oci.keep_original_groups") &&
		   annot_find("org.systemd.property.TimeoutStopUSec") &&
		   !annot_find("run.oci.keep_original_groups.x") && !annot_find("org.example"),
	   "finds annotations by name and by prefix");
	ok(annot_bool("1", &v) && v && annot_bool("false", &v) && !v && !annot_bool("TRUE", &v) &&
		   !annot_bool("", &v),
	   "takes four words as booleans");
}

int main(void)
{
	test_state();
	test_features();
	test_features_without();
	test_template();
	test_names();
	return done();
}
