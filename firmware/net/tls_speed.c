// SPDX-License-Identifier: MIT
#include "tls_speed.h"

#include "platform.h"
#include "tls_platform.h"

#include "mbedtls/chachapoly.h"
#include "mbedtls/ecdsa.h"
#include "mbedtls/ecp.h"
#include "mbedtls/gcm.h"

#include <string.h>

enum { KEY_BYTES = 16, BLOCK_BYTES = 1024, DIGEST_BYTES = 32, TAG_BYTES = 16, NONCE_BYTES = 12 };

// What every operation starts from: a group, a key pair in it, a digest and its signature.
typedef struct {
    mbedtls_ecp_group group;
    mbedtls_mpi secret, r, s;
    mbedtls_ecp_point public;
    uint8_t digest[DIGEST_BYTES];
} speed_state_t;

static uint32_t s_noise;

// Not random at all: the same operation has to do the same work in every build that is compared.
static int speed_fixed(void *unused, unsigned char *bytes, size_t length)
{
    (void)unused;
    for (size_t i = 0; i < length; i++) {
        s_noise = s_noise * 1664525u + 1013904223u;
        bytes[i] = (unsigned char)(s_noise >> 24);
    }
    return 0;
}

static int speed_keypair(speed_state_t *state)
{
    return mbedtls_ecp_gen_keypair(&state->group, &state->secret, &state->public, speed_fixed,
                                   NULL);
}

static int speed_shared(speed_state_t *state)
{
    mbedtls_ecp_point product;
    mbedtls_ecp_point_init(&product);
    int error =
        mbedtls_ecp_mul(&state->group, &product, &state->secret, &state->public, speed_fixed, NULL);
    mbedtls_ecp_point_free(&product);
    return error;
}

static int speed_sign(speed_state_t *state)
{
    return mbedtls_ecdsa_sign_det_ext(&state->group, &state->r, &state->s, &state->secret,
                                      state->digest, sizeof state->digest, MBEDTLS_MD_SHA256,
                                      speed_fixed, NULL);
}

static int speed_verify(speed_state_t *state)
{
    return mbedtls_ecdsa_verify(&state->group, state->digest, sizeof state->digest, &state->public,
                                &state->r, &state->s);
}

static uint8_t s_block[BLOCK_BYTES];

static int speed_gcm(speed_state_t *state)
{
    mbedtls_gcm_context context;
    uint8_t tag[TAG_BYTES];
    mbedtls_gcm_init(&context);
    int error = mbedtls_gcm_setkey(&context, MBEDTLS_CIPHER_ID_AES, state->digest, 8 * KEY_BYTES);
    if (error == 0) {
        error =
            mbedtls_gcm_crypt_and_tag(&context, MBEDTLS_GCM_ENCRYPT, sizeof s_block, state->digest,
                                      NONCE_BYTES, NULL, 0, s_block, s_block, sizeof tag, tag);
    }
    mbedtls_gcm_free(&context);
    return error;
}

static int speed_chacha(speed_state_t *state)
{
    mbedtls_chachapoly_context context;
    uint8_t tag[TAG_BYTES];
    mbedtls_chachapoly_init(&context);
    int error = mbedtls_chachapoly_setkey(&context, state->digest);
    if (error == 0) {
        error = mbedtls_chachapoly_encrypt_and_tag(&context, sizeof s_block, state->digest, NULL, 0,
                                                   s_block, s_block, tag);
    }
    mbedtls_chachapoly_free(&context);
    return error;
}

typedef struct {
    const char *name;
    int (*run)(speed_state_t *state);
} speed_row_t;

static const speed_row_t s_rows[] = {
    {"keypair", speed_keypair}, {"shared", speed_shared}, {"sign", speed_sign},
    {"verify", speed_verify},   {"gcm", speed_gcm},       {"chacha", speed_chacha},
};

static int speed_prepare(speed_state_t *state)
{
    s_noise = 1;
    mbedtls_ecp_group_init(&state->group);
    mbedtls_mpi_init(&state->secret);
    mbedtls_mpi_init(&state->r);
    mbedtls_mpi_init(&state->s);
    mbedtls_ecp_point_init(&state->public);
    memset(state->digest, 0xA5, sizeof state->digest);
    int error = mbedtls_ecp_group_load(&state->group, MBEDTLS_ECP_DP_SECP256R1);
    error = error == 0 ? speed_keypair(state) : error;
    return error == 0 ? speed_sign(state) : error;
}

static void speed_free(speed_state_t *state)
{
    mbedtls_ecp_group_free(&state->group);
    mbedtls_mpi_free(&state->secret);
    mbedtls_mpi_free(&state->r);
    mbedtls_mpi_free(&state->s);
    mbedtls_ecp_point_free(&state->public);
}

// A handshake loads its groups anew, so that what a fixed-point table costs counts in every round.
static int speed_round(const speed_row_t *row, speed_state_t *state, uint32_t *ticks)
{
    const volatile uint32_t *counter = (const volatile uint32_t *)PLATFORM_COUNTER_AT;
    mbedtls_ecp_group_free(&state->group);
    mbedtls_ecp_group_init(&state->group);
    uint32_t begin = *counter;
    int error = mbedtls_ecp_group_load(&state->group, MBEDTLS_ECP_DP_SECP256R1);
    error = error == 0 ? row->run(state) : error;
    *ticks += *counter - begin;
    return error;
}

status_t tls_speed_run(const char *operation, uint32_t rounds, tls_speed_t *speed)
{
    const speed_row_t *row = NULL;
    speed_state_t state;
    tls_memory_t before;
    tls_memory_t after;
    for (size_t i = 0; i < sizeof s_rows / sizeof s_rows[0]; i++) {
        row = strcmp(s_rows[i].name, operation) == 0 ? &s_rows[i] : row;
    }
    if (row == NULL) {
        return STATUS_UNKNOWN;
    }
    speed->ticks = 0;
    tls_memory(&before);
    int error = speed_prepare(&state);
    tls_memory_forget_peak();
    for (uint32_t i = 0; i < rounds && error == 0; i++) {
        error = speed_round(row, &state, &speed->ticks);
    }
    speed_free(&state);
    tls_memory(&after);
    speed->peak = (uint32_t)(after.peak > before.used ? after.peak - before.used : 0u);
    return error == 0 ? STATUS_OK : STATUS_SPACE;
}
