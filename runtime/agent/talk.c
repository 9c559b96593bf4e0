/* SPDX-License-Identifier: Apache-2.0 */
/* What a stage says (exec/proto.h) and what becomes of it on the wire. The host's side of it is process/launch.c. */
#include <fcntl.h>
#include <string.h>

#include "agent/agent.h"
#include "base/fd.h"
#include "exec/proto.h"

static int on_ready(struct agent *a, struct proc *p, struct err *e)
{
	int r = p->process ? exec_outside(p->pid, AT_FDCWD, p->process, false, OUTSIDE_ALL_CPUS, e)
			   : 0;

	if (r == 0 && p->process && p->process->affinity_final)
		r = exec_affinity(p->pid, p->process->affinity_final, e);
	if (r == 0 && p->terminal)
		r = stdio_take_terminal(p, e);
	if (r < 0)
		return r;
	p->state = PROC_READY;
	if (p->stream == 1)
		agent_put(a, WIRE_PREPARED, 0, 0, NULL, 0);
	else
		proc_go(a, p);
	return 0;
}

void proc_go(struct agent *a, struct proc *p)
{
	struct err e = ERR_INIT;
	int r = msg_send(p->sync, MSG_ACK, NULL, 0);

	p->state = PROC_STARTING;
	if (r < 0 && r != -EPIPE) { /* that it has ended is told when it is reaped */
		err_neg(&e, r, "answering the container's process");
		proc_fail(a, p, &e);
	}
}

static void started(struct agent *a, struct proc *p)
{
	p->state = PROC_RUNNING;
	p->sync = fd_close(p->sync);
	agent_put(a, WIRE_STARTED, 0, p->stream, NULL, 0);
	if (p->stream == 1)
		agent_modules_soon(a);
}

static int unexpected(struct err *e)
{
	return err_set(e, -EPROTO, "unexpected message from the container's process");
}

static int take_err(const struct err *got, size_t n, struct err *e)
{
	struct err copy = ERR_INIT;

	memcpy(&copy, got, n);
	return err_set_id(e, (enum err_id) copy.id, copy.code, "%s", copy.msg);
}

bool proc_talk(struct agent *a, struct proc *p)
{
	union {
		struct err err;
		char text[sizeof(struct err) + 1];
	} body;
	struct err e = ERR_INIT;
	size_t n = 0;
	int r;

	if (p->sync < 0) /* closed in the round in which it was to be read */
		return false;
	r = msg_recv(p->sync, &body, sizeof(struct err), &n);
	switch (r) {
	case -EAGAIN: return false;
	case MSG_WARN:
		body.text[n] = '\0';
		agent_log(a, body.text);
		return true;
	case MSG_READY: r = p->state == PROC_PREPARING ? on_ready(a, p, &e) : unexpected(&e); break;
	case MSG_EXEC:
		r = p->state == PROC_STARTING && !p->told ? 0 : unexpected(&e);
		p->told = true;
		break;
	case MSG_ERROR: r = take_err(&body.err, n, &e); break;
	case 0: /* close-on-exec: the program runs; or it was killed, which its parent hears, too */
	case -ECONNRESET:
		if (p->told && p->state == PROC_STARTING) {
			started(a, p);
			return true;
		}
		p->sync = fd_close(p->sync);
		return true;
	default: r = unexpected(&e);
	}
	if (r < 0) {
		p->sync = fd_close(p->sync);
		if (p->state != PROC_GONE)
			proc_fail(a, p, &e);
	}
	return true;
}
