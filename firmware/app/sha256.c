// SPDX-License-Identifier: MIT
#include "sha256.h"

#include <string.h>

enum { BLOCK = 64 };

static const uint32_t s_k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t sha256_rotate(uint32_t x, unsigned by)
{
    return x >> by | x << (32u - by);
}

static uint32_t sha256_load(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void sha256_store(uint32_t value, uint8_t *at)
{
    for (unsigned i = 0; i < 4u; i++) {
        at[i] = (uint8_t)(value >> (24u - 8u * i));
    }
}

// The message schedule (6.2.2 step 1) in a ring of 16 words, made as the rounds go.
static uint32_t sha256_schedule(uint32_t w[16], unsigned t)
{
    uint32_t w15 = w[(t + 1u) % 16u];
    uint32_t w2 = w[(t + 14u) % 16u];
    uint32_t s0 = sha256_rotate(w15, 7) ^ sha256_rotate(w15, 18) ^ w15 >> 3;
    uint32_t s1 = sha256_rotate(w2, 17) ^ sha256_rotate(w2, 19) ^ w2 >> 10;
    w[t % 16u] += s0 + w[(t + 9u) % 16u] + s1;
    return w[t % 16u];
}

static void sha256_block(uint32_t hash[8], const uint8_t *block)
{
    uint32_t w[16];
    uint32_t v[8];
    for (unsigned t = 0; t < 16u; t++) {
        w[t] = sha256_load(block + 4u * t);
    }
    memcpy(v, hash, sizeof v);
    for (unsigned t = 0; t < 64u; t++) {
        uint32_t word = t < 16u ? w[t] : sha256_schedule(w, t);
        uint32_t s1 = sha256_rotate(v[4], 6) ^ sha256_rotate(v[4], 11) ^ sha256_rotate(v[4], 25);
        uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
        uint32_t t1 = v[7] + s1 + choice + s_k[t] + word;
        uint32_t s0 = sha256_rotate(v[0], 2) ^ sha256_rotate(v[0], 13) ^ sha256_rotate(v[0], 22);
        uint32_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
        memmove(v + 1, v, 7u * sizeof v[0]);
        v[4] += t1;
        v[0] = t1 + s0 + majority;
    }
    for (unsigned i = 0; i < 8u; i++) {
        hash[i] += v[i];
    }
}

void sha256_digest(const void *bytes, size_t length, uint8_t digest[SHA256_BYTES])
{
    uint32_t hash[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    const uint8_t *at = bytes;
    size_t left = length;
    for (; left >= BLOCK; left -= BLOCK, at += BLOCK) {
        sha256_block(hash, at);
    }
    uint8_t tail[2 * BLOCK] = {0};
    size_t padded = left + 9u <= BLOCK ? BLOCK : 2u * BLOCK;
    memcpy(tail, at, left);
    tail[left] = 0x80;
    uint64_t bits = (uint64_t)length * 8u;
    sha256_store((uint32_t)(bits >> 32), tail + padded - 8);
    sha256_store((uint32_t)bits, tail + padded - 4);
    for (size_t i = 0; i < padded; i += BLOCK) {
        sha256_block(hash, tail + i);
    }
    for (size_t i = 0; i < 8u; i++) {
        sha256_store(hash[i], digest + 4u * i);
    }
}

void sha256_text(const uint8_t digest[SHA256_BYTES], char text[SHA256_TEXT_BYTES])
{
    static const char s_hex[] = "0123456789abcdef";
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        text[2u * i] = s_hex[digest[i] >> 4];
        text[2u * i + 1u] = s_hex[digest[i] & 0xFu];
    }
    text[2 * SHA256_BYTES] = '\0';
}
