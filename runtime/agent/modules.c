/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's modules, which the initrd has by the features that need them (contrib/guest). Loading one takes milliseconds,
 * under emulation tens of them, and whoever starts a container waits for it: so each is loaded when it is needed.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/modsig.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sys.h"

#define MODULES_LIST "/lib/modules.list"
#define MODULES_LIST_MAX (64u << 10)
#define LATE_NS 1000000000ll /* after the container's start */

static bool is_there(int err)
{
	/* there already, or for hardware that is not here */
	return err == EEXIST || err == ENODEV;
}

/*
 * A kernel that is not told to insist on signatures checks each of them only to note in its taint what it found: hashing a
 * module and some curve arithmetic, which under emulation take longer than all else that loading it does. It has the
 * modules from where it has this program, so that note says nothing that it could not as well be told. A kernel that insists
 * (locked down, module.sig_enforce) refuses the module without its signature, and gets it as it is.
 */
static int load(const char *path, struct err *e)
{
	fd_auto int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	size_t bare;
	long r;
	void *p;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "opening the module %s", path);
	p = mmap(NULL, (size_t) st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return err_sys(e, "reading the module %s", path);
	bare = modsig_bare(p, (size_t) st.st_size);
	r = syscall(SYS_init_module, p, bare, "");
	if (r < 0 && (errno == EKEYREJECTED || errno == EPERM))
		r = syscall(SYS_init_module, p, (size_t) st.st_size, "");
	if (r < 0 && !is_there(errno))
		err_sys(e, "loading the module %s", path);
	munmap(p, (size_t) st.st_size);
	return e->code;
}

/* A line of the list: "FEATURE:" and the paths, each behind a blank (contrib/guest). */
static int load_feature(char *list, const char *name, struct err *e)
{
	size_t len = strlen(name);
	char *line, *save = NULL, *path, *rest = NULL;

	for (line = strtok_r(list, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (strncmp(line, name, len) != 0 || line[len] != ':')
			continue;
		for (path = strtok_r(line + len + 1, " ", &rest); path;
		     path = strtok_r(NULL, " ", &rest))
			if (load(path, e) < 0)
				return e->code;
		return 0;
	}
	return err_set(e, -ENOENT, "the guest image has no modules for %s", name);
}

int guest_modules(const char *features, struct err *e)
{
	arena_auto a = {0};
	struct strs names;
	int r = 0;

	if (str_empty(features))
		return 0;
	names = str_split(&a, features, ' ');
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		struct bytes list;

		if (str_empty(names.v[i]))
			continue;
		r = io_read_at(AT_FDCWD, MODULES_LIST, 0, MODULES_LIST_MAX, &a, &list);
		if (r == -ENOENT) /* a kernel without modules has no list */
			return 0;
		r = r < 0 ? err_neg(e, r, "reading " MODULES_LIST)
			  : load_feature((char *) list.v, names.v[i], e);
	}
	return r;
}

/* ---- when ---- */

static const struct {
	const char *feature;
	enum agent_modules when;
} at[] = {
	{"net", MODULES_NET},
	{"rng", MODULES_LATE},
	{"balloon", MODULES_LATE},
};

static enum agent_modules when(const char *feature)
{
	for (size_t i = 0; i < ARRAY_LEN(at); i++)
		if (str_eq(at[i].feature, feature))
			return at[i].when;
	return MODULES_ROOT;
}

static int load_all(const char *features, enum agent_modules which, struct err *e)
{
	arena_auto a = {0};
	struct strs names = str_split(&a, features, ' ');
	int r = 0;

	for (size_t i = 0; r == 0 && i < names.n; i++)
		if (when(names.v[i]) == which)
			r = guest_modules(names.v[i], e);
	return r;
}

/* Without a processor that has random numbers, the host's are what the kernel waits for, and so would the container. */
static bool lacks_entropy(void)
{
	char c;

	return getrandom(&c, 1, GRND_NONBLOCK) < 0;
}

int agent_modules(struct agent *a, enum agent_modules which, struct err *e)
{
	const char *features = a->prepare.modules;
	int r;

	if (str_empty(features) || (which == MODULES_NET && a->has_net))
		return 0;
	r = load_all(features, which, e);
	if (r == 0 && which == MODULES_NET)
		a->has_net = true;
	if (r == 0 && which == MODULES_ROOT && lacks_entropy())
		r = load_all(features, MODULES_LATE, e);
	return r;
}

/* A child, because a module is loaded in one piece, and the host is to be answered meanwhile. What it inherits is closed first:
 * it has the other ends of pipes whose end somebody waits for. */
static void load_late(const char *features)
{
	struct err e = ERR_INIT;
	pid_t pid = fork();

	if (pid != 0)
		return;
	sys_close_range(3, UINT_MAX, 0);
	(void) setpriority(PRIO_PROCESS, 0, 19);
	if (load_all(features, MODULES_LATE, &e) < 0)
		dprintf(STDERR_FILENO, "kavach-agent: %s\n", e.msg);
	_exit(0);
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

void agent_modules_soon(struct agent *a)
{
	if (a->guest)
		a->late_at = now_ns() + LATE_NS;
}

int agent_modules_due(struct agent *a)
{
	int64_t left;

	if (a->late_at == INT64_MAX)
		return -1;
	left = a->late_at - now_ns();
	if (left > 0)
		return (int) (left / 1000000 + 1);
	a->late_at = INT64_MAX;
	if (!str_empty(a->prepare.modules))
		load_late(a->prepare.modules);
	return -1;
}
