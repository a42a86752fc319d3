// SPDX-License-Identifier: MIT
// The only place that knows kernel versions (V9.0.0 to V11). Include it instead of FreeRTOS.h.
//
// KERNEL_VERSION = major * 10000 + minor * 100 + build. The kernel's own macros lie in places: tag
// V10.0.0 calls itself 9.0.0 (told by the presence of stream buffers); the lie of V10.2.1 (10.2.0)
// cannot be told and is kept.
#ifndef KERNEL_COMPAT_H
#define KERNEL_COMPAT_H

#include "FreeRTOS.h"

#include "event_groups.h"
#include "queue.h"
#include "semphr.h"
#include "task.h"
#include "timers.h"

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

#ifndef configUSE_EVENT_GROUPS
    #define configUSE_EVENT_GROUPS 1
#endif
#ifndef configUSE_STREAM_BUFFERS
    #define configUSE_STREAM_BUFFERS 1
#endif
#ifndef configTASK_NOTIFICATION_ARRAY_ENTRIES
    #define configTASK_NOTIFICATION_ARRAY_ENTRIES 1
#endif

// What this kernel has, by its version and by its configuration.
#define KERNEL_HAS_DYNAMIC_ALLOCATION configSUPPORT_DYNAMIC_ALLOCATION
#define KERNEL_HAS_INDEXED_NOTIFICATIONS                                                           \
    (KERNEL_VERSION >= 100400 && configTASK_NOTIFICATION_ARRAY_ENTRIES > 1)
#define KERNEL_HAS_QUEUE_SETS          configUSE_QUEUE_SETS
#define KERNEL_HAS_STATIC_QUEUE_SETS   (KERNEL_VERSION >= 110200 && KERNEL_HAS_QUEUE_SETS)
#define KERNEL_HAS_COUNTING_SEMAPHORES configUSE_COUNTING_SEMAPHORES
#define KERNEL_HAS_MUTEXES             configUSE_MUTEXES
#define KERNEL_HAS_RECURSIVE_MUTEXES   (configUSE_MUTEXES && configUSE_RECURSIVE_MUTEXES)
#define KERNEL_HAS_EVENT_GROUPS        configUSE_EVENT_GROUPS
#define KERNEL_HAS_TIMERS              configUSE_TIMERS
#define KERNEL_HAS_EVENT_GROUPS_FROM_ISR                                                           \
    (KERNEL_HAS_EVENT_GROUPS && configUSE_TIMERS && INCLUDE_xTimerPendFunctionCall)
#define KERNEL_HAS_STREAM_BUFFERS  (KERNEL_VERSION >= 100000 && configUSE_STREAM_BUFFERS)
#define KERNEL_HAS_MESSAGE_BUFFERS KERNEL_HAS_STREAM_BUFFERS
#if KERNEL_HAS_STREAM_BUFFERS
    #include "message_buffer.h"
    #include "stream_buffer.h"
#endif

// The heap's scheme by its number: heap_1 takes no block back, heap_3 does not tell what is free.
#define KERNEL_HAS_HEAP_FREE      (KERNEL_HAS_DYNAMIC_ALLOCATION && RIG_KERNEL_HEAP_NUMBER != 1)
#define KERNEL_HAS_HEAP_FREE_SIZE (KERNEL_HAS_DYNAMIC_ALLOCATION && RIG_KERNEL_HEAP_NUMBER != 3)

// Bytes free on the heap; 0 where the scheme does not tell.
static inline size_t kernel_heap_free_bytes(void)
{
#if KERNEL_HAS_HEAP_FREE_SIZE
    return xPortGetFreeHeapSize();
#else
    return 0;
#endif
}

// Gives `block` back. A heap_1 never takes a block: there the whole heap is emptied, which is right
// only while nothing else was taken from it.
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

// Third argument of the idle and timer memory hooks.
#if KERNEL_VERSION >= 110100
typedef configSTACK_DEPTH_TYPE kernel_stack_depth_t;
#else
typedef uint32_t kernel_stack_depth_t;
#endif

#ifndef configUSE_PORT_OPTIMISED_TASK_SELECTION
    #define configUSE_PORT_OPTIMISED_TASK_SELECTION 0
#endif

// The stack pointer the kernel saved for a task when it last switched away from it. It is the first
// member of the TCB in every version, because the ports' assembly relies on that.
static inline volatile StackType_t *kernel_saved_stack_slot(TaskHandle_t task)
{
    return (volatile StackType_t *)(void *)task;
}

#endif
