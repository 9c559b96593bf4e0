/* SPDX-License-Identifier: Apache-2.0 */
/* The program that is kavach-init and nothing else. In a file of its own, so that the linker takes it for that one only. */
#ifdef KAVACH_STAGE

#include "exec/stage.h"

int main(int argc, char **argv)
{
	return stage_main(argc, argv);
}

#else
typedef int kavach_entry_is_elsewhere; /* ISO C wants a declaration in each file */
#endif
