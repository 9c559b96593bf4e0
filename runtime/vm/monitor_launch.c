/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The launch of a guest with encrypted memory. QEMU is started with -S, and what the guest's processors first do is let go
 * here, in this order:
 *
 *   query-sev	QEMU's word that this is the guest that was asked for: its kind, its policy, at this point of a launch
 *   measure	SEV and SEV-ES with a session: query-sev-launch-measure, for the owner, who alone has the key to it
 *   owner	the guest stands still until somebody brings the owner's answer (`kavach attest launch`)
 *   secret	sev-inject-launch-secret, where the answer has one
 *   cont	SNP: the secure processor takes pages, registers and ID block in here. When it refuses, QEMU answers nothing and
 *		ends: the end is the verdict, and what QEMU wrote to its standard error the reason
 *   query-sev	it runs, and is still that guest
 *
 * Whatever else comes is the end of the VM: there is no way from here to a guest that is not encrypted. What a guest is worth,
 * its owner does not learn from QEMU's word but by its evidence.
 */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "vm/monitor.h"

static const char *const kinds[] = {
	[VM_SEV] = "sev", [VM_SEV_ES] = "sev-es", [VM_SEV_SNP] = "sev-snp"};

bool mon_launched(const struct monitor *m)
{
	return m->launch.step == LAUNCH_NONE || m->launch.step == LAUNCH_DONE;
}

/* QEMU lets it go before it says so. */
bool mon_launch_held(const struct monitor *m)
{
	return m->launch.step == LAUNCH_CONT || m->launch.step == LAUNCH_CHECK;
}

static void __attribute__((noreturn, format(printf, 3, 4)))
fail(struct monitor *m, int code, const char *fmt, ...)
{
	struct err e = ERR_INIT;
	va_list ap;

	va_start(ap, fmt);
	err_vset(&e, code, fmt, ap);
	va_end(ap);
	mon_lost(m, &e);
}

/* tag 0: these are nobody's commands but ours */
static void ask(struct monitor *m, enum launch_step step, enum qmp_cmd cmd,
		const struct qmp_args *args)
{
	struct err e = ERR_INIT;

	m->launch.step = step;
	if (qmp_send(&m->qmp, cmd, args, 0, mon_now(), &e) < 0)
		mon_lost(m, &e);
}

void mon_launch_begin(struct monitor *m)
{
	if (!m->boot->sev)
		return;
	ask(m, LAUNCH_ASKED, QMP_QUERY_SEV, NULL);
	mon_wait(m, hello, "QEMU to make the encrypted guest");
}

/* ---- what QEMU says it is ---- */

static void check(struct monitor *m, const struct qmp_sev *s, const char *state)
{
	bool snp = m->boot->sev == VM_SEV_SNP;

	if (!s->enabled)
		fail(m, -EPROTO, "query-sev: the guest's memory is not encrypted");
	if (s->snp != snp)
		fail(m, -EPROTO, "query-sev: expected a guest of %s, found one of %s",
		     kinds[m->boot->sev], s->snp ? "sev-snp" : "sev");
	if (s->policy != m->boot->sev_policy)
		fail(m, -EPROTO, "query-sev: expected the guest policy 0x%llx, found 0x%llx",
		     (unsigned long long) m->boot->sev_policy, (unsigned long long) s->policy);
	if (!str_eq(s->state, state))
		fail(m, -EPROTO, "query-sev: expected the state %s, found %s", state, s->state);
}

static void on_query(struct monitor *m, const struct qmp_sev *s)
{
	bool first = m->launch.step == LAUNCH_ASKED;

	check(m, s,
	      !first			   ? "running"
	      : m->boot->sev == VM_SEV_SNP ? "launch-update"
					   : "launch-secret");
	m->launch.sev = *s;
	if (!first) {
		m->launch.step = LAUNCH_DONE;
		mon_wait(m, hello, "the VM to boot");
	} else if (m->boot->session_fd >= 0) {
		ask(m, LAUNCH_MEASURE, QMP_QUERY_SEV_MEASURE, NULL);
	} else {
		ask(m, LAUNCH_CONT, QMP_CONT, NULL);
	}
}

/* ---- the owner ---- */

static void show(const struct monitor *m, struct client *c)
{
	const struct qmp_sev *s = &m->launch.sev;
	char text[512];
	int n = snprintf(
		text, sizeof(text),
		"{\"type\":\"kavach-launch\",\"version\":1,\"kind\":\"%s\",\"apiMajor\":%u,"
		"\"apiMinor\":%u,\"build\":%u,\"policy\":%u,\"measurement\":\"%s\"}",
		kinds[m->boot->sev], s->api_major, s->api_minor, s->build_id, (unsigned) s->policy,
		m->launch.measure);

	ctl_answer(c, CTL_BODY, text, (size_t) n);
}

static void on_measure(struct monitor *m, const struct qmp_reply *r)
{
	/* of fixed length: vm/qmp.c */
	snprintf(m->launch.measure, sizeof(m->launch.measure), "%.*s", (int) r->data.n, r->data.p);
	m->launch.step = LAUNCH_OWNER;
	mon_wait(m, launch, "the owner's answer to the launch (kavach attest launch)");
	for (struct client *c = m->clients; c; c = c->next)
		if (c->tag && c->asked == CTL_LAUNCH)
			show(m, c);
}

static void refuse(struct client *c, int code, const char *why)
{
	struct err e = ERR_INIT;

	err_set(&e, code, "%s", why);
	ctl_answer_err(c, &e);
}

void mon_launch_show(struct monitor *m, struct client *c)
{
	if (m->launch.step == LAUNCH_OWNER) {
		show(m, c);
	} else if (m->boot->session_fd < 0 || mon_launched(m) || m->launch.step > LAUNCH_OWNER) {
		refuse(c, -ESRCH, "the container's launch does not wait for its owner");
	} else { /* soon */
		c->tag = ++m->last_tag;
		c->asked = CTL_LAUNCH;
	}
}

void mon_launch_release(struct monitor *m, struct client *c, char *body)
{
	char *secret = strchr(body, ' ');
	struct qmp_args args = {.data = body};
	struct err e = ERR_INIT;

	if (m->launch.step != LAUNCH_OWNER || c->tag) {
		refuse(c, -ESRCH, "the container's launch does not wait for its owner");
		return;
	}
	if (*body && secret) {
		*secret = '\0';
		args.more = secret + 1;
		if (qmp_send(&m->qmp, QMP_INJECT_SEV_SECRET, &args, 0, mon_now(), &e) < 0) {
			ctl_answer_err(c, &e);
			return;
		}
		m->launch.step = LAUNCH_SECRET;
		mon_wait(m, hello, "QEMU to take the secret");
	} else if (*body) {
		refuse(c, -EINVAL, "expected a header and a secret, found one word");
		return;
	} else {
		ask(m, LAUNCH_CONT, QMP_CONT, NULL);
	}
	c->tag = ++m->last_tag;
	c->asked = CTL_RELEASE;
}

/* Whoever brought the answer is told how it went. */
static void tell(struct monitor *m, const char *why)
{
	for (struct client *c = m->clients; c; c = c->next) {
		if (!c->tag || c->asked != CTL_RELEASE)
			continue;
		if (why)
			refuse(c, -EIO, why);
		else
			ctl_answer(c, CTL_OK, NULL, 0);
	}
}

/* ---- answers ---- */

void mon_launch_reply(struct monitor *m, const struct qmp_reply *r)
{
	if (r->failed) {
		tell(m, r->text);
		fail(m, -EIO, "%s: %s", qmp_cmd_name(r->cmd), r->text);
	}
	switch (m->launch.step) {
	case LAUNCH_ASKED:
	case LAUNCH_CHECK: on_query(m, &r->sev); break;
	case LAUNCH_MEASURE: on_measure(m, r); break;
	case LAUNCH_SECRET: ask(m, LAUNCH_CONT, QMP_CONT, NULL); break;
	case LAUNCH_CONT:
		tell(m, NULL);
		ask(m, LAUNCH_CHECK, QMP_QUERY_SEV, NULL);
		break;
	default: fail(m, -EPROTO, "QEMU answered %s at a wrong moment", qmp_cmd_name(r->cmd));
	}
}

const char *mon_launch_words(const struct monitor *m)
{
	switch (m->launch.step) {
	case LAUNCH_NONE:
	case LAUNCH_DONE: return NULL;
	case LAUNCH_CONT: return "the secure processor did not launch the guest (cont)";
	default: return "launching the encrypted guest";
	}
}
