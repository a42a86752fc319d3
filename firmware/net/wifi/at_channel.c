// SPDX-License-Identifier: MIT
#include "at_channel.h"

#include "at_reader.h"
#include "platform.h"
#include "wipe.h"

#include <string.h>

enum {
    BUSY_MS = 20, // between two tries while the module is busy
    SYNC_MS = 3000,
    QUIET_MS = 200,
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

static at_text_t s_command;
static bool s_stale;     // a command had no answer in time: it may still come
static uint32_t s_asked; // questions that wait for their answer, to be in sync again
static StaticSemaphore_t s_turn_block;
static SemaphoreHandle_t s_turn;

static void channel_take_turn(void)
{
    vTaskSuspendAll(); // two tasks may come first at once
    if (s_turn == NULL) {
        s_turn = xSemaphoreCreateMutexStatic(&s_turn_block);
    }
    (void)xTaskResumeAll();
    (void)xSemaphoreTake(s_turn, portMAX_DELAY);
}

// Nothing is to come any more.
static void channel_forget(void)
{
    s_stale = false;
    s_asked = 0;
}

status_t at_start(void)
{
    status_t status = STATUS_OK;
    channel_take_turn();
    if (!reader_runs()) {
        channel_forget();
        status = reader_start();
    }
    at_end();
    return status;
}

void at_stop(void)
{
    channel_take_turn();
    reader_stop();
    at_end();
}

// ---- a turn ------------------------------------------------------------------------------------

// Ticks that are left of `limit` since `begin`.
static TickType_t channel_left(TickType_t begin, TickType_t limit)
{
    TickType_t gone = xTaskGetTickCount() - begin;
    return gone < limit ? limit - gone : 0u;
}

// Sends bytes, and waits for what ends this piece of the dialogue; AT_NOTHING: it did not come.
static at_kind_t channel_exchange(const ending_t *ending, const void *bytes, size_t length,
                                  TickType_t ticks)
{
    reader_arm(ending->ends);
    platform_module_write(bytes, length);
    at_kind_t last = reader_wait(ticks);
    s_stale |= last == AT_NOTHING;
    return last;
}

static void channel_clear_answer(void)
{
    reader_answer()->length = 0;
    reader_answer()->received = 0;
}

static bool channel_was_in_sync(void)
{
    return at_answer("+CIPMUX:", 0) != NULL;
}

// One answer while we wait to be in sync: to one of our questions, or one that was late. Returns
// whether it was the former.
static bool channel_meets(at_kind_t last)
{
    bool ours = last == AT_OK && channel_was_in_sync();
    if ((ours || last == AT_BUSY) && s_asked > 0u) {
        s_asked--;
    }
    if (last == AT_BUSY) {
        vTaskDelay(at_ticks(BUSY_MS));
    }
    return ours;
}

// How long to wait for an answer while we wait to be in sync. Where the reader is amid something
// that may never come (its bytes were lost, the module has started anew), it would take the answer
// for that: then there must be time left to ask once more.
static TickType_t channel_patience(bool met, TickType_t left)
{
    if (met) {
        return at_ticks(QUIET_MS);
    }
    return reader_is_amid() ? left / 2u : left;
}

// After a command without an answer: asks for something that no other command answers, and waits
// for that, so that the answer of the one is not taken for the other's. Earlier questions that
// are not answered soon after it were lost.
static bool channel_sync(TickType_t begin, TickType_t limit)
{
    static const char s_ask[] = "AT+CIPMUX?\r\n";
    bool asked = false, met = false;
    while (s_stale && channel_left(begin, limit) > 0u) {
        bool again = !met && (!asked || s_asked == 0u);
        s_asked += again ? 1u : 0u;
        asked = true;
        channel_clear_answer();
        reader_allow(AT_SEND_BYTES); // data of a late answer are no lines of the module
        TickType_t ticks = channel_patience(met, channel_left(begin, limit));
        at_kind_t last = channel_exchange(&s_by_ok, s_ask, again ? sizeof s_ask - 1u : 0u, ticks);
        met |= channel_meets(last);
        if (last == AT_NOTHING && !met) {
            reader_drop();
            asked = false;
        }
        if (met && (s_asked == 0u || last == AT_NOTHING)) {
            channel_forget();
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
    TickType_t begin = xTaskGetTickCount(), limit = at_ticks(timeout_ms);
    at_kind_t last = AT_NOTHING;
    if (!reader_runs()) {
        return STATUS_ABSENT;
    }
    at_text_add(&s_command, "\r\n");
    if (s_command.unfit) {
        return STATUS_VALUE;
    }
    TickType_t sync = limit > at_ticks(SYNC_MS) ? limit : at_ticks(SYNC_MS);
    if (!channel_sync(begin, sync)) {
        return STATUS_TIMEOUT;
    }
    begin = xTaskGetTickCount();
    uint32_t starts = at_state().starts;
    for (;;) {
        channel_clear_answer();
        reader_allow((uint32_t)reader_answer()->room); // a late answer may have used it up
        last =
            channel_exchange(ending, s_command.text, s_command.length, channel_left(begin, limit));
        if (ending != &s_by_told && at_state().starts != starts) {
            return STATUS_CLOSED; // whatever it answered, it has forgotten what it was
        }
        if (last != AT_BUSY || channel_left(begin, limit) == 0u) {
            return channel_status(last, ending);
        }
        vTaskDelay(at_ticks(BUSY_MS));
    }
}

at_text_t *at_begin(const char *begin)
{
    channel_take_turn();
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
    channel_forget(); // whatever is still to come, it comes before the start
    reader_drop();
    status_t status = channel_command(&s_by_told, timeout_ms);
    uint32_t starts = reader_answer()->starts;
    if (status != STATUS_OK || at_state().starts != starts) {
        return status;
    }
    reader_arm(s_by_ready.ends);
    bool started = at_state().starts != starts; // between the two lines above
    at_kind_t last = reader_wait(started ? 0 : at_ticks(timeout_ms));
    return started || last == AT_READY ? STATUS_OK : STATUS_TIMEOUT;
}

// A command, and its echo, may hold a key.
void at_end(void)
{
    wipe(&s_command, sizeof s_command);
    wipe(reader_answer()->text, reader_answer()->length);
    channel_clear_answer();
    (void)xSemaphoreGive(s_turn);
}

int32_t at_receive(uint32_t link, void *bytes, size_t most, uint32_t timeout_ms)
{
    at_text_t *command = at_begin("AT+CIPRECVDATA=");
    at_text_add_number(command, link);
    at_text_add(command, ",");
    at_text_add_number(command, (uint32_t)most);
    at_answer_t *answer = reader_answer();
    answer->data = bytes;
    answer->room = most;
    reader_allow((uint32_t)most);
    status_t status = at_run(timeout_ms);
    int32_t received = (int32_t)answer->received;
    reader_allow(status == STATUS_TIMEOUT ? (uint32_t)most : 0u); // they may come late
    answer->room = 0;
    at_end();
    return status == STATUS_OK ? received : (int32_t)status;
}

// A prompt may still come, and the module would take commands for data: empty lines end that, and
// are nothing where it does not.
static void channel_fill(size_t length)
{
    while (length-- > 0u) {
        platform_module_write("\n", 1);
    }
}

status_t at_send(uint32_t link, const void *bytes, size_t length, uint32_t timeout_ms)
{
    at_text_t *command = at_begin("AT+CIPSEND=");
    at_text_add_number(command, link);
    at_text_add(command, ",");
    at_text_add_number(command, (uint32_t)length);
    status_t status = channel_command(&s_by_prompt, timeout_ms);
    if (status == STATUS_OK) {
        at_kind_t last = channel_exchange(&s_by_sent, bytes, length, at_ticks(timeout_ms));
        status = channel_status(last, &s_by_sent);
    } else if (status == STATUS_TIMEOUT) {
        channel_fill(length);
    }
    at_end();
    return status;
}

const char *at_answer(const char *prefix, size_t index)
{
    const at_answer_t *answer = reader_answer();
    size_t head = strlen(prefix);
    for (size_t at = 0; at < answer->length; at += strlen(answer->text + at) + 1u) {
        if (strncmp(answer->text + at, prefix, head) == 0 && index-- == 0u) {
            return answer->text + at + head;
        }
    }
    return NULL;
}
