// SPDX-License-Identifier: MIT
#include "at_channel.h"

#include "kernel_compat.h"
#include "net_task.h"
#include "platform.h"

#include <string.h>

enum {
    RING_BYTES = 4096,
    ANSWER_BYTES = 4096,
    READER_WORDS = 320,
    BUSY_MS = 20, // between two tries while the module is busy
    SYNC_MS = 3000,
};

#define ENDS(kind) (1u << (kind))

// How a piece of the dialogue ends: by any of `ends`, well by `good`.
typedef struct {
    uint32_t ends;
    at_kind_t good;
} ending_t;

static const ending_t s_by_ok = {ENDS(AT_OK) | ENDS(AT_ERROR) | ENDS(AT_BUSY) | ENDS(AT_READY),
                                 AT_OK};
// Of a restart: a "ready" before its OK is that of an earlier start.
static const ending_t s_by_told = {ENDS(AT_OK) | ENDS(AT_ERROR) | ENDS(AT_BUSY), AT_OK};
static const ending_t s_by_ready = {ENDS(AT_READY), AT_READY};
static const ending_t s_by_prompt = {
    ENDS(AT_PROMPT) | ENDS(AT_ERROR) | ENDS(AT_BUSY) | ENDS(AT_READY), AT_PROMPT};
static const ending_t s_by_sent = {
    ENDS(AT_SEND_OK) | ENDS(AT_SEND_FAIL) | ENDS(AT_ERROR) | ENDS(AT_READY), AT_SEND_OK};

// Filled by the receive interrupt only, emptied by the reader only.
static uint8_t s_ring[RING_BYTES] NET_UNINITIALISED;
static volatile uint32_t s_ring_in, s_ring_out, s_ring_lost;

// The answer to the command whose turn it is. While `ends` is not 0 it is the reader's, else the
// caller's; the reader runs above the caller, so that no change of it is seen by halves.
typedef struct {
    volatile uint32_t ends;
    at_kind_t last;  // what ended it
    uint32_t starts; // of the module, when it ended
    uint8_t *data;   // where bytes that were asked for go
    size_t room, received;
    size_t length;
    char text[ANSWER_BYTES]; // its lines, each with NUL; what does not fit is left out
} answer_t;

static answer_t s_answer NET_UNINITIALISED;
static at_parser_t s_parser;
static at_text_t s_command;
static at_state_t s_state;
static at_news_t s_news[AT_LINKS];
static bool s_stale; // a command had no answer in time: it may still come

static StackType_t s_stack[READER_WORDS] NET_UNINITIALISED;
static StaticTask_t s_block;
static StaticSemaphore_t s_turn_block, s_done_block, s_news_blocks[AT_LINKS];
static TaskHandle_t s_reader;
static SemaphoreHandle_t s_turn, s_done, s_news_signals[AT_LINKS];

// ---- reading -----------------------------------------------------------------------------------

// Interrupt.
static void channel_on_byte(uint8_t byte)
{
    BaseType_t woken = pdFALSE;
    if (s_ring_in - s_ring_out < RING_BYTES) {
        s_ring[s_ring_in % RING_BYTES] = byte;
        s_ring_in++;
    } else {
        s_ring_lost++;
    }
    vTaskNotifyGiveFromISR(s_reader, &woken);
    portYIELD_FROM_ISR(woken);
}

static void channel_tell(uint32_t link)
{
    (void)xSemaphoreGive(s_news_signals[link]);
}

static void channel_close_all(void)
{
    for (uint32_t link = 0; link < AT_LINKS; link++) {
        s_news[link] = (at_news_t){.closed = true};
        channel_tell(link);
    }
}

static void channel_keep_line(const at_item_t *item)
{
    if (s_answer.length + item->length + 1u <= sizeof s_answer.text) {
        memcpy(s_answer.text + s_answer.length, item->text, item->length);
        s_answer.length += item->length;
        s_answer.text[s_answer.length++] = '\0';
    }
}

static void channel_keep_data(const at_item_t *item)
{
    size_t left = s_answer.room - s_answer.received;
    size_t length = item->length < left ? item->length : left;
    memcpy(s_answer.data + s_answer.received, item->text, length);
    s_answer.received += length;
}

// What the module says by itself.
static void channel_note(const at_item_t *item)
{
    switch (item->kind) {
    case AT_READY:
        s_state.starts++;
        s_state.joined = s_state.has_address = false;
        channel_close_all();
        break;
    case AT_JOINED:
        s_state.joined = true;
        break;
    case AT_ADDRESS:
        s_state.has_address = true;
        break;
    case AT_LEFT:
        s_state.joined = s_state.has_address = false;
        break;
    case AT_CLOSED:
        s_news[item->link].closed = true;
        channel_tell(item->link);
        break;
    case AT_WAITING:
        s_news[item->link].waiting = true;
        channel_tell(item->link);
        break;
    default:
        break;
    }
}

static void channel_take(const at_item_t *item)
{
    channel_note(item);
    if (s_answer.ends == 0u) {
        return;
    }
    if (item->kind == AT_TEXT) {
        channel_keep_line(item);
    } else if (item->kind == AT_DATA) {
        channel_keep_data(item);
    } else if ((s_answer.ends & ENDS(item->kind)) != 0u) {
        s_answer.last = item->kind;
        s_answer.starts = s_state.starts;
        s_answer.ends = 0;
        (void)xSemaphoreGive(s_done);
    }
}

// The bytes from the oldest one to the end of the ring, or to the newest.
static size_t channel_piece(const uint8_t **bytes)
{
    uint32_t begin = s_ring_out % RING_BYTES;
    uint32_t count = s_ring_in - s_ring_out;
    *bytes = s_ring + begin;
    return count < RING_BYTES - begin ? count : RING_BYTES - begin;
}

static void channel_task(void *unused)
{
    (void)unused;
    for (;;) {
        const uint8_t *bytes = NULL;
        at_item_t item;
        size_t count = channel_piece(&bytes);
        if (count == 0u) {
            (void)ulTaskNotifyTake(pdTRUE, portMAX_DELAY);
            continue;
        }
        size_t taken = at_parser_feed(&s_parser, bytes, count, &item);
        if (item.kind != AT_NOTHING) {
            channel_take(&item);
        }
        s_ring_out += (uint32_t)taken;
    }
}

// ---- start and stop ----------------------------------------------------------------------------

static void channel_make_signals(void)
{
    if (s_turn != NULL) {
        return;
    }
    s_done = xSemaphoreCreateBinaryStatic(&s_done_block);
    for (uint32_t link = 0; link < AT_LINKS; link++) {
        s_news_signals[link] = xSemaphoreCreateBinaryStatic(&s_news_blocks[link]);
    }
    s_turn = xSemaphoreCreateMutexStatic(&s_turn_block);
}

status_t at_start(void)
{
    if (s_reader != NULL) {
        return STATUS_OK;
    }
    channel_make_signals();
    s_ring_in = s_ring_out = s_ring_lost = 0;
    s_answer.ends = 0;
    s_parser = (at_parser_t){0};
    s_state = (at_state_t){0};
    s_stale = false;
    channel_close_all();
    s_reader = xTaskCreateStatic(channel_task, "net.wifi", READER_WORDS, NULL, NET_WIFI_PRIORITY,
                                 s_stack, &s_block);
    status_t status = platform_module_start(channel_on_byte);
    if (status != STATUS_OK) {
        at_stop();
    }
    return status;
}

void at_stop(void)
{
    if (s_reader != NULL) {
        platform_module_stop();
        vTaskDelete(s_reader);
        s_reader = NULL;
        channel_close_all();
    }
}

// ---- a turn ------------------------------------------------------------------------------------

static TickType_t channel_ticks(uint32_t timeout_ms)
{
    return (TickType_t)((uint64_t)timeout_ms * configTICK_RATE_HZ / 1000u);
}

// Ticks that are left of `limit` since `begin`.
static TickType_t channel_left(TickType_t begin, TickType_t limit)
{
    TickType_t gone = xTaskGetTickCount() - begin;
    return gone < limit ? limit - gone : 0u;
}

static void channel_arm(const ending_t *ending)
{
    (void)xSemaphoreTake(s_done, 0);
    s_answer.last = AT_NOTHING;
    s_answer.ends = ending->ends;
}

// Sends bytes, and waits for what ends this piece of the dialogue; AT_NOTHING: it did not come.
static at_kind_t channel_exchange(const ending_t *ending, const void *bytes, size_t length,
                                  TickType_t ticks)
{
    channel_arm(ending);
    platform_module_write(bytes, length);
    if (xSemaphoreTake(s_done, ticks) != pdTRUE && s_answer.ends != 0u) {
        s_answer.ends = 0;
        at_parser_reset(&s_parser);
        s_stale = true;
    }
    return s_answer.last;
}

static void channel_clear_answer(void)
{
    s_answer.length = 0;
    s_answer.received = 0;
}

static bool channel_was_in_sync(void)
{
    return at_answer("+CIPMUX:", 0) != NULL;
}

// After a command without an answer: asks for something that no other command answers, and waits
// for that, so that the answer of the one is not taken for the other's.
static bool channel_sync(TickType_t begin, TickType_t limit)
{
    static const char s_ask[] = "AT+CIPMUX?\r\n";
    while (s_stale && channel_left(begin, limit) > 0u) {
        channel_clear_answer();
        TickType_t ticks = channel_left(begin, limit);
        at_kind_t last = channel_exchange(&s_by_ok, s_ask, sizeof s_ask - 1u, ticks);
        if (last == AT_OK && !channel_was_in_sync()) { // that was the late one: ours is to come
            last = channel_exchange(&s_by_ok, "", 0, channel_left(begin, limit));
        }
        s_stale = !(last == AT_OK && channel_was_in_sync());
        if (last != AT_NOTHING && s_stale) {
            vTaskDelay(channel_ticks(BUSY_MS));
        }
    }
    return !s_stale;
}

static status_t channel_status(at_kind_t last, const ending_t *ending)
{
    if (last == ending->good) {
        return STATUS_OK;
    }
    if (last == AT_READY) {
        return STATUS_CLOSED;
    }
    return last == AT_NOTHING || last == AT_BUSY ? STATUS_TIMEOUT : STATUS_REFUSED;
}

// The command that was built, again and again while the module is busy.
static status_t channel_command(const ending_t *ending, uint32_t timeout_ms)
{
    TickType_t begin = xTaskGetTickCount(), limit = channel_ticks(timeout_ms);
    at_kind_t last = AT_NOTHING;
    if (s_reader == NULL) {
        return STATUS_ABSENT;
    }
    at_text_add(&s_command, "\r\n");
    if (s_command.unfit) {
        return STATUS_VALUE;
    }
    TickType_t sync = limit > channel_ticks(SYNC_MS) ? limit : channel_ticks(SYNC_MS);
    if (!channel_sync(begin, sync)) {
        return STATUS_TIMEOUT;
    }
    begin = xTaskGetTickCount();
    for (;;) {
        channel_clear_answer();
        last =
            channel_exchange(ending, s_command.text, s_command.length, channel_left(begin, limit));
        if (last != AT_BUSY || channel_left(begin, limit) == 0u) {
            return channel_status(last, ending);
        }
        vTaskDelay(channel_ticks(BUSY_MS));
    }
}

at_text_t *at_begin(const char *begin)
{
    channel_make_signals();
    (void)xSemaphoreTake(s_turn, portMAX_DELAY);
    at_text_begin(&s_command, begin);
    channel_clear_answer();
    return &s_command;
}

status_t at_run(uint32_t timeout_ms)
{
    return channel_command(&s_by_ok, timeout_ms);
}

status_t at_run_restart(uint32_t timeout_ms)
{
    s_stale = false; // whatever is still to come, it comes before the start
    status_t status = channel_command(&s_by_told, timeout_ms);
    if (status == STATUS_OK && s_state.starts == s_answer.starts) {
        channel_arm(&s_by_ready);
        if (s_state.starts != s_answer.starts) { // between the two lines above
            s_answer.ends = 0;
        } else if (xSemaphoreTake(s_done, channel_ticks(timeout_ms)) != pdTRUE) {
            s_answer.ends = 0;
            status = s_answer.last == AT_READY ? STATUS_OK : STATUS_TIMEOUT;
        }
    }
    return status;
}

void at_end(void)
{
    (void)xSemaphoreGive(s_turn);
}

int32_t at_receive(uint32_t link, void *bytes, size_t most, uint32_t timeout_ms)
{
    at_text_t *command = at_begin("AT+CIPRECVDATA=");
    at_text_add_number(command, link);
    at_text_add(command, ",");
    at_text_add_number(command, (uint32_t)most);
    s_answer.data = bytes;
    s_answer.room = most;
    at_parser_allow(&s_parser, (uint32_t)most);
    status_t status = at_run(timeout_ms);
    int32_t received = (int32_t)s_answer.received;
    at_parser_allow(&s_parser, 0);
    s_answer.room = 0;
    at_end();
    return status == STATUS_OK ? received : (int32_t)status;
}

status_t at_send(uint32_t link, const void *bytes, size_t length, uint32_t timeout_ms)
{
    at_text_t *command = at_begin("AT+CIPSEND=");
    at_text_add_number(command, link);
    at_text_add(command, ",");
    at_text_add_number(command, (uint32_t)length);
    status_t status = channel_command(&s_by_prompt, timeout_ms);
    if (status == STATUS_OK) {
        at_kind_t last = channel_exchange(&s_by_sent, bytes, length, channel_ticks(timeout_ms));
        status = channel_status(last, &s_by_sent);
    }
    at_end();
    return status;
}

const char *at_answer(const char *prefix, size_t index)
{
    size_t head = strlen(prefix);
    for (size_t at = 0; at < s_answer.length; at += strlen(s_answer.text + at) + 1u) {
        if (strncmp(s_answer.text + at, prefix, head) == 0 && index-- == 0u) {
            return s_answer.text + at + head;
        }
    }
    return NULL;
}

// ---- news --------------------------------------------------------------------------------------

at_state_t at_state(void)
{
    at_state_t state = s_state;
    state.garbage = s_parser.garbage;
    state.lost = s_ring_lost;
    return state;
}

at_news_t at_news(uint32_t link)
{
    return s_news[link];
}

void at_forget_news(uint32_t link)
{
    s_news[link] = (at_news_t){0};
    (void)xSemaphoreTake(s_news_signals[link], 0);
}

void at_set_waiting(uint32_t link, bool waiting)
{
    s_news[link].waiting = waiting;
}

bool at_wait_news(uint32_t link, uint32_t timeout_ms)
{
    return xSemaphoreTake(s_news_signals[link], channel_ticks(timeout_ms)) == pdTRUE;
}
