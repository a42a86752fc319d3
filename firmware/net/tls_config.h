// SPDX-License-Identifier: MIT
// What the firmware builds of mbedTLS 2.28: a TLS 1.2 client with forward secrecy only, EC keys of
// its own, EC and RSA certificates of others. No file system, no sockets, no heap: memory comes
// from a pool (tls_platform.c), time from the wall clock of time.set, random numbers from
// platform_entropy. The values in #ifndef are those that were measured: see
// docs/tls-and-credentials.md; a build sets others with RIG_TLS_CONFIG.
#ifndef TLS_CONFIG_H
#define TLS_CONFIG_H

// ---- chosen by measurement ---------------------------------------------------------------------

#ifndef TLS_FAST_REDUCTION // 1: reduction modulo the NIST primes by their form
    #define TLS_FAST_REDUCTION 1
#endif
#if TLS_FAST_REDUCTION
    #define MBEDTLS_ECP_NIST_OPTIM
#endif
#ifndef MBEDTLS_ECP_WINDOW_SIZE // 2 to 6: digits of a scalar taken at once
    #define MBEDTLS_ECP_WINDOW_SIZE 4
#endif
#ifndef MBEDTLS_ECP_FIXED_POINT_OPTIM // 1: the table of the base point's multiples is kept
    #define MBEDTLS_ECP_FIXED_POINT_OPTIM 0
#endif
#ifndef MBEDTLS_MPI_WINDOW_SIZE
    #define MBEDTLS_MPI_WINDOW_SIZE 2
#endif
#define MBEDTLS_MPI_MAX_SIZE 512 // RSA of others up to 4,096 bits

// ---- platform ----------------------------------------------------------------------------------

#define MBEDTLS_HAVE_ASM
#define MBEDTLS_HAVE_TIME
#define MBEDTLS_HAVE_TIME_DATE
#define MBEDTLS_PLATFORM_C
#define MBEDTLS_PLATFORM_MEMORY
#define MBEDTLS_PLATFORM_STD_CALLOC NULL // before tls_platform_init() there is no memory
#define MBEDTLS_PLATFORM_STD_FREE   NULL
#define MBEDTLS_MEMORY_BUFFER_ALLOC_C
#define MBEDTLS_MEMORY_DEBUG                 // counts what is in use; it prints nothing here
#define MBEDTLS_PLATFORM_FPRINTF_MACRO(...)  ((void)0)
#define MBEDTLS_PLATFORM_SNPRINTF_MACRO(...) 0 // nothing here writes certificates as text
#define MBEDTLS_PLATFORM_EXIT_MACRO          tls_broken
#define MBEDTLS_PLATFORM_TIME_MACRO          tls_time
#define MBEDTLS_PLATFORM_GMTIME_R_ALT
#define MBEDTLS_THREADING_C
#define MBEDTLS_THREADING_ALT
#define MBEDTLS_NO_PLATFORM_ENTROPY
#define MBEDTLS_ENTROPY_HARDWARE_ALT
#define MBEDTLS_ENTROPY_FORCE_SHA256
#define MBEDTLS_ENTROPY_C
#define MBEDTLS_CTR_DRBG_C
#define MBEDTLS_HMAC_DRBG_C
#define MBEDTLS_VERSION_C

// ---- primitives --------------------------------------------------------------------------------

#define MBEDTLS_AES_C
#define MBEDTLS_AES_ROM_TABLES
#define MBEDTLS_BIGNUM_C
#define MBEDTLS_CHACHA20_C
#define MBEDTLS_CHACHAPOLY_C
#define MBEDTLS_CIPHER_C
#define MBEDTLS_GCM_C
#define MBEDTLS_MD_C
#define MBEDTLS_POLY1305_C
#define MBEDTLS_SHA256_C
#define MBEDTLS_SHA512_C

#define MBEDTLS_ECP_C
#define MBEDTLS_ECP_DP_SECP256R1_ENABLED
#define MBEDTLS_ECP_DP_SECP384R1_ENABLED
#define MBEDTLS_ECP_DP_CURVE25519_ENABLED
#define MBEDTLS_ECDH_C
#define MBEDTLS_ECDSA_C
#define MBEDTLS_ECDSA_DETERMINISTIC
#define MBEDTLS_RSA_C
#define MBEDTLS_PKCS1_V15

// ---- keys and certificates ---------------------------------------------------------------------

#define MBEDTLS_ASN1_PARSE_C
#define MBEDTLS_ASN1_WRITE_C
#define MBEDTLS_BASE64_C
#define MBEDTLS_OID_C
#define MBEDTLS_PEM_PARSE_C
#define MBEDTLS_PK_C
#define MBEDTLS_PK_PARSE_C
#define MBEDTLS_PK_WRITE_C
#define MBEDTLS_X509_USE_C
#define MBEDTLS_X509_CRT_PARSE_C
#define MBEDTLS_X509_CHECK_KEY_USAGE
#define MBEDTLS_X509_CHECK_EXTENDED_KEY_USAGE

// ---- TLS ---------------------------------------------------------------------------------------

#define MBEDTLS_SSL_TLS_C
#define MBEDTLS_SSL_CLI_C
#define MBEDTLS_SSL_PROTO_TLS1_2
#define MBEDTLS_SSL_ALL_ALERT_MESSAGES
#define MBEDTLS_SSL_ALPN
#define MBEDTLS_SSL_EXTENDED_MASTER_SECRET
#define MBEDTLS_SSL_KEEP_PEER_CERTIFICATE
#define MBEDTLS_SSL_MAX_FRAGMENT_LENGTH
#define MBEDTLS_SSL_SERVER_NAME_INDICATION
#define MBEDTLS_SSL_SESSION_TICKETS
#define MBEDTLS_KEY_EXCHANGE_ECDHE_ECDSA_ENABLED
#define MBEDTLS_KEY_EXCHANGE_ECDHE_RSA_ENABLED
#define MBEDTLS_SSL_IN_CONTENT_LEN  16384 // a server may send the largest record there is
#define MBEDTLS_SSL_OUT_CONTENT_LEN 4096

#include <time.h>

// Seconds of the wall clock since 1970 (also into *now unless NULL), and what becomes of a library
// that finds its own memory damaged. In tls_platform.c.
time_t tls_time(time_t *now);
_Noreturn void tls_broken(int code);

#include "mbedtls/check_config.h"

#endif
