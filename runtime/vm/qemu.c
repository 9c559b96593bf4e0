/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The arguments, in a fixed order: what QEMU must not do by itself, the machine, what it boots, the channels, the root,
 * the devices, the filter. Devices are virtio-mmio on microvm and virtio-pci on q35; the names differ in their end
 * only.
 */
#include <string.h>

#include "attest/bytes.h"
#include "base/str.h"
#include "vm/qemu.h"

/* WIRE_PORT_NAME; wire/wire.h is not for pure code of this folder to pull in */
#define PORT_NAME "kavach.0"
#define SANDBOX "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"
#define ARGS_MAX 128u
#define FDSET_KVM 100u /* those of disks count from 1 */

const struct vm_names vm_names_jail = {
	.kernel = "/kernel",
	.initrd = "/initrd",
	.firmware = "/firmware",
	.share = "/share",
	.dh_cert = "/dh-cert",
	.session = "/session",
};

struct args {
	const struct vm_shape *s;
	const struct vm_names *names;
	struct arena *a;
	char **v;
	size_t n;
};

static void put(struct args *g, const char *word)
{
	if (g->n < ARGS_MAX)
		g->v[g->n++] = arena_strdup(g->a, word);
}

static void put2(struct args *g, const char *option, const char *value)
{
	put(g, option);
	put(g, value);
}

#define PUTF(g, option, ...) put2((g), (option), arena_printf((g)->a, __VA_ARGS__))

/* In QEMU's key=value lists a comma in a value is written twice. */
static const char *escaped(struct arena *a, const char *s)
{
	char *ret = arena_alloc(a, strlen(s) * 2 + 1), *p = ret;

	for (; *s; s++) {
		*p++ = *s;
		if (*s == ',')
			*p++ = ',';
	}
	*p = '\0';
	return ret;
}

/* A device on this machine's bus: "virtio-rng" is virtio-rng-device or virtio-rng-pci. */
static void device(struct args *g, const char *name, const char *props)
{
	PUTF(g, "-device", "%s-%s%s%s", name, g->s->pci ? "pci" : "device", *props ? "," : "",
	     props);
}

/* ---- machine ---- */

/*
 * A guest that has put something into a queue says so by a write, which KVM turns into an event for QEMU's main thread, so that the
 * vCPU need not leave the guest. An emulated vCPU is in QEMU already: what the event does for it is to have another thread wake
 * up. virtiofsd is another process, and has to have events.
 */
static void notify_at_once(struct args *g)
{
	if (!g->s->pci && g->s->root != VM_ROOT_VIRTIOFS)
		put2(g, "-global", "virtio-mmio.ioeventfd=off");
}

static void machine(struct args *g)
{
	const struct vm_shape *s = g->s;
	const char *m = s->machine == VM_MICROVM ? "microvm,memory-backend=ram0"
						 : "q35,memory-backend=ram0,smm=off,vmport=off";

	/* vCPUs beyond 1 of an encrypted guest, and the hash of what it boots, need the interrupt controller in two parts. */
	if (s->sev.kind)
		m = arena_printf(g->a, "%s,kernel-irqchip=split,confidential-guest-support=sev0",
				 m);
	/* No file of the guest's memory when QEMU dies. */
	PUTF(g, "-machine", "%s,dump-guest-core=off", m);
	/* The translator's buffer would else grow to 1 GiB, which the VM's cgroup does not have room for. */
	if (s->accel == VM_KVM) {
		/* QEMU's user may not open it */
		PUTF(g, "-add-fd", "fd=%d,set=%u", VM_FD_KVM, FDSET_KVM);
		PUTF(g, "-accel", "kvm,device=/dev/fdset/%u", FDSET_KVM);
	} else {
		put2(g, "-accel", "tcg,tb-size=128");
		notify_at_once(g);
	}
	put2(g, "-cpu", s->cpu);
	PUTF(g, "-smp", "%u,maxcpus=%u", s->vcpus, s->vcpus);
	PUTF(g, "-m", "%lluM", (unsigned long long) (s->memory >> 20));
	/* shared: so that virtiofsd sees it, and that plain VMs are the same without it */
	PUTF(g, "-object", "memory-backend-memfd,id=ram0,size=%lluM,share=on",
	     (unsigned long long) (s->memory >> 20));
}

static const char *base64_of(struct args *g, struct bytes b)
{
	return base64_text(g->a, b.v, b.n);
}

static void sev_snp(struct args *g)
{
	const struct vm_sev *v = &g->s->sev;
	char *o = arena_printf(g->a,
			       "sev-snp-guest,id=sev0,policy=0x%llx,cbitpos=%u,reduced-phys-bits=1,"
			       "kernel-hashes=on",
			       (unsigned long long) v->policy, v->cbitpos);

	if (v->host_data.n)
		o = arena_printf(g->a, "%s,host-data=%s", o, base64_of(g, v->host_data));
	if (v->id_block.n)
		o = arena_printf(g->a, "%s,id-block=%s,id-auth=%s%s", o, base64_of(g, v->id_block),
				 base64_of(g, v->id_auth),
				 v->author_key ? ",author-key-enabled=on" : "");
	if (v->vcek_disabled)
		o = arena_printf(g->a, "%s,vcek-disabled=on", o);
	put2(g, "-object", o);
}

static void sev(struct args *g)
{
	const struct vm_sev *v = &g->s->sev;
	char *o = arena_printf(g->a,
			       "sev-guest,id=sev0,policy=0x%llx,cbitpos=%u,reduced-phys-bits=1,"
			       "kernel-hashes=on",
			       (unsigned long long) v->policy, v->cbitpos);

	/* The old interface starts vCPUs in another state, which is another digest. */
	if (v->kind == VM_SEV_ES)
		o = arena_printf(g->a, "%s,legacy-vm-type=off", o);
	if (v->dh_cert)
		o = arena_printf(g->a, "%s,dh-cert-file=%s,session-file=%s", o,
				 escaped(g->a, g->names->dh_cert),
				 escaped(g->a, g->names->session));
	put2(g, "-object", o);
}

static void boot(struct args *g)
{
	put2(g, "-bios", g->names->firmware);
	put2(g, "-kernel", g->names->kernel);
	put2(g, "-initrd", g->names->initrd);
	put2(g, "-append", g->s->cmdline);
}

/* ---- channels ---- */

static void channels(struct args *g)
{
	PUTF(g, "-chardev", "socket,id=qmp,fd=%d", VM_FD_QMP);
	put2(g, "-mon", "chardev=qmp,mode=control");
	PUTF(g, "-chardev", "socket,id=console,fd=%d", VM_FD_CONSOLE);
	put2(g, "-serial", "chardev:console");
	device(g, "virtio-serial", "");
	PUTF(g, "-chardev", "socket,id=channel,fd=%d", VM_FD_CHANNEL);
	put2(g, "-device", "virtserialport,chardev=channel,name=" PORT_NAME);
}

/* ---- root and disks ---- */

static void share(struct args *g)
{
	switch (g->s->root == VM_ROOT_EROFS ? g->s->share : g->s->root) {
	case VM_ROOT_9P:
		/* remap: files of two file systems of the host may have the same number */
		PUTF(g, "-fsdev", "local,id=root,path=%s,security_model=none,multidevs=remap",
		     escaped(g->a, g->names->share));
		device(g, "virtio-9p", "fsdev=root,mount_tag=" VM_ROOT_TAG);
		break;
	case VM_ROOT_VIRTIOFS:
		PUTF(g, "-chardev", "socket,id=vfs,fd=%d", VM_FD_VFS);
		device(g, "vhost-user-fs", "chardev=vfs,tag=" VM_ROOT_TAG);
		break;
	default: break; /* nothing is */
	}
}

static void disk(struct args *g, uint32_t i)
{
	PUTF(g, "-add-fd", "fd=%u,set=%u", VM_FD_DISK + i, i + 1);
	PUTF(g, "-blockdev",
	     "driver=file,filename=/dev/fdset/%u,node-name=file%u,read-only=on,locking=off", i + 1,
	     i);
	PUTF(g, "-blockdev", "driver=raw,file=file%u,node-name=disk%u,read-only=on", i, i);
	device(g, "virtio-blk", arena_printf(g->a, "drive=disk%u,serial=" VM_DISK_SERIAL, i, i));
}

/* ---- network and the rest ---- */

static void nic(struct args *g, uint32_t i)
{
	char mac[VM_MAC_LEN];

	vm_nic_mac(i, mac);
	PUTF(g, "-netdev", "tap,id=net%u,fd=%u", i, VM_FD_TAP + i);
	/* on PCI there would be a boot ROM, from a file */
	device(g, "virtio-net",
	       arena_printf(g->a, "netdev=net%u,mac=%s%s", i, mac, g->s->pci ? ",romfile=" : ""));
}

static void devices(struct args *g)
{
	for (uint32_t i = 0; i < g->s->disks; i++)
		disk(g, i);
	for (uint32_t i = 0; i < g->s->nics; i++)
		nic(g, i);
	if (g->s->balloon)
		device(g, "virtio-balloon", "deflate-on-oom=on,free-page-reporting=on");
	if (g->s->rng)
		device(g, "virtio-rng", "");
}

/* ---- together ---- */

/* A shape that was not made by vm_shape_decide(), or changed since. */
static int check(const struct vm_shape *s, struct err *e)
{
	const char *what = NULL;

	if (!s->hypervisor || !s->kernel || !s->initrd || !s->firmware || !s->cmdline || !s->cpu)
		what = "something to boot is missing";
	else if (s->sev.kind && s->accel != VM_KVM)
		what = "a confidential guest without KVM";
	else if (s->sev.kind && s->root != VM_ROOT_EROFS)
		what = "a confidential guest with a root that the host can change";
	else if (s->share && (s->sev.kind || s->root != VM_ROOT_EROFS))
		what = "volumes beside a root that is shared, or of a confidential guest";
	else if (s->root == VM_ROOT_EROFS && !s->disks)
		what = "an image without a disk";
	else if (s->sev.kind && (s->machine != VM_Q35 || s->balloon || s->rng))
		what = "a device that a confidential guest must not have";
	else if (s->sev.host_data.n && s->sev.host_data.n != 32)
		what = "host data that is not 32 bytes";
	else if ((s->sev.id_block.n && (s->sev.id_block.n != 96 || s->sev.id_auth.n != 4096)) ||
		 (!s->sev.id_block.n && s->sev.id_auth.n))
		what = "an ID block that is not 96 bytes with 4096 bytes of authentication";
	else if (s->nics > VM_NICS_MAX || s->disks > VM_DISKS_MAX)
		what = "too many devices";
	return what ? err_set(e, -EINVAL, "the VM's shape: %s", what) : 0;
}

int vm_qemu_argv(const struct vm_shape *s, const struct vm_names *names, bool paused,
		 struct arena *a, char ***ret, size_t *ret_n, struct err *e)
{
	struct args g = {s, names, a, arena_array(a, ARGS_MAX + 1, sizeof(char *)), 0};
	int r = check(s, e);

	if (r < 0)
		return r;
	put(&g, s->hypervisor);
	/* Nothing from files of the host, no default devices, no display; a reset is the end. */
	put(&g, "-no-user-config");
	put(&g, "-nodefaults");
	put(&g, "-no-reboot");
	put2(&g, "-display", "none");
	put2(&g, "-name", "kavach");
	if (paused || s->sev.kind)
		put(&g, "-S");
	machine(&g);
	if (s->sev.kind == VM_SEV_SNP)
		sev_snp(&g);
	else if (s->sev.kind)
		sev(&g);
	boot(&g);
	channels(&g);
	share(&g);
	devices(&g);
	put2(&g, "-sandbox", SANDBOX);
	for (size_t i = 0; i < s->hypervisor_params.n; i++)
		put(&g, s->hypervisor_params.v[i]);
	if (g.n >= ARGS_MAX)
		return err_set(e, -E2BIG, "vm.hypervisor.parameters: too many");
	g.v[g.n] = NULL;
	*ret = g.v;
	*ret_n = g.n;
	return 0;
}
