/* SPDX-License-Identifier: Apache-2.0 */
/* Who asked for what is put on record: our real uid, the login session's, and the program that called us. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "audit/internal.h"
#include "base/io.h"
#include "base/num.h"

const struct audit_caller *audit_caller(void)
{
	static struct audit_caller c;
	char path[64], text[24];
	uint32_t login;

	if (c.pid)
		return &c;
	c.pid = getpid();
	c.ppid = getppid();
	c.uid = (uint32_t) getauxval(AT_UID);
	c.loginuid = -1;
	/* a kernel without audit has no such file; (uid_t) -1: no login */
	if (io_read_small(AT_FDCWD, "/proc/self/loginuid", text, sizeof(text)) > 0 &&
	    num_parse_u32(text, &login) == 0 && login != UINT32_MAX)
		c.loginuid = login;
	snprintf(path, sizeof(path), "/proc/%d/comm", (int) c.ppid);
	if (io_read_small(AT_FDCWD, path, c.comm, sizeof(c.comm)) < 0)
		c.comm[0] = 0;
	return &c;
}
