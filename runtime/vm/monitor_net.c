/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network of a VM: each interface that the engine has put into the container's network namespace is joined to one of the
 * VM's network devices (net/nics.h). The devices are made before QEMU starts, and interfaces may come later than that, up
 * to the start: nothing is plugged in, a device that stands idle is taken.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/utsname.h>

#include "base/fd.h"
#include "vm/monitor.h"

static struct net_tap *tap_of(struct monitor *m, int index)
{
	for (size_t i = 0; i < m->n_taps; i++)
		if (m->taps[i].joined == index)
			return &m->taps[i];
	return NULL;
}

static int join_one(struct monitor *m, struct wire_nic *nic, int index, struct err *e)
{
	struct net_tap *t = tap_of(m, index);
	char *mac = arena_alloc(m->s->a, VM_MAC_LEN);

	if (!t) {
		t = tap_of(m, 0); /* idle */
		if (!t)
			return err_set(
				e, -ENOSPC,
				"network interface %s: the VM was made with %zu network device%s, "
				"and has none left for it%s",
				nic->name, m->n_taps, m->n_taps == 1 ? "" : "s",
				m->n_taps ? "" : " (/dev/net/tun is missing)");
		if (net_tap_join(&m->rtnl, t, index, e) < 0)
			return e->code;
		nic->up = true; /* by us; an engine that had left it down would have no use for it */
	}
	vm_nic_mac((uint32_t) (t - m->taps), mac);
	nic->mac = mac;
	return 0;
}

/* The name that a pod's containers share is that of a namespace, which the monitor is in. Asked for once: the monitor's filter
 * has no uname(2). */
static int find_name(struct monitor *m, struct wire_net *n, struct err *e)
{
	const struct pol_ns *uts = pol_ns_find(m->full, POL_NS_UTS);
	struct utsname u;

	if (!uts || !uts->path || m->full->hostname)
		return 0;
	if (uname(&u) < 0)
		return err_sys(e, "reading the host name");
	n->hostname = arena_strdup(m->s->a, u.nodename);
	return 0;
}

int mon_net_join(struct monitor *m, struct err *e)
{
	int index[NET_NICS_MAX], r;
	struct wire_net net = {0};

	if (m->rtnl.fd < 0)
		return 0;
	r = net_scan(&m->rtnl, m->s->a, &net, index, e);
	for (size_t i = 0; r == 0 && i < net.nics.n; i++)
		r = join_one(m, &net.nics.v[i], index[i], e);
	net.hostname = m->net.hostname;
	if (r == 0)
		m->net = net;
	return r;
}

/* A tap belongs to the network namespace in which its file was opened. */
static int make_tap(struct monitor *m, struct err *e)
{
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC), r;

	if (fd < 0)
		return err_sys(e, "the container's network: open /dev/net/tun");
	r = net_tap(&m->rtnl, fd, &m->taps[m->n_taps], e);
	if (r < 0)
		fd_close(fd);
	else
		m->n_taps++;
	return r;
}

int mon_net_make(struct monitor *m, struct err *e)
{
	int r = find_name(m, &m->net, e);

	if (r < 0 || !pol_ns_find(m->full, POL_NS_NET) || m->full->vm.sandbox)
		return r;
	r = rtnl_open(&m->rtnl, e);
	while (r == 0 && m->n_taps < m->boot->nics)
		r = make_tap(m, e);
	return r < 0 ? r : mon_net_join(m, e);
}
