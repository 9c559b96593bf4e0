/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Being in the foreground: run and exec wait for their process, forward signals to it, and move bytes between our
 * terminal and the container's (B-10).
 *
 * Theory of operation: one poll loop over a signalfd, the process's pidfd, and, with a terminal, standard input,
 * standard output and the pty. Each direction has one buffer; we poll for reading only while it is empty and for
 * writing only while it is full, so that nothing spins and a reader that stopped reading blocks only its own
 * direction. Output that nobody takes any more (closed pipe, terminal that is gone) is dropped. When the process has
 * ended, what the pty still holds is drained before we go, without waiting for background processes that keep it open.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "cmd/box.h"

#define DRAIN_ROUNDS 1024 /* far more than a pty holds; background processes may go on writing */
#define COPY_SIZE 4096 /* PIPE_BUF: a pipe that polls writable takes that much without blocking */

struct copy {
	char data[COPY_SIZE];
	size_t n, at;
	int from, to;
	bool eof;
	bool mid_line;	/* the last byte was not the end of a line */
	bool to_socket; /* `to` is one */
	bool drain; /* goes on reading when nobody takes what it reads, or the program would hang */
};

int foreground_begin(struct foreground *f, struct err *e)
{
	sigset_t set, ends;

	*f = (struct foreground){.pidfd = -EBADF, .pty = -EBADF, .sigfd = -EBADF};
	sigfillset(&set);
	sigdelset(&set, SIGCHLD); /* the pidfd says it */
	sigdelset(&set, SIGSEGV);
	sigdelset(&set, SIGBUS);
	sigdelset(&set, SIGILL);
	sigdelset(&set, SIGFPE);
	sigdelset(&set, SIGABRT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return err_sys(e, "blocking signals");
	/* Until there is somebody to forward them to, the others wait; these end what is being made. */
	sigemptyset(&ends);
	sigaddset(&ends, SIGHUP);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGQUIT);
	sigaddset(&ends, SIGTERM);
	f->sigfd = signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
	return f->sigfd < 0 ? err_sys(e, "making a signal descriptor") : 0;
}

int foreground_forward(struct foreground *f, struct err *e)
{
	sigset_t all;

	sigfillset(&all);
	sigdelset(&all, SIGCHLD);
	if (signalfd(f->sigfd, &all, 0) < 0)
		return err_sys(e, "waiting for all signals");
	return 0;
}

/* The terminal that we are on, whichever of the three leads to it. */
static bool our_size(struct winsize *ret)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (ioctl(fd, TIOCGWINSZ, ret) == 0)
			return true;
	return false;
}

static void resize(const struct foreground *f)
{
	struct winsize ws;

	if (f->pty >= 0 && our_size(&ws))
		(void) ioctl(f->pty, TIOCSWINSZ, &ws);
}

void foreground_size(struct box_io *io)
{
	struct winsize ws;

	if (our_size(&ws)) {
		io->console_rows = ws.ws_row;
		io->console_columns = ws.ws_col;
	}
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
	if (tcgetattr(STDIN_FILENO, &f->saved) < 0)
		return 0; /* not a terminal: bytes go through as they are */
	raw = f->saved;
	cfmakeraw(&raw);
	if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0)
		f->tty_saved = true;
	return 0;
}

void foreground_end(struct foreground *f)
{
	if (f->tty_saved)
		(void) tcsetattr(STDIN_FILENO, TCSANOW, &f->saved);
	f->tty_saved = false;
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
		c->n = c->to < 0 ? 0 : (size_t) r;
		c->at = 0;
		c->mid_line = c->data[r - 1] != '\n';
	} else if (r == 0 || (errno != EAGAIN && errno != EINTR)) {
		c->eof = true; /* EIO from a pty: its last user closed it */
	}
}

static void flush(struct copy *c)
{
	const char *p = c->data + c->at;
	size_t n = c->n - c->at;
	ssize_t r = c->to_socket ? send(c->to, p, n, MSG_DONTWAIT | MSG_NOSIGNAL)
				 : write(c->to, p, n);

	if (r > 0) {
		c->at += (size_t) r;
		if (c->at == c->n)
			c->n = c->at = 0;
	} else if (r < 0 && errno != EAGAIN && errno != EINTR) {
		c->eof = !c->drain;
		c->to = -1; /* nobody reads any more */
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

/* The end of our input is told to the program as a terminal does it: at the start of a line, its EOF character makes
 * read() return 0; in the middle of one, the first only delivers the line. */
static void end_input(struct foreground *f, struct copy *in)
{
	struct termios t;

	if (!in->eof || in->n || in->from < 0)
		return;
	in->from = -1;
	if (tcgetattr(f->pty, &t) < 0 || !(t.c_lflag & ICANON))
		return;
	if (in->mid_line)
		in->data[in->n++] = (char) t.c_cc[VEOF];
	in->data[in->n++] = (char) t.c_cc[VEOF];
}

/* After the end of the process: what the terminal still holds. */
static void drain(struct copy *out)
{
	struct pollfd p;

	for (unsigned i = 0; i < DRAIN_ROUNDS; i++) {
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

/*
 * Standard output for writing without ever blocking in it. A terminal polls writable with room for one byte, and a pipe
 * may be filled by somebody else between poll and write; O_NONBLOCK on the descriptor itself would be seen by everybody
 * who shares it. So an opening of our own, if it can be had. Never of a file, where it would begin at offset 0.
 */
static void open_output(struct copy *out)
{
	struct stat st;
	int fd;

	out->to = STDOUT_FILENO;
	if (fstat(STDOUT_FILENO, &st) < 0)
		return;
	out->to_socket = S_ISSOCK(st.st_mode);
	if (!S_ISCHR(st.st_mode) && !S_ISFIFO(st.st_mode))
		return;
	fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0)
		out->to = fd;
}

/* One round: whatever can be done now. Returns 1 when the process has ended. */
static int step(struct foreground *f, struct copy *in, struct copy *out)
{
	struct pollfd p[4] = {{.fd = f->sigfd, .events = POLLIN},
			      {.fd = f->pidfd, .events = POLLIN}};
	nfds_t n = 2;

	if (f->pty >= 0) {
		end_input(f, in);
		add_copy(p, &n, in);
		add_copy(p, &n, out);
	}
	if (poll(p, n, -1) < 0)
		return errno == EINTR ? 0 : -errno;
	if (p[0].revents)
		forward_signals(f);
	if (f->pty >= 0) {
		step_copy(&p[2], in);
		step_copy(&p[3], out);
	}
	return p[1].revents != 0;
}

int foreground_wait(struct foreground *f, int *ret_status, struct err *e)
{
	struct copy in = {.from = STDIN_FILENO, .to = f->pty},
		    out = {.from = f->pty, .to = -1, .drain = true};
	int st, r;

	if (f->pty >= 0) {
		(void) fcntl(f->pty, F_SETFL, O_RDWR | O_NONBLOCK);
		open_output(&out);
	}
	do
		r = step(f, &in, &out);
	while (r == 0);
	if (f->pty >= 0 && r > 0)
		drain(&out);
	if (out.to > STDOUT_FILENO)
		close(out.to);
	if (r < 0)
		return err_neg(e, r, "waiting for the container");
	while (waitpid(f->pid, &st, 0) < 0)
		if (errno != EINTR)
			return err_sys(e, "waiting for process %d", (int) f->pid);
	*ret_status = WIFSIGNALED(st) ? 128 + WTERMSIG(st) : WEXITSTATUS(st);
	return 0;
}
