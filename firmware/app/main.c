// SPDX-License-Identifier: MIT
// Start of the firmware: say who booted and why, then hand over to the kernel.
#include "commands_table.h"
#include "crash.h"
#include "heap.h"
#include "identity.h"
#include "kernel_compat.h"
#include "platform.h"
#include "tasks.h"
#include "writer.h"
#if defined(RIG_NETWORK) && RIG_NETWORK
    #include "ota_task.h"
#endif

int main(void);

static void main_send_boot(void)
{
    line_t line;
    writer_begin_event(&line, "boot");
    identity_add_fields(&line);
    line_add_text(&line, "cause", crash_reset_cause());
    line_add_u32(&line, "count", crash_boot_count());
    line_add_text(&line, "compiler", identity_compiler());
    line_add_u32(&line, "proto", CONSOLE_PROTOCOL);
    writer_send_event(&line);
}

static void main_send_crash(void)
{
    line_t line;
    if (crash_record()->cause == CRASH_NONE) {
        return;
    }
    writer_begin_event(&line, "crash");
    crash_add_fields(&line);
    writer_send_event(&line);
}

int main(void)
{
    platform_init();
    crash_init();
    writer_init();
    identity_init();
    main_send_boot();
    main_send_crash();
    ASSERT(!crash_is_bootloop());
    heap_init();
    tasks_create();
#if defined(RIG_NETWORK) && RIG_NETWORK
    ota_task_boot();
#endif
    vTaskStartScheduler();
    ASSERT(false);
    return 0;
}
