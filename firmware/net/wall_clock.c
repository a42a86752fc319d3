// SPDX-License-Identifier: MIT
#include "wall_clock.h"

#include "kernel_compat.h"

static bool s_set;
static uint32_t s_epoch_s; // at
static TickType_t s_at;    // this tick

void wall_clock_set(uint32_t epoch_s)
{
    taskENTER_CRITICAL();
    s_epoch_s = epoch_s;
    s_at = xTaskGetTickCount();
    s_set = true;
    taskEXIT_CRITICAL();
}

// What has passed is moved into the epoch, so that a tick counter that wraps (after 49 days) is
// harmless as long as the clock is read in between.
bool wall_clock_get(uint32_t *epoch_s, uint32_t *milliseconds)
{
    taskENTER_CRITICAL();
    TickType_t passed = xTaskGetTickCount() - s_at;
    s_epoch_s += passed / configTICK_RATE_HZ;
    s_at += passed / configTICK_RATE_HZ * configTICK_RATE_HZ;
    *epoch_s = s_epoch_s;
    *milliseconds = passed % configTICK_RATE_HZ * 1000u / configTICK_RATE_HZ;
    bool known = s_set;
    taskEXIT_CRITICAL();
    return known;
}
