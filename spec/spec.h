/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The OCI runtime-spec 1.3 configuration as typed, const C data, under its own names. Filled in by the
 * field tables in spec/t_*.c; nothing here decides anything. Absent strings and objects are NULL, absent
 * numbers have set == false, absent enums are 0. Everything lives in one arena.
 */
#ifndef KAVACH_SPEC_SPEC_H
#define KAVACH_SPEC_SPEC_H

#include "base/arena.h"
#include "base/err.h"
#include "base/types.h"
#include "json/decode.h"

/* Typed view of a jlist: SPEC_LIST(struct spec_mount) mounts; mounts.v[i]. Same layout as struct jlist. */
#define SPEC_LIST(type)                                                                            \
	struct {                                                                                   \
		type *v;                                                                           \
		size_t n;                                                                          \
		bool set;                                                                          \
	}

/* ---- process ---- */

struct spec_box {
	struct opt_u64 height, width; /* characters */
};

struct spec_user {
	struct opt_u64 uid, gid; /* 0..UINT32_MAX-1 */
	struct opt_u64 umask;
	struct u64s additionalGids;
	char *username; /* Windows only; ignored */
};

struct spec_rlimit {
	char *type; /* "RLIMIT_NOFILE"; unknown names are refused by the policy */
	struct opt_u64 soft, hard;
};

struct spec_caps {
	struct strs bounding, effective, inheritable, permitted, ambient;
};

struct spec_scheduler {
	char *policy;
	struct opt_i64 nice, priority;
	struct strs flags;
	struct opt_u64 runtime, deadline, period; /* ns */
};

struct spec_ioprio {
	char *class;
	struct opt_i64 priority;
};

struct spec_affinity {
	char *initial, *final;
};

struct spec_process {
	struct opt_bool terminal;
	struct spec_box *consoleSize;
	char *cwd;
	struct strs env, args;
	char *commandLine; /* Windows */
	struct spec_user *user;
	SPEC_LIST(struct spec_rlimit) rlimits;
	struct spec_caps *capabilities;
	struct opt_bool noNewPrivileges;
	char *apparmorProfile, *selinuxLabel;
	struct opt_i64 oomScoreAdj;
	struct spec_scheduler *scheduler;
	struct spec_ioprio *ioPriority;
	struct spec_affinity *execCPUAffinity;
};

/* ---- root, mounts, hooks ---- */

struct spec_root {
	char *path;
	struct opt_bool readonly;
};

struct spec_idmap {
	struct opt_u64 containerID, hostID, size;
};
typedef SPEC_LIST(struct spec_idmap) spec_idmaps;

struct spec_mount {
	char *destination, *type, *source;
	struct strs options;
	spec_idmaps uidMappings, gidMappings;
};

typedef SPEC_LIST(struct spec_mount) spec_mounts;

struct spec_hook {
	char *path;
	struct strs args, env;
	struct opt_i64 timeout; /* seconds, > 0 */
};
typedef SPEC_LIST(struct spec_hook) spec_hooks_list;

struct spec_hooks {
	spec_hooks_list prestart, createRuntime, createContainer, startContainer, poststart,
		poststop;
};

/* ---- linux ---- */

struct spec_namespace {
	char *type, *path;
};

struct spec_device {
	char *type, *path;
	struct opt_i64 major, minor;
	struct opt_u64 fileMode; /* permission bits only */
	struct opt_u64 uid, gid;
};

struct spec_netdev {
	char *host; /* member name: name on the host */
	char *name; /* name in the container */
};

struct spec_timeoffset {
	char *clock; /* "monotonic" or "boottime" */
	struct opt_i64 secs;
	struct opt_u64 nanosecs;
};

struct spec_device_rule {
	struct opt_bool allow;
	char *type;
	struct opt_i64 major, minor;
	char *access;
};

struct spec_memory {
	struct opt_i64 limit, reservation, swap, kernel, kernelTCP;
	struct opt_u64 swappiness;
	struct opt_bool disableOOMKiller, useHierarchy, checkBeforeUpdate;
};

struct spec_cpu {
	struct opt_u64 shares, period, realtimePeriod, burst;
	struct opt_i64 quota, realtimeRuntime, idle;
	char *cpus, *mems;
};

struct spec_weight_device {
	struct opt_i64 major, minor;
	struct opt_u64 weight, leafWeight;
};

struct spec_throttle_device {
	struct opt_i64 major, minor;
	struct opt_u64 rate;
};
typedef SPEC_LIST(struct spec_throttle_device) spec_throttles;

struct spec_blkio {
	struct opt_u64 weight, leafWeight;
	SPEC_LIST(struct spec_weight_device) weightDevice;
	spec_throttles throttleReadBpsDevice, throttleWriteBpsDevice, throttleReadIOPSDevice,
		throttleWriteIOPSDevice;
};

struct spec_hugepage {
	char *pageSize;
	struct opt_u64 limit;
};

struct spec_ifprio {
	char *name;
	struct opt_u64 priority;
};

struct spec_net_resources {
	struct opt_u64 classID;
	SPEC_LIST(struct spec_ifprio) priorities;
};

struct spec_pids {
	struct opt_i64 limit;
};

struct spec_rdma {
	char *device; /* member name */
	struct opt_u64 hcaHandles, hcaObjects;
};

struct spec_resources {
	SPEC_LIST(struct spec_device_rule) devices;
	struct spec_memory *memory;
	struct spec_cpu *cpu;
	struct spec_pids *pids;
	struct spec_blkio *blockIO;
	SPEC_LIST(struct spec_hugepage) hugepageLimits;
	struct spec_net_resources *network;
	SPEC_LIST(struct spec_rdma) rdma;
	struct kvs unified;
};

struct spec_rdt {
	char *closID, *l3CacheSchema, *memBwSchema;
	struct strs schemata;
	struct opt_bool enableMonitoring, enableCMT, enableMBM;
};

struct spec_mempolicy {
	char *mode, *nodes;
	struct strs flags;
};

struct spec_personality {
	char *domain;
	struct strs flags;
};

struct spec_seccomp_arg {
	struct opt_u64 index, value, valueTwo;
	char *op;
};

struct spec_seccomp_rule {
	struct strs names;
	char *action;
	struct opt_u64 errnoRet;
	SPEC_LIST(struct spec_seccomp_arg) args;
};

struct spec_seccomp {
	char *defaultAction;
	struct opt_u64 defaultErrnoRet;
	struct strs architectures, flags;
	char *listenerPath, *listenerMetadata;
	SPEC_LIST(struct spec_seccomp_rule) syscalls;
};

struct spec_linux {
	SPEC_LIST(struct spec_namespace) namespaces;
	spec_idmaps uidMappings, gidMappings;
	SPEC_LIST(struct spec_timeoffset) timeOffsets;
	SPEC_LIST(struct spec_device) devices;
	SPEC_LIST(struct spec_netdev) netDevices;
	char *cgroupsPath;
	struct spec_resources *resources;
	struct spec_rdt *intelRdt;
	struct spec_mempolicy *memoryPolicy;
	struct kvs sysctl;
	struct spec_seccomp *seccomp;
	char *rootfsPropagation, *mountLabel;
	struct strs maskedPaths, readonlyPaths;
	struct spec_personality *personality;
};

/* ---- vm ---- */

struct spec_vm_program {
	char *path;
	struct strs parameters;
};

struct spec_vm_kernel {
	char *path, *initrd;
	struct strs parameters;
};

struct spec_vm_image {
	char *path, *format;
};

struct spec_vm_iomem {
	struct opt_u64 firstGFN, firstMFN, nrMFNs;
};

struct spec_vm_hw {
	char *deviceTree;
	struct opt_u64 vcpus, memory; /* memory in bytes */
	struct strs dtdevs;
	SPEC_LIST(struct spec_vm_iomem) iomems;
	struct u64s irqs;
};

struct spec_vm {
	struct spec_vm_program *hypervisor;
	struct spec_vm_kernel *kernel;
	struct spec_vm_image *image;
	struct spec_vm_hw *hwConfig;
};

struct spec {
	char *ociVersion;
	struct spec_root *root;
	spec_mounts mounts;
	struct spec_process *process;
	char *hostname, *domainname;
	struct spec_hooks *hooks;
	struct kvs annotations;
	struct spec_linux *linux_; /* "linux": a macro with some compilers */
	struct spec_vm *vm;
};

/* spec_parse: decodes a whole config.json. text must outlive the spec. Checks what the JSON schema and
 * the spec's prose say about single values (types, ranges, required members, SemVer ociVersion with
 * major 1); what depends on other members or on the host is policy_build()'s. */
int spec_parse(const char *name, const char *text, size_t len, struct arena *a,
	       const struct spec **ret, struct err *e);

/* spec_parse_process: a process object by itself (`exec --process FILE`). */
int spec_parse_process(const char *name, const char *text, size_t len, struct arena *a,
		       const struct spec_process **ret, struct err *e);

/* spec_parse_mounts: mounts by themselves (`mounts add`): an array of them, or an object with a member "mounts". */
int spec_parse_mounts(const char *name, const char *text, size_t len, struct arena *a,
		      spec_mounts *ret, struct err *e);

/* spec_parse_resources: a linux.resources object by itself (`update --resources FILE`). */
int spec_parse_resources(const char *name, const char *text, size_t len, struct arena *a,
			 const struct spec_resources **ret, struct err *e);

/* spec_parse_seccomp: a linux.seccomp object by itself (a profile that the site's rules name). */
int spec_parse_seccomp(const char *name, const char *text, size_t len, struct arena *a,
		       const struct spec_seccomp **ret, struct err *e);

#endif
