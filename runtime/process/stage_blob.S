/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kavach-init, as built, inside kavach: the bytes between kavach_stage_start and kavach_stage_end. They
 * begin at a page, so that they can be spliced or mapped, and lie in read-only data. Makefile: this object
 * is made again when kavach-init is.
 */
#ifdef __CET__
/* no code here, but without this note the linker drops shadow stacks for the whole program */
#include <cet.h>
#endif

	.section .rodata.kavach_stage, "a", %progbits
	.balign 4096
	.globl kavach_stage_start
	.type kavach_stage_start, %object
kavach_stage_start:
	.incbin "kavach-init"
	.size kavach_stage_start, . - kavach_stage_start
	.globl kavach_stage_end
	.type kavach_stage_end, %object
kavach_stage_end:
	.byte 0
	.size kavach_stage_end, 1

	.section .note.GNU-stack, "", %progbits
