// SPDX-License-Identifier: MIT
// A block of a stream, and a rejection. The first byte is the encoding; the second and third, how
// much room there is for the payload.
#include "fuzz.h"

#include "ota_stream.h"

static void read_block(ota_encoding_t encoding, const uint8_t *bytes, size_t length, size_t room)
{
    ota_block_t block = {0};
    uint8_t *out = malloc(room);
    status_t status = ota_stream_block(encoding, bytes, length, &block, out, room);
    free(out);
    FUZZ_CHECK(status == STATUS_OK || status == STATUS_SYNTAX || status == STATUS_VALUE ||
               status == STATUS_SPACE);
    FUZZ_CHECK(status != STATUS_OK || block.length <= room);
    static const char *const s_words[] = {"json", "cbor"};
    fuzz_seen(status == STATUS_OK ? s_words[encoding] : status_word(status));
}

static void read_rejection(ota_encoding_t encoding, const uint8_t *bytes, size_t length)
{
    char code[OTA_CODE_BYTES];
    memset(code, 0xA5, sizeof code);
    ota_stream_rejection(encoding, bytes, length, code);
    FUZZ_CHECK(fuzz_ends(code, sizeof code));
    if (code[0] != '\0') {
        fuzz_seen(encoding == OTA_JSON ? "json code" : "cbor code");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (length < 3u) {
        return 0;
    }
    ota_encoding_t encoding = bytes[0] % 2u == 0u ? OTA_JSON : OTA_CBOR;
    size_t room = (size_t)1 + bytes[1] + 256u * bytes[2];
    read_block(encoding, bytes + 3, length - 3u, room);
    read_rejection(encoding, bytes + 3, length - 3u);
    return 0;
}
