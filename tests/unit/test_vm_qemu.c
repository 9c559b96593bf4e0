/* SPDX-License-Identifier: Apache-2.0 */
/* libs: vm attest exec hooks policy host json base */
/*
 * The installed QEMU, in its jail, with the arguments of each kind of VM: it accepts every one of them, stops before the
 * guest's first instruction, and answers QMP. What it boots is the smallest that it takes for a kernel. KVM is replaced
 * by TCG here (the arguments of both are in golden files); a confidential VM is started once without what makes it
 * confidential, and once as it is: then QEMU refuses, for want of a processor.
 */
#include <elf.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sys.h"
#include "tap.h"
#include "vm/image.h"
#include "vm/jail.h"
#include "vm/qemu.h"
#include "vm/qmp.h"

#define UID 1879050001u
#define LIMIT_MS 60000

static struct arena arena;
static struct err err;
static char dir[] = "/tmp/kavach-qemu.XXXXXX";
static const char *qemu;

static char *at(const char *name)
{
	return arena_printf(&arena, "%s/%s", dir, name);
}

static void put(const char *name, const void *p, size_t n)
{
	int fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || io_write_all(fd, p, n) < 0)
		bail_out("cannot write a file");
	close(fd);
}

/* ---- what is booted ---- */

/* A program of one page with the note that says where a PVH guest begins. */
static void make_elf(void)
{
	struct {
		Elf64_Ehdr head;
		Elf64_Phdr ph[2];
		Elf64_Nhdr note;
		char name[4];
		uint64_t entry;
		uint8_t code[64];
	} __attribute__((packed)) k = {
		.head = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
			 .e_type = ET_EXEC,
			 .e_machine = EM_X86_64,
			 .e_version = EV_CURRENT,
			 .e_entry = 0x1000000,
			 .e_phoff = sizeof(Elf64_Ehdr),
			 .e_ehsize = sizeof(Elf64_Ehdr),
			 .e_phentsize = sizeof(Elf64_Phdr),
			 .e_phnum = 2},
		.note = {.n_namesz = 4, .n_descsz = 8, .n_type = 18},
		.name = "Xen",
		.entry = 0x1000000,
		.code = {0xf4},
	};

	k.ph[0] = (Elf64_Phdr){.p_type = PT_LOAD,
			       .p_flags = PF_R | PF_X,
			       .p_offset = offsetof(typeof(k), code),
			       .p_vaddr = 0x1000000,
			       .p_paddr = 0x1000000,
			       .p_filesz = sizeof(k.code),
			       .p_memsz = sizeof(k.code),
			       .p_align = 1};
	k.ph[1] = (Elf64_Phdr){.p_type = PT_NOTE,
			       .p_offset = offsetof(typeof(k), note),
			       .p_filesz = 24,
			       .p_memsz = 24,
			       .p_align = 4};
	put("elf", &k, sizeof(k));
}

/* The header of the boot protocol, version 2.12, and a sector of nothing. */
static void make_bzimage(void)
{
	static uint8_t k[4096];

	k[0x1f1] = 1; /* sectors of set-up */
	k[0x1fe] = 0x55, k[0x1ff] = 0xaa;
	memcpy(k + 0x202, "HdrS", 4);
	k[0x206] = 0x0c, k[0x207] = 0x02;
	k[0x211] = 1;							    /* loaded high */
	k[0x22c] = 0xff, k[0x22d] = 0xff, k[0x22e] = 0xff, k[0x22f] = 0x7f; /* initrd's end */
	k[0x238] = 0xff, k[0x239] = 0x07; /* length of a command line */
	put("bzimage", k, sizeof(k));
}

static void make_files(void)
{
	static const uint8_t zeros[65536];

	make_elf();
	make_bzimage();
	put("initrd", "070701", 6);
	put("firmware", zeros, sizeof(zeros));
	put("disk", zeros, sizeof(zeros));
	if (mkdir(at("share"), 0755) < 0)
		bail_out("cannot make a folder");
}

/* ---- shapes ---- */

static struct vm_shape shape(uint32_t backend, const char *machine, uint32_t nics)
{
	static struct pol_ns net[] = {{POL_NS_NET, NULL}};
	static struct pol_vm_file none;
	struct policy p = {.backend = backend, .ns = {net, nics ? 1 : 0}};
	struct vm_host h = {.cpus = 2,
			    .memory = 4ull << 30,
			    .tsc_khz = 2000000,
			    .hypervisor = qemu,
			    .cbitpos = 51,
			    .nics = nics};
	struct vm_image im = {.dir = dir,
			      .kernel = at("elf"),
			      .bzimage = at("bzimage"),
			      .initrd = at("initrd"),
			      .release = "test",
			      .microvm_firmware = at("firmware"),
			      .uefi = at("firmware"),
			      .uefi_sev = at("firmware")};
	struct vm_shape s = {0};

	p.vm.set = true;
	p.vm.accel = backend == POL_BACKEND_VM ? POL_ACCEL_TCG : POL_ACCEL_KVM;
	p.vm.root = backend == POL_BACKEND_VM ? POL_VM_ROOT_SHARED : POL_VM_ROOT_PACKED;
	p.vm.machine = machine ? arena_strdup(&arena, machine) : NULL;
	p.vm.files.v = &none;
	p.vm.memory = (struct opt_u64){true, 128u << 20};
	im.features = str_split(&arena, "boot 9p block erofs overlay verity net rng balloon sev",
				' ');
	if (vm_shape_decide(&p, &h, &im, &arena, &s, &err) < 0)
		bail_out(err.msg);
	return s;
}

/* ---- a VM ---- */

struct vm {
	pid_t pid;
	int pidfd, log;
	int channel, qmp, console;
	struct qmp *q;
	char heard[512];
	bool answered;
};

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static int pair(int *ret_theirs)
{
	int s[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s) < 0)
		bail_out("no sockets");
	*ret_theirs = s[1];
	return s[0];
}

static int open_tap(uint32_t i)
{
	struct ifreq r = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	snprintf(r.ifr_name, sizeof(r.ifr_name), "kvt%u", i);
	if (fd >= 0 && ioctl(fd, TUNSETIFF, &r) < 0)
		fd = fd_close(fd);
	return fd;
}

/* Arguments to leave out, with the one that follows, or to put in another's place. */
struct edit {
	const char *was, *is; /* is: NULL: this one and the one before go */
};

static char **edited(char **argv, const struct edit *v, size_t n)
{
	size_t len = 0, out = 0;
	char **ret;

	while (argv[len])
		len++;
	ret = arena_array(&arena, len + 1, sizeof(*ret));
	for (size_t i = 0; i < len; i++) {
		const struct edit *e = NULL;

		for (size_t k = 0; k < n; k++)
			if (str_prefix(argv[i], v[k].was))
				e = &v[k];
		if (e && !e->is) {
			out--;
			continue;
		}
		ret[out++] = e ? arena_strdup(&arena, e->is) : argv[i];
	}
	return ret;
}

static int start(const struct vm_shape *s, const struct edit *edits, size_t n_edits, struct vm *ret)
{
	struct jail_fd fds[32];
	struct jail_file files[4] = {
		{.name = "kernel", .fd = -EBADF, .path = s->kernel},
		{.name = "initrd", .fd = -EBADF, .path = s->initrd},
		{.name = "firmware", .fd = -EBADF, .path = s->firmware},
		{.name = "share", .fd = -EBADF, .path = at("share"), .writable = true},
	};
	struct jail j = {.program = s->hypervisor,
			 .fds = fds,
			 .files = files,
			 .n_files = s->root == VM_ROOT_9P ? 4 : 3,
			 .uid = UID,
			 .gid = UID,
			 .role = s->root == VM_ROOT_9P ? JAIL_9P : JAIL_NO_FILES};
	int log[2], r;
	char **argv;
	size_t n;

	*ret = (struct vm){.pidfd = -EBADF};
	if (vm_qemu_argv(s, &vm_names_jail, true, &arena, &argv, &n, &err) < 0 ||
	    pipe2(log, O_CLOEXEC) < 0)
		bail_out("no arguments");
	j.argv = edited(argv, edits, n_edits);
	j.log_fd = log[1];
	fds[j.n_fds++].as = VM_FD_CHANNEL;
	ret->channel = pair(&fds[j.n_fds - 1].fd);
	fds[j.n_fds++].as = VM_FD_QMP;
	ret->qmp = pair(&fds[j.n_fds - 1].fd);
	fds[j.n_fds++].as = VM_FD_CONSOLE;
	ret->console = pair(&fds[j.n_fds - 1].fd);
	for (uint32_t i = 0; i < s->disks; i++)
		fds[j.n_fds++] = (struct jail_fd){open(at("disk"), O_RDONLY | O_CLOEXEC),
						  (int) (VM_FD_DISK + i)};
	for (uint32_t i = 0; i < s->nics; i++)
		fds[j.n_fds++] = (struct jail_fd){open_tap(i), (int) (VM_FD_TAP + i)};
	if (s->accel == VM_KVM)
		fds[j.n_fds++] = (struct jail_fd){open("/dev/kvm", O_RDWR | O_CLOEXEC), VM_FD_KVM};
	err = ERR_INIT;
	r = jail_spawn(&j, &ret->pid, &ret->pidfd, &err);
	for (size_t i = 0; i < j.n_fds; i++)
		close(fds[i].fd);
	close(log[1]);
	ret->log = log[0];
	return r;
}

/* What it printed, when it has ended. */
static const char *end(struct vm *v, int *ret_status)
{
	struct bytes text = {0};

	if (io_read_fd(v->log, 65536, &arena, &text) < 0)
		bail_out("cannot read what QEMU says");
	waitpid(v->pid, ret_status, 0);
	close(v->log), close(v->pidfd), close(v->channel), close(v->qmp), close(v->console);
	return (const char *) text.v;
}

static void on_reply(void *arg, const struct qmp_reply *r)
{
	struct vm *v = arg;

	snprintf(v->heard, sizeof(v->heard), "%s%s%s", qmp_cmd_name(r->cmd),
		 r->failed ? " failed: " : " ", r->text);
	v->answered = true;
}

static void on_event(void *arg, enum qmp_event ev, const char *text)
{
	(void) arg, (void) ev, (void) text;
}

/* Asks, and waits for the answer or for the end of QEMU. */
static const char *ask(struct vm *v, enum qmp_cmd cmd, const struct qmp_args *args)
{
	v->answered = false;
	if (qmp_send(v->q, cmd, args, 1, now_ns(), &err) < 0)
		return err.msg;
	while (!v->answered && qmp_events(v->q)) {
		struct pollfd p = {v->qmp, qmp_events(v->q), 0};

		if (poll(&p, 1, LIMIT_MS) < 0 || qmp_io(v->q, now_ns(), &err) < 0)
			return err.msg;
	}
	return v->answered ? v->heard : "it has ended";
}

static char *status_of(pid_t pid, const char *name)
{
	struct bytes text;
	char *line;

	if (io_read_at(AT_FDCWD, arena_printf(&arena, "/proc/%d/status", pid), O_RDONLY, 65536,
		       &arena, &text) < 0)
		return NULL;
	for (line = strtok((char *) text.v, "\n"); line; line = strtok(NULL, "\n"))
		if (str_prefix(line, name))
			return arena_strdup(&arena, strchr(line, '\t') + 1);
	return NULL;
}

static void confined(const struct vm *v, bool root)
{
	const char *caps = root ? "000000000000001b" : "0000000000000000";

	is_str(status_of(v->pid, "CapEff"), caps, "... its capabilities");
	is_str(status_of(v->pid, "CapBnd"), caps, "... and what they could become");
	is_str(status_of(v->pid, "NoNewPrivs"), "1", "... it cannot gain any");
	is_str(status_of(v->pid, "Seccomp"), "2", "... it has a filter of its own");
}

static void test_accepted(const char *what, struct vm_shape s, const struct edit *edits,
			  size_t n_edits)
{
	static const struct qmp_ops ops = {on_reply, on_event};
	struct vm v;
	int status = 0;
	const char *said;

	if (start(&s, edits, n_edits, &v) < 0) {
		ok(false, "%s: %s", what, err.msg);
		return;
	}
	v.q = arena_new(&arena, struct qmp);
	(void) fcntl(v.qmp, F_SETFL, O_NONBLOCK);
	qmp_init(v.q, v.qmp, &ops, &v, LIMIT_MS, now_ns());
	is_str(ask(&v, QMP_QUERY_STATUS, NULL), "query-status prelaunch",
	       "%s: QEMU waits for its start", what);
	if (v.answered)
		confined(&v, s.root == VM_ROOT_9P);
	is_str(ask(&v, QMP_QUERY_SEV_MEASURE, NULL),
	       "query-sev-launch-measure failed: SEV launch measurement is not available",
	       "... and answers about SEV");
	if (s.balloon)
		is_str(ask(&v, QMP_QUERY_BALLOON, NULL), "query-balloon ", "... has a balloon");
	(void) ask(&v, QMP_QUIT, NULL);
	said = end(&v, &status);
	is_str(said, "", "... it had nothing to complain about");
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "... and ends when told to");
}

/* ---- confidential ones ---- */

/* OVMF's build for SEV, where contrib/setup has unpacked it. */
static const char *sev_firmware(void)
{
	const char *packages = getenv("KAVACH_PACKAGES_DIR"), *home = getenv("HOME");
	char *path;

	packages = packages ? packages
			    : arena_printf(&arena, "%s/.cache/kavach-packages", home ? home : "");
	path = arena_printf(&arena, "%s/ovmf-amdsev/usr/share/ovmf/OVMF.amdsev.fd", packages);
	return access(path, R_OK) == 0 ? path : NULL;
}

static void test_sev(const char *what, uint32_t backend)
{
	static const struct edit plain[] = {
		{"fd=7,", NULL},
		{"kvm,", "tcg"},
		{"EPYC", "max"},
		{"sev-", NULL},
		{"q35,", "q35,memory-backend=ram0,smm=off,vmport=off,kernel-irqchip=split"},
	};
	static const struct edit emulated[] = {{"fd=7,", NULL}, {"kvm,", "tcg"}, {"EPYC", "max"}};
	struct vm_shape s = shape(backend, NULL, 0);
	uint8_t host_data[32] = {1}, block[96] = {2}, auth[4096] = {3};
	const char *said;
	struct vm v;
	int status = 0;

	if (backend == POL_BACKEND_SEV_SNP) {
		s.sev.host_data = (struct bytes){host_data, 32};
		s.sev.id_block = (struct bytes){block, 96};
		s.sev.id_auth = (struct bytes){auth, 4096};
		s.sev.author_key = s.sev.vcek_disabled = true;
	} else {
		s.sev.dh_cert = s.sev.session = "AAAA"; /* read at a launch, which there is none of */
	}
	if (sev_firmware())
		s.firmware = sev_firmware();
	test_accepted(arena_printf(&arena, "%s but for the encryption", what), s, plain,
		      ARRAY_LEN(plain));
	/* Every property is read before the accelerator is asked. */
	if (start(&s, emulated, ARRAY_LEN(emulated), &v) < 0) {
		ok(false, "%s: %s", what, err.msg);
		return;
	}
	said = end(&v, &status);
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 1 && !strstr(said, "Property") &&
		   !strstr(said, "Invalid") &&
		   (strstr(said, "KVM required") || strstr(said, "accelerator does not support") ||
		    (!sev_firmware() && strstr(said, "GUID"))),
	   "%s: without KVM it is refused, for that reason only", what);
	printf("# %s", said);
}

static bool says(const char *argument, const char *const *words, size_t n)
{
	char *const argv[] = {arena_strdup(&arena, qemu),     arena_strdup(&arena, "-M"),
			      arena_strdup(&arena, "none"),   arena_strdup(&arena, "-device"),
			      arena_strdup(&arena, argument), NULL};
	struct bytes text = {0};
	int p[2], status;
	bool ret = true;
	pid_t pid;

	if (pipe2(p, O_CLOEXEC) < 0)
		bail_out("no pipe");
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		dup2(p[1], 1), dup2(p[1], 2);
		execv(qemu, argv);
		_exit(127);
	}
	close(p[1]);
	if (io_read_fd(p[0], 65536, &arena, &text) < 0)
		bail_out("cannot read what QEMU says");
	close(p[0]);
	waitpid(pid, &status, 0);
	for (size_t i = 0; i < n; i++)
		ret = ret && strstr((const char *) text.v, words[i]);
	return ret;
}

static void test_all(void)
{
	static const char *const vfs[] = {"chardev=", "tag="};
	struct vm_shape s = shape(POL_BACKEND_VM, NULL, 0);

	test_accepted("microvm with 9p", s, NULL, 0);
	test_accepted("q35 with 9p", shape(POL_BACKEND_VM, "q35", 0), NULL, 0);
	s.root = VM_ROOT_EROFS;
	s.disks = VM_DISKS_MAX;
	test_accepted("microvm with four disks", s, NULL, 0);
	close(open_tap(0));
	if (access("/dev/net/tun", R_OK | W_OK) == 0) {
		test_accepted("microvm with eight interfaces",
			      shape(POL_BACKEND_VM, NULL, VM_NICS_MAX), NULL, 0);
		test_accepted("q35 with one interface", shape(POL_BACKEND_VM, "q35", 1), NULL, 0);
	} else {
		skip("no /dev/net/tun", "VMs with interfaces");
	}
	ok(says("vhost-user-fs-device,help", vfs, 2) && says("vhost-user-fs-pci,help", vfs, 2),
	   "virtiofs has the properties that are used");
	test_sev("SEV-SNP", POL_BACKEND_SEV_SNP);
	test_sev("SEV-ES", POL_BACKEND_SEV_ES);
	test_sev("SEV", POL_BACKEND_SEV);
}

int main(void)
{
	struct policy p = {.vm.accel = POL_ACCEL_KVM};
	struct vm_host h = {0};

	umask(022);
	if (vm_host_probe(&p, -EBADF, &arena, &h, &err) == 0)
		qemu = h.hypervisor;
	if (geteuid() != 0 || unshare(CLONE_NEWNS | CLONE_NEWNET) < 0 || !qemu) {
		skip(qemu ? "needs root" : "no QEMU", "QEMU with the arguments of each kind of VM");
		return done();
	}
	if (!mkdtemp(dir) || chmod(dir, 0755) < 0)
		bail_out("no folder");
	make_files();
	test_all();
	if (system(arena_printf(&arena, "rm -rf %s", dir)) != 0)
		bail_out("cannot clean up");
	arena_free(&arena);
	return done();
}
