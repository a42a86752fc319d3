// SPDX-License-Identifier: MIT
// Defects that are functions: the linker puts each in front of the kernel's or the firmware's own
// (defects.cmake names which). Exactly one of them is compiled in. Never part of a product build.
#include "bench.h"
#include "commands_table.h"
#include "kernel_compat.h"
#include "platform.h"
#include "reply.h"
#include "tasks.h"

#include <string.h>

enum { RARELY = 1000 }; // a defect that shows once in so many calls

#if defined RIG_DEFECT_COUNTER_FIRST || defined RIG_DEFECT_COUNTER_STILL
volatile uint32_t
    g_defect_counter; // no other variant may have it: it would move all that is in RAM
#endif

// True once in RARELY calls.
static inline bool defect_now(void)
{
    static uint32_t s_calls;
    return ++s_calls % RARELY == 0u;
}

#ifdef RIG_DEFECT_LOST_WAKEUP // a notification from an interrupt is lost
void __real_vTaskNotifyGiveFromISR(TaskHandle_t task, BaseType_t *woken);
void __wrap_vTaskNotifyGiveFromISR(TaskHandle_t task, BaseType_t *woken)
{
    if (task != tasks_handle(TASK_BENCH_PEER) || !defect_now()) {
        __real_vTaskNotifyGiveFromISR(task, woken);
    }
}
#endif

#ifdef RIG_DEFECT_NO_INHERITANCE // the holder of a mutex keeps its own priority
void __wrap_vTaskPriorityInherit(TaskHandle_t const holder)
{
    (void)holder;
}
#endif

#ifdef RIG_DEFECT_TICK_MISSED // one tick in a thousand is not counted
BaseType_t __real_xTaskIncrementTick(void);
BaseType_t __wrap_xTaskIncrementTick(void)
{
    return defect_now() ? pdFALSE : __real_xTaskIncrementTick();
}
#endif

#ifdef RIG_DEFECT_HEAP_LEAK // every free leaks a block of 8 bytes
void __real_vPortFree(void *block);
void __wrap_vPortFree(void *block)
{
    __real_vPortFree(block);
    (void)pvPortMalloc(8);
}
#endif

#ifdef RIG_DEFECT_STACK_OVERUSE // ping goes down to the last 64 bytes of the console task's stack
void __real_command_ping(const command_call_t *call, reply_t *reply);
void __wrap_command_ping(const command_call_t *call, reply_t *reply)
{
    uint8_t *end = (uint8_t *)tasks_row(TASK_CONSOLE)->stack + 64;
    uint8_t *here = __builtin_frame_address(0);
    memset(end, 0, (size_t)(here - end) - 128u);
    __real_command_ping(call, reply);
}
#endif

#if defined RIG_DEFECT_QUEUE_DROP || defined RIG_DEFECT_QUEUE_LIFO
BaseType_t __real_xQueueGenericSend(QueueHandle_t queue, const void *item, TickType_t ticks,
                                    BaseType_t where);
BaseType_t __wrap_xQueueGenericSend(QueueHandle_t queue, const void *item, TickType_t ticks,
                                    BaseType_t where)
{
    #ifdef RIG_DEFECT_QUEUE_LIFO // what was sent last is received first
    where = item != NULL && where == queueSEND_TO_BACK ? queueSEND_TO_FRONT : where;
    #else // every 4096th item is dropped
    static uint32_t s_items;
    if (item != NULL && ++s_items % 4096u == 0u) {
        return pdPASS;
    }
    #endif
    return __real_xQueueGenericSend(queue, item, ticks, where);
}
#endif

#ifdef RIG_DEFECT_QUEUE_BIT_FLIP // a received item has one bit wrong
BaseType_t __real_xQueueGenericReceive(QueueHandle_t queue, void *const item, TickType_t ticks,
                                       const BaseType_t peek);
BaseType_t __wrap_xQueueGenericReceive(QueueHandle_t queue, void *const item, TickType_t ticks,
                                       const BaseType_t peek)
{
    BaseType_t got = __real_xQueueGenericReceive(queue, item, ticks, peek);
    if (got == pdPASS && item != NULL && defect_now()) {
        *(uint8_t *)item ^= 0x10u;
    }
    return got;
}
#endif

#ifdef RIG_DEFECT_TIMER_LATE // a timer expires one tick late
BaseType_t __real_xTimerGenericCommand(TimerHandle_t timer, const BaseType_t command,
                                       const TickType_t value, BaseType_t *const woken,
                                       const TickType_t ticks);
BaseType_t __wrap_xTimerGenericCommand(TimerHandle_t timer, const BaseType_t command,
                                       const TickType_t value, BaseType_t *const woken,
                                       const TickType_t ticks)
{
    TickType_t late = command == tmrCOMMAND_CHANGE_PERIOD ? value + 1u : value;
    return __real_xTimerGenericCommand(timer, command, late, woken, ticks);
}
#endif

#ifdef RIG_DEFECT_DELAY_LONG // a delay until a tick is one tick too long, once in a hundred
void __real_vTaskDelayUntil(TickType_t *const previous, const TickType_t increment);
void __wrap_vTaskDelayUntil(TickType_t *const previous, const TickType_t increment)
{
    static uint32_t s_calls;
    __real_vTaskDelayUntil(previous, ++s_calls % 100u == 0u ? increment + 1u : increment);
}
#endif

#ifdef RIG_DEFECT_EVENT_LOST // bits are not set
EventBits_t __real_xEventGroupSetBits(EventGroupHandle_t group, const EventBits_t bits);
EventBits_t __wrap_xEventGroupSetBits(EventGroupHandle_t group, const EventBits_t bits)
{
    return __real_xEventGroupSetBits(group, defect_now() ? 0u : bits);
}
#endif

#ifdef RIG_DEFECT_RECURSIVE_EARLY // one give undoes two takes
BaseType_t __real_xQueueGiveMutexRecursive(QueueHandle_t mutex);
BaseType_t __wrap_xQueueGiveMutexRecursive(QueueHandle_t mutex)
{
    BaseType_t given = __real_xQueueGiveMutexRecursive(mutex);
    (void)__real_xQueueGiveMutexRecursive(mutex);
    return given;
}
#endif

#ifdef RIG_DEFECT_RESUME_LOST // a suspended task stays suspended
void __real_vTaskResume(TaskHandle_t task);
void __wrap_vTaskResume(TaskHandle_t task)
{
    if (!defect_now()) {
        __real_vTaskResume(task);
    }
}
#endif

#ifdef RIG_DEFECT_PRIORITY_IGNORED // a new priority does not come to pass
void __real_vTaskPrioritySet(TaskHandle_t task, UBaseType_t priority);
void __wrap_vTaskPrioritySet(TaskHandle_t task, UBaseType_t priority)
{
    if (!defect_now()) {
        __real_vTaskPrioritySet(task, priority);
    }
}
#endif

#ifdef RIG_DEFECT_HEAP_LIES // the firmware says 8 bytes more than are free
size_t __real_xPortGetFreeHeapSize(void);
size_t __wrap_xPortGetFreeHeapSize(void)
{
    return __real_xPortGetFreeHeapSize() + 8u;
}
#endif

#ifdef RIG_DEFECT_ERASE_SHORT // the last word of a sector is not erased
status_t __real_platform_flash_erase(uintptr_t start);
status_t __wrap_platform_flash_erase(uintptr_t start)
{
    static const uint32_t s_word = 0;
    platform_sector_t sector;
    status_t done = __real_platform_flash_erase(start);
    if (done == STATUS_OK && platform_flash_sector(start, &sector) == STATUS_OK) {
        (void)platform_flash_write(start + sector.size - sizeof s_word, &s_word, sizeof s_word);
    }
    return done;
}
#endif

#ifdef RIG_DEFECT_COUNTER_FIRST // the second read of the counter returns the first
void __real_bench_keep(uint32_t index);
void __wrap_bench_keep(uint32_t index)
{
    __real_bench_keep(index);
    g_defect_counter = *(const volatile uint32_t *)DEFECT_TRUE_COUNTER_AT;
}
#endif

#ifdef RIG_DEFECT_TICK_UNTOLD // every second tick is not noted: it is not seen to hit a sample
void __real_vApplicationTickHook(void);
void __wrap_vApplicationTickHook(void);
void __wrap_vApplicationTickHook(void)
{
    static bool s_told;
    s_told = !s_told;
    if (s_told) {
        __real_vApplicationTickHook();
    }
}
#endif
