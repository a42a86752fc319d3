// SPDX-License-Identifier: MIT
#include "p256.h"

#include "tls_platform.h"

#include "mbedtls/ecdsa.h"
#include "mbedtls/ecp.h"

static status_t p256_status(int error)
{
    if (error == MBEDTLS_ERR_MPI_ALLOC_FAILED || error == MBEDTLS_ERR_ECP_ALLOC_FAILED) {
        return STATUS_SPACE;
    }
    return error == 0 ? STATUS_OK : STATUS_VALUE;
}

static int p256_write_point(const mbedtls_ecp_keypair *pair, uint8_t point[P256_POINT_BYTES])
{
    size_t length;
    return mbedtls_ecp_point_write_binary(&pair->grp, &pair->Q, MBEDTLS_ECP_PF_UNCOMPRESSED,
                                          &length, point, P256_POINT_BYTES);
}

static int p256_read_point(mbedtls_ecp_keypair *pair, const uint8_t point[P256_POINT_BYTES])
{
    int error = mbedtls_ecp_group_load(&pair->grp, MBEDTLS_ECP_DP_SECP256R1);
    if (error == 0) {
        error = mbedtls_ecp_point_read_binary(&pair->grp, &pair->Q, point, P256_POINT_BYTES);
    }
    return error == 0 ? mbedtls_ecp_check_pubkey(&pair->grp, &pair->Q) : error;
}

status_t p256_generate(uint8_t scalar[P256_BYTES], uint8_t point[P256_POINT_BYTES])
{
    mbedtls_ecp_keypair pair;
    mbedtls_ecp_keypair_init(&pair);
    int error = mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, &pair, tls_random, NULL);
    if (error == 0) {
        error = mbedtls_ecp_write_key(&pair, scalar, P256_BYTES);
    }
    if (error == 0) {
        error = p256_write_point(&pair, point);
    }
    mbedtls_ecp_keypair_free(&pair);
    return p256_status(error);
}

static int p256_read_scalar(mbedtls_ecp_keypair *pair, const uint8_t scalar[P256_BYTES])
{
    int error = mbedtls_ecp_read_key(MBEDTLS_ECP_DP_SECP256R1, pair, scalar, P256_BYTES);
    return error == 0 ? mbedtls_ecp_check_privkey(&pair->grp, &pair->d) : error;
}

status_t p256_point_of(const uint8_t scalar[P256_BYTES], uint8_t point[P256_POINT_BYTES])
{
    mbedtls_ecp_keypair pair;
    mbedtls_ecp_keypair_init(&pair);
    int error = p256_read_scalar(&pair, scalar);
    if (error == 0) {
        error = mbedtls_ecp_mul(&pair.grp, &pair.Q, &pair.d, &pair.grp.G, tls_random, NULL);
    }
    if (error == 0) {
        error = p256_write_point(&pair, point);
    }
    mbedtls_ecp_keypair_free(&pair);
    return p256_status(error);
}

status_t p256_check_point(const uint8_t point[P256_POINT_BYTES])
{
    mbedtls_ecp_keypair pair;
    mbedtls_ecp_keypair_init(&pair);
    int error = p256_read_point(&pair, point);
    mbedtls_ecp_keypair_free(&pair);
    return p256_status(error);
}

status_t p256_sign(const uint8_t scalar[P256_BYTES], const uint8_t *digest, size_t length,
                   uint8_t signature[P256_SIGNATURE_BYTES])
{
    mbedtls_ecp_keypair pair;
    mbedtls_mpi r;
    mbedtls_mpi s;
    mbedtls_ecp_keypair_init(&pair);
    mbedtls_mpi_init(&r);
    mbedtls_mpi_init(&s);
    int error = p256_read_scalar(&pair, scalar);
    if (error == 0) {
        error = mbedtls_ecdsa_sign_det_ext(&pair.grp, &r, &s, &pair.d, digest, length,
                                           MBEDTLS_MD_SHA256, tls_random, NULL);
    }
    if (error == 0) {
        error = mbedtls_mpi_write_binary(&r, signature, P256_BYTES);
    }
    if (error == 0) {
        error = mbedtls_mpi_write_binary(&s, signature + P256_BYTES, P256_BYTES);
    }
    mbedtls_mpi_free(&s);
    mbedtls_mpi_free(&r);
    mbedtls_ecp_keypair_free(&pair);
    return p256_status(error);
}

status_t p256_verify(const uint8_t point[P256_POINT_BYTES], const uint8_t *digest, size_t length,
                     const uint8_t signature[P256_SIGNATURE_BYTES])
{
    mbedtls_ecp_keypair pair;
    mbedtls_mpi r;
    mbedtls_mpi s;
    mbedtls_ecp_keypair_init(&pair);
    mbedtls_mpi_init(&r);
    mbedtls_mpi_init(&s);
    int error = p256_read_point(&pair, point);
    if (error == 0) {
        error = mbedtls_mpi_read_binary(&r, signature, P256_BYTES);
    }
    if (error == 0) {
        error = mbedtls_mpi_read_binary(&s, signature + P256_BYTES, P256_BYTES);
    }
    if (error == 0) {
        error = mbedtls_ecdsa_verify(&pair.grp, digest, length, &pair.Q, &r, &s);
    }
    mbedtls_mpi_free(&s);
    mbedtls_mpi_free(&r);
    mbedtls_ecp_keypair_free(&pair);
    return error == MBEDTLS_ERR_ECP_VERIFY_FAILED ? STATUS_REFUSED : p256_status(error);
}
