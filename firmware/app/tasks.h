// SPDX-License-Identifier: MIT
// The one table of tasks: names, priorities, stacks. Everything is allocated statically.
//
//   row                 name          priority                    stack in words
//   idle, timer         the kernel's own, listed so that mem.tasks knows their stacks
//   console, noise      one priority, time-sliced, so that log lines fall between replies
//   bench               above them: runs a benchmark while all others wait
//   bench.peer          above bench: the task a measured primitive switches to
//   (bench.helper)      not in the table: made and deleted by a benchmark, in bench_helpers.h
#ifndef TASKS_H
#define TASKS_H

#include "kernel_compat.h"

#include <stddef.h>

typedef enum {
    TASK_IDLE,
#if KERNEL_HAS_TIMERS
    TASK_TIMER,
#endif
    TASK_CONSOLE,
    TASK_NOISE,
    TASK_BENCH,
    TASK_BENCH_PEER,
    TASK_COUNT,
} task_id_t;

enum {
    TASK_CONSOLE_PRIORITY = 3,
    TASK_NOISE_PRIORITY = 3,
    TASK_BENCH_PRIORITY = 5,
    TASK_BENCH_PEER_PRIORITY = 6,
};

typedef struct {
    const char *name;
    UBaseType_t priority;
    StackType_t *stack;
    size_t stack_words;
    TaskFunction_t entry; // 0 for the kernel's own
} task_row_t;

// The row of `id`. Any context.
const task_row_t *tasks_row(task_id_t id);

// Creates every task of the table that is ours. Once, before the scheduler.
void tasks_create(void);

// The task's handle. The kernel's own are known once the scheduler runs.
TaskHandle_t tasks_handle(task_id_t id);

// Tasks that are made later and may end again; mem.tasks lists them from note to forget. From
// tasks, one at a time. At most TASKS_NOTED: more are not listed.
enum { TASKS_NOTED = 16 };

typedef struct {
    TaskHandle_t task; // NULL: an empty row
    StackType_t *stack;
    size_t stack_words;
} task_noted_t;

void tasks_note(TaskHandle_t task, StackType_t *stack, size_t stack_words);
void tasks_forget(TaskHandle_t task);

// Row `index` of those, below TASKS_NOTED.
const task_noted_t *tasks_noted(size_t index);

// Deletes a task of ours and creates it anew, wherever it was blocked. From another task.
void tasks_restart(task_id_t id);

// Task bodies, in the files of their modules.
void console_task(void *unused);
void noise_task(void *unused);
void bench_task(void *unused);
void bench_peer_task(void *unused);

// Ticks since boot, counted by the tick hook even while the scheduler is suspended. Any context.
extern volatile uint32_t g_tick_interrupts;

#endif
