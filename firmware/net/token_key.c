// SPDX-License-Identifier: MIT
#include "token_key.h"

#include "p256.h"
#include "pkcs11.h"

#include "mbedtls/asn1write.h"
#include "mbedtls/ecp.h"
#include "mbedtls/pk_internal.h"
#include "mbedtls/platform.h"

#include <string.h>

enum { POINT_HEADER_BYTES = 2, SIGNATURE_BYTES = 2 * (P256_BYTES + 3) + 2 };

// The pair comes first: mbedTLS takes the context of an EC key for an mbedtls_ecp_keypair. It holds
// the public half alone.
typedef struct {
    mbedtls_ecp_keypair pair;
    CK_FUNCTION_LIST *cryptoki;
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE key;
} token_key_t;

static size_t token_key_bits(const void *context)
{
    return ((const token_key_t *)context)->pair.grp.pbits;
}

static int token_key_can_do(mbedtls_pk_type_t type)
{
    return type == MBEDTLS_PK_ECKEY || type == MBEDTLS_PK_ECDSA;
}

// r and s as TLS and X.509 want them: SEQUENCE { INTEGER, INTEGER }, which is written backwards.
static int token_key_encode(const uint8_t raw[P256_SIGNATURE_BYTES], unsigned char *out,
                            size_t *length)
{
    unsigned char buffer[SIGNATURE_BYTES];
    unsigned char *at = buffer + sizeof buffer;
    size_t written = 0;
    int error = 0;
    for (int part = 1; part >= 0 && error >= 0; part--) {
        mbedtls_mpi number;
        mbedtls_mpi_init(&number);
        error = mbedtls_mpi_read_binary(&number, raw + part * P256_BYTES, P256_BYTES);
        if (error == 0) {
            error = mbedtls_asn1_write_mpi(&at, buffer, &number);
            written += (size_t)(error > 0 ? error : 0);
        }
        mbedtls_mpi_free(&number);
    }
    if (error >= 0) {
        error = mbedtls_asn1_write_len(&at, buffer, written);
    }
    if (error >= 0) {
        error =
            mbedtls_asn1_write_tag(&at, buffer, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE);
    }
    *length = (size_t)(buffer + sizeof buffer - at);
    memcpy(out, at, *length);
    return error < 0 ? error : 0;
}

static int token_key_sign(void *context, mbedtls_md_type_t digest, const unsigned char *hash,
                          size_t hash_length, unsigned char *signature, size_t *length,
                          int (*random)(void *, unsigned char *, size_t), void *random_context)
{
    token_key_t *key = context;
    CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
    CK_BYTE data[64];
    CK_BYTE raw[P256_SIGNATURE_BYTES];
    CK_ULONG raw_length = sizeof raw;
    (void)digest;
    (void)random;
    (void)random_context;
    if (hash_length > sizeof data) {
        return MBEDTLS_ERR_PK_BAD_INPUT_DATA;
    }
    memcpy(data, hash, hash_length);
    CK_RV result = key->cryptoki->C_SignInit(key->session, &mechanism, key->key);
    if (result == CKR_OK) {
        result = key->cryptoki->C_Sign(key->session, data, hash_length, raw, &raw_length);
    }
    if (result != CKR_OK || raw_length != sizeof raw) {
        return MBEDTLS_ERR_PK_HW_ACCEL_FAILED;
    }
    return token_key_encode(raw, signature, length);
}

static void token_key_free(void *context)
{
    token_key_t *key = context;
    (void)key->cryptoki->C_CloseSession(key->session);
    mbedtls_ecp_keypair_free(&key->pair);
    mbedtls_free(key);
}

static const mbedtls_pk_info_t s_info = {
    .type = MBEDTLS_PK_ECKEY,
    .name = "PKCS11",
    .get_bitlen = token_key_bits,
    .can_do = token_key_can_do,
    .sign_func = token_key_sign,
    .ctx_free_func = token_key_free,
};

// ---- finding it --------------------------------------------------------------------------------

static CK_OBJECT_HANDLE token_key_find(const token_key_t *key, CK_OBJECT_CLASS kind,
                                       const char *label)
{
    CK_OBJECT_HANDLE found = CK_INVALID_HANDLE;
    CK_ULONG count = 0;
    CK_UTF8CHAR text[32];
    size_t length = strlen(label);
    if (length > sizeof text) {
        return CK_INVALID_HANDLE;
    }
    memcpy(text, label, length);
    CK_BBOOL kept = CK_TRUE; // what a session made for itself is nobody's identity
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &kind, sizeof kind},
                               {CKA_LABEL, text, length},
                               {CKA_TOKEN, &kept, sizeof kept}};
    if (key->cryptoki->C_FindObjectsInit(key->session, template,
                                         sizeof template / sizeof template[0]) != CKR_OK) {
        return CK_INVALID_HANDLE;
    }
    CK_RV result = key->cryptoki->C_FindObjects(key->session, &found, 1, &count);
    (void)key->cryptoki->C_FindObjectsFinal(key->session);
    return result == CKR_OK && count == 1u ? found : CK_INVALID_HANDLE;
}

static status_t token_key_fill(token_key_t *key, const char *label)
{
    CK_BYTE point[POINT_HEADER_BYTES + P256_POINT_BYTES];
    CK_ATTRIBUTE attribute = {CKA_EC_POINT, point, sizeof point};
    CK_OBJECT_HANDLE public = token_key_find(key, CKO_PUBLIC_KEY, label);
    key->key = token_key_find(key, CKO_PRIVATE_KEY, label);
    if (key->key == CK_INVALID_HANDLE || public == CK_INVALID_HANDLE ||
        key->cryptoki->C_GetAttributeValue(key->session, public, &attribute, 1) != CKR_OK ||
        attribute.ulValueLen != sizeof point) {
        return STATUS_UNKNOWN;
    }
    if (mbedtls_ecp_group_load(&key->pair.grp, MBEDTLS_ECP_DP_SECP256R1) != 0 ||
        mbedtls_ecp_point_read_binary(&key->pair.grp, &key->pair.Q, point + POINT_HEADER_BYTES,
                                      P256_POINT_BYTES) != 0) {
        return STATUS_SPACE;
    }
    return STATUS_OK;
}

static status_t token_key_begin(token_key_t *key)
{
    CK_SLOT_ID slot = 0;
    CK_ULONG slots = 1;
    if (C_GetFunctionList(&key->cryptoki) != CKR_OK) {
        return STATUS_ABSENT;
    }
    CK_RV result = key->cryptoki->C_Initialize(NULL);
    if (result != CKR_OK && result != CKR_CRYPTOKI_ALREADY_INITIALIZED) {
        return STATUS_ABSENT;
    }
    result = key->cryptoki->C_GetSlotList(CK_TRUE, &slot, &slots);
    if (result == CKR_OK) {
        result = key->cryptoki->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &key->session);
    }
    return result == CKR_OK ? STATUS_OK : STATUS_SPACE;
}

status_t token_key_open(mbedtls_pk_context *pk, const char *label)
{
    token_key_t *key = mbedtls_calloc(1, sizeof *key);
    if (key == NULL) {
        return STATUS_SPACE;
    }
    mbedtls_ecp_keypair_init(&key->pair);
    status_t status = token_key_begin(key);
    if (status != STATUS_OK) {
        mbedtls_free(key);
        return status;
    }
    status = token_key_fill(key, label);
    if (status != STATUS_OK) {
        token_key_free(key);
        return status;
    }
    pk->pk_info = &s_info;
    pk->pk_ctx = key;
    return STATUS_OK;
}
