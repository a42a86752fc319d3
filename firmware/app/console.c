// SPDX-License-Identifier: MIT
#define COMMANDS_TABLE_DEFINE
#include "console.h"

#include "bench.h"
#include "commands_table.h"
#include "log.h"
#include "platform.h"
#include "tasks.h"
#include "writer.h"

#include <string.h>

enum { RING_BYTES = 2048, COMMAND_COUNT = sizeof s_commands / sizeof s_commands[0] };

// Filled by the receive interrupt only, emptied by the console task only.
static uint8_t s_ring[RING_BYTES];
static volatile uint32_t s_ring_in;
static volatile uint32_t s_ring_out;

// The line being received. `length` goes on counting behind the end: the line is refused then.
typedef struct {
    char text[LINE_MAX_BYTES + 1];
    size_t length;
} input_t;

static input_t s_input;
static reply_t s_reply;

const command_t *console_command(size_t index)
{
    return index < COMMAND_COUNT ? &s_commands[index] : NULL;
}

const command_t *console_find(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(s_commands[i].name, name) == 0) {
            return &s_commands[i];
        }
    }
    return NULL;
}

// ---- receiving ---------------------------------------------------------------------------------

// Interrupt. A byte that finds the ring full is lost; the frame's check value will tell.
static void console_on_byte(uint8_t byte)
{
    BaseType_t woken = pdFALSE;
    if (s_ring_in - s_ring_out < RING_BYTES) {
        s_ring[s_ring_in % RING_BYTES] = byte;
        s_ring_in++;
    }
    vTaskNotifyGiveFromISR(tasks_handle(TASK_CONSOLE), &woken);
    portYIELD_FROM_ISR(woken);
}

static uint8_t console_next_byte(void)
{
    while (s_ring_out == s_ring_in) {
        (void)ulTaskNotifyTake(pdTRUE, portMAX_DELAY);
    }
    uint8_t byte = s_ring[s_ring_out % RING_BYTES];
    s_ring_out++;
    return byte;
}

// Echo is for a person: a frame, which begins with `@`, is not echoed.
static void console_echo(const input_t *input, const char *text, size_t length)
{
    if (input->length == 0u || input->text[0] != '@') {
        writer_send(text, length);
    }
}

static void console_add_byte(input_t *input, char byte)
{
    bool erase = byte == '\b' || byte == 0x7F;
    bool typed = input->length == 0u || input->text[0] != '@';
    if (erase && typed) {
        if (input->length > 0u) {
            input->length--;
            writer_send("\b \b", 3);
        }
        return;
    }
    if (input->length < sizeof input->text - 1u) {
        input->text[input->length] = byte;
    }
    if (byte != '@' && byte >= ' ' && byte <= '~') {
        console_echo(input, &byte, 1);
    }
    input->length++;
}

// ---- answering ---------------------------------------------------------------------------------

static void console_send_badreq(status_t status)
{
    line_t line;
    writer_begin_event(&line, "badreq");
    line_add_text(&line, "code", status_word(status));
    writer_send_event(&line);
}

static void console_execute(const request_t *request)
{
    command_call_t call;
    const char *fault = "";
    reply_begin(&s_reply, request);
    const command_t *command = console_find(request->command);
    if (command == NULL) {
        reply_error(&s_reply, status_word(STATUS_UNKNOWN), request->command);
        return;
    }
    status_t status = command_bind(command, request, &call, &fault);
    if (status != STATUS_OK) {
        reply_error(&s_reply, status_word(status), fault);
        return;
    }
    command->handler(&call, &s_reply);
    reply_finish(&s_reply);
}

static void console_answer(request_t *request, status_t status)
{
    if (status == STATUS_CRC) {
        console_send_badreq(status);
    } else if (status != STATUS_OK) {
        reply_begin(&s_reply, request);
        reply_error(&s_reply, status_word(status), request->command);
    } else if (request->command[0] != '\0' && !reply_repeat(request)) {
        console_execute(request);
    }
}

static void console_end_line(input_t *input)
{
    request_t request;
    size_t length = input->length;
    if (length > 0u && input->text[0] != '@') {
        writer_send("\r\n", 2);
    }
    input->length = 0;
    if (length >= LINE_MAX_BYTES) {
        console_send_badreq(STATUS_LONG);
        return;
    }
    input->text[length] = '\0';
    console_answer(&request, request_parse(input->text, &request));
}

void console_task(void *unused)
{
    (void)unused;
    line_t line;
    platform_uart_receive_start(console_on_byte);
    writer_begin_event(&line, "ready");
    line_add_u32(&line, "uptime_ms", log_uptime_ms());
    line_add_u32(&line, "reset_us", *bench_counter() / (PLATFORM_COUNTER_HZ / 1000000u));
    writer_send_event(&line);
    for (;;) {
        char byte = (char)console_next_byte();
        if (byte == '\n') {
            console_end_line(&s_input);
        } else if (byte != '\r') {
            console_add_byte(&s_input, byte);
        }
    }
}
