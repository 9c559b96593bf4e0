/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A record as a line, and the frame that every line has. The order of the members is fixed, so that the frame is found
 * without reading JSON: the line begins with v, log and seq, and ends with prev and mac. The MAC is of the bytes before
 * `,"mac"`. Foreign text is cut, then escaped as JSON, so a line has no control characters and an end that we know.
 */
#include "audit/internal.h"

#include <string.h>
#include <time.h>

#include "base/hmac.h"
#include "base/jsonw.h"
#include "base/num.h"
#include "base/str.h"

static const char *const event_names[] = {
	[AUDIT_INIT] = "init",
	[AUDIT_RECOVERY] = "recovery",
	[AUDIT_ROTATE_TO] = "rotate",
	[AUDIT_SETTINGS] = "settings",
	[AUDIT_CREATE] = "create",
	[AUDIT_START] = "start",
	[AUDIT_EXEC] = "exec",
	[AUDIT_KILL] = "kill",
	[AUDIT_PAUSE] = "pause",
	[AUDIT_RESUME] = "resume",
	[AUDIT_UPDATE] = "update",
	[AUDIT_EXIT] = "exit",
	[AUDIT_OOM] = "oom",
	[AUDIT_DELETE] = "delete",
	[AUDIT_REFUSAL] = "refusal",
	[AUDIT_HOOK_FAILURE] = "hook-failure",
	[AUDIT_CHECKPOINT] = "checkpoint",
	[AUDIT_RESTORE] = "restore",
	[AUDIT_DRIFT] = "drift",
	[AUDIT_ATTESTATION] = "attestation",
};
_Static_assert(ARRAY_LEN(event_names) == AUDIT_EVENT_MAX, "each event has a name");

static const char *const outcome_names[] = {
	[AUDIT_OK] = "ok",
	[AUDIT_ATTEMPT] = "attempt",
	[AUDIT_FAILED] = "failed",
	[AUDIT_REFUSED] = "refused",
};
_Static_assert(ARRAY_LEN(outcome_names) == AUDIT_OUTCOME_MAX, "each outcome has a name");

const char *audit_event_name(enum audit_event_kind k)
{
	return event_names[k];
}

/* Cut where a character ends; jsonw replaces what is no UTF-8. */
static void put_text(struct jsonw *w, const char *key, const char *s)
{
	size_t n = s ? strlen(s) : 0;

	jw_key(w, key);
	if (!s) {
		jw_null(w);
		return;
	}
	if (n > AUDIT_TEXT_MAX) {
		n = AUDIT_TEXT_MAX;
		while (n > AUDIT_TEXT_MAX - 4 && ((unsigned char) s[n] & 0xc0) == 0x80)
			n--;
	}
	jw_strn(w, s, n);
}

/* A day of the Gregorian calendar from days since 1970-01-01, in years that begin in March: then the day that leap years
 * have is the last one. The C library's gmtime_r() reads a time zone file first, in seven system calls. */
static void civil(int64_t days, int64_t *year, int64_t *month, int64_t *day)
{
	int64_t era, y, d;

	days += 719468;	     /* since 0000-03-01 */
	era = days / 146097; /* 400 years */
	d = days % 146097;
	y = (d - d / 1460 + d / 36524 - d / 146096) / 365;
	d -= 365 * y + y / 4 - y / 100;
	*month = (5 * d + 2) / 153; /* five months of 153 days, again and again */
	*day = d - (153 * *month + 2) / 5 + 1;
	*month += *month < 10 ? 3 : -9;
	*year = y + 400 * era + (*month <= 2);
}

void audit_time(int64_t sec, int64_t nsec, char ret[AUDIT_TIME_MAX])
{
	static const char form[AUDIT_TIME_MAX] = "0000-00-00T00:00:00.000000000Z";
	int64_t year, month, day, clock = sec % 86400;

	civil(sec / 86400, &year, &month, &day);
	const struct {
		int at, width;
		int64_t v;
	} part[] = {
		{0, 4, year},
		{5, 2, month},
		{8, 2, day},
		{11, 2, clock / 3600},
		{14, 2, clock / 60 % 60},
		{17, 2, clock % 60},
		{20, 9, nsec},
	};

	memcpy(ret, form, sizeof(form));
	for (size_t i = 0; i < ARRAY_LEN(part); i++) {
		int64_t v = part[i].v;

		for (int k = part[i].width - 1; k >= 0; k--, v /= 10)
			ret[part[i].at + k] = (char) ('0' + v % 10);
	}
}

static void put_time(struct jsonw *w)
{
	char s[AUDIT_TIME_MAX];
	struct timespec now = {0};

	clock_gettime(CLOCK_REALTIME, &now);
	audit_time(now.tv_sec, now.tv_nsec, s);
	jw_kstr(w, "time", s);
	clock_gettime(CLOCK_BOOTTIME, &now);
	jw_ku64(w, "boot", (uint64_t) now.tv_sec * 1000000000u + (uint64_t) now.tv_nsec);
}

static void put_caller(struct jsonw *w, const struct audit_caller *c)
{
	jw_ku64(w, "uid", c->uid);
	jw_key(w, "loginuid");
	if (c->loginuid < 0)
		jw_null(w);
	else
		jw_i64(w, c->loginuid);
	jw_ki64(w, "pid", c->pid);
	jw_ki64(w, "ppid", c->ppid);
	put_text(w, "caller", c->comm);
}

static void put_event(struct jsonw *w, const struct audit_event *ev)
{
	jw_kstr(w, "event", event_names[ev->kind]);
	jw_kstr(w, "outcome", outcome_names[ev->outcome]);
	put_text(w, "id", ev->id);
	put_text(w, "config", ev->config_digest);
	put_text(w, "policy", ev->policy_digest);
	jw_key(w, "score");
	if (ev->score < 0)
		jw_null(w);
	else
		jw_i64(w, ev->score);
	put_text(w, "backend", ev->backend);
	put_text(w, "by", ev->by);
	put_text(w, "reason", ev->reason);
}

int audit_record(const struct audit_state *s, const struct audit_event *ev,
		 const struct audit_caller *c, struct buf *ret, struct err *e)
{
	uint8_t mac[SHA256_LEN];
	char hex[SHA256_HEX];
	struct jsonw w;

	*ret = BUF_WRITER(AUDIT_LINE_MAX);
	jw_init(&w, ret, false);
	jw_obj(&w);
	jw_ku64(&w, "v", 1);
	jw_kstr(&w, "log", s->log);
	jw_ku64(&w, "seq", s->seq);
	put_time(&w);
	put_event(&w, ev);
	put_caller(&w, c);
	for (size_t i = 0; i < ev->n_fields; i++)
		if (ev->fields[i].s || ev->fields[i].null)
			put_text(&w, ev->fields[i].name, ev->fields[i].s);
		else
			jw_ki64(&w, ev->fields[i].name, ev->fields[i].n);
	sha256_hex(s->head, hex);
	jw_kstr(&w, "prev", hex);
	if (ret->bad)
		return err_set(e, -EMSGSIZE, "an audit record is too long");
	hmac_sha256(s->key, AUDIT_KEY_LEN, ret->p, ret->n, mac);
	sha256_hex(mac, hex);
	jw_kstr(&w, "mac", hex);
	jw_obj_end(&w);
	buf_put_u8(ret, '\n');
	return ret->bad ? err_set(e, -EMSGSIZE, "an audit record is too long") : 0;
}

void audit_next_key(uint8_t key[AUDIT_KEY_LEN])
{
	static const char label[] = "kavach-audit next key";
	struct sha256 s;

	sha256_init(&s);
	sha256_add(&s, key, AUDIT_KEY_LEN);
	sha256_add(&s, label, sizeof(label) - 1);
	sha256_end(&s, key);
	explicit_bzero(&s, sizeof(s));
}

void audit_log_name(const uint8_t k0[AUDIT_KEY_LEN], char ret[AUDIT_ID_HEX])
{
	static const char label[] = "kavach-audit log name";
	uint8_t d[SHA256_LEN];
	char hex[SHA256_HEX];
	struct sha256 s;

	sha256_init(&s);
	sha256_add(&s, label, sizeof(label) - 1);
	sha256_add(&s, k0, AUDIT_KEY_LEN);
	sha256_end(&s, d);
	sha256_hex(d, hex);
	memcpy(ret, hex, AUDIT_ID_HEX - 1);
	ret[AUDIT_ID_HEX - 1] = 0;
	explicit_bzero(&s, sizeof(s));
}

void audit_advance(struct audit_state *s, const void *line, size_t n)
{
	sha256(line, n - 1, s->head);
	s->seq++;
	s->size += n;
	audit_next_key(s->key);
}

/* ---- the frame ---- */

static bool eat(const char **p, const char *end, const char *text)
{
	size_t n = strlen(text);

	if ((size_t) (end - *p) < n || memcmp(*p, text, n) != 0)
		return false;
	*p += n;
	return true;
}

/* A decimal number as we write it: no leading zeros. */
static bool eat_number(const char **p, const char *end, uint64_t *ret)
{
	const char *from = *p;
	char digits[24];

	while (*p < end && **p >= '0' && **p <= '9')
		(*p)++;
	if (*p == from || *p - from > 20 || (*from == '0' && *p - from > 1))
		return false;
	memcpy(digits, from, (size_t) (*p - from));
	digits[*p - from] = 0;
	return num_parse_u64(digits, UINT64_MAX, ret) == 0;
}

bool audit_line_parse(const char *p, size_t n, struct audit_line *ret)
{
	static const char prev[] = ",\"prev\":\"", mac[] = "\",\"mac\":\"", last[] = "\"}";
	const size_t tail = sizeof(prev) + sizeof(mac) + sizeof(last) - 3 + 4 * SHA256_LEN;
	const char *at = p, *end = p + n;
	uint8_t name[(AUDIT_ID_HEX - 1) / 2];
	struct audit_line l = {0};

	if (n >= AUDIT_LINE_MAX || memchr(p, '\n', n))
		return false;
	if (!eat(&at, end, "{\"v\":1,\"log\":\"") || end - at < AUDIT_ID_HEX ||
	    !hex_parse(at, sizeof(name), name))
		return false;
	memcpy(l.log, at, AUDIT_ID_HEX - 1);
	at += AUDIT_ID_HEX - 1;
	if (!eat(&at, end, "\",\"seq\":") || !eat_number(&at, end, &l.seq) || at == end ||
	    *at != ',' || (size_t) (end - at) < tail)
		return false;
	at = end - tail;
	if (!eat(&at, end, prev) || !hex_parse(at, SHA256_LEN, l.prev))
		return false;
	at += 2 * SHA256_LEN;
	if (!eat(&at, end, mac) || !hex_parse(at, SHA256_LEN, l.mac))
		return false;
	at += 2 * SHA256_LEN;
	if (!eat(&at, end, last))
		return false;
	/* with the quote that ends prev: it stands before `,"mac"` */
	l.signed_len = n - (sizeof(mac) - 1 - 1) - 2 * SHA256_LEN - (sizeof(last) - 1);
	*ret = l;
	return true;
}
