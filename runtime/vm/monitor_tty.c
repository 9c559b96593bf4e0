/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The terminal of a VM container is two: a pty of the host, whose master the engine gets, and one of the guest, which the
 * program has. Only one of them may edit lines and turn Ctrl-C into a signal: the guest's. So the host's is raw, and the
 * monitor, or the proxy, is its session's leader: it is told of a new size, and of the end of the other side.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "vm/monitor.h"

#ifndef TIOCGPTPEER
#define TIOCGPTPEER 0x5441 /* _IO('T', 0x41) */
#endif

static int set_up(const struct stage *s, const struct pol_process *p, int slave, struct err *e)
{
	struct winsize w = {.ws_row = (unsigned short) p->console_height,
			    .ws_col = (unsigned short) p->console_width};
	struct termios t;

	if (s->boot->console_rows && s->boot->console_columns) {
		w.ws_row = (unsigned short) s->boot->console_rows;
		w.ws_col = (unsigned short) s->boot->console_columns;
	}
	if ((w.ws_row || w.ws_col) && ioctl(slave, TIOCSWINSZ, &w) < 0)
		return err_sys(e, "set the size of the terminal");
	if (tcgetattr(slave, &t) < 0)
		return err_sys(e, "look at the terminal");
	cfmakeraw(&t);
	return tcsetattr(slave, TCSANOW, &t) < 0 ? err_sys(e, "set up the terminal") : 0;
}

static int send_master(const struct stage *s, int master, struct err *e)
{
	char name[40] = "/dev/pts/";
	unsigned number;
	int r;

	if (s->boot->console_fd < 0)
		return 0;
	if (ioctl(master, TIOCGPTN, &number) < 0)
		return err_sys(e, "number of the terminal");
	num_fmt_u64(name + strlen(name), number);
	r = fd_send(s->boot->console_fd, name, strlen(name), &master, 1);
	return r < 0 ? err_neg(e, r, "send the terminal to the console socket") : 0;
}

int mon_tty(struct stage *s, const struct pol_process *p, int ptmx, int *ret_slave, struct err *e)
{
	fd_auto int master = ptmx, slave = -EBADF;
	int unlock = 0, r;

	if (ioctl(master, TIOCSPTLCK, &unlock) < 0)
		return err_sys(e, "unlock the terminal");
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (slave < 0)
		return err_sys(e, "open the terminal");
	r = set_up(s, p, slave, e);
	if (r < 0)
		return r;
	setsid(); /* fails where we are a session's leader already */
	if (ioctl(slave, TIOCSCTTY, 0) < 0)
		return err_sys(e, "take the terminal as the controlling one");
	r = send_master(s, master, e);
	if (r == 0)
		*ret_slave = fd_take(&slave);
	return r;
}
