// SPDX-License-Identifier: MIT
// What the files of the PKCS #11 implementation share. Nobody else includes this.
#ifndef PKCS11_INTERNAL_H
#define PKCS11_INTERNAL_H

#include "object_set.h"
#include "p256.h"
#include "pkcs11.h"

#include "mbedtls/sha256.h"

#include <stdbool.h>

enum {
    PKCS11_SLOT = 1,
    PKCS11_SESSIONS = 8,
    PKCS11_FIND_FILTERS = 6,
    PKCS11_FIND_BYTES = 32, // longest attribute that a search compares
};

typedef struct {
    CK_ATTRIBUTE_TYPE type;
    size_t length;
    uint8_t value[PKCS11_FIND_BYTES];
} pkcs11_filter_t;

typedef struct {
    bool open;
    bool writable;
    uint32_t
        generation; // counts the sessions of this place, so that an old handle is known as such
    bool finding, digesting, signing, verifying; // between Init and Final of each
    size_t find_next;                            // place in the set of objects
    size_t filter_count;
    pkcs11_filter_t filters[PKCS11_FIND_FILTERS];
    mbedtls_sha256_context digest;
    CK_OBJECT_HANDLE sign_key, verify_key;
} pkcs11_session_t;

// The open session of a handle; NULL with *result set.
pkcs11_session_t *pkcs11_session(CK_SESSION_HANDLE handle, CK_RV *result);

// An object's handle, and its object while it is still that one; the token is locked.
CK_OBJECT_HANDLE pkcs11_handle(const object_t *object);
object_t *pkcs11_object(CK_OBJECT_HANDLE handle);

// Frees the objects that live as long as this session; the token is locked.
void pkcs11_drop_session_objects(CK_SESSION_HANDLE session);

// Puts what a template says of any object (token, label, id, category) into *object; the session is
// for objects that are not kept. The token is locked.
CK_RV pkcs11_fill(object_t *object, CK_SESSION_HANDLE handle, const CK_ATTRIBUTE *template,
                  CK_ULONG count);

// Whether a template's key is one on P-256, the one curve that is offered: its parameters must say
// so.
CK_RV pkcs11_check_curve(const CK_ATTRIBUTE *template, CK_ULONG count);

#endif
