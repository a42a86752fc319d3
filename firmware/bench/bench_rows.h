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
const char *bench_run_isr_sem_block(uint32_t n, int32_t arg);
void bench_peer_isr_sem_block(uint32_t n);

// bench_local.c
const char *bench_run_critical(uint32_t n, int32_t arg);
const char *bench_run_suspendall(uint32_t n, int32_t arg);
const char *bench_run_notify_give(uint32_t n, int32_t arg);
const char *bench_run_notify_take(uint32_t n, int32_t arg);
const char *bench_run_queue_send(uint32_t n, int32_t arg);
const char *bench_run_queue_recv(uint32_t n, int32_t arg);
const char *bench_run_binary_give(uint32_t n, int32_t arg);
const char *bench_run_binary_take(uint32_t n, int32_t arg);
const char *bench_run_counting_give(uint32_t n, int32_t arg);
const char *bench_run_counting_take(uint32_t n, int32_t arg);
const char *bench_run_mutex_lock(uint32_t n, int32_t arg);
const char *bench_run_mutex_unlock(uint32_t n, int32_t arg);
const char *bench_run_event_set(uint32_t n, int32_t arg);
const char *bench_run_heap_alloc(uint32_t n, int32_t arg);
const char *bench_run_heap_free(uint32_t n, int32_t arg);
bool bench_takes_message(int32_t arg);
bool bench_takes_block(int32_t arg);

// bench_wake.c
const char *bench_run_wake_notify(uint32_t n, int32_t arg);
void bench_peer_wake_notify(uint32_t n);
const char *bench_run_wake_sem(uint32_t n, int32_t arg);
void bench_peer_wake_sem(uint32_t n);
const char *bench_run_wake_event(uint32_t n, int32_t arg);
void bench_peer_wake_event(uint32_t n);
const char *bench_run_wake_resume(uint32_t n, int32_t arg);
void bench_peer_wake_resume(uint32_t n);

const char *bench_run_isr_entry(uint32_t n, int32_t arg);
const char *bench_run_isr_exit(uint32_t n, int32_t arg);

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
