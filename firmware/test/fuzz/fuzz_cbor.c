// SPDX-License-Identifier: MIT
// The reader of CBOR: what it takes for whole is counted again here, by recursion.
#include "fuzz.h"

#include "cbor.h"

enum { DEEPEST = 2000 };

// The bytes of the item at `at`; 0: not well formed, of no definite length, or too deep to tell.
static size_t item_bytes(const uint8_t *bytes, size_t length, size_t at, unsigned depth)
{
    if (at >= length || depth > DEEPEST) {
        return 0;
    }
    unsigned major = bytes[at] >> 5, info = bytes[at] & 31u;
    size_t more = info < 24u ? 0u : (size_t)1 << (info - 24u), end = at + 1u + more;
    if (info > 27u || end > length) {
        return 0;
    }
    uint64_t value = info;
    for (size_t i = 0; i < more; i++) {
        value = (i == 0u ? 0u : value << 8u) | bytes[at + 1u + i];
    }
    if (major == 2u || major == 3u) {
        return value <= length - end ? end + (size_t)value - at : 0u;
    }
    uint64_t held = major == 4u ? value : major == 5u ? 2u * value : major == 6u ? 1u : 0u;
    if ((major == 4u || major == 5u) && value > length) {
        return 0;
    }
    for (; held > 0u; held--) {
        size_t inner = item_bytes(bytes, length, end, depth + 1u);
        if (inner == 0u) {
            return 0;
        }
        end += inner;
    }
    return end - at;
}

static void check_item(const cbor_item_t *item, const uint8_t *bytes, size_t length)
{
    if (item->type == CBOR_BYTES || item->type == CBOR_TEXT) {
        FUZZ_CHECK(item->bytes >= bytes && item->value <= length);
        FUZZ_CHECK((size_t)(item->bytes - bytes) <= length - (size_t)item->value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    cbor_t reader = {bytes, length, 0};
    cbor_item_t item;
    uint32_t number = 0;
    bool whole = cbor_is_whole(bytes, length);
    if (length <= DEEPEST) {
        FUZZ_CHECK(whole == (length > 0u && item_bytes(bytes, length, 0, 0) == length));
    }
    fuzz_seen(whole ? "whole" : "refused");
    if (cbor_member(&reader, "p", &item)) {
        check_item(&item, bytes, length);
        fuzz_seen("member");
    }
    fuzz_seen(cbor_member_u32(&reader, "f", &number) ? "number" : "no number");
    FUZZ_CHECK(reader.at == 0u);
    while (cbor_next(&reader, &item)) {
        check_item(&item, bytes, length);
        FUZZ_CHECK(reader.at > 0u && reader.at <= length);
    }
    return 0;
}
