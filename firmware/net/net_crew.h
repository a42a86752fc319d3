// SPDX-License-Identifier: MIT
// Several tasks that do the same job at once, for cases about threads: `net.crew`. They are made
// for one job and deleted after it.
#ifndef NET_CREW_H
#define NET_CREW_H

#include <stddef.h>

enum { NET_CREW_COUNT = 4, NET_CREW_STACK_BYTES = 12 * 1024 };

// Runs job(argument, number) in `count` tasks (at most NET_CREW_COUNT), number from 0 on, and
// returns when all have ended: how many of them returned something else than 0. From one task at a
// time.
int net_crew_run(size_t count, int (*job)(void *argument, size_t number), void *argument);

#endif
