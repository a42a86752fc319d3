// SPDX-License-Identifier: MIT
#include "at_reader.h"

#include "net_task.h"
#include "platform.h"

#include <string.h>

enum { RING_BYTES = 4096, READER_WORDS = 320 };

// Filled by the receive interrupt only, emptied by the reader only.
static uint8_t s_ring[RING_BYTES] NET_UNINITIALISED;
static volatile uint32_t s_ring_in, s_ring_out, s_ring_lost;

static at_answer_t s_answer NET_UNINITIALISED;
static at_parser_t s_parser;
static at_state_t s_state;
static at_news_t s_news[AT_LINKS];

static StackType_t s_stack[READER_WORDS] NET_UNINITIALISED;
static StaticTask_t s_block;
static StaticSemaphore_t s_done_block, s_news_blocks[AT_LINKS];
static TaskHandle_t s_reader;
static SemaphoreHandle_t s_done, s_news_signals[AT_LINKS];

// ---- reading -----------------------------------------------------------------------------------

// Interrupt.
static void reader_on_byte(uint8_t byte)
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

static void reader_tell(uint32_t link)
{
    (void)xSemaphoreGive(s_news_signals[link]);
}

static void reader_close_all(void)
{
    for (uint32_t link = 0; link < AT_LINKS; link++) {
        s_news[link] = (at_news_t){.closed = true};
        reader_tell(link);
    }
}

static void reader_keep_line(const at_item_t *item)
{
    if (s_answer.length + item->length + 1u <= sizeof s_answer.text) {
        memcpy(s_answer.text + s_answer.length, item->text, item->length);
        s_answer.length += item->length;
        s_answer.text[s_answer.length++] = '\0';
    }
}

static void reader_keep_data(const at_item_t *item)
{
    size_t left = s_answer.room - s_answer.received;
    size_t length = item->length < left ? item->length : left;
    memcpy(s_answer.data + s_answer.received, item->text, length);
    s_answer.received += length;
}

// What the module says by itself.
static void reader_note(const at_item_t *item)
{
    switch (item->kind) {
    case AT_READY:
        s_state.starts++;
        s_state.joined = s_state.has_address = false;
        reader_close_all();
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
        reader_tell(item->link);
        break;
    case AT_WAITING:
        s_news[item->link].waiting = true;
        reader_tell(item->link);
        break;
    default:
        break;
    }
}

static void reader_take(const at_item_t *item)
{
    reader_note(item);
    if (s_answer.ends == 0u) {
        return;
    }
    if (item->kind == AT_TEXT) {
        reader_keep_line(item);
    } else if (item->kind == AT_DATA) {
        reader_keep_data(item);
    } else if ((s_answer.ends & (1u << item->kind)) != 0u) {
        s_answer.last = item->kind;
        s_answer.starts = s_state.starts;
        s_answer.ends = 0;
        (void)xSemaphoreGive(s_done);
    }
}

// The bytes from the oldest one to the end of the ring, or to the newest.
static size_t reader_piece(const uint8_t **bytes)
{
    uint32_t begin = s_ring_out % RING_BYTES;
    uint32_t count = s_ring_in - s_ring_out;
    *bytes = s_ring + begin;
    return count < RING_BYTES - begin ? count : RING_BYTES - begin;
}

static void reader_task(void *unused)
{
    (void)unused;
    for (;;) {
        const uint8_t *bytes = NULL;
        at_item_t item;
        size_t count = reader_piece(&bytes);
        if (count == 0u) {
            (void)ulTaskNotifyTake(pdTRUE, portMAX_DELAY);
            continue;
        }
        size_t taken = at_parser_feed(&s_parser, bytes, count, &item);
        if (item.kind != AT_NOTHING) {
            reader_take(&item);
        }
        s_ring_out += (uint32_t)taken;
    }
}

static const net_task_t s_facts = {.name = "net.wifi",
                                   .entry = reader_task,
                                   .priority = NET_WIFI_PRIORITY,
                                   .stack = s_stack,
                                   .stack_words = READER_WORDS,
                                   .block = &s_block};

// ---- start and stop ----------------------------------------------------------------------------

static void reader_make_signals(void)
{
    if (s_done == NULL) {
        s_done = xSemaphoreCreateBinaryStatic(&s_done_block);
        for (uint32_t link = 0; link < AT_LINKS; link++) {
            s_news_signals[link] = xSemaphoreCreateBinaryStatic(&s_news_blocks[link]);
        }
    }
}

status_t reader_start(void)
{
    reader_make_signals();
    s_ring_in = s_ring_out = s_ring_lost = 0;
    s_answer.ends = 0;
    s_answer.room = s_answer.length = 0;
    s_parser = (at_parser_t){0};
    s_state = (at_state_t){0};
    reader_close_all();
    s_reader = net_task_make(&s_facts, NULL);
    status_t status = platform_module_start(reader_on_byte);
    if (status != STATUS_OK) {
        reader_stop();
    }
    return status;
}

void reader_stop(void)
{
    if (s_reader != NULL) {
        platform_module_stop();
        net_task_end(s_reader);
        s_reader = NULL;
        s_state.joined = s_state.has_address = false;
        reader_close_all();
    }
}

bool reader_runs(void)
{
    return s_reader != NULL;
}

// ---- the answer --------------------------------------------------------------------------------

at_answer_t *reader_answer(void)
{
    return &s_answer;
}

void reader_arm(uint32_t ends)
{
    (void)xSemaphoreTake(s_done, 0);
    s_answer.last = AT_NOTHING;
    s_answer.ends = ends;
}

at_kind_t reader_wait(TickType_t ticks)
{
    if (xSemaphoreTake(s_done, ticks) != pdTRUE) {
        s_answer.ends = 0;
    }
    return s_answer.last;
}

bool reader_is_amid(void)
{
    return s_parser.missing > 0u || s_parser.length > 0u;
}

void reader_drop(void)
{
    vTaskSuspendAll(); // the reader must not see half of it
    at_parser_reset(&s_parser);
    (void)xTaskResumeAll();
}

void reader_allow(uint32_t most)
{
    at_parser_allow(&s_parser, most);
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
    return xSemaphoreTake(s_news_signals[link], at_ticks(timeout_ms)) == pdTRUE;
}
