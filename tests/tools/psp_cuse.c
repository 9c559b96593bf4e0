/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Process 1 of a guest that has no secure processor: it plays the driver's device /dev/sev-guest by CUSE and then executes
 * the true agent, /agent, which cannot tell the difference. It has no keys and knows nothing of the guest: as in a true one,
 * what is asked goes out of the guest, by the port kavach.psp, to somebody who says what the guest is (tests/tools/fakesnp).
 *
 * Theory of operation. The request of a report is a structure with pointers to two others (linux/sev-guest.h), so the kernel
 * has to be told, step by step, which of the caller's memory it is to bring and to take back: an answer FUSE_IOCTL_RETRY with
 * lists of it, until everything is there. On the port: the command (u32), 96 bytes of request, room for certificates (u32); back
 * come a result (u32), what the VMM says (u32), 4000 bytes of response, a length (u32), and so many bytes of certificates.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <linux/sev-guest.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define PORT "kavach.psp"
#define PORTS "/sys/class/virtio-ports"
#define BUF (256u << 10) /* FUSE wants 8 KiB; a request is never longer than 32 pages */
#define CERTS_MAX (64u << 10)

static int cuse, port;

static void die(const char *what)
{
	fprintf(stderr, "psp_cuse: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST)
		die(path);
	close(fd);
}

/* ---- the port ---- */

static int try_port(const char *dev)
{
	char path[300], name[64] = "";
	FILE *f;

	snprintf(path, sizeof(path), PORTS "/%s/name", dev);
	f = fopen(path, "re");
	if (f && !fgets(name, sizeof(name), f))
		name[0] = '\0';
	if (f)
		fclose(f);
	name[strcspn(name, "\n")] = '\0';
	snprintf(path, sizeof(path), "/dev/%s", dev);
	return strcmp(name, PORT) == 0 ? open(path, O_RDWR | O_CLOEXEC) : -1;
}

static int find_port(void)
{
	DIR *d = opendir(PORTS);
	struct dirent *de;
	int fd = -1;

	while (d && fd < 0 && (de = readdir(d)))
		if (de->d_name[0] != '.')
			fd = try_port(de->d_name);
	if (d)
		closedir(d);
	return fd;
}

static int move(ssize_t (*fn)(int, void *, size_t), void *p, size_t n)
{
	for (size_t done = 0; done < n;) {
		ssize_t r = fn(port, (char *) p + done, n - done);

		if (r <= 0)
			return -1;
		done += (size_t) r;
	}
	return 0;
}

static ssize_t put(int fd, void *p, size_t n)
{
	return write(fd, p, n);
}

static ssize_t get(int fd, void *p, size_t n)
{
	return read(fd, p, n);
}

struct answer {
	uint32_t result, vmm;
	uint8_t response[sizeof(struct snp_report_resp)];
	uint32_t certs_len; /* those that there are; they come when there is room */
};

static int ask(uint32_t cmd, const struct snp_report_req *req, uint32_t room, struct answer *ret,
	       uint8_t *certs)
{
	struct {
		uint32_t cmd;
		struct snp_report_req req;
		uint32_t room;
	} out = {cmd, *req, room};

	if (move(put, &out, sizeof(out)) < 0 || move(get, ret, sizeof(*ret)) < 0)
		return -1;
	return ret->certs_len > room ? 0 : move(get, certs, ret->certs_len);
}

/* ---- CUSE ---- */

static void reply(uint64_t unique, int error, const struct iovec *v, int n)
{
	struct fuse_out_header h = {.unique = unique, .error = error, .len = sizeof(h)};
	struct iovec all[8] = {{&h, sizeof(h)}};

	for (int i = 0; i < n; i++) {
		all[i + 1] = v[i];
		h.len += (uint32_t) v[i].iov_len;
	}
	if (writev(cuse, all, n + 1) < 0)
		die("answering the kernel");
}

static void on_init(uint64_t unique)
{
	struct cuse_init_out out = {.major = FUSE_KERNEL_VERSION,
				    .minor = FUSE_KERNEL_MINOR_VERSION,
				    .flags = CUSE_UNRESTRICTED_IOCTL,
				    .max_read = 65536,
				    .max_write = 65536};
	static char name[] = "DEVNAME=sev-guest";
	const struct iovec v[] = {{&out, sizeof(out)}, {name, sizeof(name)}};

	reply(unique, 0, v, 2);
}

/* The kernel is to bring what `in` names, and comes again. */
static void retry(uint64_t unique, struct fuse_ioctl_iovec *in, uint32_t n_in,
		  struct fuse_ioctl_iovec *out, uint32_t n_out)
{
	struct fuse_ioctl_out head = {
		.flags = FUSE_IOCTL_RETRY, .in_iovs = n_in, .out_iovs = n_out};
	const struct iovec v[] = {
		{&head, sizeof(head)}, {in, n_in * sizeof(*in)}, {out, n_out * sizeof(*out)}};

	reply(unique, 0, v, 3);
}

struct request {
	struct snp_guest_request_ioctl wrapper;
	struct snp_ext_report_req req; /* of a plain report: the first part of it */
};

static size_t request_size(uint32_t cmd)
{
	return cmd == SNP_GET_EXT_REPORT ? sizeof(struct snp_ext_report_req)
					 : sizeof(struct snp_report_req);
}

/* What the caller gets, in the order of the memory that step 2 named. */
static void serve(uint64_t unique, uint32_t cmd, struct request *q)
{
	static uint8_t certs[CERTS_MAX];
	uint32_t room = cmd == SNP_GET_EXT_REPORT ? q->req.certs_len : 0;
	struct fuse_ioctl_out head = {0};
	struct answer a;
	const struct iovec v[] = {{&head, sizeof(head)},
				  {&q->wrapper, sizeof(q->wrapper)},
				  {a.response, sizeof(a.response)},
				  {&q->req, sizeof(q->req)},
				  {certs, room}};

	if (ask(cmd, &q->req.data, room, &a, certs) < 0)
		die("the port " PORT);
	q->wrapper.exitinfo2 = (uint64_t) a.vmm << 32;
	q->req.certs_len = a.certs_len;
	head.result = -(int32_t) a.result;
	reply(unique, 0, v, cmd == SNP_GET_EXT_REPORT ? 5 : 3);
}

static void on_ioctl(uint64_t unique, const struct fuse_ioctl_in *in, const uint8_t *data)
{
	struct request q = {0};
	struct fuse_ioctl_iovec from[2], to[4];

	if (in->cmd != SNP_GET_REPORT && in->cmd != SNP_GET_EXT_REPORT) {
		reply(unique, -ENOTTY, NULL, 0);
		return;
	}
	from[0] = to[0] = (struct fuse_ioctl_iovec){in->arg, sizeof(q.wrapper)};
	if (in->in_size < sizeof(q.wrapper)) {
		retry(unique, from, 1, NULL, 0);
		return;
	}
	memcpy(&q, data, in->in_size < sizeof(q) ? in->in_size : sizeof(q));
	from[1] = to[2] = (struct fuse_ioctl_iovec){q.wrapper.req_data, request_size(in->cmd)};
	to[1] = (struct fuse_ioctl_iovec){q.wrapper.resp_data, sizeof(struct snp_report_resp)};
	to[3] = (struct fuse_ioctl_iovec){q.req.certs_address, q.req.certs_len};
	if (q.req.certs_len > CERTS_MAX) {
		reply(unique, -EINVAL, NULL, 0);
	} else if (in->in_size < sizeof(q.wrapper) + request_size(in->cmd)) {
		retry(unique, from, 2, NULL, 0);
	} else if (!in->out_size) { /* now it is known where certificates go */
		retry(unique, from, 2, to, in->cmd == SNP_GET_EXT_REPORT ? 4 : 2);
	} else {
		serve(unique, in->cmd, &q);
	}
}

static void on_message(const uint8_t *p)
{
	const struct fuse_in_header *h = (const void *) p;
	struct fuse_open_out opened = {.open_flags = FOPEN_DIRECT_IO};
	const struct iovec v = {&opened, sizeof(opened)};

	switch (h->opcode) {
	case CUSE_INIT: on_init(h->unique); break;
	case FUSE_OPEN: reply(h->unique, 0, &v, 1); break;
	case FUSE_RELEASE: reply(h->unique, 0, NULL, 0); break;
	case FUSE_INTERRUPT: break;
	case FUSE_IOCTL:
		on_ioctl(h->unique, (const void *) (h + 1),
			 (const uint8_t *) (h + 1) + sizeof(struct fuse_ioctl_in));
		break;
	default: reply(h->unique, -ENOSYS, NULL, 0);
	}
}

static void play(void)
{
	static uint8_t buf[BUF] __attribute__((aligned(8)));

	for (;;) {
		ssize_t n = read(cuse, buf, sizeof(buf));

		if (n < 0 && errno != EINTR && errno != ENODEV)
			die("/dev/cuse");
		if (n >= (ssize_t) sizeof(struct fuse_in_header))
			on_message(buf);
	}
}

static void nap(void)
{
	const struct timespec t = {.tv_nsec = 5000000};

	nanosleep(&t, NULL);
}

int main(int argc, char **argv)
{
	(void) argc;
	if (mount("sysfs", "/sys", "sysfs", 0, NULL) < 0 ||
	    mount("devtmpfs", "/dev", "devtmpfs", 0, NULL) < 0)
		die("mounting /sys and /dev");
	load("/lib/modules/virtio_pci.ko");
	load("/lib/modules/virtio_console.ko");
	load("/lib/modules/cuse.ko");
	cuse = open("/dev/cuse", O_RDWR | O_CLOEXEC);
	if (cuse < 0)
		die("/dev/cuse");
	for (int i = 0; (port = find_port()) < 0; i++)
		if (i < 6000)
			nap();
		else
			die("the port " PORT);
	if (fork() == 0)
		play();
	for (int i = 0; i < 6000 && access("/dev/sev-guest", F_OK) < 0; i++)
		nap();
	/* the agent begins with nothing mounted */
	if (umount2("/dev", MNT_DETACH) < 0 || umount2("/sys", MNT_DETACH) < 0)
		die("umount");
	execv("/agent", argv);
	die("/agent");
}
