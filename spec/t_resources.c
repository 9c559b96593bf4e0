/* SPDX-License-Identifier: Apache-2.0 */
/* config-linux.md, "Control groups": linux.resources, in config.json and by itself for `update`. */
#include "spec/fields.h"

static const struct name_val rule_types[] = {{.name = "a"}, {.name = "c"}, {.name = "b"}};

static bool is_access(const char *s)
{
	return *s && s[strspn(s, "rwm")] == '\0';
}

static int rule_check(const struct json_doc *d, const struct json_node *n, void *obj,
		      struct arena *a, struct err *e)
{
	(void) obj;
	return spec_check_each(d, n, "access", is_access, "letters of \"rwm\"", a, e);
}

/* -1 is what engines write for "all numbers". */
static const struct jfield rule_f[] = {
	F_BOOL(struct spec_device_rule, allow, .flags = J_REQUIRED),
	F_STR(struct spec_device_rule, type, F_ONE_OF(rule_types)),
	F_INT(struct spec_device_rule, major, .min = -1, .max = UINT32_MAX),
	F_INT(struct spec_device_rule, minor, .min = -1, .max = UINT32_MAX),
	F_STR(struct spec_device_rule, access),
};
static const struct jtable rule_t = F_TABLE(struct spec_device_rule, rule_f, .check = rule_check);

/* Bytes; -1 is unlimited. swappiness: the spec ends at 100, newer kernels at 200. */
static const struct jfield memory_f[] = {
	F_INT(struct spec_memory, limit, .min = -1, .max = INT64_MAX),
	F_INT(struct spec_memory, reservation, .min = -1, .max = INT64_MAX),
	F_INT(struct spec_memory, swap, .min = -1, .max = INT64_MAX),
	F_INT(struct spec_memory, kernel, .min = -1, .max = INT64_MAX),
	F_INT(struct spec_memory, kernelTCP, .min = -1, .max = INT64_MAX),
	F_UINT(struct spec_memory, swappiness, .max = 100),
	F_BOOL(struct spec_memory, disableOOMKiller),
	F_BOOL(struct spec_memory, useHierarchy),
	F_BOOL(struct spec_memory, checkBeforeUpdate),
};
static const struct jtable memory_t = F_TABLE(struct spec_memory, memory_f);

static int cpu_check(const struct json_doc *d, const struct json_node *n, void *obj,
		     struct arena *a, struct err *e)
{
	int r;

	(void) obj;
	r = spec_check_each(d, n, "cpus", spec_is_cpu_list, SPEC_CPU_LIST, a, e);
	if (r < 0)
		return r;
	return spec_check_each(d, n, "mems", spec_is_cpu_list, SPEC_CPU_LIST, a, e);
}

/* Microseconds; -1 is unlimited. */
static const struct jfield cpu_f[] = {
	F_UINT(struct spec_cpu, shares),
	F_INT(struct spec_cpu, quota, .min = -1, .max = INT64_MAX),
	F_UINT(struct spec_cpu, burst),
	F_UINT(struct spec_cpu, period),
	F_INT(struct spec_cpu, realtimeRuntime, .min = -1, .max = INT64_MAX),
	F_UINT(struct spec_cpu, realtimePeriod),
	F_STR(struct spec_cpu, cpus),
	F_STR(struct spec_cpu, mems),
	F_INT(struct spec_cpu, idle, .min = 0, .max = 1),
};
static const struct jtable cpu_t = F_TABLE(struct spec_cpu, cpu_f, .check = cpu_check);

/* The limit is optional since 1.3, whatever the JSON schema says; 0 is a limit, -1 none (S-46). */
static const struct jfield pids_f[] = {
	F_INT(struct spec_pids, limit, .min = -1, .max = INT64_MAX),
};
static const struct jtable pids_t = F_TABLE(struct spec_pids, pids_f);

static int weight_device_check(const struct json_doc *d, const struct json_node *n, void *obj,
			       struct arena *a, struct err *e)
{
	const struct spec_weight_device *w = obj;

	(void) a;
	if (!w->weight.set && !w->leafWeight.set)
		return json_err(d, n, e, "expected at least one of \"weight\" and \"leafWeight\"");
	return 0;
}

static const struct jfield weight_device_f[] = {
	F_INT(struct spec_weight_device, major, .flags = J_REQUIRED, .min = 0, .max = UINT32_MAX),
	F_INT(struct spec_weight_device, minor, .flags = J_REQUIRED, .min = 0, .max = UINT32_MAX),
	F_UINT(struct spec_weight_device, weight, .max = UINT16_MAX),
	F_UINT(struct spec_weight_device, leafWeight, .max = UINT16_MAX),
};
static const struct jtable weight_device_t = F_TABLE(struct spec_weight_device, weight_device_f,
						     .check = weight_device_check);

static const struct jfield throttle_f[] = {
	F_INT(struct spec_throttle_device, major, .flags = J_REQUIRED, .min = 0, .max = UINT32_MAX),
	F_INT(struct spec_throttle_device, minor, .flags = J_REQUIRED, .min = 0, .max = UINT32_MAX),
	F_UINT(struct spec_throttle_device, rate, .flags = J_REQUIRED),
};
static const struct jtable throttle_t = F_TABLE(struct spec_throttle_device, throttle_f);

static const struct jfield blkio_f[] = {
	F_UINT(struct spec_blkio, weight, .max = UINT16_MAX),
	F_UINT(struct spec_blkio, leafWeight, .max = UINT16_MAX),
	F_OBJS(struct spec_blkio, weightDevice, struct spec_weight_device, &weight_device_t),
	F_OBJS(struct spec_blkio, throttleReadBpsDevice, struct spec_throttle_device, &throttle_t),
	F_OBJS(struct spec_blkio, throttleWriteBpsDevice, struct spec_throttle_device, &throttle_t),
	F_OBJS(struct spec_blkio, throttleReadIOPSDevice, struct spec_throttle_device, &throttle_t),
	F_OBJS(struct spec_blkio, throttleWriteIOPSDevice, struct spec_throttle_device,
	       &throttle_t),
};
static const struct jtable blkio_t = F_TABLE(struct spec_blkio, blkio_f);

/* "64KB", "2MB", "1GB": it becomes part of a file name in the cgroup. */
static bool is_page_size(const char *s)
{
	size_t n = strspn(s, "0123456789");

	return n > 0 && n <= 6 && s[0] != '0' && s[n] && strchr("KMG", s[n]) &&
	       str_eq(s + n + 1, "B");
}

static int hugepage_check(const struct json_doc *d, const struct json_node *n, void *obj,
			  struct arena *a, struct err *e)
{
	(void) obj;
	return spec_check_each(d, n, "pageSize", is_page_size, "a page size like \"2MB\"", a, e);
}

static const struct jfield hugepage_f[] = {
	F_STR(struct spec_hugepage, pageSize, .flags = J_REQUIRED),
	F_UINT(struct spec_hugepage, limit, .flags = J_REQUIRED),
};
static const struct jtable hugepage_t = F_TABLE(struct spec_hugepage, hugepage_f,
						.check = hugepage_check);

static const struct jfield ifprio_f[] = {
	F_STR(struct spec_ifprio, name, .flags = J_REQUIRED | J_NONEMPTY),
	F_UINT(struct spec_ifprio, priority, .flags = J_REQUIRED, .max = UINT32_MAX),
};
static const struct jtable ifprio_t = F_TABLE(struct spec_ifprio, ifprio_f);

static const struct jfield network_f[] = {
	F_UINT(struct spec_net_resources, classID, .max = UINT32_MAX),
	F_OBJS(struct spec_net_resources, priorities, struct spec_ifprio, &ifprio_t),
};
static const struct jtable network_t = F_TABLE(struct spec_net_resources, network_f);

static int rdma_check(const struct json_doc *d, const struct json_node *n, void *obj,
		      struct arena *a, struct err *e)
{
	const struct spec_rdma *r = obj;

	(void) a;
	if (!r->hcaHandles.set && !r->hcaObjects.set)
		return json_err(d, n, e,
				"expected at least one of \"hcaHandles\" and \"hcaObjects\"");
	return 0;
}

static const struct jfield rdma_f[] = {
	F_UINT(struct spec_rdma, hcaHandles, .max = UINT32_MAX),
	F_UINT(struct spec_rdma, hcaObjects, .max = UINT32_MAX),
};
static const struct jtable rdma_t = F_TABLE(struct spec_rdma, rdma_f, .check = rdma_check);

/* Keys of `unified` are opened for writing in the container's cgroup: they must not lead out of it. */
static bool is_cgroup_file(const char *s)
{
	return *s && !strchr(s, '/') && !str_eq(s, ".") && !str_eq(s, "..");
}

static int resources_check(const struct json_doc *d, const struct json_node *n, void *obj,
			   struct arena *a, struct err *e)
{
	int r;

	(void) obj;
	r = spec_check_each(d, n, "rdma", spec_is_named, "a device", a, e);
	if (r < 0)
		return r;
	return spec_check_each(d, n, "unified", is_cgroup_file, "a file name without \"/\"", a, e);
}

static const struct jfield resources_f[] = {
	F_OBJS(struct spec_resources, devices, struct spec_device_rule, &rule_t),
	F_OBJ(struct spec_resources, memory, struct spec_memory, &memory_t),
	F_OBJ(struct spec_resources, cpu, struct spec_cpu, &cpu_t),
	F_OBJ(struct spec_resources, pids, struct spec_pids, &pids_t),
	F_OBJ(struct spec_resources, blockIO, struct spec_blkio, &blkio_t),
	F_OBJS(struct spec_resources, hugepageLimits, struct spec_hugepage, &hugepage_t),
	F_OBJ(struct spec_resources, network, struct spec_net_resources, &network_t),
	F_MAP_OBJ(struct spec_resources, rdma, struct spec_rdma, &rdma_t),
	F_MAP(struct spec_resources, unified),
};
const struct jtable spec_t_resources = F_TABLE(struct spec_resources, resources_f,
					       .check = resources_check);
