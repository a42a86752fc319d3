// SPDX-License-Identifier: MIT
// Queue primitives.
#include "bench.h"
#include "bench_rows.h"
#include "kernel_compat.h"

enum { LENGTH = 4 };

static QueueHandle_t s_queue;
static volatile uint32_t s_received; // messages that came in order and whole
static volatile uint32_t s_ended;    // samples the peer ended

// What message `index` carries: every bit of the word takes part.
static uint32_t queue_pattern(uint32_t index)
{
    return index * 0x9E3779B9u + 0x7F4A7C15u;
}

static void queue_create(void)
{
    static StaticQueue_t s_memory;
    static uint8_t s_storage[LENGTH * sizeof(uint32_t)];
    s_queue = xQueueCreateStatic(LENGTH, sizeof(uint32_t), s_storage, &s_memory);
    s_received = 0;
    s_ended = 0;
}

// Started before run: makes the queue and waits at it. Ends every sample.
void bench_peer_queue_switch(uint32_t n)
{
    const volatile uint32_t *counter = bench_counter();
    volatile bench_probe_t *probe = bench_probe();
    queue_create();
    for (uint32_t i = 0; i <= n; i++) {
        uint32_t message = 0;
        BaseType_t got = xQueueReceive(s_queue, &message, portMAX_DELAY);
        BENCH_END(counter, probe);
        s_received += got == pdPASS && message == queue_pattern(i) ? 1u : 0u;
        s_ended++;
    }
}

// The receiver is above the sender: it must have run before xQueueSend returns, once per message.
const char *bench_run_queue_switch(uint32_t n, int32_t arg)
{
    (void)arg;
    const volatile uint32_t *counter = bench_counter();
    volatile bench_probe_t *probe = bench_probe();
    for (uint32_t i = 0; i <= n; i++) {
        uint32_t message = queue_pattern(i);
        BENCH_BEGIN(counter, probe);
        BaseType_t sent = xQueueSend(s_queue, &message, 0);
        if (sent != pdPASS || s_ended != i + 1u) {
            return "the receiver did not run before xQueueSend returned";
        }
        bench_keep(i);
    }
    return s_received == n + 1u ? NULL : "a message came changed or out of order";
}

// ---- a sender that blocks ----------------------------------------------------------------------

// Started before run: fills the queue and blocks. Ends every sample, by a send that went through.
void bench_peer_blocked_sender(uint32_t n)
{
    uint32_t message = 0;
    BaseType_t sent = pdFAIL;
    queue_create();
    QueueHandle_t queue = s_queue;
    BENCH_WOKEN(n + LENGTH, message = queue_pattern(i);
                sent = xQueueSend(queue, &message, portMAX_DELAY), sent == pdPASS, s_ended);
}

static bool queue_gives(uint32_t index)
{
    uint32_t message = 0;
    return xQueueReceive(s_queue, &message, 0) == pdPASS && message == queue_pattern(index);
}

static bool queue_is_drained_in_order(uint32_t first)
{
    bool good = true;
    for (uint32_t i = 0; i < LENGTH; i++) {
        good = queue_gives(first + i) && good;
    }
    return good && uxQueueMessagesWaiting(s_queue) == 0u;
}

// The sender is above the receiver: its message must be in the queue, which is full again, before
// xQueueReceive returns the one that was sent first.
const char *bench_run_blocked_sender(uint32_t n, int32_t arg)
{
    (void)arg;
    uint32_t message = 0;
    BaseType_t got = pdFAIL;
    QueueHandle_t queue = s_queue;
    BENCH_WAKE(n, bool full = s_ended == LENGTH + i && uxQueueSpacesAvailable(queue) == 0u,
               got = xQueueReceive(queue, &message, 0),
               full && got == pdPASS && message == queue_pattern(i) && s_ended == LENGTH + i + 1u &&
                   uxQueueSpacesAvailable(queue) == 0u,
               "the blocked sender did not run before xQueueReceive returned, or a message came "
               "changed or out of order");
    return queue_is_drained_in_order(n + 1u) ? NULL : "a message came changed or out of order";
}
