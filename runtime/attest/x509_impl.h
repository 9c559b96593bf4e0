/* SPDX-License-Identifier: Apache-2.0 */
/* For x509.c and x509_chain.c alone: what a certificate is to OpenSSL. */
#ifndef KAVACH_ATTEST_X509_IMPL_H
#define KAVACH_ATTEST_X509_IMPL_H

#include <openssl/x509.h>

#include "attest/x509.h"

#define CN_MAX 64

struct cert {
	X509 *x;
	uint8_t *der;
	size_t der_len;
	char subject[CN_MAX], issuer[CN_MAX]; /* common names */
	enum cert_kind kind;
	enum snp_product product;
};

struct crl {
	X509_CRL *x;
	char issuer[CN_MAX];
};

#endif
