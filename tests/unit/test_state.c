/* SPDX-License-Identifier: Apache-2.0 */
/* libs: state cgroup policy host json base */
/* The state directory: ids, records, locks, races, who may own it, and what the status of a container is. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sys.h"
#include "policy/codec.h"
#include "state/state.h"

#include "tests/unit/tap.h"

static struct arena arena;
static char root[64]; /* of the whole test */

static const char *path(const char *name)
{
	static char p[256];

	snprintf(p, sizeof(p), "%s/%s", root, name);
	return p;
}

static void write_file(const char *name, const void *p, size_t n)
{
	if (io_replace_at(AT_FDCWD, path(name), 0600, p, n) < 0)
		bail_out("cannot write a file");
}

/* ---- ids ---- */

static void test_ids(void)
{
	static char longest[256 + 1];
	static const struct {
		const char *id;
		bool good;
	} rows[] = {
		{"a", 1},	 {"A-Z_09+.x", 1}, {"-x", 1},	 {"+", 1},    {"_", 1},
		{"0", 1},	 {"a..b", 1},	   {"a.", 1},	 {"", 0},     {".", 0},
		{"..", 0},	 {".a", 0},	   {"a/b", 0},	 {"/", 0},    {"a b", 0},
		{"a\n", 0},	 {"a\t", 0},	   {"a:b", 0},	 {"a@b", 0},  {"a*", 0},
		{"\xc3\xa9", 0}, {"a\x7f", 0},	   {"a\x01", 0}, {"a\\b", 0}, {"a%sb", 0},
		{"a,b", 0},	 {"a=b", 0},	   {"a~", 0},	 {"a\"b", 0}, {"../../etc", 0},
	};
	struct err e = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		e = ERR_INIT;
		ok((state_check_id(rows[i].id, &e) == 0) == rows[i].good, "%s an id: row %zu",
		   rows[i].good ? "is" : "is not", i);
		ok(rows[i].good || (e.id == ERR_USAGE && !strchr(e.msg, '\n')),
		   "... said in one line");
	}
	memset(longest, 'x', 256);
	ok(state_check_id(longest, &e) < 0, "256 bytes are too long for a directory");
	longest[255] = 0;
	ok(state_check_id(longest, &e) == 0, "255 are not");
}

/* ---- records ---- */

static void fill(struct state_record *r)
{
	static struct kv kvs[] = {{(char *) "empty", (char *) ""}, {(char *) "k", (char *) "v"}};
	static struct cg_hier hier[] = {{(char *) "memory", (char *) "/m", (char *) "/p"}};

	r->bundle = (char *) "/bundle";
	r->rootfs = (char *) "/bundle/rootfs";
	r->oci_version = (char *) "1.2.0";
	r->annotations = (struct kvs){.v = kvs, .n = 2};
	r->created = 1234567890123456789u;
	r->owner_uid = 77;
	r->backend = POL_BACKEND_PROCESS;
	r->pid_start = UINT64_MAX;
	r->ns_flags = 1ull << 40;
	r->shared_pidns = r->rootless = r->has_process = true;
	r->policy_digest = (char *) "abc";
	r->listener_metadata = (char *) "meta\ndata";
	r->cg = (struct cg){.layout = CG_V1, .manager = POL_CG_CGROUPFS, .made_by_us = true};
	r->cg.hier.v = hier;
	r->cg.hier.n = 1;
}

static void test_record(void)
{
	state_auto s = STATE_INIT, t = STATE_INIT;
	struct err e = ERR_INIT;

	ok(state_new(root, "rec", &arena, &s, &e) == 0, "makes a container");
	fill(s.rec);
	ok(state_save(&s, &e) == 0, "saves its record");
	state_unlock(&s);
	ok(state_load(root, "rec", STATE_LOCK, false, &arena, &t, &e) == 0, "loads it");
	is_str(t.rec->id, "rec", "id");
	is_str(t.rec->bundle, "/bundle", "bundle");
	is_str(t.rec->oci_version, "1.2.0", "version");
	ok(t.rec->annotations.n == 2 && !strcmp(t.rec->annotations.v[0].key, "empty") &&
		   !strcmp(t.rec->annotations.v[0].val, ""),
	   "annotations");
	ok(t.rec->created == s.rec->created && t.rec->pid_start == UINT64_MAX &&
		   t.rec->ns_flags == 1ull << 40 && t.rec->owner_uid == 77,
	   "numbers");
	ok(t.rec->shared_pidns && t.rec->rootless && t.rec->has_process, "flags");
	is_str(t.rec->listener_metadata, "meta\ndata", "text with a newline");
	ok(!t.rec->listener_path && !t.rec->hook_out, "what was not there is not there");
	ok(t.rec->cg.hier.n == 1 && !strcmp(t.rec->cg.hier.v[0].path, "/p") && t.rec->cg.made_by_us,
	   "cgroup");
	is_str(state_created_rfc3339(t.rec, &arena), "2009-02-13T23:31:30.123456789Z",
	       "the time as engines want it");
	is_int(state_status(&t), ST_CREATING, "without a process it is being created");
	ok(state_remove(&t, &e) == 0, "removes it");
	ok(access(path("rec"), F_OK) < 0, "... from the disk");
	ok(state_load(root, "rec", STATE_NO_LOCK, true, &arena, &t, &e) == -ENOENT &&
		   e.id == ERR_NO_CONTAINER,
	   "then it does not exist, by force neither");
	is_str(e.msg, "container \"rec\" does not exist", "... in the words that engines know");
}

static int load(const char *id, bool force)
{
	state_auto t = STATE_INIT;
	struct err e = ERR_INIT;
	int r = state_load(root, id, STATE_NO_LOCK, force, &arena, &t, &e);

	return r < 0 ? r : t.damaged;
}

static void test_damaged(void)
{
	state_auto s = STATE_INIT;
	struct err e = ERR_INIT;
	struct bytes whole;
	int bad = 0, forced = 0;

	if (state_new(root, "dam", &arena, &s, &e) < 0)
		bail_out(e.msg);
	is_int(load("dam", false), -ENOENT, "a directory without a record is no container");
	is_int(load("dam", true), 0, "by force it is loaded");
	fill(s.rec);
	state_save(&s, &e);
	if (io_read_at(s.dir_fd, "record", 0, 1 << 20, &arena, &whole) < 0)
		bail_out("no record");
	for (size_t n = 1; n < whole.n; n++) {
		write_file("dam/record", whole.v, n);
		bad += load("dam", false) == -EINVAL;
		forced += load("dam", true) == 1;
	}
	is_int(bad, whole.n - 1, "a record cut anywhere is refused");
	is_int(forced, whole.n - 1, "by force it is loaded, as damaged");
	write_file("dam/record", "", 0);
	is_int(load("dam", false), -ENOENT,
	       "an empty one is as good as none: its create was killed");
	whole.v[3] ^= 1;
	write_file("dam/record", whole.v, whole.n);
	is_int(load("dam", false), -EINVAL, "a record of another version is refused");
	unlinkat(s.dir_fd, "record", 0);
	if (symlinkat("/etc/passwd", s.dir_fd, "record") < 0)
		bail_out("cannot make a link");
	is_int(load("dam", false), -ELOOP, "a record that is a link is not followed");
	unlinkat(s.dir_fd, "record", 0);
	mkfifoat(s.dir_fd, "not-a-record", 0600);
	mkdirat(s.dir_fd, "notify", 0755);
	write_file("dam/notify/notify.sock", "", 0);
	write_file("dam/.record.123-0", "half", 4);
	ok(state_remove(&s, &e) == 0 && access(path("dam"), F_OK) < 0,
	   "half-written files, a fifo and the notify folder are removed with it");
}

/* Records that decode but that no command could act on. */
static void test_impossible(void)
{
	static struct pol_hook hook = {.path = (char *) "relative"};
	static struct box_mount mount = {.destination = (char *) "relative"};
	struct cg_hier *h;

	for (int i = 0; i < 9; i++) {
		static const char *const why[] = {"nothing wrong",
						  "a negative pid",
						  "a pid that is too large",
						  "an unknown layout",
						  "a cgroup without a path",
						  "the root of a cgroup",
						  "a relative mount point",
						  "a hook without an absolute path",
						  "a mount without an absolute path"};
		buf_auto b = BUF_WRITER(1 << 16);
		struct state_record r = {.id = (char *) "x"}, back;
		struct err e = ERR_INIT;
		int got;

		fill(&r);
		h = arena_memdup(&arena, r.cg.hier.v, sizeof(*h));
		r.cg.hier.v = h;
		switch (i) {
		case 1: r.pid = -1; break;
		case 2: r.pid = 1ll << 40; break;
		case 3: r.cg.layout = 99; break;
		case 4: h->path = NULL; break;
		case 5: h->path = (char *) "/"; break;
		case 6: h->mount = (char *) "sys/fs/cgroup"; break;
		case 8: r.mounts.v = &mount, r.mounts.n = 1; break;
		case 7: r.poststop.v = &hook, r.poststop.n = 1; break;
		}
		state_record_encode(&b, &r);
		got = state_record_decode(b.p, b.n, &arena, &back, &e);
		is_int(got, i ? -EINVAL : 0, "a record with %s", why[i]);
	}
}

/* ---- locks and races ---- */

static void test_locks(void)
{
	state_auto s = STATE_INIT, t = STATE_INIT;
	struct err e = ERR_INIT;

	state_new(root, "lock", &arena, &s, &e);
	state_save(&s, &e);
	is_int(state_new(root, "lock", &arena, &t, &e), -EEXIST, "an id is given once");
	ok(e.id == ERR_EXISTS && !strncmp(e.msg, "container with given ID already exists", 38),
	   "... in E-11's words");
	is_int(state_load(root, "lock", STATE_TRY_LOCK, false, &arena, &t, &e), -EWOULDBLOCK,
	       "who creates it has the lock");
	ok(state_load(root, "lock", STATE_NO_LOCK, false, &arena, &t, &e) == 0,
	   "who only looks needs none");
	state_close(&t);
	state_unlock(&s);
	ok(state_load(root, "lock", STATE_TRY_LOCK, false, &arena, &t, &e) == 0,
	   "a lock given back can be taken");
	ok(state_remove(&t, &e) == 0, "the container is removed by the other one");
	state_close(&t);
	ok(state_relock(&s, &e) == -ENOENT && e.id == ERR_NO_CONTAINER,
	   "relock tells that it is gone");
	ok(state_remove(&s, &e) == 0, "removing it again is no error");
}

/* A create that waits for the lock of a directory that another create has filled, or a delete removed. */
static void test_claim(void)
{
	state_auto s = STATE_INIT, t = STATE_INIT;
	struct err e = ERR_INIT;
	int p[2], st;
	pid_t child;
	char c;

	if (pipe(p) < 0)
		bail_out("pipe");
	for (int removed = 0; removed < 2; removed++) {
		e = ERR_INIT;
		if (state_new(root, "claim", &arena, &s, &e) < 0)
			bail_out(e.msg);
		child = fork();
		if (child == 0) {
			/* the same as in state_new(), if its mkdir had been the one before */
			state_close(&s);
			if (write(p[1], "x", 1) != 1)
				_exit(9);
			st = state_load(root, "claim", STATE_LOCK, false, &arena, &t, &e);
			_exit(st == 0 ? 0 : e.id == ERR_NO_CONTAINER ? 1 : 2);
		}
		(void) !read(p[0], &c, 1);
		usleep(20000);
		if (removed)
			state_remove(&s, &e);
		else
			state_save(&s, &e);
		state_close(&s);
		waitpid(child, &st, 0);
		is_int(WEXITSTATUS(st), removed,
		       removed ? "who waited for a lock learns that the container was deleted"
			       : "who waited for a lock sees what was written meanwhile");
		if (state_load(root, "claim", STATE_LOCK, false, &arena, &s, &e) == 0)
			state_remove(&s, &e);
		state_close(&s);
	}
	close(p[0]);
	close(p[1]);
}

/* Many processes make, find and remove one id: nobody ever sees another error than the two that belong there. */
static void test_storm(void)
{
	int odd = 0, st;

	for (int k = 0; k < 6; k++)
		if (fork() == 0) {
			int bad = 0;

			for (int i = 0; i < 300; i++) {
				state_auto s = STATE_INIT;
				struct err e = ERR_INIT;
				arena_auto a = {0};
				int r;

				if (k % 2) {
					r = state_new(root, "storm", &a, &s, &e);
					if (r == 0)
						r = state_save(&s, &e);
					bad += r < 0 && e.id != ERR_EXISTS && r != -ENOENT;
				} else {
					r = state_load(root, "storm", STATE_LOCK, true, &a, &s, &e);
					if (r == 0)
						r = state_remove(&s, &e);
					bad += r < 0 && e.id != ERR_NO_CONTAINER;
				}
				if (bad) {
					printf("# %d: %s\n", r, e.msg);
					fflush(stdout);
					break;
				}
			}
			_exit(bad ? 1 : 0);
		}
	for (int k = 0; k < 6; k++) {
		wait(&st);
		odd += st != 0;
	}
	is_int(odd, 0, "creates and deletes of one id at the same time never disturb each other");
	if (load("storm", true) >= 0) {
		state_auto s = STATE_INIT;
		struct err e = ERR_INIT;

		state_load(root, "storm", STATE_LOCK, true, &arena, &s, &e);
		state_remove(&s, &e);
	}
}

/* ---- whose directory ---- */

static void test_owner(void)
{
	struct err e = ERR_INIT;
	char other[96];
	int fd;

	mkdir(path("own"), 0700);
	write_file("own/record", "x", 1);
	chmod(path("own"), 0770);
	is_int(load("own", true), -EPERM,
	       "a container's directory that a group may write to is refused");
	chmod(path("own"), 0702);
	is_int(load("own", true), -EPERM, "... and one that everybody may write to");
	chmod(path("own"), 0711);
	is_int(load("own", true), 1, "reading harms nobody");
	if (geteuid() == 0) {
		if (chown(path("own"), 1000, 0) < 0)
			bail_out("chown");
		is_int(load("own", true), -EPERM,
		       "a directory that a user planted is refused to root");
	} else {
		skip("needs root", "a directory that a user planted is refused to root");
	}
	unlink(path("own/record"));
	rmdir(path("own"));
	if (symlink("/etc", path("link")) < 0)
		bail_out("cannot make a link");
	is_int(load("link", true), -ENOTDIR, "a container's directory is no link");
	unlink(path("link"));

	snprintf(other, sizeof(other), "%s/sub/root", root);
	fd = state_open_root(other, false, &e);
	is_int(fd, -ENOENT, "a root that is not there is not made for those who look");
	fd = state_open_root(other, true, &e);
	ok(fd >= 0, "it is made with its parents for those who create");
	fd_close(fd);
	struct stat st;
	ok(stat(other, &st) == 0 && (st.st_mode & 07777) == 01700,
	   "for its owner only, and sticky for cleaners");
	chmod(other, 0777);
	is_int(state_open_root(other, false, &e), -EPERM,
	       "a root that everybody may write to is refused");
	chmod(other, 01777);
	fd = state_open_root(other, false, &e);
	ok(fd >= 0, "with the sticky bit nobody can exchange what is in it");
	fd_close(fd);
	if (symlink(other, path("sub/link")) < 0)
		bail_out("cannot make a link");
	fd = state_open_root(path("sub/link"), true, &e);
	ok(fd >= 0, "the root may be reached by a link");
	fd_close(fd);
	ok(state_open_root("/", true, &e) < 0 && state_open_root("//..//", true, &e) < 0,
	   "/ is no root");
	unlink(path("sub/link"));
	rmdir(other);
	rmdir(path("sub"));
}

/* ---- status ---- */

static pid_t sleeper(void)
{
	pid_t p = fork();

	if (p == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that bails out leaves nobody */
	if (p == 0)
		for (;;)
			pause();
	return p;
}

static void *sleep_on(void *arg)
{
	for (;;)
		pause();
	return arg;
}

/* A process whose first thread has ended and whose second lives on. */
static pid_t headless(void)
{
	pid_t p = fork();
	pthread_t t;

	if (p == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pthread_create(&t, NULL, sleep_on, NULL);
		pthread_exit(NULL);
	}
	return p;
}

static enum status status_of(struct state *s)
{
	state_auto t = STATE_INIT;
	struct err e = ERR_INIT;

	state_save(s, &e);
	if (state_load(root, s->rec->id, STATE_NO_LOCK, false, &arena, &t, &e) < 0)
		bail_out(e.msg);
	return state_status(&t);
}

static char proc_state(pid_t p)
{
	struct proc_stat st = {.state = '?'};

	proc_read_stat(AT_FDCWD, p, &st);
	return st.state;
}

static void test_status(void)
{
	state_auto s = STATE_INIT;
	struct err e = ERR_INIT;
	struct proc_stat st = {0};
	pid_t p = sleeper();
	int sock;

	if (state_new(root, "st", &arena, &s, &e) < 0)
		bail_out(e.msg);
	is_int(status_of(&s), ST_CREATING, "no pid: creating");
	s.rec->pid = p;
	proc_read_stat(AT_FDCWD, p, &st);
	s.rec->pid_start = st.start;
	is_int(status_of(&s), ST_RUNNING, "a process: running");
	sock = unix_listen_at(s.dir_fd, "start.sock", SOCK_SEQPACKET, &e);
	is_int(status_of(&s), ST_CREATED, "with its socket: created");
	s.rec->pid_start++;
	is_int(status_of(&s), ST_STOPPED,
	       "a process of another start time is another process: stopped");
	s.rec->pid_start--;
	s.rec->pid = 1;
	is_int(status_of(&s), ST_STOPPED, "... and so is another pid");
	s.rec->pid = INT32_MAX;
	is_int(status_of(&s), ST_STOPPED, "... and a pid that cannot be one");
	s.rec->pid = p;
	kill(p, SIGKILL);
	while (proc_state(p) != 'Z')
		usleep(1000);
	is_int(status_of(&s), ST_STOPPED, "a process that nobody has waited for yet has stopped");
	waitpid(p, NULL, 0);
	is_int(status_of(&s), ST_STOPPED, "... and one that is gone");
	unlinkat(s.dir_fd, "start.sock", 0);
	close(sock);

	p = headless();
	for (int i = 0; i < 2000 && proc_state(p) != 'Z'; i++)
		usleep(1000);
	s.rec->pid = p;
	proc_read_stat(AT_FDCWD, p, &st);
	s.rec->pid_start = st.start;
	is_int(st.state, 'Z', "a process whose first thread has ended looks dead in /proc");
	is_int(status_of(&s), ST_RUNNING, "... but runs");
	kill(p, SIGKILL);
	waitpid(p, NULL, 0);
	state_remove(&s, &e);
}

static void test_list(void)
{
	static const char *const ids[] = {"b", "a", "c-1"};
	struct err e = ERR_INIT;
	struct strs l;

	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		mkdir(path(ids[i]), 0700);
	mkdir(path(".seccomp"), 0700);
	mkdir(path("not an id"), 0700);
	ok(state_ids(root, &arena, &l, &e) == 0 && l.n == 3, "lists what are ids");
	ok(!strcmp(l.v[0], "a") && !strcmp(l.v[1], "b") && !strcmp(l.v[2], "c-1"), "... sorted");
	ok(state_ids(path("nowhere"), &arena, &l, &e) == 0 && l.n == 0,
	   "a root that is not there has none");
	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		rmdir(path(ids[i]));
	rmdir(path(".seccomp"));
	rmdir(path("not an id"));
}

static void test_default_root(void)
{
	setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
	is_str(state_root_default(false, &arena), "/run/kavach", "root's own place");
	is_str(state_root_default(true, &arena), "/run/user/7/kavach",
	       "a user's is below XDG_RUNTIME_DIR");
	unsetenv("XDG_RUNTIME_DIR");
	ok(!strncmp(state_root_default(true, &arena), "/tmp/kavach-", 12), "... or in /tmp");
}

int main(void)
{
	snprintf(root, sizeof(root), "/tmp/kavach-test-state-XXXXXX");
	if (!mkdtemp(root))
		bail_out("no temporary directory");
	setvbuf(stdout, NULL, _IOLBF, 0);
	test_ids();
	test_record();
	test_damaged();
	test_impossible();
	test_locks();
	test_claim();
	test_storm();
	test_owner();
	test_status();
	test_list();
	test_default_root();
	ok(rmdir(root) == 0, "nothing is left behind");
	arena_free(&arena);
	return done();
}
