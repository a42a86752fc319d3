// SPDX-License-Identifier: MIT
// The functions bench_table.c makes its rows of; each is described in its file and by its row's
// help.
#ifndef BENCH_ROWS_H
#define BENCH_ROWS_H

#include <stdbool.h>
#include <stdint.h>

const char *bench_run_overhead(uint32_t n, int32_t arg);
const char *bench_run_nops(uint32_t n, int32_t arg);
bool bench_takes_nops(int32_t arg);

const char *bench_run_yield_self(uint32_t n, int32_t arg);
const char *bench_run_yield_peer(uint32_t n, int32_t arg);
void bench_peer_yield_peer(uint32_t n);

const char *bench_run_queue_switch(uint32_t n, int32_t arg);
void bench_peer_queue_switch(uint32_t n);
const char *bench_run_blocked_sender(uint32_t n, int32_t arg);
void bench_peer_blocked_sender(uint32_t n);

const char *bench_run_isr_notify(uint32_t n, int32_t arg);
const char *bench_run_isr_sem(uint32_t n, int32_t arg);
const char *bench_run_isr_queue(uint32_t n, int32_t arg);
void bench_peer_isr_notify(uint32_t n);
void bench_peer_isr_sem(uint32_t n);
void bench_peer_isr_queue(uint32_t n);
const char *bench_run_isr_event(uint32_t n, int32_t arg);
void bench_peer_isr_event(uint32_t n);
const char *bench_run_isr_stream(uint32_t n, int32_t arg);
void bench_peer_isr_stream(uint32_t n);
const char *bench_run_isr_entry(uint32_t n, int32_t arg);
const char *bench_run_isr_exit(uint32_t n, int32_t arg);

// bench_local.c
const char *bench_run_critical(uint32_t n, int32_t arg);
const char *bench_run_notify_give(uint32_t n, int32_t arg);
const char *bench_run_notify_take(uint32_t n, int32_t arg);
const char *bench_run_indexed_give(uint32_t n, int32_t arg);
const char *bench_run_indexed_take(uint32_t n, int32_t arg);
const char *bench_run_queue_send(uint32_t n, int32_t arg);
const char *bench_run_queue_recv(uint32_t n, int32_t arg);
const char *bench_run_binary_give(uint32_t n, int32_t arg);
const char *bench_run_binary_take(uint32_t n, int32_t arg);
const char *bench_run_counting_give(uint32_t n, int32_t arg);
const char *bench_run_counting_take(uint32_t n, int32_t arg);
bool bench_takes_index(int32_t arg);
bool bench_takes_message(int32_t arg);

// bench_wake.c
const char *bench_run_wake_notify(uint32_t n, int32_t arg);
const char *bench_run_wake_sem(uint32_t n, int32_t arg);
const char *bench_run_sem_block(uint32_t n, int32_t arg);
void bench_peer_wake_notify(uint32_t n);
void bench_peer_wake_sem(uint32_t n);
void bench_peer_wake_counting(uint32_t n);
void bench_peer_sem_block(uint32_t n);
void bench_peer_counting_block(uint32_t n);

// bench_suspend.c
const char *bench_run_wake_resume(uint32_t n, int32_t arg);
const char *bench_run_suspend_self(uint32_t n, int32_t arg);
const char *bench_run_prio_raise(uint32_t n, int32_t arg);
const char *bench_run_suspendall(uint32_t n, int32_t arg);
void bench_peer_wake_resume(uint32_t n);
void bench_peer_suspend_self(uint32_t n);
void bench_peer_prio_raise(uint32_t n);
bool bench_takes_pended(int32_t arg);

// bench_task.c
const char *bench_run_create_static(uint32_t n, int32_t arg);
const char *bench_run_create_dynamic(uint32_t n, int32_t arg);
const char *bench_run_delete(uint32_t n, int32_t arg);
const char *bench_run_delete_idle(uint32_t n, int32_t arg);

// bench_queue_set.c
const char *bench_run_queue_set(uint32_t n, int32_t arg);

// bench_mutex.c
const char *bench_run_mutex_lock(uint32_t n, int32_t arg);
const char *bench_run_mutex_unlock(uint32_t n, int32_t arg);
const char *bench_run_recursive_lock(uint32_t n, int32_t arg);
const char *bench_run_recursive_unlock(uint32_t n, int32_t arg);
const char *bench_run_inherit_raise(uint32_t n, int32_t arg);
const char *bench_run_inherit_unlock(uint32_t n, int32_t arg);
const char *bench_run_inherit_bounded(uint32_t n, int32_t arg);
void bench_peer_inherit(uint32_t n);
void bench_peer_inherit_bounded(uint32_t n);
bool bench_takes_depth(int32_t arg);

// bench_event.c
const char *bench_run_event_set(uint32_t n, int32_t arg);
const char *bench_run_event_switch(uint32_t n, int32_t arg);
const char *bench_run_event_sync(uint32_t n, int32_t arg);
bool bench_takes_waiters(int32_t arg);

// bench_stream.c
const char *bench_run_stream_send(uint32_t n, int32_t arg);
const char *bench_run_stream_recv(uint32_t n, int32_t arg);
const char *bench_run_stream_switch(uint32_t n, int32_t arg);
const char *bench_run_stream_trigger(uint32_t n, int32_t arg);
const char *bench_run_message_send(uint32_t n, int32_t arg);
const char *bench_run_message_recv(uint32_t n, int32_t arg);
bool bench_takes_stream(int32_t arg);
bool bench_takes_trigger(int32_t arg);
bool bench_takes_framed(int32_t arg);

// bench_timer_start.c
const char *bench_run_timer_start(uint32_t n, int32_t arg);

// bench_heap.c
const char *bench_run_heap_static(uint32_t n, int32_t arg);
const char *bench_run_heap_alloc(uint32_t n, int32_t arg);
const char *bench_run_heap_free(uint32_t n, int32_t arg);
const char *bench_run_heap_alloc_broken(uint32_t n, int32_t arg);
const char *bench_run_heap_free_broken(uint32_t n, int32_t arg);
bool bench_takes_block(int32_t arg);

// bench_delay.c
const char *bench_run_delay(uint32_t n, int32_t arg);
const char *bench_run_expiry(uint32_t n, int32_t arg);

// bench_masked.c
bool bench_takes_call(int32_t arg);
const char *bench_run_masked_above(uint32_t n, int32_t arg);
const char *bench_run_masked_below(uint32_t n, int32_t arg);
const char *bench_run_longest(uint32_t n, int32_t arg);

// bench_tick.c
bool bench_takes_crew(int32_t arg);
const char *bench_run_tick_cost(uint32_t n, int32_t arg);
const char *bench_run_tick_jitter(uint32_t n, int32_t arg);

#endif
