/* SPDX-License-Identifier: Apache-2.0 */
/* libs: spec json base */
/*
 * The decoder of the OCI documents. Texts of refusals and files of engines: test_golden_spec.c. Here: that
 * typed values arrive, and, walking the field tables themselves, that no member of any table is taken with
 * a wrong type. tests/golden/ok/full.json has every member there is; a test says so.
 */
#include <fcntl.h>
#include <stdlib.h>

#include "base/io.h"
#include "spec/fields.h"
#include "tests/unit/tap.h"

static struct bytes read_golden(struct arena *a, const char *name)
{
	const char *src = getenv("KAVACH_SRC");
	struct bytes b;

	if (io_read_at(AT_FDCWD, arena_printf(a, "%s/tests/golden/ok/%s", src ? src : ".", name),
		       O_RDONLY, JSON_MAX_SIZE, a, &b) < 0)
		bail_out("no golden files; KAVACH_SRC is the source tree");
	return b;
}

static const struct spec *parse(struct arena *a, const char *name)
{
	struct bytes b = read_golden(a, name);
	const struct spec *s = NULL;
	struct err e = ERR_INIT;

	if (spec_parse("config.json", (char *) b.v, b.n, a, &s, &e) < 0)
		printf("# %s\n", e.msg);
	if (!s)
		bail_out("a golden file is refused");
	return s;
}

/* ---- values ---- */

static void test_process(const struct spec_process *p)
{
	is_int(p->user->uid.v, 4294967294, "takes the largest uid");
	is_int(p->user->umask.v, 022, "takes umask as a decimal number");
	ok(p->user->additionalGids.n == 2 && p->user->additionalGids.v[1] == 4294967294,
	   "takes additional groups");
	ok(p->terminal.set && p->terminal.v, "takes a boolean");
	is_int(p->consoleSize->width.v, 80, "takes the console size");
	is_str(p->env.v[1], "EMPTY=", "takes an environment variable without value");
	is_str(p->args.v[2], "exit 0", "takes arguments in order");
	ok(p->rlimits.v[1].hard.v == UINT64_MAX, "keeps 2^64-1 exact");
	is_str(p->rlimits.v[1].type, "RLIMIT_CORE", "takes names of limits as they are");
	ok(p->oomScoreAdj.set && p->oomScoreAdj.v == -1000, "takes a negative number");
	is_int(p->scheduler->nice.v, -20, "takes nice");
	is_str(p->scheduler->flags.v[1], "SCHED_FLAG_DL_OVERRUN", "takes scheduler flags");
	is_str(p->ioPriority->class, "IOPRIO_CLASS_BE", "takes the I/O priority class");
	is_str(p->execCPUAffinity->final, "", "tells an empty string from an absent one");
	ok(p->capabilities->ambient.set && p->capabilities->ambient.n == 1, "takes capabilities");
}

static void test_resources(const struct spec_resources *r)
{
	ok(!r->devices.v[0].type && !r->devices.v[0].major.set, "leaves absent members of a rule");
	ok(r->devices.v[0].allow.set && !r->devices.v[0].allow.v, "tells false from absent");
	is_int(r->devices.v[2].minor.v, -1, "takes -1 as any minor number");
	is_int(r->memory->limit.v, INT64_MAX, "keeps 2^63-1 exact");
	is_int(r->memory->swap.v, -1, "takes -1 as unlimited");
	is_int(r->cpu->idle.v, 1, "takes cpu.idle");
	ok(r->pids->limit.set && r->pids->limit.v == 0, "takes a limit of 0 processes as a limit");
	ok(r->blockIO->throttleReadBpsDevice.v[0].rate.v == UINT64_MAX, "takes I/O rates");
	ok(!r->blockIO->weightDevice.v[1].leafWeight.set, "leaves an absent weight");
	is_str(r->hugepageLimits.v[1].pageSize, "64KB", "takes page sizes");
	is_int(r->network->priorities.v[0].priority.v, 4294967295, "takes network priorities");
	is_str(r->rdma.v[0].device, "mlx4_0", "sorts RDMA devices by name");
	ok(!r->rdma.v[0].hcaHandles.set && r->rdma.v[1].hcaHandles.v == 3, "takes RDMA limits");
	is_str(r->unified.v[0].key, "hugetlb.1GB.max", "sorts unified by name");
}

static void test_linux(const struct spec_linux *l)
{
	const struct spec_seccomp_arg *arg = &l->seccomp->syscalls.v[1].args.v[0];

	ok(l->namespaces.n == 8 && !l->namespaces.v[0].path, "takes all namespaces");
	is_str(l->namespaces.v[1].path, "/run/netns/x", "takes the path of a namespace");
	is_int(l->uidMappings.v[1].hostID.v, 100000, "takes id mappings");
	is_str(l->timeOffsets.v[0].clock, "boottime", "sorts time offsets by clock");
	ok(!l->timeOffsets.v[0].nanosecs.set, "leaves absent nanoseconds");
	ok(l->timeOffsets.v[1].secs.v == INT64_MIN, "keeps -2^63 exact");
	is_int(l->devices.v[0].fileMode.v, 0666, "takes permission bits");
	is_int(l->devices.v[1].fileMode.v, 0600,
	       "drops the file type that podman leaves in fileMode");
	ok(!l->devices.v[2].major.set, "takes a FIFO without numbers");
	is_str(l->netDevices.v[1].name, "net%d", "takes a pattern for a network device");
	ok(!l->netDevices.v[0].name, "takes a network device that keeps its name");
	is_str(l->intelRdt->schemata.v[1], "MB:0=20", "takes schemata as a list");
	is_str(l->memoryPolicy->mode, "MPOL_WEIGHTED_INTERLEAVE", "takes the memory policy");
	is_str(l->sysctl.v[0].key, "kernel.msgmax", "sorts sysctl by name");
	is_int(l->seccomp->defaultErrnoRet.v, 38, "takes the default errno");
	ok(!l->seccomp->syscalls.v[0].errnoRet.set, "leaves an absent errno");
	ok(arg->value.v == UINT64_MAX && arg->valueTwo.v == (1ULL << 63) + 1,
	   "keeps seccomp arguments beyond 2^63 exact");
	is_str(l->rootfsPropagation, "rslave", "takes the propagation");
	ok(l->personality->flags.set && !l->personality->flags.n, "tells an empty list from none");
	test_resources(l->resources);
}

static void test_values(void)
{
	arena_auto a = {0};
	const struct spec *s = parse(&a, "full.json");

	is_str(s->ociVersion, "1.3.0", "takes the version");
	ok(s->root->readonly.v, "takes root.readonly");
	is_str(s->annotations.v[0].key, "org.example.a", "sorts annotations by name");
	is_str(s->annotations.v[2].val, "\xc3\xa9\xf0\x9f\x98\x80\n", "decodes escapes to UTF-8");
	ok(!s->mounts.v[1].type, "leaves an absent type of a mount");
	is_str(s->mounts.v[1].options.v[1], "rro", "takes mount options in order");
	is_int(s->mounts.v[1].gidMappings.v[0].size.v, 4294967295, "takes a map of all ids");
	is_int(s->hooks->prestart.v[0].timeout.v, 2147483647, "takes a hook's timeout");
	ok(s->hooks->poststart.v[0].env.set && !s->hooks->poststart.v[0].env.n,
	   "tells a hook's empty environment from none");
	ok(!s->hooks->createRuntime.v[0].env.set, "leaves a hook's absent environment");
	test_process(s->process);
	test_linux(s->linux_);
	is_str(s->vm->kernel->initrd, "/boot/initrd.img", "takes the VM's initrd");
	ok(s->vm->hwConfig->memory.v == UINT64_MAX, "takes the VM's memory");
	is_int(s->vm->hwConfig->irqs.v[1], 4294967295, "takes the VM's interrupts");
}

static void test_nulls(void)
{
	arena_auto a = {0};
	const struct spec *s = parse(&a, "nulls.json");

	ok(!s->root->readonly.set && !s->hostname && !s->annotations.n && !s->mounts.set && !s->vm,
	   "takes null as absent at the top");
	ok(s->hooks->poststop.set && !s->hooks->prestart.set, "tells an empty list from null");
	ok(!s->process->args.set && !s->process->oomScoreAdj.set && !s->process->scheduler,
	   "takes null as absent in process");
	ok(!s->process->user->umask.set && !s->process->user->additionalGids.n,
	   "takes null as absent in user");
	ok(!s->linux_->namespaces.v[0].path, "takes a null path of a namespace as none");
	ok(!s->linux_->resources->memory->limit.set && s->linux_->resources->memory->swap.v == -1,
	   "takes null as absent in memory");
	ok(!s->linux_->resources->pids->limit.set, "takes pids without a limit");
	ok(!s->linux_->seccomp->architectures.set, "takes null as absent in seccomp");
}

static void test_parts(void)
{
	arena_auto a = {0};
	struct bytes b = read_golden(&a, "exec.process.json");
	const struct spec_process *p;
	const struct spec_resources *r;
	struct err e = ERR_INIT;

	ok(!spec_parse_process("p", (char *) b.v, b.n, &a, &p, &e) && p->user->gid.v == 1000,
	   "takes a process by itself");
	b = read_golden(&a, "update.resources.json");
	ok(!spec_parse_resources("r", (char *) b.v, b.n, &a, &r, &e) && r->cpu->quota.v == 50000,
	   "takes resources by themselves");
}

/* ---- the tables ---- */

struct walk {
	struct arena *a;
	struct json_doc doc;
	void (*row)(struct walk *w, const struct jfield *f, const struct json_node *n);
	const struct jfield *seen[512];
	size_t n_seen;
	size_t n, bad;
};

static void walk(struct walk *w, const struct jtable *t, const struct json_node *obj)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct jfield *f = &t->f[i];
		const struct json_node *m = json_get(obj, f->name);

		if (!m)
			continue;
		w->row(w, f, m);
		if (f->kind == J_OBJ)
			walk(w, f->sub, m);
		else if (f->sub)
			for (const struct json_node *c = m->child; c; c = c->next)
				walk(w, f->sub, c);
	}
}

static void note_row(struct walk *w, const struct jfield *f, const struct json_node *n)
{
	(void) n;
	for (size_t i = 0; i < w->n_seen; i++)
		if (w->seen[i] == f)
			return;
	if (w->n_seen == ARRAY_LEN(w->seen))
		bail_out("more rows than expected");
	w->seen[w->n_seen++] = f;
}

static void count_rows(struct walk *w, const struct jtable *t)
{
	for (size_t i = 0; i < t->n; i++) {
		size_t k = 0;

		while (k < w->n_seen && w->seen[k] != &t->f[i])
			k++;
		w->n++;
		if (k == w->n_seen) {
			w->bad++;
			printf("# full.json has no %s\n", t->f[i].name);
		}
		if (t->f[i].sub)
			count_rows(w, t->f[i].sub);
	}
}

/* First byte behind the JSON value at p. */
static const char *value_end(const char *p)
{
	int depth = 0;

	do {
		if (*p == '"') {
			for (p++; *p != '"'; p++)
				if (*p == '\\')
					p++;
			p++;
		} else if (strchr("[{", *p)) {
			depth++;
			p++;
		} else if (strchr("]}", *p)) {
			depth--;
			p++;
		} else if (strchr(" \n:,", *p)) {
			p++;
		} else {
			p += strcspn(p, ",]} \n");
		}
	} while (depth);
	return p;
}

/* Parses the document with `value` in place of node n; what comes out is the message or NULL. */
static const char *replaced(struct walk *w, const struct json_node *n, const char *value)
{
	const char *start = w->doc.text + n->offset, *text;
	const struct spec *s;
	struct err *e = arena_new(w->a, struct err);

	text = arena_printf(w->a, "%.*s%s%s", (int) n->offset, w->doc.text, value,
			    value_end(start));
	return spec_parse("config.json", text, strlen(text), w->a, &s, e) < 0 ? e->msg : NULL;
}

static void expect_refusal(struct walk *w, const struct json_node *n, const char *value,
			   const char *below)
{
	const char *msg = replaced(w, n, value);
	const char *want = arena_printf(w->a, ": %s%s: expected ", json_path(w->a, n), below);

	w->n++;
	if (!msg || !strstr(msg, want)) {
		w->bad++;
		printf("# %s in place of %s: %s\n", value, json_path(w->a, n),
		       msg ? msg : "accepted");
	}
}

static void wrong_types(struct walk *w, const struct jfield *f, const struct json_node *n)
{
	static const struct {
		const char *value, *below; /* below: where in the value the error is */
	} wrong[][3] = {
		[J_STR] = {{"7", ""}, {"[\"x\"]", ""}, {"false", ""}},
		[J_ABSPATH] = {{"7", ""}, {"[\"/\"]", ""}, {"\"x\"", ""}},
		[J_BOOL] = {{"\"true\"", ""}, {"1", ""}, {"{}", ""}},
		[J_UINT] = {{"\"5\"", ""}, {"-1", ""}, {"1.5", ""}},
		[J_INT] = {{"\"5\"", ""}, {"true", ""}, {"1.5", ""}},
		[J_STRS] = {{"\"x\"", ""}, {"[7]", "[0]"}, {"[null]", "[0]"}},
		[J_UINTS] = {{"5", ""}, {"[\"5\"]", "[0]"}, {"[-1]", "[0]"}},
		[J_OBJ] = {{"[]", ""}, {"\"x\"", ""}, {"true", ""}},
		[J_OBJS] = {{"{}", ""}, {"\"x\"", ""}, {"[[]]", "[0]"}},
		[J_MAP] = {{"[]", ""}, {"{\"k\": 7}", ".k"}, {"{\"k\": null}", ".k"}},
		[J_MAP_OBJ] = {{"[]", ""}, {"{\"k\": 7}", ".k"}, {"{\"k\": []}", ".k"}},
	};

	for (size_t i = 0; i < ARRAY_LEN(wrong[0]); i++)
		expect_refusal(w, n, wrong[f->kind][i].value, wrong[f->kind][i].below);
}

static void null_required(struct walk *w, const struct jfield *f, const struct json_node *n)
{
	if (f->flags & J_REQUIRED)
		expect_refusal(w, n, "null", "");
}

static void other_names(struct walk *w, const struct jfield *f, const struct json_node *n)
{
	if (f->names && f->kind == J_STR)
		expect_refusal(w, n, "\"none of them\"", "");
	if (f->names && f->kind == J_STRS)
		expect_refusal(w, n, "[\"none of them\"]", "[0]");
}

static void test_tables(void)
{
	arena_auto a = {0};
	struct bytes b = read_golden(&a, "full.json");
	struct walk w = {.a = &a, .row = note_row};
	struct err e = ERR_INIT;

	if (json_read("full.json", (char *) b.v, b.n, &a, &w.doc, &e) < 0)
		bail_out(e.msg);
	walk(&w, &spec_t_config, w.doc.root);
	count_rows(&w, &spec_t_config);
	ok(!w.bad && w.n > 150, "full.json has every member of every table (%zu)", w.n_seen);

	w.n = w.bad = 0;
	w.row = wrong_types;
	walk(&w, &spec_t_config, w.doc.root);
	ok(!w.bad && w.n > 500, "refuses wrong types and names the place (%zu tried)", w.n);

	w.n = w.bad = 0;
	w.row = null_required;
	walk(&w, &spec_t_config, w.doc.root);
	ok(!w.bad && w.n > 50, "refuses null for required members (%zu tried)", w.n);

	w.n = w.bad = 0;
	w.row = other_names;
	walk(&w, &spec_t_config, w.doc.root);
	ok(!w.bad && w.n > 20, "refuses names that are not in a closed list (%zu tried)", w.n);
}

int main(void)
{
	test_values();
	test_nulls();
	test_parts();
	test_tables();
	return done();
}
