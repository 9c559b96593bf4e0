/* SPDX-License-Identifier: Apache-2.0 */
/* This machine and this caller, and reading the files that say what they are. */
#include "host/look.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/num.h"
#include "base/str.h"
#include "base/sys.h"
#include "host/guest_image.h"
#include "host/hardware.h"
#include "host/host.h"

#define TEXT_MAX 16384
#define SYSTEM_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

char *text_clean(char *s)
{
	for (unsigned char *p = (unsigned char *) s; *p; p++)
		if (*p < 0x20 || *p >= 0x7f)
			*p = '?';
	return s;
}

/* The name in the password file: a static program cannot use getpwuid() where names come from elsewhere. */
static const char *user_name(struct arena *a, uint32_t uid)
{
	char line[1024];
	struct passwd pw, *p;
	const char *name = NULL;
	FILE *f = fopen("/etc/passwd", "re");

	while (f && !name && fgetpwent_r(f, &pw, line, sizeof(line), &p) == 0)
		if (pw.pw_uid == uid)
			name = text_clean(arena_strdup(a, pw.pw_name));
	if (f)
		fclose(f);
	return name ? name : arena_printf(a, "%u", uid);
}

static const char *env(struct arena *a, const char *name)
{
	const char *v = getenv(name);

	return str_empty(v) ? NULL : arena_strdup(a, v);
}

static const char *self_dir(struct arena *a)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	if (n <= 0)
		return NULL;
	path[n] = '\0';
	slash = strrchr(path, '/');
	return slash ? arena_strndup(a, path, (size_t) (slash - path)) : NULL;
}

void look_machine(struct look *l, struct arena *a)
{
	uint64_t permitted, inheritable;
	struct err ignored = ERR_INIT;
	struct rlimit nofile;
	struct utsname u;
	struct host h;

	*l = (struct look){.root = "",
			   .hw = hw_root(),
			   .see = see_real,
			   .a = a,
			   .uid = geteuid(),
			   .gid = getegid()};
	if (host_probe(&h, &ignored) == 0)
		l->in_userns = h.in_userns;
	if (sys_capget(&l->caps, &permitted, &inheritable) < 0)
		l->caps = 0;
	l->no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
	if (getrlimit(RLIMIT_NOFILE, &nofile) == 0) {
		l->nofile_soft = nofile.rlim_cur;
		l->nofile_hard = nofile.rlim_max;
	}
	l->user = user_name(a, l->uid);
	l->path = env(a, "PATH");
	l->xdg_runtime_dir = env(a, "XDG_RUNTIME_DIR");
	l->bus_address = env(a, "DBUS_SESSION_BUS_ADDRESS");
	l->home = env(a, "HOME");
	l->self_dir = self_dir(a);
	l->guest_dir = guest_image_dir();
	l->now = time(NULL);
	if (uname(&u) == 0) {
		l->release = arena_strdup(a, u.release);
		l->machine = arena_strdup(a, u.machine);
	}
}

const char *look_text(const struct look *l, const char *path)
{
	char text[TEXT_MAX];
	ssize_t n = io_read_small(AT_FDCWD, arena_printf(l->a, "%s%s", l->root, path), text,
				  sizeof(text));

	return n < 0 ? NULL : arena_strdup(l->a, text);
}

uint64_t look_number(const struct look *l, const char *path, uint64_t none)
{
	const char *t = look_text(l, path);
	uint64_t v;

	return t && num_parse_u64(t, UINT64_MAX, &v) == 0 ? v : none;
}

bool look_exists(const struct look *l, const char *path)
{
	return access(arena_printf(l->a, "%s%s", l->root, path), F_OK) == 0;
}

const char *look_hw(const struct look *l, const char *path)
{
	return l->hw && *l->hw ? arena_printf(l->a, "%s%s", l->hw, path) : path;
}

static const char *find_in(const struct look *l, const char *path, const char *program)
{
	struct strs dirs = str_split(l->a, path, ':');
	struct stat st;

	for (size_t i = 0; i < dirs.n; i++) {
		const char *full = arena_printf(l->a, "%s%s/%s", l->root, dirs.v[i], program);

		if (stat(full, &st) == 0 && S_ISREG(st.st_mode) && access(full, X_OK) == 0)
			return full + strlen(l->root);
	}
	return NULL;
}

const char *look_find(const struct look *l, const char *program)
{
	/* as the code that runs them: PATH where there is one, the system's folders else */
	return find_in(l, l->path ? l->path : SYSTEM_PATH, program);
}

bool look_can(const struct look *l, enum sight what, const char *arg)
{
	struct seen s;

	l->see(l, what, arg, &s);
	return s.r == 0;
}

bool look_has_cap(const struct look *l, int cap)
{
	return l->caps >> cap & 1;
}

bool look_is_root(const struct look *l)
{
	return l->uid == 0 && !l->in_userns;
}
