/* SPDX-License-Identifier: Apache-2.0 */
/* libs: net wire policy host json base */
/*
 * A container's interfaces on the kernel, in three network namespaces of the test's own: the container's, what is outside of
 * it, and a guest's. What ip(8) sets up is read, said again in the guest, and read there: both must be the same. A tap is
 * joined to the interface, and a frame goes through it in either direction. Needs root.
 */
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "net/nics.h"

#define VNET_HEADER 10
#define PATIENCE_MS 10000

static pid_t outside, guest; /* each keeps a network namespace open */
static struct err e;

/* A process in a new network namespace that waits for our end. */
static pid_t keeper(void)
{
	int p[2];
	char c;
	pid_t pid;

	if (pipe2(p, O_CLOEXEC) < 0)
		bail_out("pipe");
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWNET) < 0)
			_exit(1);
		close(p[0]);
		if (write(p[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(p[1]);
	if (pid < 0 || read(p[0], &c, 1) != 1)
		bail_out("no network namespace can be made");
	close(p[0]);
	return pid;
}

static int sh(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static int sh(const char *fmt, ...)
{
	char cmd[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	if (system(cmd) == 0)
		return 0;
	printf("# failed: %s\n", cmd);
	return -1;
}

static void enter(pid_t pid)
{
	char path[48];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int) pid);
	fd_auto int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		bail_out("entering a network namespace");
}

/* What a scan found, in one text. */
static char *describe(struct arena *a, const struct wire_net *n)
{
	char *s = arena_strdup(a, "");

	for (size_t i = 0; i < n->nics.n; i++) {
		const struct wire_nic *x = &n->nics.v[i];

		s = arena_printf(a, "%s%s %s mtu %u %s\n", s, x->name, x->set_mac, x->mtu,
				 x->up ? "up" : "down");
		for (size_t k = 0; k < x->addrs.n; k++)
			s = arena_printf(a, "%s addr %s/%u brd %s\n", s, x->addrs.v[k].addr,
					 x->addrs.v[k].prefix,
					 x->addrs.v[k].broadcast ? x->addrs.v[k].broadcast : "-");
		for (size_t k = 0; k < x->routes.n; k++) {
			const struct wire_route *r = &x->routes.v[k];

			s = arena_printf(a, "%s route %s/%u via %s src %s metric %u%s\n", s,
					 r->dest ? r->dest : "default", r->prefix,
					 r->gateway ? r->gateway : "-", r->source ? r->source : "-",
					 r->metric, r->onlink ? " onlink" : "");
		}
		for (size_t k = 0; k < x->neighs.n; k++)
			s = arena_printf(a, "%s neigh %s %s\n", s, x->neighs.v[k].addr,
					 x->neighs.v[k].mac);
	}
	return s;
}

static const char *wanted = "eth0 02:00:00:00:00:05 mtu 1400 up\n"
			    " addr 10.88.0.5/16 brd 10.88.255.255\n"
			    " addr fd00::5/64 brd -\n"
			    " route default/0 via 10.88.0.1 src - metric 100\n"
			    " route 192.168.7.0/24 via 10.99.0.1 src - metric 0 onlink\n"
			    " route default/0 via fd00::1 src - metric 1024\n"
			    " neigh 10.88.0.9 02:00:00:00:00:99\n"
			    "eth1 02:00:00:00:00:06 mtu 1500 up\n"
			    " addr 10.77.0.5/24 brd -\n";

static void set_up_container(void)
{
	int r = 0;

	r |= sh("ip link add eth0 address 02:00:00:00:00:05 mtu 1400 type veth peer name out0 mtu 1400 netns %d",
		(int) outside);
	r |= sh("ip link add eth1 address 02:00:00:00:00:06 type veth peer name out1 netns %d",
		(int) outside);
	r |= sh("ip link set lo up; ip link set eth0 up; ip link set eth1 up");
	r |= sh("nsenter -t %d -n sh -c 'ip link set out0 up; ip link set out1 up; ip addr add 10.88.0.1/16 dev out0'",
		(int) outside);
	r |= sh("ip addr add 10.88.0.5/16 brd + dev eth0; ip addr add fd00::5/64 dev eth0 nodad; "
		"ip addr add 10.77.0.5/24 dev eth1");
	r |= sh("ip route add default via 10.88.0.1 metric 100; ip -6 route add default via fd00::1; "
		"ip route add 192.168.7.0/24 via 10.99.0.1 dev eth0 onlink");
	r |= sh("ip neigh add 10.88.0.9 lladdr 02:00:00:00:00:99 dev eth0 nud permanent");
	ok(r == 0, "the container's network is set up");
}

static void test_scan_and_apply(void)
{
	int index[NET_NICS_MAX];
	arena_auto a = {0};
	rtnl_auto here = {.fd = -EBADF}, there = {.fd = -EBADF};
	struct wire_net net, again;
	int r = rtnl_open(&here, &e);

	if (r == 0)
		r = net_scan(&here, &a, &net, index, &e);
	ok(r == 0, "the container's interfaces are read %s", e.msg);
	if (r < 0)
		return;
	is_str(describe(&a, &net), wanted,
	       "...each with what ip(8) gave it, and nothing of the kernel's own");

	/* the guest's devices: other names, other MACs, other order */
	enter(guest);
	r = sh("ip link add eth1 address 52:54:00:00:00:01 type veth peer name g1 netns %d; "
	       "ip link add eth0 address 52:54:00:00:00:02 type veth peer name g0 netns %d; "
	       "ip addr add 10.1.1.1/24 dev eth1; ip link set eth1 up",
	       (int) outside, (int) outside);
	ok(r == 0 && rtnl_open(&there, &e) == 0, "a guest has two devices, in the other order");
	net.nics.v[0].mac = arena_strdup(&a, "52:54:00:00:00:01");
	net.nics.v[1].mac = arena_strdup(&a, "52:54:00:00:00:02");
	for (int i = 0; i < 2; i++) {
		err_clear(&e);
		r = net_apply(&there, &net, &e);
		ok(r == 0, "they become the container's%s %s", i ? ", and once more" : "", e.msg);
		r = net_scan(&there, &a, &again, index, &e);
		ok(r == 0, "...they are read %s", e.msg);
		/* they come in the order of the guest's numbers: eth0 is its first one, as it is of ours */
		is_str(describe(&a, &again), wanted, "...and are as they were on the host");
	}
	ok(sh("ip link show lo | grep -q UP") == 0, "loopback is up");

	err_clear(&e);
	net.nics.v[1].mac = net.nics.v[1].set_mac = arena_strdup(&a, "52:54:00:00:00:77");
	ok(net_apply(&there, &net, &e) == -ENODEV && strstr(e.msg, "52:54:00:00:00:77"),
	   "a device that is not there is an error that names its MAC");
	err_clear(&e);
	net.nics.n = 1;
	net.nics.v[0].addrs.v[0].addr = arena_strdup(&a, "10.88.0.555");
	ok(net_apply(&there, &net, &e) == -EINVAL && strstr(e.msg, "10.88.0.555"),
	   "a malformed address is an error that shows it");
	err_clear(&e);
	net.nics.v[0].addrs.v[0] = (struct wire_addr){.addr = arena_strdup(&a, "10.88.0.5"),
						      .prefix = 33};
	ok(net_apply(&there, &net, &e) == -EINVAL, "a prefix that is too long is an error");
}

/* The next ARP packet of a kind (1 request, 2 reply) that comes out of the tap: its sender's IP address. */
static bool arp_from_tap(int fd, uint8_t op, uint8_t sender[4])
{
	uint8_t f[2048];
	struct pollfd p = {.fd = fd, .events = POLLIN};

	while (poll(&p, 1, PATIENCE_MS) > 0) {
		ssize_t n = read(fd, f, sizeof(f));
		const uint8_t *eth = f + VNET_HEADER;

		if (n >= VNET_HEADER + 42 && eth[12] == 8 && eth[13] == 6 && eth[21] == op) {
			memcpy(sender, eth + 28, 4);
			return true;
		}
	}
	return false;
}

static bool say_arp(int fd)
{
	static const uint8_t reply[VNET_HEADER + 42] = {[VNET_HEADER] = 0xff,
							0xff,
							0xff,
							0xff,
							0xff,
							0xff,
							2,
							0,
							0,
							0,
							0,
							5,
							8,
							6, /* Ethernet */
							0,
							1,
							8,
							0,
							6,
							4,
							0,
							2, /* a reply */
							2,
							0,
							0,
							0,
							0,
							5,
							10,
							88,
							0,
							5, /* 10.88.0.5 is at 02:00:00:00:00:05 */
							0xff,
							0xff,
							0xff,
							0xff,
							0xff,
							0xff,
							10,
							88,
							0,
							1};

	return write(fd, reply, sizeof(reply)) == sizeof(reply);
}

/* Of two VMs in one network namespace one has the interface, until it has gone. */
static void test_second_tap(struct rtnl *s, int *first)
{
	fd_auto int tun = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	struct net_tap tap = NET_TAP_INIT;
	struct net_link l, eth0;

	err_clear(&e);
	ok(net_tap(s, tun, &tap, &e) == 0 && net_link_get(s, "kvtap1", 0, &l) == 0,
	   "another tap gets another name %s", e.msg);
	ok(net_link_get(s, "eth0", 0, &eth0) == 0 &&
		   net_tap_join(s, &tap, eth0.index, &e) == -EBUSY && strstr(e.msg, "eth0"),
	   "an interface that leads to a VM is not another's: %s", e.msg);
	err_clear(&e);
	close(*first);
	*first = -EBADF;
	ok(net_link_get(s, "kvtap0", 0, &l) == -ENODEV, "a tap goes with its descriptor");
	ok(net_tap_join(s, &tap, eth0.index, &e) == 0, "...then the interface is free %s", e.msg);
	ok(sh("tc filter show dev eth0 ingress | grep -c kvtap | grep -qx 1") == 0,
	   "...and leads to the new one alone");
	ok(sh("tc qdisc add dev eth1 ingress") == 0 && net_link_get(s, "eth1", 0, &l) == 0,
	   "somebody else has an ingress qdisc");
	err_clear(&e);
	ok(net_tap_join(s, &tap, l.index, &e) == -EBUSY, "...which stays: %s", e.msg);
	ok(sh("tc qdisc del dev eth1 ingress") == 0, "...theirs to remove");
	err_clear(&e);
}

static void test_tap(void)
{
	struct net_tap tap = NET_TAP_INIT;
	rtnl_auto s = {.fd = -EBADF};
	uint8_t sender[4] = {0};
	struct wire_net net;
	int index[NET_NICS_MAX];
	arena_auto a = {0};
	struct net_link l;
	fd_auto int tun = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (tun < 0) {
		skip("no /dev/net/tun", "a tap");
		return;
	}
	err_clear(&e);
	ok(rtnl_open(&s, &e) == 0 && net_tap(&s, tun, &tap, &e) == 0, "a tap is made %s", e.msg);
	ok(net_link_get(&s, "eth0", 0, &l) == 0 && net_tap_join(&s, &tap, l.index, &e) == 0,
	   "...and joined to eth0 %s", e.msg);
	ok(net_scan(&s, &a, &net, index, &e) == 0, "the interfaces are read again %s", e.msg);
	is_str(describe(&a, &net), wanted, "...and the tap is none of the container's");
	if (tap.joined == 0)
		return;
	sh("nsenter -t %d -n bash -c 'ip neigh flush dev out0; echo >/dev/udp/10.88.0.5/9'",
	   (int) outside);
	ok(arp_from_tap(tap.fd, 1, sender) && sender[0] == 10 && sender[3] == 1,
	   "who asks for the container from outside is heard at the tap");
	ok(say_arp(tap.fd), "an answer is given there");
	ok(sh("for i in $(seq 100); do nsenter -t %d -n ip neigh show 10.88.0.5 | grep -q 02:00:00:00:00:05 && exit; "
	      "sleep 0.1; done; exit 1",
	      (int) outside) == 0,
	   "...and is heard outside");
	ok(net_link_get(&s, "kvtap0", 0, &l) == 0 && l.mtu == 1400, "the tap has the MTU");
	test_second_tap(&s, &tun);
}

static void test_what_a_guest_cannot_have(void)
{
	int index[NET_NICS_MAX];
	rtnl_auto s = {.fd = -EBADF};
	arena_auto a = {0};
	struct wire_net net;

	err_clear(&e);
	enter(outside);
	if (rtnl_open(&s, &e) < 0 || sh("ip tuntap add dev ppp9 mode tun") < 0) {
		skip("no tun devices", "an interface without a MAC is refused");
		return;
	}
	ok(net_scan(&s, &a, &net, index, &e) == -ENOTSUP && strstr(e.msg, "ppp9"),
	   "an interface without a MAC is refused by name");
}

static void test_mac(void)
{
	static const char *const bad[] = {"",
					  "02",
					  "02:00:00:00:00:0",
					  "02:00:00:00:00:05 ",
					  "02-00-00-00-00-05",
					  "0x:00:00:00:00:05"};
	char text[NET_MAC_TEXT];
	uint8_t mac[6];

	ok(net_mac_parse("02:00:00:aa:bb:05", mac) == 0, "a MAC is read");
	net_mac_format(text, mac);
	is_str(text, "02:00:00:aa:bb:05", "...and written");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ok(net_mac_parse(bad[i], mac) == -EINVAL, "\"%s\" is none", bad[i]);
}

int main(void)
{
	test_mac();
	if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0) {
		skip("needs root", "interfaces on the kernel");
		return done();
	}
	if (system("ip -V >/dev/null 2>&1 && nsenter -V >/dev/null 2>&1") != 0) {
		skip("needs ip and nsenter", "interfaces on the kernel");
		return done();
	}
	outside = keeper();
	guest = keeper();
	fd_auto int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	set_up_container();
	test_scan_and_apply();
	if (home >= 0 && setns(home, CLONE_NEWNET) == 0)
		test_tap();
	test_what_a_guest_cannot_have();
	kill(outside, SIGKILL);
	kill(guest, SIGKILL);
	waitpid(outside, NULL, 0);
	waitpid(guest, NULL, 0);
	return done();
}
