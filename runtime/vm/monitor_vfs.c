/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtiofsd, which serves the root where QEMU does not: it has the container's files and no guest, QEMU the guest and no
 * files. They meet over one connection (vhost-user), which is made here, so neither of them ever opens a socket by name.
 */
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "exec/mount.h"
#include "vm/jail.h"
#include "vm/monitor.h"
#include "vm/virtiofsd.h"

#define SOCKET_NAME "virtiofsd"

/*
 * virtiofsd wants a socket that listens, and takes the first who connects. So it has a place where nobody else can: the
 * share's own file system, which is in our mount namespace alone, and it has lost its name before anything runs there. An
 * abstract name would be seen by everybody in the network namespace, which a pod's containers share.
 */
static int make_connection(int share, int *ret_listener, int *ret_conn, struct err *e)
{
	static const struct sockaddr_un addr = {.sun_family = AF_UNIX, .sun_path = SOCKET_NAME};
	fd_auto int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	fd_auto int conn = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (listener < 0 || conn < 0)
		return err_sys(e, "making a socket for virtiofsd");
	if (fchdir(share) < 0)
		return err_sys(e, "the VM's share: go there");
	if (bind(listener, (const struct sockaddr *) &addr, sizeof(addr)) < 0 ||
	    listen(listener, 1) < 0 ||
	    connect(conn, (const struct sockaddr *) &addr, sizeof(addr)) < 0 ||
	    unlink(SOCKET_NAME) < 0)
		return err_sys(e, "connecting to virtiofsd");
	*ret_listener = fd_take(&listener);
	*ret_conn = fd_take(&conn);
	return 0;
}

int mon_serve(struct monitor *m, int share, int log, int *ret_vfs, struct err *e)
{
	const struct monitor_boot *b = m->boot;
	fd_auto int listener = -EBADF, conn = -EBADF, tree = -EBADF;
	char **argv;
	pid_t pid;
	int r;

	if (!b->server.n)
		return 0;
	r = make_connection(share, &listener, &conn, e);
	if (r < 0)
		return r;
	tree = mnt_clone(share, true);
	if (tree < 0)
		return err_neg(e, tree, "the VM's share");
	argv = arena_array(m->s->a, b->server.n + 1, sizeof(*argv));
	memcpy(argv, b->server.v, b->server.n * sizeof(*argv));

	const struct jail_fd fd = {listener, VIRTIOFSD_FD};
	const struct jail_file file = {.name = "share", .fd = tree, .writable = true};
	const struct jail j = {
		.program = argv[0],
		.argv = argv,
		.fds = &fd,
		.n_fds = 1,
		.files = &file,
		.n_files = 1,
		.log_fd = log,
		.role = JAIL_VIRTIOFS,
		.gid = 0, /* it takes that for given where the guest's root makes a file */
	};

	r = jail_spawn(&j, &pid, &m->server, e);
	if (r == 0)
		*ret_vfs = fd_take(&conn);
	return r;
}
