// SPDX-License-Identifier: MIT
// The board's own clocks: the kernel's tick, and the counter by which samples are taken.
#include "commands_table.h"
#include "console.h"
#include "crash.h"
#include "kernel_compat.h"
#include "platform.h"

// Tick and counter are of one moment: read again where a tick came between.
void command_time_now(const command_call_t *call, reply_t *reply)
{
    (void)call;
    uint32_t ticks, counter;
    do {
        ticks = (uint32_t)xTaskGetTickCount();
        counter = *(const volatile uint32_t *)PLATFORM_COUNTER_AT;
    } while (ticks != (uint32_t)xTaskGetTickCount());
    line_t *line = reply_ok(reply);
    line_add_u32(line, "counter", counter);
    line_add_u32(line, "counter_hz", PLATFORM_COUNTER_HZ);
    line_add_u32(line, "ticks", ticks);
    line_add_u32(line, "tick_hz", configTICK_RATE_HZ);
    line_add_u32(line, "boot", crash_boot_count());
    reply_send(reply);
}
