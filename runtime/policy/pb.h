/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of policy_build() share; private to policy/. spec/ has checked each value by itself
 * (types, ranges, words); what stands here is what depends on other values, on the host or on the site.
 */
#ifndef KAVACH_POLICY_PB_H
#define KAVACH_POLICY_PB_H

#include "policy/build.h"

struct pb {
	const struct spec *s;	    /* NULL for policy_build_process() and _resources() */
	const struct spec_linux *l; /* never NULL: an absent linux object is an empty one */
	const struct host *h;
	const struct policy_input *in;
	const char *config; /* file name for messages */
	const char *
		prefix; /* config path of the object at hand: "process." in config.json, "" in a file
			      * of its own */
	bool grants_caps; /* a user namespace other than ours: the kernel gives all capabilities there */
	bool update;	  /* policy_build_resources(): what is absent keeps its old value */
	struct arena *a;
	struct policy *p;	   /* being built */
	const struct rules *rules; /* the site's; NULL = none */
	bool *in_force; /* which of rules->v are about this container: pb_rules_select() */
};

/* pb_refuse: "config.json: <text>", -EINVAL, ERR_CONFIG. The text starts with the config path. */
int pb_refuse(const struct pb *b, struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 3, 4), cold));
/* pb_warn: a warning with the same start. */
void pb_warn(const struct pb *b, const char *fmt, ...) __attribute__((format(printf, 2, 3), cold));

/* pb_count: refuses a list that is longer than any real one, where each entry is compared with all others. */
int pb_count(const struct pb *b, const char *what, size_t n, struct err *e);

/* pb_word: the value of a word that spec/ has checked; what it let through by mistake is refused here. */
int pb_word(const struct pb *b, const struct name_val *t, size_t n, const char *word, long *ret,
	    struct err *e, const char *fmt, ...) __attribute__((format(printf, 7, 8)));
#define PB_WORD(b, t, ...) pb_word((b), (t), ARRAY_LEN(t), __VA_ARGS__)

/* pb_annotation: the value of an annotation, or NULL. */
const char *pb_annotation(const struct pb *b, const char *key);
/* pb_annotation_on: whether a boolean annotation of crun's is on: present and neither "0" nor "false". */
bool pb_annotation_on(const struct pb *b, const char *key);
/* pb_host_path: a host path of the config: absolute, or below the bundle. ".." is not resolved by text:
 * what stands before it may be a symlink. */
char *pb_host_path(const struct pb *b, const char *path);
/* pb_given: a NULL string for "" and for NULL: engines write both for "not given". */
static inline char *pb_given(char *s)
{
	return str_empty(s) ? NULL : s;
}

/* pb_copy_maps: the config's id map in the policy's form. */
void pb_copy_maps(struct pb *b, const spec_idmaps *s, pol_idmaps *ret);
/* pb_map_id: the host id of n ids of the container from `id` on, when one row of the map holds them all. */
bool pb_map_id(const pol_idmaps *map, uint64_t id, uint64_t n, uint64_t *ret);

/* The parts, in the order in which policy_build() calls them. */
int pb_namespaces(struct pb *b,
		  struct err *e);	     /* p_ns.c: namespaces, id maps, time offsets, names */
int pb_sysctl(struct pb *b, struct err *e);  /* p_sysctl.c */
int pb_root(struct pb *b, struct err *e);    /* p_mount.c */
int pb_mounts(struct pb *b, struct err *e);  /* p_mount.c */
int pb_paths(struct pb *b, struct err *e);   /* p_mount.c: masked and read-only paths */
int pb_devices(struct pb *b, struct err *e); /* p_dev.c */
int pb_device_rules(struct pb *b, const struct spec_resources *s, struct pol_resources *ret,
		    struct err *e); /* p_dev.c */
/* pb_device_always: whether a rule is one of those, or a part of one, that every container has. */
bool pb_device_always(const struct pol_device_rule *r);
int pb_process(struct pb *b, const struct spec_process *s, struct pol_process *ret, struct err *e);
int pb_caps(struct pb *b, const struct spec_caps *s, struct pol_caps *ret,
	    struct err *e); /* p_caps.c */
int pb_personality(struct pb *b, struct opt_u64 *ret, struct err *e);
int pb_seccomp(struct pb *b, struct err *e); /* p_seccomp.c */
int pb_seccomp_section(struct pb *b, const struct spec_seccomp *s, struct pol_seccomp *ret,
		       struct err *e);
int pb_resources(struct pb *b, const struct spec_resources *s, struct pol_resources *ret,
		 struct err *e);
int pb_cgroup(struct pb *b, struct err *e); /* p_misc.c: also needs mounts and namespaces */
int pb_hooks(struct pb *b, struct err *e);
int pb_netdevs(struct pb *b, struct err *e);
int pb_rdt(struct pb *b, struct err *e);
int pb_mempolicy(struct pb *b, struct err *e);
int pb_notify(struct pb *b, struct err *e); /* p_notify.c: after mounts and process */
int pb_preset(struct pb *b, struct err *e); /* preset.c: last, it tightens all */

/* p_rules_match.c: which rules are in force; the backend is decided before. */
void pb_rules_select(struct pb *b);
/* rule_namespaces: "podman", "containerd/k8s.io", "kubernetes/batch": what the container belongs to, by its bundle and its
 * annotations. In the arena. */
struct strs rule_namespaces(const struct pb *b);
/* p_rules.c: what they add to the policy, after the preset; then whether it is as they demand. */
int pb_rules_add(struct pb *b, struct err *e);
int pb_rules_check(struct pb *b, struct err *e);
/* p_rules.c: one more filter beside the config's own, unless it is there already. */
int pb_stack(struct pb *b, const struct rule_seccomp *from, struct err *e);
/* p_seccomp.c: whether what is denied is reported; after all that adds filters. */
int pb_report(struct pb *b, struct err *e);
/* p_seccomp.c: whether what is called is recorded; behind pb_report(). */
int pb_record(struct pb *b, struct err *e);
/* p_landlock.c: one more layer: a rule's, or that of the preset strict. After mounts, devices and namespaces. */
int pb_landlock(struct pb *b, const struct policy_landlock *l, struct err *e);
int pb_landlock_strict(struct pb *b, struct err *e);
/* p_rules.c: whether an exec's process stays within base->exec_limits. */
int pb_exec_limits(const struct pb *b, const struct pol_process *p, struct err *e);
/* p_secrets.c: the secrets of the rules in force that the container gets; after all that adds mounts. */
int pb_secrets(struct pb *b, struct err *e);
/* p_joined.c: after all that adds something: what cannot be done in a mount namespace that is joined. */
int pb_joined(struct pb *b, struct err *e);

/* p_vm.c: what the bundle and the site want a VM to be; nothing for a process. pb_vm_fits: after all that adds something: what a
 * VM cannot do. */
int pb_vm(struct pb *b, struct err *e);
int pb_vm_fits(struct pb *b, struct err *e);
/* pb_vm_process: what a process, the first or another one, cannot have in a VM. */
int pb_vm_process(struct pb *b, struct pol_process *p, struct err *e);

/* p_live.c: what cannot be mounted in a container that lives. */
int pb_live(struct pb *b, struct err *e);

/* profiles.c: the named seccomp profiles, for the machine of the host. */
void pb_profile(struct pb *b, uint32_t preset, struct pol_seccomp *ret);
/* The SCMP_ARCH_ word of uname's machine, or NULL. */
const char *pb_native_arch(const char *machine);

#endif
