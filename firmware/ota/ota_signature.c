// SPDX-License-Identifier: MIT
#include "ota_signature.h"

#include "credentials.h"
#include "sha256.h"
#include "tls_platform.h"

static status_t signature_verify(mbedtls_x509_crt *signer, const uint8_t digest[SHA256_BYTES],
                                 const uint8_t *signature, size_t length)
{
    if (!mbedtls_pk_can_do(&signer->pk, MBEDTLS_PK_ECDSA)) {
        return STATUS_VALUE;
    }
    return mbedtls_pk_verify(&signer->pk, MBEDTLS_MD_SHA256, digest, SHA256_BYTES, signature,
                             length) == 0
               ? STATUS_OK
               : STATUS_REFUSED;
}

status_t ota_signature_check(const char *certfile, const uint8_t *file, size_t length,
                             const uint8_t *signature, size_t signature_length)
{
    mbedtls_x509_crt signer;
    uint8_t digest[SHA256_BYTES];
    status_t status = tls_platform_init();
    if (status != STATUS_OK) {
        return status;
    }
    mbedtls_x509_crt_init(&signer);
    status = credentials_signer(certfile, &signer);
    if (status == STATUS_OK) {
        sha256_digest(file, length, digest);
        status = signature_verify(&signer, digest, signature, signature_length);
    }
    mbedtls_x509_crt_free(&signer);
    return status;
}
