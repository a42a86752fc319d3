// SPDX-License-Identifier: MIT
// Base64: what was decoded is encoded again, and must be the text. The first byte is how much room
// there is.
#include "fuzz.h"

#include "base64.h"

static const char s_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static char letter(const uint8_t *data, size_t length, size_t place)
{
    size_t byte = place * 6u / 8u, shift = place * 6u % 8u;
    if (byte >= length) {
        return '=';
    }
    unsigned low = byte + 1u < length ? data[byte + 1u] : 0u;
    return s_letters[((unsigned)data[byte] << 8u | low) >> (10u - shift) & 63u];
}

// A slash may come as `\/`.
static void check_same(const char *text, size_t length, const uint8_t *data, size_t count)
{
    size_t place = 0;
    for (size_t at = 0; at < length; at++, place++) {
        at += text[at] == '\\' ? 1u : 0u;
        FUZZ_CHECK(at < length && text[at] == letter(data, count, place));
    }
    FUZZ_CHECK(place == (count + 2u) / 3u * 4u);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (length == 0u) {
        return 0;
    }
    const char *text = (const char *)bytes + 1;
    size_t room = (size_t)1 + bytes[0];
    uint8_t *out = malloc(room);
    int32_t count = base64_decode(text, length - 1u, out, room);
    if (count >= 0) {
        FUZZ_CHECK((size_t)count <= room);
        check_same(text, length - 1u, out, (size_t)count);
    } else {
        FUZZ_CHECK(count == STATUS_VALUE || count == STATUS_SPACE);
    }
    fuzz_seen(count > 0 ? "bytes" : count == 0 ? "nothing" : status_word((status_t)count));
    free(out);
    return 0;
}
