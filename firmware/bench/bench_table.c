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
    {"queue.send.switch", "4B", "xQueueSend until the higher receiver runs", NULL,
     bench_run_queue_switch, bench_peer_queue_switch},
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
    {"critical.enter_exit", "-", "taskENTER_CRITICAL and taskEXIT_CRITICAL", NULL,
     bench_run_critical, NULL},
    {"sched.suspendall", "-", "vTaskSuspendAll and xTaskResumeAll, nothing pended", NULL,
     bench_run_suspendall, NULL},
    {"sched.resume.preempt", "-", "vTaskResume until the higher task runs", NULL,
     bench_run_wake_resume, bench_peer_wake_resume},
    {"notify.give.noswitch", "-", "xTaskNotifyGive to the running task", NULL,
     bench_run_notify_give, NULL},
    {"notify.take.nowait", "-", "ulTaskNotifyTake with one given", NULL, bench_run_notify_take,
     NULL},
    {"notify.give.switch", "-", "xTaskNotifyGive until the higher waiter runs", NULL,
     bench_run_wake_notify, bench_peer_wake_notify},
    {"queue.send", "arg", "xQueueSend without switch; arg: message of 4, 16 or 64 bytes",
     bench_takes_message, bench_run_queue_send, NULL},
    {"queue.recv", "arg", "xQueueReceive without switch; arg: message of 4, 16 or 64 bytes",
     bench_takes_message, bench_run_queue_recv, NULL},
    {"sem.binary.give", "-", "xSemaphoreGive, nobody waits", NULL, bench_run_binary_give, NULL},
    {"sem.binary.take", "-", "xSemaphoreTake of a given one", NULL, bench_run_binary_take, NULL},
    {"sem.binary.give.switch", "-", "xSemaphoreGive until the higher waiter runs", NULL,
     bench_run_wake_sem, bench_peer_wake_sem},
    {"sem.binary.take.switch", "-", "xSemaphoreTake that blocks, until the lower task runs", NULL,
     bench_run_isr_sem_block, bench_peer_isr_sem_block},
#if KERNEL_HAS_COUNTING_SEMAPHORES
    {"sem.counting.give", "-", "xSemaphoreGive, nobody waits", NULL, bench_run_counting_give, NULL},
    {"sem.counting.take", "-", "xSemaphoreTake with one left", NULL, bench_run_counting_take, NULL},
#endif
#if KERNEL_HAS_MUTEXES
    {"mutex.lock", "-", "xSemaphoreTake of a free mutex", NULL, bench_run_mutex_lock, NULL},
    {"mutex.unlock", "-", "xSemaphoreGive of an uncontended mutex", NULL, bench_run_mutex_unlock,
     NULL},
#endif
#if KERNEL_HAS_EVENT_GROUPS
    {"event.set.nowait", "-", "xEventGroupSetBits, nobody waits", NULL, bench_run_event_set, NULL},
    {"event.set.switch", "1", "xEventGroupSetBits until the one higher waiter runs", NULL,
     bench_run_wake_event, bench_peer_wake_event},
#endif
#if KERNEL_HAS_DYNAMIC_ALLOCATION
    {"heap.alloc", "arg", "pvPortMalloc; arg: 16, 128 or 1024 bytes", bench_takes_block,
     bench_run_heap_alloc, NULL},
#endif
#if KERNEL_HAS_HEAP_FREE
    {"heap.free", "arg", "vPortFree; arg: 16, 128 or 1024 bytes", bench_takes_block,
     bench_run_heap_free, NULL},
#endif
    {"isr.entry", "-", "pended interrupt until its handler reads the counter", NULL,
     bench_run_isr_entry, NULL},
    {"isr.exit.resume", "-", "end of the handler until the interrupted task goes on", NULL,
     bench_run_isr_exit, NULL},
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
