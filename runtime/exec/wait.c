/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A created container waits here for `start`, on a listening socket in the container's state directory, which is open
 * to nobody but the owner (and root).
 *
 * Who may start it. The kernel shows a peer's uid as our own user namespace sees it, where the host's ids may not be
 * mapped, so a number from outside cannot be compared. The creator's uid is taken the same way: from its end of the
 * sync socket, while that is open. Root of the host may start anything; in a user namespace of our own, 0 is the
 * container's root, which is not meant.
 *
 * A peer that connects and goes away again, or says something else, costs nothing: the next one is waited for.
 */
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "exec/ctx.h"
#include "exec/proto.h"

bool stage_may_start(int conn, uid_t owner, bool userns)
{
	struct ucred c;
	socklen_t n = sizeof(c);

	if (getsockopt(conn, SOL_SOCKET, SO_PEERCRED, &c, &n) < 0)
		return false;
	return c.uid == owner || (c.uid == 0 && !userns);
}

int stage_wait_start(int start_fd, uid_t owner, bool userns, int *ret_conn, struct err *e)
{
	for (;;) {
		fd_auto int conn = accept4(start_fd, NULL, NULL, SOCK_CLOEXEC);

		if (conn < 0 && (errno == EINTR || errno == ECONNABORTED || errno == EAGAIN))
			continue;
		if (conn < 0)
			return err_sys(e, "waiting for start");
		if (!stage_may_start(conn, owner, userns))
			continue;
		if (msg_recv(conn, NULL, 0, NULL) != MSG_GO)
			continue;
		*ret_conn = fd_take(&conn);
		return 0;
	}
}
