// SPDX-License-Identifier: MIT
// The one task with a deep stack, for work that the console's stack is too small for: handshakes,
// signatures, parsing. It is made when it is first needed and is called `net.work`.
#ifndef NET_WORK_H
#define NET_WORK_H

// Bytes of its stack.
enum { NET_WORK_STACK_BYTES = 16 * 1024 };

// Runs job(argument) in the worker and returns its end, and what it returned. From any task but the
// worker itself; jobs of several tasks take turns. Blocks as long as the job does.
int net_work_run(int (*job)(void *), void *argument);

// Ends the worker, which must be idle; the next job makes it anew.
void net_work_end(void);

#endif
