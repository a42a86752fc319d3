// SPDX-License-Identifier: MIT
// What the bootloader builds of mbedTLS 2.28: to check an ECDSA signature on P-256, and nothing
// else. Its SHA-256 is app/sha256.c.
#ifndef BOOT_CRYPTO_CONFIG_H
#define BOOT_CRYPTO_CONFIG_H

#define MBEDTLS_PLATFORM_C
#define MBEDTLS_PLATFORM_MEMORY
#define MBEDTLS_PLATFORM_STD_CALLOC NULL // before signature_holds() there is no memory
#define MBEDTLS_PLATFORM_STD_FREE   NULL
#define MBEDTLS_MEMORY_BUFFER_ALLOC_C
#define MBEDTLS_PLATFORM_FPRINTF_MACRO(...) ((void)0)
#define MBEDTLS_PLATFORM_EXIT_MACRO         boot_crypto_broken
#define MBEDTLS_HAVE_ASM

#define MBEDTLS_BIGNUM_C
#define MBEDTLS_MPI_MAX_SIZE 32
#define MBEDTLS_ECP_C
#define MBEDTLS_ECP_DP_SECP256R1_ENABLED
#define MBEDTLS_ECP_NIST_OPTIM
#define MBEDTLS_ECP_WINDOW_SIZE       2
#define MBEDTLS_ECP_FIXED_POINT_OPTIM 0
#define MBEDTLS_ECP_NO_INTERNAL_RNG   // only public values are computed with
#define MBEDTLS_ECDSA_C
#define MBEDTLS_ASN1_PARSE_C
#define MBEDTLS_ASN1_WRITE_C

#include <stddef.h>

// What becomes of a library that finds its own memory damaged.
_Noreturn void boot_crypto_broken(int code);

#include "mbedtls/check_config.h"

#endif
