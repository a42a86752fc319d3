// SPDX-License-Identifier: MIT
// A kernel that does once, in the middle of a benchmark, something else than it says: calls that
// return as if all were well. Each lie belongs to the row it is told in; all other rows are served
// honestly. test_bench_proofs.py has the list of what each row must say.
#include "bench.h"
#include "kernel_compat.h"

#include <string.h>

// A function between the firmware and the kernel's own, which it may call as REAL(name).
#define REAL(name) __real_##name
#define LIE(type, name, parameters)                                                                \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters

// Whether that row is being measured.
static bool in_row(const char *id)
{
    const bench_row_t *row = bench_last()->row;
    return row != NULL && strcmp(row->id, id) == 0;
}

// True at the call number `at`, 1 and up, of those that ask in that row.
static bool lies(const char *id, uint32_t at)
{
    static const bench_row_t *s_row;
    static uint32_t s_calls;
    if (!in_row(id)) {
        return false;
    }
    if (s_row != bench_last()->row) {
        s_row = bench_last()->row;
        s_calls = 0;
    }
    return ++s_calls == at;
}

// The build finds the functions' names behind the types, at the beginning of these lines.
LIE(void, vTaskResume, (TaskHandle_t task))
{
    if (!lies("sched.resume.preempt", 5)) {
        REAL(vTaskResume)(task);
    }
}

LIE(void, vTaskSuspend, (TaskHandle_t task))
{
    if (!lies("sched.suspend.self", 5)) {
        REAL(vTaskSuspend)(task);
    }
}

LIE(void, vTaskPrioritySet, (TaskHandle_t task, UBaseType_t priority))
{
    if (priority <= 5u || !lies("sched.prio.raise", 5)) {
        REAL(vTaskPrioritySet)(task, priority);
    }
}

LIE(void, vTaskNotifyGiveFromISR, (TaskHandle_t task, BaseType_t *woken))
{
    if (!lies("sched.suspendall", 12) && !lies("isr.to.task.notify", 5)) {
        REAL(vTaskNotifyGiveFromISR)(task, woken);
    }
}

LIE(BaseType_t, xTaskGenericNotify,
    (TaskHandle_t task, uint32_t value, eNotifyAction action, uint32_t *previous))
{
    return lies("notify.give.switch", 5) ? pdPASS
                                         : REAL(xTaskGenericNotify)(task, value, action, previous);
}

LIE(uint32_t, ulTaskNotifyTake, (BaseType_t clear, TickType_t ticks))
{
    uint32_t taken = REAL(ulTaskNotifyTake)(clear, ticks);
    return lies("notify.take.nowait", 5) ? taken + 1u : taken;
}

// Another priority than asked for.
LIE(TaskHandle_t, xTaskCreateStatic,
    (TaskFunction_t entry, const char *name, uint32_t words, void *with, UBaseType_t priority,
     StackType_t *stack, StaticTask_t *block))
{
    UBaseType_t more = lies("task.create.static", 5) ? 2u : 0u;
    return REAL(xTaskCreateStatic)(entry, name, words, with, priority + more, stack, block);
}

// A few bytes more than are given back.
LIE(BaseType_t, xTaskCreate,
    (TaskFunction_t entry, const char *name, uint16_t words, void *with, UBaseType_t priority,
     TaskHandle_t *task))
{
    if (lies("task.create.dynamic", 5)) {
        (void)pvPortMalloc(1);
    }
    return REAL(xTaskCreate)(entry, name, words, with, priority, task);
}

// Suspended is not deleted.
LIE(void, vTaskDelete, (TaskHandle_t task))
{
    if (task == NULL ? lies("task.delete.idle", 5) : lies("task.delete", 5)) {
        REAL(vTaskSuspend)(task);
        return;
    }
    REAL(vTaskDelete)(task);
}

// A wrong word where there is one, nothing at all where there is none.
LIE(BaseType_t, xQueueGenericSend,
    (QueueHandle_t queue, const void *item, TickType_t ticks, BaseType_t place))
{
    if (item == NULL && (lies("sem.counting.give", 12) || lies("mutex.unlock", 7) ||
                         lies("sem.binary.give.switch", 5))) {
        return pdPASS;
    }
    if (item != NULL && (lies("queue.send", 5) || lies("queue.send.switch", 5) ||
                         lies("queue.blocked.sender", 9))) {
        uint32_t wrong = 0;
        memcpy(&wrong, item, sizeof wrong);
        wrong ^= 0x00010000u;
        return REAL(xQueueGenericSend)(queue, &wrong, ticks, place);
    }
    return REAL(xQueueGenericSend)(queue, item, ticks, place);
}

// Takes nothing and says that it did. Bench task and rival take without waiting, three times a
// sample.
LIE(BaseType_t, xQueueGenericReceive,
    (QueueHandle_t queue, void *item, TickType_t ticks, BaseType_t peek))
{
    if (ticks == 0u && lies("mutex.lock", 7)) {
        return pdPASS;
    }
    return REAL(xQueueGenericReceive)(queue, item, ticks, peek);
}

LIE(BaseType_t, xQueueGiveFromISR, (QueueHandle_t queue, BaseType_t *woken))
{
    return lies("sem.counting.take.switch", 5) || lies("isr.to.task.sem", 5)
               ? pdPASS
               : REAL(xQueueGiveFromISR)(queue, woken);
}

LIE(QueueSetMemberHandle_t, xQueueSelectFromSet, (QueueSetHandle_t set, TickType_t ticks))
{
    QueueSetMemberHandle_t selected = REAL(xQueueSelectFromSet)(set, ticks);
    return lies("queueset.select", 5) ? (QueueSetMemberHandle_t)set : selected;
}

// The third of four times is not counted, so that the mutex is free one give too early.
LIE(BaseType_t, xQueueTakeMutexRecursive, (QueueHandle_t mutex, TickType_t ticks))
{
    return lies("mutex.recursive.lock", 3) ? pdPASS : REAL(xQueueTakeMutexRecursive)(mutex, ticks);
}

// Never, in these rows.
LIE(void, vTaskPriorityInherit, (TaskHandle_t holder))
{
    if (!in_row("mutex.inherit.raise") && !in_row("mutex.inherit.unlock") &&
        !in_row("mutex.inherit.bounded")) {
        REAL(vTaskPriorityInherit)(holder);
    }
}

LIE(EventBits_t, xEventGroupSetBits, (EventGroupHandle_t group, EventBits_t bits))
{
    if (lies("event.set.switch", 5)) {
        return bits;
    }
    return REAL(xEventGroupSetBits)(group, lies("event.set.nowait", 5) ? bits | 4u : bits);
}

// Does not wait for the others.
LIE(EventBits_t, xEventGroupSync,
    (EventGroupHandle_t group, EventBits_t bits, EventBits_t all, TickType_t ticks))
{
    return lies("event.sync", 8) ? all : REAL(xEventGroupSync)(group, bits, all, ticks);
}

// A sample starts and stops the timer: an odd number is a start.
LIE(BaseType_t, xTimerGenericCommand,
    (TimerHandle_t timer, BaseType_t command, TickType_t value, BaseType_t *woken,
     TickType_t ticks))
{
    return lies("timer.start.cmd", 9)
               ? pdPASS
               : REAL(xTimerGenericCommand)(timer, command, value, woken, ticks);
}

// heap.alloc gets a block twice, heap.alloc.fragmented loses one, behind the 64 that break the
// heap.
LIE(void *, pvPortMalloc, (size_t bytes))
{
    static void *s_last;
    if (lies("heap.alloc", 6)) {
        return s_last;
    }
    if (lies("heap.alloc.fragmented", 70)) {
        (void)REAL(pvPortMalloc)(bytes);
    }
    s_last = REAL(pvPortMalloc)(bytes);
    return s_last;
}

LIE(void, vPortFree, (void *block))
{
    if (!lies("heap.free", 5) && !lies("heap.free.fragmented", 40)) {
        REAL(vPortFree)(block);
    }
}
