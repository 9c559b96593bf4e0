/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.resources one to one; conversion to the files of a control group is cgroup/'s. As in runc, 0 is
 * "not given" where 0 would make no sense as a limit (Go engines marshal unset numbers so); for pids.limit
 * 0 is a limit since spec 1.3, for cpu.idle a value.
 */
#include "base/num.h"
#include "policy/pb.h"

static struct opt_i64 nonzero_i(struct opt_i64 v)
{
	return v.v ? v : (struct opt_i64){0};
}

static struct opt_u64 nonzero_u(struct opt_u64 v)
{
	return v.v ? v : (struct opt_u64){0};
}

static int memory(struct pb *b, const struct spec_memory *s, struct pol_resources *p, struct err *e)
{
	if (!s)
		return 0;
	p->memory = nonzero_i(s->limit);
	p->memory_reservation = nonzero_i(s->reservation);
	p->memory_swap = nonzero_i(s->swap);
	p->swappiness = s->swappiness;
	p->disable_oom_killer = s->disableOOMKiller;
	p->check_before_update = s->checkBeforeUpdate;
	p->kernel_memory = nonzero_i(s->kernel);
	p->kernel_memory_tcp = nonzero_i(s->kernelTCP);
	if (p->kernel_memory.set || p->kernel_memory_tcp.set)
		pb_warn(b,
			"linux.resources.memory.%s: kernel memory has no limit of its own any more, ignored",
			p->kernel_memory.set ? "kernel" : "kernelTCP");
	/* `swap` is memory and swap together. With -1 for either there is nothing to compare. */
	if (p->memory.v > 0 && p->memory_swap.v > 0 && p->memory_swap.v < p->memory.v)
		return pb_refuse(
			b, e,
			"linux.resources.memory.swap: expected at least memory.limit (%lld), found %lld: "
			"it counts memory and swap together",
			(long long) p->memory.v, (long long) p->memory_swap.v);
	if (!b->update && p->memory_swap.v > 0 && p->memory.v <= 0)
		return pb_refuse(
			b, e,
			"linux.resources.memory.swap: a limit of memory and swap together needs "
			"memory.limit");
	return 0;
}

static void cpu(const struct spec_cpu *s, struct pol_resources *p)
{
	if (!s)
		return;
	p->cpu_shares = nonzero_u(s->shares);
	p->cpu_period = nonzero_u(s->period);
	p->cpu_quota = nonzero_i(s->quota);
	p->cpu_burst = s->burst;
	p->cpu_rt_period = nonzero_u(s->realtimePeriod);
	p->cpu_rt_runtime = s->realtimeRuntime;
	p->cpu_idle = s->idle;
	p->cpus = pb_given(s->cpus);
	p->mems = pb_given(s->mems);
}

static int check_weight(struct pb *b, const char *what, uint64_t v, struct err *e)
{
	if (!v || (v >= 10 && v <= 1000))
		return 0;
	return pb_refuse(b, e, "linux.resources.blockIO.%s: expected 10 to 1000, found %llu", what,
			 (unsigned long long) v);
}

static void add_throttles(const spec_throttles *s, uint32_t knob, struct pol_resources *p)
{
	for (size_t i = 0; i < s->n; i++)
		p->blkio.v[p->blkio.n++] = (struct pol_blkio_dev){knob, (uint64_t) s->v[i].major.v,
								  (uint64_t) s->v[i].minor.v,
								  s->v[i].rate.v};
}

static int weight_devices(struct pb *b, const struct spec_blkio *s, struct pol_resources *p,
			  struct err *e)
{
	for (size_t i = 0; i < s->weightDevice.n; i++) {
		const struct spec_weight_device *d = &s->weightDevice.v[i];
		uint64_t major = (uint64_t) d->major.v, minor = (uint64_t) d->minor.v;
		int r = check_weight(b, "weightDevice.weight", d->weight.v, e);

		if (r == 0)
			r = check_weight(b, "weightDevice.leafWeight", d->leafWeight.v, e);
		if (r < 0)
			return r;
		if (d->weight.set)
			p->blkio.v[p->blkio.n++] = (struct pol_blkio_dev){POL_BLKIO_WEIGHT, major,
									  minor, d->weight.v};
		if (d->leafWeight.set)
			p->blkio.v[p->blkio.n++] = (struct pol_blkio_dev){
				POL_BLKIO_LEAF_WEIGHT, major, minor, d->leafWeight.v};
	}
	return 0;
}

static int blkio(struct pb *b, const struct spec_blkio *s, struct pol_resources *p, struct err *e)
{
	int r;

	if (!s)
		return 0;
	p->blkio_weight = nonzero_u(s->weight);
	p->blkio_leaf_weight = nonzero_u(s->leafWeight);
	r = check_weight(b, "weight", s->weight.v, e);
	if (r == 0)
		r = check_weight(b, "leafWeight", s->leafWeight.v, e);
	if (r < 0)
		return r;
	p->blkio.v = arena_array(b->a,
				 2 * s->weightDevice.n + s->throttleReadBpsDevice.n +
					 s->throttleWriteBpsDevice.n + s->throttleReadIOPSDevice.n +
					 s->throttleWriteIOPSDevice.n,
				 sizeof(*p->blkio.v));
	r = weight_devices(b, s, p, e);
	if (r < 0)
		return r;
	add_throttles(&s->throttleReadBpsDevice, POL_BLKIO_RBPS, p);
	add_throttles(&s->throttleWriteBpsDevice, POL_BLKIO_WBPS, p);
	add_throttles(&s->throttleReadIOPSDevice, POL_BLKIO_RIOPS, p);
	add_throttles(&s->throttleWriteIOPSDevice, POL_BLKIO_WIOPS, p);
	return 0;
}

/* The size becomes part of a file name, hugetlb.2MB.max: nothing but digits and a unit may be in it. */
static bool is_page_size(const char *s)
{
	size_t n = s ? strspn(s, "0123456789") : 0;

	return n && s[0] != '0' && s[n] && strchr("KMG", s[n]) && str_eq(s + n + 1, "B");
}

static int hugepages(struct pb *b, const struct spec_resources *s, struct pol_resources *p,
		     struct err *e)
{
	int r = pb_count(b, "linux.resources.hugepageLimits", s->hugepageLimits.n, e);

	if (r < 0)
		return r;
	p->hugepages.v = arena_array(b->a, s->hugepageLimits.n, sizeof(*p->hugepages.v));
	for (size_t i = 0; i < s->hugepageLimits.n; i++) {
		const struct spec_hugepage *h = &s->hugepageLimits.v[i];

		if (!is_page_size(h->pageSize))
			return pb_refuse(
				b, e,
				"linux.resources.hugepageLimits[%zu].pageSize: expected a size like "
				"\"2MB\", found \"%s\"",
				i, h->pageSize ? h->pageSize : "");
		for (size_t j = 0; j < i; j++)
			if (str_eq(p->hugepages.v[j].size, h->pageSize))
				return pb_refuse(
					b, e,
					"linux.resources.hugepageLimits[%zu].pageSize: \"%s\" is given "
					"twice",
					i, h->pageSize);
		p->hugepages.v[p->hugepages.n++] = (struct pol_hugepage){h->pageSize, h->limit.v};
	}
	return 0;
}

static int network(struct pb *b, const struct spec_net_resources *s, struct pol_resources *p,
		   struct err *e)
{
	int r;

	if (!s)
		return 0;
	r = pb_count(b, "linux.resources.network.priorities", s->priorities.n, e);
	if (r < 0)
		return r;
	p->net_classid = s->classID;
	p->net_prio.v = arena_array(b->a, s->priorities.n, sizeof(*p->net_prio.v));
	for (size_t i = 0; i < s->priorities.n; i++) {
		char num[24];
		size_t at = p->net_prio.n++;

		num_fmt_u64(num, s->priorities.v[i].priority.v);
		for (; at > 0 && strcmp(p->net_prio.v[at - 1].key, s->priorities.v[i].name) > 0;
		     at--)
			p->net_prio.v[at] = p->net_prio.v[at - 1];
		if (at > 0 && str_eq(p->net_prio.v[at - 1].key, s->priorities.v[i].name))
			return pb_refuse(
				b, e,
				"linux.resources.network.priorities[%zu].name: \"%s\" is given twice",
				i, s->priorities.v[i].name);
		p->net_prio.v[at] = (struct kv){s->priorities.v[i].name, arena_strdup(b->a, num)};
	}
	return 0;
}

static int rdma(struct pb *b, const struct spec_resources *s, struct pol_resources *p,
		struct err *e)
{
	p->rdma.v = arena_array(b->a, s->rdma.n, sizeof(*p->rdma.v));
	for (size_t i = 0; i < s->rdma.n; i++) {
		const struct spec_rdma *d = &s->rdma.v[i];

		if (!d->hcaHandles.set && !d->hcaObjects.set)
			return pb_refuse(
				b, e,
				"linux.resources.rdma[\"%s\"]: expected at least one of hcaHandles and "
				"hcaObjects",
				d->device);
		/* One line of rdma.max: "DEVICE hca_handle=N hca_object=M". */
		if (str_empty(d->device) || d->device[strcspn(d->device, " \t\n")])
			return pb_refuse(b, e,
					 "linux.resources.rdma: \"%s\" is not a name of a device",
					 d->device);
		p->rdma.v[p->rdma.n++] = (struct pol_rdma){d->device, d->hcaHandles, d->hcaObjects};
	}
	return 0;
}

static int unified(struct pb *b, const struct spec_resources *s, struct pol_resources *p,
		   struct err *e)
{
	if (s->unified.n && b->h->cgroup == CG_V1)
		return pb_refuse(
			b, e,
			"linux.resources.unified: this host has only version 1 of control groups");
	for (size_t i = 0; i < s->unified.n; i++) {
		const char *key = s->unified.v[i].key;

		/* A file in the container's directory and nowhere else. */
		if (str_empty(key) || strchr(key, '/') || str_eq(key, ".") || str_eq(key, ".."))
			return pb_refuse(b, e,
					 "linux.resources.unified: \"%s\" is not a name of a file",
					 key);
	}
	p->unified = s->unified;
	return 0;
}

/* Before spec 1.3 runtimes took 0 for "no limit", and engines write it so: podman for --pids-limit -1. */
static struct opt_i64 pids(const struct pb *b, struct opt_i64 limit)
{
	const char *minor = b->s ? str_prefix(b->s->ociVersion, "1.") : NULL;

	if (limit.set && limit.v == 0 && minor && minor[0] >= '0' && minor[0] <= '2' &&
	    minor[1] == '.')
		limit.v = -1;
	return limit;
}

int pb_resources(struct pb *b, const struct spec_resources *s, struct pol_resources *ret,
		 struct err *e)
{
	int r;

	if (!s)
		return 0;
	r = memory(b, s->memory, ret, e);
	if (r < 0)
		return r;
	cpu(s->cpu, ret);
	if (s->pids)
		ret->pids = pids(b, s->pids->limit);
	r = blkio(b, s->blockIO, ret, e);
	if (r < 0)
		return r;
	r = hugepages(b, s, ret, e);
	if (r < 0)
		return r;
	r = network(b, s->network, ret, e);
	if (r < 0)
		return r;
	r = rdma(b, s, ret, e);
	if (r < 0)
		return r;
	return unified(b, s, ret, e);
}
