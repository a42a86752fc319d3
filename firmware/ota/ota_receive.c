// SPDX-License-Identifier: MIT
// Blocks of net.ota: asked for, fetched, looked at, written to the slot and noted in the bitmap.
#include "ota_context.h"
#include "ota_http.h"
#include "ota_slot.h"

enum {
    SAVE_BLOCKS = 16,   // a loss of power costs at most so many
    REPORT_BLOCKS = 64, // between two reports of progress
    SOON_MS = 500,      // before a server is asked again that went away
    SERVER_FAULT = 500, // this HTTP code and those above may pass
};

static uint32_t receive_most(void)
{
    const ota_settings_t *settings = ota_task_settings();
    uint32_t most = OTA_REQUEST_BYTES_MOST / g_ota.record.blocks.block_bytes;
    return settings->request_blocks < most ? settings->request_blocks : most;
}

static status_t receive_ask(const ota_window_t *window)
{
    ota_request_t request = {
        .file = g_ota.job.file,
        .block_bytes = g_ota.record.blocks.block_bytes,
        .window = window,
    };
    return ota_cloud_request(g_ota.job.stream, ota_task_settings()->cbor ? OTA_CBOR : OTA_JSON,
                             &request);
}

ota_event_t ota_receive_request(void)
{
    static ota_window_t s_window;
    ota_blocks_missing(&g_ota.record.blocks, receive_most(), &s_window);
    if (s_window.count == 0u) {
        return OTA_ON_COMPLETE;
    }
    g_ota.window_left = s_window.count;
    g_ota.status.requests++;
    g_ota.fetches = g_ota.job.protocol == OTA_OVER_HTTP;
    if (!g_ota.fetches) {
        (void)receive_ask(&s_window); // what is not sent is not answered
    }
    ota_wait(ota_task_settings()->wait_ms);
    return OTA_EVENTS;
}

// ---- blocks ------------------------------------------------------------------------------------

static void receive_note(uint32_t index)
{
    ota_blocks_t *blocks = &g_ota.record.blocks;
    (void)ota_blocks_put(blocks, index);
    g_ota.status.got = blocks->got;
    g_ota.window_left -= g_ota.window_left > 0u ? 1u : 0u;
    g_ota.unanswered = 0;
    ota_wait(ota_task_settings()->wait_ms);
    if (++g_ota.unsaved >= SAVE_BLOCKS && !ota_blocks_are_all(blocks)) {
        (void)ota_save_record();
    }
    if (blocks->got % REPORT_BLOCKS == 0u && !ota_blocks_are_all(blocks)) {
        ota_report_t report = {
            .kind = OTA_REPORT_RECEIVE, .got = blocks->got, .total = blocks->total};
        uint16_t packet;
        (void)ota_cloud_report(g_ota.job.id, &report, g_ota.token, 0, &packet);
    }
}

// A block that is not what was asked for is let go: it will be asked for again. Returns whether
// flash took it.
static bool receive_block(const ota_block_t *block, uint32_t *words)
{
    uint32_t length = ota_blocks_length(&g_ota.record.blocks, block->index);
    if (block->file != g_ota.job.file || length == 0u || block->length != length) {
        g_ota.status.bad++;
        return true;
    }
    if (ota_blocks_has(&g_ota.record.blocks, block->index)) {
        g_ota.status.duplicates++;
        return true;
    }
    status_t status = ota_slot_write(g_ota.record.slot,
                                     block->index * g_ota.record.blocks.block_bytes, words, length);
    if (status != STATUS_OK) {
        ota_note_error(OTA_ERROR_FLASH, (uint32_t)-status);
        return false;
    }
    receive_note(block->index);
    return true;
}

static void receive_is_done(bool good)
{
    if (!good) {
        ota_happens(OTA_ON_FAILED);
    } else if (ota_blocks_are_all(&g_ota.record.blocks)) {
        ota_happens(OTA_ON_COMPLETE);
    } else if (g_ota.window_left == 0u) {
        ota_happens(OTA_ON_WINDOW);
    }
}

// ---- HTTP --------------------------------------------------------------------------------------

// The blocks from the first that is missing up to the next that is not.
static uint32_t receive_run(uint32_t *first)
{
    static ota_window_t s_window;
    ota_blocks_missing(&g_ota.record.blocks, receive_most(), &s_window);
    uint32_t count = 0;
    while (count < s_window.count &&
           ((uint32_t)s_window.bitmap[count / 8u] >> count % 8u & 1u) != 0u) {
        count++;
    }
    *first = s_window.offset;
    return count;
}

static bool receive_range(uint32_t first, uint32_t count)
{
    uint32_t block_bytes = g_ota.record.blocks.block_bytes;
    bool good = true;
    for (uint32_t i = 0; i < count && good; i++) {
        ota_block_t block = {g_ota.job.file, first + i,
                             ota_blocks_length(&g_ota.record.blocks, first + i)};
        good = receive_block(&block, ota_cloud_arena() + i * block_bytes / 4u);
    }
    g_ota.window_left = 0;
    return good;
}

// Whether another attempt may help; if not, the job fails.
static bool receive_may_pass(status_t status, uint32_t code)
{
    bool refused = status == STATUS_REFUSED && code != 0u && code < SERVER_FAULT;
    return !refused && status != STATUS_VALUE;
}

static void receive_fetch(void)
{
    uint32_t first, code;
    uint32_t count = receive_run(&first);
    uint32_t block_bytes = g_ota.record.blocks.block_bytes;
    uint32_t length =
        (count - 1u) * block_bytes + ota_blocks_length(&g_ota.record.blocks, first + count - 1u);
    g_ota.fetches = false;
    status_t status =
        ota_http_fetch(g_ota.job.url, first * block_bytes, length, (uint8_t *)ota_cloud_arena(),
                       &code, ota_task_settings()->wait_ms);
    if (status == STATUS_OK) {
        receive_is_done(receive_range(first, count));
    } else if (receive_may_pass(status, code)) {
        ota_wait(SOON_MS);
    } else {
        ota_note_error(OTA_ERROR_HTTP, code);
        ota_happens(OTA_ON_FAILED);
    }
}

void ota_receive_turn(void)
{
    ota_block_t block;
    uint32_t *words;
    if (g_ota.status.state == OTA_RECEIVING && g_ota.fetches) {
        receive_fetch();
    }
    while (g_ota.status.state == OTA_RECEIVING && g_ota.job.protocol == OTA_OVER_MQTT &&
           ota_cloud_block(&block, &words)) {
        bool good = receive_block(&block, words);
        ota_cloud_drop_block();
        receive_is_done(good);
    }
}
