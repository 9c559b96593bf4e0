/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kavach policy: everything that will be done to start one container, decided. policy_build()
 * makes it from the spec, the site rules and the host facts without any side effect; after that it is
 * const. Its canonical encoding (codec.h) is what the state directory keeps, the in-container stage
 * performs, and the digest covers. Names and order of the fields are fixed by the tables in
 * policy/fields.c: a field that is not in a table is not encoded, and a unit test counts them.
 *
 * Conventions: enums are uint32_t with 0 = none; mount flags are the kernel's MOUNT_ATTR_* bits;
 * capability sets are bit masks by number; strings are absolute, cleaned paths where they are paths.
 */
#ifndef KAVACH_POLICY_POLICY_H
#define KAVACH_POLICY_POLICY_H

#include "base/arena.h"
#include "base/err.h"
#include "base/types.h"

#define POL_LIST(type)                                                                             \
	struct {                                                                                   \
		type *v;                                                                           \
		size_t n;                                                                          \
	}

enum pol_backend {
	POL_BACKEND_PROCESS = 1,
	POL_BACKEND_VM,
	POL_BACKEND_SEV,
	POL_BACKEND_SEV_ES,
	POL_BACKEND_SEV_SNP
};
enum pol_preset { POL_PRESET_MINIMAL = 1, POL_PRESET_BASIC, POL_PRESET_STRICT };

/* ---- namespaces and ids ---- */

enum pol_ns_type {
	POL_NS_USER = 1,
	POL_NS_PID,
	POL_NS_NET,
	POL_NS_MNT,
	POL_NS_IPC,
	POL_NS_UTS,
	POL_NS_CGROUP,
	POL_NS_TIME,
	POL_NS_MAX
};

struct pol_ns {
	uint32_t type;
	char *path; /* NULL = create, else join */
};
typedef POL_LIST(struct pol_ns) pol_nss; /* sorted by type */

struct pol_idmap {
	uint64_t container, host, size;
};
typedef POL_LIST(struct pol_idmap) pol_idmaps;

struct pol_time_offset {
	uint32_t clock; /* 1 monotonic, 2 boottime */
	int64_t secs;
	uint64_t nanosecs;
};

/* ---- file systems ---- */

enum pol_mount_kind {
	POL_MOUNT_FS = 1, /* a new file system of `type` with `data` */
	POL_MOUNT_BIND,	  /* one mount of source */
	POL_MOUNT_RBIND,  /* source with everything below */
	POL_MOUNT_CGROUP, /* the container's cgroup view: cgroup2, or v1 binds on a tmpfs */
	POL_MOUNT_REMOUNT /* change flags of what is at destination */
};

enum {
	POL_MOUNT_TMPCOPYUP = 1 << 0, /* copy what destination holds into the new tmpfs */
	POL_MOUNT_COPY_SYMLINK =
		1 << 1, /* bind source is a symlink: recreate it instead of following */
	POL_MOUNT_SRC_NOFOLLOW = 1 << 2,
	POL_MOUNT_DEST_NOFOLLOW = 1 << 3,
	POL_MOUNT_IDMAP =
		1 << 4, /* idmapped by uid_map/gid_map (or the container's user namespace) */
	POL_MOUNT_IDMAP_REC = 1 << 5, /* ridmap */
	POL_MOUNT_OPTIONAL = 1 << 6,  /* failure is tolerated (kavach's own additions only) */
	POL_MOUNT_DATA_RO = 1 << 7,   /* read-only super block too ("ro" on a new file system) */
	POL_MOUNT_USER_CLEARED =
		1 << 8, /* config asked to clear a flag: locked flags are not silently kept */
	POL_MOUNT_SRC_REAL = 1 << 9, /* a symlink anywhere in the source is an error (site rules) */
};

struct pol_mount {
	uint32_t kind;
	char *destination; /* cleaned, absolute, inside the root */
	char *type;	   /* file system type; NULL for binds */
	char *source;	   /* absolute host path for binds; as given for others; may be NULL */
	uint64_t attr_set, attr_clr;   /* MOUNT_ATTR_* of this mount */
	uint64_t rattr_set, rattr_clr; /* the same, recursively (r* options) */
	uint64_t propagation; /* 0 or MS_SHARED|MS_SLAVE|MS_PRIVATE|MS_UNBINDABLE, | MS_REC */
	uint64_t sb_flags; /* MS_SYNCHRONOUS, MS_DIRSYNC, MS_LAZYTIME, MS_SILENT, MS_MANDLOCK, MS_I_VERSION of the super block */
	uint32_t flags;	   /* POL_MOUNT_* */
	struct strs data;  /* fs options "key=value" or "flag", in config order */
	pol_idmaps uid_map, gid_map;
	uint32_t config_index; /* mounts[N] for messages; UINT32_MAX = ours */
};

struct pol_device {
	char *path;    /* absolute, inside the root */
	uint32_t type; /* S_IFCHR, S_IFBLK, S_IFIFO */
	uint32_t major, minor;
	uint32_t mode; /* permission bits */
	uint32_t uid, gid;
	bool is_default; /* one of the six that every container has */
};

/* ---- process ---- */

struct pol_rlimit {
	uint32_t resource; /* RLIMIT_* number */
	uint64_t soft, hard;
};

struct pol_caps {
	bool set; /* policy_build() always sets it: no capabilities object is five empty sets, as in runc */
	uint64_t bounding, effective, inheritable, permitted, ambient;
};

struct pol_scheduler {
	bool set;
	uint32_t policy; /* SCHED_* */
	uint64_t flags;	 /* SCHED_FLAG_* */
	int64_t nice;
	uint64_t priority, runtime, deadline, period;
};

struct pol_process {
	bool terminal;
	uint32_t console_width, console_height; /* 0 = leave */
	char *cwd;
	struct strs args, env;
	uint32_t uid, gid;
	struct u64s groups;
	bool keep_groups; /* run.oci.keep_original_groups */
	struct opt_u64 umask;
	POL_LIST(struct pol_rlimit) rlimits;
	struct pol_caps caps;
	bool no_new_privs;
	char *apparmor, *selinux;
	struct opt_i64 oom_score_adj;
	struct pol_scheduler sched;
	struct opt_u64 ioprio;			 /* kernel encoding: class << 13 | priority */
	char *affinity_initial, *affinity_final; /* CPU lists, exec only */
	struct opt_u64 personality;
	bool new_keyring;
};

/* ---- seccomp ---- */

struct pol_seccomp_arg {
	uint32_t index;
	uint32_t op; /* enum scmp_compare numbering of libseccomp: NE 1 LT 2 LE 3 EQ 4 GE 5 GT 6 MASKED_EQ 7 */
	uint64_t value, value2;
};

enum pol_action {
	POL_ACT_KILL_THREAD = 1,
	POL_ACT_KILL_PROCESS,
	POL_ACT_TRAP,
	POL_ACT_ERRNO,
	POL_ACT_TRACE,
	POL_ACT_ALLOW,
	POL_ACT_LOG,
	POL_ACT_NOTIFY
};

struct pol_seccomp_rule {
	struct strs names;
	uint32_t action;
	uint32_t errno_ret; /* for ERRNO and TRACE */
	POL_LIST(struct pol_seccomp_arg) args;
};

struct pol_seccomp {
	bool set; /* false: no filter */
	uint32_t default_action, default_errno;
	struct strs archs; /* "SCMP_ARCH_X86_64", ...; never empty: the native one is added */
	uint64_t flags;	   /* SECCOMP_FILTER_FLAG_* for seccomp(2) */
	POL_LIST(struct pol_seccomp_rule) rules;
	char *listener_path, *listener_metadata; /* an absolute path, or one of POL_LISTENER_* */
	char *source; /* "config.json", "profile basic", ... for people; not part of the digest */
	bool fail_unknown; /* run.oci.seccomp_fail_unknown_syscall */
};

/* In the place of a path in policy.seccomp, even where that is not set: what any of the filters denies with an errno is
 * reported (seccomp/report.h). */
#define POL_LISTENER_REPORT "report"
#define POL_REPORT_ANNOTATION "io.kavach.seccomp.report"
/* The same, where all calls that no filter denies are recorded (seccomp/record.h). */
#define POL_LISTENER_RECORD "calls"
#define POL_RECORD_ANNOTATION "io.kavach.seccomp.record"

/* ---- Landlock ---- */

/*
 * One layer of Landlock: the kernel enforces all layers of a process, and a process cannot get rid of one. What is not
 * limited is not in the layer's handled rights at all; a list that is limited and empty denies everything.
 */
struct policy_landlock {
	/* In a rule: the kernel must have this ABI at least. In a policy: what is limited is what this ABI knows
	 * (policy/landlock.h), and a kernel with less is an error; 0 = the rule lets it start without Landlock. */
	uint32_t required_abi;
	bool paths_limited; /* only what the lists name can be reached */
	/* The lists were filled from the container's mounts, too; then its standard input and output can be opened again
	 * by /proc/self/fd, whatever they are. */
	bool from_mounts;
	/* Absolute paths inside the container, clean; each is a file or a directory with all below it. One that does not
	 * exist, or that goes through a symlink, gives nothing. */
	struct strs read_only;	/* reading and listing */
	struct strs read_write; /* that, writing, making (but no devices) and removing */
	struct strs execute;	/* reading and executing */
	struct strs
		mounts; /* as read_write, but destinations of mounts: symlinks in the root are followed to them */
	bool bind_limited, connect_limited;
	struct u64s tcp_bind, tcp_connect; /* ports, sorted (ABI 4) */
	uint32_t scopes;		   /* POL_SCOPE_* (ABI 6) */
	uint32_t exec_scopes; /* of these, those of a process that `exec` adds: it has a domain of its own */
	char *source; /* "FILE: KEY" of the rule or LANDLOCK_PRESET, for people; not part of the digest */
};
/* The kernel's LANDLOCK_SCOPE_* bits. */
enum { POL_SCOPE_ABSTRACT_UNIX = 1 << 0, POL_SCOPE_SIGNAL = 1 << 1 };

/* What a process that is added by `exec` may be: the rules of the container's creation hold for it too. */
struct pol_exec_limits {
	bool set;	      /* false: nothing is limited */
	uint64_t caps_denied; /* capabilities that it must not get */
	bool no_privileged;   /* nor nearly all of them */
	bool no_new_privs;    /* must be set */
	bool no_root;	      /* no uid that is root of the host */
	bool no_terminal;
};

/* ---- secrets ---- */

enum pol_secret_source {
	POL_SECRET_FROM_FILE = 1,
	POL_SECRET_FROM_CREDENTIAL, /* of systemd */
	POL_SECRET_FROM_PROGRAM,
	POL_SECRET_FROM_SOCKET,
	POL_SECRET_FROM_BROKER /* of a confidential guest, which gets it itself: kavach-broker(7) */
};
enum pol_secret_give { POL_SECRET_FILE = 1, POL_SECRET_ENV, POL_SECRET_STDIN };

/* A secret of the site's rules that the container gets: which, from where and how; never what it is. */
struct pol_secret {
	char *name;
	uint32_t source;  /* enum pol_secret_source */
	struct strs from; /* path, credential's or broker's name, or program with its arguments */
	uint32_t give;	  /* enum pol_secret_give */
	char *target;  /* FILE: path inside the root, clean; ENV: the variable's name; else NULL */
	uint32_t mode; /* FILE */
	uint32_t uid, gid; /* FILE: of the container */
	bool required;	   /* else the container starts without it, with a warning */
	bool exec;	   /* ENV: processes that `exec` adds get it too */
	char *at;	   /* "FILE: KEY" of the rule, for people; not part of the digest */
};

/* ---- resources ---- */

struct pol_device_rule {
	bool allow;
	uint32_t type;	      /* 'a', 'b', 'c' */
	int64_t major, minor; /* -1 = any */
	uint32_t access;      /* 1 read, 2 write, 4 mknod */
};

struct pol_blkio_dev {
	uint32_t knob; /* enum pol_blkio_knob */
	uint64_t major, minor, value;
};
enum pol_blkio_knob {
	POL_BLKIO_WEIGHT = 1,
	POL_BLKIO_LEAF_WEIGHT,
	POL_BLKIO_RBPS,
	POL_BLKIO_WBPS,
	POL_BLKIO_RIOPS,
	POL_BLKIO_WIOPS
};

struct pol_hugepage {
	char *size; /* "2MB" */
	uint64_t limit;
};

struct pol_rdma {
	char *device;
	struct opt_u64 handles, objects;
};

/* As config.json and `update` say it; conversion to cgroup files is cgroup/'s. -1 = unlimited. */
struct pol_resources {
	POL_LIST(struct pol_device_rule)
	devices; /* complete list incl. our defaults; empty = do not touch */
	struct opt_i64 memory, memory_reservation, memory_swap, kernel_memory, kernel_memory_tcp;
	struct opt_u64 swappiness;
	struct opt_bool disable_oom_killer, check_before_update;
	struct opt_u64 cpu_shares, cpu_period, cpu_rt_period, cpu_burst;
	struct opt_i64 cpu_quota, cpu_rt_runtime, cpu_idle;
	char *cpus, *mems;
	struct opt_i64 pids;
	struct opt_u64 blkio_weight, blkio_leaf_weight;
	POL_LIST(struct pol_blkio_dev) blkio;
	POL_LIST(struct pol_hugepage) hugepages;
	struct opt_u64 net_classid;
	struct kvs net_prio; /* interface -> priority in decimal */
	POL_LIST(struct pol_rdma) rdma;
	struct kvs unified;
};

enum pol_cg_manager { POL_CG_CGROUPFS = 1, POL_CG_SYSTEMD, POL_CG_DISABLED };

struct pol_cgroup {
	uint32_t manager;
	char *path; /* config's cgroupsPath as given; NULL = none (cgroup/ derives one from the id) */
	bool delegate;		  /* S-39: chown the cgroup to the process uid */
	struct kvs systemd_props; /* org.systemd.property.* annotations */
};

/* ---- hooks, vm, rest ---- */

enum hook_phase {
	HOOK_PRESTART,
	HOOK_CREATE_RUNTIME,
	HOOK_CREATE_CONTAINER,
	HOOK_START_CONTAINER,
	HOOK_POSTSTART,
	HOOK_POSTSTOP,
	HOOK_PHASE_MAX
};

struct pol_hook {
	char *path;
	struct strs args; /* empty: argv[0] is path */
	struct strs env;  /* .set false: inherit */
	uint64_t timeout; /* seconds; 0 = none */
};
typedef POL_LIST(struct pol_hook) pol_hooks;

struct pol_netdev {
	char *host, *name;
};

struct pol_rdt {
	bool set;
	char *clos_id, *l3, *mb;
	struct strs schemata;
	bool monitoring;
};

struct pol_mempolicy {
	bool set;
	uint32_t mode; /* MPOL_* | flags */
	char *nodes;
};

/* What the host may do in a VM after the start (policy/host_may.h). */
enum {
	POL_HOST_EXEC = 1 << 0,	  /* add processes */
	POL_HOST_UPDATE = 1 << 1, /* change limits */
	POL_HOST_SIGNAL = 1 << 2, /* signals other than those that end a program */
	POL_HOST_STATS = 1 << 3,  /* ask for statistics and the list of processes */
	POL_HOST_ALL = (1 << 4) - 1,
};

enum pol_accel { POL_ACCEL_KVM = 1, POL_ACCEL_TCG };

/* A file that VMs may be made of, by the site's rules. */
enum pol_vm_kind {
	POL_VM_HYPERVISOR,
	POL_VM_KERNEL,
	POL_VM_INITRD,
	POL_VM_FIRMWARE,
	POL_VM_VIRTIOFSD,
};
/* How folders of the host get into a guest. */
enum pol_vm_share { POL_SHARE_9P = 1, POL_SHARE_VIRTIOFS };
struct pol_vm_file {
	uint32_t kind;
	char *path;   /* absolute, clean */
	char *sha256; /* 64 lower-case hex digits */
};

/* The root: the host's folder, shared with the guest; or an image of it with a hash of every block (dm-verity), packed before
 * the policy was made, and a tmpfs of the guest's above it. */
#define POL_ROOT_ANNOTATION "io.kavach.root"
enum pol_vm_root { POL_VM_ROOT_SHARED = 1, POL_VM_ROOT_PACKED };

struct pol_vm {
	bool set; /* the backend is a VM */
	/* Paths; NULL: what is installed (vm/image.h). */
	char *hypervisor, *kernel, *initrd, *firmware, *virtiofsd;
	char *machine; /* "microvm" or "q35"; NULL: what the backend needs */
	uint32_t share; /* enum pol_vm_share of the site; 0: virtiofs where there is a virtiofsd, else 9p */
	struct strs kernel_params, hypervisor_params;
	struct opt_u64 vcpus, memory;	      /* memory in bytes, of the guest */
	struct opt_u64 max_vcpus, max_memory; /* of the site */
	uint32_t accel;			      /* of this host */
	uint32_t limited; /* 1 << enum pol_vm_kind: only those of `files` may be used */
	POL_LIST(struct pol_vm_file) files;
	/* Of a confidential guest: as the bundle wants it (attest/policy.h: guest_policy_parse()), NULL: the default; bits that the
	 * site wants to be 1, and 0. */
	char *guest_policy;
	uint64_t policy_set, policy_clear;
	uint32_t uid_first, uid_count; /* what the hypervisors run as: see vm/jail.h */
	uint32_t root;		       /* enum pol_vm_root */
	/* Of a packed root: dm-verity's root hash (64 hex digits; NULL: it was not packed, and the policy cannot be started) and
	 * salt (hex), and how many blocks of 4096 bytes are data; the tree of hashes follows them. */
	char *root_hash, *root_salt;
	uint64_t root_blocks;
	bool sandbox;	   /* keeps a pod's namespaces and does nothing else */
	uint32_t host_may; /* POL_HOST_* */
	/* Of a confidential guest: SHA-256 (hex) of each compiled filter, the stacked ones first. Who compiles is the host, which
	 * is not trusted with what it hands over. */
	struct strs filters;
	/* Where the host finds the broker: the path of a socket, or "ADDRESS:PORT"; the key whose signature its answers must have, as
	 * SubjectPublicKeyInfo in base64. NULL: no secret is from a broker; any broker's. */
	char *broker, *broker_key;
};

struct policy {
	uint32_t version; /* POLICY_VERSION */
	uint32_t backend, backend_floor;
	uint32_t preset;
	pol_nss ns;
	pol_idmaps uid_map, gid_map;
	POL_LIST(struct pol_time_offset) time_offsets;
	char *rootfs; /* absolute host path */
	bool rootfs_readonly;
	uint64_t rootfs_propagation; /* MS_* | MS_REC; 0 = default (MS_REC|MS_PRIVATE effect, slave before pivot) */
	bool no_pivot;
	char *mount_label;	   /* SELinux context for mounts */
	uint32_t mount_label_kind; /* 0 "context", 1 "fscontext", 2 "defcontext", 3 "rootcontext" */
	POL_LIST(struct pol_mount) mounts;
	POL_LIST(struct pol_device) devices;
	struct strs masked, readonly;
	struct kvs sysctl; /* "net.ipv4.ip_forward"; a dot inside of a part is a slash: eth0/100 */
	char *hostname, *domainname;
	bool has_process;
	struct pol_process process;
	struct pol_seccomp seccomp;
	/* Filters beside that one (site rules, preset), loaded before it: all are evaluated, the strictest action wins. They
	 * have no listener. */
	POL_LIST(struct pol_seccomp) stacked;
	POL_LIST(struct policy_landlock) landlock; /* layers, in this order */
	struct pol_exec_limits exec_limits;
	POL_LIST(struct pol_secret) secrets; /* by name */
	struct pol_cgroup cgroup;
	struct pol_resources resources;
	pol_hooks hooks[HOOK_PHASE_MAX];
	POL_LIST(struct pol_netdev) netdevs;
	struct pol_rdt rdt;
	struct pol_mempolicy mempolicy;
	struct pol_vm vm;
};

#define POLICY_VERSION 6

/* pol_reports_denied: whether denied calls are reported. */
static inline bool pol_reports_denied(const struct policy *p)
{
	return p->seccomp.listener_path && p->seccomp.listener_path[0] == POL_LISTENER_REPORT[0];
}
/* pol_records_calls: whether the calls are recorded, even without any filter. */
static inline bool pol_records_calls(const struct policy *p)
{
	return p->seccomp.listener_path && p->seccomp.listener_path[0] == POL_LISTENER_RECORD[0];
}
/* pol_filters: how many filters are loaded. A report is one more (seccomp/report.c), and so is a recorder. */
static inline size_t pol_filters(const struct policy *p)
{
	return p->stacked.n + p->seccomp.set + pol_reports_denied(p) + pol_records_calls(p);
}

/* pol_ns_find: the row of a namespace type, or NULL (the container shares the host's). */
const struct pol_ns *pol_ns_find(const struct policy *p, enum pol_ns_type t);

/* pol_secret_dir: the directory that a secret file is in, which is a file system of its own, in the arena; NULL: it is not
 * given as a file. */
const char *pol_secret_dir(struct arena *a, const struct pol_secret *s);

#endif
