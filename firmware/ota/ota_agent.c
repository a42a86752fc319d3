// SPDX-License-Identifier: MIT
#include "ota_agent.h"

#include <stddef.h>

typedef struct {
    ota_state_t state;
    ota_event_t event;
    ota_step_t step;
} row_t;

// A job's last word, after which its record may go as soon as the service has heard it.
#define END(word)                                                                                  \
    {                                                                                              \
        OTA_ENDING, (word)                                                                         \
    }

static const row_t s_rows[] = {
    {OTA_OFF, OTA_ON_START, {OTA_ASKING, OTA_DO_ASK}},

    {OTA_ASKING, OTA_ON_JOB, {OTA_RECEIVING, OTA_DO_TAKE | OTA_DO_REQUEST}},
    {OTA_ASKING, OTA_ON_JOB_AGAIN, {OTA_RECEIVING, OTA_DO_REQUEST}},
    {OTA_ASKING, OTA_ON_JOB_STAGED, {OTA_STAGED, OTA_DO_READY}},
    {OTA_ASKING, OTA_ON_JOB_TEST, {OTA_TESTING, OTA_DO_ACTIVE}},
    {OTA_ASKING, OTA_ON_JOB_DONE, END(OTA_DO_SUCCEED)},
    {OTA_ASKING, OTA_ON_JOB_REVERTED, END(OTA_DO_REJECT)},
    {OTA_ASKING, OTA_ON_BAD_JOB, END(OTA_DO_FAIL)},
    {OTA_ASKING, OTA_ON_NO_JOB, {OTA_READY, OTA_DO_FORGET}},
    {OTA_ASKING, OTA_ON_SILENCE, {OTA_ASKING, OTA_DO_ASK}},
    {OTA_ASKING, OTA_ON_GIVE_UP, {OTA_READY, 0}},
    {OTA_ASKING, OTA_ON_LOST, {OTA_LOST, 0}},
    {OTA_ASKING, OTA_ON_EXPIRED, {OTA_REBOOTING, OTA_DO_REBOOT}},

    {OTA_ASKING, OTA_ON_CONFIRM, {OTA_ASKING, OTA_DO_CONFIRM | OTA_DO_ASK}},
    {OTA_ASKING, OTA_ON_REFUSE, {OTA_REBOOTING, OTA_DO_REBOOT}},

    {OTA_READY, OTA_ON_START, {OTA_ASKING, OTA_DO_ASK}},
    {OTA_READY, OTA_ON_NOTIFY, {OTA_ASKING, OTA_DO_ASK}},
    {OTA_READY, OTA_ON_LOST, {OTA_LOST, 0}},
    {OTA_READY, OTA_ON_EXPIRED, {OTA_REBOOTING, OTA_DO_REBOOT}},
    {OTA_READY, OTA_ON_CONFIRM, {OTA_READY, OTA_DO_CONFIRM}}, // brought by a probe: no job
    {OTA_READY, OTA_ON_REFUSE, {OTA_REBOOTING, OTA_DO_REBOOT}},

    {OTA_RECEIVING, OTA_ON_WINDOW, {OTA_RECEIVING, OTA_DO_REQUEST}},
    {OTA_RECEIVING, OTA_ON_SILENCE, {OTA_RECEIVING, OTA_DO_REQUEST}},
    {OTA_RECEIVING, OTA_ON_GIVE_UP, END(OTA_DO_FAIL)},
    {OTA_RECEIVING, OTA_ON_FAILED, END(OTA_DO_FAIL)},
    {OTA_RECEIVING, OTA_ON_COMPLETE, {OTA_VERIFYING, OTA_DO_SAVE | OTA_DO_VERIFY}},
    {OTA_RECEIVING, OTA_ON_SUSPEND, {OTA_SUSPENDED, OTA_DO_SAVE}},
    {OTA_RECEIVING, OTA_ON_CANCEL, END(OTA_DO_ABORT)},
    {OTA_RECEIVING, OTA_ON_GONE, {OTA_ASKING, OTA_DO_FORGET | OTA_DO_ASK}},
    {OTA_RECEIVING, OTA_ON_LOST, {OTA_LOST, OTA_DO_SAVE}},

    {OTA_SUSPENDED, OTA_ON_RESUME, {OTA_ASKING, OTA_DO_ASK}},
    {OTA_SUSPENDED, OTA_ON_CANCEL, END(OTA_DO_ABORT)},
    {OTA_SUSPENDED, OTA_ON_GONE, {OTA_ASKING, OTA_DO_FORGET | OTA_DO_ASK}},

    {OTA_LOST, OTA_ON_BACK, {OTA_ASKING, OTA_DO_ASK}},
    {OTA_LOST, OTA_ON_START, {OTA_ASKING, OTA_DO_ASK}},
    {OTA_LOST, OTA_ON_CANCEL, END(OTA_DO_ABORT)},
    {OTA_LOST, OTA_ON_CONFIRM, {OTA_LOST, OTA_DO_CONFIRM}},
    {OTA_LOST, OTA_ON_REFUSE, {OTA_REBOOTING, OTA_DO_REBOOT}},
    {OTA_LOST, OTA_ON_EXPIRED, {OTA_REBOOTING, OTA_DO_REBOOT}},

    {OTA_VERIFYING, OTA_ON_VERIFIED, {OTA_STAGED, OTA_DO_MARK | OTA_DO_READY}},
    {OTA_VERIFYING, OTA_ON_BAD_IMAGE, END(OTA_DO_FAIL)},

    {OTA_STAGED, OTA_ON_ACTIVATE, {OTA_REBOOTING, OTA_DO_REBOOT}},
    {OTA_STAGED, OTA_ON_BACK, {OTA_STAGED, OTA_DO_READY}},
    {OTA_STAGED, OTA_ON_CANCEL, END(OTA_DO_UNMARK | OTA_DO_ABORT)},
    {OTA_STAGED, OTA_ON_FAILED, END(OTA_DO_FAIL)}, // flash did not take the mark
    {OTA_STAGED, OTA_ON_GONE, {OTA_ASKING, OTA_DO_FORGET | OTA_DO_UNMARK | OTA_DO_ASK}},

    {OTA_TESTING, OTA_ON_CONFIRM, END(OTA_DO_CONFIRM | OTA_DO_SUCCEED)},
    {OTA_TESTING, OTA_ON_REFUSE, {OTA_REBOOTING, OTA_DO_REBOOT}},
    {OTA_TESTING, OTA_ON_EXPIRED, {OTA_REBOOTING, OTA_DO_REBOOT}},
    {OTA_TESTING, OTA_ON_BACK, {OTA_TESTING, OTA_DO_ACTIVE}},
    {OTA_TESTING, OTA_ON_GONE, {OTA_REBOOTING, OTA_DO_FORGET | OTA_DO_REBOOT}},

    {OTA_ENDING, OTA_ON_ACCEPTED, {OTA_ASKING, OTA_DO_FORGET | OTA_DO_ASK}},
    {OTA_ENDING, OTA_ON_REJECTED, {OTA_READY, OTA_DO_FORGET}},
    {OTA_ENDING, OTA_ON_SILENCE, {OTA_ENDING, OTA_DO_REPEAT}},
    {OTA_ENDING, OTA_ON_BACK, {OTA_ENDING, OTA_DO_REPEAT}},
    {OTA_ENDING, OTA_ON_GIVE_UP, {OTA_READY, 0}},
    {OTA_ENDING, OTA_ON_EXPIRED, {OTA_REBOOTING, OTA_DO_REBOOT}}, // nothing was said yet

    // a self-test needs no service to run out of time
    {OTA_OFF, OTA_ON_EXPIRED, {OTA_REBOOTING, OTA_DO_REBOOT}},
    {OTA_OFF, OTA_ON_CONFIRM, {OTA_OFF, OTA_DO_CONFIRM}},
    {OTA_OFF, OTA_ON_REFUSE, {OTA_REBOOTING, OTA_DO_REBOOT}},
};

ota_step_t ota_agent_step(ota_state_t state, ota_event_t event)
{
    for (size_t i = 0; i < sizeof s_rows / sizeof s_rows[0]; i++) {
        if (s_rows[i].state == state && s_rows[i].event == event) {
            return s_rows[i].step;
        }
    }
    return (ota_step_t){state, 0};
}

const char *ota_state_word(ota_state_t state)
{
    static const char *const s_words[OTA_STATES] = {
        "off",       "asking", "ready",   "receiving", "suspended", "lost",
        "verifying", "staged", "testing", "ending",    "rebooting",
    };
    return s_words[state];
}

ota_event_t ota_agent_silence(uint32_t *unanswered, uint32_t most)
{
    if (*unanswered < most) {
        ++*unanswered;
    }
    return *unanswered < most ? OTA_ON_SILENCE : OTA_ON_GIVE_UP;
}

// The job of a record whose image was received whole. Where power was cut before the slot was
// marked, the image is there and is looked at again.
static ota_event_t agent_staged_event(const ota_job_facts_t *facts)
{
    if (facts->runs) {
        return facts->confirmed ? OTA_ON_JOB_DONE : OTA_ON_JOB_TEST;
    }
    if (facts->tried) {
        return OTA_ON_JOB_REVERTED;
    }
    return facts->pending ? OTA_ON_JOB_STAGED : OTA_ON_JOB_AGAIN;
}

ota_event_t ota_agent_job_event(const ota_job_facts_t *facts)
{
    if (!facts->has_record || !facts->same_job) {
        // Another board's, or one whose record went with its flash: it cannot be gone on with.
        return facts->said_self_test ? OTA_ON_JOB_REVERTED : OTA_ON_JOB;
    }
    if (facts->staged) {
        return agent_staged_event(facts);
    }
    return facts->fits ? OTA_ON_JOB_AGAIN : OTA_ON_JOB;
}
