// SPDX-License-Identifier: MIT
// PKCS #11: digests, signatures, key pairs, random numbers. Keys are copied while the token is
// locked and used when it is not, so that one task's signature holds up nobody else's.
#include "pkcs11_internal.h"

#include "pkcs11_template.h"
#include "tls_platform.h"
#include "token.h"

#include "mbedtls/platform_util.h"

#include <string.h>

enum { DIGEST_BYTES = 32, HASH_MAX_BYTES = 64 };

// ---- digests -----------------------------------------------------------------------------------

CK_RV C_DigestInit(CK_SESSION_HANDLE hSession, CK_MECHANISM *pMechanism)
{
    CK_RV result;
    pkcs11_session_t *session = pkcs11_session(hSession, &result);
    if (session == NULL) {
        return result;
    }
    if (pMechanism == NULL) {
        return CKR_ARGUMENTS_BAD;
    }
    if (session->digesting) {
        return CKR_OPERATION_ACTIVE;
    }
    if (pMechanism->mechanism != CKM_SHA256) {
        return CKR_MECHANISM_INVALID;
    }
    mbedtls_sha256_init(&session->digest);
    session->digesting = mbedtls_sha256_starts_ret(&session->digest, 0) == 0;
    return session->digesting ? CKR_OK : CKR_FUNCTION_FAILED;
}

CK_RV C_DigestUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pPart, CK_ULONG ulPartLen)
{
    CK_RV result;
    pkcs11_session_t *session = pkcs11_session(hSession, &result);
    if (session == NULL) {
        return result;
    }
    if (!session->digesting) {
        return CKR_OPERATION_NOT_INITIALIZED;
    }
    if (pPart == NULL) { // ends the operation, as every error of it does
        session->digesting = false;
        return CKR_ARGUMENTS_BAD;
    }
    if (mbedtls_sha256_update_ret(&session->digest, pPart, ulPartLen) != 0) {
        session->digesting = false;
        return CKR_FUNCTION_FAILED;
    }
    return CKR_OK;
}

CK_RV C_DigestFinal(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pDigest, CK_ULONG_PTR pulDigestLen)
{
    CK_RV result;
    pkcs11_session_t *session = pkcs11_session(hSession, &result);
    if (session == NULL) {
        return result;
    }
    if (!session->digesting) {
        return CKR_OPERATION_NOT_INITIALIZED;
    }
    if (pulDigestLen == NULL) {
        session->digesting = false;
        return CKR_ARGUMENTS_BAD;
    }
    bool fits = *pulDigestLen >= DIGEST_BYTES;
    *pulDigestLen = DIGEST_BYTES;
    if (pDigest == NULL || !fits) {
        return pDigest == NULL ? CKR_OK : CKR_BUFFER_TOO_SMALL;
    }
    session->digesting = false;
    int error = mbedtls_sha256_finish_ret(&session->digest, pDigest);
    mbedtls_sha256_free(&session->digest);
    return error == 0 ? CKR_OK : CKR_FUNCTION_FAILED;
}

// ---- signatures --------------------------------------------------------------------------------

// A key of this kind, its bytes copied to `value` of `size` bytes unless that is NULL.
static CK_RV pkcs11_key(CK_OBJECT_HANDLE handle, CK_OBJECT_CLASS kind, uint8_t *value, size_t size)
{
    token_lock();
    const object_t *object = pkcs11_object(handle);
    CK_RV result = object == NULL || object->kind == CKO_CERTIFICATE ? CKR_KEY_HANDLE_INVALID
                   : object->kind != kind                            ? CKR_KEY_TYPE_INCONSISTENT
                                                                     : CKR_OK;
    if (result == CKR_OK && value != NULL) {
        memcpy(value, object->value, size);
    }
    token_unlock();
    return result;
}

static CK_RV pkcs11_begin(const CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key, CK_OBJECT_CLASS kind,
                          bool *active, CK_OBJECT_HANDLE *kept)
{
    if (mechanism == NULL) {
        return CKR_ARGUMENTS_BAD;
    }
    if (*active) {
        return CKR_OPERATION_ACTIVE;
    }
    if (mechanism->mechanism != CKM_ECDSA) {
        return CKR_MECHANISM_INVALID;
    }
    CK_RV result = pkcs11_key(key, kind, NULL, 0);
    *active = result == CKR_OK;
    *kept = key;
    return result;
}

CK_RV C_SignInit(CK_SESSION_HANDLE hSession, CK_MECHANISM *pMechanism, CK_OBJECT_HANDLE hKey)
{
    CK_RV result;
    pkcs11_session_t *session = pkcs11_session(hSession, &result);
    return session == NULL ? result
                           : pkcs11_begin(pMechanism, hKey, CKO_PRIVATE_KEY, &session->signing,
                                          &session->sign_key);
}

static CK_RV pkcs11_sign(CK_OBJECT_HANDLE key, const CK_BYTE *data, CK_ULONG length,
                         CK_BYTE_PTR signature)
{
    uint8_t scalar[P256_BYTES];
    if (length == 0u || length > HASH_MAX_BYTES) {
        return CKR_DATA_LEN_RANGE;
    }
    CK_RV result = pkcs11_key(key, CKO_PRIVATE_KEY, scalar, sizeof scalar);
    if (result == CKR_OK && p256_sign(scalar, data, length, signature) != STATUS_OK) {
        result = CKR_FUNCTION_FAILED;
    }
    mbedtls_platform_zeroize(scalar, sizeof scalar);
    return result;
}

CK_RV C_Sign(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pData, CK_ULONG ulDataLen,
             CK_BYTE_PTR pSignature, CK_ULONG_PTR pulSignatureLen)
{
    CK_RV result;
    pkcs11_session_t *session = pkcs11_session(hSession, &result);
    if (session == NULL) {
        return result;
    }
    if (!session->signing) {
        return CKR_OPERATION_NOT_INITIALIZED;
    }
    if (pData == NULL || pulSignatureLen == NULL) {
        session->signing = false;
        return CKR_ARGUMENTS_BAD;
    }
    bool fits = *pulSignatureLen >= P256_SIGNATURE_BYTES;
    *pulSignatureLen = P256_SIGNATURE_BYTES;
    if (pSignature == NULL || !fits) {
        return pSignature == NULL ? CKR_OK : CKR_BUFFER_TOO_SMALL;
    }
    session->signing = false;
    return pkcs11_sign(session->sign_key, pData, ulDataLen, pSignature);
}

CK_RV C_VerifyInit(CK_SESSION_HANDLE hSession, CK_MECHANISM *pMechanism, CK_OBJECT_HANDLE hKey)
{
    CK_RV result;
    pkcs11_session_t *session = pkcs11_session(hSession, &result);
    return session == NULL ? result
                           : pkcs11_begin(pMechanism, hKey, CKO_PUBLIC_KEY, &session->verifying,
                                          &session->verify_key);
}

static CK_RV pkcs11_verify(CK_OBJECT_HANDLE key, const CK_BYTE *data, CK_ULONG length,
                           const CK_BYTE *signature)
{
    uint8_t point[P256_POINT_BYTES];
    if (length == 0u || length > HASH_MAX_BYTES) {
        return CKR_DATA_LEN_RANGE;
    }
    CK_RV result = pkcs11_key(key, CKO_PUBLIC_KEY, point, sizeof point);
    if (result != CKR_OK) {
        return result;
    }
    status_t status = p256_verify(point, data, length, signature);
    return status == STATUS_OK        ? CKR_OK
           : status == STATUS_REFUSED ? CKR_SIGNATURE_INVALID
                                      : CKR_FUNCTION_FAILED;
}

CK_RV C_Verify(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pData, CK_ULONG ulDataLen,
               CK_BYTE_PTR pSignature, CK_ULONG ulSignatureLen)
{
    CK_RV result;
    pkcs11_session_t *session = pkcs11_session(hSession, &result);
    if (session == NULL) {
        return result;
    }
    if (!session->verifying) {
        return CKR_OPERATION_NOT_INITIALIZED;
    }
    session->verifying = false;
    if (pData == NULL || pSignature == NULL) {
        return CKR_ARGUMENTS_BAD;
    }
    if (ulSignatureLen != P256_SIGNATURE_BYTES) {
        return CKR_SIGNATURE_LEN_RANGE;
    }
    return pkcs11_verify(session->verify_key, pData, ulDataLen, pSignature);
}

// ---- key pairs ---------------------------------------------------------------------------------

static CK_RV pkcs11_check_pair(const pkcs11_session_t *session, const CK_MECHANISM *mechanism,
                               const object_t *public, const object_t *private)
{
    unsigned kept = (public->flags | private->flags) & OBJECT_FLAG_TOKEN;
    if (mechanism->mechanism != CKM_EC_KEY_PAIR_GEN) {
        return CKR_MECHANISM_INVALID;
    }
    return kept != 0u && !session->writable ? CKR_SESSION_READ_ONLY : CKR_OK;
}

static CK_RV pkcs11_make_pair(object_t *public, object_t *private)
{
    unsigned kept = (public->flags | private->flags) & OBJECT_FLAG_TOKEN;
    switch (p256_generate(private->value, public->value)) {
    case STATUS_OK:
        break;
    case STATUS_SPACE:
        return CKR_HOST_MEMORY;
    default:
        return CKR_FUNCTION_FAILED;
    }
    public->length = P256_POINT_BYTES;
    private->length = P256_BYTES;
    public->flags |= OBJECT_FLAG_LOCAL;
    private->flags |= OBJECT_FLAG_LOCAL;
    return kept == 0u || token_save() == STATUS_OK ? CKR_OK : CKR_DEVICE_ERROR;
}

// A free place with this kind in it, so that the next one taken is another.
static object_t *pkcs11_take(uint8_t kind)
{
    object_t *object = object_set_take(token_objects());
    if (object != NULL) {
        object->kind = kind;
    }
    return object;
}

CK_RV C_GenerateKeyPair(CK_SESSION_HANDLE hSession, CK_MECHANISM *pMechanism,
                        CK_ATTRIBUTE *pPublicKeyTemplate, CK_ULONG ulPublicKeyAttributeCount,
                        CK_ATTRIBUTE *pPrivateKeyTemplate, CK_ULONG ulPrivateKeyAttributeCount,
                        CK_OBJECT_HANDLE *phPublicKey, CK_OBJECT_HANDLE *phPrivateKey)
{
    CK_RV result;
    pkcs11_session_t *session = pkcs11_session(hSession, &result);
    if (session == NULL) {
        return result;
    }
    if (pMechanism == NULL || pPublicKeyTemplate == NULL || pPrivateKeyTemplate == NULL ||
        phPublicKey == NULL || phPrivateKey == NULL) {
        return CKR_ARGUMENTS_BAD;
    }
    result = pkcs11_check_curve(pPublicKeyTemplate, ulPublicKeyAttributeCount);
    if (result != CKR_OK) {
        return result;
    }
    token_lock();
    object_t *public = pkcs11_take(CKO_PUBLIC_KEY);
    object_t *private = pkcs11_take(CKO_PRIVATE_KEY);
    result = public != NULL && private != NULL ? CKR_OK : CKR_DEVICE_MEMORY;
    if (result == CKR_OK) {
        result = pkcs11_fill(public, hSession, pPublicKeyTemplate, ulPublicKeyAttributeCount);
    }
    if (result == CKR_OK) {
        result = pkcs11_fill(private, hSession, pPrivateKeyTemplate, ulPrivateKeyAttributeCount);
    }
    if (result == CKR_OK) {
        result = pkcs11_check_pair(session, pMechanism, public, private);
    }
    if (result == CKR_OK) {
        result = pkcs11_make_pair(public, private);
    }
    if (result == CKR_OK) {
        *phPublicKey = pkcs11_handle(public);
        *phPrivateKey = pkcs11_handle(private);
    } else {
        if (public != NULL) {
            object_set_free(public);
        }
        if (private != NULL) {
            object_set_free(private);
        }
    }
    token_unlock();
    return result;
}

CK_RV C_GenerateRandom(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pRandomData, CK_ULONG ulRandomLen)
{
    CK_RV result;
    if (pkcs11_session(hSession, &result) == NULL) {
        return result;
    }
    if (pRandomData == NULL || ulRandomLen == 0u) {
        return CKR_ARGUMENTS_BAD;
    }
    return tls_random(NULL, pRandomData, ulRandomLen) == 0 ? CKR_OK : CKR_FUNCTION_FAILED;
}
