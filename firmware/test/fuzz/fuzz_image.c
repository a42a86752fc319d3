// SPDX-License-Identifier: MIT
// The bootloader's judge. Chance makes no hash that holds: where an image is whole but for its
// hashes, they are put right here, so that what is judged after them is reached. The signature
// holds where its first byte is odd; the real one is tried by boot_host.c.
#include "fuzz.h"

#include "image.h"
#include "sha256.h"

enum { SLOT_AT = 0x21100000, HEADER = 0x200, RAM_AT = 0x20000000, RAM_BYTES = 0x400000 };

// SubjectPublicKeyInfo of a P-256 key up to its point (RFC 5480, section 2).
static const uint8_t s_head[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48,
                                 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A, 0x86, 0x48,
                                 0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};
static const uint8_t s_point[IMAGE_POINT_BYTES] = {4};

typedef struct {
    uint8_t *bytes;
    uint32_t length;
} memory_t;

static status_t memory_read(void *context, uint32_t offset, void *bytes, uint32_t length)
{
    const memory_t *memory = context;
    FUZZ_CHECK(offset <= memory->length && length <= memory->length - offset);
    memcpy(bytes, memory->bytes + offset, length);
    return STATUS_OK;
}

static bool odd_holds(const uint8_t *point, const uint8_t *digest, const uint8_t *signature,
                      size_t length)
{
    (void)digest;
    FUZZ_CHECK(point == s_point && length > 0u && length <= IMAGE_SIGNATURE_BYTES);
    return signature[0] % 2u == 1u;
}

static void digest_of(const uint8_t *first, size_t first_bytes, const uint8_t *second,
                      size_t second_bytes, uint8_t digest[SHA256_BYTES])
{
    sha256_t sha;
    sha256_begin(&sha);
    sha256_add(&sha, first, first_bytes);
    sha256_add(&sha, second, second_bytes);
    sha256_end(&sha, digest);
}

// Puts `right` where the image says `said`, in the list that the hash does not cover.
static void put_right(memory_t *memory, const image_t *image, const uint8_t *said,
                      const uint8_t *right)
{
    for (uint32_t at = image->hashed_bytes; at + SHA256_BYTES <= image->total_bytes; at++) {
        if (memcmp(memory->bytes + at, said, SHA256_BYTES) == 0) {
            memcpy(memory->bytes + at, right, SHA256_BYTES);
            return;
        }
    }
}

static void check_lengths(const image_t *image, uint32_t length)
{
    FUZZ_CHECK(image->header_bytes >= IMAGE_HEADER_BYTES && image->payload_bytes > 0u);
    FUZZ_CHECK(image->total_bytes <= length && image->hashed_bytes < image->total_bytes);
    FUZZ_CHECK((uint64_t)image->header_bytes + image->payload_bytes <= image->hashed_bytes);
    FUZZ_CHECK(fuzz_ends(image->board, sizeof image->board));
    FUZZ_CHECK(image->signature_bytes <= sizeof image->signature);
}

static void mend(memory_t *memory, const image_t *image)
{
    uint8_t digest[SHA256_BYTES];
    if (image->has_hash) {
        digest_of(memory->bytes, image->hashed_bytes, memory->bytes, 0, digest);
        put_right(memory, image, image->hash, digest);
    }
    if (image->has_key_hash && image->key_hash[0] % 2u == 1u) {
        digest_of(s_head, sizeof s_head, s_point, sizeof s_point, digest);
        put_right(memory, image, image->key_hash, digest);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    memory_t memory = {malloc(length), (uint32_t)length};
    image_reader_t reader = {memory_read, &memory, memory.length};
    image_policy_t policy = {
        .slot_at = SLOT_AT,
        .image_bytes = 4096,
        .header_bytes = HEADER,
        .ram_at = RAM_AT,
        .ram_bytes = RAM_BYTES,
        .counter_floor = 7,
        .board = "mps2",
        .point = s_point,
        .signature_holds = odd_holds,
    };
    image_t image;
    if (length > 0u) {
        memcpy(memory.bytes, bytes, length);
    }
    if (image_parse(&reader, policy.image_bytes, &image) == IMAGE_GOOD) {
        check_lengths(&image, memory.length);
        mend(&memory, &image);
    }
    image_verdict_t verdict = image_judge(&reader, &policy, &image);
    FUZZ_CHECK(verdict != IMAGE_GOOD ||
               (image.counter >= policy.counter_floor && strcmp(image.board, policy.board) == 0));
    fuzz_seen(image_verdict_word(verdict));
    free(memory.bytes);
    return 0;
}
