/* SPDX-License-Identifier: Apache-2.0 */
/*
 * create and exec of the backend "vm". The monitor is to kavach what the stage is: made by the same code, in the
 * container's namespaces and cgroup, with the host's part of the policy. What it needs besides, the VM's shape, the
 * policy for the guest and the files to boot, is decided and opened here, before anything is made.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/helper.h"
#include "base/io.h"
#include "base/log.h"
#include "base/sha256.h"
#include "base/sys.h"
#include "host/guest_image.h"
#include "host/hardware.h"
#include "host/sev.h"
#include "net/nics.h"
#include "policy/host_may.h"
#include "process/process.h"
#include "vm/vm.h"
#include "vm/boot.h"
#include "vm/evidence.h"
#include "vm/image.h"
#include "vm/jail.h"
#include "vm/owner.h"
#include "vm/qemu.h"
#include "vm/relay.h"
#include "vm/split.h"
#include "vm/virtiofsd.h"
#include "wire/body.h"

#define ENCODED_MAX (32u << 20)
#define PREPARED_MS 30000
#define SHUTDOWN_MS 2000
#define QMP_MS 10000
#define QMP_SEV_MS 60000	   /* memory is pinned and encrypted before QEMU listens */
#define LAUNCH_MS 300000	   /* somebody reads a measure, and may ask another machine */
#define PINNED_EXTRA (64ull << 20) /* firmware, and what QEMU maps for devices */
#define OWNER_FILE_MODE 0444	   /* QEMU's user reads it */
#define NET_TUN "/dev/net/tun"
#define MISC_MAJOR 10
#define TUN_MINOR 200

struct making {
	const struct policy *full;
	const struct box_io *io;
	struct split split;
	struct vm_shape shape;
	struct monitor_boot boot;
	struct launch_as as;
	/* what the monitor inherits: control socket, files to boot, /dev/kvm, the owner's files, the packed root, the broker,
	 * the log of OOM kills */
	int fds[10];
	struct policy host;
};

static int open_monitor(struct arena *a, struct err *e)
{
	char *path;
	int r = helper_find(MONITOR_NAME, a, &path, e), fd;

	if (r == -ENOENT)
		return err_set(
			e, r,
			"the program " MONITOR_NAME
			", which a VM needs, is neither beside kavach nor in " KAVACH_LIBEXECDIR);
	if (r < 0)
		return r;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? err_sys(e, "open %s", path) : fd;
}

/* ---- decide ---- */

/* Descriptors of the caller are the host's; there is no way for them into the guest. */
static int check_io(const struct box_io *io, struct err *e)
{
	if (io->preserve_fds || io->listen_fds)
		return err_set(
			e, -ENOTSUP,
			"--preserve-fds, LISTEN_FDS: descriptors cannot be passed into a VM");
	return 0;
}

/* The interfaces that a network namespace to join has already; those of a new one come later, by hooks. */
static int count_nics(const struct policy *p, struct arena *a, uint32_t *ret, struct err *e)
{
	const struct pol_ns *net = pol_ns_find(p, POL_NS_NET);
	fd_auto int ns = -EBADF;
	rtnl_auto s = {.fd = -EBADF};
	int index[NET_NICS_MAX], r;
	struct wire_net found;

	*ret = 0;
	if (!net || !net->path || p->vm.sandbox)
		return 0;
	ns = open(net->path, O_RDONLY | O_CLOEXEC);
	if (ns < 0)
		return err_sys(e, "linux.namespaces: open %s", net->path);
	r = rtnl_open_in(ns, &s, NULL, e);
	if (r == 0)
		r = net_scan(&s, a, &found, index, e);
	if (r == 0)
		*ret = (uint32_t) found.nics.n;
	return r;
}

/* Without it a VM has no network, which is right for a container that has none, and an error for others. */
static int need_tun(struct making *m, uint32_t needed, struct err *e)
{
	if (m->shape.nics && access(NET_TUN, F_OK) < 0) {
		if (needed)
			return err_sys(e, "the container's network: " NET_TUN);
		m->shape.nics = 0;
	}
	m->boot.nics = m->shape.nics;
	return 0;
}

/* What such a guest needs of the host is asked first: of all that may be wrong it is the one thing that a reader of the error
 * cannot change in a file. */
int vm_able(const struct policy *p, struct err *e)
{
	static const struct {
		uint32_t backend;
		enum host_sev kind;
	} rows[] = {{POL_BACKEND_SEV, HOST_SEV},
		    {POL_BACKEND_SEV_ES, HOST_SEV_ES},
		    {POL_BACKEND_SEV_SNP, HOST_SEV_SNP}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].backend == p->backend)
			return host_sev_need(rows[i].kind, e);
	return 0;
}

/* A confidential guest's owner: what it has made for the launch, and which policy the guest must have got. */
static int bind_owner(struct making *m, struct box *b, struct err *e)
{
	uint8_t digest[SHA256_LEN];
	int r = vm_owner_apply(&m->shape, b->annotations, b->a, e);

	if (r < 0 || !m->shape.sev.kind)
		return r;
	policy_digest(b->policy_enc.v, b->policy_enc.n, digest);
	r = vm_shape_bind(&m->shape, digest, b->a, e);
	if (r == 0)
		b->measurement = vm_measurement(&m->shape, b->a);
	return r;
}

/* Landlock knows a file by the inode that it had when the layer was made. Over 9p a file has another one each time that it is
 * opened, so that nothing would be allowed; over virtiofs, and in an image, it keeps it. */
static int check_landlock(const struct making *m, struct err *e)
{
	for (size_t i = 0; i < m->full->landlock.n; i++)
		if (m->full->landlock.v[i].paths_limited && m->shape.root == VM_ROOT_9P)
			return err_set_id(
				e, ERR_CONFIG, -ENOTSUP,
				"rules file %s: landlock: paths cannot be limited where the root of "
				"a VM comes over 9p; install a virtiofsd, or pack the root "
				"(io.kavach.root)",
				m->full->landlock.v[i].source);
	return 0;
}

static int decide(struct making *m, struct box *b, struct err *e)
{
	fd_auto int cache = -EBADF; /* it need not exist */
	struct vm_image image;
	struct vm_host host;
	int r = check_io(m->io, e);

	if (b->cache_dir)
		cache = open(b->cache_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r == 0)
		r = vm_image_find(guest_image_dir(), b->a, &image, e);
	if (r == 0)
		r = vm_host_probe(m->full, cache, b->a, &host, e);
	if (r < 0)
		return r;
	r = count_nics(m->full, b->a, &host.nics, e);
	if (r < 0)
		return r;
	r = vm_shape_decide(m->full, &host, &image, b->a, &m->shape, e);
	if (r == 0)
		r = check_landlock(m, e);
	if (r < 0)
		return r;
	r = bind_owner(m, b, e);
	if (r < 0)
		return r;
	if (m->shape.warning)
		log_warn("%s", m->shape.warning);
	return need_tun(m, host.nics, e);
}

/* One more device for the container's cgroup, where it has a list: the monitor and QEMU are in there, too. */
static void allow(struct pol_resources *res, unsigned major, unsigned minor, uint32_t access,
		  struct arena *a)
{
	struct pol_device_rule *v = arena_array(a, res->devices.n + 1, sizeof(*v));

	if (!res->devices.n)
		return;
	memcpy(v, res->devices.v, res->devices.n * sizeof(*v));
	v[res->devices.n] = (struct pol_device_rule){
		.allow = true, .type = 'c', .major = major, .minor = minor, .access = access};
	res->devices.v = v;
	res->devices.n++;
}

/* The host's part, with what the VM as a whole may take. */
static void cut(struct making *m, struct box *b)
{
	size_t volumes;

	split_plan(m->full, b->a, &m->split);
	split_host(m->full, &m->split, b->a, &m->host, &volumes);
	m->boot.volumes_at = (uint32_t) volumes;
	if (m->full->resources.memory.set && m->full->resources.memory.v > 0)
		m->host.resources.memory = (struct opt_i64){true, (int64_t) m->shape.memory_host};
	/* The monitor makes its taps in it; QEMU has no such file in its jail. A guest's secure processor is QEMU's own node. */
	if (m->shape.nics)
		allow(&m->host.resources, MISC_MAJOR, TUN_MINOR, 3, b->a);
	if (m->boot.sev)
		allow(&m->host.resources, major(m->boot.sev_dev), minor(m->boot.sev_dev), 7, b->a);
}

/* ---- the boot block ---- */

static void fill_volumes(const struct split *s, struct arena *a, struct wire_prepare *w)
{
	w->volumes.v = arena_array(a, s->volumes, sizeof(*w->volumes.v));
	for (size_t i = 0; i < s->n; i++)
		if (s->mounts[i].volume != SPLIT_NO_VOLUME)
			w->volumes.v[w->volumes.n++] = (struct wire_volume){(uint32_t) i,
									    s->mounts[i].volume};
}

/* Takes the compiled filters of the launch: they are loaded in the guest. */
static void *move_filters(struct launch *l, struct arena *a, size_t *ret_n)
{
	size_t n = l->boot.filters.n;
	struct wire_filter *v = arena_array(a, n, sizeof(*v));

	for (size_t i = 0; i < n; i++)
		v[i] = (struct wire_filter){.bpf = l->boot.filters.v[i].bpf,
					    .flags = l->boot.filters.v[i].flags};
	l->boot.filters.n = 0;
	*ret_n = n;
	return v;
}

static int encode(const struct ctable *t, const void *obj, struct arena *a, struct bytes *ret,
		  struct err *e)
{
	buf_auto enc = BUF_WRITER(ENCODED_MAX);

	codec_encode(&enc, t, obj);
	if (enc.bad)
		return err_set(e, -EFBIG, "the configuration is too large to hand over");
	*ret = (struct bytes){.v = arena_memdup(a, enc.p, enc.n), .n = enc.n};
	return 0;
}

static int read_copy(const struct pol_mount *mnt, struct arena *a, struct wire_copy *ret,
		     struct err *e)
{
	int flags = mnt->flags & (POL_MOUNT_SRC_NOFOLLOW | POL_MOUNT_SRC_REAL) ? O_NOFOLLOW : 0;
	fd_auto int fd = open(mnt->source, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | flags);
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "mount %s: open %s", mnt->destination, mnt->source);
	if (!S_ISREG(st.st_mode))
		return err_set_id(e, ERR_CONFIG, -EINVAL,
				  "mount %s: a VM with a packed root gets a copy of it: expected a "
				  "regular file, found %s",
				  mnt->destination, mnt->source);
	r = io_read_fd(fd, POL_VM_COPY_MAX, a, &ret->content);
	if (r == -EFBIG)
		return err_set_id(
			e, ERR_CONFIG, -EFBIG,
			"mount %s: a VM with a packed root gets a copy of it: expected at "
			"most %u bytes in %s",
			mnt->destination, POL_VM_COPY_MAX, mnt->source);
	if (r < 0)
		return err_neg(e, r, "mount %s: read %s", mnt->destination, mnt->source);
	ret->mode = st.st_mode & 0777;
	ret->uid = st.st_uid;
	ret->gid = st.st_gid;
	return 0;
}

static int fill_copies(const struct making *m, struct arena *a, struct wire_prepare *w,
		       struct err *e)
{
	const struct split *s = &m->split;
	int r = 0;

	w->copies.v = arena_array(a, s->copies, sizeof(*w->copies.v));
	for (size_t i = 0; i < s->n && r == 0; i++) {
		struct wire_copy c = {.mount = (uint32_t) i};

		if (!s->mounts[i].copy)
			continue;
		r = read_copy(&m->full->mounts.v[i], a, &c, e);
		w->copies.v[w->copies.n++] = c;
	}
	return r;
}

static int fill_prepare(struct making *m, struct launch *l, struct box *b, struct err *e)
{
	struct wire_prepare w = {
		.root = (uint32_t) m->shape.root,
		.share = (uint32_t) m->shape.share,
		.root_tag = (char *) (uintptr_t) VM_ROOT_TAG,
		.id = (char *) (uintptr_t) b->id,
		.bundle = (char *) (uintptr_t) b->bundle,
		.oci_version = (char *) (uintptr_t) b->oci_version,
		.hook_env = l->boot.hook_env,
		.rows = m->io->console_rows,
		.columns = m->io->console_columns,
		.modules = (char *) (uintptr_t) m->shape.modules,
	};
	int r;

	if (b->annotations)
		w.annotations = *b->annotations;
	fill_volumes(&m->split, b->a, &w);
	r = fill_copies(m, b->a, &w, e);
	if (r == 0)
		r = launch_seccomp(l, b, m->full, e);
	if (r < 0)
		return r;
	w.filters.v = move_filters(l, b->a, &w.filters.n);
	return encode(&wire_prepare_table, &w, b->a, &m->boot.prepare, e);
}

static int open_file(struct making *m, enum pol_vm_kind kind, const char *path, int32_t *ret,
		     int *list, struct err *e)
{
	int r = 0;

	*list = -EBADF;
	*ret = -1;
	if (path)
		r = vm_file_tree(m->full, kind, path, list, e);
	if (r == 0 && path)
		*ret = *list;
	return r;
}

static int open_kvm(struct making *m, struct arena *a, struct err *e)
{
	m->boot.kvm_fd = -1;
	if (m->shape.accel != VM_KVM)
		return 0;
	m->fds[4] = open(arena_printf(a, "%s/dev/kvm", hw_root()), O_RDWR | O_CLOEXEC);
	if (m->fds[4] < 0)
		return err_sys(e, "open /dev/kvm");
	m->boot.kvm_fd = m->fds[4];
	return 0;
}

/* QEMU reads it by name, so it lies in the state directory for as long as the container is there. */
static int owner_file(struct box *b, const char *name, const char *text, int32_t *ret, int *list,
		      struct err *e)
{
	fd_auto int fd = -EBADF;
	int tree, r;

	*ret = -1;
	if (!text)
		return 0;
	r = io_replace_at(b->dir_fd, name, OWNER_FILE_MODE, text, strlen(text));
	if (r < 0)
		return err_neg(e, r, "write %s", name);
	fd = openat(b->dir_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open %s", name);
	tree = sys_open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	if (tree < 0)
		return err_neg(e, tree, "a mount of %s", name);
	*ret = *list = tree;
	return 0;
}

static int open_sev(struct making *m, struct box *b, struct err *e)
{
	const struct vm_sev *v = &m->shape.sev;
	struct stat st;
	int r;

	m->boot.dh_cert_fd = m->boot.session_fd = -1;
	if (!v->kind)
		return 0;
	if (stat(arena_printf(b->a, "%s" HOST_SEV_DEVICE, hw_root()), &st) < 0)
		return err_sys(e, HOST_SEV_DEVICE);
	if (!S_ISCHR(st.st_mode))
		return err_set(e, -ENOTTY, HOST_SEV_DEVICE " is no device");
	m->boot.sev = v->kind;
	m->boot.sev_policy = v->policy;
	m->boot.sev_dev = st.st_rdev;
	m->boot.qmp_ms = QMP_SEV_MS;
	m->boot.launch_ms = LAUNCH_MS;
	if (v->kind != VM_SEV_SNP)
		m->boot.memlock = m->shape.memory + PINNED_EXTRA;
	if (m->boot.memlock > hw_memlock())
		return err_set_id(
			e, ERR_CONFIG, -ENOMEM,
			"all memory of a guest of %s is pinned: %llu bytes, RLIMIT_MEMLOCK is "
			"%llu (start kavach with a higher one: LimitMEMLOCK=infinity)",
			vm_sev_name(v->kind), (unsigned long long) m->boot.memlock,
			(unsigned long long) hw_memlock());
	r = owner_file(b, "dh-cert", v->dh_cert, &m->boot.dh_cert_fd, &m->fds[5], e);
	return r < 0 ? r : owner_file(b, "session", v->session, &m->boot.session_fd, &m->fds[6], e);
}

/* Its blocks are checked in the guest; that it is the one which the policy names is known by its name. */
static int take_root(struct making *m, const struct box *b, struct err *e)
{
	m->boot.root_fd = -1;
	if (m->shape.root != VM_ROOT_EROFS)
		return 0;
	if (b->root_image < 0 || !m->full->vm.root_hash)
		return err_set(e, -EINVAL, "the root of this VM was not packed");
	m->fds[7] = fcntl(b->root_image, F_DUPFD_CLOEXEC, 3);
	if (m->fds[7] < 0)
		return err_sys(e, "the image of the root");
	m->boot.root_fd = m->fds[7];
	return 0;
}

static bool needs_broker(const struct policy *p)
{
	for (size_t i = 0; i < p->secrets.n; i++)
		if (p->secrets.v[i].source == POL_SECRET_FROM_BROKER && p->secrets.v[i].required)
			return true;
	return false;
}

/* A guest that cannot do without a broker's secrets needs one that can be reached. */
static int open_broker(struct making *m, struct err *e)
{
	const char *where = m->full->vm.broker;

	if (!where)
		return 0;
	m->fds[8] = relay_connect(where, e);
	if (m->fds[8] < 0 && needs_broker(m->full))
		return m->fds[8];
	if (m->fds[8] < 0) {
		log_warn("%s; no secret from there is required, so the container goes without",
			 e->msg);
		err_clear(e);
		return 0;
	}
	m->boot.broker_fd = m->fds[8];
	return 0;
}

static int open_files(struct making *m, struct box *b, struct err *e)
{
	/* they are executed by their names, below /usr: looked at here */
	fd_auto int program = -EBADF, server = -EBADF;
	int r = vm_file_check(m->full, POL_VM_HYPERVISOR, m->shape.hypervisor, &program, e);

	if (r == 0 && m->shape.virtiofsd)
		r = vm_file_check(m->full, POL_VM_VIRTIOFSD, m->shape.virtiofsd, &server, e);
	if (r == 0)
		r = open_file(m, POL_VM_KERNEL, m->shape.kernel, &m->boot.kernel_fd, &m->fds[1], e);
	if (r == 0)
		r = open_file(m, POL_VM_INITRD, m->shape.initrd, &m->boot.initrd_fd, &m->fds[2], e);
	if (r == 0)
		r = open_file(m, POL_VM_FIRMWARE, m->shape.firmware, &m->boot.firmware_fd,
			      &m->fds[3], e);
	if (r == 0)
		r = open_kvm(m, b->a, e);
	if (r == 0)
		r = open_sev(m, b, e);
	return r < 0 ? r : open_broker(m, e);
}

/* Of the site's rules, or ours. */
static void fill_timeouts(const struct box *b, struct monitor_boot *m)
{
	uint32_t *const to[BOX_T_MAX] = {
		[BOX_T_HELLO] = &m->hello_ms,	    [BOX_T_PREPARED] = &m->prepared_ms,
		[BOX_T_SHUTDOWN] = &m->shutdown_ms, [BOX_T_QMP] = &m->qmp_ms,
		[BOX_T_LAUNCH] = &m->launch_ms,
	};

	for (size_t i = 0; i < BOX_T_MAX; i++)
		if (b->timeout_ms[i])
			*to[i] = b->timeout_ms[i];
}

/* Last of process_create_as()'s preparations: the cgroup exists, and the state directory. */
static int prepare_create(struct launch *l, struct box *b, void *arg, struct err *e)
{
	struct making *m = arg;
	char **argv;
	size_t n;
	int r = fill_prepare(m, l, b, e);

	if (r == 0)
		r = vm_qemu_argv(&m->shape, &vm_names_jail, false, b->a, &argv, &n, e);
	if (r < 0)
		return r;
	m->fds[0] = unix_listen_at(b->dir_fd, MONITOR_SOCK, SOCK_SEQPACKET, e);
	if (m->fds[0] < 0)
		return m->fds[0];
	m->boot.control_fd = m->fds[0];
	m->fds[9] = openat(b->dir_fd, MONITOR_OOM,
			   O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (m->fds[9] < 0)
		return err_sys(e, "making a file for what the guest tells of");
	m->boot.oom_fd = m->fds[9];
	m->boot.argv = (struct strs){.v = argv, .n = n, .set = true};
	m->boot.hypervisor = (char *) (uintptr_t) m->shape.hypervisor;
	m->boot.uid = jail_uid(m->full->vm.uid_first, m->full->vm.uid_count, b->bundle, b->id);
	m->boot.keep_root = m->shape.root == VM_ROOT_9P || m->shape.share == VM_ROOT_9P;
	if (m->shape.virtiofsd) {
		argv = virtiofsd_argv(m->shape.virtiofsd, &vm_names_jail, b->a, &n);
		m->boot.server = (struct strs){.v = argv, .n = n, .set = true};
	}
	m->boot.memory = m->shape.memory;
	m->boot.hello_ms = m->shape.hello_seconds * 1000;
	fill_timeouts(b, &m->boot);
	return 0;
}

static void encode_boot(struct buf *out, const struct stage_boot *boot, void *arg)
{
	struct monitor_boot *m = arg;
	buf_auto stage = BUF_WRITER(ENCODED_MAX);

	codec_encode(&stage, &stage_boot_table, boot);
	m->stage = (struct bytes){.v = stage.p, .n = stage.n};
	if (stage.bad)
		out->bad = true;
	else
		codec_encode(out, &monitor_boot_table, m);
}

static void encode_create(struct buf *out, const struct stage_boot *boot, void *arg)
{
	encode_boot(out, boot, &((struct making *) arg)->boot);
}

int vm_create(struct box *b, const struct box_io *io,
	      int (*ready)(struct box *b, void *arg, struct err *e), void *arg, struct err *e)
{
	struct making m = {
		.full = b->policy,
		.io = io,
		.fds = {-EBADF, -EBADF, -EBADF, -EBADF, -EBADF, -EBADF, -EBADF, -EBADF, -EBADF,
			-EBADF},
		.boot = {.mode = MONITOR_CREATE,
			 .policy = b->policy_enc,
			 .request_fd = -1,
			 .broker_fd = -1,
			 .prepared_ms = PREPARED_MS,
			 .shutdown_ms = SHUTDOWN_MS,
			 .qmp_ms = QMP_MS},
		.as = {.name = MONITOR_NAME,
		       .program = -EBADF,
		       .prepare = prepare_create,
		       .encode = encode_create},
	};
	buf_auto enc = BUF_WRITER(ENCODED_MAX);
	int r = decide(&m, b, e);

	if (r == 0)
		r = open_files(&m, b, e);
	if (r == 0)
		r = take_root(&m, b, e);
	if (r == 0) {
		m.as.program = open_monitor(b->a, e);
		r = m.as.program < 0 ? m.as.program : 0;
	}
	if (r == 0) {
		cut(&m, b);
		policy_encode(&enc, &m.host);
		m.as.fds = m.fds;
		m.as.n_fds = ARRAY_LEN(m.fds);
		m.as.arg = &m;
		b->policy = &m.host;
		b->policy_enc = (struct bytes){.v = enc.p, .n = enc.n};
		r = enc.bad ? err_set(e, -EFBIG, "the policy is too large")
			    : process_create_as(b, io, &m.as, ready, arg, e);
		b->policy = m.full;
		b->policy_enc = m.boot.policy;
	}
	fd_close(m.as.program);
	for (size_t i = 0; i < ARRAY_LEN(m.fds); i++)
		fd_close(m.fds[i]);
	return r;
}

/* ---- exec ---- */

struct adding {
	const struct pol_process *p;
	const struct box_io *io;
	struct monitor_boot boot;
	int fds[3]; /* what the proxy inherits: the request, the monitor, /dev/ptmx */
};

static int prepare_exec(struct launch *l, struct box *b, void *arg, struct err *e)
{
	struct adding *x = arg;
	struct wire_exec w = {.rows = x->io->console_rows, .columns = x->io->console_columns};
	struct bytes enc;
	int r = encode(&pol_process_table, x->p, b->a, &w.process, e);

	if (r == 0)
		r = launch_seccomp(l, b, b->policy, e);
	if (r == 0)
		r = launch_secrets(l, b, SECRETS_EXEC, e);
	if (r < 0)
		return r;
	w.filters.v = move_filters(l, b->a, &w.filters.n);
	r = encode(&wire_exec_table, &w, b->a, &enc, e);
	if (r < 0)
		return r;
	l->boot.process = w.process;
	x->fds[0] = io_memfd("kavach-exec", enc.v, enc.n);
	if (x->fds[0] < 0)
		return err_neg(e, x->fds[0], "sealing the description of the process");
	x->fds[1] = unix_connect_at(b->dir_fd, MONITOR_SOCK, SOCK_SEQPACKET, e);
	if (x->fds[1] < 0) {
		err_clear(e);
		return err_set_id(e, ERR_NOT_RUNNING, -ESRCH, "container not running");
	}
	if (x->p->terminal) { /* there is none in the root of the container, where the proxy is */
		x->fds[2] = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
		if (x->fds[2] < 0)
			return err_sys(e, "open /dev/ptmx");
		x->boot.ptmx_fd = x->fds[2];
	}
	x->boot.request_fd = x->fds[0];
	x->boot.control_fd = x->fds[1];
	return 0;
}

static void encode_exec(struct buf *out, const struct stage_boot *boot, void *arg)
{
	encode_boot(out, boot, &((struct adding *) arg)->boot);
}

int vm_exec(struct box *b, const struct pol_process *p, const struct box_io *io,
	    int (*ready)(struct box *b, void *arg, struct err *e), void *arg, pid_t *ret_pid,
	    int *ret_pidfd, struct err *e)
{
	struct adding x = {
		.p = p,
		.io = io,
		.fds = {-EBADF, -EBADF, -EBADF},
		.boot = {.mode = MONITOR_PROXY,
			 .terminal = p->terminal,
			 .ptmx_fd = -1,
			 .kernel_fd = -1,
			 .initrd_fd = -1,
			 .firmware_fd = -1,
			 .root_fd = -1,
			 .kvm_fd = -1,
			 .dh_cert_fd = -1,
			 .session_fd = -1},
	};
	struct launch_as as = {.name = MONITOR_NAME,
			       .prepare = prepare_exec,
			       .encode = encode_exec,
			       .fds = x.fds,
			       .n_fds = ARRAY_LEN(x.fds),
			       .arg = &x};
	int r = host_may(b->policy, POL_HOST_EXEC, e);

	if (r == 0)
		r = check_io(io, e);
	if (r < 0)
		return r;
	as.program = open_monitor(b->a, e);
	if (as.program < 0)
		return as.program;
	r = process_exec_as(b, io, &as, ready, arg, ret_pid, ret_pidfd, e);
	fd_close(as.program);
	for (size_t i = 0; i < ARRAY_LEN(x.fds); i++)
		fd_close(x.fds[i]);
	return r;
}
