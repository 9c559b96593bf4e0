/* SPDX-License-Identifier: Apache-2.0 */
/* The loopback interface of a new network namespace. */
#include <linux/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "exec/ctx.h"

int net_loopback_up(struct err *e)
{
	/* Interface ioctls work on any socket, and this kind exists also where IP is compiled out. A new
	 * lo has no flags but IFF_LOOPBACK, which cannot be changed: no need to read them first. The kernel
	 * adds 127.0.0.1 and ::1 itself when the interface comes up. */
	fd_late int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = {.ifr_name = "lo"};

	if (fd < 0)
		return err_sys(e, "making a socket to set up the loopback interface");
	ifr.ifr_flags = IFF_UP | IFF_RUNNING;
	if (ioctl(fd, SIOCSIFFLAGS, &ifr) < 0)
		return err_sys(e, "setting up the loopback interface");
	return 0;
}
