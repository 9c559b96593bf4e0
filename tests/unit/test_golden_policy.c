/* SPDX-License-Identifier: Apache-2.0 */
/* libs: policy host spec json base */
/*
 * Golden files of the decisions, in tests/golden/policy: NAME.json is a config, NAME.host (optional) what
 * its host lacks or has, one "word value" a line; NAME.rules (optional) the site's rules; NAME.policy.json and
 * NAME.explain are what must come out, byte for byte: everything that is sealed, with its digest, and the page that `kavach
 * policy` prints. Where there is a NAME.refusal, the config must be refused with that text. NAME.report is what the rules
 * decided. With --update the results are written: read them before they go into a commit.
 */
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/num.h"
#include "policy_fixture.h"

#define TEXT_MAX (4u << 20)

static bool update;

static const struct name_val layouts[] = {
	{"none", CG_NONE}, {"v1", CG_V1}, {"hybrid", CG_HYBRID}, {"v2", CG_V2}};

/* A fact of the host file; false when it is none. */
static bool host_fact(const char *word, const char *value)
{
	const struct name_val *layout = name_find(layouts, ARRAY_LEN(layouts), value);
	bool yes = str_eq(value, "yes");
	uint64_t n;

	if (str_eq(word, "cgroup") && layout)
		host.cgroup = (enum cg_layout) layout->val;
	else if (str_eq(word, "apparmor"))
		host.apparmor = yes;
	else if (str_eq(word, "selinux"))
		host.selinux = yes;
	else if (str_eq(word, "landlock") && num_parse_u64(value, UINT32_MAX, &n) == 0)
		host.landlock = (uint32_t) n;
	else if (str_eq(word, "time_ns"))
		host.time_ns = yes;
	else if (str_eq(word, "without") && cap_parse(value) >= 0)
		host.caps &= ~(1ULL << cap_parse(value));
	else if (str_eq(word, "accel"))
		host.accel = str_eq(value, "kvm") ? HOST_ACCEL_KVM : HOST_ACCEL_TCG;
	else if (str_eq(word, "packed"))
		root_is_packed = yes;
	else if (str_eq(word, "backend") && str_eq(value, "vm"))
		input.backend_floor = POL_BACKEND_VM;
	else if (str_eq(word, "euid") && num_parse_u64(value, UINT32_MAX, &n) == 0)
		host.euid = host.egid = (uint32_t) n, host.rootless = n != 0;
	else if (str_eq(word, "subids") && num_parse_u64(value, UINT32_MAX, &n) == 0)
		host.subuid = host.subgid = (struct host_ranges){1, {{(uint32_t) n, 65536}}};
	else
		return false;
	return true;
}

static void read_host(int dir, const char *name)
{
	struct bytes text;
	struct strs lines;

	reset();
	if (io_read_at(dir, arena_printf(&arena, "%s.host", name), O_RDONLY, 4096, &arena, &text) <
	    0)
		return;
	lines = str_split(&arena, (const char *) text.v, '\n');
	for (size_t i = 0; i < lines.n; i++) {
		struct strs words = str_split(&arena, lines.v[i], ' ');

		if (words.n != 2 || !host_fact(words.v[0], words.v[1]))
			bail_out(arena_printf(&arena, "%s.host: %s", name, lines.v[i]));
	}
}

/* Compares with a golden file, or writes it. */
static void compare(int dir, const char *file, const struct buf *got)
{
	struct bytes want = {0};
	size_t line = 1, i = 0;

	if (got->bad)
		bail_out("too long");
	if (update && io_replace_at(dir, file, 0644, got->p, got->n) < 0)
		bail_out("cannot write a golden file");
	if (io_read_at(dir, file, O_RDONLY, TEXT_MAX, &arena, &want) < 0)
		want = (struct bytes){0};
	for (; i < want.n && i < got->n && want.v[i] == got->p[i]; i++)
		line += want.v[i] == '\n';
	ok(want.n == got->n && i == got->n, "%s", file);
	if (i < got->n || i < want.n)
		printf("# differs in line %zu\n", line);
}

/* A seccomp profile that rules name, from the folder of the golden files. */
static int read_profile(void *arg, const char *path, struct arena *a, struct bytes *ret,
			struct err *e)
{
	const char *name = strrchr(path, '/') + 1;
	int r = io_read_at(*(int *) arg, name, O_RDONLY, TEXT_MAX, a, ret);

	return r < 0 ? err_neg(e, r, "%s", path) : 0;
}

static bool read_rules(int dir, const char *name)
{
	const struct rules_source src = {read_profile, &dir};
	struct bytes text;

	if (io_read_at(dir, arena_printf(&arena, "%s.rules", name), O_RDONLY, TEXT_MAX, &arena,
		       &text) < 0)
		return false;
	if (rules_decode("/etc/kavach/rules.d/site.json", (const char *) text.v, text.n, &src,
			 &arena, &rules, &err) < 0)
		bail_out(err.msg);
	return true;
}

static void compare_text(int dir, const char *file, const char *text)
{
	buf_auto b = BUF_WRITER(TEXT_MAX);

	buf_put(&b, text, strlen(text));
	buf_put(&b, "\n", 1);
	compare(dir, file, &b);
}

static void test_one(int dir, const char *name)
{
	buf_auto json = BUF_WRITER(TEXT_MAX), page = BUF_WRITER(TEXT_MAX),
		 rep = BUF_WRITER(TEXT_MAX);
	struct rules_report report = {0};
	const char *refusal = arena_printf(&arena, "%s.refusal", name);
	const struct policy *p;
	struct bytes text;
	struct score score;
	const char *digest;

	read_host(dir, name);
	input.need_process = false;
	if (io_read_at(dir, arena_printf(&arena, "%s.json", name), O_RDONLY, TEXT_MAX, &arena,
		       &text) < 0)
		bail_out("cannot read a golden file");
	input.report = read_rules(dir, name) ? &report : NULL;
	p = build_text((const char *) text.v);
	if (input.report) {
		rules_report_explain(&rep, &report);
		compare(dir, arena_printf(&arena, "%s.report", name), &rep);
	}
	ok((p != NULL) == (faccessat(dir, refusal, R_OK, 0) < 0), "%s is %s as it must be", name,
	   p ? "accepted" : "refused");
	if (!p)
		compare_text(dir, refusal, err.msg);
	if (!p)
		return;
	digest = digest_of(p);
	policy_score(p, &arena, &score);
	policy_explain_json(&json, p, &score, digest, input.report, NULL);
	policy_explain(&page, p, &score, digest, false);
	compare(dir, arena_printf(&arena, "%s.policy.json", name), &json);
	compare(dir, arena_printf(&arena, "%s.explain", name), &page);
}

static int is_config(const struct dirent *d)
{
	return str_has_suffix(d->d_name, ".json") && !str_has_suffix(d->d_name, ".policy.json");
}

int main(int argc, char **argv)
{
	const char *src = getenv("KAVACH_SRC");
	struct dirent **names;
	int n;

	update = argc > 1 && str_eq(argv[1], "--update");
	fd_auto int dir = open(arena_printf(&arena, "%s/tests/golden/policy", src ? src : "."),
			       O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		bail_out("no tests/golden/policy: KAVACH_SRC names the source folder");
	n = scandirat(dir, ".", &names, is_config, alphasort);
	for (int i = 0; i < n; i++) {
		const char *file = names[i]->d_name;

		test_one(dir, arena_strndup(&arena, file, strlen(file) - strlen(".json")));
		free(names[i]);
	}
	free(names);
	ok(n >= 8, "there are golden files");
	arena_free(&arena);
	return done();
}
