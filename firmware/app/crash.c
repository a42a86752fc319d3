// SPDX-License-Identifier: MIT
#include "crash.h"

#include "crc16.h"
#include "kernel_compat.h"
#include "platform.h"

#include <stddef.h>
#include <string.h>

#define KEPT_MAGIC 0x52494731u

enum {
    KEPT_VERSION = 1,
    FRAME_WORDS = 8,
    FRAME_FPU_WORDS = 18, // S0 to S15, FPSCR and a reserved word, behind the others
    FRAME_LR = 5,
    FRAME_PC = 6,
    FRAME_PSR = 7,
    CALL_BYTES = 4
};

typedef enum { RESET_OTHER, RESET_SOFTWARE, RESET_CRASH } reset_note_t;

typedef struct {
    uint32_t magic;
    uint32_t version;
    uint32_t boot_count;
    uint32_t note; // reset_note_t: what the next boot is to be told
    uint32_t bootloop;
    crash_record_t record;
    uint32_t crc; // of everything before
} kept_t;

__attribute__((section(".noinit"))) static kept_t s_kept;
static const char *s_reset_cause = "power";

static uint32_t crash_kept_crc(void)
{
    return crc16_update(CRC16_INITIAL, &s_kept, offsetof(kept_t, crc));
}

static void crash_seal(void)
{
    s_kept.crc = crash_kept_crc();
}

static bool crash_kept_holds(void)
{
    return s_kept.magic == KEPT_MAGIC && s_kept.version == KEPT_VERSION &&
           s_kept.crc == crash_kept_crc();
}

static const char *crash_cause_of_reset(bool kept)
{
    platform_reset_t hardware = platform_reset_cause();
    if (!kept || hardware == PLATFORM_RESET_POWER) {
        return "power";
    }
    if (hardware == PLATFORM_RESET_WATCHDOG) {
        return "watchdog";
    }
    if (s_kept.note == RESET_CRASH) {
        return "crash";
    }
    return s_kept.note == RESET_SOFTWARE ? "software" : "reset";
}

void crash_init(void)
{
    bool kept = crash_kept_holds();
    s_reset_cause = crash_cause_of_reset(kept);
    if (!kept || strcmp(s_reset_cause, "power") == 0) {
        memset(&s_kept, 0, sizeof s_kept);
        s_kept.magic = KEPT_MAGIC;
        s_kept.version = KEPT_VERSION;
    }
    s_kept.boot_count++;
    s_kept.note = RESET_OTHER;
    crash_seal();
}

const crash_record_t *crash_record(void)
{
    return &s_kept.record;
}

const char *crash_reset_cause(void)
{
    return s_reset_cause;
}

uint32_t crash_boot_count(void)
{
    return s_kept.boot_count;
}

bool crash_clear(void)
{
    bool present = s_kept.record.cause != CRASH_NONE;
    memset(&s_kept.record, 0, sizeof s_kept.record);
    crash_seal();
    return present;
}

void crash_set_bootloop(void)
{
    s_kept.bootloop = 1;
    crash_seal();
}

bool crash_is_bootloop(void)
{
    return s_kept.bootloop != 0u;
}

void crash_add_fields(line_t *line)
{
    static const char *const s_causes[] = {
        [CRASH_NONE] = "none",   [CRASH_HARDFAULT] = "hardfault", [CRASH_ASSERT] = "assert",
        [CRASH_STACK] = "stack", [CRASH_MALLOC] = "malloc",       [CRASH_VECTOR] = "vector",
    };
    const crash_record_t *record = &s_kept.record;
    line_add_u32(line, "present", record->cause != CRASH_NONE ? 1 : 0);
    if (record->cause == CRASH_NONE) {
        return;
    }
    line_add_text(line, "cause", s_causes[record->cause]);
    line_add_address(line, "pc", record->pc);
    line_add_address(line, "lr", record->lr);
    line_add_address(line, "psr", record->psr);
    line_add_address(line, "sp", record->sp);
    line_add_text(line, "task", record->task);
    line_add_address(line, "cfsr", record->cfsr);
    line_add_address(line, "hfsr", record->hfsr);
    line_add_address(line, "mmfar", record->mmfar);
    line_add_address(line, "bfar", record->bfar);
    line_add_u32(line, "boot", record->boot);
}

// ---- recording: the minimal path, interrupts off, no kernel calls that lock ---------------------

static void crash_name_task(const char *name)
{
    char *to = s_kept.record.task;
    for (size_t i = 0; i + 1u < CRASH_TASK_BYTES && name[i] != '\0'; i++) {
        to[i] = name[i];
    }
}

static const char *crash_running_task(void)
{
    TaskHandle_t task =
        xTaskGetSchedulerState() == taskSCHEDULER_NOT_STARTED ? NULL : xTaskGetCurrentTaskHandle();
    return task != NULL ? pcTaskGetName(task) : "none";
}

// Fills the record unless an earlier crash is still in it, then resets.
static _Noreturn void crash_record_and_reset(const crash_record_t *found, const char *task)
{
    __asm volatile("cpsid i" ::: "memory");
    if (!crash_kept_holds()) {
        memset(&s_kept, 0, sizeof s_kept);
        s_kept.magic = KEPT_MAGIC;
        s_kept.version = KEPT_VERSION;
    }
    if (s_kept.record.cause == CRASH_NONE) {
        s_kept.record = *found;
        s_kept.record.boot = s_kept.boot_count;
        crash_name_task(task);
    }
    s_kept.note = RESET_CRASH;
    crash_seal();
    platform_reset();
}

static bool crash_in_ram(const void *at, size_t bytes)
{
    extern uint8_t __ram_start[], __ram_size[];
    uintptr_t start = (uintptr_t)__ram_start;
    uintptr_t address = (uintptr_t)at;
    return address >= start && address - start <= (uintptr_t)__ram_size - bytes &&
           address % sizeof(uint32_t) == 0u;
}

static void crash_add_frame(crash_record_t *found, const uint32_t *frame, uint32_t exc_return)
{
    bool with_fpu = (exc_return & 1u << 4) == 0u;
    size_t words = with_fpu ? FRAME_WORDS + FRAME_FPU_WORDS : FRAME_WORDS;
    found->sp = (uint32_t)(uintptr_t)(frame + words);
    if (crash_in_ram(frame, FRAME_WORDS * sizeof *frame)) {
        found->pc = frame[FRAME_PC];
        found->lr = frame[FRAME_LR];
        found->psr = frame[FRAME_PSR];
        found->sp += (found->psr & 1u << 9) != 0u ? 4u : 0u; // the core aligned the stack
    }
}

_Noreturn void crash_from_fault(const uint32_t *frame, uint32_t exc_return)
{
    crash_record_t found = {
        .cause = CRASH_HARDFAULT,
        .cfsr = *(volatile uint32_t *)0xE000ED28u,
        .hfsr = *(volatile uint32_t *)0xE000ED2Cu,
        .mmfar = *(volatile uint32_t *)0xE000ED34u,
        .bfar = *(volatile uint32_t *)0xE000ED38u,
    };
    crash_add_frame(&found, frame, exc_return);
    crash_record_and_reset(&found, crash_running_task());
}

_Noreturn void crash_from_vector(const uint32_t *frame, uint32_t exc_return)
{
    crash_record_t found = {.cause = CRASH_VECTOR};
    crash_add_frame(&found, frame, exc_return);
    crash_record_and_reset(&found, crash_running_task());
}

// A record of the place it is called from. `back` is a return address: pc is the call before it,
// because behind a call that does not return another function may begin.
static inline __attribute__((always_inline)) crash_record_t crash_here(crash_cause_t cause,
                                                                       const void *back,
                                                                       const void *lr)
{
    crash_record_t found = {.cause = cause, .lr = (uint32_t)(uintptr_t)lr};
    found.pc = ((uint32_t)(uintptr_t)back & ~1u) - CALL_BYTES;
    __asm volatile("mrs %0, xpsr" : "=r"(found.psr));
    found.sp = (uint32_t)(uintptr_t)__builtin_frame_address(0);
    return found;
}

__attribute__((noinline, noreturn)) void crash_from_assert(const void *caller)
{
    __asm volatile("cpsid i" ::: "memory"); // no handler piles up on what is known to be wrong
    crash_record_t found = crash_here(CRASH_ASSERT, __builtin_return_address(0), caller);
    crash_record_and_reset(&found, crash_running_task());
}

_Noreturn void crash_reboot(void)
{
    __asm volatile("cpsid i" ::: "memory");
    s_kept.note = RESET_SOFTWARE;
    crash_seal();
    platform_reset();
}

// ---- hooks, called by the kernel ---------------------------------------------------------------

void vApplicationStackOverflowHook(TaskHandle_t task, char *name);
void vApplicationMallocFailedHook(void);

void vApplicationStackOverflowHook(TaskHandle_t task, char *name)
{
    crash_record_t found = crash_here(CRASH_STACK, __builtin_return_address(0), NULL);
    found.sp = (uint32_t)*kernel_saved_stack_slot(task);
    crash_record_and_reset(&found, name);
}

void vApplicationMallocFailedHook(void)
{
    crash_record_t found = crash_here(CRASH_MALLOC, __builtin_return_address(0), NULL);
    crash_record_and_reset(&found, crash_running_task());
}
