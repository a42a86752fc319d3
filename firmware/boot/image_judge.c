// SPDX-License-Identifier: MIT
#include "image.h"

#include "sha256.h"

#include <string.h>

enum {
    FLAG_ROM_FIXED = 0x100, // linked for the address in the header
    CHUNK_BYTES = 256,
};

// What stands before the point of a P-256 key in its SubjectPublicKeyInfo (RFC 5480, 2).
static const uint8_t s_key_head[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48,
                                     0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A, 0x86, 0x48,
                                     0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};

static const char *const s_words[IMAGE_VERDICTS] = {
    [IMAGE_GOOD] = "good",
    [IMAGE_EMPTY] = "empty",
    [IMAGE_UNREADABLE] = "unreadable",
    [IMAGE_MAGIC] = "magic",
    [IMAGE_HEADER] = "header",
    [IMAGE_SIZE] = "size",
    [IMAGE_TLV] = "tlv",
    [IMAGE_ALGORITHM] = "algorithm",
    [IMAGE_HASH_MISSING] = "hash_missing",
    [IMAGE_HASH] = "hash",
    [IMAGE_UNSIGNED] = "unsigned",
    [IMAGE_KEY] = "key",
    [IMAGE_SIGNATURE] = "signature",
    [IMAGE_COUNTER_MISSING] = "counter_missing",
    [IMAGE_COUNTER] = "counter",
    [IMAGE_BOARD] = "board",
    [IMAGE_ADDRESS] = "address",
    [IMAGE_VECTORS] = "vectors",
};

const char *image_verdict_word(image_verdict_t verdict)
{
    return verdict < IMAGE_VERDICTS ? s_words[verdict] : "none";
}

int image_version_compare(const image_version_t *left, const image_version_t *right)
{
    if (left->major != right->major) {
        return left->major - right->major;
    }
    if (left->minor != right->minor) {
        return left->minor - right->minor;
    }
    return left->revision - right->revision;
}

static size_t image_add_number(char *text, size_t at, uint32_t number)
{
    char digits[10];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + number % 10u);
        number /= 10u;
    } while (number != 0u);
    while (count > 0u) {
        text[at++] = digits[--count];
    }
    return at;
}

void image_version_text(const image_version_t *version, char text[IMAGE_VERSION_TEXT_BYTES])
{
    size_t at = image_add_number(text, 0, version->major);
    text[at++] = '.';
    at = image_add_number(text, at, version->minor);
    text[at++] = '.';
    at = image_add_number(text, at, version->revision);
    if (version->build != 0u) {
        text[at++] = '+';
        at = image_add_number(text, at, version->build);
    }
    text[at] = '\0';
}

static image_verdict_t image_check_hash(const image_reader_t *reader, const image_t *image)
{
    uint8_t chunk[CHUNK_BYTES];
    uint8_t digest[SHA256_BYTES];
    sha256_t sha;
    sha256_begin(&sha);
    for (uint32_t at = 0; at < image->hashed_bytes;) {
        uint32_t left = image->hashed_bytes - at;
        uint32_t length = left < sizeof chunk ? left : (uint32_t)sizeof chunk;
        if (image_read(reader, at, chunk, length) != STATUS_OK) {
            return IMAGE_UNREADABLE;
        }
        sha256_add(&sha, chunk, length);
        at += length;
    }
    sha256_end(&sha, digest);
    return memcmp(digest, image->hash, sizeof digest) == 0 ? IMAGE_GOOD : IMAGE_HASH;
}

static bool image_key_is(const image_t *image, const uint8_t *point)
{
    uint8_t digest[SHA256_BYTES];
    sha256_t sha;
    sha256_begin(&sha);
    sha256_add(&sha, s_key_head, sizeof s_key_head);
    sha256_add(&sha, point, IMAGE_POINT_BYTES);
    sha256_end(&sha, digest);
    return image->has_key_hash && memcmp(digest, image->key_hash, sizeof digest) == 0;
}

// Whose it is: nobody else's bytes pass.
static image_verdict_t image_check_origin(const image_reader_t *reader,
                                          const image_policy_t *policy, const image_t *image)
{
    if (!image->has_hash) {
        return image->other_algorithm ? IMAGE_ALGORITHM : IMAGE_HASH_MISSING;
    }
    image_verdict_t verdict = image_check_hash(reader, image);
    if (verdict != IMAGE_GOOD) {
        return verdict;
    }
    if (image->signature_bytes == 0u) {
        return image->other_algorithm ? IMAGE_ALGORITHM : IMAGE_UNSIGNED;
    }
    if (!image_key_is(image, policy->point)) {
        return IMAGE_KEY;
    }
    return policy->signature_holds(policy->point, image->hash, image->signature,
                                   image->signature_bytes)
               ? IMAGE_GOOD
               : IMAGE_SIGNATURE;
}

static image_verdict_t image_check_vectors(const image_reader_t *reader,
                                           const image_policy_t *policy, const image_t *image)
{
    uint32_t vectors[2];
    if (image->payload_bytes < sizeof vectors) {
        return IMAGE_VECTORS;
    }
    if (image_read(reader, image->header_bytes, vectors, sizeof vectors) != STATUS_OK) {
        return IMAGE_UNREADABLE;
    }
    uint32_t first = policy->slot_at + image->header_bytes;
    bool stack = vectors[0] % 8u == 0u && vectors[0] > policy->ram_at &&
                 vectors[0] - policy->ram_at <= policy->ram_bytes;
    bool entry =
        (vectors[1] & 1u) == 1u && vectors[1] > first && vectors[1] - first < image->payload_bytes;
    return stack && entry ? IMAGE_GOOD : IMAGE_VECTORS;
}

// Whether what it is, now known to be true, may run here.
static image_verdict_t image_check_use(const image_reader_t *reader, const image_policy_t *policy,
                                       const image_t *image)
{
    if (image->header_bytes != policy->header_bytes) {
        return IMAGE_HEADER;
    }
    if (!image->has_counter) {
        return IMAGE_COUNTER_MISSING;
    }
    if (image->counter < policy->counter_floor) {
        return IMAGE_COUNTER;
    }
    if (!image->has_board || strcmp(image->board, policy->board) != 0) {
        return IMAGE_BOARD;
    }
    if (image->flags != FLAG_ROM_FIXED || image->load_address != policy->slot_at) {
        return IMAGE_ADDRESS;
    }
    return image_check_vectors(reader, policy, image);
}

image_verdict_t image_judge(const image_reader_t *reader, const image_policy_t *policy,
                            image_t *image)
{
    image_verdict_t verdict = image_parse(reader, policy->image_bytes, image);
    if (verdict == IMAGE_GOOD) {
        verdict = image_check_origin(reader, policy, image);
    }
    return verdict == IMAGE_GOOD ? image_check_use(reader, policy, image) : verdict;
}
