// SPDX-License-Identifier: MIT
// The messages of the stream service ($aws/things/<thing>/streams/<stream>/...), in JSON and in
// CBOR: the request for blocks, a block, a rejection. Pure.
#ifndef OTA_STREAM_H
#define OTA_STREAM_H

#include "ota_blocks.h"

typedef enum { OTA_JSON, OTA_CBOR } ota_encoding_t;

enum { OTA_TOKEN_BYTES = 65, OTA_CODE_BYTES = 40, OTA_REQUEST_TEXT_BYTES = 1536 };

// The last part of topics: "json" or "cbor".
const char *ota_stream_word(ota_encoding_t encoding);

typedef struct {
    const char *token;
    bool has_version;
    uint32_t version; // of the stream
    uint32_t file;
    uint32_t block_bytes;
    const ota_window_t *window;
} ota_request_t;

// Writes a request {c, s, f, l, o, n, b}. Returns its length; STATUS_SPACE; STATUS_VALUE: a token
// that does not fit the service.
int ota_stream_request(const ota_request_t *request, ota_encoding_t encoding, uint8_t *out,
                       size_t size);

// A block as a message says it: {f, l, i, p}.
typedef struct {
    uint32_t file, index, length;
} ota_block_t;

// Reads a message of `data/`; the payload goes to `out`. STATUS_SYNTAX: not JSON or CBOR, or a
// member is missing or of another kind; STATUS_VALUE: the payload is not as long as it says, or not
// base64; STATUS_SPACE: more than `size`.
status_t ota_stream_block(ota_encoding_t encoding, const uint8_t *bytes, size_t length,
                          ota_block_t *block, uint8_t *out, size_t size);

// Reads the code of a message of `rejected/`; "" if there is none.
void ota_stream_rejection(ota_encoding_t encoding, const uint8_t *bytes, size_t length,
                          char code[OTA_CODE_BYTES]);

#endif
