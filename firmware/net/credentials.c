// SPDX-License-Identifier: MIT
#include "credentials.h"

#include "csr.h"
#include "p256.h"
#include "pkcs11.h"
#include "tls_platform.h"
#include "token.h"
#include "token_key.h"

#include "mbedtls/platform_util.h"

#include <string.h>

enum { NAME_BYTES = 64 };

static const char *s_fault = "";

const char *credentials_fault(void)
{
    return s_fault;
}

static status_t credentials_say(status_t status, const char *fault)
{
    s_fault = fault;
    return status;
}

// ---- keys --------------------------------------------------------------------------------------

bool credentials_is_key(const object_t *object)
{
    uint8_t point[P256_POINT_BYTES];
    return object->kind == CKO_PRIVATE_KEY ? p256_point_of(object->value, point) == STATUS_OK
                                           : p256_check_point(object->value) == STATUS_OK;
}

static bool credentials_stands_under(const object_t *object, const char *label,
                                     credentials_role_t role)
{
    unsigned of_role = object->flags & (OBJECT_FLAG_AUTHORITY | OBJECT_FLAG_SIGNER);
    return object->kind != 0u && (object->flags & OBJECT_FLAG_TOKEN) != 0u &&
           of_role == (unsigned)role && object->label_length == strlen(label) &&
           memcmp(object->label, label, object->label_length) == 0;
}

// Frees what stands under a label, of one role: everything, or the certificate alone. How many
// objects that were.
static size_t credentials_drop(const char *label, credentials_role_t role, bool certificate_alone)
{
    size_t dropped = 0;
    for (size_t i = 0; i < OBJECT_COUNT; i++) {
        object_t *object = &token_objects()->items[i];
        if (credentials_stands_under(object, label, role) &&
            (!certificate_alone || object->kind == CKO_CERTIFICATE)) {
            object_set_free(object);
            dropped++;
        }
    }
    return dropped;
}

static object_t *credentials_put(const char *label, uint8_t kind, unsigned flags, const void *value,
                                 size_t length)
{
    object_t *object = object_set_take(token_objects());
    if (object != NULL) {
        object->kind = kind;
        object->flags = (uint8_t)(OBJECT_FLAG_TOKEN | flags);
        object->label_length = (uint8_t)strlen(label);
        memcpy(object->label, label, object->label_length);
        object->length = (uint16_t)length;
        memcpy(object->value, value, length);
    }
    return object;
}

// Keeps what was changed, or undoes it.
static status_t credentials_save(bool complete)
{
    status_t status = complete ? token_save() : STATUS_SPACE;
    if (status == STATUS_OK) {
        return credentials_say(STATUS_OK, "");
    }
    token_reload();
    return credentials_say(status, status == STATUS_SPACE ? "no place is left for another object"
                                                          : "flash did not take it");
}

static bool credentials_is_label(const char *label)
{
    size_t length = strlen(label);
    return length != 0u && length <= OBJECT_LABEL_BYTES;
}

status_t credentials_make_key(const char *label, uint8_t point[65])
{
    uint8_t scalar[P256_BYTES];
    if (!credentials_is_label(label)) {
        return credentials_say(STATUS_VALUE, "a label has 1 to 32 characters");
    }
    status_t status = tls_platform_init();
    status = status == STATUS_OK ? p256_generate(scalar, point) : status;
    if (status != STATUS_OK) {
        return credentials_say(status, "no key could be made");
    }
    token_lock();
    (void)credentials_drop(label, CREDENTIALS_IDENTITY, false);
    bool complete =
        credentials_put(label, CKO_PRIVATE_KEY, OBJECT_FLAG_LOCAL, scalar, sizeof scalar) != NULL &&
        credentials_put(label, CKO_PUBLIC_KEY, OBJECT_FLAG_LOCAL, point, P256_POINT_BYTES) != NULL;
    status = credentials_save(complete);
    token_unlock();
    mbedtls_platform_zeroize(scalar, sizeof scalar);
    return status;
}

// ---- request -----------------------------------------------------------------------------------

static bool credentials_is_name(const char *name)
{
    size_t length = strlen(name);
    return length != 0u && length <= NAME_BYTES;
}

int32_t credentials_request(const char *label, const char *name, uint8_t *der, size_t size)
{
    mbedtls_pk_context key;
    if (!credentials_is_name(name)) {
        return credentials_say(STATUS_VALUE, "a name has 1 to 64 characters");
    }
    status_t status = tls_platform_init();
    mbedtls_pk_init(&key);
    status = status == STATUS_OK ? token_key_open(&key, label) : status;
    if (status != STATUS_OK) {
        return credentials_say(status, "no key of that label: cred.key makes one");
    }
    int length = csr_write(&key, name, der, size);
    mbedtls_pk_free(&key);
    if (length <= 0) {
        return credentials_say(STATUS_SPACE, "the request could not be written");
    }
    memmove(der, der + size - (size_t)length, (size_t)length); // it is written to the end
    (void)credentials_say(STATUS_OK, "");
    return length;
}

// ---- certificates ------------------------------------------------------------------------------

// One certificate and nothing behind it.
static bool credentials_parse(mbedtls_x509_crt *certificate, const uint8_t *der, size_t length)
{
    mbedtls_x509_crt_init(certificate);
    return mbedtls_x509_crt_parse_der(certificate, der, length) == 0 &&
           certificate->raw.len == length;
}

bool credentials_is_certificate(const uint8_t *der, size_t length)
{
    mbedtls_x509_crt certificate;
    bool good = credentials_parse(&certificate, der, length);
    mbedtls_x509_crt_free(&certificate);
    return good;
}

// Whether the certificate is for the public key of that label; the token is locked.
static status_t credentials_check_fit(const mbedtls_x509_crt *certificate, const char *label)
{
    uint8_t point[P256_POINT_BYTES];
    size_t length = 0;
    const object_t *public = object_set_find(token_objects(), CKO_PUBLIC_KEY, label, strlen(label));
    if (public == NULL) {
        return credentials_say(STATUS_UNKNOWN, "no key of that label: cred.key makes one");
    }
    if (mbedtls_pk_get_type(&certificate->pk) != MBEDTLS_PK_ECKEY) {
        return credentials_say(STATUS_VALUE, "certificate: its key is not an EC key");
    }
    const mbedtls_ecp_keypair *pair = mbedtls_pk_ec(certificate->pk);
    if (pair->grp.id != MBEDTLS_ECP_DP_SECP256R1 ||
        mbedtls_ecp_point_write_binary(&pair->grp, &pair->Q, MBEDTLS_ECP_PF_UNCOMPRESSED, &length,
                                       point, sizeof point) != 0 ||
        length != public->length || memcmp(point, public->value, length) != 0) {
        return credentials_say(STATUS_VALUE, "certificate: not for the key of that label");
    }
    return STATUS_OK;
}

static status_t credentials_check(const mbedtls_x509_crt *certificate, const char *label,
                                  credentials_role_t role)
{
    if (role == CREDENTIALS_IDENTITY) {
        return credentials_check_fit(certificate, label);
    }
    if (role == CREDENTIALS_SIGNER) {
        return STATUS_OK; // whom to trust with images is said by who brings it
    }
    return certificate->ca_istrue != 0
               ? STATUS_OK
               : credentials_say(STATUS_VALUE, "certificate: not that of an authority");
}

// Puts a certificate in the place of the one that stands under its label; the token is locked.
static status_t credentials_replace(const char *label, credentials_role_t role, const uint8_t *der,
                                    size_t length)
{
    (void)credentials_drop(label, role, true);
    return credentials_save(credentials_put(label, CKO_CERTIFICATE, (unsigned)role, der, length) !=
                            NULL);
}

status_t credentials_keep(const char *label, credentials_role_t role, const uint8_t *der,
                          size_t length)
{
    mbedtls_x509_crt certificate;
    if (!credentials_is_label(label)) {
        return credentials_say(STATUS_VALUE, "a label has 1 to 32 characters");
    }
    if (length > OBJECT_VALUE_BYTES) {
        return credentials_say(STATUS_VALUE, "certificate: longer than 2048 bytes");
    }
    status_t status = tls_platform_init();
    if (status != STATUS_OK) {
        return credentials_say(status, "mbedTLS cannot be used");
    }
    if (!credentials_parse(&certificate, der, length)) {
        mbedtls_x509_crt_free(&certificate);
        return credentials_say(STATUS_VALUE, "certificate: unreadable");
    }
    token_lock();
    status = credentials_check(&certificate, label, role);
    if (status == STATUS_OK) {
        status = credentials_replace(label, role, der, length);
    }
    token_unlock();
    mbedtls_x509_crt_free(&certificate);
    return status;
}

status_t credentials_erase(const char *label)
{
    status_t status;
    token_lock();
    if (label == NULL) {
        status = token_erase();
        (void)credentials_say(status, status == STATUS_OK ? "" : "flash did not take it");
    } else if (credentials_drop(label, CREDENTIALS_IDENTITY, false) +
                   credentials_drop(label, CREDENTIALS_AUTHORITY, false) +
                   credentials_drop(label, CREDENTIALS_SIGNER, false) ==
               0u) {
        status = credentials_say(STATUS_UNKNOWN, "nothing of that label");
    } else {
        status = credentials_save(true);
    }
    token_unlock();
    return status;
}

// ---- for connections ---------------------------------------------------------------------------

// The certificate of one role, which those of others under the same label are not; the token is
// locked.
static const object_t *credentials_certificate(const char *label, credentials_role_t role)
{
    for (size_t i = 0; i < OBJECT_COUNT; i++) {
        const object_t *object = &token_objects()->items[i];
        if (object->kind == CKO_CERTIFICATE && credentials_stands_under(object, label, role)) {
            return object;
        }
    }
    return NULL;
}

static status_t credentials_add(const char *label, credentials_role_t role,
                                mbedtls_x509_crt *certificate)
{
    token_lock();
    const object_t *object = credentials_certificate(label, role);
    int error =
        object != NULL ? mbedtls_x509_crt_parse_der(certificate, object->value, object->length) : 0;
    token_unlock();
    if (object == NULL) {
        return credentials_say(STATUS_UNKNOWN, "no certificate of that label");
    }
    return error == 0 ? STATUS_OK : STATUS_SPACE;
}

status_t credentials_identity(const char *label, mbedtls_x509_crt *certificate,
                              mbedtls_pk_context *key)
{
    status_t status = credentials_add(label, CREDENTIALS_IDENTITY, certificate);
    return status == STATUS_OK ? token_key_open(key, label) : status;
}

status_t credentials_signer(const char *label, mbedtls_x509_crt *certificate)
{
    return credentials_add(label, CREDENTIALS_SIGNER, certificate);
}

status_t credentials_authorities(mbedtls_x509_crt *roots)
{
    const unsigned trusted = OBJECT_FLAG_AUTHORITY | OBJECT_FLAG_TOKEN;
    status_t status = STATUS_UNKNOWN;
    token_lock();
    for (size_t i = 0; i < OBJECT_COUNT; i++) {
        const object_t *object = &token_objects()->items[i];
        if (object->kind == CKO_CERTIFICATE && (object->flags & trusted) == trusted &&
            mbedtls_x509_crt_parse_der(roots, object->value, object->length) == 0) {
            status = STATUS_OK;
        }
    }
    token_unlock();
    return status;
}
