/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attest launch: the launch of a guest of SEV or SEV-ES with a session of its owner. `create` stands still until the owner has
 * seen what the secure processor says of the guest, which the owner alone can judge: this prints it, and brings the answer back.
 * It may be typed by hand; what relays it between the two machines is nobody that either has to trust.
 */
#include <errno.h>
#include <unistd.h>

#include "base/io.h"
#include "base/opt.h"
#include "base/str.h"
#include "cmd/attest.h"
#include "cmd/box.h"
#include "json/decode.h"
#include "vm/launch.h"

#define PACKET_MAX (64u << 10)

struct launch_opts {
	const char *packet;
	bool release;
};

struct packet {
	char *type, *header, *secret;
	struct opt_u64 version;
};

static const struct opt options[] = {
	{"release", 0, OPT_FLAG, NULL, "let the guest run", offsetof(struct launch_opts, release)},
	{"packet", 0, OPT_STR, "FILE", "with this secret (kavach attest launch-secret)",
	 offsetof(struct launch_opts, packet)},
};

static const struct name_val types[] = {{"kavach-launch-secret", 1}};
static const struct jfield fields[] = {
	{.name = "type",
	 .kind = J_STR,
	 .flags = J_REQUIRED,
	 .off = offsetof(struct packet, type),
	 .names = types,
	 .n_names = 1},
	{.name = "version",
	 .kind = J_UINT,
	 .flags = J_REQUIRED,
	 .off = offsetof(struct packet, version),
	 .min = 1,
	 .max = 1},
	{.name = "header",
	 .kind = J_STR,
	 .flags = J_REQUIRED | J_NONEMPTY,
	 .off = offsetof(struct packet, header)},
	{.name = "secret",
	 .kind = J_STR,
	 .flags = J_REQUIRED | J_NONEMPTY,
	 .off = offsetof(struct packet, secret)},
};
static const struct jtable table = {fields, ARRAY_LEN(fields), sizeof(struct packet), J_STRICT,
				    NULL};

static int read_packet(struct globals *g, const char *path, struct packet *ret, struct err *e)
{
	struct json_doc doc;
	struct bytes text;
	int r = cmd_read_file(g->a, path, PACKET_MAX, &text, e);

	if (r == 0)
		r = json_read(path, (const char *) text.v, text.n, g->a, &doc, e);
	return r < 0 ? r : json_decode(&doc, doc.root, &table, ret, g->a, e);
}

static int print(const struct bytes *doc, struct err *e)
{
	int r = io_write_all(STDOUT_FILENO, doc->v, doc->n);

	if (r == 0)
		r = io_write_all(STDOUT_FILENO, "\n", 1);
	return r < 0 ? err_neg(e, r, "standard output") : 0;
}

static int help(void)
{
	buf_auto b = BUF_WRITER(4096);
	static const char head[] =
		"Usage: kavach attest launch [OPTION...] ID\n\n"
		"show what the launch of an SEV guest has to show its owner, or let it run\n\nOptions:\n";
	struct err ignored = ERR_INIT;

	buf_put(&b, head, sizeof(head) - 1);
	opt_help(&b, options, ARRAY_LEN(options));
	return print(&(struct bytes){b.p, b.n - 1}, &ignored) < 0;
}

int attest_launch(struct globals *g, int argc, char **argv, struct err *e)
{
	struct launch_opts o = {0};
	struct packet p = {0};
	struct bytes doc;
	int first, r;

	for (int i = 1; i < argc && !str_eq(argv[i], "--"); i++)
		if (str_eq(argv[i], "--help") || str_eq(argv[i], "-h"))
			return help();
	r = opt_parse(options, ARRAY_LEN(options), false, g->a, argc, argv, &o, &first, e);
	if (r < 0)
		return r;
	if (argc - first != 1)
		return err_set_id(e, ERR_USAGE, -EINVAL,
				  "attest launch: expected the id of a container");
	r = o.packet ? read_packet(g, o.packet, &p, e) : 0;
	if (r < 0)
		return r;
	box_auto l = LOADED_INIT;
	r = box_load(g, argv[first], 0, STATE_NO_LOCK, false, &l, e);
	if (r < 0)
		return r;
	if (o.release || o.packet)
		return vm_launch_release(&l.box, p.header, p.secret, e);
	r = vm_launch_show(&l.box, &doc, e);
	return r < 0 ? r : print(&doc, e);
}
