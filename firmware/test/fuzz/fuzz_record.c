// SPDX-License-Identifier: MIT
// What flash gives for the agent's record: one that is taken agrees with itself, and the download
// that goes on from it asks for every block that is missing, and for nothing else.
#include "fuzz.h"

#include "ota_record.h"

static uint32_t ask_once(ota_blocks_t *blocks, uint32_t most)
{
    static ota_window_t s_window;
    ota_blocks_missing(blocks, most, &s_window);
    FUZZ_CHECK(s_window.count <= most && s_window.bytes <= sizeof s_window.bitmap);
    uint32_t put = 0;
    for (uint32_t bit = 0; bit < 8u * s_window.bytes; bit++) {
        if ((s_window.bitmap[bit / 8u] >> bit % 8u & 1) != 0) {
            FUZZ_CHECK(ota_blocks_put(blocks, s_window.offset + bit) == 1);
            put++;
        }
    }
    FUZZ_CHECK(put == s_window.count);
    return put;
}

static void check_blocks(ota_blocks_t *blocks)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < blocks->total; i++) {
        uint32_t length = ota_blocks_length(blocks, i);
        FUZZ_CHECK(length > 0u && length <= blocks->block_bytes);
        bytes += length;
    }
    FUZZ_CHECK(bytes == blocks->file_bytes);
    FUZZ_CHECK(ota_blocks_length(blocks, blocks->total) == 0u);
    uint32_t got = blocks->got;
    fuzz_seen(ota_blocks_are_all(blocks) ? "all blocks" : "some blocks");
    for (uint32_t put; (put = ask_once(blocks, OTA_REQUEST_BLOCKS_MOST)) > 0u;) {
        got += put;
    }
    FUZZ_CHECK(got == blocks->total && ota_blocks_are_all(blocks));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static ota_record_t s_record;
    memset(&s_record, 0xA5, sizeof s_record);
    bool good = ota_record_read(&s_record, bytes, length);
    FUZZ_CHECK(!good || length == sizeof s_record);
    FUZZ_CHECK(good || s_record.kept == (uint32_t)OTA_KEPT_NONE);
    fuzz_seen(good ? "good" : "refused");
    if (good) {
        FUZZ_CHECK(fuzz_ends(s_record.job, sizeof s_record.job));
        check_blocks(&s_record.blocks);
    }
    return 0;
}
