// SPDX-License-Identifier: MIT
// The board's identities and the authorities it trusts, as objects of the token. An identity is a
// label under which a key pair, made on the board, and its certificate stand; the private key never
// leaves the board. An authority, and a signer of images, is a certificate under a label of its
// own.
//
// Every call may block while another task uses the token, and needs some 8 KiB of stack: run it in
// net.work.
#ifndef CREDENTIALS_H
#define CREDENTIALS_H

#include "object_set.h"

#include "mbedtls/pk.h"
#include "mbedtls/x509_crt.h"

// The identity that a connection shows unless it says another.
#define CREDENTIALS_DEFAULT "device"

// What is wrong, in words for a person; "" if the last call of this module went well.
const char *credentials_fault(void);

// Makes a new key pair for an identity. One that it had, and its certificate, are given up in the
// same step. STATUS_SPACE, STATUS_FLASH: as it was.
status_t credentials_make_key(const char *label, uint8_t point[65]);

// A certificate request (PKCS #10, DER) for the identity's key with the subject CN=<name>. Returns
// its length, written to the start of `der`. STATUS_UNKNOWN: no key of that label.
int32_t credentials_request(const char *label, const char *name, uint8_t *der, size_t size);

// What a certificate is kept for: for an identity 0, else one of the flags of object_set.h.
typedef enum {
    CREDENTIALS_IDENTITY = 0,
    CREDENTIALS_AUTHORITY = OBJECT_FLAG_AUTHORITY,
    CREDENTIALS_SIGNER = OBJECT_FLAG_SIGNER,
} credentials_role_t;

// Keeps a certificate (DER): of an authority, of a signer, or of the identity with that label,
// whose key it must fit. It takes the place of an older one in one step; after an error all is as
// it was. STATUS_VALUE: unreadable, longer than OBJECT_VALUE_BYTES, bytes behind its end, no
// authority, not for this key. STATUS_UNKNOWN: there is no such key. STATUS_SPACE, STATUS_FLASH.
status_t credentials_keep(const char *label, credentials_role_t role, const uint8_t *der,
                          size_t length);

// Forgets what stands under a label; NULL: everything. STATUS_UNKNOWN: nothing does.
status_t credentials_erase(const char *label);

// Adds the identity's certificate to *certificate and makes *key one that signs with the private
// key, through PKCS #11. STATUS_UNKNOWN: no such identity, or it has no certificate.
status_t credentials_identity(const char *label, mbedtls_x509_crt *certificate,
                              mbedtls_pk_context *key);

// Adds the signer's certificate of that label to *certificate. STATUS_UNKNOWN: there is none.
status_t credentials_signer(const char *label, mbedtls_x509_crt *certificate);

// Adds every authority to *roots. STATUS_UNKNOWN: there is none.
status_t credentials_authorities(mbedtls_x509_crt *roots);

// Whether bytes are one certificate in DER that mbedTLS understands, and whether a key object holds
// a key.
bool credentials_is_certificate(const uint8_t *der, size_t length);
bool credentials_is_key(const object_t *object);

#endif
