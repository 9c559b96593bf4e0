/* SPDX-License-Identifier: Apache-2.0 */
/* config-linux.md, everything but resources and seccomp: the linux object. */
#include "spec/fields.h"

#include <sys/stat.h>

static const struct name_val ns_types[] = {
	{.name = "pid"}, {.name = "network"}, {.name = "mount"},  {.name = "ipc"},
	{.name = "uts"}, {.name = "user"},    {.name = "cgroup"}, {.name = "time"},
};
static const struct jfield namespace_f[] = {
	F_STR(struct spec_namespace, type, .flags = J_REQUIRED, F_ONE_OF(ns_types)),
	F_PATH(struct spec_namespace, path),
};
static const struct jtable namespace_t = F_TABLE(struct spec_namespace, namespace_f);

static const struct jfield timeoffset_f[] = {
	F_INT(struct spec_timeoffset, secs),
	F_UINT(struct spec_timeoffset, nanosecs, .max = 999999999),
};
static const struct jtable timeoffset_t = F_TABLE(struct spec_timeoffset, timeoffset_f);

static bool is_clock(const char *s)
{
	return str_eq(s, "monotonic") || str_eq(s, "boottime");
}

static const struct name_val device_types[] = {
	{.name = "c"},
	{.name = "b"},
	{.name = "u"},
	{.name = "p"},
};

/* podman copies all of st_mode. The type in it must be that of the device and is dropped: for everybody
 * else fileMode is permission bits. */
static bool take_file_mode(struct spec_device *dev)
{
	uint64_t type = dev->fileMode.v & ~(uint64_t) 07777;

	dev->fileMode.v &= 07777;
	switch (type) {
	case 0: return true;
	case S_IFBLK: return str_eq(dev->type, "b");
	case S_IFCHR: return str_eq(dev->type, "c") || str_eq(dev->type, "u");
	case S_IFIFO: return str_eq(dev->type, "p");
	default: return false;
	}
}

static int device_check(const struct json_doc *d, const struct json_node *n, void *obj,
			struct arena *a, struct err *e)
{
	struct spec_device *dev = obj;
	const char *when = "it may be absent for a FIFO only";

	if (!take_file_mode(dev))
		return spec_refuse(d, n, "fileMode",
				   "permission bits (with the file type of the device or none)", a,
				   e);
	if (str_eq(dev->type, "p"))
		return 0;
	if (!dev->major.set)
		return spec_need(d, n, "major", when, e);
	if (!dev->minor.set)
		return spec_need(d, n, "minor", when, e);
	return 0;
}

/* The kernel's device numbers have 12 and 20 bits: mknod(2) would make another device of larger ones. */
static const struct jfield device_f[] = {
	F_STR(struct spec_device, type, .flags = J_REQUIRED, F_ONE_OF(device_types)),
	F_PATH(struct spec_device, path, .flags = J_REQUIRED),
	F_INT(struct spec_device, major, .min = 0, .max = (1 << 12) - 1),
	F_INT(struct spec_device, minor, .min = 0, .max = (1 << 20) - 1),
	F_UINT(struct spec_device, fileMode, .max = 0177777),
	F_UINT(struct spec_device, uid, .max = SPEC_ID_MAX),
	F_UINT(struct spec_device, gid, .max = SPEC_ID_MAX),
};
static const struct jtable device_t = F_TABLE(struct spec_device, device_f, .check = device_check);

/* What the kernel takes as a name of a network interface: dev_valid_name(); IFNAMSIZ is 16 with the NUL. */
static bool is_interface(const char *s)
{
	size_t n = strcspn(s, "/: \t\n\v\f\r");

	return n > 0 && n < 16 && !s[n] && !str_eq(s, ".") && !str_eq(s, "..");
}
#define INTERFACE "the name of a network interface"

static int netdev_check(const struct json_doc *d, const struct json_node *n, void *obj,
			struct arena *a, struct err *e)
{
	(void) obj;
	return spec_check_each(d, n, "name", is_interface, INTERFACE, a, e);
}

static const struct jfield netdev_f[] = {
	F_STR(struct spec_netdev, name),
};
static const struct jtable netdev_t = F_TABLE(struct spec_netdev, netdev_f, .check = netdev_check);

/* A directory below the resctrl mount, or "/" for its root group (1.3). */
static bool is_clos_id(const char *s)
{
	return str_eq(s, "/") || (*s && !strpbrk(s, "/\n") && !str_eq(s, ".") && !str_eq(s, ".."));
}

static bool is_one_line(const char *s)
{
	return *s && !strchr(s, '\n');
}

static bool is_mb_schema(const char *s)
{
	return str_prefix(s, "MB:") && is_one_line(s);
}

static int rdt_check(const struct json_doc *d, const struct json_node *n, void *obj,
		     struct arena *a, struct err *e)
{
	int r;

	(void) obj;
	r = spec_check_each(d, n, "closID", is_clos_id, "a name without \"/\", or \"/\"", a, e);
	if (r < 0)
		return r;
	r = spec_check_each(d, n, "memBwSchema", is_mb_schema, "one line that starts with \"MB:\"",
			    a, e);
	if (r < 0)
		return r;
	return spec_check_each(d, n, "schemata", is_one_line, "one line", a, e);
}

/* enableCMT and enableMBM were withdrawn in 1.3; they are decoded so that a wrong type is still seen. */
static const struct jfield rdt_f[] = {
	F_STR(struct spec_rdt, closID),
	F_STR(struct spec_rdt, l3CacheSchema),
	F_STR(struct spec_rdt, memBwSchema),
	F_STRS(struct spec_rdt, schemata),
	F_BOOL(struct spec_rdt, enableMonitoring),
	F_BOOL(struct spec_rdt, enableCMT),
	F_BOOL(struct spec_rdt, enableMBM),
};
static const struct jtable rdt_t = F_TABLE(struct spec_rdt, rdt_f, .check = rdt_check);

const struct name_val spec_mempolicy_modes[] = {
	{.name = "MPOL_DEFAULT"},    {.name = "MPOL_BIND"},
	{.name = "MPOL_INTERLEAVE"}, {.name = "MPOL_WEIGHTED_INTERLEAVE"},
	{.name = "MPOL_PREFERRED"},  {.name = "MPOL_PREFERRED_MANY"},
	{.name = "MPOL_LOCAL"},
};
const size_t spec_mempolicy_modes_n = ARRAY_LEN(spec_mempolicy_modes);
const struct name_val spec_mempolicy_flags[] = {
	{.name = "MPOL_F_NUMA_BALANCING"},
	{.name = "MPOL_F_RELATIVE_NODES"},
	{.name = "MPOL_F_STATIC_NODES"},
};
const size_t spec_mempolicy_flags_n = ARRAY_LEN(spec_mempolicy_flags);

static int mempolicy_check(const struct json_doc *d, const struct json_node *n, void *obj,
			   struct arena *a, struct err *e)
{
	(void) obj;
	return spec_check_each(d, n, "nodes", spec_is_cpu_list, SPEC_CPU_LIST, a, e);
}

static const struct jfield mempolicy_f[] = {
	F_STR(struct spec_mempolicy, mode, .flags = J_REQUIRED, F_ONE_OF(spec_mempolicy_modes)),
	F_STR(struct spec_mempolicy, nodes),
	F_STRS(struct spec_mempolicy, flags, F_ONE_OF(spec_mempolicy_flags)),
};
static const struct jtable mempolicy_t = F_TABLE(struct spec_mempolicy, mempolicy_f,
						 .check = mempolicy_check);

static const struct name_val personality_domains[] = {
	{.name = "LINUX"},
	{.name = "LINUX32"},
};

static bool is_no_flag(const char *s)
{
	(void) s;
	return false;
}

static int personality_check(const struct json_doc *d, const struct json_node *n, void *obj,
			     struct arena *a, struct err *e)
{
	(void) obj;
	return spec_check_each(d, n, "flags", is_no_flag, "no flag (the spec defines none)", a, e);
}

static const struct jfield personality_f[] = {
	F_STR(struct spec_personality, domain, .flags = J_REQUIRED, F_ONE_OF(personality_domains)),
	F_STRS(struct spec_personality, flags),
};
static const struct jtable personality_t = F_TABLE(struct spec_personality, personality_f,
						   .check = personality_check);

/* The spec has four; the recursive forms are what engines and other runtimes use as well (S-54). */
static const struct name_val propagations[] = {
	{.name = "shared"},  {.name = "slave"},	 {.name = "private"},  {.name = "unbindable"},
	{.name = "rshared"}, {.name = "rslave"}, {.name = "rprivate"}, {.name = "runbindable"},
};

/* Checks on lists and on the names of members. */
static const struct {
	const char *member;
	bool (*ok)(const char *s);
	const char *expected;
} linux_checks[] = {
	{"maskedPaths", spec_is_path, SPEC_PATH},
	{"readonlyPaths", spec_is_path, SPEC_PATH},
	{"timeOffsets", is_clock, "\"monotonic\" or \"boottime\""},
	{"netDevices", is_interface, INTERFACE},
	{"sysctl", spec_is_named, "a kernel parameter"},
};

static int linux_check(const struct json_doc *d, const struct json_node *n, void *obj,
		       struct arena *a, struct err *e)
{
	(void) obj;
	for (size_t i = 0; i < ARRAY_LEN(linux_checks); i++) {
		int r = spec_check_each(d, n, linux_checks[i].member, linux_checks[i].ok,
					linux_checks[i].expected, a, e);

		if (r < 0)
			return r;
	}
	return 0;
}

static const struct jfield linux_f[] = {
	F_OBJS(struct spec_linux, namespaces, struct spec_namespace, &namespace_t),
	F_OBJS(struct spec_linux, uidMappings, struct spec_idmap, &spec_t_idmap),
	F_OBJS(struct spec_linux, gidMappings, struct spec_idmap, &spec_t_idmap),
	F_MAP_OBJ(struct spec_linux, timeOffsets, struct spec_timeoffset, &timeoffset_t),
	F_OBJS(struct spec_linux, devices, struct spec_device, &device_t),
	F_MAP_OBJ(struct spec_linux, netDevices, struct spec_netdev, &netdev_t),
	F_STR(struct spec_linux, cgroupsPath, .flags = J_NONEMPTY),
	F_OBJ(struct spec_linux, resources, struct spec_resources, &spec_t_resources),
	F_OBJ(struct spec_linux, intelRdt, struct spec_rdt, &rdt_t),
	F_OBJ(struct spec_linux, memoryPolicy, struct spec_mempolicy, &mempolicy_t),
	F_MAP(struct spec_linux, sysctl),
	F_OBJ(struct spec_linux, seccomp, struct spec_seccomp, &spec_t_seccomp),
	F_STR(struct spec_linux, rootfsPropagation, F_ONE_OF(propagations)),
	F_STR(struct spec_linux, mountLabel),
	F_STRS(struct spec_linux, maskedPaths),
	F_STRS(struct spec_linux, readonlyPaths),
	F_OBJ(struct spec_linux, personality, struct spec_personality, &personality_t),
};
const struct jtable spec_t_linux = F_TABLE(struct spec_linux, linux_f, .check = linux_check);
