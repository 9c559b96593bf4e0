/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network of a VM: each interface that the engine has put into the container's network namespace is joined to one of the
 * VM's network devices (net/nics.h). The devices are made before QEMU starts, and interfaces may come later than that, up
 * to the start: nothing is plugged in, a device that stands idle is taken.
 */
#include <errno.h>
#include <fcntl.h>

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

int mon_net_join(struct monitor *m, struct err *e)
{
	int index[NET_NICS_MAX], r;
	struct wire_net net;

	if (m->rtnl.fd < 0)
		return 0;
	r = net_scan(&m->rtnl, m->s->a, &net, index, e);
	for (size_t i = 0; r == 0 && i < net.nics.n; i++)
		r = join_one(m, &net.nics.v[i], index[i], e);
	if (r == 0)
		m->net = net;
	return r;
}

/* A tap belongs to the network namespace in which its file was opened. */
static int make_tap(struct monitor *m, struct err *e)
{
	unsigned n = (unsigned) m->n_taps;
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC), r;

	if (fd < 0)
		return err_sys(e, "the container's network: open /dev/net/tun");
	r = net_tap(&m->rtnl, fd, n, &m->taps[n], e);
	if (r < 0)
		fd_close(fd);
	else
		m->n_taps++;
	return r;
}

int mon_net_make(struct monitor *m, struct err *e)
{
	int r;

	if (!pol_ns_find(m->full, POL_NS_NET))
		return 0;
	r = rtnl_open(&m->rtnl, e);
	while (r == 0 && m->n_taps < m->boot->nics)
		r = make_tap(m, e);
	return r < 0 ? r : mon_net_join(m, e);
}
