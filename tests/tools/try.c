/* SPDX-License-Identifier: Apache-2.0 */
/*
 * try: what the filters that it runs under answer to every number of every table, a line each: "ABI NUMBER ANSWER", where
 * the answer is ALLOW, KILL_PROCESS, an errno's name, "fault" or "missing". None of the calls is made: try_calls.h.
 *
 *	try ARCH	the name of the machine's own ABI
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "try_calls.h"

struct shared {
	size_t at;
	struct try_call call[TRY_ALL_MAX];
};

static const char *word(int answer)
{
	switch (answer) {
	case TRY_PASSES: return "ALLOW";
	case TRY_KILLS: return "KILL_PROCESS";
	case TRY_NO_ABI: return "missing";
	case TRY_FAULTS: return "fault";
	default: return strerrorname_np(answer);
	}
}

int main(int argc, char **argv)
{
	struct shared *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	size_t n;

	if (argc != 2 || s == MAP_FAILED)
		return 2;
	n = try_all(s->call);
	if (try_calls(s->call, n, &s->at) < 0) {
		perror("try");
		return 1;
	}
	for (size_t i = 0; i < n; i++) {
		const struct try_call *c = &s->call[i];
		const char *abi = c->abi == TRY_32 ? "x86" : c->nr & TRY_X32 ? "x32" : argv[1];

		printf("%s %u %s\n", abi, c->nr, word(c->answer) ? word(c->answer) : "?");
	}
	return 0;
}
