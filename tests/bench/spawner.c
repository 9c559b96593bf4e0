/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times whole commands of several OCI runtimes against each other. Built and called by run-vs.
 *
 * Theory of operation. What an engine waits for is a whole process: its exec, its work, its exit. So that is what is
 * timed, from the spawn to the wait, by a small static program, because a shell's fork would add 0.7 ms to everybody
 * and pull all ratios towards 1. One round runs each runtime once, and every other round runs them in the opposite order:
 * what disturbs the machine disturbs all of them alike, and drift cancels. Nothing is printed while it measures.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RUNTIMES_MAX 8
#define ARGS_MAX 64
#define PARALLEL_MAX 1024
#define WARM_UP 2 /* rounds that are not counted */
#define EXEC_CONTAINERS 4

extern char **environ;

struct sample {
	double wall, cpu;   /* us */
	double faults, rss; /* KiB */
};

enum phase { RUN, CREATE, START, DELETE, EXEC, STATE, KILL, PARALLEL, PHASES };

static const char *const phase_names[PHASES] = {
	[RUN] = "run",	 [CREATE] = "create", [START] = "start",   [DELETE] = "delete",
	[EXEC] = "exec", [STATE] = "state",   [KILL] = "delete-f", [PARALLEL] = "parallel",
};

struct runtime {
	const char *command; /* program and global options */
	char *argv[ARGS_MAX];
	size_t argc;
	char root[512];
	struct sample *v[PHASES];
	unsigned n[PHASES], failed;
};

static struct {
	unsigned rounds, parallel, gap_ms;
	const char *bundle, *exec_bundle, *exec_command, *modes;
	struct runtime rt[RUNTIMES_MAX];
	unsigned n;
} bench;

static posix_spawn_file_actions_t stdio;

static void __attribute__((noreturn)) die(const char *what)
{
	perror(what);
	exit(1);
}

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double) t.tv_sec * 1e6 + (double) t.tv_nsec / 1e3;
}

/* ---- one command ---- */

static pid_t begin(const struct runtime *rt, const char *const *args)
{
	char *argv[ARGS_MAX];
	size_t n = rt->argc;
	pid_t pid;

	memcpy(argv, rt->argv, n * sizeof(*argv));
	for (; *args && n < ARGS_MAX - 1; args++)
		argv[n++] = (char *) (size_t) *args;
	argv[n] = NULL;
	errno = posix_spawnp(&pid, argv[0], &stdio, NULL, argv, environ);
	if (errno)
		die(argv[0]);
	return pid;
}

/* Waits; adds what the command cost. The peak is that of the largest process of its tree. */
static int finish(pid_t pid, double since, struct sample *s)
{
	struct rusage u;
	int status;

	while (wait4(pid, &status, 0, &u) < 0)
		if (errno != EINTR)
			die("wait4");
	s->wall = now_us() - since;
	s->cpu += (double) (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
		  (double) (u.ru_utime.tv_usec + u.ru_stime.tv_usec);
	s->faults += (double) (u.ru_minflt + u.ru_majflt);
	if ((double) u.ru_maxrss > s->rss)
		s->rss = (double) u.ru_maxrss;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static void keep(struct runtime *rt, enum phase p, const struct sample *s, int status)
{
	if (status == 0) {
		rt->v[p][rt->n[p]++] = *s;
		return;
	}
	if (rt->failed++ == 0)
		fprintf(stderr, "%s %s: exit status %d\n", rt->command, phase_names[p], status);
}

static int call(struct runtime *rt, int counts, enum phase p, const char *const *args)
{
	struct sample s = {0};
	double t;
	int status;

	if (bench.gap_ms)
		usleep(bench.gap_ms * 1000);
	t = now_us();
	status = finish(begin(rt, args), t, &s);
	if (counts)
		keep(rt, p, &s, status);
	return status;
}

#define CALL(rt, counts, phase, ...)                                                               \
	call(rt, counts, phase, (const char *const[]){__VA_ARGS__, NULL})

/* Container processes whose parents are gone become our children. */
static void reap(void)
{
	while (waitpid(-1, NULL, 0) > 0)
		;
}

/* ---- the phases ---- */

static void round_run(struct runtime *rt, const char *id, int counts)
{
	CALL(rt, counts, RUN, "run", "-b", bench.bundle, id);
}

static void round_lifecycle(struct runtime *rt, const char *id, int counts)
{
	int status = CALL(rt, counts, CREATE, "create", "-b", bench.bundle, id);

	if (status == 0)
		status = CALL(rt, counts, START, "start", id);
	if (status == 0) {
		reap(); /* until the container's process has ended */
		status = CALL(rt, counts, DELETE, "delete", id);
	}
	if (status != 0) {
		CALL(rt, 0, DELETE, "delete", "-f", id);
		reap();
	}
}

/* Wall, CPU and faults as if each of the containers had been alone: divided by their number. */
static void round_parallel(struct runtime *rt, const char *id, int counts)
{
	struct sample sum = {0};
	pid_t pids[PARALLEL_MAX];
	char name[96];
	double t = now_us();
	int status = 0;

	for (unsigned i = 0; i < bench.parallel; i++) {
		snprintf(name, sizeof(name), "%s-%u", id, i);
		pids[i] = begin(rt, (const char *const[]){"run", "-b", bench.bundle, name, NULL});
	}
	for (unsigned i = 0; i < bench.parallel; i++)
		status |= finish(pids[i], t, &sum);
	sum.wall /= bench.parallel;
	sum.cpu /= bench.parallel;
	sum.faults /= bench.parallel;
	if (counts)
		keep(rt, PARALLEL, &sum, status);
}

/* Runs one round for each runtime, in turns forwards and backwards. */
static void rounds(const char *what, unsigned n, void (*one)(struct runtime *, const char *, int))
{
	char id[64];

	for (unsigned i = 0; i < n + WARM_UP; i++)
		for (unsigned k = 0; k < bench.n; k++) {
			unsigned r = i & 1 ? bench.n - 1 - k : k;

			snprintf(id, sizeof(id), "bench-%d-%s-%u-%u", (int) getpid(), what, r, i);
			one(&bench.rt[r], id, i >= WARM_UP);
		}
}

static void rounds_exec(void)
{
	unsigned n = (bench.rounds + EXEC_CONTAINERS - 1) / EXEC_CONTAINERS;
	char id[RUNTIMES_MAX][64];

	for (unsigned c = 0; c < EXEC_CONTAINERS; c++) {
		for (unsigned r = 0; r < bench.n; r++) {
			snprintf(id[r], sizeof(id[r]), "bench-%d-x-%u-%u", (int) getpid(), r, c);
			CALL(&bench.rt[r], 0, CREATE, "create", "-b", bench.exec_bundle, id[r]);
			CALL(&bench.rt[r], 0, START, "start", id[r]);
		}
		for (unsigned i = 0; i < n + 1; i++)
			for (unsigned k = 0; k < bench.n; k++) {
				unsigned r = i & 1 ? bench.n - 1 - k : k;

				CALL(&bench.rt[r], i > 0, EXEC, "exec", id[r], bench.exec_command);
				CALL(&bench.rt[r], i > 0, STATE, "state", id[r]);
			}
		for (unsigned r = 0; r < bench.n; r++)
			CALL(&bench.rt[r], 1, KILL, "delete", "-f", id[r]);
		reap();
	}
}

/* ---- what came out ---- */

static int by_value(const void *x, const void *y)
{
	double a = *(const double *) x, b = *(const double *) y;

	return (a > b) - (a < b);
}

static double quantile(const struct runtime *rt, enum phase p, size_t field, double f)
{
	unsigned n = rt->n[p];
	double *v = malloc((n + 1) * sizeof(*v)), r = 0;

	if (!v)
		die("malloc");
	for (unsigned i = 0; i < n; i++)
		v[i] = *(const double *) (const void *) ((const char *) &rt->v[p][i] + field);
	qsort(v, n, sizeof(*v), by_value);
	if (n)
		r = v[(size_t) (f * (n - 1) + .5)];
	free(v);
	return r;
}

#define Q(rt, p, m, f) quantile(rt, p, offsetof(struct sample, m), f)

/* One line for each runtime and phase; the last two columns are the first runtime's wall time as a part of this one's. */
static void report(void)
{
	const struct runtime *a = &bench.rt[0];

	printf("%-9s %-3s %4s %9s %9s %9s %9s %7s %8s %8s %8s\n", "phase", "rt", "n", "wall-min",
	       "wall-med", "cpu-min", "cpu-med", "faults", "rss-KiB", "A/x-min", "A/x-med");
	for (enum phase p = 0; p < PHASES; p++)
		for (unsigned r = 0; r < bench.n; r++) {
			const struct runtime *x = &bench.rt[r];

			if (!x->n[p])
				continue;
			printf("%-9s %-3c %4u %9.0f %9.0f %9.0f %9.0f %7.0f %8.0f %8.3f %8.3f\n",
			       phase_names[p], 'A' + (char) r, x->n[p], Q(x, p, wall, 0),
			       Q(x, p, wall, .5), Q(x, p, cpu, 0), Q(x, p, cpu, .5),
			       Q(x, p, faults, .5), Q(x, p, rss, 1),
			       a->n[p] ? Q(a, p, wall, 0) / Q(x, p, wall, 0) : 0,
			       a->n[p] ? Q(a, p, wall, .5) / Q(x, p, wall, .5) : 0);
		}
	for (unsigned r = 0; r < bench.n; r++)
		if (bench.rt[r].failed)
			printf("# %c: %u commands failed\n", 'A' + (char) r, bench.rt[r].failed);
}

static void add_runtime(char *command, const char *state_dir)
{
	struct runtime *rt = &bench.rt[bench.n];

	rt->command = strdup(command);
	for (char *t = strtok(command, " "); t && rt->argc < ARGS_MAX / 2; t = strtok(NULL, " "))
		rt->argv[rt->argc++] = t;
	snprintf(rt->root, sizeof(rt->root), "%s/%u", state_dir, bench.n++);
	rt->argv[rt->argc++] = (char *) (size_t) "--root";
	rt->argv[rt->argc++] = rt->root;
	for (enum phase p = 0; p < PHASES; p++) {
		rt->v[p] = calloc(bench.rounds + 2 * EXEC_CONTAINERS, sizeof(struct sample));
		if (!rt->v[p])
			die("calloc");
	}
}

static int wants(const char *mode)
{
	return strstr(bench.modes, mode) != NULL;
}

int main(int argc, char **argv)
{
	if (argc < 10) {
		fprintf(stderr,
			"usage: %s ROUNDS PARALLEL GAP-MS MODES BUNDLE EXEC-BUNDLE EXEC-COMMAND STATE-DIR RUNTIME...\n",
			argv[0]);
		return 2;
	}
	bench.rounds = (unsigned) atoi(argv[1]);
	bench.parallel = (unsigned) atoi(argv[2]);
	if (bench.parallel > PARALLEL_MAX)
		bench.parallel = PARALLEL_MAX;
	bench.gap_ms = (unsigned) atoi(argv[3]);
	bench.modes = argv[4];
	bench.bundle = argv[5];
	bench.exec_bundle = argv[6];
	bench.exec_command = argv[7];
	for (int i = 9; i < argc && bench.n < RUNTIMES_MAX; i++)
		add_runtime(argv[i], argv[8]);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	posix_spawn_file_actions_init(&stdio);
	for (int i = 0; i < 3; i++)
		posix_spawn_file_actions_addopen(&stdio, i, "/dev/null", i ? O_WRONLY : O_RDONLY,
						 0);
	if (wants("run"))
		rounds("r", bench.rounds, round_run);
	if (wants("lifecycle"))
		rounds("l", bench.rounds, round_lifecycle);
	if (wants("exec"))
		rounds_exec();
	if (wants("parallel"))
		rounds("p", bench.rounds / 10 > 5 ? bench.rounds / 10 : 5, round_parallel);
	report();
	return 0;
}
