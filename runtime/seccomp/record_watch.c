/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recorder of a container.
 *
 * Theory of operation: one more filter, behind those of the container, asks a supervisor outside (watch.c) about each call of
 * each process in it; the supervisor notes the call in a file and lets it go on (SECCOMP_USER_NOTIF_FLAG_CONTINUE). That is
 * no decision: the kernel takes the strictest answer of all filters, so what the others deny or kill never gets to us. Only
 * what is weaker than the question would be lost, which is why a filter with a tracer excludes this.
 *
 * Not asked about is what each profile allows anyway. These are the calls with which the listener is handed over, when nobody
 * would answer yet, and those with which a process can still end when the supervisor was killed.
 *
 * The file is text, one line for each thing that was new: ABI, number, first arguments, flags of clone3, in hex. It is
 * written before the call goes on, so it is whole however the container or the supervisor ends; processes that exec adds have
 * a supervisor of their own, and all of them write to it.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "seccomp/filter.h"
#include "seccomp/record.h"
#include "seccomp/watch.h"

#define LINE_ROOM 128

void record_filter(struct arena *a, struct bytes *ret)
{
	const uint32_t native = filter_native();
	struct sock_filter *f;
	size_t n = 0, at = 0;
	int nr;

	while (record_always(n))
		n++;
	f = arena_array(a, n + 5, sizeof(*f));
	/* the last two are: ask, allow */
	f[at++] = (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						offsetof(struct seccomp_data, arch));
	at++;
	f[at++] = (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < n; i++) {
		nr = filter_call_nr(native, record_always(i));
		if (nr >= 0)
			f[at++] = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
								(uint32_t) nr, 0, 0);
	}
	f[1] = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, native, 0,
					     (uint8_t) (at - 2));
	for (size_t i = 3; i < at; i++)
		f[i].jt = (uint8_t) (at - i);
	f[at++] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
	f[at++] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	*ret = (struct bytes){.v = (void *) f, .n = at * sizeof(*f)};
}

/* ---- the file ---- */

static int read_line(struct record *rec, const char *line)
{
	unsigned token, nr;
	unsigned long long first, second, flags;
	int end = 0;

	if (sscanf(line, "%x %x %llx %llx %llx%n", &token, &nr, &first, &second, &flags, &end) !=
		    5 ||
	    line[end])
		return -EBADMSG;
	record_add(rec, token, (int) nr, (const uint64_t[6]){first, second}, flags);
	return 0;
}

int record_read(struct record *rec, const struct bytes *text)
{
	const char *p = (const char *) text->v, *end = p + text->n;
	char line[LINE_ROOM];

	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t) (end - p));
		size_t n = nl ? (size_t) (nl - p) : 0;

		if (!nl)
			return 0; /* it is being written, or its writer was killed */
		if (n >= sizeof(line) || memchr(p, 0, n))
			return -EBADMSG;
		memcpy(line, p, n);
		line[n] = 0;
		if (read_line(rec, line) < 0)
			return -EBADMSG;
		p = nl + 1;
	}
	return 0;
}

/* ---- the supervisor ---- */

struct recorder {
	struct watch watch;
	struct record rec;
	struct arena a;
};

static struct recorder *of(struct watch *w)
{
	return (void *) ((char *) w - offsetof(struct recorder, watch));
}

/* What others have written is not written again: a check of health that is an exec each minute does not fill the disk. */
static void begin(struct watch *w)
{
	struct recorder *r = of(w);
	struct bytes text = {0};
	struct stat st;
	ssize_t n;

	if (fstat(w->out, &st) < 0 || st.st_size == 0 || st.st_size > RECORD_MAX)
		return;
	text.v = arena_array(&r->a, (size_t) st.st_size, 1);
	n = pread(w->out, text.v, (size_t) st.st_size, 0);
	text.n = n > 0 ? (size_t) n : 0;
	(void) record_read(&r->rec, &text);
}

static void answer(struct watch *w, const struct seccomp_notif *n, struct seccomp_notif_resp *resp)
{
	const uint64_t *args = (const uint64_t *) (const void *) n->data.args;
	const uint32_t token = watch_token(n);
	const uint64_t flags = record_clone3_flags(token, n);
	char line[LINE_ROOM];
	int len;

	resp->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	if (!record_add(&of(w)->rec, token, n->data.nr, args, flags))
		return;
	len = snprintf(line, sizeof(line), "%x %x %llx %llx %llx\n", token, (unsigned) n->data.nr,
		       (unsigned long long) args[0], (unsigned long long) args[1],
		       (unsigned long long) flags);
	(void) io_write_all(w->out, line, (size_t) len);
}

int record_start(int listener, int out, struct err *e)
{
	struct recorder r = {.watch = {.name = "kavach-record",
				       .listener = listener,
				       .out = out,
				       .begin = begin,
				       .answer = answer}};

	r.rec.a = &r.a;
	return watch_start(&r.watch, e) < 0 ? err_context(e, "the recorder of system calls") : 0;
}
