// SPDX-License-Identifier: MIT
// SHA-256 (FIPS 180-4) in one call. Pure; about 250 bytes of stack.
#ifndef SHA256_H
#define SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { SHA256_BYTES = 32, SHA256_TEXT_BYTES = 2 * SHA256_BYTES + 1 };

// Digest of `length` bytes at `bytes`.
void sha256_digest(const void *bytes, size_t length, uint8_t digest[SHA256_BYTES]);

// The digest as 64 lower-case hexadecimal digits with NUL.
void sha256_text(const uint8_t digest[SHA256_BYTES], char text[SHA256_TEXT_BYTES]);

#endif
