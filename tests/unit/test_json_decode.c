/* SPDX-License-Identifier: Apache-2.0 */
/* libs: base json */
/* The typed decoder: every kind of field, and the words for every way to get one wrong. */
#include "json/decode.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"
#include "tests/unit/tap.h"

struct user {
	struct opt_u64 uid;
	struct u64s gids;
};

struct limit {
	char *key; /* J_MAP_OBJ */
	char *type;
	struct opt_u64 soft;
};

struct config {
	char *version, *root;
	struct opt_bool terminal;
	struct opt_i64 oom;
	struct opt_i64 any_int;
	struct opt_u64 any_uint;
	struct strs args, maybe;
	int kind;
	struct u64s kinds;
	struct user *user;
	struct jlist limits;
	struct kvs notes;
	struct jlist map;
	struct jlist argss;
	struct json_node *any;
};

static const struct name_val kinds[] = {{"pid", 1}, {"network", 2}, {"mount", 3}};

static const struct jfield user_fields[] = {
	{.name = "uid",
	 .kind = J_UINT,
	 .flags = J_REQUIRED,
	 .off = offsetof(struct user, uid),
	 .max = UINT32_MAX},
	{.name = "gids", .kind = J_UINTS, .off = offsetof(struct user, gids), .max = UINT32_MAX},
};
static const struct jtable user_table = {user_fields, ARRAY_LEN(user_fields), sizeof(struct user),
					 0, NULL};

static int check_limit(const struct json_doc *d, const struct json_node *n, void *obj,
		       struct arena *a, struct err *e)
{
	const struct limit *l = obj;

	(void) a;
	if (l->soft.set && l->soft.v == 13)
		return json_err(d, n, e, "13 is unlucky");
	return 0;
}

static const struct jfield limit_fields[] = {
	{.name = "type",
	 .kind = J_STR,
	 .flags = J_REQUIRED | J_NONEMPTY,
	 .off = offsetof(struct limit, type)},
	{.name = "soft", .kind = J_UINT, .off = offsetof(struct limit, soft)},
};
static const struct jtable limit_table = {limit_fields, ARRAY_LEN(limit_fields),
					  sizeof(struct limit), 0, check_limit};

#define F(n, k, ...)                                                                               \
	{                                                                                          \
		.name = #n, .kind = k, .off = offsetof(struct config, n), __VA_ARGS__              \
	}

static const struct jfield config_fields[] = {
	F(version, J_STR, .flags = J_REQUIRED),
	F(root, J_ABSPATH),
	F(terminal, J_BOOL),
	F(oom, J_INT, .min = -1000, .max = 1000),
	F(any_int, J_INT),
	F(any_uint, J_UINT),
	F(args, J_STRS, .flags = J_NONEMPTY),
	F(maybe, J_STRS),
	F(kind, J_ENUM, .names = kinds, .n_names = ARRAY_LEN(kinds)),
	F(kinds, J_ENUMS, .names = kinds, .n_names = ARRAY_LEN(kinds)),
	F(user, J_OBJ, .sub = &user_table),
	F(limits, J_OBJS, .sub = &limit_table),
	F(notes, J_MAP),
	F(map, J_MAP_OBJ, .sub = &limit_table),
	F(argss, J_STRSS),
	F(any, J_ANY),
};
static const struct jtable config_table = {config_fields, ARRAY_LEN(config_fields),
					   sizeof(struct config), 0, NULL};
static const struct jtable strict_table = {config_fields, ARRAY_LEN(config_fields),
					   sizeof(struct config), J_STRICT, NULL};

static int decode(const char *text, const struct jtable *t, struct config *c, struct arena *a,
		  struct err *e)
{
	struct json_doc d;
	int r = json_read("c.json", text, strlen(text), a, &d, e);

	return r < 0 ? r : json_decode(&d, d.root, t, c, a, e);
}

static const struct {
	const char *text, *want;
} bad[] = {
	{"[]", "c.json:1:1: expected an object, found array"},
	{"{}", "c.json:1:1: required member \"version\" is missing"},
	{"{\"version\":null}", "c.json:1:12: version: expected a string, found null"},
	{"{\"version\":1}", "c.json:1:12: version: expected a string, found number 1"},
	{"{\"version\":\"\",\"root\":\"x\"}",
	 "c.json:1:22: root: expected an absolute path, found string \"x\""},
	{"{\"version\":\"\",\"root\":\"\"}",
	 "c.json:1:22: root: expected an absolute path, found string \"\""},
	{"{\"version\":\"\",\"terminal\":\"true\"}",
	 "c.json:1:26: terminal: expected true or false, found string \"true\""},
	{"{\"version\":\"\",\"terminal\":0}",
	 "c.json:1:26: terminal: expected true or false, found number 0"},
	{"{\"version\":\"\",\"user\":{\"uid\":\"1000\"}}",
	 "c.json:1:29: user.uid: expected a number, found string \"1000\""},
	{"{\"version\":\"\",\"user\":{\"uid\":4294967296}}",
	 "c.json:1:29: user.uid: expected a number from 0 to 4294967295, found number 4294967296"},
	{"{\"version\":\"\",\"user\":{\"uid\":-1}}",
	 "c.json:1:29: user.uid: expected a number from 0 to 4294967295, found number -1"},
	{"{\"version\":\"\",\"user\":{\"uid\":1.0}}",
	 "c.json:1:29: user.uid: expected an integer, found number 1.0"},
	{"{\"version\":\"\",\"user\":{\"uid\":1e3}}",
	 "c.json:1:29: user.uid: expected an integer, found number 1e3"},
	{"{\"version\":\"\",\"user\":{}}", "c.json:1:22: user: required member \"uid\" is missing"},
	{"{\"version\":\"\",\"user\":[]}", "c.json:1:22: user: expected an object, found array"},
	{"{\"version\":\"\",\"user\":{\"uid\":0,\"gids\":[1,\"2\"]}}",
	 "c.json:1:41: user.gids[1]: expected a number, found string \"2\""},
	{"{\"version\":\"\",\"user\":{\"uid\":0,\"gids\":[null]}}",
	 "c.json:1:39: user.gids[0]: expected a number, found null"},
	{"{\"version\":\"\",\"user\":{\"uid\":0,\"gids\":7}}",
	 "c.json:1:38: user.gids: expected an array of numbers, found number 7"},
	{"{\"version\":\"\",\"any_uint\":18446744073709551616}",
	 "c.json:1:26: any_uint: expected a number from 0 to 18446744073709551615, "
	 "found number 18446744073709551616"},
	{"{\"version\":\"\",\"oom\":1001}",
	 "c.json:1:21: oom: expected a number from -1000 to 1000, found number 1001"},
	{"{\"version\":\"\",\"oom\":-1001}",
	 "c.json:1:21: oom: expected a number from -1000 to 1000, found number -1001"},
	{"{\"version\":\"\",\"any_int\":9223372036854775808}",
	 "c.json:1:25: any_int: expected a number from -9223372036854775808 to 9223372036854775807, "
	 "found number 9223372036854775808"},
	{"{\"version\":\"\",\"any_int\":0.5}",
	 "c.json:1:25: any_int: expected an integer, found number 0.5"},
	{"{\"version\":\"\",\"args\":\"/proc\"}",
	 "c.json:1:22: args: expected an array of strings, found string \"/proc\""},
	{"{\"version\":\"\",\"args\":[\"a\",[]]}",
	 "c.json:1:27: args[1]: expected a string, found array"},
	{"{\"version\":\"\",\"args\":[]}",
	 "c.json:1:22: args: expected at least one element, found none"},
	{"{\"version\":\"\",\"kind\":\"netwrok\"}",
	 "c.json:1:22: kind: expected one of pid, network, mount; found \"netwrok\""},
	{"{\"version\":\"\",\"kind\":\"PID\"}",
	 "c.json:1:22: kind: expected one of pid, network, mount; found \"PID\""},
	{"{\"version\":\"\",\"kind\":1}", "c.json:1:22: kind: expected a string, found number 1"},
	{"{\"version\":\"\",\"kinds\":[\"pid\",\"x\"]}",
	 "c.json:1:30: kinds[1]: expected one of pid, network, mount; found \"x\""},
	{"{\"version\":\"\",\"kinds\":[true]}",
	 "c.json:1:24: kinds[0]: expected a string, found boolean true"},
	{"{\"version\":\"\",\"limits\":[{\"type\":\"\"}]}",
	 "c.json:1:33: limits[0].type: expected a string that is not empty, found string \"\""},
	{"{\"version\":\"\",\"limits\":[{\"type\":\"a\"},{}]}",
	 "c.json:1:38: limits[1]: required member \"type\" is missing"},
	{"{\"version\":\"\",\"limits\":[null]}",
	 "c.json:1:25: limits[0]: expected an object, found null"},
	{"{\"version\":\"\",\"limits\":[{\"type\":\"a\",\"soft\":13}]}",
	 "c.json:1:25: limits[0]: 13 is unlucky"},
	{"{\"version\":\"\",\"notes\":{\"a\":\"b\",\"c.d\":1}}",
	 "c.json:1:38: notes[\"c.d\"]: expected a string, found number 1"},
	{"{\"version\":\"\",\"notes\":[\"a\"]}",
	 "c.json:1:23: notes: expected an object of strings, found array"},
	{"{\"version\":\"\",\"map\":{\"z\":1}}",
	 "c.json:1:26: map.z: expected an object, found number 1"},
	{"{\"version\":\"\",\"map\":{\"z\":{\"type\":\"t\",\"soft\":13}}}",
	 "c.json:1:26: map.z: 13 is unlucky"},
	{"{\"version\":\"\",\"argss\":[\"a\"]}",
	 "c.json:1:24: argss[0]: expected an array of strings, found string \"a\""},
	{"{\"version\":\"\",\"argss\":[[\"a\"],[1]]}",
	 "c.json:1:31: argss[1][0]: expected a string, found number 1"},
};

static void test_refused(void)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct config c = {0};
		struct err e = ERR_INIT;
		arena_auto a = {0};
		int r = decode(bad[i].text, &config_table, &c, &a, &e);

		ok(r == -EINVAL && e.id == ERR_CONFIG, "refuses: %s", bad[i].text);
		is_str(e.msg, bad[i].want, "says so");
	}
}

static void test_long_values(void)
{
	static char text[5000], digits[3000];
	struct config c = {0};
	struct err e = ERR_INIT;
	arena_auto a = {0};

	snprintf(text, sizeof(text), "{\"version\":\"\",\"root\":\"%063d\xc3\xa4%0100d\"}", 0, 0);
	is_int(decode(text, &config_table, &c, &a, &e), -EINVAL, "a long string");
	ok(strlen(e.msg) < 150 && strstr(e.msg, "000\"..."), "is cut, between characters");
	memset(digits, '1', sizeof(digits) - 1);
	snprintf(text, sizeof(text), "{\"version\":\"\",\"any_uint\":%s}", digits);
	is_int(decode(text, &config_table, &c, &a, &e), -EINVAL, "a long number");
	ok(strlen(e.msg) < 200 && str_has_suffix(e.msg, "111..."), "is cut");
}

static void test_accepted(void)
{
	static const char text[] =
		"{\"version\":\"1.0.2\",\"root\":\"/r\",\"terminal\":false,\"oom\":-1000,"
		"\"any_int\":-9223372036854775808,\"any_uint\":18446744073709551615,"
		"\"args\":[\"sh\",\"\"],\"maybe\":[],\"kind\":\"network\",\"kinds\":[\"mount\",\"pid\"],"
		"\"user\":{\"uid\":4294967295,\"gids\":[0,7],\"unknown\":1},"
		"\"limits\":[{\"type\":\"a\",\"soft\":18446744073709551615},{\"type\":\"b\",\"soft\":null}],"
		"\"notes\":{\"b\":\"2\",\"a\":\"1\",\"c\":\"\"},"
		"\"map\":{\"y\":{\"type\":\"t1\"},\"x\":{\"type\":\"t2\"}},"
		"\"argss\":[[\"a\",\"b\"],[]],\"any\":{\"deep\":[1]},\"future\":{\"x\":[null]}}";
	struct config c = {0};
	struct err e = ERR_INIT;
	arena_auto a = {0};
	const struct limit *l;
	const struct strs *s;

	is_int(decode(text, &config_table, &c, &a, &e), 0, "a full document is taken");
	is_str(e.msg, "", "without a message");
	is_str(c.version, "1.0.2", "string");
	is_str(c.root, "/r", "absolute path");
	ok(c.terminal.set && !c.terminal.v, "false is not absent");
	ok(c.oom.set && c.oom.v == -1000, "the smallest number");
	ok(c.any_int.v == INT64_MIN && c.any_uint.v == UINT64_MAX, "the ends of the ranges");
	ok(c.args.set && c.args.n == 2 && str_eq(c.args.v[0], "sh") && str_eq(c.args.v[1], ""),
	   "strings");
	ok(c.maybe.set && c.maybe.n == 0, "an empty list is not absent");
	is_int(c.kind, 2, "name");
	ok(c.kinds.n == 2 && c.kinds.v[0] == 3 && c.kinds.v[1] == 1, "names");
	ok(c.user && c.user->uid.v == UINT32_MAX && c.user->gids.n == 2 && c.user->gids.v[1] == 7,
	   "object");
	l = c.limits.v;
	ok(c.limits.set && c.limits.n == 2 && str_eq(l[0].type, "a") && l[0].soft.v == UINT64_MAX,
	   "objects");
	ok(str_eq(l[1].type, "b") && !l[1].soft.set, "null counts as absent");
	ok(c.notes.n == 3 && str_eq(c.notes.v[0].key, "a") && str_eq(c.notes.v[0].val, "1") &&
		   str_eq(c.notes.v[2].key, "c"),
	   "a map is sorted");
	l = c.map.v;
	ok(c.map.n == 2 && str_eq(l[0].key, "x") && str_eq(l[0].type, "t2") &&
		   str_eq(l[1].key, "y"),
	   "a map of objects, too, and they know their names");
	s = c.argss.v;
	ok(c.argss.n == 2 && s[0].n == 2 && str_eq(s[0].v[1], "b") && s[1].n == 0,
	   "lists of lists");
	ok(c.any && c.any->type == JSON_OBJECT && json_get(c.any, "deep"), "anything");
}

static void test_absent(void)
{
	struct config c = {0}, nulls = {0};
	struct err e = ERR_INIT;
	arena_auto a = {0};

	is_int(decode("{\"version\":\"1\"}", &config_table, &c, &a, &e), 0,
	       "only what is required");
	ok(!c.root && !c.terminal.set && !c.oom.set && !c.args.set && !c.kind && !c.user &&
		   !c.limits.set && !c.any,
	   "leaves everything else absent");
	is_int(decode("{\"version\":\"1\",\"root\":null,\"terminal\":null,\"oom\":null,\"args\":null,\"kind\":null,"
		      "\"user\":null,\"limits\":null,\"notes\":null,\"map\":null,\"argss\":null,\"any\":null}",
		      &config_table, &nulls, &a, &e),
	       0, "null is taken for whatever is optional");
	ok(!nulls.root && !nulls.args.set && !nulls.user && !nulls.limits.set && !nulls.any,
	   "as absent");
}

static void test_strict(void)
{
	struct config c = {0};
	struct err e = ERR_INIT;
	arena_auto a = {0};

	is_int(decode("{\"version\":\"1\",\"terminl\":true}", &strict_table, &c, &a, &e), -EINVAL,
	       "a strict table refuses unknown members");
	is_str(e.msg, "c.json:1:26: terminl: unknown member; did you mean \"terminal\"?",
	       "and helps");
	is_int(decode("{\"version\":\"1\",\"x-y\":true}", &strict_table, &c, &a, &e), -EINVAL,
	       "a strange one");
	is_str(e.msg, "c.json:1:22: [\"x-y\"]: unknown member", "has nothing near it");
}

static void test_debug(void)
{
	char file[] = "/tmp/kavach-decode-XXXXXX", line[200] = "";
	int fd = mkostemp(file, O_CLOEXEC);
	struct config c = {0};
	struct err e = ERR_INIT;
	arena_auto a = {0};

	log_init(file, false, LOG_LEVEL_DEBUG, &e);
	decode("{\"version\":\"1\",\"user\":{\"uid\":1,\"name\":2}}", &config_table, &c, &a, &e);
	ok(read(fd, line, sizeof(line) - 1) > 0 &&
		   strstr(line, "msg=\"c.json: user.name: unknown member, ignored\""),
	   "what is ignored can be seen with --debug");
	close(fd);
	unlink(file);
}

int main(void)
{
	test_refused();
	test_long_values();
	test_accepted();
	test_absent();
	test_strict();
	test_debug();
	return done();
}
