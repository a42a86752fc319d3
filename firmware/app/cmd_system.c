// SPDX-License-Identifier: MIT
// Commands about the system: help, id, ping, reboot, noise.
#include "commands_table.h"
#include "console.h"
#include "crash.h"
#include "identity.h"
#include "log.h"
#include "noise.h"
#include "platform.h"

static void help_send_row(const command_t *command, reply_t *reply)
{
    line_t *line = reply_data(reply);
    line_add_text(line, "name", command->name);
    line_add_text(line, "usage", command->usage);
    line_add_text(line, "summary", command->summary);
    reply_send(reply);
}

void command_help(const command_call_t *call, reply_t *reply)
{
    const argument_value_t *name = &call->values[ARG_HELP_NAME];
    if (name->present) {
        const command_t *command = console_find(name->text);
        if (command == NULL) {
            reply_error(reply, status_word(STATUS_UNKNOWN), name->text);
            return;
        }
        help_send_row(command, reply);
        return;
    }
    for (size_t i = 0; console_command(i) != NULL; i++) {
        help_send_row(console_command(i), reply);
    }
}

void command_id(const command_call_t *call, reply_t *reply)
{
    (void)call;
    line_t *line = reply_ok(reply);
    identity_add_fields(line);
    line_add_text(line, "serial", platform_serial());
    line_add_hex(line, "cpuid", platform_cpuid(), 8);
    line_add_text(line, "compiler", identity_compiler());
    line_add_u32(line, "proto", CONSOLE_PROTOCOL);
    line_add_u32(line, "cpu_hz", PLATFORM_CORE_HZ);
    line_add_text(line, "cause", crash_reset_cause());
    line_add_u32(line, "count", crash_boot_count());
    line_add_u32(line, "uptime_ms", log_uptime_ms());
    reply_send(reply);
}

void command_ping(const command_call_t *call, reply_t *reply)
{
    line_t *line = reply_ok(reply);
    if (call->values[ARG_PING_TEXT].present) {
        line_add_text(line, "text", call->values[ARG_PING_TEXT].text);
    }
    reply_send(reply);
}

void command_reboot(const command_call_t *call, reply_t *reply)
{
    (void)call;
    reply_finish(reply);
    crash_reboot();
}

void command_noise(const command_call_t *call, reply_t *reply)
{
    uint32_t lines = (uint32_t)call->values[ARG_NOISE_LINES].number;
    line_t *line = reply_ok(reply);
    line_add_u32(line, "lines", lines);
    reply_send(reply);
    noise_start(lines);
}
