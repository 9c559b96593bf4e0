/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/qmp.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/str.h"
#include "vm/qjson.h"

#define READS_MAX 16 /* of one qmp_io(): the monitor has others to serve */
#define MEASURE_BYTES 48u
#define REPORT_BYTES 208u
#define BASE64_LEN(n) (((n) + 2) / 3 * 4)

/* ---- the commands ---- */

static int get_status(struct qj v, struct qmp_reply *r);
static int get_balloon(struct qj v, struct qmp_reply *r);
static int get_sev(struct qj v, struct qmp_reply *r);
static int get_sev_caps(struct qj v, struct qmp_reply *r);
static int get_measure(struct qj v, struct qmp_reply *r);
static int get_report(struct qj v, struct qmp_reply *r);

static const struct {
	const char *name;
	const char *number, *data, *more;	      /* names of its arguments */
	int (*get)(struct qj v, struct qmp_reply *r); /* NULL: there is nothing in its answer */
} commands[QMP_CMD_MAX] = {
	[QMP_CAPABILITIES] = {.name = "qmp_capabilities"},
	[QMP_STOP] = {.name = "stop"},
	[QMP_CONT] = {.name = "cont"},
	[QMP_QUIT] = {.name = "quit"},
	[QMP_QUERY_STATUS] = {.name = "query-status", .get = get_status},
	[QMP_BALLOON] = {.name = "balloon", .number = "value"},
	[QMP_QUERY_BALLOON] = {.name = "query-balloon", .get = get_balloon},
	[QMP_QUERY_SEV] = {.name = "query-sev", .get = get_sev},
	[QMP_QUERY_SEV_CAPABILITIES] = {.name = "query-sev-capabilities", .get = get_sev_caps},
	[QMP_QUERY_SEV_MEASURE] = {.name = "query-sev-launch-measure", .get = get_measure},
	[QMP_QUERY_SEV_REPORT] = {.name = "query-sev-attestation-report",
				  .data = "mnonce",
				  .get = get_report},
	[QMP_INJECT_SEV_SECRET] = {.name = "sev-inject-launch-secret",
				   .data = "packet-header",
				   .more = "secret"},
};

const char *qmp_cmd_name(enum qmp_cmd c)
{
	return c > 0 && c < QMP_CMD_MAX ? commands[c].name : NULL;
}

/* ---- broken ---- */

__attribute__((format(printf, 3, 4), cold)) static int broken(struct qmp *q, struct err *e,
							      const char *fmt, ...)
{
	va_list ap;

	q->state = QMP_ST_BROKEN;
	va_start(ap, fmt);
	err_vset(e, -EBADMSG, fmt, ap);
	va_end(ap);
	return err_context(e, "QMP");
}

/* ---- sending ---- */

static bool put(struct qmp *q, const char *text, size_t n)
{
	if (q->out_at && q->out_n + n > sizeof(q->out)) {
		memmove(q->out, q->out + q->out_at, q->out_n - q->out_at);
		q->out_n -= q->out_at;
		q->out_at = 0;
	}
	if (n > sizeof(q->out) - q->out_n)
		return false;
	memcpy(q->out + q->out_n, text, n);
	q->out_n += n;
	return true;
}

static bool is_base64(const char *p, size_t n)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t pads = 0;

	while (pads < 2 && pads < n && p[n - 1 - pads] == '=')
		pads++;
	for (size_t i = 0; i < n - pads; i++)
		if (!p[i] || !strchr(digits, p[i]))
			return false;
	return n % 4 == 0;
}

static bool put_string(struct qmp *q, const char *name, const char *value, bool first)
{
	return put(q, first ? "\"" : ",\"", first ? 1 : 2) && put(q, name, strlen(name)) &&
	       put(q, "\":\"", 3) && put(q, value, strlen(value)) && put(q, "\"", 1);
}

/* One line; nothing of it stays when it does not fit. */
static int write_command(struct qmp *q, enum qmp_cmd cmd, const struct qmp_args *args, uint32_t id)
{
	const char *data = commands[cmd].data, *more = commands[cmd].more;
	char head[128], number[64];
	size_t before;
	bool fits;
	int n;

	if ((data && (!args || !args->data || !is_base64(args->data, strlen(args->data)))) ||
	    (more && (!args->more || !is_base64(args->more, strlen(args->more)))) ||
	    (commands[cmd].number && !args))
		return -EINVAL;
	n = snprintf(head, sizeof(head), "{\"execute\":\"%s\",\"id\":%u,\"arguments\":{",
		     commands[cmd].name, id);
	before = q->out_n - q->out_at;
	fits = put(q, head, (size_t) n);
	if (fits && commands[cmd].number) {
		n = snprintf(number, sizeof(number), "\"%s\":%llu", commands[cmd].number,
			     (unsigned long long) args->number);
		fits = put(q, number, (size_t) n);
	}
	if (fits && data)
		fits = put_string(q, data, args->data, true);
	if (fits && more)
		fits = put_string(q, more, args->more, false);
	fits = fits && put(q, "}}\n", 3);
	if (!fits)
		q->out_n = q->out_at + before;
	return fits ? 0 : -EMSGSIZE;
}

static int ask(struct qmp *q, enum qmp_cmd cmd, const struct qmp_args *args, uint32_t tag,
	       int64_t now, struct err *e)
{
	int r;

	if (q->queued == QMP_QUEUE_MAX)
		return err_set(e, -EBUSY, "QMP: too many commands at once");
	r = write_command(q, cmd, args, q->next_id);
	if (r == -EMSGSIZE)
		return err_set(e, r, "QMP: %s: too long", commands[cmd].name);
	if (r < 0)
		return err_set(e, r, "QMP: %s: an argument is missing, or is no base64",
			       commands[cmd].name);
	q->queue[q->queued++] = (struct qmp_asked){cmd, tag, q->next_id++};
	if (q->queued == 1 && q->state != QMP_ST_GREETING)
		q->deadline = now + q->limit;
	return 0;
}

void qmp_init(struct qmp *q, int fd, const struct qmp_ops *ops, void *arg, uint32_t limit_ms,
	      int64_t now)
{
	struct err e = ERR_INIT;

	/* not the buffers: pages that are never used cost nothing */
	q->fd = fd;
	q->state = QMP_ST_GREETING;
	q->ops = ops;
	q->arg = arg;
	q->next_id = 1;
	q->queued = q->in_n = q->out_n = q->out_at = 0;
	q->limit = (int64_t) limit_ms * 1000000;
	q->deadline = now + q->limit;
	/* it is the first line, and goes out when the greeting has come */
	(void) ask(q, QMP_CAPABILITIES, NULL, 0, now, &e);
}

int qmp_send(struct qmp *q, enum qmp_cmd cmd, const struct qmp_args *args, uint32_t tag,
	     int64_t now, struct err *e)
{
	if (q->state == QMP_ST_CLOSED || q->state == QMP_ST_BROKEN)
		return err_set(e, -EPIPE, "QMP: %s: QEMU has ended", qmp_cmd_name(cmd));
	return ask(q, cmd, args, tag, now, e);
}

/* ---- answers ---- */

static bool member_text(struct qj v, const char *name, char *ret, size_t size)
{
	struct qj m;

	return qj_get(v, name, &m) == 0 && qj_text(m, ret, size);
}

static bool member_number(struct qj v, const char *name, uint64_t max, uint64_t *ret)
{
	struct qj m;

	return qj_get(v, name, &m) == 0 && qj_u64(m, max, ret);
}

static bool member_u32(struct qj v, const char *name, uint32_t *ret)
{
	uint64_t n;

	if (!member_number(v, name, UINT32_MAX, &n))
		return false;
	*ret = (uint32_t) n;
	return true;
}

static bool member_base64(struct qj v, const char *name, struct qmp_text *ret)
{
	struct qj m;

	return qj_get(v, name, &m) == 0 && qj_plain(m, &ret->p, &ret->n) &&
	       is_base64(ret->p, ret->n);
}

static int get_status(struct qj v, struct qmp_reply *r)
{
	return member_text(v, "status", r->text, sizeof(r->text)) ? 0 : -EBADMSG;
}

static int get_balloon(struct qj v, struct qmp_reply *r)
{
	return member_number(v, "actual", UINT64_MAX, &r->number) ? 0 : -EBADMSG;
}

static int get_sev(struct qj v, struct qmp_reply *r)
{
	struct qmp_sev *s = &r->sev;
	char type[16];
	struct qj m;

	if (qj_get(v, "enabled", &m) < 0 || !qj_bool(m, &s->enabled) ||
	    !member_u32(v, "api-major", &s->api_major) ||
	    !member_u32(v, "api-minor", &s->api_minor) ||
	    !member_u32(v, "build-id", &s->build_id) ||
	    !member_text(v, "state", s->state, sizeof(s->state)) ||
	    !member_text(v, "sev-type", type, sizeof(type)))
		return -EBADMSG;
	if (str_eq(type, "sev-snp")) {
		s->snp = true;
		return member_number(v, "snp-policy", UINT64_MAX, &s->policy) ? 0 : -EBADMSG;
	}
	if (!str_eq(type, "sev") || !member_number(v, "policy", UINT32_MAX, &s->policy) ||
	    !member_u32(v, "handle", &s->handle))
		return -EBADMSG;
	return 0;
}

static int get_sev_caps(struct qj v, struct qmp_reply *r)
{
	struct qmp_sev_caps *s = &r->sev_caps;

	return member_base64(v, "pdh", &s->pdh) && member_base64(v, "cert-chain", &s->cert_chain) &&
			       member_base64(v, "cpu0-id", &s->cpu0_id) &&
			       member_u32(v, "cbitpos", &s->cbitpos) &&
			       member_u32(v, "reduced-phys-bits", &s->reduced_phys_bits)
		       ? 0
		       : -EBADMSG;
}

/* base64 of exactly so many bytes */
static int get_data(struct qj v, struct qmp_reply *r, size_t bytes)
{
	size_t pads = bytes % 3 ? 3 - bytes % 3 : 0, n = BASE64_LEN(bytes);

	if (!member_base64(v, "data", &r->data) || r->data.n != n)
		return -EBADMSG;
	for (size_t i = 0; i < 2; i++)
		if ((r->data.p[n - 1 - i] == '=') != (i < pads))
			return -EBADMSG;
	return 0;
}

static int get_measure(struct qj v, struct qmp_reply *r)
{
	return get_data(v, r, MEASURE_BYTES);
}

static int get_report(struct qj v, struct qmp_reply *r)
{
	return get_data(v, r, REPORT_BYTES);
}

/* ---- lines ---- */

static int greeting(struct qmp *q, struct qj line, int64_t now, struct err *e)
{
	struct qj v, version;

	if (qj_get(line, "QMP", &v) < 0 || qj_get(v, "version", &version) < 0)
		return broken(q, e, "a greeting was expected");
	q->state = QMP_ST_NEGOTIATING;
	q->deadline = now + q->limit;
	return 0;
}

static int event(struct qmp *q, struct qj line, struct qj name, struct err *e)
{
	static const struct {
		const char *name;
		enum qmp_event ev;
		const char *text; /* member of its data */
	} events[] = {
		{"SHUTDOWN", QMP_EV_SHUTDOWN, "reason"},
		{"GUEST_PANICKED", QMP_EV_GUEST_PANICKED, "action"},
		{"STOP", QMP_EV_STOP, NULL},
		{"RESUME", QMP_EV_RESUME, NULL},
	};
	enum qmp_event ev = QMP_EV_OTHER;
	char text[64];
	struct qj data;

	if (!qj_text(name, text, sizeof(text)))
		return broken(q, e, "an event without a name");
	for (size_t i = 0; i < ARRAY_LEN(events); i++) {
		if (!str_eq(events[i].name, text))
			continue;
		ev = events[i].ev;
		text[0] = '\0';
		if (events[i].text && (qj_get(line, "data", &data) < 0 ||
				       !member_text(data, events[i].text, text, sizeof(text))))
			return broken(q, e, "the event %s without its %s", events[i].name,
				      events[i].text);
		break;
	}
	q->ops->event(q->arg, ev, text);
	return 0;
}

static int answer(struct qmp *q, struct qj line, int64_t now, struct err *e)
{
	struct qmp_asked oldest = q->queue[0];
	struct qmp_reply r = {.cmd = oldest.cmd, .tag = oldest.tag};
	struct qj v;
	uint64_t id;
	int found;

	if (!q->queued || !member_number(line, "id", UINT32_MAX, &id) || id != oldest.id)
		return broken(q, e, "an answer that nobody asked for");
	found = qj_get(line, "error", &v);
	r.failed = found == 0;
	if (r.failed) {
		if (qj_get(line, "return", &v) != -ENOENT || qj_get(line, "error", &v) < 0 ||
		    !member_text(v, "desc", r.text, sizeof(r.text)))
			return broken(q, e, "%s: an error without a description",
				      commands[r.cmd].name);
	} else if (found != -ENOENT || qj_get(line, "return", &v) < 0 || !qj_is_object(v) ||
		   (commands[r.cmd].get && commands[r.cmd].get(v, &r) < 0)) {
		return broken(q, e, "%s: an answer that is none", commands[r.cmd].name);
	}
	memmove(q->queue, q->queue + 1, --q->queued * sizeof(q->queue[0]));
	q->deadline = now + q->limit;
	if (r.cmd != QMP_CAPABILITIES) {
		q->ops->reply(q->arg, &r);
		return 0;
	}
	if (r.failed)
		return broken(q, e, "%s", r.text);
	q->state = QMP_ST_READY;
	return 0;
}

static int one_line(struct qmp *q, const char *p, size_t n, int64_t now, struct err *e)
{
	struct qj line, name;

	if (!qj_check(p, n, &line) || !qj_is_object(line))
		return broken(q, e, "a line that is no JSON object");
	if (q->state == QMP_ST_GREETING)
		return greeting(q, line, now, e);
	if (qj_get(line, "event", &name) == 0)
		return event(q, line, name, e);
	return answer(q, line, now, e);
}

/* The lines that are complete; what is left is the beginning of one. */
static int lines(struct qmp *q, int64_t now, struct err *e)
{
	size_t at = 0;
	int r = 0;

	while (r == 0 && at < q->in_n) {
		char *nl = memchr(q->in + at, '\n', q->in_n - at);

		if (!nl)
			break;
		r = one_line(q, q->in + at, (size_t) (nl - q->in) - at, now, e);
		at = (size_t) (nl - q->in) + 1;
	}
	memmove(q->in, q->in + at, q->in_n - at);
	q->in_n -= at;
	if (r == 0 && q->in_n == sizeof(q->in))
		return broken(q, e, "a line that is too long");
	return r;
}

int qmp_feed(struct qmp *q, const void *p, size_t n, int64_t now, struct err *e)
{
	const char *from = p;
	int r = 0;

	while (n > 0 && r == 0 && q->state != QMP_ST_BROKEN) {
		size_t room = sizeof(q->in) - q->in_n, part = n < room ? n : room;

		memcpy(q->in + q->in_n, from, part);
		q->in_n += part;
		from += part;
		n -= part;
		r = lines(q, now, e);
	}
	return r;
}

/* ---- the descriptor ---- */

static bool open_still(const struct qmp *q)
{
	return q->state != QMP_ST_CLOSED && q->state != QMP_ST_BROKEN;
}

static bool may_write(const struct qmp *q)
{
	return q->state != QMP_ST_GREETING && q->out_at < q->out_n;
}

short qmp_events(const struct qmp *q)
{
	return open_still(q) ? (short) (POLLIN | (may_write(q) ? POLLOUT : 0)) : 0;
}

int64_t qmp_deadline(const struct qmp *q)
{
	return open_still(q) && (q->state == QMP_ST_GREETING || q->queued) ? q->deadline
									   : INT64_MAX;
}

static int closed_or(struct qmp *q, struct err *e, const char *what)
{
	if (errno == EAGAIN || errno == EINTR)
		return 0;
	if (errno == EPIPE || errno == ECONNRESET) {
		q->state = QMP_ST_CLOSED;
		return 0;
	}
	q->state = QMP_ST_BROKEN;
	return err_sys(e, "QMP: %s", what);
}

static int receive(struct qmp *q, int64_t now, struct err *e)
{
	int r = 0;

	for (int i = 0; i < READS_MAX && r == 0 && open_still(q); i++) {
		ssize_t n = read(q->fd, q->in + q->in_n, sizeof(q->in) - q->in_n);

		if (n < 0)
			return closed_or(q, e, "reading");
		if (n == 0) {
			q->state = QMP_ST_CLOSED;
			return 0;
		}
		q->in_n += (size_t) n;
		r = lines(q, now, e);
	}
	return r;
}

static int transmit(struct qmp *q, struct err *e)
{
	while (open_still(q) && may_write(q)) {
		ssize_t n = send(q->fd, q->out + q->out_at, q->out_n - q->out_at, MSG_NOSIGNAL);

		if (n < 0)
			return closed_or(q, e, "writing");
		q->out_at += (size_t) n;
		if (q->out_at == q->out_n)
			q->out_at = q->out_n = 0;
	}
	return 0;
}

int qmp_io(struct qmp *q, int64_t now, struct err *e)
{
	int r;

	if (q->state == QMP_ST_BROKEN)
		return err_set(e, -EBADMSG, "QMP: broken before");
	if (q->state == QMP_ST_CLOSED)
		return 0;
	r = receive(q, now, e);
	if (r == 0)
		r = transmit(q, e);
	if (r < 0 || now < qmp_deadline(q))
		return r;
	q->state = QMP_ST_BROKEN;
	return err_set(e, -ETIMEDOUT, "QMP: QEMU does not answer%s%s", q->queued ? " " : "",
		       q->queued ? qmp_cmd_name(q->queue[0].cmd) : "");
}
