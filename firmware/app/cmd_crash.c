// SPDX-License-Identifier: MIT
// Commands about crashes: show, clear, make. Making one answers first, then misbehaves for good.
#include "commands_table.h"
#include "console.h"
#include "crash.h"
#include "log.h"
#include "platform.h"
#include "tasks.h"
#include "writer.h"

#include <string.h>

typedef struct {
    const char *kind;
    void (*make)(void);
} crash_row_t;

// Not static and not inlined: tests look these places up by symbol.
void crash_make_hardfault(void);
void crash_make_assert(void);

__attribute__((noinline)) void crash_make_hardfault(void)
{
    (void)*(volatile uint32_t *)PLATFORM_BAD_ADDRESS;
}

__attribute__((noinline)) void crash_make_assert(void)
{
    volatile bool truth = false;
    ASSERT(truth);
}

// Goes down to the end of the console task's stack, then lets the kernel look: the switch saves the
// context behind the end, as a real overflow would.
__attribute__((noinline)) static uint32_t crash_make_descend(const StackType_t *end)
{
    volatile uint32_t frame[8] = {0};
    if ((uintptr_t)frame > (uintptr_t)(end + 16)) {
        frame[0] = crash_make_descend(end);
    } else {
        taskYIELD();
    }
    return frame[0] + 1u;
}

static void crash_make_stack(void)
{
    (void)crash_make_descend(tasks_row(TASK_CONSOLE)->stack);
}

#if KERNEL_HAS_DYNAMIC_ALLOCATION
static void crash_make_malloc(void)
{
    (void)pvPortMalloc(2u * configTOTAL_HEAP_SIZE);
}
#endif

static void crash_make_hang(void)
{
    __asm volatile("cpsid i" ::: "memory");
    for (;;) {
    }
}

static void crash_make_bootloop(void)
{
    crash_set_bootloop();
    ASSERT(false);
}

static void crash_make_babble(void)
{
    for (;;) {
        log_text('I', "babble", "the quick brown fox jumps over the lazy dog");
    }
}

static void crash_make_babble8(void)
{
    static const uint8_t s_bytes[] = {0xC3, 0x28, 0xFF, 0xFE, 0x80, 'x', 0xED, 0xA0, 0x80, '\n'};
    for (;;) {
        writer_send(s_bytes, sizeof s_bytes);
    }
}

static const crash_row_t s_rows[] = {
    {"hardfault", crash_make_hardfault}, {"assert", crash_make_assert},
    {"stack", crash_make_stack},         {"hang", crash_make_hang},
    {"bootloop", crash_make_bootloop},   {"babble", crash_make_babble},
    {"babble8", crash_make_babble8},
#if KERNEL_HAS_DYNAMIC_ALLOCATION
    {"malloc", crash_make_malloc},
#endif
};

static const crash_row_t *crash_find(const char *kind)
{
    for (size_t i = 0; i < sizeof s_rows / sizeof s_rows[0]; i++) {
        if (strcmp(s_rows[i].kind, kind) == 0) {
            return &s_rows[i];
        }
    }
    return NULL;
}

void command_crash(const command_call_t *call, reply_t *reply)
{
    (void)call;
    crash_add_fields(reply_ok(reply));
    reply_send(reply);
}

void command_crash_clear(const command_call_t *call, reply_t *reply)
{
    (void)call;
    line_add_u32(reply_ok(reply), "cleared", crash_clear() ? 1 : 0);
    reply_send(reply);
}

void command_crash_make(const command_call_t *call, reply_t *reply)
{
    const char *kind = call->values[ARG_CRASH_MAKE_KIND].text;
    const crash_row_t *row = crash_find(kind);
    if (row == NULL) {
        reply_error(reply, "absent", "this kernel allocates nothing");
        return;
    }
    line_add_text(reply_ok(reply), "kind", kind);
    reply_send(reply);
    row->make();
}
