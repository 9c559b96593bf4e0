/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The phrases that engines look for in our messages, word for word. A message that means one of these
 * contains the phrase; no other message may. Detail comes after the phrase. The rows that give each
 * kind its exit status are in err.c; who matches on what: docs, "Error texts".
 */
#ifndef KAVACH_BASE_ERRCAT_H
#define KAVACH_BASE_ERRCAT_H

#define ERRCAT_NO_CONTAINER "container does not exist"		  /* E-01: containerd, CRI-O */
#define ERRCAT_NOT_RUNNING "container not running"		  /* E-02: containerd, CRI-O */
#define ERRCAT_NO_EXECUTABLE "executable file not found in $PATH" /* E-05: Docker, podman: 127 */
#define ERRCAT_NO_FILE "no such file or directory"		  /* E-05 */
#define ERRCAT_DENIED "permission denied"			  /* E-06: Docker, podman: 126 */
#define ERRCAT_IS_DIR "is a directory"				  /* E-07: Docker: 126 */
#define ERRCAT_EXISTS "container with given ID already exists"	  /* E-11 */
#define ERRCAT_PAUSED "cannot exec in a paused container"	  /* E-12 */
#define ERRCAT_HOOK "error running %s hook #%zu"		  /* E-13: phase, index from 0 */
#define ERRCAT_NEEDS_ARGUMENT "flag needs an argument"		  /* E-10: podman, CRI-O */

#endif
