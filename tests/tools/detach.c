/* SPDX-License-Identifier: Apache-2.0 */
/* detach DIR: takes all device programs off a cgroup of v2: drift, made for real. */
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int bpf(int cmd, union bpf_attr *attr)
{
	return (int) syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

int main(int argc, char **argv)
{
	int dir = argc == 2 ? open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	union bpf_attr query, attr;
	__u32 ids[64];

	memset(&query, 0, sizeof(query));
	query.query.target_fd = (__u32) dir;
	query.query.attach_type = BPF_CGROUP_DEVICE;
	query.query.prog_ids = (__u64) (unsigned long) ids;
	query.query.prog_cnt = 64;
	if (dir < 0 || bpf(BPF_PROG_QUERY, &query) < 0) {
		perror("detach");
		return 1;
	}
	for (__u32 i = 0; i < query.query.prog_cnt; i++) {
		int prog;

		memset(&attr, 0, sizeof(attr));
		attr.prog_id = ids[i];
		prog = bpf(BPF_PROG_GET_FD_BY_ID, &attr);
		memset(&attr, 0, sizeof(attr));
		attr.target_fd = (__u32) dir;
		attr.attach_bpf_fd = (__u32) prog;
		attr.attach_type = BPF_CGROUP_DEVICE;
		if (prog < 0 || bpf(BPF_PROG_DETACH, &attr) < 0) {
			perror("detach");
			return 1;
		}
	}
	return query.query.prog_cnt ? 0 : 1;
}
