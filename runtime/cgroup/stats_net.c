/* SPDX-License-Identifier: Apache-2.0 */
/* The network's part of the statistics. It is of a namespace and not of a cgroup, but `events` shows both in one object. */
#include <stdio.h>

#include "base/jsonw.h"
#include "cgroup/cgroup.h"

/* One line of /proc/PID/net/dev: "  eth0: rxbytes packets errs drop fifo frame compressed multicast tx..." */
static void net_line(struct jsonw *w, const char *line)
{
	unsigned long long v[12];
	char name[32];

	if (sscanf(line, " %31[^:]: %llu %llu %llu %llu %*u %*u %*u %*u %llu %llu %llu %llu", name,
		   &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7]) != 9)
		return;
	jw_obj(w);
	jw_kstr(w, "Name", name);
	jw_ku64(w, "RxBytes", v[0]);
	jw_ku64(w, "RxPackets", v[1]);
	jw_ku64(w, "RxErrors", v[2]);
	jw_ku64(w, "RxDropped", v[3]);
	jw_ku64(w, "TxBytes", v[4]);
	jw_ku64(w, "TxPackets", v[5]);
	jw_ku64(w, "TxErrors", v[6]);
	jw_ku64(w, "TxDropped", v[7]);
	jw_obj_end(w);
}

void cgroup_net_json(struct jsonw *w, pid_t pid)
{
	char path[48], line[512];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/net/dev", (int) pid);
	f = fopen(path, "re");
	jw_key(w, "network_interfaces");
	jw_arr(w);
	while (f && fgets(line, sizeof(line), f))
		net_line(w, line);
	jw_arr_end(w);
	if (f)
		fclose(f);
}
