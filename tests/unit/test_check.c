/* SPDX-License-Identifier: Apache-2.0 */
/* libs: host json base */
/*
 * Golden screens of `kavach check`, in tests/golden/check: NAME.host describes a machine and a caller, NAME.screen is what
 * must be shown, byte for byte, NAME.rows.json the same as JSON. With --update the two are written: read them before they
 * go into a commit. And what the errors of create and exec say of such machines.
 *
 * Lines of a .host file: "like NAME" (all of that file first), "KEY VALUE" (rows of `keys` below), "file PATH [TEXT]",
 * "program PATH", "no PATH", and "see WHAT [ARGUMENT] = ERRNO V [TEXT]" with what a try shows; the argument may be *. The
 * last line that fits counts, and a try without one ends the test.
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/num.h"
#include "base/path.h"
#include "base/str.h"
#include "host/check.h"
#include "tap.h"

#define TEXT_MAX (1u << 20)

static bool update;
static struct arena arena;
static char tree[] = "/tmp/kavach-check.XXXXXX";
static int golden, tree_fd;

/* ---- a machine from a file ---- */

static struct answer {
	const char *what, *arg;
	struct seen seen;
} answers[256];
static size_t n_answers;
static struct look look;
static enum check_backend backend;

static const char *const sights[SEE_MAX] = {
	[SEE_CALLS] = "calls",	     [SEE_NAMESPACES] = "namespaces",
	[SEE_USERNS] = "userns",     [SEE_IDMAP] = "idmap",
	[SEE_IDHELPER] = "idhelper", [SEE_SECCOMP] = "seccomp",
	[SEE_LANDLOCK] = "landlock", [SEE_OPEN] = "open",
	[SEE_READ] = "read",	     [SEE_WRITE] = "write",
	[SEE_CONNECT] = "connect",   [SEE_MOUNT] = "mount",
	[SEE_VERSION] = "version",   [SEE_CPUID] = "cpuid",
	[SEE_KVM] = "kvm",	     [SEE_DIGEST] = "digest",
};

static const struct name_val errnos[] = {
	{"0", 0},
	{"EPERM", EPERM},
	{"EACCES", EACCES},
	{"ENOENT", ENOENT},
	{"ENOSPC", ENOSPC},
	{"EINVAL", EINVAL},
	{"ENOSYS", ENOSYS},
	{"EIO", EIO},
	{"ECHILD", ECHILD},
	{"EROFS", EROFS},
	{"ENXIO", ENXIO},
	{"ETIMEDOUT", ETIMEDOUT},
	{"EOPNOTSUPP", EOPNOTSUPP},
};

static void fake_see(const struct look *l, enum sight what, const char *arg, struct seen *ret)
{
	(void) l;
	for (size_t i = n_answers; i-- > 0;)
		if (str_eq(answers[i].what, sights[what]) &&
		    (str_eq(answers[i].arg, "*") || str_eq(answers[i].arg, arg ? arg : ""))) {
			*ret = answers[i].seen;
			return;
		}
	bail_out(arena_printf(&arena, "no answer for \"see %s %s\"", sights[what], arg ? arg : ""));
}

static uint64_t number(const char *s)
{
	char *end;
	uint64_t v = strtoull(s, &end, 0);

	if (!*s || *end)
		bail_out(arena_printf(&arena, "not a number: %s", s));
	return v;
}

static char *word(char **rest)
{
	char *w = *rest + strspn(*rest, " ");

	*rest = w + strcspn(w, " ");
	if (**rest)
		*(*rest)++ = '\0';
	return w;
}

static void add_answer(char *rest)
{
	struct answer *a = &answers[n_answers++];
	char *eq = strstr(rest, " = ");
	const struct name_val *row;

	if (!eq || n_answers == ARRAY_LEN(answers))
		bail_out("a see line without \" = \", or too many");
	*eq = '\0';
	a->what = word(&rest);
	a->arg = rest + strspn(rest, " ");
	rest = eq + 3;
	row = name_find(errnos, ARRAY_LEN(errnos), word(&rest));
	if (!row)
		bail_out("an unknown errno");
	a->seen.r = -(int) row->val;
	rest = rest + strspn(rest, " ");
	a->seen.v = *rest ? number(word(&rest)) : 0;
	snprintf(a->seen.text, sizeof(a->seen.text), "%s", rest);
}

/* "\n" in a text is a new line, "\t" a tabulator. */
static void add_file(const char *path, const char *text, mode_t mode)
{
	char *out = arena_alloc(&arena, strlen(text) + 2);
	size_t n = 0;
	fd_auto int fd = path_make_file_in(tree_fd, path, mode);

	for (const char *s = text; *s; s++)
		if (s[0] == '\\' && (s[1] == 'n' || s[1] == 't'))
			out[n++] = *++s == 'n' ? '\n' : '\t';
		else
			out[n++] = *s;
	if (n)
		out[n++] = '\n';
	if (fd < 0 || fchmodat(tree_fd, path + 1, mode, 0) < 0 ||
	    io_write_at(tree_fd, path + 1, O_TRUNC, out, n) < 0)
		bail_out(arena_printf(&arena, "cannot make %s", path));
}

static bool set_key(const char *key, const char *v)
{
	static const struct {
		const char *key;
		size_t off;
		enum { STR, U32, U64, YES } kind;
	} keys[] = {
		{"user", offsetof(struct look, user), STR},
		{"path", offsetof(struct look, path), STR},
		{"xdg_runtime_dir", offsetof(struct look, xdg_runtime_dir), STR},
		{"bus_address", offsetof(struct look, bus_address), STR},
		{"home", offsetof(struct look, home), STR},
		{"release", offsetof(struct look, release), STR},
		{"machine", offsetof(struct look, machine), STR},
		{"state_root", offsetof(struct look, state_root), STR},
		{"self_dir", offsetof(struct look, self_dir), STR},
		{"guest_dir", offsetof(struct look, guest_dir), STR},
		{"uid", offsetof(struct look, uid), U32},
		{"gid", offsetof(struct look, gid), U32},
		{"caps", offsetof(struct look, caps), U64},
		{"now", offsetof(struct look, now), U64},
		{"nofile_soft", offsetof(struct look, nofile_soft), U64},
		{"nofile_hard", offsetof(struct look, nofile_hard), U64},
		{"backends", offsetof(struct look, backends), U32},
		{"in_userns", offsetof(struct look, in_userns), YES},
		{"no_new_privs", offsetof(struct look, no_new_privs), YES},
	};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		void *at = (char *) &look + keys[i].off;

		if (!str_eq(keys[i].key, key))
			continue;
		switch (keys[i].kind) {
		case STR: *(const char **) at = str_eq(v, "none") ? NULL : v; break;
		case U32: *(uint32_t *) at = (uint32_t) number(v); break;
		case U64: *(uint64_t *) at = number(v); break;
		case YES: *(bool *) at = str_eq(v, "yes"); break;
		}
		return true;
	}
	return false;
}

static void read_host(const char *name);

static void host_line(char *line)
{
	char *rest = line, *key = word(&rest), *path;

	if (str_eq(key, "like")) {
		read_host(rest);
	} else if (str_eq(key, "see")) {
		add_answer(rest);
	} else if (str_eq(key, "file") || str_eq(key, "program")) {
		path = word(&rest);
		add_file(path, rest, str_eq(key, "file") ? 0644 : 0755);
	} else if (str_eq(key, "no")) {
		if (unlinkat(tree_fd, rest + 1, 0) < 0)
			unlinkat(tree_fd, rest + 1, AT_REMOVEDIR);
	} else if (str_eq(key, "backend")) {
		for (backend = 0; !str_eq(check_backend_name(backend), rest); backend++)
			if (backend + 1 == CHECK_BACKENDS)
				bail_out("an unknown backend");
	} else if (!set_key(key, rest)) {
		bail_out(arena_printf(&arena, "an unknown line: %s", line));
	}
}

static void read_host(const char *name)
{
	struct bytes text;
	struct strs lines;

	if (io_read_at(golden, arena_printf(&arena, "%s.host", name), O_RDONLY, TEXT_MAX, &arena,
		       &text) < 0)
		bail_out(arena_printf(&arena, "cannot read %s.host", name));
	lines = str_split(&arena, (const char *) text.v, '\n');
	for (size_t i = 0; i < lines.n; i++)
		if (lines.v[i][0] != '#')
			host_line(lines.v[i]);
}

static void clear_tree(const char *dir)
{
	struct dirent *d;
	DIR *list = opendir(dir);

	while (list && (d = readdir(list))) {
		const char *p = arena_printf(&arena, "%s/%s", dir, d->d_name);

		if (str_eq(d->d_name, ".") || str_eq(d->d_name, ".."))
			continue;
		if (d->d_type == DT_DIR) {
			clear_tree(p);
			rmdir(p);
		} else {
			unlink(p);
		}
	}
	if (list)
		closedir(list);
}

static void be(const char *name)
{
	clear_tree(tree);
	n_answers = 0;
	backend = CHECK_BACKENDS;
	look = (struct look){.root = tree, .see = fake_see, .a = &arena, .version = "1.2.3"};
	read_host(name);
}

/* ---- screens ---- */

static void compare(const char *file, const struct buf *got)
{
	struct bytes want = {0};
	size_t line = 1, i = 0;

	if (got->bad)
		bail_out("too long");
	if (update && io_replace_at(golden, file, 0644, got->p, got->n) < 0)
		bail_out("cannot write a golden file");
	if (io_read_at(golden, file, O_RDONLY, TEXT_MAX, &arena, &want) < 0)
		want = (struct bytes){0};
	for (; i < want.n && i < got->n && want.v[i] == got->p[i]; i++)
		line += want.v[i] == '\n';
	ok(want.n == got->n && i == got->n, "%s", file);
	if (i < got->n || i < want.n)
		printf("# differs in line %zu\n", line);
}

static bool fits(const struct buf *b)
{
	size_t col = 0;

	for (size_t i = 0; i < b->n; i++) {
		if (b->p[i] == '\n') {
			if (i && b->p[i - 1] == ' ')
				return false;
			col = 0;
		} else if (++col > 80 || !isprint(b->p[i])) {
			return false;
		}
	}
	return true;
}

static void test_screen(const char *name)
{
	buf_auto screen = BUF_WRITER(TEXT_MAX), json = BUF_WRITER(TEXT_MAX);
	struct err e = ERR_INIT;
	struct report r;

	be(name);
	ok(check_run(&look, NULL, 0, backend, &r, &e) == 0, "%s is looked at", name);
	check_screen(&screen, &r, false);
	check_json(&json, &r);
	compare(arena_printf(&arena, "%s.screen", name), &screen);
	compare(arena_printf(&arena, "%s.rows.json", name), &json);
	ok(fits(&screen), "%s: 80 columns, no blanks at the end, no control characters", name);
	for (size_t i = 0; i < check_rows_n; i++)
		if (r.shown[i] && (r.found[i].state == CHECK_OK) != (r.found[i].fixes.n == 0))
			ok(false, "%s: %s has a fix exactly when something is wrong", name,
			   check_rows[i].name);
}

static void test_names(void)
{
	char *names[] = {arena_strdup(&arena, "userns"), arena_strdup(&arena, "kernel")},
	     *wrong[] = {arena_strdup(&arena, "kernel"), arena_strdup(&arena, "nosuch")};
	buf_auto b = BUF_WRITER(TEXT_MAX), c = BUF_WRITER(TEXT_MAX);
	struct err e = ERR_INIT;
	struct report r;

	be("userns-off");
	ok(check_run(&look, names, 2, CHECK_BACKENDS, &r, &e) == 0 && r.missing, "rows by name");
	check_screen(&b, &r, false);
	buf_put_u8(&b, 0);
	ok(str_prefix((char *) b.p, "  ok      kernel ") &&
		   strstr((char *) b.p, "\n  missing userns ") && !strstr((char *) b.p, "cgroup"),
	   "only these, in the order of the table, without a verdict");
	check_screen(&c, &r, true);
	buf_put_u8(&c, 0);
	ok(strstr((char *) c.p, "\033[32mok\033[0m      kernel "), "in colour, as wide");
	ok(check_run(&look, wrong, 2, CHECK_BACKENDS, &r, &e) == -EINVAL && e.id == ERR_USAGE &&
		   strstr(e.msg, "\"nosuch\"") && strstr(e.msg, "sev-device"),
	   "an unknown name is an error that lists the known ones");
}

/* ---- hints ---- */

static void hint_is(struct hint h, const char *cause, const char *fix)
{
	is_str(h.cause, cause, "cause: %s", cause ? cause : "none known");
	ok(fix ? h.fix && strstr(h.fix, fix) : !h.fix, "fix: %s", fix ? fix : "none");
}

static void test_hints(void)
{
	be("userns-off");
	hint_is(hint_namespaces(&look, CLONE_NEWUSER | CLONE_NEWNS, -ENOSPC),
		"user.max_user_namespaces is 0", "sysctl -w user.max_user_namespaces=");
	hint_is(hint_namespaces(&look, CLONE_NEWNET, -ENOSPC),
		"a limit user.max_*_namespaces is reached, or 32 namespaces are nested", "raise");
	hint_is(hint_namespaces(&look, CLONE_NEWNS, -EPERM), "CAP_SYS_ADMIN is missing", "root");
	hint_is(hint_namespaces(&look, CLONE_NEWNS, -EAGAIN),
		"there is no room for another process", "pids.max");
	hint_is(hint_namespaces(&look, CLONE_NEWNS, -ENOMEM), NULL, NULL);
	host_line(arena_strdup(&arena, "file /proc/sys/kernel/unprivileged_userns_clone 0"));
	hint_is(hint_namespaces(&look, CLONE_NEWUSER, -EPERM),
		"kernel.unprivileged_userns_clone is 0", "unprivileged_userns_clone=1");
	hint_is(hint_namespaces(&look, CLONE_NEWUSER, -EINVAL),
		"this kernel has no user namespaces", "kernel");
	be("ubuntu-user");
	hint_is(hint_namespaces(&look, CLONE_NEWUSER, -EPERM),
		"kernel.apparmor_restrict_unprivileged_userns is 1", "userns,");
	look.caps = ~0ULL;
	hint_is(hint_namespaces(&look, CLONE_NEWUSER, -EPERM),
		"we are in a chroot, or a security module refuses it", "dmesg");
	be("no-subids");
	hint_is(hint_idhelper(&look, "newuidmap"), "/etc/subuid has no line for alice",
		"\"alice:100000:65536\"");
	hint_is(hint_subid(&look, "/etc/subgid"), "/etc/subgid has no line for alice",
		"/etc/subgid");
	host_line(arena_strdup(&arena, "file /etc/subgid 1000:500000:65536"));
	hint_is(hint_subid(&look, "/etc/subgid"), NULL, NULL);
	host_line(arena_strdup(&arena, "see idhelper * = 0"));
	hint_is(hint_idhelper(&look, "newgidmap"),
		"/etc/subgid gives alice the 65536 ids from 500000", "map these");
	look.no_new_privs = true;
	hint_is(hint_idhelper(&look, "newgidmap"),
		"no_new_privs is set, so no program can gain privilege", "NoNewPrivileges");
	look.path = "/nowhere";
	hint_is(hint_idhelper(&look, "newuidmap"), "newuidmap is not in PATH",
		"apt install uidmap");
	hint_is(hint_cgroup(&look), "our cgroup is not delegated to us", "systemd-run --user");
}

static int is_host(const struct dirent *d)
{
	return str_has_suffix(d->d_name, ".host");
}

int main(int argc, char **argv)
{
	const char *src = getenv("KAVACH_SRC");
	struct dirent **names;
	int n;

	update = argc > 1 && str_eq(argv[1], "--update");
	golden = open(arena_printf(&arena, "%s/tests/golden/check", src ? src : "."),
		      O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (golden < 0)
		bail_out("no tests/golden/check: KAVACH_SRC names the source folder");
	if (!mkdtemp(tree))
		bail_out("cannot make a folder below /tmp");
	tree_fd = open(tree, O_PATH | O_DIRECTORY | O_CLOEXEC);
	n = scandirat(golden, ".", &names, is_host, alphasort);
	for (int i = 0; i < n; i++) {
		char *name = arena_strndup(&arena, names[i]->d_name,
					   strlen(names[i]->d_name) - strlen(".host"));

		test_screen(name);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	ok(n >= 8, "there are golden files");
	test_names();
	test_hints();
	clear_tree(tree);
	rmdir(tree);
	close(tree_fd);
	close(golden);
	arena_free(&arena);
	return done();
}
