// SPDX-License-Identifier: MIT
#include "image.h"

#include <string.h>

#define HEADER_MAGIC    0x96F3B83Du
#define ERASED          0xFFFFFFFFu
#define LIST_MAGIC      0x6907u
#define PROTECTED_MAGIC 0x6908u

enum {
    LIST_INFO_BYTES = 4,
    ENTRY_HEAD_BYTES = 4,

    TLV_KEY_HASH = 0x01,
    TLV_SHA256 = 0x10,
    TLV_SHA384 = 0x11,
    TLV_SHA512 = 0x12,
    TLV_RSA2048 = 0x20,
    TLV_ECDSA224 = 0x21,
    TLV_ECDSA = 0x22,
    TLV_RSA3072 = 0x23,
    TLV_ED25519 = 0x24,
    TLV_SECURITY_COUNTER = 0x50,
    TLV_BOARD = 0xA0,
};

status_t image_read(const image_reader_t *reader, uint32_t offset, void *bytes, uint32_t length)
{
    if (offset > reader->size || length > reader->size - offset) {
        return STATUS_RANGE;
    }
    return reader->read(reader->context, offset, bytes, length);
}

static uint16_t image_u16(const uint8_t *at)
{
    return (uint16_t)(at[0] | at[1] << 8);
}

static uint32_t image_u32(const uint8_t *at)
{
    return (uint32_t)image_u16(at) | (uint32_t)image_u16(at + 2) << 16;
}

// The header's fields, and the protected list's length, which only counts once it was found there.
static image_verdict_t image_parse_header(const image_reader_t *reader, image_t *image,
                                          uint32_t *protected_bytes)
{
    uint8_t header[IMAGE_HEADER_BYTES];
    if (reader->size < sizeof header) {
        return IMAGE_SIZE;
    }
    if (image_read(reader, 0, header, sizeof header) != STATUS_OK) {
        return IMAGE_UNREADABLE;
    }
    if (image_u32(header) != HEADER_MAGIC) {
        return image_u32(header) == ERASED ? IMAGE_EMPTY : IMAGE_MAGIC;
    }
    image->load_address = image_u32(header + 4);
    image->header_bytes = image_u16(header + 8);
    *protected_bytes = image_u16(header + 10);
    image->payload_bytes = image_u32(header + 12);
    image->flags = image_u32(header + 16);
    image->version =
        (image_version_t){header[20], header[21], image_u16(header + 22), image_u32(header + 24)};
    return IMAGE_GOOD;
}

// Header, payload and a list's head fit, one after another, into what there may be.
static image_verdict_t image_check_lengths(uint32_t most, const image_t *image)
{
    if (image->header_bytes < IMAGE_HEADER_BYTES || image->payload_bytes == 0u) {
        return IMAGE_HEADER;
    }
    if (image->header_bytes > most || image->payload_bytes > most - image->header_bytes ||
        most - image->header_bytes - image->payload_bytes < LIST_INFO_BYTES) {
        return IMAGE_SIZE;
    }
    return IMAGE_GOOD;
}

// A value of exactly `length` bytes that may come once.
static image_verdict_t image_take(const image_reader_t *reader, uint32_t at, uint32_t length,
                                  void *value, uint32_t wanted, bool *has)
{
    if (*has || length != wanted) {
        return IMAGE_TLV;
    }
    *has = true;
    return image_read(reader, at, value, wanted) == STATUS_OK ? IMAGE_GOOD : IMAGE_UNREADABLE;
}

static image_verdict_t image_take_signature(const image_reader_t *reader, uint32_t at,
                                            uint32_t length, image_t *image)
{
    if (image->signature_bytes != 0u || length == 0u) {
        return IMAGE_TLV;
    }
    if (length > IMAGE_SIGNATURE_BYTES) { // such as one on P-384
        image->other_algorithm = true;
        return IMAGE_GOOD;
    }
    image->signature_bytes = length;
    return image_read(reader, at, image->signature, length) == STATUS_OK ? IMAGE_GOOD
                                                                         : IMAGE_UNREADABLE;
}

static image_verdict_t image_take_board(const image_reader_t *reader, uint32_t at, uint32_t length,
                                        image_t *image)
{
    if (image->has_board || length == 0u || length >= IMAGE_BOARD_BYTES) {
        return IMAGE_TLV;
    }
    image->has_board = true;
    if (image_read(reader, at, image->board, length) != STATUS_OK) {
        return IMAGE_UNREADABLE;
    }
    return memchr(image->board, 0, length) == NULL ? IMAGE_GOOD : IMAGE_TLV;
}

// What the hash covers. Types that nobody here knows are let pass.
static image_verdict_t image_take_protected(const image_reader_t *reader, uint16_t type,
                                            uint32_t at, uint32_t length, image_t *image)
{
    uint8_t counter[4];
    image_verdict_t verdict;
    switch (type) {
    case TLV_SECURITY_COUNTER:
        verdict = image_take(reader, at, length, counter, sizeof counter, &image->has_counter);
        if (verdict == IMAGE_GOOD) {
            image->counter = image_u32(counter);
        }
        return verdict;
    case TLV_BOARD:
        return image_take_board(reader, at, length, image);
    default:
        return IMAGE_GOOD;
    }
}

static image_verdict_t image_take_open(const image_reader_t *reader, uint16_t type, uint32_t at,
                                       uint32_t length, image_t *image)
{
    switch (type) {
    case TLV_SHA256:
        return image_take(reader, at, length, image->hash, IMAGE_HASH_BYTES, &image->has_hash);
    case TLV_KEY_HASH:
        return image_take(reader, at, length, image->key_hash, IMAGE_HASH_BYTES,
                          &image->has_key_hash);
    case TLV_ECDSA:
        return image_take_signature(reader, at, length, image);
    case TLV_SHA384:
    case TLV_SHA512:
    case TLV_RSA2048:
    case TLV_ECDSA224:
    case TLV_RSA3072:
    case TLV_ED25519:
        image->other_algorithm = true;
        return IMAGE_GOOD;
    default:
        return IMAGE_GOOD;
    }
}

typedef struct {
    uint16_t magic;
    uint32_t bytes; // with its head
} image_list_t;

static image_verdict_t image_read_list_head(const image_reader_t *reader, uint32_t at,
                                            uint32_t most, image_list_t *list)
{
    uint8_t info[LIST_INFO_BYTES];
    if (most - at < sizeof info) {
        return IMAGE_TLV;
    }
    if (image_read(reader, at, info, sizeof info) != STATUS_OK) {
        return IMAGE_UNREADABLE;
    }
    *list = (image_list_t){image_u16(info), image_u16(info + 2)};
    return list->bytes >= LIST_INFO_BYTES && list->bytes <= most - at ? IMAGE_GOOD : IMAGE_TLV;
}

// The entries from `at` to `end`, which must be filled by them to the byte.
static image_verdict_t image_parse_entries(const image_reader_t *reader, uint32_t at, uint32_t end,
                                           bool is_protected, image_t *image)
{
    while (at < end) {
        uint8_t head[ENTRY_HEAD_BYTES];
        if (end - at < sizeof head) {
            return IMAGE_TLV;
        }
        if (image_read(reader, at, head, sizeof head) != STATUS_OK) {
            return IMAGE_UNREADABLE;
        }
        uint32_t length = image_u16(head + 2);
        at += (uint32_t)sizeof head;
        if (length > end - at) {
            return IMAGE_TLV;
        }
        image_verdict_t verdict = (is_protected ? image_take_protected : image_take_open)(
            reader, image_u16(head), at, length, image);
        if (verdict != IMAGE_GOOD) {
            return verdict;
        }
        at += length;
    }
    return IMAGE_GOOD;
}

// The list at `at`, of this magic; *end is where it ends.
static image_verdict_t image_parse_list(const image_reader_t *reader, uint32_t at, uint32_t most,
                                        uint16_t magic, uint32_t *end, image_t *image)
{
    image_list_t list;
    image_verdict_t verdict = image_read_list_head(reader, at, most, &list);
    if (verdict != IMAGE_GOOD) {
        return verdict;
    }
    if (list.magic != magic) {
        return IMAGE_TLV;
    }
    *end = at + list.bytes;
    return image_parse_entries(reader, at + LIST_INFO_BYTES, *end, magic == PROTECTED_MAGIC, image);
}

image_verdict_t image_parse(const image_reader_t *reader, uint32_t most, image_t *image)
{
    uint32_t protected_bytes = 0;
    memset(image, 0, sizeof *image);
    if (most > reader->size) {
        most = reader->size;
    }
    image_verdict_t verdict = image_parse_header(reader, image, &protected_bytes);
    if (verdict == IMAGE_GOOD) {
        verdict = image_check_lengths(most, image);
    }
    if (verdict != IMAGE_GOOD) {
        return verdict;
    }
    uint32_t at = image->header_bytes + image->payload_bytes;
    image->hashed_bytes = at;
    if (protected_bytes != 0u) {
        verdict = image_parse_list(reader, at, most, PROTECTED_MAGIC, &image->hashed_bytes, image);
        if (verdict == IMAGE_GOOD && image->hashed_bytes - at != protected_bytes) {
            verdict = IMAGE_TLV; // header and list must agree
        }
    }
    if (verdict != IMAGE_GOOD) {
        return verdict;
    }
    return image_parse_list(reader, image->hashed_bytes, most, LIST_MAGIC, &image->total_bytes,
                            image);
}
