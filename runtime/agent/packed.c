/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A packed root: disk -> dm-verity -> erofs, and overlayfs with a tmpfs above it.
 *
 * The host's part in it is the disk, which is found by its serial number and believed in nothing. dm-verity is set up by the
 * kernel's own calls (ioctl(2) on /dev/mapper/control; include/uapi/linux/dm-ioctl.h), with the root hash of the sealed policy.
 * What it finds to be another block than the hash says is a panic, and with panic=-1 and QEMU's -no-reboot the end of the VM: an
 * error for the program that read would be one that it could be made to ignore.
 */
#include <dirent.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/agent.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"

#define SERIAL "kavach0" /* VM_DISK_SERIAL of the first disk (vm/qemu.h) */
#define DISK_WAIT_MS 10000
#define CONTROL "/dev/mapper/control"
#define NAME "root"
#define SECTORS 8u /* of 512 bytes, to a block */
#define IMAGE "/run/image"
#define UPPER "/run/upper"
#define HASH_DIGITS 64u
#define SALT_DIGITS 512u

static bool is_hex(const char *s)
{
	return strlen(s) % 2 == 0 && strspn(s, "0123456789abcdef") == strlen(s);
}

int packed_check(const struct pol_vm *vm, struct err *e)
{
	const char *what = NULL;

	if (str_empty(vm->root_hash) || strlen(vm->root_hash) != HASH_DIGITS ||
	    !is_hex(vm->root_hash))
		what = "root hash";
	else if (str_empty(vm->root_salt) || strlen(vm->root_salt) > SALT_DIGITS ||
		 !is_hex(vm->root_salt))
		what = "salt";
	else if (!vm->root_blocks || vm->root_blocks > UINT32_MAX)
		what = "number of blocks";
	return what ? err_set(e, -EINVAL, "the policy has no %s of the packed root", what) : 0;
}

/* ---- the disk ---- */

static bool has_serial(const char *disk)
{
	char path[300], serial[64];

	snprintf(path, sizeof(path), "/sys/block/%s/serial", disk);
	return io_read_small(AT_FDCWD, path, serial, sizeof(serial)) > 0 && str_eq(serial, SERIAL);
}

static bool look_for_disk(char *ret, size_t size)
{
	DIR *d = opendir("/sys/block");
	bool found = false;
	struct dirent *de;

	while (d && !found && (de = readdir(d)))
		if (de->d_name[0] != '.' && has_serial(de->d_name)) {
			snprintf(ret, size, "/dev/%s", de->d_name);
			found = access(ret, R_OK) == 0;
		}
	if (d)
		closedir(d);
	return found;
}

/* Its driver has just been loaded. */
static int find_disk(char *ret, size_t size, struct err *e)
{
	const struct timespec nap = {.tv_nsec = 2000000};
	bool found = look_for_disk(ret, size);

	for (unsigned ms = 0; !found && ms < DISK_WAIT_MS; ms += 2) {
		nanosleep(&nap, NULL);
		found = look_for_disk(ret, size);
	}
	return found ? 0 : err_set(e, -ENODEV, "there is no disk with the packed root");
}

/* ---- dm-verity ---- */

struct request {
	struct dm_ioctl h;
	struct dm_target_spec target;
	char params[2048];
};

static int ask(int control, unsigned long what, struct request *q, uint32_t flags, struct err *e)
{
	q->h.version[0] = DM_VERSION_MAJOR;
	q->h.version[1] = q->h.version[2] = 0;
	q->h.data_size = sizeof(*q);
	q->h.data_start = offsetof(struct request, target);
	q->h.flags = flags;
	snprintf(q->h.name, sizeof(q->h.name), NAME);
	return ioctl(control, what, &q->h) < 0 ? err_sys(e, "the packed root: dm-verity") : 0;
}

static int fill_table(const struct pol_vm *vm, const char *disk, struct request *q, struct err *e)
{
	/* version, data, hashes, sizes of their blocks, how many are data, where the tree begins, what it is made of */
	int n = snprintf(q->params, sizeof(q->params),
			 "1 %s %s 4096 4096 %llu %llu sha256 %s %s 1 panic_on_corruption", disk,
			 disk, (unsigned long long) vm->root_blocks,
			 (unsigned long long) vm->root_blocks, vm->root_hash, vm->root_salt);

	if (n < 0 || (size_t) n >= sizeof(q->params))
		return err_set(e, -E2BIG, "the packed root: its table is too long");
	q->h.target_count = 1;
	q->target.sector_start = 0;
	q->target.length = vm->root_blocks * SECTORS;
	snprintf(q->target.target_type, sizeof(q->target.target_type), "verity");
	return 0;
}

/* What is checked appears as /dev/dm-N. */
static int check_disk(const struct pol_vm *vm, const char *disk, char *ret, size_t size,
		      struct err *e)
{
	fd_auto int control = open(CONTROL, O_RDWR | O_CLOEXEC);
	struct request q = {0};
	int r;

	if (control < 0)
		return err_sys(e, "the packed root: " CONTROL);
	r = ask(control, DM_DEV_CREATE, &q, 0, e);
	if (r < 0)
		return r;
	/* the kernel's "huge" form of a device number: what is above the lowest 8 bits of the minor one comes last */
	snprintf(ret, size, "/dev/dm-%u",
		 (unsigned) ((q.h.dev & 0xff) | ((q.h.dev >> 12) & 0xfff00)));
	q = (struct request){0};
	r = fill_table(vm, disk, &q, e);
	if (r == 0)
		r = ask(control, DM_TABLE_LOAD, &q, DM_READONLY_FLAG, e);
	q = (struct request){0};
	/* without DM_SUSPEND_FLAG: resume, which puts the table in force */
	return r < 0 ? r : ask(control, DM_DEV_SUSPEND, &q, 0, e);
}

/* ---- the file systems ---- */

static int make_dir(const char *path, struct err *e)
{
	return mkdir(path, 0755) < 0 && errno != EEXIST ? err_sys(e, "making %s", path) : 0;
}

/* The root of the result has the mode and the owner of the upper folder. */
static int like_image(struct err *e)
{
	struct stat st;

	if (stat(IMAGE, &st) < 0)
		return err_sys(e, "the packed root");
	if (chown(UPPER "/root", st.st_uid, st.st_gid) < 0 ||
	    chmod(UPPER "/root", st.st_mode & 07777) < 0)
		return err_sys(e, "the packed root: " UPPER "/root");
	return 0;
}

static int mount_all(const char *dev, struct err *e)
{
	static const char *const dirs[] = {IMAGE, UPPER, AGENT_SHARE, AGENT_SHARE "/root"};
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(dirs) && r == 0; i++)
		r = make_dir(dirs[i], e);
	if (r < 0)
		return r;
	/* nodev: as with a share, the nodes in an image are not for the guest's devices */
	if (mount(dev, IMAGE, "erofs", MS_RDONLY | MS_NODEV, NULL) < 0)
		return err_sys(e, "mounting the packed root (erofs)");
	if (mount("tmpfs", UPPER, "tmpfs", MS_NODEV, "mode=0755") < 0)
		return err_sys(e, "mounting what is above the packed root (tmpfs)");
	r = make_dir(UPPER "/root", e);
	if (r == 0)
		r = make_dir(UPPER "/work", e);
	if (r == 0)
		r = like_image(e);
	if (r == 0 &&
	    mount("overlay", AGENT_SHARE "/root", "overlay", MS_NODEV,
		  "lowerdir=" IMAGE ",upperdir=" UPPER "/root,workdir=" UPPER "/work") < 0)
		r = err_sys(e, "mounting the packed root (overlay)");
	return r;
}

int packed_mount(const struct pol_vm *vm, struct err *e)
{
	char disk[300], dev[32];
	int r = find_disk(disk, sizeof(disk), e);

	if (r == 0)
		r = check_disk(vm, disk, dev, sizeof(dev), e);
	return r < 0 ? r : mount_all(dev, e);
}

/* ---- copies of the host's files ---- */

static int write_copy(const struct wire_copy *c, struct err *e)
{
	char path[64];
	int fd, r;

	snprintf(path, sizeof(path), SPLIT_COPIES "/%u", c->mount);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, "making %s", path);
	r = io_write_all(fd, c->content.v, c->content.n);
	if (r < 0)
		r = err_neg(e, r, "writing %s", path);
	else if (fchown(fd, c->uid, c->gid) < 0 || fchmod(fd, c->mode & 0777) < 0)
		r = err_sys(e, "owner and mode of %s", path);
	close(fd);
	return r;
}

int packed_copies(const struct wire_prepare *p, const struct split *s, struct err *e)
{
	int r = 0;

	if (p->copies.n != s->copies)
		return err_set(e, -EPERM, "the policy has %zu files to copy, the host sent %zu",
			       s->copies, p->copies.n);
	if (!s->copies)
		return 0;
	if (mkdir(SPLIT_COPIES, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "making " SPLIT_COPIES);
	for (size_t i = 0; i < p->copies.n && r == 0; i++) {
		const struct wire_copy *c = &p->copies.v[i];

		/* as many as there should be, none twice (O_EXCL): each one is there */
		if (c->mount >= s->n || !s->mounts[c->mount].copy)
			r = err_set(e, -EPERM,
				    "the host sent a file that the policy does not have");
		else if (c->content.n > POL_VM_COPY_MAX)
			r = err_set(e, -EFBIG, "the host sent a file of %zu bytes", c->content.n);
		else
			r = write_copy(c, e);
	}
	return r;
}
