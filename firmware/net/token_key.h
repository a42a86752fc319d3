// SPDX-License-Identifier: MIT
// A private key of the token as mbedTLS takes one: its public half in the open, and signatures by
// PKCS #11 alone, so that a vendor's token serves as well.
#ifndef TOKEN_KEY_H
#define TOKEN_KEY_H

#include "status.h"

#include "mbedtls/pk.h"

// Makes *pk (initialised, empty) the key pair of that label. mbedtls_pk_free() gives its session
// back. STATUS_UNKNOWN: no private and public key of that label; STATUS_SPACE: no session or no
// memory is left.
status_t token_key_open(mbedtls_pk_context *pk, const char *label);

#endif
