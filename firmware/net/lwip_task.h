// SPDX-License-Identifier: MIT
// The task `net.ip`, which moves frames in and runs TCP/IP's timers, and the lock under which alone
// lwIP may be called. lwIP has no task of its own (NO_SYS).
#ifndef LWIP_TASK_H
#define LWIP_TASK_H

#include "status.h"

#include <stdbool.h>
#include <stdint.h>

// Prepares lwIP, once; makes the task.
void lwip_task_start(void);

// From now on `poll` is called by the task under the lock, at once, after an event, and before it
// waits: it handles what has come, but not much at a time, and returns whether there may be more:
// then it is called again after a tick, for which tasks below this one run. NULL: nothing. Under
// the lock.
void lwip_task_set_poll(bool (*poll)(void));

// Ends the task, wherever it waits. Its timers stand still until it starts again.
void lwip_task_stop(void);

// Tells the task that something has come. From an interrupt.
void lwip_task_notify_from_isr(void);

// Around every call of lwIP; from tasks. Not to be nested.
void lwip_lock(void);
void lwip_unlock(void);

// A number that nobody is meant to foresee by chance; not for secrets.
uint32_t net_random(void);

// Milliseconds since the kernel started; lwIP's clock.
uint32_t sys_now(void);

// The tick at which `timeout_ms` are over: one tick more, so that no wait is shorter than asked; 0
// ms is now. And the ticks that are left until then, 0 when it is over.
uint32_t lwip_deadline(uint32_t timeout_ms);
uint32_t lwip_ticks_left(uint32_t deadline);

#endif
