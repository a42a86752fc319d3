// SPDX-License-Identifier: MIT
// What the agent does next: a table of (state, event) -> (state, actions). Pure; who carries the
// actions out, and what events are made of, is ota_task.c's matter.
//
// A pair that is not in the table changes nothing and asks for nothing: messages may come late,
// twice, or for a job that is over.
#ifndef OTA_AGENT_H
#define OTA_AGENT_H

#include <stdbool.h>
#include <stdint.h>

typedef enum {
    OTA_OFF,       // never started
    OTA_ASKING,    // asked for the next job
    OTA_READY,     // there is none
    OTA_RECEIVING, // blocks are asked for and come
    OTA_SUSPENDED, // a job is in hand, and somebody said to wait
    OTA_LOST,      // a job may be in hand; the connection is gone
    OTA_VERIFYING, // all is there; the signature is looked at
    OTA_STAGED,    // good, and marked to be tried at the next boot
    OTA_TESTING,   // this is the new image; not confirmed yet
    OTA_ENDING,    // the last word on the job is said, and not answered yet
    OTA_REBOOTING,
    OTA_STATES,
} ota_state_t;

typedef enum {
    OTA_ON_START,        // somebody wants updates; connected and subscribed
    OTA_ON_LOST,         // the connection is gone
    OTA_ON_BACK,         // it is there again
    OTA_ON_NOTIFY,       // the service says that there is something
    OTA_ON_JOB,          // a job that is new to us
    OTA_ON_JOB_AGAIN,    // the one in hand, half received
    OTA_ON_JOB_STAGED,   // the one in hand, whose image waits for a reboot
    OTA_ON_JOB_TEST,     // the one whose image runs and is not confirmed
    OTA_ON_JOB_DONE,     // the one whose image runs and is confirmed
    OTA_ON_JOB_REVERTED, // the one whose image was tried, or should have been, and does not run
    OTA_ON_BAD_JOB,      // one whose document is wrong
    OTA_ON_NO_JOB,
    OTA_ON_GONE,     // the job in hand is no longer ours: canceled, or another one comes first
    OTA_ON_WINDOW,   // every block of the last request came
    OTA_ON_COMPLETE, // every block of the file is there
    OTA_ON_SILENCE,  // nothing came within the wait
    OTA_ON_GIVE_UP,  // nor after all repeats
    OTA_ON_FAILED,   // stream, server or flash refuse
    OTA_ON_VERIFIED,
    OTA_ON_BAD_IMAGE,
    OTA_ON_ACCEPTED, // the service took the last word
    OTA_ON_REJECTED, // it did not
    OTA_ON_SUSPEND,
    OTA_ON_RESUME,
    OTA_ON_CANCEL,
    OTA_ON_ACTIVATE, // reboot into the image that is staged
    OTA_ON_CONFIRM,
    OTA_ON_REFUSE,  // the application says that the image is bad
    OTA_ON_EXPIRED, // nobody confirmed it in time, or flash did not take the mark
    OTA_EVENTS,
} ota_event_t;

// In the order in which they are carried out.
enum {
    OTA_DO_FORGET = 1 << 0,   // the job in hand, and its record in flash
    OTA_DO_TAKE = 1 << 1,     // the job that came: erase ahead, record
    OTA_DO_SAVE = 1 << 2,     // the record, as it is now
    OTA_DO_VERIFY = 1 << 3,   // signature, image, version
    OTA_DO_MARK = 1 << 4,     // the slot: to be tried at the next boot
    OTA_DO_UNMARK = 1 << 5,   // the slot: not to be tried
    OTA_DO_CONFIRM = 1 << 6,  // the running image: to stay
    OTA_DO_READY = 1 << 7,    // report: signature good
    OTA_DO_ACTIVE = 1 << 8,   // report: self-test runs
    OTA_DO_SUCCEED = 1 << 9,  // report
    OTA_DO_FAIL = 1 << 10,    // report, with the error that is noted
    OTA_DO_REJECT = 1 << 11,  // report, likewise
    OTA_DO_ABORT = 1 << 12,   // report, likewise
    OTA_DO_REPEAT = 1 << 13,  // the last word once more
    OTA_DO_ASK = 1 << 14,     // for the next job
    OTA_DO_REQUEST = 1 << 15, // the next blocks
    OTA_DO_REBOOT = 1 << 16,
};

typedef struct {
    ota_state_t state;
    uint32_t actions;
} ota_step_t;

ota_step_t ota_agent_step(ota_state_t state, ota_event_t event);

const char *ota_state_word(ota_state_t state);

// How many of an answer's waits may pass in vain: ON_SILENCE up to there, then ON_GIVE_UP.
ota_event_t ota_agent_silence(uint32_t *unanswered, uint32_t most);

// What the record in flash and the slots say of a job that the service names.
typedef struct {
    bool has_record;     // of a job
    bool same_job;       // of this one
    bool staged;         // the record says so; else it is half received
    bool fits;           // the record's file, size and slot are those of the job
    bool runs;           // the image of the record's slot is the one that runs
    bool confirmed;      // it is
    bool pending;        // the record's slot is to be tried at the next boot
    bool tried;          // it was tried, or a reboot was made for it
    bool said_self_test; // the service has heard that its image was received
} ota_job_facts_t;

ota_event_t ota_agent_job_event(const ota_job_facts_t *facts);

#endif
