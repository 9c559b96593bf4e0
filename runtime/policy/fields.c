/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of the policy's structures: order of the rows = order of the bytes, so a changed order or
 * row is a new POLICY_VERSION. The kind of a row follows from the C type of the member, so a row cannot
 * read a member as something else; that no member is forgotten is checked by tests/unit/test_policy_codec.
 * Data only: part of the in-container stage.
 */
#include "policy/codec.h"
#include "policy/names.h"

/* clang-format off */
#define KIND(st, m)                                                                                 \
	_Generic(((st *) 0)->m,                                                                     \
		bool: C_BOOL, uint32_t: C_U32, int32_t: C_I32, uint64_t: C_U64, int64_t: C_I64,     \
		struct opt_u64: C_OPT_U64, struct opt_i64: C_OPT_I64, struct opt_bool: C_OPT_BOOL,  \
		char *: C_STR, struct strs: C_STRS, struct kvs: C_KVS, struct u64s: C_U64S,         \
		struct bytes: C_BYTES)
/* clang-format on */

/* F: a member of a simple type. FN: a number with names. FO: an embedded struct. FL: a list of structs. */
#define F(m)                                                                                       \
	{                                                                                          \
		.name = #m, .kind = KIND(ST, m), .off = offsetof(ST, m)                            \
	}
#define FH(m)                                                                                      \
	{                                                                                          \
		.name = #m, .kind = KIND(ST, m), .off = offsetof(ST, m), .flags = C_HUMAN          \
	}
#define FN(m, ...) FN2(m, __VA_ARGS__) /* expands the two-in-one names below */
#define FN2(m, tab, count)                                                                         \
	{                                                                                          \
		.name = #m, .kind = KIND(ST, m), .off = offsetof(ST, m), .names = (tab),           \
		.n_names = (count)                                                                 \
	}
#define FO(m, t)                                                                                   \
	{                                                                                          \
		.name = #m, .kind = C_OBJ, .off = offsetof(ST, m), .sub = &(t)                     \
	}
#define FL(m, t)                                                                                   \
	{                                                                                          \
		.name = #m, .kind = C_OBJS, .off = offsetof(ST, m.v), .sub = &(t)                  \
	}
#define TABLE(id, rows, st) const struct ctable id = {#st, rows, ARRAY_LEN(rows), sizeof(struct st)}

static const struct name_val accel_names[] = {{"kvm", POL_ACCEL_KVM}, {"tcg", POL_ACCEL_TCG}};
static const struct name_val vm_kind_names[] = {
	{"hypervisor", POL_VM_HYPERVISOR}, {"kernel", POL_VM_KERNEL},
	{"initrd", POL_VM_INITRD},	   {"firmware", POL_VM_FIRMWARE},
	{"virtiofsd", POL_VM_VIRTIOFSD},
};
static const struct name_val vm_root_names[] = {{"shared", POL_VM_ROOT_SHARED},
						{"packed", POL_VM_ROOT_PACKED}};
static const struct name_val share_names[] = {{"9p", POL_SHARE_9P},
					      {"virtiofs", POL_SHARE_VIRTIOFS}};
static const struct name_val backend_names[] = {
	{"process", POL_BACKEND_PROCESS}, {"vm", POL_BACKEND_VM},
	{"sev", POL_BACKEND_SEV},	  {"sev-es", POL_BACKEND_SEV_ES},
	{"sev-snp", POL_BACKEND_SEV_SNP},
};
static const struct name_val preset_names[] = {
	{"minimal", POL_PRESET_MINIMAL},
	{"basic", POL_PRESET_BASIC},
	{"strict", POL_PRESET_STRICT},
};
static const struct name_val clock_names[] = {{"monotonic", 1}, {"boottime", 2}};
static const struct name_val mount_kind_names[] = {
	{"fs", POL_MOUNT_FS},	      {"bind", POL_MOUNT_BIND},	      {"rbind", POL_MOUNT_RBIND},
	{"cgroup", POL_MOUNT_CGROUP}, {"remount", POL_MOUNT_REMOUNT},
};
static const struct name_val blkio_names[] = {
	{"weight", POL_BLKIO_WEIGHT},  {"leafWeight", POL_BLKIO_LEAF_WEIGHT},
	{"readBps", POL_BLKIO_RBPS},   {"writeBps", POL_BLKIO_WBPS},
	{"readIOPS", POL_BLKIO_RIOPS}, {"writeIOPS", POL_BLKIO_WIOPS},
};
static const struct name_val cg_manager_names[] = {
	{"cgroupfs", POL_CG_CGROUPFS},
	{"systemd", POL_CG_SYSTEMD},
	{"disabled", POL_CG_DISABLED},
};

static const struct name_val secret_source_names[] = {
	{"file", POL_SECRET_FROM_FILE},	      {"credential", POL_SECRET_FROM_CREDENTIAL},
	{"program", POL_SECRET_FROM_PROGRAM}, {"socket", POL_SECRET_FROM_SOCKET},
	{"broker", POL_SECRET_FROM_BROKER},
};
static const struct name_val secret_give_names[] = {
	{"file", POL_SECRET_FILE},
	{"env", POL_SECRET_ENV},
	{"stdin", POL_SECRET_STDIN},
};

#define CAP_NAMES cap_names, CAP_NAMES_N
#define NS_NAMES ns_names, NS_NAMES_N
#define RLIMIT_NAMES rlimit_names, RLIMIT_NAMES_N
#define ACTION_NAMES seccomp_action_names, SECCOMP_ACTION_NAMES_N
#define OP_NAMES seccomp_op_names, SECCOMP_OP_NAMES_N

#define ST struct pol_ns
static const struct cfield ns_rows[] = {FN(type, NS_NAMES), F(path)};
static TABLE(ns_table, ns_rows, pol_ns);
#undef ST

#define ST struct pol_idmap
static const struct cfield idmap_rows[] = {F(container), F(host), F(size)};
TABLE(pol_idmap_table, idmap_rows, pol_idmap);
#undef ST

#define ST struct pol_time_offset
static const struct cfield time_offset_rows[] = {FN(clock, clock_names, ARRAY_LEN(clock_names)),
						 F(secs), F(nanosecs)};
static TABLE(time_offset_table, time_offset_rows, pol_time_offset);
#undef ST

#define ST struct pol_mount
static const struct cfield mount_rows[] = {
	FN(kind, mount_kind_names, ARRAY_LEN(mount_kind_names)),
	F(destination),
	F(type),
	F(source),
	F(attr_set),
	F(attr_clr),
	F(rattr_set),
	F(rattr_clr),
	F(propagation),
	F(sb_flags),
	F(flags),
	F(data),
	FL(uid_map, pol_idmap_table),
	FL(gid_map, pol_idmap_table),
	F(config_index),
};
TABLE(pol_mount_table, mount_rows, pol_mount);
#undef ST

#define ST struct pol_device
static const struct cfield device_rows[] = {
	F(path), F(type), F(major), F(minor), F(mode), F(uid), F(gid), F(is_default),
};
static TABLE(device_table, device_rows, pol_device);
#undef ST

#define ST struct pol_rlimit
static const struct cfield rlimit_rows[] = {FN(resource, RLIMIT_NAMES), F(soft), F(hard)};
static TABLE(rlimit_table, rlimit_rows, pol_rlimit);
#undef ST

#define ST struct pol_caps
static const struct cfield caps_rows[] = {
	F(set),
	FN(bounding, CAP_NAMES),
	FN(effective, CAP_NAMES),
	FN(inheritable, CAP_NAMES),
	FN(permitted, CAP_NAMES),
	FN(ambient, CAP_NAMES),
};
static TABLE(caps_table, caps_rows, pol_caps);
#undef ST

#define ST struct pol_scheduler
static const struct cfield scheduler_rows[] = {
	F(set), F(policy), F(flags), F(nice), F(priority), F(runtime), F(deadline), F(period),
};
static TABLE(scheduler_table, scheduler_rows, pol_scheduler);
#undef ST

#define ST struct pol_process
static const struct cfield process_rows[] = {
	F(terminal),
	F(console_width),
	F(console_height),
	F(cwd),
	F(args),
	F(env),
	F(uid),
	F(gid),
	F(groups),
	F(keep_groups),
	F(umask),
	FL(rlimits, rlimit_table),
	FO(caps, caps_table),
	F(no_new_privs),
	F(apparmor),
	F(selinux),
	F(oom_score_adj),
	FO(sched, scheduler_table),
	F(ioprio),
	F(affinity_initial),
	F(affinity_final),
	F(personality),
	F(new_keyring),
};
TABLE(pol_process_table, process_rows, pol_process);
#undef ST

#define ST struct pol_seccomp_arg
static const struct cfield seccomp_arg_rows[] = {F(index), FN(op, OP_NAMES), F(value), F(value2)};
static TABLE(seccomp_arg_table, seccomp_arg_rows, pol_seccomp_arg);
#undef ST

#define ST struct pol_seccomp_rule
static const struct cfield seccomp_rule_rows[] = {
	F(names),
	FN(action, ACTION_NAMES),
	F(errno_ret),
	FL(args, seccomp_arg_table),
};
static TABLE(seccomp_rule_table, seccomp_rule_rows, pol_seccomp_rule);
#undef ST

#define ST struct pol_seccomp
static const struct cfield seccomp_rows[] = {
	F(set),		  FN(default_action, ACTION_NAMES),
	F(default_errno), F(archs),
	F(flags),	  FL(rules, seccomp_rule_table),
	F(listener_path), F(listener_metadata),
	FH(source),	  F(fail_unknown),
};
TABLE(pol_seccomp_table, seccomp_rows, pol_seccomp);
#undef ST

#define ST struct policy_landlock
static const struct cfield landlock_rows[] = {
	F(required_abi), F(paths_limited), F(from_mounts),  F(read_only),	F(read_write),
	F(execute),	 F(mounts),	   F(bind_limited), F(connect_limited), F(tcp_bind),
	F(tcp_connect),	 F(scopes),	   F(exec_scopes),  FH(source),
};
TABLE(policy_landlock_table, landlock_rows, policy_landlock);
#undef ST

#define ST struct pol_exec_limits
static const struct cfield exec_limits_rows[] = {F(set),	  F(caps_denied), F(no_privileged),
						 F(no_new_privs), F(no_root),	  F(no_terminal)};
static TABLE(exec_limits_table, exec_limits_rows, pol_exec_limits);
#undef ST

#define ST struct pol_secret
static const struct cfield secret_rows[] = {
	F(name),     FN(source, secret_source_names, ARRAY_LEN(secret_source_names)),
	F(from),     FN(give, secret_give_names, ARRAY_LEN(secret_give_names)),
	F(target),   F(mode),
	F(uid),	     F(gid),
	F(required), F(exec),
	FH(at),
};
static TABLE(secret_table, secret_rows, pol_secret);
#undef ST

#define ST struct pol_device_rule
static const struct cfield device_rule_rows[] = {F(allow), F(type), F(major), F(minor), F(access)};
static TABLE(device_rule_table, device_rule_rows, pol_device_rule);
#undef ST

#define ST struct pol_blkio_dev
static const struct cfield blkio_rows[] = {FN(knob, blkio_names, ARRAY_LEN(blkio_names)), F(major),
					   F(minor), F(value)};
static TABLE(blkio_table, blkio_rows, pol_blkio_dev);
#undef ST

#define ST struct pol_hugepage
static const struct cfield hugepage_rows[] = {F(size), F(limit)};
static TABLE(hugepage_table, hugepage_rows, pol_hugepage);
#undef ST

#define ST struct pol_rdma
static const struct cfield rdma_rows[] = {F(device), F(handles), F(objects)};
static TABLE(rdma_table, rdma_rows, pol_rdma);
#undef ST

#define ST struct pol_resources
static const struct cfield resources_rows[] = {
	FL(devices, device_rule_table),
	F(memory),
	F(memory_reservation),
	F(memory_swap),
	F(kernel_memory),
	F(kernel_memory_tcp),
	F(swappiness),
	F(disable_oom_killer),
	F(check_before_update),
	F(cpu_shares),
	F(cpu_period),
	F(cpu_rt_period),
	F(cpu_burst),
	F(cpu_quota),
	F(cpu_rt_runtime),
	F(cpu_idle),
	F(cpus),
	F(mems),
	F(pids),
	F(blkio_weight),
	F(blkio_leaf_weight),
	FL(blkio, blkio_table),
	FL(hugepages, hugepage_table),
	F(net_classid),
	F(net_prio),
	FL(rdma, rdma_table),
	F(unified),
};
TABLE(pol_resources_table, resources_rows, pol_resources);
#undef ST

#define ST struct pol_cgroup
static const struct cfield cgroup_rows[] = {
	FN(manager, cg_manager_names, ARRAY_LEN(cg_manager_names)),
	F(path),
	F(delegate),
	F(systemd_props),
};
TABLE(pol_cgroup_table, cgroup_rows, pol_cgroup);
#undef ST

#define ST struct pol_hook
static const struct cfield hook_rows[] = {F(path), F(args), F(env), F(timeout)};
TABLE(pol_hook_table, hook_rows, pol_hook);
#undef ST

#define ST struct pol_netdev
static const struct cfield netdev_rows[] = {F(host), F(name)};
static TABLE(netdev_table, netdev_rows, pol_netdev);
#undef ST

#define ST struct pol_rdt
static const struct cfield rdt_rows[] = {
	F(set), F(clos_id), F(l3), F(mb), F(schemata), F(monitoring),
};
TABLE(pol_rdt_table, rdt_rows, pol_rdt);
#undef ST

#define ST struct pol_mempolicy
static const struct cfield mempolicy_rows[] = {F(set), F(mode), F(nodes)};
static TABLE(mempolicy_table, mempolicy_rows, pol_mempolicy);
#undef ST

#define ST struct pol_vm_file
static const struct cfield vm_file_rows[] = {FN(kind, vm_kind_names, ARRAY_LEN(vm_kind_names)),
					     F(path), F(sha256)};
static TABLE(vm_file_table, vm_file_rows, pol_vm_file);
#undef ST

#define ST struct pol_vm
static const struct cfield vm_rows[] = {
	F(set),
	F(hypervisor),
	F(kernel),
	F(initrd),
	F(firmware),
	F(virtiofsd),
	F(machine),
	FN(share, share_names, ARRAY_LEN(share_names)),
	F(kernel_params),
	F(hypervisor_params),
	F(vcpus),
	F(memory),
	F(max_vcpus),
	F(max_memory),
	FN(accel, accel_names, ARRAY_LEN(accel_names)),
	F(limited),
	FL(files, vm_file_table),
	F(guest_policy),
	F(policy_set),
	F(policy_clear),
	F(uid_first),
	F(uid_count),
	FN(root, vm_root_names, ARRAY_LEN(vm_root_names)),
	F(root_hash),
	F(root_salt),
	F(root_blocks),
	F(sandbox),
	F(host_may),
	F(filters),
	F(broker),
	F(broker_key),
};
static TABLE(vm_table, vm_rows, pol_vm);
#undef ST

#define ST struct policy
/* A phase of the hooks is one list; the name is the one of config.json. */
#define HOOKS(json_name, phase)                                                                    \
	{                                                                                          \
		.name = json_name, .kind = C_OBJS, .off = offsetof(ST, hooks[phase]),              \
		.sub = &pol_hook_table                                                             \
	}
static const struct cfield policy_rows[] = {
	F(version),
	FN(backend, backend_names, ARRAY_LEN(backend_names)),
	FN(backend_floor, backend_names, ARRAY_LEN(backend_names)),
	FN(preset, preset_names, ARRAY_LEN(preset_names)),
	FL(ns, ns_table),
	FL(uid_map, pol_idmap_table),
	FL(gid_map, pol_idmap_table),
	FL(time_offsets, time_offset_table),
	F(rootfs),
	F(rootfs_readonly),
	F(rootfs_propagation),
	F(no_pivot),
	F(mount_label),
	F(mount_label_kind),
	FL(mounts, pol_mount_table),
	FL(devices, device_table),
	F(masked),
	F(readonly),
	F(sysctl),
	F(hostname),
	F(domainname),
	F(has_process),
	FO(process, pol_process_table),
	FO(seccomp, pol_seccomp_table),
	FL(stacked, pol_seccomp_table),
	FL(landlock, policy_landlock_table),
	FO(exec_limits, exec_limits_table),
	FL(secrets, secret_table),
	FO(cgroup, pol_cgroup_table),
	FO(resources, pol_resources_table),
	HOOKS("prestart", HOOK_PRESTART),
	HOOKS("createRuntime", HOOK_CREATE_RUNTIME),
	HOOKS("createContainer", HOOK_CREATE_CONTAINER),
	HOOKS("startContainer", HOOK_START_CONTAINER),
	HOOKS("poststart", HOOK_POSTSTART),
	HOOKS("poststop", HOOK_POSTSTOP),
	FL(netdevs, netdev_table),
	FO(rdt, pol_rdt_table),
	FO(mempolicy, mempolicy_table),
	FO(vm, vm_table),
};
TABLE(policy_table, policy_rows, policy);
#undef ST
