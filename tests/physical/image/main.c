// SPDX-License-Identifier: MIT
// A bare-metal firmware for a micro:bit that speaks the console commands: grammar, replies, command
// table and system commands are the firmware's; kernel, crash record and benchmarks are not there.
#define COMMANDS_TABLE_DEFINE
#include "commands_table.h"
#include "console.h"
#include "crash.h"
#include "identity.h"
#include "log.h"
#include "noise.h"
#include "platform.h"
#include "sha256.h"
#include "wire.h"
#include "writer.h"

#include <string.h>

#define WORD(address) (*(volatile uint32_t *)(address))
#define AIRCR         WORD(0xE000ED0C)
#define CPUID         WORD(0xE000ED00)
#define FICR_DEVICEID ((volatile uint32_t *)0x10000060)
#define SYSTICK       ((volatile uint32_t *)0xE000E010)
#define TIMER0        ((volatile uint32_t *)0x40008000)

enum { START = 0x000 / 4, CAPTURE0 = 0x040 / 4, BITMODE = 0x508 / 4, PRESCALER = 0x510 / 4 };
enum { CC0 = 0x540 / 4, COMMAND_COUNT = sizeof s_commands / sizeof s_commands[0] };
enum { KEPT_MAGIC = 0x6B657074 };

extern uint8_t __data_start[], __data_end[], __data_load[], __bss_start[], __bss_end[];
extern uint8_t __image_start[], __image_end[], __handler_stack_end[];

void Reset_Handler(void);
void SysTick_Handler(void);
int main(void);

// The fault handler is two branches to themselves right behind the vectors, so that also a chip
// that was programmed in part, from its start, spins and does not lock up.
__attribute__((section(".vectors"), used)) static const void *const s_vectors[17] = {
    [0] = __handler_stack_end,
    [1] = (const void *)Reset_Handler,
    [2] = (const void *)0x41,
    [3] = (const void *)0x41,
    [15] = (const void *)SysTick_Handler,
    [16] = (const void *)0xE7FEE7FE,
};

static struct {
    uint32_t magic;
    uint32_t boots;
    uint32_t asked;
} s_kept __attribute__((section(".kept")));

static const char *s_cause = "unknown";
static char s_image[SHA256_TEXT_BYTES];
static uint32_t s_events;
static uint32_t s_noise;
static volatile uint32_t s_ms;
volatile uint32_t ticks; // turns of the main loop; tests look at it through the probe

// ---- start and time ----------------------------------------------------------------------------

void Reset_Handler(void)
{
    for (uint8_t *from = __data_load, *to = __data_start; to < __data_end;) {
        *to++ = *from++;
    }
    for (uint8_t *at = __bss_start; at < __bss_end;) {
        *at++ = 0;
    }
    (void)main();
}

// Interrupts all the time, also while a debugger wants to program the flash. It also keeps QEMU's
// main loop turning: without it, a UART that was reset while nobody sent is not looked at again.
void SysTick_Handler(void)
{
    s_ms++;
}

static uint32_t time_us(void)
{
    TIMER0[CAPTURE0] = 1;
    return TIMER0[CC0];
}

static void time_init(void)
{
    TIMER0[BITMODE] = 3;   // 32 bits
    TIMER0[PRESCALER] = 4; // 16 MHz / 2^4
    TIMER0[START] = 1;
    SYSTICK[1] = 16000 - 1; // 1 ms
    SYSTICK[0] = 7;
}

static void reset_cause_init(void)
{
    bool kept = s_kept.magic == KEPT_MAGIC;
    s_cause = !kept ? "power" : s_kept.asked != 0u ? "software" : "reset";
    s_kept.boots = kept ? s_kept.boots + 1u : 1u;
    s_kept.asked = 0;
    s_kept.magic = KEPT_MAGIC;
}

// ---- what is said ------------------------------------------------------------------------------

void writer_begin_event(line_t *line, const char *name)
{
    line_begin_event(line, s_events++, name);
}

void writer_send(const void *bytes, size_t length)
{
    wire_put(bytes, length);
}

void writer_send_line(line_t *line)
{
    line_end(line);
    wire_put(line->text, line->length);
}

// ---- what the firmware's cmd_system.c asks for
// ---------------------------------------------------

const command_t *console_command(size_t index)
{
    return index < COMMAND_COUNT ? &s_commands[index] : NULL;
}

const command_t *console_find(const char *name)
{
    size_t index = 0;
    while (console_command(index) != NULL && strcmp(s_commands[index].name, name) != 0) {
        index++;
    }
    return console_command(index);
}

void identity_add_fields(line_t *line)
{
    line_add_text(line, "kernel", "V0.none");
    line_add_text(line, "version", IMAGE_VERSION);
    line_add_text(line, "board", "microbit");
    line_add_text(line, "image", s_image);
    line_add_text(line, "flags", "00000000");
}

const char *identity_compiler(void)
{
    return "gcc";
}

const char *platform_serial(void)
{
    static char s_serial[17];
    line_format_hex(FICR_DEVICEID[0], 8, s_serial);
    line_format_hex(FICR_DEVICEID[1], 8, s_serial + 8);
    return s_serial;
}

uint32_t platform_cpuid(void)
{
    return CPUID;
}

uint32_t log_uptime_ms(void)
{
    return s_ms;
}

const char *crash_reset_cause(void)
{
    return s_cause;
}

uint32_t crash_boot_count(void)
{
    return s_kept.boots;
}

_Noreturn void crash_reboot(void)
{
    wire_flush();
    s_kept.asked = 1;
    AIRCR = 0x05FA0004;
    for (;;) {
    }
}

void noise_start(uint32_t lines)
{
    s_noise = lines;
}

static void announce(void)
{
    line_t line;
    uint8_t digest[SHA256_BYTES];
    sha256_digest(__image_start, (size_t)(__image_end - __image_start), digest);
    sha256_text(digest, s_image);
    writer_begin_event(&line, "boot");
    identity_add_fields(&line);
    line_add_text(&line, "cause", crash_reset_cause());
    line_add_u32(&line, "count", crash_boot_count());
    line_add_text(&line, "compiler", identity_compiler());
    line_add_u32(&line, "proto", CONSOLE_PROTOCOL);
    writer_send_line(&line);
    writer_begin_event(&line, "ready");
    line_add_u32(&line, "uptime_ms", s_ms);
    line_add_u32(&line, "reset_us", time_us());
    writer_send_line(&line);
}

// Half a log line now and half in the next turn: a reply may cut it.
static void noise_turn(void)
{
    static bool s_half;
    static const char s_head[] = "I (1) noise: half a line, ", s_tail[] = "$ and @ and * in it\r\n";
    if (s_noise > 0u) {
        wire_put(s_half ? s_tail : s_head, s_half ? sizeof s_tail - 1u : sizeof s_head - 1u);
        s_noise -= s_half ? 1u : 0u;
        s_half = !s_half;
    }
}

// ---- other commands
// ------------------------------------------------------------------------------

void command_crash(const command_call_t *call, reply_t *reply)
{
    (void)call;
    line_t *line = reply_ok(reply);
    line_add_u32(line, "present", 0);
    reply_send(reply);
}

// What needs a kernel. The board's entry lists no feature that would make a suite ask for it.
void command_mem_heap(const command_call_t *call, reply_t *reply)
{
    (void)call;
    reply_error(reply, "absent", "no kernel in this image");
}

#define ABSENT __attribute__((alias("command_mem_heap")))
void ABSENT command_crash_clear(const command_call_t *call, reply_t *reply);
void ABSENT command_crash_make(const command_call_t *call, reply_t *reply);
void ABSENT command_mem_regions(const command_call_t *call, reply_t *reply);
void ABSENT command_mem_tasks(const command_call_t *call, reply_t *reply);
void ABSENT command_flash_sector(const command_call_t *call, reply_t *reply);
void ABSENT command_flash_erase(const command_call_t *call, reply_t *reply);
void ABSENT command_flash_write(const command_call_t *call, reply_t *reply);
void ABSENT command_kernel_features(const command_call_t *call, reply_t *reply);
void ABSENT command_metric_list(const command_call_t *call, reply_t *reply);
void ABSENT command_metric_run(const command_call_t *call, reply_t *reply);
void ABSENT command_metric_ramp(const command_call_t *call, reply_t *reply);
void ABSENT command_bench_list(const command_call_t *call, reply_t *reply);
void ABSENT command_bench_context(const command_call_t *call, reply_t *reply);
void ABSENT command_bench_run(const command_call_t *call, reply_t *reply);
void ABSENT command_bench_read(const command_call_t *call, reply_t *reply);
void ABSENT command_time_now(const command_call_t *call, reply_t *reply);

// ---- the console -------------------------------------------------------------------------------

static void badreq(status_t status)
{
    line_t line;
    writer_begin_event(&line, "badreq");
    line_add_text(&line, "code", status_word(status));
    writer_send_line(&line);
}

static void execute(const request_t *request)
{
    static reply_t s_reply;
    command_call_t call;
    const char *fault = request->command;
    reply_begin(&s_reply, request);
    const command_t *command = console_find(request->command);
    status_t status =
        command == NULL ? STATUS_UNKNOWN : command_bind(command, request, &call, &fault);
    if (status == STATUS_OK) {
        command->handler(&call, &s_reply);
        reply_finish(&s_reply);
    } else {
        reply_error(&s_reply, status_word(status), fault);
    }
}

static void line_came(char *text, size_t length)
{
    request_t request;
    if (length >= LINE_MAX_BYTES) {
        badreq(STATUS_LONG);
        return;
    }
    text[length] = '\0';
    status_t status = request_parse(text, &request);
    if (status == STATUS_CRC) {
        badreq(status);
    } else if (status == STATUS_OK && request.command[0] != '\0' && !reply_repeat(&request)) {
        execute(&request);
    }
}

int main(void)
{
    static char s_input[LINE_MAX_BYTES + 1];
    size_t length = 0;
    time_init();
    reset_cause_init();
    wire_init();
    announce();
    for (;;) {
        ticks++;
        noise_turn();
        for (int byte = wire_get(); byte >= 0; byte = wire_get()) {
            if (byte == '\n') {
                line_came(s_input, length);
                length = 0;
            } else if (byte != '\r') {
                s_input[length < LINE_MAX_BYTES ? length : LINE_MAX_BYTES] = (char)byte;
                length++;
            }
        }
    }
}
