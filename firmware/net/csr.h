// SPDX-License-Identifier: MIT
// A certificate request (PKCS #10, RFC 2986) in DER: one common name, an EC key, signed with
// ECDSA and SHA-256. mbedTLS 2.28 can write one too, but with a NULL behind the name of the
// algorithm, which RFC 5758 (3.2) forbids and current authorities refuse.
#ifndef CSR_H
#define CSR_H

#include "mbedtls/pk.h"

#include <stddef.h>
#include <stdint.h>

// Writes the request to the end of `der`, as mbedTLS does, and returns its length; below 0 an error
// of mbedTLS's. `name` has at most 64 bytes (RFC 5280, ub-common-name).
int csr_write(mbedtls_pk_context *key, const char *name, uint8_t *der, size_t size);

#endif
