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

#define KERNEL_HAS_STREAM_BUFFERS (KERNEL_VERSION >= 100000)
#if KERNEL_HAS_STREAM_BUFFERS
    #include "stream_buffer.h"
#endif

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
