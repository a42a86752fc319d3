// SPDX-License-Identifier: MIT
#include "signature.h"

#include "mbedtls/ecdsa.h"
#include "mbedtls/memory_buffer_alloc.h"

enum { POOL_BYTES = 24 * 1024 };

static unsigned char s_pool[POOL_BYTES] __attribute__((aligned(8)));

bool signature_holds(const uint8_t point[IMAGE_POINT_BYTES], const uint8_t digest[IMAGE_HASH_BYTES],
                     const uint8_t *signature, size_t length)
{
    mbedtls_ecdsa_context ecdsa;
    mbedtls_memory_buffer_alloc_init(s_pool, sizeof s_pool);
    mbedtls_ecdsa_init(&ecdsa);
    int error = mbedtls_ecp_group_load(&ecdsa.grp, MBEDTLS_ECP_DP_SECP256R1);
    if (error == 0) {
        error = mbedtls_ecp_point_read_binary(&ecdsa.grp, &ecdsa.Q, point, IMAGE_POINT_BYTES);
    }
    if (error == 0) {
        error = mbedtls_ecp_check_pubkey(&ecdsa.grp, &ecdsa.Q);
    }
    if (error == 0) {
        error = mbedtls_ecdsa_read_signature(&ecdsa, digest, IMAGE_HASH_BYTES, signature, length);
    }
    mbedtls_ecdsa_free(&ecdsa);
    mbedtls_memory_buffer_alloc_free();
    return error == 0;
}
