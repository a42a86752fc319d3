// SPDX-License-Identifier: MIT
// CRC-16 and SHA-256 against published vectors.
#include "crc16.h"
#include "host_units.h"
#include "sha256.h"

#include <string.h>

typedef struct {
    const char *text;
    uint16_t crc;
} crc_row_t;

static const crc_row_t s_crcs[] = {
    {"", 0xFFFF},
    {"123456789", 0x29B1}, // the catalogue's check value
    {"A", 0xB915},
};

typedef struct {
    const char *text;
    const char *digest;
} digest_row_t;

// FIPS 180-4 examples, and 55 and 64 bytes: the last that fit one block, the first that fill it.
static const digest_row_t s_digests[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

// However a text is cut, its digest is the same.
static void test_sums_in_pieces(void)
{
    uint8_t bytes[200];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i * 7u);
    }
    for (size_t length = 0; length <= sizeof bytes; length++) {
        uint8_t whole[SHA256_BYTES];
        sha256_digest(bytes, length, whole);
        for (size_t cut = 0; cut <= length; cut += 13u) {
            uint8_t pieces[SHA256_BYTES];
            sha256_t sha;
            sha256_begin(&sha);
            sha256_add(&sha, bytes, cut);
            sha256_add(&sha, bytes + cut, length - cut);
            sha256_end(&sha, pieces);
            CHECK(memcmp(pieces, whole, sizeof whole) == 0, "pieces");
        }
    }
}

void test_sums(void)
{
    test_sums_in_pieces();
    for (size_t i = 0; i < sizeof s_crcs / sizeof s_crcs[0]; i++) {
        const char *text = s_crcs[i].text;
        CHECK(crc16_update(CRC16_INITIAL, text, strlen(text)) == s_crcs[i].crc, text);
    }
    for (size_t i = 0; i < sizeof s_digests / sizeof s_digests[0]; i++) {
        uint8_t digest[SHA256_BYTES];
        char text[SHA256_TEXT_BYTES];
        sha256_digest(s_digests[i].text, strlen(s_digests[i].text), digest);
        sha256_text(digest, text);
        CHECK(strcmp(text, s_digests[i].digest) == 0, s_digests[i].text);
    }
}
