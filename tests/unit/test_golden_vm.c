/* SPDX-License-Identifier: Apache-2.0 */
/* libs: vm attest policy host spec json base */
/*
 * Golden files of VMs, in tests/golden/vm: NAME.json is a config, NAME.facts the host and the guest image, one "word value"
 * a line; NAME.rules (optional) the site's rules. What must come out, byte for byte: NAME.argv, one argument a line,
 * NAME.server, virtiofsd's, where there is one, NAME.page and NAME.shape.json; or NAME.refusal. --update writes them: read them before they go into a commit.
 */
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/num.h"
#include "policy/page.h"
#include "policy_fixture.h"
#include "vm/owner.h"
#include "vm/qemu.h"
#include "vm/virtiofsd.h"

#define TEXT_MAX (1u << 20)

static bool update, bound;
static struct vm_host facts;
static struct vm_image image;

static const struct name_val backends[] = {{"vm", POL_BACKEND_VM},
					   {"sev", POL_BACKEND_SEV},
					   {"sev-es", POL_BACKEND_SEV_ES},
					   {"sev-snp", POL_BACKEND_SEV_SNP}};

static bool fact(const char *word, const char *value)
{
	const struct name_val *backend = name_find(backends, ARRAY_LEN(backends), value);
	struct vm_host *h = &facts;
	uint64_t n = 0;
	bool number = num_parse_u64(value, UINT64_MAX, &n) == 0;

	if (str_eq(word, "backend") && backend)
		input.backend_floor = (uint32_t) backend->val;
	else if (str_eq(word, "initrd-sev"))
		image.initrd_sev = arena_strdup(&arena, value);
	else if (str_eq(word, "accel"))
		host.accel = str_eq(value, "kvm") ? HOST_ACCEL_KVM : HOST_ACCEL_TCG;
	else if (str_eq(word, "euid") && number)
		host.euid = host.egid = (uint32_t) n, host.rootless = n != 0;
	else if (str_eq(word, "resctrl"))
		host.resctrl = true;
	else if (str_eq(word, "lsm"))
		host.apparmor = str_eq(value, "apparmor"), host.selinux = !host.apparmor;
	else if (str_eq(word, "cpus") && number)
		h->cpus = (uint32_t) n;
	else if (str_eq(word, "memory") && number)
		h->memory = n;
	else if (str_eq(word, "tsc_khz") && number)
		h->tsc_khz = (uint32_t) n;
	else if (str_eq(word, "cbitpos") && number)
		h->cbitpos = (uint32_t) n;
	else if (str_eq(word, "kernel") && number)
		h->kernel = (uint32_t) n;
	else if (str_eq(word, "bind"))
		bound = str_eq(value, "yes");
	else if (str_eq(word, "nics") && number)
		h->nics = (uint32_t) n;
	else if (str_eq(word, "virtiofsd"))
		h->virtiofsd = value;
	else if (str_eq(word, "no-pivot"))
		input.no_pivot = str_eq(value, "yes");
	else if (str_eq(word, "notify-dir"))
		input.notify_dir = value;
	else if (str_eq(word, "without") && str_eq(value, "uefi-sev"))
		image.uefi_sev = NULL;
	else if (str_eq(word, "without") && str_eq(value, "bzimage"))
		image.bzimage = NULL;
	else if (str_eq(word, "without") && str_eq(value, "hypervisor"))
		h->hypervisor = NULL;
	else if (str_eq(word, "features"))
		image.features = str_split(&arena, value, ',');
	else
		return false;
	return true;
}

static void defaults(void)
{
	reset();
	bound = false;
	input.need_process = false;
	input.notify_dir = NULL;
	root_is_packed = true;
	input.guest_dir = "/usr/libexec/kavach/guest";
	input.backend_floor = POL_BACKEND_VM;
	host.accel = HOST_ACCEL_KVM;
	facts = (struct vm_host){
		.cpus = 8,
		.memory = 16ull << 30,
		.tsc_khz = 2400000,
		.hypervisor = "/usr/bin/qemu-system-x86_64",
	};
	image = (struct vm_image){
		.dir = "/usr/libexec/kavach/guest",
		.kernel = "/usr/libexec/kavach/guest/vmlinux",
		.bzimage = "/usr/libexec/kavach/guest/vmlinuz",
		.initrd = "/usr/libexec/kavach/guest/initrd",
		.release = "6.12.95+deb12-amd64",
		.microvm_firmware = "/usr/share/qemu/qboot.rom",
		.uefi = "/usr/share/ovmf/OVMF.fd",
		.uefi_sev = "/usr/share/ovmf/OVMF.amdsev.fd",
		.features = str_split(
			&arena, "boot 9p virtiofs overlay block erofs verity net rng balloon sev",
			' '),
	};
}

static void read_facts(int dir, const char *name)
{
	struct bytes text;
	struct strs lines;

	if (io_read_at(dir, arena_printf(&arena, "%s.facts", name), O_RDONLY, 4096, &arena, &text) <
	    0)
		return;
	lines = str_split(&arena, (const char *) text.v, '\n');
	for (size_t i = 0; i < lines.n; i++) {
		struct strs words = str_split(&arena, lines.v[i], ' ');

		if (words.n != 2 || !fact(words.v[0], words.v[1]))
			bail_out(arena_printf(&arena, "%s.facts: %s", name, lines.v[i]));
	}
}

static void read_rules(int dir, const char *name)
{
	static const struct rules_source none;
	struct bytes text;

	if (io_read_at(dir, arena_printf(&arena, "%s.rules", name), O_RDONLY, TEXT_MAX, &arena,
		       &text) < 0)
		return;
	if (rules_decode("/etc/kavach/rules.d/site.json", (const char *) text.v, text.n, &none,
			 &arena, &rules, &err) < 0)
		bail_out(err.msg);
}

/* Compares with a golden file, or writes it. */
static void compare(int dir, const char *file, const struct buf *got)
{
	struct bytes want = {0};

	if (got->bad)
		bail_out("too long");
	if (update && io_replace_at(dir, file, 0644, got->p, got->n) < 0)
		bail_out("cannot write a golden file");
	if (io_read_at(dir, file, O_RDONLY, TEXT_MAX, &arena, &want) < 0)
		want = (struct bytes){0};
	ok(want.n == got->n && (!got->n || !memcmp(want.v, got->p, got->n)), "%s", file);
}

static void compare_line(int dir, const char *file, const char *text)
{
	buf_auto b = BUF_WRITER(TEXT_MAX);

	buf_put(&b, text, strlen(text));
	buf_put(&b, "\n", 1);
	compare(dir, file, &b);
}

static void compare_words(int dir, const char *file, char **argv, size_t n)
{
	buf_auto b = BUF_WRITER(TEXT_MAX);

	for (size_t i = 0; i < n; i++) {
		buf_put(&b, argv[i], strlen(argv[i]));
		buf_put(&b, "\n", 1);
	}
	ok(argv[n] == NULL, "%s: the arguments end", file);
	compare(dir, file, &b);
}

static void compare_argv(int dir, const char *name, const struct vm_shape *s)
{
	char **argv;
	size_t n;

	err = ERR_INIT;
	if (vm_qemu_argv(s, &vm_names_jail, false, &arena, &argv, &n, &err) < 0)
		bail_out(err.msg);
	compare_words(dir, arena_printf(&arena, "%s.argv", name), argv, n);
	ok(!s->virtiofsd == (s->root != VM_ROOT_VIRTIOFS && s->share != VM_ROOT_VIRTIOFS),
	   "%s: virtiofsd where it serves", name);
	if (!s->virtiofsd)
		return;
	argv = virtiofsd_argv(s->virtiofsd, &vm_names_jail, &arena, &n);
	compare_words(dir, arena_printf(&arena, "%s.server", name), argv, n);
}

/* Where another process writes the guest's memory, TCG runs the old code of a page that the guest has not written to
 * itself: docs/design.md, "The VM". */
static void has_init_on_alloc(const char *name, const struct vm_shape *s)
{
	struct strs words = str_split(&arena, s->cmdline, ' ');

	ok(strs_has(&words, "init_on_alloc=1"), "%s: the guest clears the pages that it gives out",
	   name);
}

static void compare_shown(int dir, const char *name, const struct vm_shape *s)
{
	buf_auto page = BUF_WRITER(TEXT_MAX), json = BUF_WRITER(TEXT_MAX);
	struct page pg = {.b = &page};
	struct jsonw w;

	vm_shape_explain(&pg, s);
	compare(dir, arena_printf(&arena, "%s.page", name), &page);
	jw_init(&w, &json, true);
	vm_shape_json(&w, s);
	buf_put(&json, "\n", 1);
	compare(dir, arena_printf(&arena, "%s.shape.json", name), &json);
}

static const struct kvs *annotations_of(const char *text)
{
	const struct spec *s;

	if (spec_parse("config.json", text, strlen(text), &arena, &s, &err) < 0)
		bail_out(err.msg);
	return &s->annotations;
}

static void test_one(int dir, const char *name)
{
	const char *refusal = arena_printf(&arena, "%s.refusal", name);
	static const uint8_t digest[32] = {0xab, 0xcd, [31] = 0xef};
	bool must = faccessat(dir, refusal, R_OK, 0) < 0;
	const struct policy *p;
	struct vm_shape s = {0};
	struct bytes text;

	defaults();
	read_facts(dir, name);
	read_rules(dir, name);
	if (io_read_at(dir, arena_printf(&arena, "%s.json", name), O_RDONLY, TEXT_MAX, &arena,
		       &text) < 0)
		bail_out("cannot read a golden file");
	p = build_text((const char *) text.v);
	if (p && vm_shape_decide(p, &facts, &image, &arena, &s, &err) < 0)
		p = NULL;
	if (p && vm_owner_apply(&s, annotations_of((const char *) text.v), &arena, &err) < 0)
		p = NULL;
	ok((p != NULL) == must, "%s is %s as it must be", name, p ? "accepted" : "refused");
	if (!p && !must)
		is_int(err.id, ERR_CONFIG, "%s: as an error of the configuration", name);
	if (p && bound && vm_shape_bind(&s, digest, &arena, &err) < 0)
		bail_out(err.msg);
	if (!p) {
		printf("# %s\n", err.msg);
		compare_line(dir, refusal, err.msg);
		return;
	}
	compare_argv(dir, name, &s);
	has_init_on_alloc(name, &s);
	compare_shown(dir, name, &s);
}

static int is_config(const struct dirent *d)
{
	return str_has_suffix(d->d_name, ".json") && !str_has_suffix(d->d_name, ".shape.json");
}

int main(int argc, char **argv)
{
	const char *src = getenv("KAVACH_SRC");
	struct dirent **names;
	int n;

	update = argc > 1 && str_eq(argv[1], "--update");
	fd_auto int dir = open(arena_printf(&arena, "%s/tests/golden/vm", src ? src : "."),
			       O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		bail_out("no tests/golden/vm: KAVACH_SRC names the source folder");
	n = scandirat(dir, ".", &names, is_config, alphasort);
	for (int i = 0; i < n; i++) {
		const char *file = names[i]->d_name;

		test_one(dir, arena_strndup(&arena, file, strlen(file) - strlen(".json")));
		free(names[i]);
	}
	free(names);
	ok(n >= 20, "there are golden files");
	arena_free(&arena);
	return done();
}
