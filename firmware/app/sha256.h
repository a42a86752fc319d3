// SPDX-License-Identifier: MIT
// SHA-256 (FIPS 180-4), in one call or in pieces. Pure; about 250 bytes of stack.
#ifndef SHA256_H
#define SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { SHA256_BYTES = 32, SHA256_TEXT_BYTES = 2 * SHA256_BYTES + 1, SHA256_BLOCK_BYTES = 64 };

// A digest that is being made; its owner only hands its address on.
typedef struct {
    uint32_t hash[8];
    uint64_t length; // bytes so far
    uint8_t rest[SHA256_BLOCK_BYTES];
} sha256_t;

// The digest of the pieces that are added between begin and end.
void sha256_begin(sha256_t *sha);
void sha256_add(sha256_t *sha, const void *bytes, size_t length);
void sha256_end(sha256_t *sha, uint8_t digest[SHA256_BYTES]);

// Digest of `length` bytes at `bytes`.
void sha256_digest(const void *bytes, size_t length, uint8_t digest[SHA256_BYTES]);

// The digest as 64 lower-case hexadecimal digits with NUL.
void sha256_text(const uint8_t digest[SHA256_BYTES], char text[SHA256_TEXT_BYTES]);

#endif
