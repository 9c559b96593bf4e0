/* SPDX-License-Identifier: Apache-2.0 */
/* libs: policy spec json base */
/* Site rules from a directory: strict, and only from files that nobody else can write. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/build.h"
#include "tap.h"

static char dir[] = "/tmp/kavach-rules.XXXXXX";
static struct arena arena;
static struct rules rules;
static struct err err;

static char *path_of(const char *name)
{
	return arena_printf(&arena, "%s/%s", dir, name);
}

static void put(const char *name, const char *text, mode_t mode)
{
	int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, text, strlen(text)) < 0 || fchmod(fd, mode) < 0)
		bail_out("cannot write a file of the test");
	close(fd);
}

static int read_rules(void)
{
	err = ERR_INIT;
	rules = (struct rules){0};
	return rules_read(dir, &arena, &rules, &err);
}

static void refuses(const char *text, const char *message, const char *what)
{
	put("50.json", text, 0644);
	ok(read_rules() < 0, "refuses %s", what);
	is_str(err.msg, arena_printf(&arena, "%s/50.json%s", dir, message), "with file and place");
	unlink(path_of("50.json"));
}

int main(void)
{
	if (!mkdtemp(dir))
		bail_out("mkdtemp");
	ok(rules_read("/nonexistent/rules.d", &arena, &rules, &err) == 0 &&
		   !rules.min_strength.set && !rules.preset,
	   "a directory that does not exist has no rules");
	ok(read_rules() == 0 && !rules.min_strength.set, "nor has an empty one");
	put("10-site.json", "{\"minimumStrength\": 40, \"preset\": \"strict\"}", 0644);
	put("20-team.json", "{\"minimumStrength\": 60, \"preset\": \"basic\"}", 0600);
	put("README", "not JSON", 0666);
	put(".hidden.json", "not JSON", 0666);
	ok(read_rules() == 0, "reads *.json and nothing else");
	ok(rules.min_strength.v == 60 && rules.preset == POL_PRESET_STRICT,
	   "the strictest value of each key counts");
	is_str(rules.min_file, path_of("20-team.json"), "and the file that it is from is known");
	is_str(rules.preset_file, path_of("10-site.json"), "for each key");
	refuses("{\"minimumStrenght\": 40}",
		":1:21: minimumStrenght: unknown member; did you mean \"minimumStrength\"?",
		"a misspelt key");
	refuses("{\"minimumStrength\": 101}",
		":1:21: minimumStrength: expected a number from 0 to 100, found number 101",
		"a strength above 100");
	refuses("{\"minimumStrength\": \"40\"}",
		":1:21: minimumStrength: expected a number, found string \"40\"",
		"a number as a string");
	refuses("[]", ":1:1: expected an object, found array", "what is no object");
	put("50.json", "{}", 0664);
	ok(read_rules() == -EPERM && err.id == ERR_CONFIG, "refuses a file that a group can write");
	put("50.json", "{}", 0646);
	ok(read_rules() == -EPERM, "and one that all can write");
	is_str(err.msg,
	       arena_printf(&arena, "%s/50.json: others than its owner can write it (mode 0646)",
			    dir),
	       "with its mode");
	if (geteuid() == 0) {
		put("50.json", "{}", 0644);
		if (chown(path_of("50.json"), 1234, 0) < 0)
			bail_out("chown");
		ok(read_rules() == -EPERM, "refuses a file of another user");
	} else {
		skip("needs root", "refuses a file of another user");
	}
	unlink(path_of("50.json"));
	if (chmod(dir, 0777) < 0)
		bail_out("chmod");
	ok(read_rules() == -EPERM, "refuses a directory that others can write");
	for (size_t i = 0; i < 4; i++)
		unlink(path_of((const char *[]){"10-site.json", "20-team.json", "README",
						".hidden.json"}[i]));
	rmdir(dir);
	arena_free(&arena);
	return done();
}
