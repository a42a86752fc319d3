// SPDX-License-Identifier: MIT
#include "sha256.h"

#include <string.h>

enum { BLOCK = SHA256_BLOCK_BYTES };

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
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return __builtin_bswap32(word); // every core of ours is little-endian
}

static void sha256_store(uint32_t value, uint8_t *at)
{
    for (unsigned i = 0; i < 4u; i++) {
        at[i] = (uint8_t)(value >> (24u - 8u * i));
    }
}

// One round (6.2.2 step 3). The eight words change their names instead of their places, so that all
// of them stay in registers: a caller gives them one place further on each time.
#define ROUND(a, b, c, d, e, f, g, h, t)                                                           \
    do {                                                                                           \
        uint32_t s1 = sha256_rotate(e, 6) ^ sha256_rotate(e, 11) ^ sha256_rotate(e, 25);           \
        uint32_t t1 = (h) + s1 + ((g) ^ ((e) & ((f) ^ (g)))) + k[t] + w[t];                        \
        uint32_t s0 = sha256_rotate(a, 2) ^ sha256_rotate(a, 13) ^ sha256_rotate(a, 22);           \
        (d) += t1;                                                                                 \
        (h) = t1 + s0 + (((a) & (b)) | ((c) & ((a) | (b))));                                       \
    } while (0)

#define ROUNDS_8(a, b, c, d, e, f, g, h, t)                                                        \
    ROUND(a, b, c, d, e, f, g, h, t);                                                              \
    ROUND(h, a, b, c, d, e, f, g, (t) + 1);                                                        \
    ROUND(g, h, a, b, c, d, e, f, (t) + 2);                                                        \
    ROUND(f, g, h, a, b, c, d, e, (t) + 3);                                                        \
    ROUND(e, f, g, h, a, b, c, d, (t) + 4);                                                        \
    ROUND(d, e, f, g, h, a, b, c, (t) + 5);                                                        \
    ROUND(c, d, e, f, g, h, a, b, (t) + 6);                                                        \
    ROUND(b, c, d, e, f, g, h, a, (t) + 7)

// The next word of the message schedule (6.2.2 step 1), in the place of the one 16 before it.
#define SCHEDULE(t)                                                                                \
    do {                                                                                           \
        uint32_t w15 = w[((t) + 1) % 16];                                                          \
        uint32_t w2 = w[((t) + 14) % 16];                                                          \
        w[t] += (sha256_rotate(w15, 7) ^ sha256_rotate(w15, 18) ^ w15 >> 3) + w[((t) + 9) % 16] +  \
                (sha256_rotate(w2, 17) ^ sha256_rotate(w2, 19) ^ w2 >> 10);                        \
    } while (0)

#define SCHEDULE_4(t)                                                                              \
    SCHEDULE(t);                                                                                   \
    SCHEDULE((t) + 1);                                                                             \
    SCHEDULE((t) + 2);                                                                             \
    SCHEDULE((t) + 3)

static void sha256_block(uint32_t hash[8], const uint8_t *block)
{
    uint32_t w[16];
    uint32_t a = hash[0], b = hash[1], c = hash[2], d = hash[3];
    uint32_t e = hash[4], f = hash[5], g = hash[6], h = hash[7];
    for (unsigned t = 0; t < 16u; t++) {
        w[t] = sha256_load(block + 4u * t);
    }
    for (const uint32_t *k = s_k;; k += 16) {
        ROUNDS_8(a, b, c, d, e, f, g, h, 0);
        ROUNDS_8(a, b, c, d, e, f, g, h, 8);
        if (k == s_k + 48) {
            break;
        }
        SCHEDULE_4(0);
        SCHEDULE_4(4);
        SCHEDULE_4(8);
        SCHEDULE_4(12);
    }
    hash[0] += a;
    hash[1] += b;
    hash[2] += c;
    hash[3] += d;
    hash[4] += e;
    hash[5] += f;
    hash[6] += g;
    hash[7] += h;
}

void sha256_begin(sha256_t *sha)
{
    *sha = (sha256_t){.hash = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
                               0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
}

void sha256_add(sha256_t *sha, const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    size_t kept = (size_t)(sha->length % BLOCK);
    sha->length += length;
    if (kept > 0u) {
        size_t more = length < BLOCK - kept ? length : BLOCK - kept;
        memcpy(sha->rest + kept, at, more);
        if (kept + more < BLOCK) {
            return;
        }
        sha256_block(sha->hash, sha->rest);
        at += more;
        length -= more;
    }
    for (; length >= BLOCK; length -= BLOCK, at += BLOCK) {
        sha256_block(sha->hash, at);
    }
    memcpy(sha->rest, at, length);
}

void sha256_end(sha256_t *sha, uint8_t digest[SHA256_BYTES])
{
    uint8_t tail[BLOCK + 8] = {0x80};
    uint64_t bits = sha->length * 8u;
    size_t kept = (size_t)(sha->length % BLOCK);
    size_t zeros = kept < BLOCK - 8u ? BLOCK - 8u - kept : 2u * BLOCK - 8u - kept; // with the 0x80
    uint8_t length[8];
    sha256_store((uint32_t)(bits >> 32), length);
    sha256_store((uint32_t)bits, length + 4);
    sha256_add(sha, tail, zeros);
    sha256_add(sha, length, sizeof length);
    for (size_t i = 0; i < 8u; i++) {
        sha256_store(sha->hash[i], digest + 4u * i);
    }
}

void sha256_digest(const void *bytes, size_t length, uint8_t digest[SHA256_BYTES])
{
    sha256_t sha;
    sha256_begin(&sha);
    sha256_add(&sha, bytes, length);
    sha256_end(&sha, digest);
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
