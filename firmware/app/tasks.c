// SPDX-License-Identifier: MIT
// Task table, and the hooks by which the kernel asks the application for memory and for idle work.
#include "tasks.h"

#include "bench.h"

enum {
    IDLE_WORDS = 192, // its hook is a benchmark's now and then
    CONSOLE_WORDS = 768,
    NOISE_WORDS = 320,
    BENCH_WORDS = 320,
    PEER_WORDS = 320,
};

static StackType_t s_idle_stack[IDLE_WORDS];
#if KERNEL_HAS_TIMERS
static StackType_t s_timer_stack[configTIMER_TASK_STACK_DEPTH];
#endif
static StackType_t s_console_stack[CONSOLE_WORDS];
static StackType_t s_noise_stack[NOISE_WORDS];
static StackType_t s_bench_stack[BENCH_WORDS];
static StackType_t s_peer_stack[PEER_WORDS];

#define STACK_OF(stack) stack, sizeof(stack) / sizeof(stack[0])

static const task_row_t s_rows[TASK_COUNT] = {
    [TASK_IDLE] = {"idle", tskIDLE_PRIORITY, STACK_OF(s_idle_stack), NULL},
#if KERNEL_HAS_TIMERS
    [TASK_TIMER] = {"timer", configTIMER_TASK_PRIORITY, STACK_OF(s_timer_stack), NULL},
#endif
    [TASK_CONSOLE] = {"console", TASK_CONSOLE_PRIORITY, STACK_OF(s_console_stack), console_task},
    [TASK_NOISE] = {"noise", TASK_NOISE_PRIORITY, STACK_OF(s_noise_stack), noise_task},
    [TASK_BENCH] = {"bench", TASK_BENCH_PRIORITY, STACK_OF(s_bench_stack), bench_task},
    [TASK_BENCH_PEER] = {"bench.peer", TASK_BENCH_PEER_PRIORITY, STACK_OF(s_peer_stack),
                         bench_peer_task},
};

static StaticTask_t s_blocks[TASK_COUNT];
static TaskHandle_t s_handles[TASK_COUNT];

volatile uint32_t g_tick_interrupts;

const task_row_t *tasks_row(task_id_t id)
{
    return &s_rows[id];
}

static void tasks_create_one(task_id_t id)
{
    const task_row_t *row = &s_rows[id];
    s_handles[id] = xTaskCreateStatic(row->entry, row->name, (kernel_stack_depth_t)row->stack_words,
                                      NULL, row->priority, row->stack, &s_blocks[id]);
}

void tasks_create(void)
{
    for (task_id_t id = 0; id < TASK_COUNT; id++) {
        if (s_rows[id].entry != NULL) {
            tasks_create_one(id);
        }
    }
}

TaskHandle_t tasks_handle(task_id_t id)
{
    if (id == TASK_IDLE) {
        return xTaskGetIdleTaskHandle();
    }
#if KERNEL_HAS_TIMERS
    if (id == TASK_TIMER) {
        return xTimerGetTimerDaemonTaskHandle();
    }
#endif
    return s_handles[id];
}

// ---- tasks of a while --------------------------------------------------------------------------

static task_noted_t s_noted[TASKS_NOTED];

const task_noted_t *tasks_noted(size_t index)
{
    return &s_noted[index];
}

static task_noted_t *tasks_noted_as(TaskHandle_t task)
{
    for (size_t i = 0; i < TASKS_NOTED; i++) {
        if (s_noted[i].task == task) {
            return &s_noted[i];
        }
    }
    return NULL;
}

void tasks_note(TaskHandle_t task, StackType_t *stack, size_t stack_words)
{
    task_noted_t *row = tasks_noted_as(NULL);
    if (row != NULL) {
        *row = (task_noted_t){.task = task, .stack = stack, .stack_words = stack_words};
    }
}

void tasks_forget(TaskHandle_t task)
{
    task_noted_t *row = tasks_noted_as(task);
    if (row != NULL) {
        row->task = NULL;
    }
}

void tasks_restart(task_id_t id)
{
    vTaskDelete(s_handles[id]);
    tasks_create_one(id);
}

// ---- hooks, called by the kernel ---------------------------------------------------------------

void vApplicationIdleHook(void);
void vApplicationTickHook(void);

#if KERNEL_ASKS_FOR_MEMORY
void vApplicationGetIdleTaskMemory(StaticTask_t **block, StackType_t **stack,
                                   kernel_stack_depth_t *words);

void vApplicationGetIdleTaskMemory(StaticTask_t **block, StackType_t **stack,
                                   kernel_stack_depth_t *words)
{
    *block = &s_blocks[TASK_IDLE];
    *stack = s_idle_stack;
    *words = IDLE_WORDS;
}
#endif

#if KERNEL_ASKS_FOR_MEMORY && KERNEL_HAS_TIMERS
void vApplicationGetTimerTaskMemory(StaticTask_t **block, StackType_t **stack,
                                    kernel_stack_depth_t *words);

void vApplicationGetTimerTaskMemory(StaticTask_t **block, StackType_t **stack,
                                    kernel_stack_depth_t *words)
{
    *block = &s_blocks[TASK_TIMER];
    *stack = s_timer_stack;
    *words = configTIMER_TASK_STACK_DEPTH;
}
#endif

#if KERNEL_HAS_HEAP_PROTECTOR
void vApplicationGetRandomHeapCanary(portPOINTER_SIZE_TYPE *canary);

// The same at every boot: an emulated board must give the same bytes, and no board of this firmware
// holds a secret on its heap.
void vApplicationGetRandomHeapCanary(portPOINTER_SIZE_TYPE *canary)
{
    *canary = 0x5AC3E796u;
}
#endif

// Waiting for an interrupt lets an emulator skip idle time and starts every measurement, which
// begins after a delay, at the same phase of the tick. While one runs, nobody sleeps.
void vApplicationIdleHook(void)
{
    bench_idle_t idle = g_bench_idle;
    if (idle != NULL) {
        idle();
    } else if (!bench_is_awake()) {
        __asm volatile("dsb\n\twfi" ::: "memory");
    }
}

void vApplicationTickHook(void)
{
    g_tick_interrupts++;
    bench_on_tick();
}
