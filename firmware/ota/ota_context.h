// SPDX-License-Identifier: MIT
// What net.ota knows, shared by the files that make it up: ota_task.c (what events are made of),
// ota_actions.c (what is done), ota_receive.c (blocks). Used by that task alone.
#ifndef OTA_CONTEXT_H
#define OTA_CONTEXT_H

#include "kernel_compat.h"
#include "ota_task.h"

typedef struct {
    ota_status_t status;
    bool has_job, has_record;
    ota_job_t job;
    ota_record_t record;
    uint32_t job_version; // expectedVersion; 0: not known
    // the last report, and whether its answer is awaited
    ota_report_t report;
    char token[OTA_TOKEN_BYTES];
    uint16_t packet;
    // waiting
    bool waits;
    uint32_t deadline_ms;
    uint32_t unanswered;
    bool tests; // the self-test's time runs
    uint32_t test_deadline_ms;
    // receiving
    uint32_t window_left; // blocks of the last request that are still missing
    uint32_t unsaved;     // blocks since the record was saved
    bool fetches;         // over HTTP: the next range is due
} ota_context_t;

extern ota_context_t g_ota;

// Takes an event through the table and does what it asks for, and what follows from that.
void ota_happens(ota_event_t event);

// Does one step's actions. Returns the event that they end in, or OTA_EVENTS: none.
ota_event_t ota_act(uint32_t actions);

// Time of net.ota, by the counter; 0 at the reset.
uint32_t ota_now_ms(void);

// Waits for an answer, at most so long.
void ota_wait(uint32_t ms);

// Notes why the job fails.
void ota_note_error(ota_error_t error, uint32_t sub);

// The record: saved as it is.
status_t ota_save_record(void);

// Sends the next request, if blocks are missing. OTA_ON_COMPLETE or OTA_EVENTS.
ota_event_t ota_receive_request(void);

// Takes the blocks that came, and fetches a range if that is due.
void ota_receive_turn(void);

#endif
