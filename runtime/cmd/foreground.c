/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Being in the foreground: run and exec wait for their process, forward signals to it, and move bytes between our
 * terminal and the container's (B-10).
 *
 * Theory of operation: one poll loop over a signalfd, the process's pidfd, and, with a terminal, standard input,
 * standard output and the pty. Each direction has one buffer; we poll for reading only while it is empty and for
 * writing only while it is full, so that nothing spins and a reader that stopped reading blocks only its own
 * direction. When the process has ended, what the pty still holds is drained before we go, without waiting for
 * background processes that keep it open.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "cmd/box.h"

#define COPY_SIZE 4096 /* PIPE_BUF: a pipe that polls writable takes that much without blocking */

struct copy {
	char data[COPY_SIZE];
	size_t n, at;
	int from, to;
	bool eof;
};

static struct termios saved;

int foreground_begin(struct foreground *f, struct err *e)
{
	sigset_t set;

	*f = (struct foreground){.pidfd = -EBADF, .pty = -EBADF, .sigfd = -EBADF};
	sigfillset(&set);
	sigdelset(&set, SIGSEGV);
	sigdelset(&set, SIGBUS);
	sigdelset(&set, SIGILL);
	sigdelset(&set, SIGFPE);
	sigdelset(&set, SIGABRT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return err_sys(e, "blocking signals");
	f->sigfd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return f->sigfd < 0 ? err_sys(e, "making a signal descriptor") : 0;
}

static void resize(const struct foreground *f)
{
	struct winsize ws;

	if (f->pty >= 0 && ioctl(STDIN_FILENO, TIOCGWINSZ, &ws) == 0)
		(void) ioctl(f->pty, TIOCSWINSZ, &ws);
}

int foreground_console(struct foreground *f, int sock, struct err *e)
{
	struct termios raw;
	char name[64];
	ssize_t r;
	size_t n;

	r = fd_recv(sock, name, sizeof(name), &f->pty, 1, &n);
	if (r < 0 || n != 1)
		return err_set(e, -EPROTO, "the container's process sent no terminal");
	resize(f);
	if (tcgetattr(STDIN_FILENO, &saved) < 0)
		return 0; /* not a terminal: bytes go through as they are */
	raw = saved;
	cfmakeraw(&raw);
	if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0)
		f->tty_saved = 1;
	return 0;
}

void foreground_end(struct foreground *f)
{
	if (f->tty_saved)
		(void) tcsetattr(STDIN_FILENO, TCSANOW, &saved);
	f->tty_saved = 0;
	f->pty = fd_close(f->pty);
	f->sigfd = fd_close(f->sigfd);
}

static void forward_signals(struct foreground *f)
{
	struct signalfd_siginfo si;

	while (read(f->sigfd, &si, sizeof(si)) == (ssize_t) sizeof(si)) {
		int sig = (int) si.ssi_signo;

		if (sig == SIGWINCH)
			resize(f);
		else if (sig != SIGCHLD && sig != SIGURG && sig != SIGPIPE)
			(void) sys_pidfd_send_signal(f->pidfd, sig);
	}
}

static void fill(struct copy *c)
{
	ssize_t r = read(c->from, c->data, sizeof(c->data));

	if (r > 0) {
		c->n = (size_t) r;
		c->at = 0;
	} else if (r == 0 || (errno != EAGAIN && errno != EINTR)) {
		c->eof = true; /* EIO from a pty: its last user closed it */
	}
}

static void flush(struct copy *c)
{
	ssize_t r = write(c->to, c->data + c->at, c->n - c->at);

	if (r > 0) {
		c->at += (size_t) r;
		if (c->at == c->n)
			c->n = c->at = 0;
	} else if (r < 0 && errno != EAGAIN && errno != EINTR) {
		c->eof = true; /* nobody reads any more: drop what is left */
		c->n = 0;
	}
}

static void add_copy(struct pollfd *p, nfds_t *n, const struct copy *c)
{
	p[*n] = (struct pollfd){.fd = -1};
	if (c->n)
		p[*n] = (struct pollfd){.fd = c->to, .events = POLLOUT};
	else if (!c->eof)
		p[*n] = (struct pollfd){.fd = c->from, .events = POLLIN};
	(*n)++;
}

static void step_copy(const struct pollfd *p, struct copy *c)
{
	if (!p->revents)
		return;
	if (c->n)
		flush(c);
	else
		fill(c);
}

/* The end of our input is told to the program as a terminal does it. */
static void end_input(struct foreground *f, struct copy *in)
{
	struct termios t;

	if (!in->eof || in->n || in->from < 0)
		return;
	in->from = -1;
	if (tcgetattr(f->pty, &t) == 0 && (t.c_lflag & ICANON))
		in->data[in->n++] = (char) t.c_cc[VEOF];
}

/* After the end of the process: what the terminal still holds. */
static void drain(struct copy *out)
{
	struct pollfd p;

	for (;;) {
		if (out->n) {
			p = (struct pollfd){.fd = out->to, .events = POLLOUT};
			if (poll(&p, 1, 1000) <= 0)
				return; /* a reader that does not read must not keep us */
			flush(out);
			continue;
		}
		p = (struct pollfd){.fd = out->from, .events = POLLIN};
		if (out->eof || poll(&p, 1, 0) <= 0 || !(p.revents & POLLIN))
			return;
		fill(out);
	}
}

int foreground_wait(struct foreground *f, int *ret_status, struct err *e)
{
	struct copy in = {.from = STDIN_FILENO, .to = f->pty},
		    out = {.from = f->pty, .to = STDOUT_FILENO};
	struct pollfd p[4];
	int st;

	if (f->pty >= 0)
		(void) fcntl(f->pty, F_SETFL, O_RDWR | O_NONBLOCK);
	else
		in.eof = out.eof = true;
	for (;;) {
		nfds_t n = 2;

		p[0] = (struct pollfd){.fd = f->sigfd, .events = POLLIN};
		p[1] = (struct pollfd){.fd = f->pidfd, .events = POLLIN};
		if (f->pty >= 0) {
			end_input(f, &in);
			add_copy(p, &n, &in);
			add_copy(p, &n, &out);
		}
		if (poll(p, n, -1) < 0) {
			if (errno == EINTR)
				continue;
			return err_sys(e, "waiting for the container");
		}
		if (p[0].revents)
			forward_signals(f);
		if (f->pty >= 0) {
			step_copy(&p[2], &in);
			step_copy(&p[3], &out);
		}
		if (p[1].revents)
			break;
	}
	if (f->pty >= 0)
		drain(&out);
	while (waitpid(f->pid, &st, 0) < 0)
		if (errno != EINTR)
			return err_sys(e, "waiting for process %d", (int) f->pid);
	*ret_status = WIFSIGNALED(st) ? 128 + WTERMSIG(st) : WEXITSTATUS(st);
	return 0;
}
