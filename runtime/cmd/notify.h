/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readiness notification (sd_notify) for a container: kavach stands between the container's socket and the service
 * manager's $NOTIFY_SOCKET, and lets only READY=1 through (B-09). Private to cmd/.
 */
#ifndef KAVACH_CMD_NOTIFY_H
#define KAVACH_CMD_NOTIFY_H

#include <sys/types.h>

#include "base/err.h"

/* notify_wanted: the service manager's socket, or NULL. */
const char *notify_wanted(void);
/* notify_make_dir: the directory that the container sees, in its state directory. */
int notify_make_dir(int state_dir, struct err *e);
/* notify_bind: the container's socket. Returns the fd, -EBADF when this container has none, or -errno. */
int notify_bind(int state_dir, struct err *e);
/* notify_forward: waits until the container says that it is ready or its process (pidfd) ends, and tells the service
 * manager READY, MAINPID and a barrier. Failure to reach the manager is a warning: the container runs. */
void notify_forward(int sock, int pidfd, pid_t pid);
/* notify_forward_aside: the same in a process of its own, for `run` in the foreground. Returns its pid, or 0. */
pid_t notify_forward_aside(int sock, int pidfd, pid_t pid);

#endif
