// SPDX-License-Identifier: MIT
// What the tasks of the network have in common. They are made by net.up or at first use, not at
// boot, so that a board whose network was never asked for is as if it had none.
//
//   name        priority             stack
//   net.ip      NET_IP_PRIORITY      lwip_task.c: frames in, timers of TCP/IP
//   net.wifi    NET_WIFI_PRIORITY    at_reader.c: what a Wi-Fi module says; above all who call
//   net.work    NET_WORK_PRIORITY    net_work.c: what needs a deep stack
//   net.mqtt    NET_WORK_PRIORITY    mqtt_task.c: the MQTT client
//   net.ota     NET_WORK_PRIORITY    ota/ota_task.c: updates; at boot where an image is tried
//   net.parallel  likewise           sock_parallel.c, for one command
//   net.crew    likewise             net_crew.c, for one job of several threads
//
// The console (3) is below them but for the worker, which is its equal; benchmarks (5, 6) are
// above.
#ifndef NET_TASK_H
#define NET_TASK_H

#include "kernel_compat.h"

enum { NET_WORK_PRIORITY = 3, NET_IP_PRIORITY = 4, NET_WIFI_PRIORITY = 4 };

// For what is written before it is read, such as stacks and pools: startup need not clear it.
#define NET_UNINITIALISED __attribute__((section(".uninitialised"), aligned(8)))

// What a task is made of; all of it static memory of its owner.
typedef struct {
    const char *name;
    TaskFunction_t entry;
    UBaseType_t priority;
    StackType_t *stack;
    size_t stack_words;
    StaticTask_t *block;
} net_task_t;

// Makes a task, which mem.tasks lists until net_task_end() deletes it. From tasks; a task cannot
// end itself by it.
TaskHandle_t net_task_make(const net_task_t *facts, void *argument);
void net_task_end(TaskHandle_t task);

#endif
