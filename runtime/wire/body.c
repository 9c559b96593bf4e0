/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the payloads: order of the rows = order of the bytes. A changed row is a new WIRE_VERSION. */
#include "wire/body.h"

#include <string.h>

/* clang-format off */
#define KIND(m)                                                                                     \
	_Generic(((ST *) 0)->m,                                                                     \
		bool: C_BOOL, uint32_t: C_U32, int32_t: C_I32, uint64_t: C_U64, char *: C_STR,      \
		struct strs: C_STRS, struct kvs: C_KVS, struct bytes: C_BYTES)
#define F(m) {.name = #m, .kind = KIND(m), .off = offsetof(ST, m)}
#define FL(m, t) {.name = #m, .kind = C_OBJS, .off = offsetof(ST, m), .sub = &(t)}
#define TABLE(rows) {#rows, rows, ARRAY_LEN(rows), sizeof(ST)}
/* clang-format on */

#define ST struct wire_hello
static const struct cfield hello[] = {F(version_min), F(version_max), F(nonce)};
const struct ctable wire_hello_table = TABLE(hello);
#undef ST

#define ST struct wire_hello_back
static const struct cfield hello_back[] = {F(version), F(nonce), F(kernel), F(memory), F(boot_ns)};
const struct ctable wire_hello_back_table = TABLE(hello_back);
#undef ST

#define ST struct wire_verdict
static const struct cfield verdict[] = {F(accepted), F(why), F(report)};
const struct ctable wire_verdict_table = TABLE(verdict);
#undef ST

#define ST struct wire_clock
static const struct cfield clock_rows[] = {F(realtime_ns)};
const struct ctable wire_clock_table = TABLE(clock_rows);
#undef ST

#define ST struct wire_addr
static const struct cfield addr[] = {F(addr), F(prefix), F(broadcast)};
static const struct ctable addr_table = TABLE(addr);
#undef ST

#define ST struct wire_route
static const struct cfield route[] = {F(dest),	   F(prefix),  F(family), F(metric), F(scope),
				      F(protocol), F(gateway), F(source), F(onlink)};
static const struct ctable route_table = TABLE(route);
#undef ST

#define ST struct wire_neigh
static const struct cfield neigh[] = {F(addr), F(mac)};
static const struct ctable neigh_table = TABLE(neigh);
#undef ST

#define ST struct wire_nic
static const struct cfield nic[] = {F(mac),
				    F(name),
				    F(set_mac),
				    F(mtu),
				    F(up),
				    FL(addrs, addr_table),
				    FL(routes, route_table),
				    FL(neighs, neigh_table)};
static const struct ctable nic_table = TABLE(nic);
#undef ST

#define ST struct wire_net
static const struct cfield net[] = {FL(nics, nic_table), F(hostname)};
const struct ctable wire_net_table = TABLE(net);
#undef ST

#define ST struct wire_volume
static const struct cfield volume[] = {F(mount), F(volume)};
static const struct ctable volume_table = TABLE(volume);
#undef ST

#define ST struct wire_copy
static const struct cfield copy[] = {F(mount), F(mode), F(uid), F(gid), F(content)};
static const struct ctable copy_table = TABLE(copy);
#undef ST

#define ST struct wire_filter
static const struct cfield filter[] = {F(bpf), F(flags)};
static const struct ctable filter_table = TABLE(filter);
#undef ST

#define ST struct wire_prepare
static const struct cfield prepare[] = {F(root),
					F(root_tag),
					F(share),
					FL(volumes, volume_table),
					FL(copies, copy_table),
					FL(filters, filter_table),
					F(id),
					F(bundle),
					F(oci_version),
					F(annotations),
					F(hook_env),
					F(rows),
					F(columns),
					F(modules)};
const struct ctable wire_prepare_table = TABLE(prepare);
#undef ST

#define ST struct wire_exec
static const struct cfield exec[] = {F(process), FL(filters, filter_table), F(rows), F(columns)};
const struct ctable wire_exec_table = TABLE(exec);
#undef ST

#define ST struct wire_signal
static const struct cfield signal_rows[] = {F(sig), F(all)};
const struct ctable wire_signal_table = TABLE(signal_rows);
#undef ST

#define ST struct wire_resize
static const struct cfield resize[] = {F(rows), F(columns)};
const struct ctable wire_resize_table = TABLE(resize);
#undef ST

#define ST struct wire_ask
static const struct cfield ask[] = {F(tag)};
const struct ctable wire_ask_table = TABLE(ask);
#undef ST

#define ST struct wire_update
static const struct cfield update[] = {F(tag), F(resources)};
const struct ctable wire_update_table = TABLE(update);
#undef ST

#define ST struct wire_reply
static const struct cfield reply[] = {F(tag), F(body)};
const struct ctable wire_reply_table = TABLE(reply);
#undef ST

#define ST struct wire_event
static const struct cfield event[] = {F(kind)};
const struct ctable wire_event_table = TABLE(event);
#undef ST

#define ST struct wire_exit
static const struct cfield exit_rows[] = {F(status), F(oom), F(user_us), F(system_us), F(max_rss)};
const struct ctable wire_exit_table = TABLE(exit_rows);
#undef ST

#define ST struct wire_attest
static const struct cfield attest[] = {F(tag), F(nonce)};
const struct ctable wire_attest_table = TABLE(attest);
#undef ST

#define ST struct wire_fail
static const struct cfield fail[] = {F(code), F(id), F(tag), F(text)};
const struct ctable wire_fail_table = TABLE(fail);
#undef ST

#define ST struct wire_relay
static const struct cfield relay[] = {F(tag), F(line)};
const struct ctable wire_relay_table = TABLE(relay);
#undef ST

#define ST struct wire_relayed
static const struct cfield relayed[] = {F(tag), F(line), F(fail)};
const struct ctable wire_relayed_table = TABLE(relayed);
#undef ST

#define ST struct wire_seen
static const struct cfield seen[] = {F(pid), F(files)};
static const struct ctable seen_table = TABLE(seen);
#undef ST

#define ST struct wire_limit
static const struct cfield limit[] = {F(field), F(want), F(have), F(verdict)};
static const struct ctable limit_table = TABLE(limit);
#undef ST

#define ST struct wire_facts
static const struct cfield facts[] = {FL(procs, seen_table), F(more), F(cgroup),
				      FL(limits, limit_table), F(missing)};
const struct ctable wire_facts_table = TABLE(facts);
#undef ST

const char *const wire_seen_names[] = {
	"cgroup",    "comm",   "exe",		"gid_map", "limits",  "mountinfo",
	"ns/cgroup", "ns/ipc", "ns/mnt",	"ns/net",  "ns/pid",  "ns/time",
	"ns/user",   "ns/uts", "oom_score_adj", "status",  "uid_map", NULL,
};

int wire_body(const void *p, size_t n, const struct ctable *t, void *obj, struct arena *a,
	      struct err *e)
{
	struct buf b = BUF_READER(p, n);

	memset(obj, 0, t->size);
	codec_decode(&b, t, obj, a);
	if (b.bad || buf_left(&b) != 0)
		return err_set(e, -EBADMSG,
			       "the other side of the VM sent a malformed message (%s)", t->name);
	return 0;
}
