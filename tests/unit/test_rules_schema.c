/* SPDX-License-Identifier: Apache-2.0 */
/* libs: policy host spec json base */
/*
 * contrib/rules.schema.json says the same as the tables that decode the rules: it is written from them here and compared;
 * with --update it is written to the file. Each key has its line of description, and no line is for a key that is not there.
 */
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/jsonw.h"
#include "policy/rules_tables.h"
#include "tap.h"

#define TEXT_MAX (1u << 20)

static struct arena arena;

/* By path; what is in "rules" is found without that, because the demands at the top are the same. */
static struct {
	const char *path, *text;
	bool used;
} descriptions[] = {
	{"$schema", "for editors", false},
	{"rules", "rules for some containers; all that match are in force together", false},
	{"name", "for messages", false},
	{"match", "which containers the rule is about: all that is given must fit", false},
	{"match.default", "true: containers that no other rule with a match is about", false},
	{"match.annotations", "annotations that must be there, with patterns of their values",
	 false},
	{"match.namespaces", "patterns of podman, cri-o, containerd/NAME, kubernetes/NAME", false},
	{"match.uids", "users who run kavach", false},
	{"match.backends", "what runs the container", false},
	{"minimumStrength", "the least strength, as `kavach policy` computes it", false},
	{"preset", "a floor: the container is tightened to it", false},
	{"defaultPreset", "the preset of containers that name none", false},
	{"require", "features that the container must have", false},
	{"forbid", "features that it must not have", false},
	{"forbiddenCapabilities", "capabilities that the process must not have", false},
	{"allowedCapabilities", "the only capabilities that it may have", false},
	{"binds", "what of the host may be mounted; the longest source that fits counts", false},
	{"binds.source", "a path of the host, with all below it", false},
	{"binds.access", "how it may be mounted", false},
	{"allowedDevices", "the only devices, beside those of every container: \"c 10:229\"",
	 false},
	{"allowedAnnotations", "patterns of io.kavach., run.oci. and org.systemd.property. names",
	 false},
	{"seccompProfile", "basic, strict or a file: loaded beside the container's own filter",
	 false},
	{"landlock", "a Landlock layer", false},
	{"landlock.requiredAbi", "the ABI that the kernel must have at least", false},
	{"landlock.fromMounts", "true: paths are limited as the container's mounts say", false},
	{"landlock.readOnly", "paths that can be read", false},
	{"landlock.readWrite", "paths that can be read and written", false},
	{"landlock.execute", "paths that can be read and executed", false},
	{"landlock.tcpBind", "ports that can be bound", false},
	{"landlock.tcpConnect", "ports that can be connected to", false},
	{"landlock.scopes", "what stays within the container", false},
	{"secrets", "secrets that containers get, or may ask for", false},
	{"secrets.name", "what it is called", false},
	{"secrets.source", "where it comes from: one of the five", false},
	{"secrets.source.file", "a file of root's alone", false},
	{"secrets.source.credential", "a credential that systemd gave kavach", false},
	{"secrets.source.program", "a program with its arguments, which prints it", false},
	{"secrets.source.socket", "a service: it is sent the name and answers with the secret",
	 false},
	{"secrets.source.broker", "of a confidential VM: what the broker calls it", false},
	{"secrets.file", "its path in the container (default: /run/secrets/NAME)", false},
	{"secrets.env", "instead of a file: a variable of the environment", false},
	{"secrets.stdin", "instead of a file: the standard input", false},
	{"secrets.mode", "of the file (default: \"0400\")", false},
	{"secrets.uid", "owner of the file (default: the process's user)", false},
	{"secrets.gid", "group of the file (default: the process's group)", false},
	{"secrets.required", "false: the container starts without it if it cannot be had", false},
	{"secrets.exec", "of a variable: processes that exec adds get it, too", false},
	{"secrets.onRequest",
	 "true: only for containers whose annotation io.kavach.secrets names it", false},
	{"audit", "the audit log", false},
	{"audit.enabled", "whether there is one (default: true)", false},
	{"audit.required", "a record that cannot be written ends the command", false},
	{"audit.fsync", "each record is on the disk before the command goes on", false},
	{"audit.directory", "where the log is", false},
	{"audit.sinks", "where records go as well", false},
	{"audit.rotateBytes", "a larger file is rotated; at least 4096", false},
	{"audit.keep", "how many rotated files are kept", false},
	{"vm", "what VMs may be made of", false},
	{"vm.hypervisors", "the only hypervisors", false},
	{"vm.kernels", "the only kernels", false},
	{"vm.initrds", "the only initrds", false},
	{"vm.firmware", "the only firmware", false},
	{"vm.virtiofsd", "the only virtiofsd programs", false},
	{"vm.share", "how folders get into a guest (default: virtiofs where there is a virtiofsd)",
	 false},
	{"vm.*.path", "where it is", false},
	{"vm.*.sha256", "what is in it", false},
	{"vm.defaults", "what a VM is made of when the container does not say", false},
	{"vm.defaults.hypervisor", "path of the hypervisor", false},
	{"vm.defaults.kernel", "path of the kernel", false},
	{"vm.defaults.initrd", "path of the initrd", false},
	{"vm.defaults.firmware", "path of the firmware", false},
	{"vm.defaults.virtiofsd", "path of virtiofsd", false},
	{"vm.defaults.machine", "QEMU's name of the machine", false},
	{"vm.defaults.vcpus", "CPUs", false},
	{"vm.defaults.memory", "bytes", false},
	{"vm.maximum", "limits for all VMs", false},
	{"vm.maximum.vcpus", "CPUs", false},
	{"vm.maximum.memory", "bytes", false},
	{"vm.timeouts", "the most that a VM may take, in seconds", false},
	{"vm.timeouts.hello", "to boot (default: 10, emulated 60, with a large firmware 120)",
	 false},
	{"vm.timeouts.prepared", "to set the container up, and to start its program (default: 30)",
	 false},
	{"vm.timeouts.shutdown", "to write its file systems at the end (default: 2)", false},
	{"vm.timeouts.qmp", "QEMU to answer (default: 10, an encrypted guest 60)", false},
	{"vm.timeouts.launch", "the owner of an SEV guest to answer (default: 300)", false},
	{"vm.kernelParameters", "the only words that a bundle may add to the kernel's command line",
	 false},
	{"vm.hypervisorParameters", "the only arguments that a bundle may add to QEMU's", false},
	{"vm.uids", "user and group ids that hypervisors run as", false},
	{"vm.uids.first", "the first one; at least 1000", false},
	{"vm.uids.count", "how many", false},
	{"vm.root", "what roots are: the host's folder, shared, or an image of it with hashes",
	 false},
	{"vm.hostMay", "the most that the host may be allowed to do in a confidential VM", false},
	{"vm.broker", "who gives secrets to confidential VMs: a socket's path, or ADDRESS:PORT",
	 false},
	{"vm.brokerKey", "the public key that its answers are signed with (P-256, base64)", false},
	{"attestation", "what a confidential VM has to show", false},
	{"attestation.measurements", "launch digests that are accepted, in hexadecimal", false},
	{"attestation.guestPolicy", "bits of the guest policy", false},
	{"attestation.guestPolicy.mustSet", "bits that must be set", false},
	{"attestation.guestPolicy.mustClear", "bits that must be clear", false},
	{"attestation.minimumTcb", "the least TCB version, one byte per component", false},
	{"attestation.kdsCache", "directory with AMD's certificates", false},
};

static const char *describe(const char *path)
{
	static const char *const lists[] = {"vm.hypervisors.", "vm.kernels.", "vm.initrds.",
					    "vm.firmware.", "vm.virtiofsd."};
	const char *rest = str_prefix(path, "rules.");

	path = rest ? rest : path;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		if (str_prefix(path, lists[i]))
			path = arena_printf(&arena, "vm.*.%s", str_prefix(path, lists[i]));
	for (size_t i = 0; i < ARRAY_LEN(descriptions); i++)
		if (str_eq(descriptions[i].path, path)) {
			descriptions[i].used = true;
			return descriptions[i].text;
		}
	ok(false, "%s has a description", path);
	return "";
}

static void put_names(struct jsonw *w, const struct jfield *f)
{
	jw_key(w, "enum");
	jw_arr(w);
	for (size_t i = 0; i < f->n_names; i++)
		jw_str(w, f->names[i].name);
	jw_arr_end(w);
}

static void put_string(struct jsonw *w, const struct jfield *f)
{
	jw_kstr(w, "type", "string");
	if (f->names)
		put_names(w, f);
}

static void put_number(struct jsonw *w, const struct jfield *f)
{
	jw_kstr(w, "type", "integer");
	jw_ku64(w, "minimum", 0);
	if (f->max)
		jw_ku64(w, "maximum", f->max);
}

static void put_object(struct jsonw *w, const struct jtable *t, const char *path);

static void put_list(struct jsonw *w, const struct jfield *f, const char *path)
{
	jw_kstr(w, "type", "array");
	if (f->flags & J_NONEMPTY)
		jw_ku64(w, "minItems", 1);
	jw_ku64(w, "maxItems", RULES_LIST_MAX);
	jw_key(w, "items");
	jw_obj(w);
	switch (f->kind) {
	case J_UINTS: put_number(w, f); break;
	case J_OBJS: put_object(w, f->sub, path); break;
	default: put_string(w, f);
	}
	jw_obj_end(w);
}

static void put_field(struct jsonw *w, const struct jfield *f, const char *path)
{
	jw_key(w, f->name);
	jw_obj(w);
	jw_kstr(w, "description", describe(path));
	switch (f->kind) {
	case J_BOOL: jw_kstr(w, "type", "boolean"); break;
	case J_UINT: put_number(w, f); break;
	case J_STRS:
	case J_UINTS:
	case J_ENUMS:
	case J_OBJS: put_list(w, f, path); break;
	case J_OBJ: put_object(w, f->sub, path); break;
	case J_MAP:
		jw_kstr(w, "type", "object");
		jw_key(w, "additionalProperties");
		jw_obj(w);
		jw_kstr(w, "type", "string");
		jw_obj_end(w);
		break;
	case J_STR:
	case J_ENUM: put_string(w, f); break;
	default: bail_out("a kind of field that the schema does not know");
	}
	jw_obj_end(w);
}

static void put_object(struct jsonw *w, const struct jtable *t, const char *path)
{
	bool any = false;

	jw_kstr(w, "type", "object");
	jw_kbool(w, "additionalProperties", !(t->flags & J_STRICT));
	for (size_t i = 0; i < t->n; i++) {
		if (!(t->f[i].flags & J_REQUIRED))
			continue;
		if (!any) {
			jw_key(w, "required");
			jw_arr(w);
		}
		any = true;
		jw_str(w, t->f[i].name);
	}
	if (any)
		jw_arr_end(w);
	jw_key(w, "properties");
	jw_obj(w);
	for (size_t i = 0; i < t->n; i++)
		put_field(w, &t->f[i],
			  *path ? arena_printf(&arena, "%s.%s", path, t->f[i].name) : t->f[i].name);
	jw_obj_end(w);
}

int main(int argc, char **argv)
{
	const char *src = getenv("KAVACH_SRC");
	const char *path = arena_printf(&arena, "%s/contrib/rules.schema.json", src ? src : ".");
	buf_auto b = BUF_WRITER(TEXT_MAX);
	struct bytes have = {0};
	struct jsonw w;

	jw_init(&w, &b, true);
	jw_obj(&w);
	jw_kstr(&w, "$schema", "http://json-schema.org/draft-07/schema#");
	jw_kstr(&w, "title", "site rules of kavach: kavach-rules(5)");
	put_object(&w, &rules_table, "");
	jw_obj_end(&w);
	buf_put(&b, "\n", 1);
	if (b.bad)
		bail_out("the schema is too long");
	if (argc > 1 && str_eq(argv[1], "--update") &&
	    io_replace_at(AT_FDCWD, path, 0644, b.p, b.n) < 0)
		bail_out("cannot write the schema");
	if (io_read_at(AT_FDCWD, path, O_RDONLY, TEXT_MAX, &arena, &have) < 0)
		bail_out("no contrib/rules.schema.json: KAVACH_SRC names the source folder");
	ok(have.n == b.n && !memcmp(have.v, b.p, b.n),
	   "contrib/rules.schema.json is what the tables say (else: test_rules_schema --update)");
	for (size_t i = 0; i < ARRAY_LEN(descriptions); i++)
		if (!descriptions[i].used)
			ok(false, "there is a key %s", descriptions[i].path);
	arena_free(&arena);
	return done();
}
