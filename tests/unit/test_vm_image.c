/* SPDX-License-Identifier: Apache-2.0 */
/* libs: vm policy host json base */
/* The guest image, the files that a VM is made of and who may have written them, and facts about this host. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "tap.h"
#include "vm/image.h"

static struct arena arena;
static struct err err;
static char dir[] = "/tmp/kavach-image.XXXXXX";

static char *at(const char *name)
{
	return arena_printf(&arena, "%s/%s", dir, name);
}

static void put(const char *name, const char *text, mode_t mode)
{
	int fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	if (fd < 0 || io_write_all(fd, text, strlen(text)) < 0 || fchmod(fd, mode) < 0)
		bail_out("cannot write a file");
	close(fd);
}

static int find(struct vm_image *ret)
{
	err = ERR_INIT;
	return vm_image_find(dir, &arena, ret, &err);
}

#define A16 "aaaaaaaaaaaaaaaa"
#define DIGEST "\"" A16 A16 A16 A16 "\""
#define GUEST                                                                                                        \
	"{\"version\": 1, \"release\": \"6.12\", \"features\": [\"boot\", \"9p\"], \"files\": {\"vmlinux\": " DIGEST \
	", \"vmlinuz\": " DIGEST ", \"initrd\": " DIGEST "}}"
#define GUEST_SEV                                                                                    \
	"{\"version\": 1, \"release\": \"6.12\", \"features\": [], \"files\": {\"vmlinux\": " DIGEST \
	", \"vmlinuz\": " DIGEST ", \"initrd\": " DIGEST ", \"initrd-sev\": " DIGEST "}}"

static void test_image(void)
{
	struct vm_image im = {0};

	is_int(find(&im), -ENOENT, "no image");
	ok(strstr(err.msg, "make guest"), "says how to make one");
	put("guest.json", GUEST, 0644);
	is_int(find(&im), -ENOENT, "an image without a kernel");
	put("vmlinux", "k", 0644);
	put("initrd", "i", 0644);
	is_int(find(&im), 0, "an image");
	is_str(im.kernel, at("vmlinux"), "its kernel");
	ok(!im.bzimage, "no packed kernel");
	is_str(im.initrd, at("initrd"), "its initrd");
	is_str(im.release, "6.12", "its kernel's release");
	ok(im.features.n == 2 && strs_has(&im.features, "9p"), "its features");
	put("qboot.rom", "q", 0644);
	put("OVMF.amdsev.fd", "o", 0644);
	put("vmlinuz", "z", 0644);
	(void) find(&im);
	is_str(im.microvm_firmware, at("qboot.rom"), "firmware beside it comes first");
	is_str(im.uefi_sev, at("OVMF.amdsev.fd"), "of each kind");
	is_str(im.bzimage, at("vmlinuz"), "the packed kernel");
	ok(!im.initrd_sev, "no initrd of its own for confidential guests");
	put("guest.json", GUEST_SEV, 0644);
	is_int(find(&im), -ENOENT, "one that is named must be there");
	put("initrd-sev", "s", 0644);
	ok(find(&im) == 0 && str_eq0(im.initrd_sev, at("initrd-sev")), "and then it is found");
	put("guest.json", "{\"version\": 2}", 0644);
	ok(find(&im) == -EINVAL && err.id == ERR_CONFIG, "an image of another version");
	put("guest.json", "{\"version\": 1, \"release\": 6}", 0644);
	is_int(find(&im), -EINVAL, "an image without a release");
	put("guest.json", "{", 0644);
	ok(find(&im) < 0, "half a guest.json");
}

/* SHA-256 of "k" */
#define K_SHA256 "8254c329a92850f6d539dd376f4816ee2764517da5e0235514af433164480d7a"

static int check(const struct policy *p, const char *name)
{
	fd_auto int fd = -EBADF;

	err = ERR_INIT;
	return vm_file_check(p, POL_VM_KERNEL, at(name), &fd, &err);
}

static void test_files(void)
{
	struct pol_vm_file files[2] = {
		{POL_VM_KERNEL, at("vmlinux"), arena_strdup(&arena, K_SHA256)},
		{POL_VM_INITRD, at("initrd"), arena_strdup(&arena, K_SHA256)},
	};
	struct policy p = {0};

	is_int(check(&p, "vmlinux"), 0, "a file of ours");
	is_int(check(&p, "none"), -ENOENT, "one that is not there");
	is_int(check(&p, "."), -EINVAL, "a folder");
	chmod(at("vmlinux"), 0664);
	ok(check(&p, "vmlinux") == -EPERM && strstr(err.msg, "mode 0664"),
	   "a file that a group may write");
	chmod(at("vmlinux"), 0646);
	is_int(check(&p, "vmlinux"), -EPERM, "a file that everybody may write");
	chmod(at("vmlinux"), 0644);
	if (geteuid() == 0 && chown(at("vmlinux"), 65534, 65534) == 0) {
		is_int(check(&p, "vmlinux"), -EPERM, "somebody else's");
		ok(chown(at("vmlinux"), 0, 0) == 0, "root's again");
	} else {
		skip("needs root", "somebody else's");
	}
	p.vm.limited = 1u << POL_VM_KERNEL;
	is_int(check(&p, "vmlinux"), -EPERM, "not in an empty list");
	p.vm.files.v = files;
	p.vm.files.n = 2;
	is_int(check(&p, "vmlinux"), 0, "in the list, with its digest");
	is_int(check(&p, "vmlinuz"), -EPERM, "not in the list");
	is_int(check(&p, "initrd"), -EPERM, "in the list of another kind");
	put("vmlinux", "K", 0644);
	ok(check(&p, "vmlinux") == -EPERM && err.id == ERR_CONFIG && strstr(err.msg, K_SHA256),
	   "changed since");
}

static uint32_t khz(int cache)
{
	struct policy p = {.vm.accel = POL_ACCEL_TCG};
	struct vm_host h = {0};

	err = ERR_INIT;
	if (vm_host_probe(&p, cache, &arena, &h, &err) < 0)
		return 0;
	return h.tsc_khz;
}

static void test_host(void)
{
	fd_auto int cache = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct policy p = {.vm.accel = POL_ACCEL_KVM};
	struct vm_host h = {0};
	struct bytes text;
	uint32_t first, again;

	ok(vm_host_probe(&p, cache, &arena, &h, &err) == 0 && h.cpus > 0 && h.memory > (1 << 20),
	   "this host has a processor and memory");
	ok(h.tsc_khz == 0 && faccessat(cache, "tsc-khz", F_OK, 0) < 0,
	   "nothing is measured for KVM");
	first = khz(cache);
	ok(first > 100000 && first < 20000000, "its TSC has %u kHz", first);
	if (io_read_at(cache, "tsc-khz", 0, 100, &arena, &text) < 0) {
		skip("the processor knows it", "it is kept");
		return;
	}
	again = khz(cache);
	is_int(again, first, "the same again, from where it was kept");
	put("tsc-khz", "00000000-0000-0000-0000-000000000000 17\n", 0600);
	again = khz(cache);
	ok(again > first / 2 && again < first * 2, "not from another boot");
	again = khz(-EBADF);
	ok(again > first - first / 100 && again < first + first / 100,
	   "measured again, it is the same to a hundredth");
}

int main(void)
{
	umask(022);
	if (!mkdtemp(dir))
		bail_out("no directory");
	test_image();
	test_files();
	test_host();
	if (system(arena_printf(&arena, "rm -rf %s", dir)) != 0)
		bail_out("cannot clean up");
	arena_free(&arena);
	return done();
}
