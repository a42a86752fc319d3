// SPDX-License-Identifier: MIT
#include "kernel_features.h"

#include "kernel_compat.h"

// A macro's value as text.
#define TEXT_OF(value) #value
#define TEXT(macro)    TEXT_OF(macro)
#define ROW(name, has, since, config)                                                              \
    {                                                                                              \
        name, (has) != 0, since, #config, TEXT(config)                                             \
    }
#define ALWAYS(name)                                                                               \
    {                                                                                              \
        name, true, "V9.0.0", "-", "-"                                                             \
    }
#define BY_VERSION(name, has, since)                                                               \
    {                                                                                              \
        name, (has) != 0, since, "-", "-"                                                          \
    }
// The schemes differ in what they can do: the macro is the build's.
#define BY_HEAP(name, has, since)                                                                  \
    {                                                                                              \
        name, (has) != 0, since, "RIG_KERNEL_HEAP", RIG_KERNEL_HEAP                                \
    }

static const kernel_feature_t s_features[] = {
    ALWAYS("tasks"),
    ROW("static-allocation", KERNEL_HAS_STATIC_ALLOCATION, "V9.0.0",
        configSUPPORT_STATIC_ALLOCATION),
    BY_HEAP("dynamic-allocation", KERNEL_HAS_DYNAMIC_ALLOCATION, "V9.0.0"),
    ROW("task-delete", KERNEL_HAS_TASK_DELETE, "V9.0.0", INCLUDE_vTaskDelete),
    ROW("task-suspend", KERNEL_HAS_SUSPEND, "V9.0.0", INCLUDE_vTaskSuspend),
    ROW("priority-set", KERNEL_HAS_PRIORITY_SET, "V9.0.0", INCLUDE_vTaskPrioritySet),
    ROW("delay-until", KERNEL_HAS_DELAY_UNTIL, "V9.0.0", INCLUDE_vTaskDelayUntil),
    ROW("delay-until-result", KERNEL_HAS_DELAY_UNTIL_RESULT, "V10.4.2", INCLUDE_vTaskDelayUntil),
    ROW("abort-delay", KERNEL_HAS_ABORT_DELAY, "V9.0.0", INCLUDE_xTaskAbortDelay),
    ROW("task-notifications", KERNEL_HAS_NOTIFICATIONS, "V9.0.0", configUSE_TASK_NOTIFICATIONS),
    ROW("indexed-notifications", KERNEL_HAS_INDEXED_NOTIFICATIONS, "V10.4.0",
        configTASK_NOTIFICATION_ARRAY_ENTRIES),
    ALWAYS("queues"),
    ROW("queue-sets", KERNEL_HAS_QUEUE_SETS, "V9.0.0", configUSE_QUEUE_SETS),
    ROW("static-queue-sets", KERNEL_HAS_STATIC_QUEUE_SETS, "V11.2.0", configUSE_QUEUE_SETS),
    BY_VERSION("queue-length", KERNEL_HAS_QUEUE_LENGTH, "V10.6.1"),
    ALWAYS("binary-semaphores"),
    ROW("counting-semaphores", KERNEL_HAS_COUNTING_SEMAPHORES, "V9.0.0",
        configUSE_COUNTING_SEMAPHORES),
    ROW("mutexes", KERNEL_HAS_MUTEXES, "V9.0.0", configUSE_MUTEXES),
// Recursive mutexes are mutexes: what switches those off switches them off too.
#if configUSE_MUTEXES
    ROW("recursive-mutexes", KERNEL_HAS_RECURSIVE_MUTEXES, "V9.0.0", configUSE_RECURSIVE_MUTEXES),
#else
    ROW("recursive-mutexes", KERNEL_HAS_RECURSIVE_MUTEXES, "V9.0.0", configUSE_MUTEXES),
#endif
    ROW("event-groups", KERNEL_HAS_EVENT_GROUPS, "V9.0.0", configUSE_EVENT_GROUPS),
#if !configUSE_EVENT_GROUPS
    ROW("event-groups-from-isr", KERNEL_HAS_EVENT_GROUPS_FROM_ISR, "V9.0.0",
        configUSE_EVENT_GROUPS),
#elif !configUSE_TIMERS
    ROW("event-groups-from-isr", KERNEL_HAS_EVENT_GROUPS_FROM_ISR, "V9.0.0", configUSE_TIMERS),
#else
    ROW("event-groups-from-isr", KERNEL_HAS_EVENT_GROUPS_FROM_ISR, "V9.0.0",
        INCLUDE_xTimerPendFunctionCall),
#endif
    ROW("stream-buffers", KERNEL_HAS_STREAM_BUFFERS, "V10.0.0", configUSE_STREAM_BUFFERS),
    ROW("message-buffers", KERNEL_HAS_MESSAGE_BUFFERS, "V10.0.0", configUSE_STREAM_BUFFERS),
    ROW("stream-buffer-callbacks", KERNEL_HAS_STREAM_CALLBACKS, "V10.5.0",
        configUSE_SB_COMPLETED_CALLBACK),
    ROW("batching-buffers", KERNEL_HAS_BATCHING_BUFFERS, "V11.1.0", configUSE_STREAM_BUFFERS),
    ROW("timers", KERNEL_HAS_TIMERS, "V9.0.0", configUSE_TIMERS),
    ROW("timer-reload-mode", KERNEL_HAS_TIMER_RELOAD_MODE, "V10.2.0", configUSE_TIMERS),
    ROW("static-buffer-query", KERNEL_HAS_STATIC_BUFFER_QUERY, "V10.6.0",
        configSUPPORT_STATIC_ALLOCATION),
    BY_HEAP("heap-free", KERNEL_HAS_HEAP_FREE, "V9.0.0"),
    BY_HEAP("heap-free-size", KERNEL_HAS_HEAP_FREE_SIZE, "V9.0.0"),
    BY_HEAP("heap-min-ever", KERNEL_HAS_HEAP_MIN_EVER, "V9.0.0"),
    BY_HEAP("heap-stats", KERNEL_HAS_HEAP_STATS, "V10.3.0"),
    BY_HEAP("heap-calloc", KERNEL_HAS_HEAP_CALLOC, "V10.5.0"),
    BY_HEAP("heap-reset-min", KERNEL_HAS_HEAP_RESET_MIN, "V11.2.0"),
    ROW("heap-protector", KERNEL_HAS_HEAP_PROTECTOR, "V11.0.0", configENABLE_HEAP_PROTECTOR),
    ROW("trace-facility", KERNEL_HAS_TRACE, "V9.0.0", configUSE_TRACE_FACILITY),
    ROW("run-time-stats", KERNEL_HAS_RUN_TIME_STATS, "V9.0.0", configGENERATE_RUN_TIME_STATS),
    ROW("co-routines", KERNEL_HAS_CO_ROUTINES, "V9.0.0", configUSE_CO_ROUTINES),
    ROW("tickless-idle", KERNEL_HAS_TICKLESS_IDLE, "V9.0.0", configUSE_TICKLESS_IDLE),
    ROW("thread-local-storage", KERNEL_HAS_THREAD_LOCAL, "V9.0.0",
        configNUM_THREAD_LOCAL_STORAGE_POINTERS),
    ROW("task-tags", KERNEL_HAS_TASK_TAGS, "V9.0.0", configUSE_APPLICATION_TASK_TAG),
};

const kernel_feature_t *kernel_feature(size_t index)
{
    return index < sizeof s_features / sizeof s_features[0] ? &s_features[index] : NULL;
}
