/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The working directory (rule R-07). Root and image are hostile: "/proc/self/fd/7" as working directory must not lead
 * to a descriptor of ours that shows the host (CVE-2024-21626), so the path is resolved inside the root without
 * magic links, and the kernel is asked afterwards where we really are. A directory that is not below our root has
 * a name that starts with "(unreachable)".
 */
#include <fcntl.h>
#include <limits.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/errcat.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "exec/ctx.h"

/* The words are runc's: engines and people know them. */
#define REFUSED                                                                                    \
	"unable to start container process: chdir to cwd (\"%s\") set in config.json failed: "

int cwd_make(struct stage *s, struct err *e)
{
	fd_auto int dir = -EBADF;

	if (str_eq(s->proc->cwd, "/"))
		return 0;
	dir = path_mkdir_in(s->root_fd, s->proc->cwd, 0755);
	return dir < 0 ? err_neg(e, dir, "process.cwd: making %s", s->proc->cwd) : 0;
}

static int fail(int r, const char *cwd, struct err *e)
{
	switch (r) {
	case -ENOENT: return err_set_id(e, ERR_NO_EXECUTABLE, r, REFUSED ERRCAT_NO_FILE, cwd);
	case -EACCES:
	case -EPERM: return err_set_id(e, ERR_EXEC_DENIED, r, REFUSED ERRCAT_DENIED, cwd);
	default: return err_neg(e, r, "process.cwd: %s", cwd);
	}
}

int cwd_enter(struct stage *s, struct err *e)
{
	fd_auto int dir = -EBADF;
	int r;

	if (str_eq(s->proc->cwd, "/"))
		return chdir("/") < 0 ? fail(-errno, "/", e) : 0;
	dir = path_open_in(s->root_fd, s->proc->cwd, O_PATH | O_DIRECTORY, 0, 0);
	r = dir < 0 ? dir : fchdir(dir) < 0 ? -errno : 0;
	return r < 0 ? fail(r, s->proc->cwd, e) : 0;
}

int cwd_verify(struct stage *s, struct err *e)
{
	char buf[PATH_MAX];
	long n = syscall(SYS_getcwd, buf,
			 sizeof(buf)); /* libc would hide "(unreachable)" behind ENOENT */

	if (n < 0 && errno == ERANGE)
		return 0; /* too long to be shown, but the kernel fails with ENOENT first when it is outside or gone */
	if (n < 0)
		return err_sys(e, "process.cwd: %s", s->proc->cwd);
	if (buf[0] != '/')
		return err_set(e, -EXDEV, "process.cwd: %s is outside of the container's root",
			       s->proc->cwd);
	return 0;
}
