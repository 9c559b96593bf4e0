/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What rules say once for the machine: audit log, VMs, attestation. Several files add up: lists of what is allowed become
 * what all of them allow, limits the smallest, and what can only be one thing must be the same wherever it is said.
 */
#include "base/addr.h"
#include "json/decode.h"
#include "policy/host_may.h"
#include "policy/rules_tables.h"

#define KEEP_MAX 100000
#define ROTATE_MIN 4096

/* ---- tables ---- */

static const struct name_val sinks[] = {{"journald", 1}, {"syslog", 2}};

static int audit_check(const struct json_doc *d, const struct json_node *n, void *obj,
		       struct arena *a, struct err *e)
{
	const struct rj_audit *j = obj;
	int r = spec_check_each(d, n, "directory", rules_is_clean_path, RULES_CLEAN_PATH, a, e);

	if (r == 0 && j->rotateBytes.set && j->rotateBytes.v < ROTATE_MIN)
		r = json_err(d, json_get(n, "rotateBytes"), e, "expected at least %d, found %llu",
			     ROTATE_MIN, (unsigned long long) j->rotateBytes.v);
	if (r == 0 && j->enabled.set && !j->enabled.v && j->required.v)
		r = json_err(d, json_get(n, "required"), e, "contradicts \"enabled\": false");
	return r;
}

static const struct jfield audit_f[] = {
	F_BOOL(struct rj_audit, enabled),
	F_BOOL(struct rj_audit, required),
	F_STR(struct rj_audit, directory),
	F_BOOL(struct rj_audit, fsync),
	F_STRS(struct rj_audit, sinks, F_ONE_OF(sinks)),
	F_UINT(struct rj_audit, rotateBytes),
	F_UINT(struct rj_audit, keep, .max = KEEP_MAX),
};
const struct jtable rules_t_audit = F_TABLE(struct rj_audit, audit_f, .flags = J_STRICT,
					    .check = audit_check);

static bool is_hex(const char *s, size_t len)
{
	return strlen(s) == len && strspn(s, "0123456789abcdef") == len;
}

static bool is_sha256(const char *s)
{
	return is_hex(s, 64);
}

static bool is_launch_digest(const char *s)
{
	return is_hex(s, 64) || is_hex(s, 96);
}

static int digest_check(const struct json_doc *d, const struct json_node *n, void *obj,
			struct arena *a, struct err *e)
{
	int r = spec_check_each(d, n, "path", rules_is_clean_path, RULES_CLEAN_PATH, a, e);

	(void) obj;
	return r < 0 ? r
		     : spec_check_each(d, n, "sha256", is_sha256, "64 digits 0-9 and a-f", a, e);
}

static const struct jfield digest_f[] = {
	F_STR(struct rj_file_digest, path, .flags = J_REQUIRED),
	F_STR(struct rj_file_digest, sha256, .flags = J_REQUIRED),
};
static const struct jtable digest_t = F_TABLE(struct rj_file_digest, digest_f, .flags = J_STRICT,
					      .check = digest_check);

static int defaults_check(const struct json_doc *d, const struct json_node *n, void *obj,
			  struct arena *a, struct err *e)
{
	static const char *const paths[] = {"hypervisor", "kernel", "initrd", "firmware",
					    "virtiofsd"};
	int r = 0;

	(void) obj;
	for (size_t i = 0; i < ARRAY_LEN(paths) && r == 0; i++)
		r = spec_check_each(d, n, paths[i], rules_is_clean_path, RULES_CLEAN_PATH, a, e);
	return r;
}

static const struct jfield defaults_f[] = {
	F_STR(struct rj_vm_defaults, hypervisor),
	F_STR(struct rj_vm_defaults, kernel),
	F_STR(struct rj_vm_defaults, initrd),
	F_STR(struct rj_vm_defaults, firmware),
	F_STR(struct rj_vm_defaults, virtiofsd),
	F_STR(struct rj_vm_defaults, machine, .flags = J_NONEMPTY),
	F_UINT(struct rj_vm_defaults, vcpus, .max = 65536),
	F_UINT(struct rj_vm_defaults, memory),
};
static const struct jtable defaults_t = F_TABLE(struct rj_vm_defaults, defaults_f,
						.flags = J_STRICT, .check = defaults_check);

static const struct jfield maximum_f[] = {
	F_UINT(struct rj_vm_maximum, vcpus, .max = 65536),
	F_UINT(struct rj_vm_maximum, memory),
};
static const struct jtable maximum_t = F_TABLE(struct rj_vm_maximum, maximum_f, .flags = J_STRICT);

#define SECONDS_MAX 86400
const char *const rules_vm_timeout_names[RULES_VM_T_MAX] = {
	[RULES_VM_T_HELLO] = "hello",	    [RULES_VM_T_PREPARED] = "prepared",
	[RULES_VM_T_SHUTDOWN] = "shutdown", [RULES_VM_T_QMP] = "qmp",
	[RULES_VM_T_LAUNCH] = "launch",
};

static int timeouts_check(const struct json_doc *d, const struct json_node *n, void *obj,
			  struct arena *a, struct err *e)
{
	const struct rj_vm_timeouts *j = obj;
	const struct opt_u64 v[] = {j->hello, j->prepared, j->shutdown, j->qmp, j->launch};

	(void) a;
	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		if (v[i].set && v[i].v == 0)
			return json_err(d, n, e, "expected 1 to %d seconds, found 0", SECONDS_MAX);
	return 0;
}

static const struct jfield timeouts_f[] = {
	F_UINT(struct rj_vm_timeouts, hello, .max = SECONDS_MAX),
	F_UINT(struct rj_vm_timeouts, prepared, .max = SECONDS_MAX),
	F_UINT(struct rj_vm_timeouts, shutdown, .max = SECONDS_MAX),
	F_UINT(struct rj_vm_timeouts, qmp, .max = SECONDS_MAX),
	F_UINT(struct rj_vm_timeouts, launch, .max = SECONDS_MAX),
};
static const struct jtable timeouts_t = F_TABLE(struct rj_vm_timeouts, timeouts_f,
						.flags = J_STRICT, .check = timeouts_check);

static int uids_check(const struct json_doc *d, const struct json_node *n, void *obj,
		      struct arena *a, struct err *e)
{
	const struct rj_vm_uids *j = obj;

	(void) a;
	/* -1 is no id; 0 and what a machine's own users have are not for a hypervisor */
	if (j->first.v < 1000 || j->count.v < 1 || j->first.v + j->count.v > UINT32_MAX)
		return json_err(d, n, e,
				"expected ids from 1000 to 4294967294, found %llu ids from %llu on",
				(unsigned long long) j->count.v, (unsigned long long) j->first.v);
	return 0;
}

static const struct jfield uids_f[] = {
	F_UINT(struct rj_vm_uids, first, .flags = J_REQUIRED, .max = UINT32_MAX),
	F_UINT(struct rj_vm_uids, count, .flags = J_REQUIRED, .max = UINT32_MAX),
};
static const struct jtable uids_t = F_TABLE(struct rj_vm_uids, uids_f, .flags = J_STRICT,
					    .check = uids_check);

static const struct name_val roots[] = {{"shared", POL_VM_ROOT_SHARED},
					{"packed", POL_VM_ROOT_PACKED}};
static const struct name_val shares[] = {{"9p", POL_SHARE_9P}, {"virtiofs", POL_SHARE_VIRTIOFS}};
static const struct name_val may_words[] = {
	{"exec", POL_HOST_EXEC},
	{"update", POL_HOST_UPDATE},
	{"signal", POL_HOST_SIGNAL},
	{"stats", POL_HOST_STATS},
};
_Static_assert(ARRAY_LEN(may_words) == HOST_MAY_NAMES_N, "the words of the annotation");

static const struct jfield vm_f[] = {
	F_OBJS(struct rj_vm, hypervisors, struct rj_file_digest, &digest_t),
	F_OBJS(struct rj_vm, kernels, struct rj_file_digest, &digest_t),
	F_OBJS(struct rj_vm, initrds, struct rj_file_digest, &digest_t),
	F_OBJS(struct rj_vm, firmware, struct rj_file_digest, &digest_t),
	F_OBJS(struct rj_vm, virtiofsd, struct rj_file_digest, &digest_t),
	F_STR(struct rj_vm, share, F_ONE_OF(shares)),
	F_OBJ(struct rj_vm, defaults, struct rj_vm_defaults, &defaults_t),
	F_OBJ(struct rj_vm, maximum, struct rj_vm_maximum, &maximum_t),
	F_OBJ(struct rj_vm, timeouts, struct rj_vm_timeouts, &timeouts_t),
	F_STRS(struct rj_vm, kernelParameters),
	F_STRS(struct rj_vm, hypervisorParameters),
	F_OBJ(struct rj_vm, uids, struct rj_vm_uids, &uids_t),
	F_STR(struct rj_vm, root, F_ONE_OF(roots)),
	F_STRS(struct rj_vm, hostMay, F_ONE_OF(may_words)),
	F_STR(struct rj_vm, broker),
	F_STR(struct rj_vm, brokerKey),
};

static bool is_address(const char *s)
{
	union addr at;
	socklen_t n;

	return rules_is_clean_path(s) || addr_parse(s, &at, &n) == 0;
}

/* A SubjectPublicKeyInfo of P-256 with an uncompressed point always begins like this; whether what follows is a point is for
 * those who compute with it. */
static bool is_spki(const char *s)
{
	static const char head[] = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE";
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *rest = str_prefix(s, head);

	return rest && strspn(rest, digits) == 86 && str_eq(rest + 86, "==");
}

static int vm_check(const struct json_doc *d, const struct json_node *n, void *obj, struct arena *a,
		    struct err *e)
{
	const struct rj_vm *j = obj;
	int r = spec_check_each(d, n, "broker", is_address,
				"a clean absolute path of a socket, or an address and a port like "
				"192.0.2.1:7443 or [2001:db8::1]:7443",
				a, e);

	if (r == 0)
		r = spec_check_each(d, n, "brokerKey", is_spki,
				    "a public key on P-256 in base64: the lines of its PEM but for "
				    "the first and the last, as one",
				    a, e);
	if (r == 0 && j->brokerKey && !j->broker)
		r = json_err(d, json_get(n, "brokerKey"), e, "says nothing without \"broker\"");
	return r;
}
const struct jtable rules_t_vm = F_TABLE(struct rj_vm, vm_f, .flags = J_STRICT, .check = vm_check);

static int guest_policy_check(const struct json_doc *d, const struct json_node *n, void *obj,
			      struct arena *a, struct err *e)
{
	const struct rj_guest_policy *j = obj;

	(void) a;
	if (j->mustSet.v & j->mustClear.v)
		return json_err(d, n, e, "mustSet and mustClear have bits %#llx in common",
				(unsigned long long) (j->mustSet.v & j->mustClear.v));
	return 0;
}

static const struct jfield guest_policy_f[] = {
	F_UINT(struct rj_guest_policy, mustSet),
	F_UINT(struct rj_guest_policy, mustClear),
};
static const struct jtable guest_policy_t = F_TABLE(struct rj_guest_policy, guest_policy_f,
						    .flags = J_STRICT, .check = guest_policy_check);

static int attest_check(const struct json_doc *d, const struct json_node *n, void *obj,
			struct arena *a, struct err *e)
{
	int r = spec_check_each(d, n, "measurements", is_launch_digest,
				"64 or 96 digits 0-9 and a-f", a, e);

	(void) obj;
	return r < 0 ? r
		     : spec_check_each(d, n, "kdsCache", rules_is_clean_path, RULES_CLEAN_PATH, a,
				       e);
}

static const struct jfield attest_f[] = {
	F_STRS(struct rj_attest, measurements),
	F_OBJ(struct rj_attest, guestPolicy, struct rj_guest_policy, &guest_policy_t),
	F_UINT(struct rj_attest, minimumTcb),
	F_STR(struct rj_attest, kdsCache),
};
const struct jtable rules_t_attest = F_TABLE(struct rj_attest, attest_f, .flags = J_STRICT,
					     .check = attest_check);

/* ---- what can only be one thing ---- */

static struct rule_at at(const struct rules_in *in, const char *key)
{
	return (struct rule_at){in->doc->name, key};
}

static int same_text(struct rules_in *in, const char *key, const char *text, const char **have,
		     struct rule_at *where)
{
	if (!text)
		return 0;
	if (*have && !str_eq(*have, text))
		return rules_conflict(in->e, *where, at(in, key),
				      arena_printf(in->a, "\"%s\" and \"%s\"", *have, text));
	if (!*have)
		*where = at(in, key);
	*have = text;
	return 0;
}

static int same_number(struct rules_in *in, const char *key, struct opt_u64 v, struct opt_u64 *have,
		       struct rule_at *where)
{
	if (!v.set)
		return 0;
	if (have->set && have->v != v.v)
		return rules_conflict(in->e, *where, at(in, key),
				      arena_printf(in->a, "%llu and %llu",
						   (unsigned long long) have->v,
						   (unsigned long long) v.v));
	if (!have->set)
		*where = at(in, key);
	*have = v;
	return 0;
}

static void smallest(struct opt_u64 v, struct opt_u64 *have)
{
	if (v.set && (!have->set || v.v < have->v))
		*have = v;
}

/* A TCB version is a number per component, one byte each: each has its own minimum. */
static void largest_tcb(struct opt_u64 v, struct opt_u64 *have)
{
	uint64_t ret = 0;

	for (unsigned shift = 0; shift < 64; shift += 8) {
		uint64_t x = v.v & 0xffULL << shift, y = have->v & 0xffULL << shift;

		ret |= x > y ? x : y;
	}
	if (v.set)
		*have = (struct opt_u64){true, ret};
}

/* ---- audit ---- */

int rules_add_audit(struct rules_in *in, const struct rj_audit *j)
{
	struct rules_audit *r = &in->rules->audit;
	struct rule_at *seen = &in->rules->audit_at;
	bool enabled = !j->enabled.set || j->enabled.v;
	struct opt_u64 rotate = {r->rotate_bytes != 0, r->rotate_bytes};
	int err;

	if (seen->file && enabled != r->enabled)
		return rules_conflict(in->e, *seen, at(in, "audit.enabled"),
				      "the audit log is on and off");
	*seen = at(in, "audit.enabled");
	r->enabled = enabled;
	r->required |= j->required.v;
	r->fsync |= j->fsync.v;
	r->journald |= strs_has(&j->sinks, "journald");
	r->syslog |= strs_has(&j->sinks, "syslog");
	smallest(j->rotateBytes, &rotate);
	r->rotate_bytes = rotate.v;
	if (j->keep.v > r->keep)
		r->keep = (uint32_t) j->keep.v;
	err = same_text(in, "audit.directory", j->directory, &r->dir, &in->rules->audit_dir_at);
	return err;
}

/* ---- VMs ---- */

static const char *const vm_lists[] = {
	[RULES_VM_HYPERVISOR] = "vm.hypervisors", [RULES_VM_KERNEL] = "vm.kernels",
	[RULES_VM_INITRD] = "vm.initrds",	  [RULES_VM_FIRMWARE] = "vm.firmware",
	[RULES_VM_VIRTIOFSD] = "vm.virtiofsd",
};

static const struct rules_file *find_file(const struct rules_files *l, const char *path)
{
	for (size_t i = 0; i < l->n; i++)
		if (str_eq(l->v[i].path, path))
			return &l->v[i];
	return NULL;
}

/* What both lists allow. One path with two digests can be neither. */
static int add_files(struct rules_in *in, enum rules_vm_kind kind, const rj_files *j)
{
	struct rules_files *have = &in->rules->vm.allowed[kind];
	struct rules_files l = {.set = true, .at = at(in, vm_lists[kind])};

	if (!j->set)
		return 0;
	l.v = arena_array(in->a, j->n, sizeof(*l.v));
	for (size_t i = 0; i < j->n; i++) {
		const struct rj_file_digest *f = &j->v[i];
		const struct rules_file *twice = find_file(&l, f->path);
		const struct rules_file *old = find_file(have, f->path);

		if (twice && !str_eq(twice->sha256, f->sha256))
			return rules_conflict(in->e, l.at, l.at,
					      arena_printf(in->a, "two digests of %s", f->path));
		if (old && !str_eq(old->sha256, f->sha256))
			return rules_conflict(in->e, have->at, l.at,
					      arena_printf(in->a, "two digests of %s", f->path));
		if (!twice && (old || !have->set))
			l.v[l.n++] = (struct rules_file){f->path, f->sha256};
	}
	*have = l;
	return 0;
}

static int add_defaults(struct rules_in *in, const struct rj_vm_defaults *j)
{
	struct rules_vm *vm = &in->rules->vm;
	const struct {
		const char *key, *file;
	} files[] = {
		[RULES_VM_HYPERVISOR] = {"vm.defaults.hypervisor", j->hypervisor},
		[RULES_VM_KERNEL] = {"vm.defaults.kernel", j->kernel},
		[RULES_VM_INITRD] = {"vm.defaults.initrd", j->initrd},
		[RULES_VM_FIRMWARE] = {"vm.defaults.firmware", j->firmware},
		[RULES_VM_VIRTIOFSD] = {"vm.defaults.virtiofsd", j->virtiofsd},
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(files) && r == 0; i++)
		r = same_text(in, files[i].key, files[i].file, &vm->file[i], &vm->file_at[i]);
	if (r == 0)
		r = same_text(in, "vm.defaults.machine", j->machine, &vm->machine, &vm->machine_at);
	if (r == 0)
		r = same_number(in, "vm.defaults.vcpus", j->vcpus, &vm->vcpus, &vm->vcpus_at);
	if (r == 0)
		r = same_number(in, "vm.defaults.memory", j->memory, &vm->memory, &vm->memory_at);
	return r;
}

/* A default that the site itself does not allow could never be used. */
static int defaults_fit(struct rules_in *in)
{
	const struct rules_vm *vm = &in->rules->vm;

	for (size_t i = 0; i < RULES_VM_KIND_MAX; i++)
		if (vm->file[i] && vm->allowed[i].set && !find_file(&vm->allowed[i], vm->file[i]))
			return rules_conflict(in->e, vm->allowed[i].at, vm->file_at[i],
					      arena_printf(in->a, "%s is not in the list",
							   vm->file[i]));
	if (vm->vcpus.set && vm->max_vcpus.set && vm->vcpus.v > vm->max_vcpus.v)
		return rules_conflict(in->e, at(in, "vm.maximum.vcpus"), vm->vcpus_at,
				      "the default is more than the maximum");
	if (vm->memory.set && vm->max_memory.set && vm->memory.v > vm->max_memory.v)
		return rules_conflict(in->e, at(in, "vm.maximum.memory"), vm->memory_at,
				      "the default is more than the maximum");
	return 0;
}

/* What both lists have. */
static void add_words(struct rules_in *in, const struct strs *j, struct strs *have)
{
	struct strs l = {.set = true};

	if (!j->set)
		return;
	l.v = arena_array(in->a, j->n, sizeof(*l.v));
	for (size_t i = 0; i < j->n; i++)
		if (!have->set || strs_has(have, j->v[i]))
			l.v[l.n++] = j->v[i];
	*have = l;
}

static int add_uids(struct rules_in *in, const struct rj_vm_uids *j)
{
	struct rules_vm *vm = &in->rules->vm;
	int r = same_number(in, "vm.uids", j->first, &vm->uid_first, &vm->uids_at);

	return r < 0 ? r : same_number(in, "vm.uids", j->count, &vm->uid_count, &vm->uids_at);
}

/* What both lists have. */
static void add_host_may(struct rules_in *in, const struct strs *j)
{
	struct rules_vm *vm = &in->rules->vm;
	uint32_t bits = 0;

	if (!j->set)
		return;
	for (size_t i = 0; i < ARRAY_LEN(may_words); i++)
		if (strs_has(j, may_words[i].name))
			bits |= (uint32_t) may_words[i].val;
	vm->host_may = (struct opt_u64){true, vm->host_may.set ? vm->host_may.v & bits : bits};
	vm->host_may_at = at(in, "vm.hostMay");
}

static int add_timeouts(struct rules_in *in, const struct rj_vm_timeouts *j)
{
	struct rules_vm *vm = &in->rules->vm;
	const struct opt_u64 v[RULES_VM_T_MAX] = {
		[RULES_VM_T_HELLO] = j->hello,	     [RULES_VM_T_PREPARED] = j->prepared,
		[RULES_VM_T_SHUTDOWN] = j->shutdown, [RULES_VM_T_QMP] = j->qmp,
		[RULES_VM_T_LAUNCH] = j->launch,
	};
	int r = 0;

	for (size_t i = 0; i < RULES_VM_T_MAX && r == 0; i++)
		r = same_number(in,
				arena_printf(in->a, "vm.timeouts.%s", rules_vm_timeout_names[i]),
				v[i], &vm->timeout[i], &vm->timeout_at[i]);
	return r;
}

int rules_add_vm(struct rules_in *in, const struct rj_vm *j)
{
	const rj_files *lists[] = {
		[RULES_VM_HYPERVISOR] = &j->hypervisors, [RULES_VM_KERNEL] = &j->kernels,
		[RULES_VM_INITRD] = &j->initrds,	 [RULES_VM_FIRMWARE] = &j->firmware,
		[RULES_VM_VIRTIOFSD] = &j->virtiofsd,
	};
	int r = 0;

	in->rules->vm.set = true;
	for (size_t i = 0; i < ARRAY_LEN(lists) && r == 0; i++)
		r = add_files(in, (enum rules_vm_kind) i, lists[i]);
	if (r == 0 && j->defaults)
		r = add_defaults(in, j->defaults);
	if (r == 0 && j->maximum) {
		smallest(j->maximum->vcpus, &in->rules->vm.max_vcpus);
		smallest(j->maximum->memory, &in->rules->vm.max_memory);
	}
	add_words(in, &j->kernelParameters, &in->rules->vm.kernel_params);
	add_words(in, &j->hypervisorParameters, &in->rules->vm.hypervisor_params);
	add_host_may(in, &j->hostMay);
	if (r == 0 && j->timeouts)
		r = add_timeouts(in, j->timeouts);
	if (r == 0 && j->uids)
		r = add_uids(in, j->uids);
	if (r == 0)
		r = same_text(in, "vm.root", j->root, &in->rules->vm.root, &in->rules->vm.root_at);
	if (r == 0)
		r = same_text(in, "vm.share", j->share, &in->rules->vm.share,
			      &in->rules->vm.share_at);
	if (r == 0)
		r = same_text(in, "vm.broker", j->broker, &in->rules->vm.broker,
			      &in->rules->vm.broker_at);
	if (r == 0)
		r = same_text(in, "vm.brokerKey", j->brokerKey, &in->rules->vm.broker_key,
			      &in->rules->vm.broker_key_at);
	return r < 0 ? r : defaults_fit(in);
}

/* ---- attestation ---- */

int rules_add_attest(struct rules_in *in, const struct rj_attest *j)
{
	struct rules_attest *r = &in->rules->attest;
	int err;

	r->set = true;
	if (j->measurements.set) {
		struct strs l = {.v = arena_array(in->a, j->measurements.n, sizeof(char *)),
				 .set = true};

		for (size_t i = 0; i < j->measurements.n; i++)
			if (!r->measurements.set ||
			    strs_has(&r->measurements, j->measurements.v[i]))
				l.v[l.n++] = j->measurements.v[i];
		r->measurements = l;
		r->measurements_at = at(in, "attestation.measurements");
	}
	if (j->guestPolicy) {
		struct opt_u64 set = j->guestPolicy->mustSet, clear = j->guestPolicy->mustClear;

		r->policy_set = (struct opt_u64){set.set || r->policy_set.set,
						 set.v | r->policy_set.v};
		r->policy_clear = (struct opt_u64){clear.set || r->policy_clear.set,
						   clear.v | r->policy_clear.v};
		if (r->policy_set.v & r->policy_clear.v)
			return rules_conflict(in->e, r->policy_at,
					      at(in, "attestation.guestPolicy"),
					      "a bit must be set and clear");
		r->policy_at = at(in, "attestation.guestPolicy");
	}
	largest_tcb(j->minimumTcb, &r->min_tcb);
	err = same_text(in, "attestation.kdsCache", j->kdsCache, &r->kds_cache, &r->kds_at);
	return err;
}
