// SPDX-License-Identifier: MIT
// The table of benchmarks. Ids are part of the console's protocol: they name measurements.
#include "bench.h"
#include "bench_rows.h"
#include "kernel_compat.h"

#include <string.h>

static const bench_row_t s_rows[] = {
    {"probe.overhead", "-", "two counter reads with nothing between", NULL, bench_run_overhead,
     NULL},
    {"cal.nops", "arg", "arg NOP instructions: 0, 1, 2, 10, 11 or 12", bench_takes_nops,
     bench_run_nops, NULL},
    {"sched.yield.self", "-", "taskYIELD with nobody else ready", NULL, bench_run_yield_self, NULL},
    {"sched.yield.peer", "-", "taskYIELD until the other task of the same priority runs", NULL,
     bench_run_yield_peer, bench_peer_yield_peer},
    {"sched.resume.preempt", "-", "vTaskResume until the higher task runs", NULL,
     bench_run_wake_resume, bench_peer_wake_resume},
    {"sched.suspend.self", "-", "vTaskSuspend(NULL) until the lower task runs", NULL,
     bench_run_suspend_self, bench_peer_suspend_self},
    {"sched.prio.raise", "-", "vTaskPrioritySet above the caller until the raised task runs", NULL,
     bench_run_prio_raise, bench_peer_prio_raise},
    {"sched.suspendall", "arg",
     "xTaskResumeAll and vTaskSuspendAll; arg: 0, 1 or 5 lower tasks made ready before",
     bench_takes_pended, bench_run_suspendall, NULL},
    {"task.create.static", "-", "xTaskCreateStatic of a lower task, call to return", NULL,
     bench_run_create_static, NULL},
#if KERNEL_HAS_HEAP_FREE
    {"task.create.dynamic", "-", "xTaskCreate of a lower task, call to return", NULL,
     bench_run_create_dynamic, NULL},
#endif
    {"task.delete", "-", "vTaskDelete of another task, of static memory, call to return", NULL,
     bench_run_delete, NULL},
#if KERNEL_HAS_HEAP_FREE
    {"task.delete.idle", "-",
     "the idle task's turn in which it frees a task that deleted itself, from hook to hook", NULL,
     bench_run_delete_idle, NULL},
#endif
    {"notify.give.noswitch", "-", "xTaskNotifyGive to the running task", NULL,
     bench_run_notify_give, NULL},
    {"notify.take.nowait", "-", "ulTaskNotifyTake with one given", NULL, bench_run_notify_take,
     NULL},
    {"notify.give.switch", "-", "xTaskNotifyGive until the higher waiter runs", NULL,
     bench_run_wake_notify, bench_peer_wake_notify},
#if KERNEL_HAS_INDEXED_NOTIFICATIONS
    {"notify.indexed.give", "arg", "xTaskNotifyGiveIndexed to the running task; arg: index 0 or 1",
     bench_takes_index, bench_run_indexed_give, NULL},
    {"notify.indexed.take", "arg", "ulTaskNotifyTakeIndexed with one given; arg: index 0 or 1",
     bench_takes_index, bench_run_indexed_take, NULL},
#endif
    {"queue.send", "arg", "xQueueSend without switch; arg: message of 4, 16 or 64 bytes",
     bench_takes_message, bench_run_queue_send, NULL},
    {"queue.recv", "arg", "xQueueReceive without switch; arg: message of 4, 16 or 64 bytes",
     bench_takes_message, bench_run_queue_recv, NULL},
    {"queue.send.switch", "4B", "xQueueSend until the higher receiver runs", NULL,
     bench_run_queue_switch, bench_peer_queue_switch},
    {"queue.blocked.sender", "4B",
     "xQueueReceive from a full queue until the higher blocked sender runs", NULL,
     bench_run_blocked_sender, bench_peer_blocked_sender},
#if KERNEL_HAS_QUEUE_SETS && (KERNEL_HAS_HEAP_FREE || KERNEL_HAS_STATIC_QUEUE_SETS)
    {"queueset.select", "4B",
     "xQueueSend to a member until xQueueSelectFromSet returns in the higher task", NULL,
     bench_run_queue_set, NULL},
#endif
    {"sem.binary.give", "-", "xSemaphoreGive, nobody waits", NULL, bench_run_binary_give, NULL},
    {"sem.binary.take", "-", "xSemaphoreTake of a given one", NULL, bench_run_binary_take, NULL},
    {"sem.binary.give.switch", "-", "xSemaphoreGive until the higher waiter runs", NULL,
     bench_run_wake_sem, bench_peer_wake_sem},
    {"sem.binary.take.switch", "-", "xSemaphoreTake that blocks, until the lower task runs", NULL,
     bench_run_sem_block, bench_peer_sem_block},
#if KERNEL_HAS_COUNTING_SEMAPHORES
    {"sem.counting.give", "-", "xSemaphoreGive, nobody waits", NULL, bench_run_counting_give, NULL},
    {"sem.counting.take", "-", "xSemaphoreTake with one left", NULL, bench_run_counting_take, NULL},
    {"sem.counting.give.switch", "-", "xSemaphoreGive until the higher waiter runs", NULL,
     bench_run_wake_sem, bench_peer_wake_counting},
    {"sem.counting.take.switch", "-", "xSemaphoreTake that blocks, until the lower task runs", NULL,
     bench_run_sem_block, bench_peer_counting_block},
#endif
#if KERNEL_HAS_MUTEXES
    {"mutex.lock", "-", "xSemaphoreTake of a free mutex", NULL, bench_run_mutex_lock, NULL},
    {"mutex.unlock", "-", "xSemaphoreGive of an uncontended mutex", NULL, bench_run_mutex_unlock,
     NULL},
    {"mutex.inherit.raise", "-", "a higher task blocks on the mutex until its holder runs, raised",
     NULL, bench_run_inherit_raise, bench_peer_inherit},
    {"mutex.inherit.unlock", "-", "the raised holder unlocks until the higher task runs", NULL,
     bench_run_inherit_unlock, bench_peer_inherit},
    {"mutex.inherit.bounded", "-",
     "a higher task waits for the mutex while a task between would hog the core", NULL,
     bench_run_inherit_bounded, bench_peer_inherit_bounded},
#endif
#if KERNEL_HAS_RECURSIVE_MUTEXES
    {"mutex.recursive.lock", "arg", "xSemaphoreTakeRecursive; arg: depth after it, 1 or 4",
     bench_takes_depth, bench_run_recursive_lock, NULL},
    {"mutex.recursive.unlock", "arg", "xSemaphoreGiveRecursive; arg: depth before it, 1 or 4",
     bench_takes_depth, bench_run_recursive_unlock, NULL},
#endif
#if KERNEL_HAS_EVENT_GROUPS
    {"event.set.nowait", "-", "xEventGroupSetBits, nobody waits", NULL, bench_run_event_set, NULL},
    {"event.set.switch", "arg",
     "xEventGroupSetBits until the last waiter runs; arg: 1 or 4 higher waiters",
     bench_takes_waiters, bench_run_event_switch, NULL},
    {"event.sync", "-", "xEventGroupSync of the last of three tasks until the first of them runs",
     NULL, bench_run_event_sync, NULL},
#endif
#if KERNEL_HAS_STREAM_BUFFERS
    {"stream.send", "arg", "xStreamBufferSend, nobody waits; arg: 1 or 64 bytes",
     bench_takes_stream, bench_run_stream_send, NULL},
    {"stream.recv", "arg", "xStreamBufferReceive of bytes that are there; arg: 1 or 64",
     bench_takes_stream, bench_run_stream_recv, NULL},
    {"stream.send.switch", "arg",
     "xStreamBufferSend until the higher receiver runs; arg: 1 or 64 bytes", bench_takes_stream,
     bench_run_stream_switch, NULL},
    {"stream.trigger.switch", "arg",
     "the byte that reaches trigger level arg until the higher receiver runs; arg: 16",
     bench_takes_trigger, bench_run_stream_trigger, NULL},
#endif
#if KERNEL_HAS_MESSAGE_BUFFERS
    {"message.send", "arg", "xMessageBufferSend, nobody waits; arg: 16 or 64 bytes",
     bench_takes_framed, bench_run_message_send, NULL},
    {"message.recv", "arg", "xMessageBufferReceive of a message that is there; arg: 16 or 64 bytes",
     bench_takes_framed, bench_run_message_recv, NULL},
#endif
#if KERNEL_HAS_TIMERS
    {"timer.start.cmd", "-", "xTimerStart, the command alone", NULL, bench_run_timer_start, NULL},
#endif
    {"heap.static", "arg", "a block of static memory; arg: 16, 128 or 1024 bytes",
     bench_takes_block, bench_run_heap_static, NULL},
#if KERNEL_HAS_DYNAMIC_ALLOCATION
    {"heap.alloc", "arg", "pvPortMalloc from a heap in one piece; arg: 16, 128 or 1024 bytes",
     bench_takes_block, bench_run_heap_alloc, NULL},
#endif
#if KERNEL_HAS_HEAP_FREE
    {"heap.free", "arg", "vPortFree into a heap in one piece; arg: 16, 128 or 1024 bytes",
     bench_takes_block, bench_run_heap_free, NULL},
    {"heap.alloc.fragmented", "arg",
     "pvPortMalloc behind 32 free pieces that are too small; arg: 16, 128 or 1024 bytes",
     bench_takes_block, bench_run_heap_alloc_broken, NULL},
    {"heap.free.fragmented", "arg", "vPortFree behind 32 free pieces; arg: 16, 128 or 1024 bytes",
     bench_takes_block, bench_run_heap_free_broken, NULL},
#endif
    {"critical.enter_exit", "-", "taskENTER_CRITICAL and taskEXIT_CRITICAL", NULL,
     bench_run_critical, NULL},
    {"isr.entry", "-", "pended interrupt until its handler reads the counter", NULL,
     bench_run_isr_entry, NULL},
    {"isr.exit.resume", "-", "end of the handler until the interrupted task goes on", NULL,
     bench_run_isr_exit, NULL},
    {"isr.to.task.notify", "notify", "pended interrupt until the task it notifies runs", NULL,
     bench_run_isr_notify, bench_peer_isr_notify},
    {"isr.to.task.sem", "sem", "pended interrupt until the task it gives a semaphore runs", NULL,
     bench_run_isr_sem, bench_peer_isr_sem},
    {"isr.to.task.queue", "queue", "pended interrupt until the task it sends to runs", NULL,
     bench_run_isr_queue, bench_peer_isr_queue},
#if KERNEL_HAS_EVENT_GROUPS_FROM_ISR
    {"isr.to.task.event", "event",
     "pended interrupt until the task whose bit it sets runs, by way of the timer task", NULL,
     bench_run_isr_event, bench_peer_isr_event},
#endif
#if KERNEL_HAS_STREAM_BUFFERS
    {"isr.to.task.stream", "stream", "pended interrupt until the task it sends a byte to runs",
     NULL, bench_run_isr_stream, bench_peer_isr_stream},
#endif
    {"task.delay.accuracy", "-", "vTaskDelayUntil: from the tick until the task runs", NULL,
     bench_run_delay, NULL},
#if KERNEL_HAS_TIMERS
    {"timer.expiry.latency", "-", "from the tick a timer expires at until its callback", NULL,
     bench_run_expiry, NULL},
#endif
    {"isr.masked.above", "-",
     "alarm until its handler, above what the kernel masks, while kernel calls run", NULL,
     bench_run_masked_above, NULL},
    {"isr.masked.below", "-",
     "alarm until its handler, at a priority the kernel masks, while kernel calls run", NULL,
     bench_run_masked_below, NULL},
    {"critical.longest", "arg",
     "how long an interrupt waits at every phase of a call; arg: 1 yield, 2 notify, 3 queue send, "
     "4 semaphore, 5 mutex, 6 event group, 7 timer start, 8 malloc",
     bench_takes_call, bench_run_longest, NULL},
    {"tick.isr.cost", "arg", "the tick interrupt; arg: 0, 5 or 20 tasks that it makes ready",
     bench_takes_crew, bench_run_tick_cost, NULL},
    {"tick.jitter", "arg",
     "time between two tick hooks, off the period; arg: 0, 5 or 20 delayed tasks", bench_takes_crew,
     bench_run_tick_jitter, NULL},
};

enum { ROWS = sizeof s_rows / sizeof s_rows[0] };

const bench_row_t *bench_row(size_t index)
{
    return index < ROWS ? &s_rows[index] : NULL;
}

const bench_row_t *bench_find(const char *id)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (strcmp(s_rows[i].id, id) == 0) {
            return &s_rows[i];
        }
    }
    return NULL;
}
