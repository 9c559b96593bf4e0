/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list "secrets" of the site rules: what a row may say, and what becomes of it. That a row is a good one by itself
 * is checked here; what depends on the container (who it is, what is mounted where) in p_secrets.c.
 */
#include "base/path.h"
#include "json/decode.h"
#include "policy/rules_tables.h"

#define NAME_MAX_LEN 64
#define ENV_MAX_LEN 255
#define DEFAULT_DIR "/run/secrets/"
#define DEFAULT_MODE 0400

static bool has_only(const char *s, const char *also)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

	for (; *s; s++)
		if (!strchr(letters, *s) && !strchr(also, *s))
			return false;
	return true;
}

/* A file's name, a word of the annotation and of the line that a socket is sent. */
static bool is_name(const char *s)
{
	return *s && *s != '.' && *s != '-' && strlen(s) <= NAME_MAX_LEN && has_only(s, "._-");
}

static bool is_variable(const char *s)
{
	return *s && strlen(s) <= ENV_MAX_LEN && !(*s >= '0' && *s <= '9') && has_only(s, "_");
}

static bool is_mode(const char *s)
{
	return strlen(s) == 4 && s[0] == '0' && strspn(s, "01234567") == 4;
}

/* systemd's rule for credential names is that of file names; ours is narrower. */
static bool is_credential(const char *s)
{
	return *s && *s != '.' && strlen(s) <= ENV_MAX_LEN && has_only(s, "._-+@:");
}

/* A directory that is a file system of its own kind, or the root itself, is not covered by one of ours. */
static bool is_place(const char *s)
{
	static const char *const not_in[] = {"/proc", "/sys", "/dev"};

	if (!rules_is_clean_path(s) || strrchr(s, '/') == s || strlen(s) > 4000)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(not_in); i++)
		if (path_below(s, not_in[i]))
			return false;
	return true;
}

static int source_check(const struct json_doc *d, const struct json_node *n, void *obj,
			struct arena *a, struct err *e)
{
	const struct rj_secret_source *j = obj;
	const char *first = j->program.n ? j->program.v[0] : NULL;
	int r;

	if (!!j->file + !!j->credential + !!j->socket + !!j->broker + j->program.set != 1)
		return json_err(d, n, e,
				"expected one of \"file\", \"credential\", \"program\", \"socket\" "
				"and \"broker\"");
	r = spec_check_each(d, n, "file", rules_is_clean_path, RULES_CLEAN_PATH, a, e);
	if (r == 0)
		r = spec_check_each(d, n, "socket", rules_is_clean_path, RULES_CLEAN_PATH, a, e);
	if (r == 0)
		r = spec_check_each(d, n, "credential", is_credential,
				    "the name of a systemd credential", a, e);
	if (r == 0)
		r = spec_check_each(d, n, "broker", is_name,
				    "up to 64 letters, digits, \"_\", \".\" and \"-\"", a, e);
	if (r == 0 && first && !rules_is_clean_path(first))
		r = json_err(d, json_get(n, "program"), e,
			     "[0]: expected " RULES_CLEAN_PATH ", found \"%s\"", first);
	if (r == 0 && j->program.n > RULES_SECRETS_MAX)
		r = json_err(d, json_get(n, "program"), e, "more than %d arguments",
			     RULES_SECRETS_MAX);
	return r;
}

/* Members that mean something for files, or for variables, only. */
static int ways_check(const struct json_doc *d, const struct json_node *n,
		      const struct rj_secret *j, struct err *e)
{
	static const char *const of_files[] = {"mode", "uid", "gid"};

	if (!!j->file + !!j->env + j->from_stdin.v > 1)
		return json_err(
			d, n, e,
			"goes one way: \"file\", \"env\" or \"stdin\"; for more than one, list "
			"it again under another name");
	if (j->from_stdin.set && !j->from_stdin.v)
		return json_err(d, json_get(n, "stdin"), e, "expected true");
	for (size_t i = 0; i < ARRAY_LEN(of_files); i++)
		if ((j->env || j->from_stdin.v) && json_get(n, of_files[i]))
			return json_err(d, json_get(n, of_files[i]), e, "is for files only");
	if (j->exec.v && !j->env)
		return json_err(
			d, json_get(n, "exec"), e,
			"is for \"env\": files are there for every process, and the standard "
			"input of \"exec\" comes from its caller");
	/* the key that opens a broker's answer is gone when the container runs */
	if (j->exec.v && j->source->broker)
		return json_err(d, json_get(n, "exec"), e,
				"is not possible for a secret from a broker, which gives it once");
	return 0;
}

static int secret_check(const struct json_doc *d, const struct json_node *n, void *obj,
			struct arena *a, struct err *e)
{
	int r = spec_check_each(d, n, "name", is_name,
				"up to 64 letters, digits, \"_\", \".\" and \"-\"", a, e);

	if (r == 0)
		r = spec_check_each(d, n, "file", is_place,
				    "a clean absolute path with a directory, not in /proc, /sys or "
				    "/dev",
				    a, e);
	if (r == 0)
		r = spec_check_each(d, n, "env", is_variable, "the name of a variable", a, e);
	if (r == 0)
		r = spec_check_each(d, n, "mode", is_mode, "an octal mode like \"0400\"", a, e);
	return r < 0 ? r : ways_check(d, n, obj, e);
}

static const struct jfield source_f[] = {
	F_STR(struct rj_secret_source, file),
	F_STR(struct rj_secret_source, credential),
	F_STRS(struct rj_secret_source, program, .flags = J_NONEMPTY),
	F_STR(struct rj_secret_source, socket),
	F_STR(struct rj_secret_source, broker),
};
static const struct jtable source_t = F_TABLE(struct rj_secret_source, source_f, .flags = J_STRICT,
					      .check = source_check);

static const struct jfield secret_f[] = {
	F_STR(struct rj_secret, name, .flags = J_REQUIRED),
	F_OBJ(struct rj_secret, source, struct rj_secret_source, &source_t, .flags = J_REQUIRED),
	F_STR(struct rj_secret, file),
	F_STR(struct rj_secret, env),
	{.name = "stdin",
	 .kind = J_BOOL,
	 .off = FIELD_OFF(struct rj_secret, from_stdin, struct opt_bool)},
	F_STR(struct rj_secret, mode),
	F_UINT(struct rj_secret, uid, .max = SPEC_ID_MAX),
	F_UINT(struct rj_secret, gid, .max = SPEC_ID_MAX),
	F_BOOL(struct rj_secret, required),
	F_BOOL(struct rj_secret, exec),
	F_BOOL(struct rj_secret, onRequest),
};
const struct jtable rules_t_secret = F_TABLE(struct rj_secret, secret_f, .flags = J_STRICT,
					     .check = secret_check);

int rules_check_secrets(const struct json_doc *d, const struct json_node *n,
			const struct rj_demands *j, struct err *e)
{
	if (j->secrets.n > RULES_SECRETS_MAX)
		return json_err(d, json_get(n, "secrets"), e,
				"expected at most %d entries, found %zu", RULES_SECRETS_MAX,
				j->secrets.n);
	for (size_t i = 0; i < j->secrets.n; i++)
		for (size_t k = 0; k < i; k++)
			if (str_eq(j->secrets.v[i].name, j->secrets.v[k].name))
				return json_err(d, json_get(n, "secrets"), e,
						"[%zu] and [%zu] are both called \"%s\"", k, i,
						j->secrets.v[i].name);
	return 0;
}

/* ---- from the JSON form ---- */

static struct strs one(struct arena *a, char *s)
{
	struct strs l = {.v = arena_array(a, 1, sizeof(char *)), .n = 1, .set = true};

	l.v[0] = s;
	return l;
}

static void to_source(struct arena *a, const struct rj_secret_source *j, struct rule_secret *s)
{
	s->source = j->file	    ? POL_SECRET_FROM_FILE
		    : j->credential ? POL_SECRET_FROM_CREDENTIAL
		    : j->socket	    ? POL_SECRET_FROM_SOCKET
		    : j->broker	    ? POL_SECRET_FROM_BROKER
				    : POL_SECRET_FROM_PROGRAM;
	s->from = j->file	  ? one(a, j->file)
		  : j->credential ? one(a, j->credential)
		  : j->socket	  ? one(a, j->socket)
		  : j->broker	  ? one(a, j->broker)
				  : j->program;
}

static uint32_t to_mode(const char *s)
{
	uint32_t mode = 0;

	for (; *s; s++)
		mode = mode << 3 | (uint32_t) (*s - '0');
	return mode;
}

void rules_to_secrets(struct arena *a, const struct rj_demands *j, struct rule *ret)
{
	ret->secrets.v = arena_array(a, j->secrets.n, sizeof(*ret->secrets.v));
	ret->secrets.n = j->secrets.n;
	for (size_t i = 0; i < j->secrets.n; i++) {
		const struct rj_secret *in = &j->secrets.v[i];
		struct rule_secret *s = &ret->secrets.v[i];

		*s = (struct rule_secret){
			.name = in->name,
			.required = !in->required.set || in->required.v,
			.exec = in->exec.v,
			.on_request = in->onRequest.v,
		};
		to_source(a, in->source, s);
		s->give = in->env	     ? POL_SECRET_ENV
			  : in->from_stdin.v ? POL_SECRET_STDIN
					     : POL_SECRET_FILE;
		if (s->give == POL_SECRET_ENV)
			s->target = in->env;
		if (s->give != POL_SECRET_FILE)
			continue;
		s->target = in->file ? in->file : arena_printf(a, DEFAULT_DIR "%s", in->name);
		s->mode = in->mode ? to_mode(in->mode) : DEFAULT_MODE;
		s->uid = in->uid;
		s->gid = in->gid;
	}
}
