// SPDX-License-Identifier: MIT
// EC keys on P-256 as bytes: what PKCS #11 and the credentials need of mbedTLS. Every call needs
// some 4 KiB of stack and tls_platform_init(). Returns are STATUS_OK or what is said.
#ifndef P256_H
#define P256_H

#include <stddef.h>
#include <stdint.h>

#include "status.h"

enum { P256_BYTES = 32, P256_POINT_BYTES = 65, P256_SIGNATURE_BYTES = 64 };

// A new key: its scalar and its point (0x04 x y). STATUS_SPACE: the pool is full.
status_t p256_generate(uint8_t scalar[P256_BYTES], uint8_t point[P256_POINT_BYTES]);

// The point of a scalar. STATUS_VALUE: it is none, such as zero.
status_t p256_point_of(const uint8_t scalar[P256_BYTES], uint8_t point[P256_POINT_BYTES]);

// Whether the bytes are a point of the curve: STATUS_OK or STATUS_VALUE.
status_t p256_check_point(const uint8_t point[P256_POINT_BYTES]);

// ECDSA over a digest, deterministic (RFC 6979 with SHA-256): r and s. STATUS_VALUE, STATUS_SPACE.
status_t p256_sign(const uint8_t scalar[P256_BYTES], const uint8_t *digest, size_t length,
                   uint8_t signature[P256_SIGNATURE_BYTES]);

// STATUS_REFUSED: the signature is not that of this digest.
status_t p256_verify(const uint8_t point[P256_POINT_BYTES], const uint8_t *digest, size_t length,
                     const uint8_t signature[P256_SIGNATURE_BYTES]);

#endif
