/* SPDX-License-Identifier: Apache-2.0 */
/* libs: base exec policy */
/* timeout: 150 */
/*
 * Somebody changes the root while it is set up: a volume that two containers share, in which a
 * directory, a file and a symlink to the host's canary directory change places all the time
 * (CVE-2021-30465, CVE-2024-45310, CVE-2025-31133, CVE-2025-52565). A start may fail; nothing may
 * ever land outside.
 */
#include "tests/unit/exec_world.h"

#include <dirent.h>

#define ROUNDS 150
#define RENAME_EXCHANGE_FLAG 2

static bool legacy;

/* Exchanges dir <-> link, file <-> flink and so on, below the volume, until it is killed. */
static pid_t start_swapper(const char *vol)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		int fd = open(vol, O_PATH | O_CLOEXEC);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;) {
			syscall(SYS_renameat2, fd, "dir", fd, "link", RENAME_EXCHANGE_FLAG);
			syscall(SYS_renameat2, fd, "file", fd, "flink", RENAME_EXCHANGE_FLAG);
			syscall(SYS_renameat2, fd, "console", fd, "conlink", RENAME_EXCHANGE_FLAG);
			syscall(SYS_renameat2, fd, "dev", fd, "devlink", RENAME_EXCHANGE_FLAG);
		}
	}
	return pid;
}

static bool canary_whole(struct world *w)
{
	DIR *d = opendir(w->out);
	struct dirent *e;
	int n = 0;
	char path[200];

	while (d && (e = readdir(d)))
		n++;
	if (d)
		closedir(d);
	snprintf(path, sizeof(path), "%s/canary", w->out);
	return n == 3 && world_reads(path, "untouched");
}

/* Before the pivot: every mount of ours lies below the root. */
static void check_mounts(struct world *w)
{
	char path[200];

	expect(w, !world_info(w, w->out));
	snprintf(path, sizeof(path), "%s/canary", w->out);
	expect(w, !world_info(w, path));
	snprintf(path, sizeof(path), "%s/deep", w->out);
	expect(w, !world_info(w, path));
}

static void link_in(const char *vol, const char *name, const char *to)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/%s", vol, name);
	if (symlink(to, path) < 0)
		world_die(path);
}

static struct world *make(void)
{
	struct world *w = world_new();
	static char vol[200], up[400], canary[500];

	w->legacy = legacy;
	w->dev_by_us = true;
	snprintf(vol, sizeof(vol), "%s/vol", w->base);
	for (const char *const *d = (const char *const[]){"", "/dir", "/dev", NULL}; *d; d++)
		world_mkdir(*d, vol);
	world_write(vol, "file", "secret");
	/* up and out, if anybody follows it from the host's side */
	snprintf(up, sizeof(up), "../../../../../../../..%s", w->out);
	snprintf(canary, sizeof(canary), "%s/canary", up);
	link_in(vol, "link", up);
	link_in(vol, "devlink", up);
	link_in(vol, "flink", canary);
	world_bind(w, vol, "/vol", 0);
	w->data = vol;
	w->hooks = check_mounts;
	return w;
}

/* Runs a policy many times beside the swapper. Errors are fine; what is counted is what went wrong
 * silently. */
static void race(const char *what, void (*policy)(struct world *w))
{
	char *before = world_table();
	struct world *w = make();
	int started = 0, bad = 0, unended = 0;
	pid_t swapper;

	policy(w);
	swapper = start_swapper(w->data);
	for (int i = 0; i < ROUNDS; i++) {
		memset(w->res, 0, sizeof(*w->res));
		world_perform(w);
		started += w->res->err.code == 0;
		bad += w->res->failed;
		unended += !w->res->ended;
		if (w->res->failed)
			printf("# %s\n", w->res->notes);
	}
	kill(swapper, SIGKILL);
	waitpid(swapper, NULL, 0);
	ok(bad == 0 && unended == 0 && canary_whole(w) && world_same(before),
	   "%s%s (%d of %d started)", legacy ? "mount(2): " : "", what, started, ROUNDS);
	if (bad || unended)
		printf("# %d checks failed, %d ended early\n", bad, unended);
}

static void mounts(struct world *w)
{
	world_fs(w, "tmpfs", "/vol/dir", 0);
	world_fs(w, "tmpfs", "/vol/dir/deep/er", 0);
	world_bind(w, "/etc", "/vol/link/deep", MOUNT_ATTR_RDONLY);
	world_bind(w, "/etc/passwd", "/vol/file", MOUNT_ATTR_RDONLY);
	world_bind(w, "/etc/passwd", "/vol/dir/new-file", 0);
}

static void copyup(struct world *w)
{
	world_fs(w, "tmpfs", "/vol", 0)->flags = POL_MOUNT_TMPCOPYUP;
}

static void devices(struct world *w)
{
	world_device(w, "/vol/dir/null", S_IFCHR, 1, 3, 0666);
	w->devices[0].uid = 5;
	world_device(w, "/vol/link/sub/zero", S_IFCHR, 1, 5, 0666);
	world_device(w, "/vol/dev/full", S_IFCHR, 1, 7, 0666);
}

static void masks(struct world *w)
{
	w->masked[w->p.masked.n++] = (char *) "/vol/file";
	w->masked[w->p.masked.n++] = (char *) "/vol/dir";
	w->readonly[w->p.readonly.n++] = (char *) "/vol/dir";
	w->readonly[w->p.readonly.n++] = (char *) "/vol/link";
}

static char *pts_opts[] = {(char *) "newinstance", (char *) "ptmxmode=0666", NULL};

static void console(struct world *w)
{
	world_bind(w, w->data, "/dev", 0); /* its entries are exchanged */
	world_data(world_fs(w, "devpts", "/dev/pts", 0), pts_opts);
	world_mkdir("/pts", w->data);
	world_write(w->data, "console", "");
	link_in(w->data, "conlink", "/vol/../../../../../../canary");
	w->proc.terminal = true;
}

int main(void)
{
	if (!world_init())
		return done();
	for (int pass = 0; pass < 2; pass++) {
		legacy = pass == 1;
		race("mounts never leave the root", mounts);
		race("tmpcopyup never reads outside", copyup);
		race("device nodes are never made outside", devices);
		race("masks and read-only paths never act outside", masks);
		race("the console is never made outside", console);
	}
	return done();
}
