/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/image.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/num.h"
#include "base/sha256.h"
#include "base/str.h"
#include "base/sys.h"
#include "host/guest_image.h"
#include "host/hardware.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <x86intrin.h>
#endif

#define GUEST_JSON_MAX 65536
#define TSC_FILE "tsc-khz"
#define TSC_NS 50000000ll

/* ---- the image ---- */

static const char *first_of(const char *const *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (v[i] && access(v[i], R_OK) == 0)
			return v[i];
	return NULL;
}

static const char *in_dir(struct arena *a, const char *dir, const char *name)
{
	const char *path = arena_printf(a, "%s/%s", dir, name);

	return access(path, F_OK) == 0 ? path : NULL;
}

int vm_image_find(const char *dir, struct arena *a, struct vm_image *ret, struct err *e)
{
	struct vm_image im = {.dir = arena_strdup(a, dir)};
	struct guest_image told;
	const char *json = arena_printf(a, "%s/guest.json", dir);
	struct bytes text;
	int r = io_read_at(AT_FDCWD, json, 0, GUEST_JSON_MAX, a, &text);

	if (r == -ENOENT || r == -ENOTDIR)
		return err_set(e, -ENOENT,
			       "there is no guest image in %s: `make guest install-guest` in "
			       "kavach's build tree makes one",
			       dir);
	if (r < 0)
		return err_neg(e, r, "%s", json);
	r = guest_image_parse(json, (const char *) text.v, text.n, a, &told, e);
	if (r < 0)
		return r;
	im.release = told.release;
	im.features = told.features;
	im.kernel = in_dir(a, dir, "vmlinux");
	im.bzimage = in_dir(a, dir, "vmlinuz");
	im.initrd = in_dir(a, dir, "initrd");
	if (!im.kernel || !im.initrd)
		return err_set(e, -ENOENT, "%s: %s is missing; make it anew", dir,
			       im.kernel ? "initrd" : "vmlinux");
	if (told.sha256[GUEST_INITRD_SEV]) {
		im.initrd_sev = in_dir(a, dir, guest_file_names[GUEST_INITRD_SEV]);
		if (!im.initrd_sev)
			return err_set(e, -ENOENT, "%s: %s is missing; make it anew", dir,
				       guest_file_names[GUEST_INITRD_SEV]);
	}
	im.microvm_firmware = guest_firmware_find("", im.dir, GUEST_QBOOT, a);
	im.uefi = guest_firmware_find("", im.dir, GUEST_UEFI, a);
	im.uefi_sev = guest_firmware_find("", im.dir, GUEST_UEFI_SEV, a);
	*ret = im;
	return 0;
}

/* ---- the host ---- */

#if defined(__x86_64__)
/* Leaf 0x15, on processors that know their crystal. */
static uint32_t tsc_asked(void)
{
	unsigned den = 0, num = 0, hz = 0, edx;

	if (__get_cpuid_max(0, NULL) >= 0x15)
		__cpuid_count(0x15, 0, den, num, hz, edx);
	return den && num && hz ? (uint32_t) ((uint64_t) hz * num / den / 1000) : 0;
}

static int64_t raw_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

/* A reading of both clocks, as close together as one of several tries got them. */
static void both(int64_t *ret_ns, uint64_t *ret_tsc)
{
	int64_t best = INT64_MAX;

	for (int i = 0; i < 8; i++) {
		int64_t before = raw_ns(), after;
		uint64_t tsc = __rdtsc();

		after = raw_ns();
		if (after - before >= best)
			continue;
		best = after - before;
		*ret_ns = before + best / 2;
		*ret_tsc = tsc;
	}
}

static uint32_t tsc_measured(void)
{
	const struct timespec wait = {.tv_nsec = TSC_NS};
	int64_t ns0 = 0, ns1 = 0;
	uint64_t tsc0 = 0, tsc1 = 0;

	both(&ns0, &tsc0);
	nanosleep(&wait, NULL);
	both(&ns1, &tsc1);
	if (ns1 <= ns0 || tsc1 <= tsc0)
		return 0;
	return (uint32_t) ((tsc1 - tsc0) * 1000000ull / (uint64_t) (ns1 - ns0));
}
#else
static uint32_t tsc_asked(void)
{
	return 0;
}
static uint32_t tsc_measured(void)
{
	return 0;
}
#endif

/* "BOOT-ID KHZ": of this boot, and only then. */
static uint32_t tsc_kept(int cache_fd, const char *boot)
{
	char text[96];
	const char *khz;
	uint32_t ret;

	if (cache_fd < 0 || io_read_small(cache_fd, TSC_FILE, text, sizeof(text)) < 0)
		return 0;
	khz = str_prefix(text, boot);
	if (!khz || *khz != ' ' || num_parse_u32(khz + 1, &ret) < 0)
		return 0;
	return ret;
}

static uint32_t tsc_khz(int cache_fd)
{
	char boot[64], text[96];
	uint32_t khz = tsc_asked();

	if (khz)
		return khz;
	if (io_read_small(AT_FDCWD, "/proc/sys/kernel/random/boot_id", boot, sizeof(boot)) <= 0)
		return tsc_measured();
	khz = tsc_kept(cache_fd, boot);
	if (khz)
		return khz;
	khz = tsc_measured();
	if (khz && cache_fd >= 0) {
		int n = snprintf(text, sizeof(text), "%s %u\n", boot, khz);

		/* without it, it is measured again */
		(void) io_replace_at(cache_fd, TSC_FILE, 0600, text, (size_t) n);
	}
	return khz;
}

static const char *find_qemu(void)
{
	static const char *const places[] = {
		"/usr/local/bin/qemu-system-x86_64",
		"/usr/bin/qemu-system-x86_64",
		"/usr/libexec/qemu-kvm",
	};

	return first_of(places, ARRAY_LEN(places));
}

/* The one that the site names is taken, whether it is there or not: that it is missing is then an error. */
static const char *find_virtiofsd(const struct policy *p)
{
	if (p->vm.virtiofsd)
		return p->vm.virtiofsd;
	for (const char *const *v = guest_virtiofsd_places; *v; v++)
		if (access(*v, X_OK) == 0)
			return *v;
	return NULL;
}

int vm_host_probe(const struct policy *p, int cache_fd, struct arena *a, struct vm_host *ret,
		  struct err *e)
{
	struct vm_host h = {
		.hypervisor = find_qemu(), .virtiofsd = find_virtiofsd(p), .cbitpos = hw_cbitpos()};
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned major, minor;
	struct sysinfo si;
	struct utsname u;

	(void) a;
	h.cpus = cpus > 0 ? (uint32_t) cpus : 0;
	if (uname(&u) == 0 && sscanf(u.release, "%u.%u", &major, &minor) == 2)
		h.kernel = major << 16 | minor << 8;
	if (sysinfo(&si) == 0)
		h.memory = (uint64_t) si.totalram * si.mem_unit;
	if (p->vm.accel == POL_ACCEL_TCG) {
		h.tsc_khz = tsc_khz(cache_fd);
		if (!h.tsc_khz)
			return err_set(e, -ENOTSUP,
				       "the frequency of this host's TSC cannot be measured");
	}
	*ret = h;
	return 0;
}

/* ---- files ---- */

static const char *const lists[] = {
	[POL_VM_HYPERVISOR] = "vm.hypervisors", [POL_VM_KERNEL] = "vm.kernels",
	[POL_VM_INITRD] = "vm.initrds",		[POL_VM_FIRMWARE] = "vm.firmware",
	[POL_VM_VIRTIOFSD] = "vm.virtiofsd",
};

static int hash_fd(int fd, const char *path, char ret[SHA256_HEX], struct err *e)
{
	uint8_t digest[SHA256_LEN];
	static char buf[1 << 16];
	struct sha256 h;
	off_t at = 0;
	ssize_t n;

	sha256_init(&h);
	while ((n = pread(fd, buf, sizeof(buf), at)) > 0) {
		sha256_add(&h, buf, (size_t) n);
		at += n;
	}
	if (n < 0)
		return err_sys(e, "reading %s", path);
	sha256_end(&h, digest);
	sha256_hex(digest, ret);
	return 0;
}

static int hold_against_list(const struct policy *p, enum pol_vm_kind kind, const char *path,
			     int fd, struct err *e)
{
	const struct pol_vm_file *f = NULL;
	char hex[SHA256_HEX];
	int r;

	if (!(p->vm.limited >> kind & 1))
		return 0;
	for (size_t i = 0; i < p->vm.files.n; i++)
		if (p->vm.files.v[i].kind == (uint32_t) kind && str_eq(p->vm.files.v[i].path, path))
			f = &p->vm.files.v[i];
	if (!f)
		return err_set_id(e, ERR_CONFIG, -EPERM,
				  "the site's rules: %s: %s is not in the list", lists[kind], path);
	r = hash_fd(fd, path, hex, e);
	if (r < 0 || str_eq(hex, f->sha256))
		return r;
	return err_set_id(e, ERR_CONFIG, -EPERM,
			  "the site's rules: %s: %s: expected SHA-256 %s, found %s", lists[kind],
			  path, f->sha256, hex);
}

int vm_file_check(const struct policy *p, enum pol_vm_kind kind, const char *path, int *ret_fd,
		  struct err *e)
{
	fd_auto int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	int r;

	if (fd < 0)
		return err_sys(e, "opening %s", path);
	if (fstat(fd, &st) < 0)
		return err_sys(e, "%s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, -EINVAL, "%s: expected a regular file", path);
	/* It runs with a guest's memory in its hands, or is what a container trusts. */
	if ((st.st_uid != 0 && st.st_uid != geteuid()) || st.st_mode & (S_IWGRP | S_IWOTH))
		return err_set(
			e, -EPERM,
			"%s: somebody else may write it (owner %u, mode %04o); expected root's, "
			"and nobody else's to write",
			path, st.st_uid, st.st_mode & 07777);
	r = hold_against_list(p, kind, path, fd, e);
	if (r == 0)
		*ret_fd = fd_take(&fd);
	return r;
}

int vm_file_tree(const struct policy *p, enum pol_vm_kind kind, const char *path, int *ret_fd,
		 struct err *e)
{
	fd_auto int fd = -EBADF;
	int r = vm_file_check(p, kind, path, &fd, e), tree;

	if (r < 0)
		return r;
	tree = sys_open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	if (tree < 0)
		return err_neg(e, tree, "a mount of %s", path);
	*ret_fd = tree;
	return 0;
}
