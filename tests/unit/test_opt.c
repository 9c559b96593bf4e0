/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: every spelling of an option, hostile arguments, and the tables of all commands. */
#include "cmd/cmd.h"

#include "base/str.h"
#include "backend.h"
#include "tests/unit/tap.h"

/* the program's own is in backends.c; no test here gets as far */
const struct backend_ops *backend_find(uint32_t id, struct err *e)
{
	err_set(e, -ENOTSUP, "backend %u", id);
	return NULL;
}

static struct arena arena;

struct opts {
	bool flag, other;
	const char *str;
	struct opt_u64 num;
	struct strs list;
};

#define O(f) offsetof(struct opts, f)

static const struct opt table[] = {
	{"flag", 'f', OPT_FLAG, NULL, "help", O(flag)},
	{"other", 'o', OPT_FLAG, NULL, "help", O(other)},
	{"str", 's', OPT_STR, "S", "help", O(str)},
	{"str-longer", 0, OPT_STR, "S", "help", O(str)},
	{"num", 'n', OPT_U32, "N", "help", O(num)},
	{"list", 'l', OPT_STRS, "L", "help", O(list)},
	{"no-subreaper", 0, OPT_IGNORE_FLAG, NULL, NULL, 0},
	{"criu", 0, OPT_IGNORE_STR, "P", NULL, 0},
	{NULL, 'x', OPT_FLAG, NULL, NULL, O(other)},
};

#define ARGS_MAX 16

struct parsed {
	struct opts o;
	struct err e;
	int r, n; /* of arguments */
	char **args;
	char *argv[ARGS_MAX + 1];
};

/* "a b c" is cut at blanks; "." stands for an empty argument */
static struct parsed *parse(const char *line, bool stop)
{
	struct parsed *p = arena_new(&arena, struct parsed);
	char *copy = arena_strdup(&arena, line), *save, *w;
	int argc = 0, first = 0;

	p->argv[argc++] = (char *) "cmd";
	for (w = strtok_r(copy, " ", &save); w && argc < ARGS_MAX; w = strtok_r(NULL, " ", &save))
		p->argv[argc++] = strcmp(w, ".") ? w : (char *) "";
	p->r = opt_parse(table, ARRAY_LEN(table), stop, &arena, argc, p->argv, &p->o, &first,
			 &p->e);
	p->n = argc - first;
	p->args = p->argv + first;
	return p;
}

static bool args_are(const struct parsed *p, const char *want)
{
	char got[256] = "";

	for (int i = 0; i < p->n; i++) {
		strcat(got, i ? " " : "");
		strcat(got, *p->args[i] ? p->args[i] : ".");
	}
	return p->r == 0 && !strcmp(got, want) && !p->args[p->n];
}

static void test_spellings(void)
{
	static const char *const strings[] = {"--str v", "--str=v",	  "-s v",	 "-sv",
					      "-s=v",	 "-str v",	  "-str=v",	 "-fs v",
					      "-fsv",	 "-fos=v",	  "--str x -sv", "id -s v",
					      "-s v id", "--str-longer v"};
	static const char *const flags[] = {"--flag",
					    "-f",
					    "-flag",
					    "--flag=true",
					    "--flag=1",
					    "-of",
					    "-fo",
					    "-ff",
					    "id --flag",
					    "-x -f",
					    "--no-subreaper -f",
					    "-no-subreaper --flag",
					    "--criu p -f",
					    "-criu=p -f"};
	static const char *const off[] = {"--flag=false", "-f --flag=0", "id",	 "",
					  "-o",		  "-- --flag",	 "-- -f"};
	struct parsed *p;

	for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
		p = parse(strings[i], false);
		ok(p->r == 0 && p->o.str && !strcmp(p->o.str, "v"), "a string: %s", strings[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		p = parse(flags[i], false);
		ok(p->r == 0 && p->o.flag, "a flag: %s", flags[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(off); i++) {
		p = parse(off[i], false);
		ok(p->r == 0 && !p->o.flag, "no flag: \"%s\"", off[i]);
	}
	ok(!strcmp(parse("--str=a=b", false)->o.str, "a=b"), "a value may have an equals sign");
	ok(!strcmp(parse("--str=", false)->o.str, ""), "an empty value is a value");
	ok(!strcmp(parse("--str .", false)->o.str, ""), "... also as an argument of its own");
	ok(!strcmp(parse("--str -f", false)->o.str, "-f"), "a value may look like an option");
	ok(!strcmp(parse("--str --", false)->o.str, "--"), "... or like their end");
	ok(!strcmp(parse("-s -", false)->o.str, "-"), "... or be standard input");
	p = parse("-n 0 -n 4294967295", false);
	ok(p->r == 0 && p->o.num.set && p->o.num.v == UINT32_MAX,
	   "the last of several numbers counts");
	p = parse("-l a --list b -l=c -ld", false);
	ok(p->o.list.n == 4 && !strcmp(p->o.list.v[0], "a") && !strcmp(p->o.list.v[3], "d"),
	   "a list keeps its order");
}

static void test_arguments(void)
{
	ok(args_are(parse("a -f b -s v c", false), "a b c"),
	   "options stand anywhere among the arguments");
	ok(args_are(parse("-f a -o b", true), "a -o b"),
	   "with stop_at_args they end at the first one");
	ok(!parse("-f a -o b", true)->o.other, "... and are not taken");
	ok(args_are(parse("-f -- -o b", true), "-o b"), "-- ends them");
	ok(args_are(parse("a -- -f -- b", false), "a -f -- b"), "... once");
	ok(args_are(parse("- a", false), "- a"), "a dash alone is an argument");
	ok(args_are(parse(". a", false), ". a"), "an empty argument is one");
	ok(args_are(parse("", false), ""), "none are none");
}

static void test_refused(void)
{
	static const struct {
		const char *line, *msg;
	} rows[] = {
		{"--str", "flag needs an argument: --str"},
		{"-s", "flag needs an argument: --str"},
		{"-fs", "flag needs an argument: --str"},
		{"a --list", "flag needs an argument: --list"},
		{"--criu", "flag needs an argument: --criu"},
		{"--nope", "unknown option: --nope (see --help)"},
		{"--nope=1", "unknown option: --nope=1 (see --help)"},
		{"--st v", "unknown option: --st (see --help)"},
		{"--str-long v", "unknown option: --str-long (see --help)"},
		{"--strx v", "unknown option: --strx (see --help)"},
		{"-q", "unknown option: -q (see --help)"},
		{"-fq", "unknown option: -fq (see --help)"},
		{"-zip", "unknown option: -zip (see --help)"},
		{"---flag", "unknown option: ---flag (see --help)"},
		{"--=x", "unknown option: --=x (see --help)"},
		{"-x=1", "unknown option: -x=1 (see --help)"},
		{"--flag=maybe", "--flag: expected true or false, found \"maybe\""},
		{"--flag=", "--flag: expected true or false, found \"\""},
		{"-n x", "--num: expected a number from 0 to 4294967295, found \"x\""},
		{"-n -1", "--num: expected a number from 0 to 4294967295, found \"-1\""},
		{"-n 4294967296",
		 "--num: expected a number from 0 to 4294967295, found \"4294967296\""},
		{"-n 0x10", "--num: expected a number from 0 to 4294967295, found \"0x10\""},
		{"-n=", "--num: expected a number from 0 to 4294967295, found \"\""},
		{"-n 1k", "--num: expected a number from 0 to 4294967295, found \"1k\""},
		{"--no-subreaper=x", "--no-subreaper: expected true or false, found \"x\""},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct parsed *p = parse(rows[i].line, false);

		ok(p->r == -EINVAL && p->e.id == ERR_USAGE, "refuses %s", rows[i].line);
		is_str(p->e.msg, rows[i].msg, "... and says why");
	}
	struct parsed *p = parse("--a\033[31mb\nc", false);
	ok(p->r < 0 && !strpbrk(p->e.msg, "\033\n"), "control characters do not reach the message");
}

/* Every byte string of a small alphabet: never a crash, and arguments are never lost. */
static void test_all_short(void)
{
	static const char alphabet[] = "-=fsnx";
	int lost = 0, tried = 0;

	for (unsigned code = 0; code < 6 * 6 * 6 * 6 * 6; code++) {
		arena_auto a = {0};
		char word[6] = "", *argv[] = {(char *) "c", word, (char *) "id", NULL};
		struct opts o = {0};
		struct err e = ERR_INIT;
		int first = 0, r;
		unsigned c = code;

		for (int i = 0; i < 5; i++, c /= 6)
			word[i] = alphabet[c % 6];
		r = opt_parse(table, ARRAY_LEN(table), code & 1, &a, 3, argv, &o, &first, &e);
		tried++;
		if (r == 0)
			lost += first < 1 || first > 3 || (first < 3 && strcmp(argv[2], "id"));
		else
			lost += e.code != r || !e.msg[0];
	}
	ok(tried == 7776 && lost == 0, "all short options are parsed or refused");
}

/* ---- the tables of the program ---- */

static bool fits(const struct opt *o, size_t size)
{
	static const size_t need[] = {
		[OPT_FLAG] = sizeof(bool),
		[OPT_STR] = sizeof(char *),
		[OPT_U32] = sizeof(struct opt_u64),
		[OPT_STRS] = sizeof(struct strs),
		[OPT_IGNORE_FLAG] = 0,
		[OPT_IGNORE_STR] = 0,
	};

	return o->off + need[o->kind] <= size;
}

static bool same(const struct opt *x, const struct opt *y)
{
	return (x->letter && x->letter == y->letter) ||
	       (x->name && y->name && !strcmp(x->name, y->name));
}

static bool same_place(const struct opt *x, const struct opt *y)
{
	bool real = x->kind != OPT_IGNORE_FLAG && x->kind != OPT_IGNORE_STR &&
		    y->kind != OPT_IGNORE_FLAG && y->kind != OPT_IGNORE_STR;

	return real && x->help && y->help && x->off == y->off;
}

static void test_table(const char *name, const struct opt *t, size_t n, size_t size)
{
	int twice = 0, outside = 0, shape = 0, shared = 0;

	for (size_t i = 0; i < n; i++) {
		bool value = t[i].kind != OPT_FLAG && t[i].kind != OPT_IGNORE_FLAG;

		outside += !fits(&t[i], size);
		shape += !t[i].name && !t[i].letter;
		shape += value && !t[i].arg;
		shape += !value && t[i].arg;
		shape += t[i].name &&
			 (strpbrk(t[i].name, "= ") || t[i].name[0] == '-' || !t[i].name[1]);
		shape += t[i].help &&
			 (!*t[i].help || strchr(t[i].help, '\n') || strlen(t[i].help) > 100);
		for (size_t k = 0; k < i; k++) {
			twice += same(&t[i], &t[k]);
			shared += same_place(&t[i], &t[k]);
		}
	}
	is_int(twice, 0, "%s: no name or letter stands for two options", name);
	is_int(outside, 0, "%s: values land in its struct", name);
	is_int(shared, 0, "%s: two options that are shown never share a place", name);
	is_int(shape, 0, "%s: names, values and help are whole", name);
}

static void test_commands(void)
{
	size_t n = 0;

	test_table("kavach", global_opts, global_opts_n, sizeof(struct globals));
	for (; commands[n]; n++) {
		const struct command *c = commands[n];
		buf_auto b = BUF_WRITER(1 << 16);
		char *text;
		int unseen = 0;

		test_table(c->name, c->opts, c->n_opts, c->opts_size);
		ok(c->opts_size <= CMD_OPTS_MAX, "%s: its options fit", c->name);
		ok(c->run && c->help && *c->help && c->args, "%s: is whole", c->name);
		ok(c->min_args >= 0 && (c->max_args < 0 || c->max_args >= c->min_args),
		   "%s: its numbers of arguments make sense", c->name);
		for (size_t k = 0; k < n; k++)
			ok(strcmp(c->name, commands[k]->name), "%s is not %s", c->name,
			   commands[k]->name);
		cmd_help(&b, c);
		buf_put_u8(&b, 0);
		text = (char *) b.p;
		for (size_t i = 0; i < c->n_opts; i++)
			unseen += c->opts[i].help && !strstr(text, c->opts[i].help);
		is_int(unseen, 0, "%s: --help has all that is not hidden", c->name);
		ok(strstr(text, c->help) && strstr(text, c->args), "%s: --help says what it does",
		   c->name);
	}
	ok(n >= 15, "there are commands");
}

int main(void)
{
	test_spellings();
	test_arguments();
	test_refused();
	test_all_short();
	test_commands();
	arena_free(&arena);
	return done();
}
