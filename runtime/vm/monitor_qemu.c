/* SPDX-License-Identifier: Apache-2.0 */
/* QEMU: its sockets, its start in the jail, and what the guest's console says. */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "exec/mount.h"
#include "vm/jail.h"
#include "vm/monitor.h"
#include "vm/qemu.h"

static int make_pair(int *ret_ours, int *ret_theirs, struct err *e)
{
	int sv[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) < 0)
		return err_sys(e, "making a socket for QEMU");
	*ret_ours = sv[0];
	*ret_theirs = sv[1];
	if (fcntl(sv[0], F_SETFL, O_RDWR | O_NONBLOCK) < 0)
		return err_sys(e, "making a socket for QEMU");
	return 0;
}

static void add_file(struct jail_file *files, size_t *n, const char *name, int fd, bool writable)
{
	if (fd >= 0)
		files[(*n)++] = (struct jail_file){.name = name, .fd = fd, .writable = writable};
}

/* Of QEMU: VM_FD_CHANNEL and what follows it. */
enum { ENDS = VM_FD_VFS - VM_FD_CHANNEL + 1 };

static int spawn(struct monitor *m, int share, const int theirs[ENDS], struct err *e)
{
	const struct monitor_boot *b = m->boot;
	char **argv = arena_array(m->s->a, b->argv.n + 1, sizeof(*argv));
	struct jail_fd fds[ENDS + 2 + VM_NICS_MAX];
	struct jail_file files[6];
	struct jail j = {
		.program = b->hypervisor,
		.argv = argv,
		.fds = fds,
		.files = files,
		.log_fd = theirs[VM_FD_CONSOLE - VM_FD_CHANNEL],
		.uid = b->uid,
		.gid = b->uid,
		.role = b->keep_root ? JAIL_9P : JAIL_NO_FILES,
		.sev_dev = b->sev_dev,
		.memlock = b->memlock,
	};

	fd_auto int tree = -EBADF;
	int pidfd = -EBADF, r;
	pid_t pid;

	memcpy(argv, b->argv.v, b->argv.n * sizeof(*argv));
	add_file(files, &j.n_files, "kernel", b->kernel_fd, false);
	add_file(files, &j.n_files, "initrd", b->initrd_fd, false);
	add_file(files, &j.n_files, "firmware", b->firmware_fd, false);
	add_file(files, &j.n_files, "dh-cert", b->dh_cert_fd, false);
	add_file(files, &j.n_files, "session", b->session_fd, false);
	for (int i = 0; i < ENDS; i++)
		if (theirs[i] >= 0)
			fds[j.n_fds++] = (struct jail_fd){theirs[i], VM_FD_CHANNEL + i};
	if (b->kvm_fd >= 0)
		fds[j.n_fds++] = (struct jail_fd){b->kvm_fd, VM_FD_KVM};
	if (b->root_fd >= 0)
		fds[j.n_fds++] = (struct jail_fd){b->root_fd, VM_FD_DISK};
	for (size_t i = 0; i < m->n_taps; i++)
		fds[j.n_fds++] = (struct jail_fd){m->taps[i].fd, VM_FD_TAP + (int) i};
	if (b->keep_root) { /* a copy, because ours is of a mount namespace that the jail leaves */
		tree = mnt_clone(share, true);
		if (tree < 0)
			return err_neg(e, tree, "the VM's share");
		add_file(files, &j.n_files, "share", tree, true);
	}
	r = jail_spawn(&j, &pid, &pidfd, e); /* its end is that of the channel */
	fd_close(pidfd);
	return r;
}

int mon_spawn(struct monitor *m, int share, struct err *e)
{
	int theirs[ENDS] = {-EBADF, -EBADF, -EBADF, -EBADF};
	int r = make_pair(&m->chan, &theirs[0], e);

	if (r == 0)
		r = make_pair(&m->qmp_fd, &theirs[1], e);
	if (r == 0)
		r = make_pair(&m->console, &theirs[2], e);
	if (r == 0)
		r = mon_serve(m, share, theirs[VM_FD_CONSOLE - VM_FD_CHANNEL],
			      &theirs[VM_FD_VFS - VM_FD_CHANNEL], e);
	if (r == 0)
		r = spawn(m, share, theirs, e);
	fd_close_all(theirs, ENDS); /* the end of QEMU is to be seen as the end of these */
	return r;
}

/* ---- the console ---- */

void mon_console(struct monitor *m)
{
	uint8_t text[1024];
	ssize_t n = read(m->console, text, sizeof(text));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		m->console = fd_close(m->console);
		return;
	}
	for (ssize_t i = 0; i < n; i++)
		m->log[m->log_n++ % CONSOLE_KEEP] = text[i];
}

#define TAIL 700

/* Where the kernel says why it gave up: what comes behind that is a trace. Else the last words. */
static size_t tail_begin(const struct monitor *m, size_t have)
{
	static const char why[] = "Kernel panic - ";
	size_t n = strlen(why);

	for (size_t at = m->log_n - have; at + n <= m->log_n; at++) {
		size_t same = 0;

		while (same < n && m->log[(at + same) % CONSOLE_KEEP] == (uint8_t) why[same])
			same++;
		if (same == n)
			return at;
	}
	return m->log_n - (have < TAIL ? have : TAIL);
}

const char *mon_console_tail(const struct monitor *m)
{
	size_t have = m->log_n < CONSOLE_KEEP ? m->log_n : CONSOLE_KEEP, out = 0;
	size_t from = tail_begin(m, have), end = m->log_n - from < TAIL ? m->log_n : from + TAIL;
	char *text = arena_alloc(m->s->a, 3 * TAIL + 1);
	bool fresh = true;

	for (size_t i = from; i < end; i++) {
		uint8_t c = m->log[i % CONSOLE_KEEP];

		if (c == '\n') {
			fresh = true;
		} else if (c >= ' ' && c < 0x7f) {
			if (fresh && out) {
				memcpy(text + out, " | ", 3);
				out += 3;
			}
			fresh = false;
			text[out++] = (char) c;
		}
	}
	return out ? text : NULL;
}
