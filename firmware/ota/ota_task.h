// SPDX-License-Identifier: MIT
// The agent: the task net.ota, which is made by the first ota.start, or at boot where this image
// runs to be tried. What it does next is ota_agent.h's table.
#ifndef OTA_TASK_H
#define OTA_TASK_H

#include "ota_agent.h"
#include "ota_blocks.h"
#include "ota_cloud.h"
#include "ota_record.h"

// Changed by the console, at any time; each counts from its next use on.
typedef struct {
    uint32_t block_bytes;    // a multiple of 8
    uint32_t request_blocks; // of one request
    uint32_t wait_ms;        // for an answer
    uint32_t tries;          // waits in vain before it gives up
    uint32_t test_ms;        // from boot until an image must be confirmed
    bool cbor;               // else JSON
    bool automatic;          // reboots into a new image, and confirms it, by itself
} ota_settings_t;

ota_settings_t *ota_task_settings(void);

typedef struct {
    ota_state_t state;
    ota_error_t error; // of the last job
    uint32_t sub;
    char job[OTA_JOB_ID_BYTES];
    uint32_t slot; // that is written
    uint32_t got, total;
    uint32_t resumed;    // blocks that were there when the job was taken up
    uint32_t requests;   // sent since the job was taken up
    uint32_t bad;        // blocks of another file, place or length
    uint32_t duplicates; // blocks that were there already
    bool in_test;
} ota_status_t;

// A copy of what is so now. From the console.
ota_status_t ota_task_status(void);

// Makes the task if this image runs to be tried. Once, by main, before the scheduler.
void ota_task_boot(void);

// Subscribes and lets the agent look for jobs. Returns as ota_cloud_subscribe(); STATUS_CLOSED: the
// client is not connected.
status_t ota_task_start(const char *thing, uint32_t wait_ms);

// Sets test_ms; where an image is being tried, its time counts from boot on.
void ota_task_set_test_ms(uint32_t ms);

// Something that a person wants. STATUS_RANGE: not in this state.
status_t ota_task_wish(ota_event_t event);

// Something came.
void ota_task_wake(void);

#endif
