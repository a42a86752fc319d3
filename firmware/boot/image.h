// SPDX-License-Identifier: MIT
// A signed image in MCUboot's format: parsed and judged through a reader that knows its bounds.
// Pure: no hardware, no allocation; about 700 bytes of stack plus the verifier's. From one task.
//
// Nothing that an image says of itself is believed before it is compared with what the reader has:
// every length and every offset. What the bootloader decides by (counter, board, address) counts
// only where the hash covers it, and only after the signature held.
#ifndef IMAGE_H
#define IMAGE_H

#include "status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    IMAGE_HEADER_BYTES = 32,
    IMAGE_HASH_BYTES = 32,
    IMAGE_POINT_BYTES = 65,     // of a P-256 key: 04, x, y
    IMAGE_SIGNATURE_BYTES = 72, // the longest DER form of an ECDSA signature on P-256
    IMAGE_BOARD_BYTES = 24,     // name of a board's type, with NUL
};

// Why an image is not run; GOOD where it may be.
typedef enum {
    IMAGE_GOOD,
    IMAGE_EMPTY,           // erased flash
    IMAGE_UNREADABLE,      // the reader failed
    IMAGE_MAGIC,           // no image begins here
    IMAGE_HEADER,          // the header wants what this bootloader has not: its size, its flags
    IMAGE_SIZE,            // longer than the slot
    IMAGE_TLV,             // the list behind the payload is cut, overlong, doubled or malformed
    IMAGE_ALGORITHM,       // hashed or signed by another algorithm
    IMAGE_HASH_MISSING,    //
    IMAGE_HASH,            // the bytes are not those that were hashed
    IMAGE_UNSIGNED,        //
    IMAGE_KEY,             // signed with a key that is not ours
    IMAGE_SIGNATURE,       // the signature does not hold
    IMAGE_COUNTER_MISSING, //
    IMAGE_COUNTER,         // below the floor
    IMAGE_BOARD,           // for another type of board, or it does not say for which
    IMAGE_ADDRESS,         // linked for another place
    IMAGE_VECTORS,         // stack or entry cannot be right
    IMAGE_VERDICTS,
} image_verdict_t;

// The word of a verdict, as the console and the rig know it.
const char *image_verdict_word(image_verdict_t verdict);

// Where bytes come from: `size` bytes, read by offset. `read` returns STATUS_OK or below 0, and is
// never called for bytes outside.
typedef struct {
    status_t (*read)(void *context, uint32_t offset, void *bytes, uint32_t length);
    void *context;
    uint32_t size;
} image_reader_t;

// Reads, or returns STATUS_RANGE where not all of it is inside.
status_t image_read(const image_reader_t *reader, uint32_t offset, void *bytes, uint32_t length);

typedef struct {
    uint8_t major;
    uint8_t minor;
    uint16_t revision;
    uint32_t build;
} image_version_t;

// Below 0, 0 or above 0, as `left` is older than, as old as, or newer than `right`. The build
// number does not count, as in semantic versions.
int image_version_compare(const image_version_t *left, const image_version_t *right);

enum { IMAGE_VERSION_TEXT_BYTES = 32 };

// `1.2.3`, or `1.2.3+4` where there is a build number; with NUL.
void image_version_text(const image_version_t *version, char text[IMAGE_VERSION_TEXT_BYTES]);

// What an image says of itself, its lengths checked.
typedef struct {
    uint32_t load_address;
    uint32_t header_bytes;
    uint32_t payload_bytes;
    uint32_t hashed_bytes; // header, payload and protected list
    uint32_t total_bytes;  // with everything; what is behind belongs to nobody
    uint32_t flags;
    image_version_t version;
    bool has_hash, has_key_hash, has_counter, has_board;
    bool other_algorithm; // a hash or a signature that this bootloader does not know
    uint8_t hash[IMAGE_HASH_BYTES];
    uint8_t key_hash[IMAGE_HASH_BYTES];
    uint8_t signature[IMAGE_SIGNATURE_BYTES];
    uint32_t signature_bytes; // 0: none
    uint32_t counter;
    char board[IMAGE_BOARD_BYTES];
} image_t;

// Whether an ECDSA signature in DER over `digest` holds under the point of a P-256 key.
typedef bool (*image_signature_holds_t)(const uint8_t point[IMAGE_POINT_BYTES],
                                        const uint8_t digest[IMAGE_HASH_BYTES],
                                        const uint8_t *signature, size_t length);

// What an image must be to run from a slot.
typedef struct {
    uint32_t slot_at;
    uint32_t image_bytes; // the most an image may have
    uint32_t header_bytes;
    uint32_t ram_at;
    uint32_t ram_bytes;
    uint32_t counter_floor;
    const char *board;
    const uint8_t *point;
    image_signature_holds_t signature_holds;
} image_policy_t;

// Fills *image and returns GOOD where the structure is whole, so that all offsets may be used.
image_verdict_t image_parse(const image_reader_t *reader, uint32_t most, image_t *image);

// Parses and judges: structure, hash, key, signature, counter, board, address, vectors, in this
// order; the first that fails. *image is filled as far as it came.
image_verdict_t image_judge(const image_reader_t *reader, const image_policy_t *policy,
                            image_t *image);

#endif
