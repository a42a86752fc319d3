// SPDX-License-Identifier: MIT
// Kernel configuration for FreeRTOS V9 to V11; board values come from board_config.h. What depends
// on the kernel's version is in kernel_compat.h; macros a version does not know are harmless to it.
#ifndef FREERTOS_CONFIG_H
#define FREERTOS_CONFIG_H

#include "board_config.h"

#ifndef __ASSEMBLER__
// Records where it was called from and resets; in app/crash.c. First cause wins.
__attribute__((noinline, noreturn)) void crash_from_assert(const void *caller);
#endif

// ---- what RIG_KERNEL_CONFIG may set otherwise (cmake/kernel.cmake): each stands in an #ifndef
// ------

#ifndef configUSE_MUTEXES
    #define configUSE_MUTEXES 1
#endif
#ifndef configUSE_RECURSIVE_MUTEXES // the kernel refuses them without mutexes
    #define configUSE_RECURSIVE_MUTEXES configUSE_MUTEXES
#endif
#ifndef configUSE_COUNTING_SEMAPHORES
    #define configUSE_COUNTING_SEMAPHORES 1
#endif
#ifndef configUSE_QUEUE_SETS
    #define configUSE_QUEUE_SETS 1
#endif
#ifndef configUSE_EVENT_GROUPS // V11.1; before, what it switches off is only left out by us
    #define configUSE_EVENT_GROUPS 1
#endif
#ifndef configUSE_STREAM_BUFFERS // V11.1, likewise
    #define configUSE_STREAM_BUFFERS 1
#endif
#ifndef configUSE_TIMERS
    #define configUSE_TIMERS 1
#endif
#ifndef configUSE_TASK_NOTIFICATIONS
    #define configUSE_TASK_NOTIFICATIONS 1
#endif
#ifndef configTASK_NOTIFICATION_ARRAY_ENTRIES
    #define configTASK_NOTIFICATION_ARRAY_ENTRIES 2
#endif
#ifndef configUSE_TRACE_FACILITY
    #define configUSE_TRACE_FACILITY 1
#endif
#ifndef configSUPPORT_STATIC_ALLOCATION
    #define configSUPPORT_STATIC_ALLOCATION 1
#endif
#ifndef configUSE_PREEMPTION
    #define configUSE_PREEMPTION 1
#endif
#ifndef configUSE_TIME_SLICING
    #define configUSE_TIME_SLICING 1
#endif
#ifndef configUSE_TICKLESS_IDLE
    #define configUSE_TICKLESS_IDLE 0
#endif
#ifndef configNUM_THREAD_LOCAL_STORAGE_POINTERS
    #define configNUM_THREAD_LOCAL_STORAGE_POINTERS 0
#endif
#ifndef configUSE_APPLICATION_TASK_TAG
    #define configUSE_APPLICATION_TASK_TAG 0
#endif
#ifndef configENABLE_HEAP_PROTECTOR // V11
    #define configENABLE_HEAP_PROTECTOR 0
#endif
#ifndef configUSE_SB_COMPLETED_CALLBACK // V10.5
    #define configUSE_SB_COMPLETED_CALLBACK 0
#endif
#ifndef configTOTAL_HEAP_SIZE
    #define configTOTAL_HEAP_SIZE (64 * 1024)
#endif
#ifndef INCLUDE_xTimerPendFunctionCall // the timer task makes the call: refused without it
    #define INCLUDE_xTimerPendFunctionCall configUSE_TIMERS
#endif
#ifndef INCLUDE_xTaskAbortDelay
    #define INCLUDE_xTaskAbortDelay 1
#endif

// ---- what the firmware is written for ----------------------------------------------------------

#define configUSE_IDLE_HOOK                 1
#define configUSE_TICK_HOOK                 1
#define configCPU_CLOCK_HZ                  PLATFORM_CORE_HZ
#define configTICK_RATE_HZ                  1000
#define configMAX_PRIORITIES                8
#define configMINIMAL_STACK_SIZE            128
#define configMAX_TASK_NAME_LEN             16
#define configUSE_16_BIT_TICKS              0 // V11 still takes it; up to V10.5.1 only it
#define configIDLE_SHOULD_YIELD             1
#define configKERNEL_PROVIDED_STATIC_MEMORY 0
#define configQUEUE_REGISTRY_SIZE           4
#define configUSE_CO_ROUTINES               0
#define configGENERATE_RUN_TIME_STATS       0
#define configTIMER_TASK_PRIORITY           (configMAX_PRIORITIES - 1)
#define configTIMER_QUEUE_LENGTH            8
#define configTIMER_TASK_STACK_DEPTH        256
#define configRECORD_STACK_HIGH_ADDRESS     1
#define configENABLE_BACKWARD_COMPATIBILITY 0

// A heap scheme is chosen by RIG_KERNEL_HEAP; `none` is a kernel without dynamic allocation.
#if RIG_KERNEL_HEAP_NUMBER == 0
    #define configSUPPORT_DYNAMIC_ALLOCATION 0
    #define configUSE_MALLOC_FAILED_HOOK     0
#else
    #define configSUPPORT_DYNAMIC_ALLOCATION 1
    #define configUSE_MALLOC_FAILED_HOOK     1
#endif

#define configCHECK_FOR_STACK_OVERFLOW 2
#define configASSERT(x)                                                                            \
    do {                                                                                           \
        if ((x) == 0) {                                                                            \
            crash_from_assert(__builtin_return_address(0));                                        \
        }                                                                                          \
    } while (0)

// Priorities as the NVIC takes them; interrupts that call the kernel have PLATFORM_IRQ_PRIORITY.
// From V10.6.0 the bits that no NVIC here implements must be 0.
#define configKERNEL_INTERRUPT_PRIORITY      255
#define configMAX_SYSCALL_INTERRUPT_PRIORITY 0x40

#define configENABLE_FPU       0
#define configENABLE_MPU       0
#define configENABLE_TRUSTZONE 0

#define INCLUDE_vTaskPrioritySet            1
#define INCLUDE_uxTaskPriorityGet           1
#define INCLUDE_vTaskDelete                 1
#define INCLUDE_vTaskSuspend                1
#define INCLUDE_vTaskDelay                  1
#define INCLUDE_vTaskDelayUntil             1
#define INCLUDE_eTaskGetState               1
#define INCLUDE_uxTaskGetStackHighWaterMark 1
#define INCLUDE_xTaskGetIdleTaskHandle      1
#define INCLUDE_xTaskGetCurrentTaskHandle   1
#define INCLUDE_xTaskGetSchedulerState      1
#define INCLUDE_xTaskGetHandle              1

#define vPortSVCHandler     SVC_Handler
#define xPortPendSVHandler  PendSV_Handler
#define xPortSysTickHandler SysTick_Handler

#endif
