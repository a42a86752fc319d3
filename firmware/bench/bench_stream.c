// SPDX-License-Identifier: MIT
// Stream and message buffers: send and receive without a switch, and a higher task that waits for
// bytes. What comes out must be what went in, whole, and the buffer empty afterwards.
#include "bench.h"
#include "bench_helpers.h"
#include "bench_rows.h"

#if KERNEL_HAS_STREAM_BUFFERS

    #include <string.h>

// A multiple of every size sent: no stream sample is cut in two by the buffer's end.
enum { BUFFER_BYTES = 128, BYTES_MAX = 64, TRIGGER = 16 };

static uint8_t s_out[BYTES_MAX];
static uint8_t s_in[BYTES_MAX];
static uint8_t s_storage[BUFFER_BYTES + 1];
static StaticStreamBuffer_t s_memory;
static StreamBufferHandle_t s_stream;

bool bench_takes_stream(int32_t arg)
{
    return arg == 1 || arg == BYTES_MAX;
}

// Different from sample to sample in every byte.
static void stream_make(uint32_t index)
{
    for (size_t i = 0; i < BYTES_MAX; i++) {
        s_out[i] = (uint8_t)(index * 41u + i * 13u + 3u);
        s_in[i] = s_out[i] ^ 0xFFu;
    }
}

static bool stream_came(size_t got, size_t bytes)
{
    return got == bytes && memcmp(s_in, s_out, bytes) == 0;
}

// ---- stream buffers, no switch -----------------------------------------------------------------

// Ready for sample `index`: empty, and filled from its first byte on.
static StreamBufferHandle_t stream_renew(uint32_t index)
{
    stream_make(index);
    return xStreamBufferCreateStatic(BUFFER_BYTES, 1, s_storage, &s_memory);
}

const char *bench_run_stream_send(uint32_t n, int32_t arg)
{
    size_t bytes = (size_t)arg;
    size_t sent = 0;
    StreamBufferHandle_t stream = NULL;
    BENCH_LOOP(n, stream = stream_renew(i), sent = xStreamBufferSend(stream, s_out, bytes, 0),
               sent == bytes && xStreamBufferBytesAvailable(stream) == bytes &&
                   stream_came(xStreamBufferReceive(stream, s_in, BYTES_MAX, 0), bytes) &&
                   xStreamBufferIsEmpty(stream) != pdFALSE,
               "the bytes sent did not come out");
    return NULL;
}

static StreamBufferHandle_t stream_fill(uint32_t index, size_t bytes)
{
    StreamBufferHandle_t stream = stream_renew(index);
    (void)xStreamBufferSend(stream, s_out, bytes, 0);
    return stream;
}

const char *bench_run_stream_recv(uint32_t n, int32_t arg)
{
    size_t bytes = (size_t)arg;
    size_t got = 0;
    StreamBufferHandle_t stream = NULL;
    BENCH_LOOP(n, stream = stream_fill(i, bytes),
               got = xStreamBufferReceive(stream, s_in, bytes, 0),
               stream_came(got, bytes) && xStreamBufferIsEmpty(stream) != pdFALSE,
               "the bytes received are not those sent");
    return NULL;
}

// ---- stream buffers, a higher task waits -------------------------------------------------------

static volatile uint32_t s_woken; // samples in which what was expected came
static size_t s_expected;

static void stream_receiver(void *unused)
{
    (void)unused;
    size_t got = 0;
    StreamBufferHandle_t stream = s_stream;
    BENCH_WOKEN(BENCH_FOR_EVER, got = xStreamBufferReceive(stream, s_in, BYTES_MAX, portMAX_DELAY),
                stream_came(got, s_expected), s_woken);
}

static void stream_wait(size_t trigger, size_t expected)
{
    s_stream = xStreamBufferCreateStatic(BUFFER_BYTES, trigger, s_storage, &s_memory);
    s_expected = expected;
    s_woken = 0;
    (void)bench_helper_start(stream_receiver, BENCH_HELPER_ABOVE);
}

const char *bench_run_stream_switch(uint32_t n, int32_t arg)
{
    size_t bytes = (size_t)arg;
    size_t sent = 0;
    stream_wait(1, bytes);
    StreamBufferHandle_t stream = s_stream;
    BENCH_WAKE(n, stream_make(i), sent = xStreamBufferSend(stream, s_out, bytes, 0),
               sent == bytes && s_woken == i + 1u && xStreamBufferIsEmpty(stream) != pdFALSE,
               "the receiver did not get the bytes before the call returned");
    return NULL;
}

bool bench_takes_trigger(int32_t arg)
{
    return arg == TRIGGER;
}

// All but the last byte, which must not wake the receiver.
static bool stream_fill_to_trigger(uint32_t index, size_t trigger)
{
    stream_make(index);
    size_t sent = xStreamBufferSend(s_stream, s_out, trigger - 1u, 0);
    return sent == trigger - 1u && s_woken == index;
}

const char *bench_run_stream_trigger(uint32_t n, int32_t arg)
{
    size_t trigger = (size_t)arg;
    const uint8_t *last = &s_out[trigger - 1u];
    stream_wait(trigger, trigger);
    StreamBufferHandle_t stream = s_stream;
    BENCH_WAKE(n, bool waits = stream_fill_to_trigger(i, trigger),
               (void)xStreamBufferSend(stream, last, 1, 0),
               waits && s_woken == i + 1u && xStreamBufferIsEmpty(stream) != pdFALSE,
               "the receiver ran before the trigger level, or not as soon as it was reached");
    return NULL;
}

// ---- message buffers ---------------------------------------------------------------------------

    #if KERNEL_HAS_MESSAGE_BUFFERS

bool bench_takes_framed(int32_t arg)
{
    return arg == 16 || arg == BYTES_MAX;
}

static MessageBufferHandle_t message_renew(uint32_t index)
{
    stream_make(index);
    return xMessageBufferCreateStatic(BUFFER_BYTES, s_storage, &s_memory);
}

// The message is one, and comes whole: a receiver with too little room gets nothing of it.
static bool message_comes(MessageBufferHandle_t messages, size_t bytes)
{
    bool kept = xMessageBufferReceive(messages, s_in, bytes - 1u, 0) == 0u;
    return kept && stream_came(xMessageBufferReceive(messages, s_in, BYTES_MAX, 0), bytes) &&
           xMessageBufferIsEmpty(messages) != pdFALSE;
}

const char *bench_run_message_send(uint32_t n, int32_t arg)
{
    size_t bytes = (size_t)arg;
    size_t sent = 0;
    MessageBufferHandle_t messages = NULL;
    BENCH_LOOP(n, messages = message_renew(i), sent = xMessageBufferSend(messages, s_out, bytes, 0),
               sent == bytes && message_comes(messages, bytes),
               "the message sent did not come out whole");
    return NULL;
}

static MessageBufferHandle_t message_fill(uint32_t index, size_t bytes)
{
    MessageBufferHandle_t messages = message_renew(index);
    (void)xMessageBufferSend(messages, s_out, bytes, 0);
    return messages;
}

const char *bench_run_message_recv(uint32_t n, int32_t arg)
{
    size_t bytes = (size_t)arg;
    size_t got = 0;
    MessageBufferHandle_t messages = NULL;
    BENCH_LOOP(n, messages = message_fill(i, bytes),
               got = xMessageBufferReceive(messages, s_in, BYTES_MAX, 0),
               stream_came(got, bytes) && xMessageBufferIsEmpty(messages) != pdFALSE,
               "the message received is not the one sent");
    return NULL;
}

    #endif
#endif
