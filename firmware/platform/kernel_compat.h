// SPDX-License-Identifier: MIT
// The only place that knows kernel versions (V9.0.0 to V11) and heap schemes. Include it instead of
// FreeRTOS.h.
//
//   KERNEL_VERSION        major * 10000 + minor * 100 + build
//   KERNEL_HAS_<feature>  1 where the kernel at hand has it by its version AND by its
//   configuration;
//                         a benchmark of a feature is compiled only then. kernel.features tells
//                         both to the host (bench/kernel_features.c).
//   kernel_…              what changed its name, type or presence between versions
//
// The kernel's own version macros lie in places: tag V10.0.0 calls itself 9.0.0 (told by the
// presence of stream buffers); the lie of V10.2.1 (10.2.0) cannot be told and is kept.
//
// Calls that V9 to V10.4.6 define as macros with an open `if` (vTaskNotifyGiveFromISR,
// vTaskDelayUntil, portYIELD_FROM_ISR) stand in braces of their own wherever this firmware uses
// them below an `if`.
#ifndef KERNEL_COMPAT_H
#define KERNEL_COMPAT_H

#include "FreeRTOS.h"

#include "event_groups.h"
#include "queue.h"
#include "semphr.h"
#include "task.h"
#include "timers.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// ---- version -----------------------------------------------------------------------------------

#define KERNEL_REPORTED                                                                            \
    (tskKERNEL_VERSION_MAJOR * 10000 + tskKERNEL_VERSION_MINOR * 100 + tskKERNEL_VERSION_BUILD)

#if KERNEL_REPORTED == 90000 && __has_include("stream_buffer.h")
    #define KERNEL_VERSION      100000
    #define KERNEL_VERSION_TEXT "V10.0.0"
#else
    #define KERNEL_VERSION      KERNEL_REPORTED
    #define KERNEL_VERSION_TEXT tskKERNEL_VERSION_NUMBER
#endif

#if KERNEL_VERSION < 90000
    #error "FreeRTOS V9.0.0 or later is needed: static allocation"
#endif

// ---- configuration: what a kernel does not know of, or leaves without a default -----------------

#ifndef configUSE_EVENT_GROUPS
    #define configUSE_EVENT_GROUPS 1
#endif
#ifndef configUSE_STREAM_BUFFERS
    #define configUSE_STREAM_BUFFERS 1
#endif
#ifndef configTASK_NOTIFICATION_ARRAY_ENTRIES
    #define configTASK_NOTIFICATION_ARRAY_ENTRIES 1
#endif
#ifndef configENABLE_HEAP_PROTECTOR
    #define configENABLE_HEAP_PROTECTOR 0
#endif
#ifndef configUSE_SB_COMPLETED_CALLBACK
    #define configUSE_SB_COMPLETED_CALLBACK 0
#endif
#ifndef configNUMBER_OF_CORES
    #define configNUMBER_OF_CORES 1
#endif
#ifndef configUSE_PORT_OPTIMISED_TASK_SELECTION
    #define configUSE_PORT_OPTIMISED_TASK_SELECTION 0
#endif
#ifndef configKERNEL_PROVIDED_STATIC_MEMORY
    #define configKERNEL_PROVIDED_STATIC_MEMORY 0
#endif

// What this firmware cannot do without: its tasks are static, and wait by notifications.
#if !configSUPPORT_STATIC_ALLOCATION
    #error "configSUPPORT_STATIC_ALLOCATION is 0: the firmware's tasks are static, it must be 1"
#endif
#if !configUSE_TASK_NOTIFICATIONS
    #error "configUSE_TASK_NOTIFICATIONS is 0: the console waits by notifications, it must be 1"
#endif
#if !configUSE_PREEMPTION
    #error "configUSE_PREEMPTION is 0: what is measured is a preemptive kernel, it must be 1"
#endif
#if configNUMBER_OF_CORES != 1
    #error "configNUMBER_OF_CORES is not 1: a task's switch is timed on one core"
#endif

// ---- features ----------------------------------------------------------------------------------

#define KERNEL_HAS_STATIC_ALLOCATION  configSUPPORT_STATIC_ALLOCATION
#define KERNEL_HAS_DYNAMIC_ALLOCATION configSUPPORT_DYNAMIC_ALLOCATION
#define KERNEL_HAS_NOTIFICATIONS      configUSE_TASK_NOTIFICATIONS
#define KERNEL_HAS_INDEXED_NOTIFICATIONS                                                           \
    (KERNEL_VERSION >= 100400 && KERNEL_HAS_NOTIFICATIONS &&                                       \
     configTASK_NOTIFICATION_ARRAY_ENTRIES > 1)
#define KERNEL_HAS_QUEUE_SETS          configUSE_QUEUE_SETS
#define KERNEL_HAS_COUNTING_SEMAPHORES configUSE_COUNTING_SEMAPHORES
#define KERNEL_HAS_MUTEXES             configUSE_MUTEXES
#define KERNEL_HAS_RECURSIVE_MUTEXES   (configUSE_MUTEXES && configUSE_RECURSIVE_MUTEXES)
#define KERNEL_HAS_EVENT_GROUPS        configUSE_EVENT_GROUPS
#define KERNEL_HAS_TIMERS              configUSE_TIMERS
#define KERNEL_HAS_PENDED_CALLS        (configUSE_TIMERS && INCLUDE_xTimerPendFunctionCall)
// An interrupt sets an event group's bits by way of the timer task.
#define KERNEL_HAS_EVENT_GROUPS_FROM_ISR (KERNEL_HAS_EVENT_GROUPS && KERNEL_HAS_PENDED_CALLS)
// stream_buffer.c waits by notifications.
#define KERNEL_HAS_STREAM_BUFFERS                                                                  \
    (KERNEL_VERSION >= 100000 && configUSE_STREAM_BUFFERS && KERNEL_HAS_NOTIFICATIONS)
#define KERNEL_HAS_MESSAGE_BUFFERS KERNEL_HAS_STREAM_BUFFERS
#define KERNEL_HAS_STREAM_CALLBACKS                                                                \
    (KERNEL_VERSION >= 100500 && KERNEL_HAS_STREAM_BUFFERS && configUSE_SB_COMPLETED_CALLBACK)
#define KERNEL_HAS_BATCHING_BUFFERS    (KERNEL_VERSION >= 110100 && KERNEL_HAS_STREAM_BUFFERS)
#define KERNEL_HAS_TIMER_RELOAD_MODE   (KERNEL_VERSION >= 100200 && KERNEL_HAS_TIMERS)
#define KERNEL_HAS_STATIC_BUFFER_QUERY (KERNEL_VERSION >= 100600 && KERNEL_HAS_STATIC_ALLOCATION)
#define KERNEL_HAS_QUEUE_LENGTH        (KERNEL_VERSION >= 100601)
#define KERNEL_HAS_STATIC_QUEUE_SETS   (KERNEL_VERSION >= 110200 && KERNEL_HAS_QUEUE_SETS)
#define KERNEL_HAS_DELAY_UNTIL         INCLUDE_vTaskDelayUntil
// The configuration says INCLUDE_vTaskDelayUntil: every version understands that name.
#define KERNEL_HAS_DELAY_UNTIL_RESULT (KERNEL_VERSION >= 100402 && INCLUDE_vTaskDelayUntil)
#define KERNEL_HAS_ABORT_DELAY        INCLUDE_xTaskAbortDelay
#define KERNEL_HAS_SUSPEND            INCLUDE_vTaskSuspend
#define KERNEL_HAS_PRIORITY_SET       INCLUDE_vTaskPrioritySet
#define KERNEL_HAS_TASK_DELETE        INCLUDE_vTaskDelete
#define KERNEL_HAS_TRACE              configUSE_TRACE_FACILITY
#define KERNEL_HAS_RUN_TIME_STATS     configGENERATE_RUN_TIME_STATS
#define KERNEL_HAS_CO_ROUTINES        configUSE_CO_ROUTINES
#define KERNEL_HAS_TICKLESS_IDLE      (configUSE_TICKLESS_IDLE != 0)
#define KERNEL_HAS_THREAD_LOCAL       (configNUM_THREAD_LOCAL_STORAGE_POINTERS > 0)
#define KERNEL_HAS_TASK_TAGS          configUSE_APPLICATION_TASK_TAG

#if KERNEL_HAS_STREAM_BUFFERS
    #include "message_buffer.h"
    #include "stream_buffer.h"
#endif

// ---- heap schemes -------------------------------------------------------------------------------

// RIG_KERNEL_HEAP_NUMBER is 1 to 5, that of heap_1 to heap_5; 0 without dynamic allocation.

// portable.h declares every function of the heap for every scheme; calling one that the scheme does
// not define is a link error.
#define KERNEL_HAS_HEAP_FREE                                                                       \
    (KERNEL_HAS_DYNAMIC_ALLOCATION && RIG_KERNEL_HEAP_NUMBER != 1) // gives blocks back
#define KERNEL_HAS_HEAP_FREE_SIZE (KERNEL_HAS_DYNAMIC_ALLOCATION && RIG_KERNEL_HEAP_NUMBER != 3)
#define KERNEL_HAS_HEAP_MIN_EVER  (KERNEL_HAS_DYNAMIC_ALLOCATION && RIG_KERNEL_HEAP_NUMBER >= 4)
#define KERNEL_HAS_HEAP_STATS     (KERNEL_VERSION >= 100300 && KERNEL_HAS_HEAP_MIN_EVER)
#define KERNEL_HAS_HEAP_RESET_MIN (KERNEL_VERSION >= 110200 && KERNEL_HAS_HEAP_MIN_EVER)
#define KERNEL_HAS_HEAP_CALLOC                                                                     \
    (KERNEL_VERSION >= 100500 &&                                                                   \
     (KERNEL_HAS_HEAP_MIN_EVER || (KERNEL_HAS_DYNAMIC_ALLOCATION && RIG_KERNEL_HEAP_NUMBER == 2)))
#define KERNEL_HAS_HEAP_PROTECTOR                                                                  \
    (KERNEL_VERSION >= 110000 && KERNEL_HAS_HEAP_MIN_EVER && configENABLE_HEAP_PROTECTOR)

// Bytes free on the heap; 0 where the scheme does not tell (KERNEL_HAS_HEAP_FREE_SIZE).
static inline size_t kernel_heap_free_bytes(void)
{
#if KERNEL_HAS_HEAP_FREE_SIZE
    return xPortGetFreeHeapSize();
#else
    return 0;
#endif
}

// Gives `block` back. A heap_1 never takes a block: there the whole heap is emptied, which is right
// only while `block` is all that was ever taken from it.
static inline void kernel_heap_give_back(void *block)
{
#if KERNEL_HAS_HEAP_FREE
    vPortFree(block);
#elif KERNEL_HAS_DYNAMIC_ALLOCATION
    (void)block;
    vPortInitialiseBlocks();
#else
    (void)block;
#endif
}

// ---- types that changed ------------------------------------------------------------------------

// Third argument of the idle and timer memory hooks.
#if KERNEL_VERSION >= 110100
typedef configSTACK_DEPTH_TYPE kernel_stack_depth_t;
#else
typedef uint32_t kernel_stack_depth_t;
#endif

// Stack depth in words, as xTaskCreate takes it. xTaskCreateStatic takes kernel_stack_depth_t.
#if KERNEL_VERSION >= 100000
typedef configSTACK_DEPTH_TYPE kernel_create_depth_t;
#else
typedef uint16_t kernel_create_depth_t;
#endif

// Total run time, third argument of uxTaskGetSystemState. The macro alone says nothing: a
// configuration may define it for a kernel that does not know it.
#if KERNEL_VERSION >= 100405
typedef configRUN_TIME_COUNTER_TYPE kernel_run_time_t;
#else
typedef uint32_t kernel_run_time_t;
#endif

// Whether the application supplies the memory of the idle and timer tasks. Where the kernel does,
// a hook of ours would be defined twice.
#define KERNEL_ASKS_FOR_MEMORY                                                                     \
    (configSUPPORT_STATIC_ALLOCATION &&                                                            \
     !(KERNEL_VERSION >= 110000 && configKERNEL_PROVIDED_STATIC_MEMORY))

// Usable bits of an event group: the rest of a TickType_t's, but for its top byte.
#define KERNEL_EVENT_BITS ((sizeof(TickType_t) - 1u) * 8u)

// ---- calls that changed ------------------------------------------------------------------------

// Milliseconds to ticks, rounded down. pdMS_TO_TICKS up to V10.6.2 multiplies in 32 bits and wraps
// above 4,294,967 ms at 1 kHz.
static inline TickType_t kernel_ms_to_ticks(uint32_t ms)
{
    return (TickType_t)((uint64_t)ms * configTICK_RATE_HZ / 1000u);
}

// Delays until `period` ticks after *last, which becomes that tick.
static inline void kernel_delay_until(TickType_t *last, TickType_t period)
{
#if KERNEL_HAS_DELAY_UNTIL_RESULT
    (void)xTaskDelayUntil(last, period);
#else
    vTaskDelayUntil(last, period);
#endif
}

// The stack pointer the kernel saved for a task when it last switched away from it. It is the first
// member of the TCB in every version, because the ports' assembly relies on that.
static inline volatile StackType_t *kernel_saved_stack_slot(TaskHandle_t task)
{
    return (volatile StackType_t *)(void *)task;
}

#endif
