// SPDX-License-Identifier: MIT
#include "sock_jobs.h"

#include "kernel_compat.h"
#include "lwip_task.h"
#include "pattern.h"
#include "platform.h"

#include <string.h>

enum { TURN_MS = 5 }; // how long an echo waits for bytes before it looks at its sending again

static uint32_t sock_least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t sock_left_ms(uint32_t deadline)
{
    return lwip_ticks_left(deadline) * (1000u / configTICK_RATE_HZ);
}

// The counter wraps every few minutes: whole milliseconds come from the tick, and only short times
// from the counter.
uint32_t sock_now_us(void)
{
    static uint32_t s_last, s_us, s_part;
    taskENTER_CRITICAL();
    uint32_t now = *(const volatile uint32_t *)PLATFORM_COUNTER_AT;
    uint32_t passed = now - s_last + s_part;
    s_last = now;
    s_us += passed / (PLATFORM_COUNTER_HZ / 1000000u);
    s_part = passed % (PLATFORM_COUNTER_HZ / 1000000u);
    uint32_t us = s_us;
    taskEXIT_CRITICAL();
    return us;
}

// ---- sending -----------------------------------------------------------------------------------

// Sends the next piece; below 0: over.
static int32_t sock_send_piece(sock_transfer_t *transfer, uint32_t timeout_ms)
{
    uint8_t piece[SOCK_CHUNK_BYTES];
    uint32_t count =
        sock_least(transfer->length - transfer->sent, sock_least(transfer->chunk, sizeof piece));
    const uint8_t *from = piece;
    if (transfer->bytes != NULL) {
        from = transfer->bytes + transfer->sent;
    } else {
        pattern_fill(transfer->seed, transfer->sent, piece, count);
    }
    int32_t taken = transfer->stack->send(transfer->handle, from, count, timeout_ms);
    transfer->sent += taken > 0 ? (uint32_t)taken : 0u;
    return taken;
}

int sock_job_send(void *argument)
{
    sock_transfer_t *transfer = argument;
    uint32_t began = sock_now_us();
    uint32_t deadline = lwip_deadline(transfer->timeout_ms);
    transfer->end = STATUS_OK;
    while (transfer->sent < transfer->length && transfer->end == STATUS_OK) {
        int32_t taken = sock_send_piece(transfer, sock_left_ms(deadline));
        transfer->end = taken > 0 ? STATUS_OK : taken == 0 ? STATUS_TIMEOUT : (status_t)taken;
    }
    transfer->took_us = sock_now_us() - began;
    return transfer->end;
}

// ---- receiving ---------------------------------------------------------------------------------

static void sock_note(sock_transfer_t *transfer, const uint8_t *bytes, uint32_t count)
{
    if (transfer->received < sizeof transfer->first) {
        uint32_t room = (uint32_t)sizeof transfer->first - transfer->received;
        memcpy(transfer->first + transfer->received, bytes, sock_least(count, room));
    }
    if (transfer->same == transfer->received) {
        transfer->same += (uint32_t)pattern_match(transfer->seed, transfer->received, bytes, count);
    }
    transfer->received += count;
}

static int32_t sock_receive_piece(sock_transfer_t *transfer, sha256_t *sha, uint32_t timeout_ms)
{
    uint8_t piece[SOCK_CHUNK_BYTES];
    uint32_t count = sock_least(transfer->length - transfer->received,
                                sock_least(transfer->chunk, sizeof piece));
    int32_t got = transfer->stack->receive(transfer->handle, piece, count, timeout_ms);
    if (got > 0) {
        sock_note(transfer, piece, (uint32_t)got);
        sha256_add(sha, piece, (size_t)got);
    }
    return got;
}

int sock_job_receive(void *argument)
{
    sock_transfer_t *transfer = argument;
    uint32_t began = sock_now_us();
    TickType_t first = xTaskGetTickCount();
    uint32_t deadline = lwip_deadline(transfer->timeout_ms);
    sha256_t sha;
    sha256_begin(&sha);
    transfer->end = STATUS_OK;
    while (transfer->received < transfer->length && transfer->end == STATUS_OK) {
        int32_t got = sock_receive_piece(transfer, &sha, sock_left_ms(deadline));
        transfer->end = got > 0 ? STATUS_OK : got == 0 ? STATUS_TIMEOUT : (status_t)got;
        if (got > 0 && transfer->once) {
            break;
        }
    }
    sha256_end(&sha, transfer->digest);
    transfer->took_ticks = xTaskGetTickCount() - first;
    transfer->took_us = sock_now_us() - began;
    return transfer->end;
}

// ---- both --------------------------------------------------------------------------------------

// One turn of an echo: what can be sent is sent, what has come is taken.
static status_t sock_echo_turn(sock_transfer_t *transfer, sha256_t *sha, uint32_t deadline)
{
    int32_t taken = transfer->sent < transfer->length ? sock_send_piece(transfer, 0) : 0;
    uint32_t wait_ms = taken > 0 ? 0u : sock_least(TURN_MS, sock_left_ms(deadline));
    int32_t got = taken < 0 ? taken : sock_receive_piece(transfer, sha, wait_ms);
    if (got < 0) {
        return (status_t)got;
    }
    bool over = got == 0 && taken == 0 && lwip_ticks_left(deadline) == 0u;
    return over ? STATUS_TIMEOUT : STATUS_OK;
}

int sock_job_echo(void *argument)
{
    sock_transfer_t *transfer = argument;
    uint32_t began = sock_now_us();
    uint32_t deadline = lwip_deadline(transfer->timeout_ms);
    sha256_t sha;
    sha256_begin(&sha);
    transfer->end = STATUS_OK;
    while (transfer->received < transfer->length && transfer->end == STATUS_OK) {
        transfer->end = sock_echo_turn(transfer, &sha, deadline);
    }
    sha256_end(&sha, transfer->digest);
    transfer->took_us = sock_now_us() - began;
    return transfer->end;
}
