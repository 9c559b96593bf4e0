/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What libcrypto can do and must not do here: load modules and look up names. Nothing calls that, but the linker cannot
 * know, and would put the C library's own into a program that has no files to look into.
 */
#include <dlfcn.h>
#include <netdb.h>
#include <stddef.h>

/* dlopen(), by the linker's option --wrap: the C library has one for itself and warns of whoever names it. */
void *__wrap_dlopen(const char *file, int mode);
void *__wrap_dlopen(const char *file, int mode)
{
	(void) file;
	(void) mode;
	return NULL;
}

void *dlsym(void *handle, const char *name)
{
	(void) handle;
	(void) name;
	return NULL;
}

int dlclose(void *handle)
{
	(void) handle;
	return -1;
}

char *dlerror(void)
{
	static char text[] = "there are no modules in a guest";

	return text;
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
		struct addrinfo **ret)
{
	(void) node;
	(void) service;
	(void) hints;
	*ret = NULL;
	return EAI_FAIL;
}

void freeaddrinfo(struct addrinfo *list)
{
	(void) list;
}

struct hostent *gethostbyname(const char *name)
{
	(void) name;
	return NULL;
}
