/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "--" ends the options. The text for a missing value is one that podman and CRI-O look for ("flag needs an argument", E-10).
 */
#include "base/opt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/str.h"

struct parser {
	const struct opt *t;
	size_t n;
	struct arena *a;
	int argc;
	char **argv;
	void *out;
	int i; /* the argument we are at */
};

static const struct opt *find_long(const struct parser *p, const char *name, size_t len)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->t[i].name && strlen(p->t[i].name) == len &&
		    strncmp(p->t[i].name, name, len) == 0)
			return &p->t[i];
	return NULL;
}

static const struct opt *find_letter(const struct parser *p, char c)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->t[i].letter && p->t[i].letter == c)
			return &p->t[i];
	return NULL;
}

static bool takes_value(const struct opt *o)
{
	return o->kind != OPT_FLAG && o->kind != OPT_IGNORE_FLAG;
}

static int bad_value(struct err *e, const struct opt *o, const char *v, const char *expected)
{
	return err_set_id(e, ERR_USAGE, -EINVAL, "--%s: expected %s, found \"%s\"", o->name,
			  expected, v);
}

static int store_flag(const struct parser *p, const struct opt *o, const char *v, struct err *e)
{
	bool on = true;

	if (v) {
		if (str_eq(v, "true") || str_eq(v, "1"))
			on = true;
		else if (str_eq(v, "false") || str_eq(v, "0"))
			on = false;
		else
			return bad_value(e, o, v, "true or false");
	}
	if (o->kind == OPT_FLAG)
		*(bool *) ((char *) p->out + o->off) = on;
	return 0;
}

static int store_value(const struct parser *p, const struct opt *o, char *v, struct err *e)
{
	char *at = (char *) p->out + o->off;
	struct opt_u64 *num;
	struct strs *l;
	char **nv;

	switch (o->kind) {
	case OPT_STR: *(const char **) at = v; return 0;
	case OPT_U32:
		num = (struct opt_u64 *) at;
		if (num_parse_u64(v, UINT32_MAX, &num->v) < 0)
			return bad_value(e, o, v, "a number from 0 to 4294967295");
		num->set = true;
		return 0;
	case OPT_STRS:
		l = (struct strs *) at;
		nv = arena_array(p->a, l->n + 1, sizeof(*nv));
		if (l->n)
			memcpy(nv, l->v, l->n * sizeof(*nv));
		nv[l->n++] = v;
		l->v = nv;
		l->set = true;
		return 0;
	default: return 0; /* accepted and ignored */
	}
}

static int set(struct parser *p, const struct opt *o, char *v, struct err *e)
{
	if (!takes_value(o))
		return store_flag(p, o, v, e);
	if (!v) {
		if (p->i + 1 >= p->argc)
			return err_set_id(e, ERR_USAGE, -EINVAL, "flag needs an argument: --%s",
					  o->name);
		v = p->argv[++p->i];
	}
	return store_value(p, o, v, e);
}

static int unknown(struct err *e, const char *arg)
{
	return err_set_id(e, ERR_USAGE, -EINVAL, "unknown option: %s (see --help)", arg);
}

static int parse_long(struct parser *p, char *arg, char *name, struct err *e)
{
	char *eq = strchr(name, '=');
	const struct opt *o = find_long(p, name, eq ? (size_t) (eq - name) : strlen(name));

	return o ? set(p, o, eq ? eq + 1 : NULL, e) : unknown(e, arg);
}

static int parse_letters(struct parser *p, char *arg, struct err *e)
{
	char *eq = strchr(arg, '=');
	int r;

	/* "-no-subreaper": a long name with one dash, as Go programs write it */
	if (arg[2] && find_long(p, arg + 1, eq ? (size_t) (eq - arg - 1) : strlen(arg + 1)))
		return parse_long(p, arg, arg + 1, e);
	for (char *c = arg + 1; *c; c++) {
		const struct opt *o = find_letter(p, *c);

		if (!o)
			return unknown(e, arg);
		if (takes_value(o) && c[1])
			return store_value(p, o, c[1] == '=' ? c + 2 : c + 1, e);
		r = set(p, o, NULL, e);
		if (r < 0)
			return r;
	}
	return 0;
}

int opt_parse(const struct opt *t, size_t n, bool stop_at_args, struct arena *a, int argc,
	      char **argv, void *out, int *ret_first, struct err *e)
{
	struct parser p = {.t = t, .n = n, .a = a, .argc = argc, .argv = argv, .out = out};
	char **args = arena_array(a, (size_t) argc + 1, sizeof(*args));
	int n_args = 0, r;

	for (p.i = 1; p.i < argc; p.i++) {
		char *arg = argv[p.i];

		if (arg[0] != '-' || !arg[1]) {
			if (stop_at_args)
				break;
			args[n_args++] = arg;
			continue;
		}
		if (str_eq(arg, "--")) {
			p.i++;
			break;
		}
		r = arg[1] == '-' ? parse_long(&p, arg, arg + 2, e) : parse_letters(&p, arg, e);
		if (r < 0)
			return r;
	}
	while (p.i < argc)
		args[n_args++] = argv[p.i++];
	/* the arguments end up at the end of argv, in order */
	memcpy(argv + (argc - n_args), args, (size_t) n_args * sizeof(*args));
	*ret_first = argc - n_args;
	return 0;
}

void opt_help(struct buf *b, const struct opt *t, size_t n)
{
	char left[64], line[256];

	for (const struct opt *o = t; o < t + n; o++) {
		if (!o->help)
			continue;
		snprintf(left, sizeof(left), "%c%c%s--%s%s%s", o->letter ? '-' : ' ',
			 o->letter ? o->letter : ' ', o->letter ? ", " : "  ", o->name,
			 o->arg ? " " : "", o->arg ? o->arg : "");
		snprintf(line, sizeof(line), "  %-34s %s\n", left, o->help);
		buf_put(b, line, strlen(line));
	}
}
