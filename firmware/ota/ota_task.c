// SPDX-License-Identifier: MIT
#include "ota_task.h"

#include "bench.h"
#include "counter_clock.h"
#include "net_task.h"
#include "net_work.h"
#include "ota_context.h"
#include "ota_slot.h"
#include "self_test_fault.h"
#include "writer.h"

#include <string.h>

#ifndef OTA_SELF_TEST_MS
    #define OTA_SELF_TEST_MS 16000 // a build may say otherwise: RIG_SELF_TEST_MS
#endif

enum { TURN_MS = 20 }; // how late a lost connection, or a time that is up, may be seen

ota_context_t g_ota;

static StackType_t s_stack[NET_WORK_STACK_BYTES / sizeof(StackType_t)] NET_UNINITIALISED;
static StaticTask_t s_block;
static TaskHandle_t s_task;
static bool s_started;             // the client is there to be looked at
static volatile uint32_t s_wishes; // a bit per event
static uint32_t s_connection;
static bool s_was_up;
static ota_mail_t s_mail;

static ota_settings_t s_settings = {
    .block_bytes = 4096,
    .request_blocks = 16,
    .wait_ms = 10000,
    .tries = 32,
    .test_ms = OTA_SELF_TEST_MS, // the build's RIG_SELF_TEST_MS
    .cbor = true,
    .automatic = true,
};

ota_settings_t *ota_task_settings(void)
{
    return &s_settings;
}

ota_status_t ota_task_status(void)
{
    vTaskSuspendAll();
    ota_status_t status = g_ota.status;
    (void)xTaskResumeAll();
    return status;
}

// ---- events ------------------------------------------------------------------------------------

static void task_say(void)
{
    line_t line;
    writer_begin_event(&line, "ota.state");
    line_add_text(&line, "state", ota_state_word(g_ota.status.state));
    line_add_text(&line, "job", g_ota.status.job);
    line_add_u32(&line, "got", g_ota.status.got);
    line_add_u32(&line, "total", g_ota.status.total);
    line_add_text(&line, "error", ota_error_word(g_ota.status.error));
    line_add_u32(&line, "sub", g_ota.status.sub);
    line_add_u32(&line, "counter", *bench_counter());
    writer_send_event(&line);
}

void ota_happens(ota_event_t event)
{
    while (event != OTA_EVENTS) {
        ota_step_t step = ota_agent_step(g_ota.status.state, event);
        bool changes = step.state != g_ota.status.state;
        g_ota.status.state = step.state;
        g_ota.waits = g_ota.waits && !changes;
        if (changes) {
            g_ota.unanswered = 0;
            task_say();
        }
        event = ota_act(step.actions);
    }
}

// ---- the link ----------------------------------------------------------------------------------

static void task_look_at_link(void)
{
    uint32_t connection;
    bool up = ota_cloud_is_up(&connection);
    if (s_was_up && (!up || connection != s_connection)) {
        s_was_up = false;
        ota_happens(OTA_ON_LOST);
    }
    if (up && !s_was_up) {
        s_was_up = true;
        s_connection = connection;
        ota_happens(OTA_ON_BACK);
    }
}

// ---- what the services say ---------------------------------------------------------------------

static void task_take_up(void)
{
    g_ota.job = s_mail.job;
    g_ota.has_job = true;
    g_ota.job_version = s_mail.job.version;
    memcpy(g_ota.status.job, s_mail.job.id, sizeof g_ota.status.job);
    ota_note_error(OTA_ERROR_NONE, 0);
}

static ota_event_t task_job_event(void)
{
    uint32_t slot = g_ota.record.slot;
    trailer_state_t state = g_ota.has_record ? ota_slot_state(slot) : TRAILER_NONE;
    ota_job_facts_t facts = {
        .has_record = g_ota.has_record,
        .same_job = strcmp(g_ota.record.job, g_ota.job.id) == 0,
        .staged = g_ota.record.kept == OTA_KEPT_STAGED,
        .fits = ota_record_fits(&g_ota.record, &g_ota.job, ota_slot_target()),
        .runs = g_ota.has_record && slot == ota_slot_running(),
        .confirmed = state == TRAILER_CONFIRMED,
        .pending = state == TRAILER_TEST,
        .tried = state == TRAILER_TRIED || g_ota.record.activated != 0u,
        .said_self_test = g_ota.job.self_test,
    };
    return ota_agent_job_event(&facts);
}

// Counts of a job begin when it is taken up.
static void task_begin_counts(ota_event_t event)
{
    ota_blocks_t *blocks = &g_ota.record.blocks;
    bool again = event == OTA_ON_JOB_AGAIN;
    g_ota.status.resumed = again ? blocks->got : 0u;
    g_ota.status.got = again || g_ota.record.kept == OTA_KEPT_STAGED ? blocks->got : 0u;
    g_ota.status.requests = g_ota.status.bad = g_ota.status.duplicates = 0;
    g_ota.status.slot = ota_slot_target();
    g_ota.status.total = (g_ota.job.bytes - 1u) / s_settings.block_bytes + 1u;
    if (again || g_ota.record.kept == OTA_KEPT_STAGED) {
        g_ota.status.total = blocks->total;
    }
}

static void task_take_job(void)
{
    if (g_ota.status.state != OTA_ASKING) {
        return;
    }
    if (s_mail.job_outcome == 0) {
        ota_happens(OTA_ON_NO_JOB);
    } else if (s_mail.job_outcome > 0) {
        task_take_up();
        ota_event_t event = task_job_event();
        if (g_ota.status.in_test && (event == OTA_ON_JOB || event == OTA_ON_JOB_AGAIN)) {
            return; // the other slot holds what the bootloader would go back to
        }
        task_begin_counts(event);
        if (event == OTA_ON_JOB_REVERTED) {
            ota_note_error(OTA_ERROR_ROLLBACK, 0);
        }
        ota_happens(event);
    } else if (s_mail.job.id[0] != '\0') { // else there is nobody to be told
        task_take_up();
        g_ota.has_job = false;
        ota_note_error(OTA_ERROR_DOCUMENT,
                       (uint32_t)s_mail.fault.field << 8 | (uint32_t)s_mail.fault.wrong);
        ota_happens(OTA_ON_BAD_JOB);
    }
}

static void task_take_notice(void)
{
    bool other = strcmp(s_mail.notified_id, g_ota.status.job) != 0;
    if (g_ota.status.state == OTA_READY) {
        ota_happens(OTA_ON_NOTIFY);
    } else if (other && g_ota.has_job) {
        ota_happens(OTA_ON_GONE);
    }
}

static bool task_code_is(const char *code)
{
    return strcmp(s_mail.answer.code, code) == 0;
}

// An update was refused.
static void task_take_refusal(void)
{
    if (task_code_is("VersionMismatch")) { // somebody else wrote: once more, with what is so now
        g_ota.job_version = s_mail.answer.version;
        ota_happens(OTA_ON_BACK);
    } else if (task_code_is("InvalidStateTransition") || task_code_is("TerminalStateReached") ||
               task_code_is("ResourceNotFound") || task_code_is("InvalidRequest")) {
        ota_happens(g_ota.status.state == OTA_ENDING ? OTA_ON_REJECTED : OTA_ON_GONE);
    } // others may pass
}

static void task_take_answer(void)
{
    if (strcmp(s_mail.answer.token, g_ota.token) != 0) {
        return;
    }
    if (!s_mail.accepted) {
        task_take_refusal();
        return;
    }
    g_ota.job_version = s_mail.answer.version;
    if (g_ota.status.state == OTA_ENDING) {
        ota_happens(OTA_ON_ACCEPTED);
    } else if (s_settings.automatic && g_ota.status.state == OTA_STAGED) {
        ota_happens(OTA_ON_ACTIVATE);
    } else if (s_settings.automatic && g_ota.status.state == OTA_TESTING &&
               !self_test_fault_withholds(ota_now_ms())) {
        ota_happens(OTA_ON_CONFIRM);
    }
}

static void task_take_mail(void)
{
    ota_cloud_fetch(&s_mail);
    if (s_mail.job_came) {
        task_take_job();
    }
    if (s_mail.answered) {
        task_take_answer();
    }
    if (s_mail.notified) {
        task_take_notice();
    }
    if (s_mail.notified_badly && g_ota.status.state == OTA_READY) {
        ota_happens(OTA_ON_NOTIFY); // something is there: asked for, it may be told better
    }
    if (s_mail.stream_rejected && g_ota.status.state == OTA_RECEIVING &&
        strcmp(s_mail.stream_code, "InternalError") != 0) {
        ota_note_error(OTA_ERROR_STREAM, 0);
        ota_happens(OTA_ON_FAILED);
    }
}

// ---- time --------------------------------------------------------------------------------------

uint32_t ota_now_ms(void)
{
    static counter_clock_t s_clock;
    return counter_clock_ms(&s_clock);
}

static bool task_is_due(uint32_t deadline_ms)
{
    return (int32_t)(ota_now_ms() - deadline_ms) >= 0;
}

static void task_wait_is_over(void)
{
    g_ota.waits = false;
    if (g_ota.status.state == OTA_STAGED) {
        ota_happens(s_settings.automatic ? OTA_ON_ACTIVATE : OTA_EVENTS);
        return;
    }
    ota_event_t event = ota_agent_silence(&g_ota.unanswered, s_settings.tries);
    if (g_ota.status.state == OTA_TESTING) { // its own time ends it
        ota_happens(OTA_ON_BACK);
        return;
    }
    if (event == OTA_ON_GIVE_UP) {
        ota_note_error(OTA_ERROR_SILENCE, g_ota.unanswered);
    }
    ota_happens(event);
}

static void task_look_at_time(void)
{
    if (g_ota.tests && task_is_due(g_ota.test_deadline_ms) && !self_test_fault_has_no_timer()) {
        g_ota.tests = g_ota.status.in_test = ota_slot_is_in_test(); // boot.confirm may have come
        ota_happens(g_ota.tests ? OTA_ON_EXPIRED : OTA_EVENTS);
    }
    if (g_ota.waits && task_is_due(g_ota.deadline_ms)) {
        task_wait_is_over();
    }
}

// ---- the task ----------------------------------------------------------------------------------

static void task_take_wishes(void)
{
    taskENTER_CRITICAL();
    uint32_t wishes = s_wishes;
    s_wishes = 0;
    taskEXIT_CRITICAL();
    for (ota_event_t event = OTA_ON_START; event < OTA_EVENTS; event++) {
        if ((wishes >> event & 1u) != 0u) {
            if (event == OTA_ON_CANCEL) {
                ota_note_error(OTA_ERROR_USER, 0);
            }
            ota_happens(event);
        }
    }
}

static void task_begin(void)
{
    const uint8_t *bytes = NULL;
    size_t length = 0;
    g_ota.status.slot = ota_slot_target();
    g_ota.status.in_test = g_ota.tests = ota_slot_is_in_test();
    g_ota.test_deadline_ms = s_settings.test_ms; // since boot
    g_ota.has_record = record_load(&g_ota_record_flash, &bytes, &length) == STATUS_OK &&
                       ota_record_read(&g_ota.record, bytes, length);
}

static void ota_task(void *unused)
{
    (void)unused;
    task_begin();
    for (;;) {
        (void)ulTaskNotifyTake(pdTRUE, kernel_ms_to_ticks(TURN_MS));
        task_take_wishes();
        if (s_started) {
            task_look_at_link();
            task_take_mail();
            ota_receive_turn();
        }
        task_look_at_time();
    }
}

static const net_task_t s_facts = {
    "net.ota", ota_task, NET_WORK_PRIORITY, s_stack, sizeof s_stack / sizeof s_stack[0], &s_block,
};

void ota_task_boot(void)
{
    if (ota_slot_is_in_test()) {
        self_test_fault_at_boot();
        s_task = net_task_make(&s_facts, NULL);
    }
}

void ota_task_wake(void)
{
    if (s_task != NULL) {
        (void)xTaskNotifyGive(s_task);
    }
}

void ota_task_set_test_ms(uint32_t ms)
{
    taskENTER_CRITICAL();
    s_settings.test_ms = ms;
    g_ota.test_deadline_ms = ms;
    taskEXIT_CRITICAL();
}

status_t ota_task_wish(ota_event_t event)
{
    ota_step_t step = ota_agent_step(g_ota.status.state, event);
    if (s_task == NULL || (step.actions == 0u && step.state == g_ota.status.state)) {
        return STATUS_RANGE;
    }
    taskENTER_CRITICAL();
    s_wishes |= 1u << event;
    taskEXIT_CRITICAL();
    ota_task_wake();
    return STATUS_OK;
}

status_t ota_task_start(const char *thing, uint32_t wait_ms)
{
    uint32_t connection;
    if (!ota_cloud_is_up(&connection)) {
        return STATUS_CLOSED;
    }
    status_t status = ota_cloud_subscribe(thing, wait_ms);
    if (status != STATUS_OK) {
        return status;
    }
    if (s_task == NULL) {
        s_task = net_task_make(&s_facts, NULL);
    }
    s_started = true;
    (void)ota_task_wish(OTA_ON_START); // refused where it looks for jobs already
    return STATUS_OK;
}
