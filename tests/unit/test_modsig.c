/* SPDX-License-Identifier: Apache-2.0 */
/* libs: base */
/* Where a module ends and its signature begins, and files whose last bytes claim what cannot be. */
#include "agent/modsig.h"

#include "tap.h"

#define INFO(len) "\0\0\2\0\0\0\0\0" len
#define FILE_OF(text) text, sizeof(text) - 1

static const struct {
	const char *name, *file;
	size_t n, bare;
} cases[] = {
	{"a signature of three bytes", FILE_OF("modulesig" INFO("\0\0\0\3") MODSIG_MARK), 6},
	{"an empty one", FILE_OF("module" INFO("\0\0\0\0") MODSIG_MARK), 6},
	{"all of the file is signature", FILE_OF("module" INFO("\0\0\0\6") MODSIG_MARK), 0},
	{"longer than the file", FILE_OF("module" INFO("\0\0\0\7") MODSIG_MARK), 46},
	{"the longest", FILE_OF("module" INFO("\377\377\377\377") MODSIG_MARK), 46},
	{"nothing but the mark", FILE_OF(MODSIG_MARK), 28},
	{"no mark", FILE_OF("module, which is longer than what stands behind one"), 51},
	{"a mark that is not at the end", FILE_OF("module" INFO("\0\0\0\3") MODSIG_MARK "."), 47},
	{"an empty file", FILE_OF(""), 0},
};

int main(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		is_int((int64_t) modsig_bare((const uint8_t *) cases[i].file, cases[i].n),
		       (int64_t) cases[i].bare, "%s", cases[i].name);
	return done();
}
