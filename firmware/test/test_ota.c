// SPDX-License-Identifier: MIT
// The agent's table, its bitmap and its record over cuts of power.
#include "host_units.h"

#include "cbor.h"
#include "ota_agent.h"
#include "ota_record.h"
#include "ota_report.h"
#include "record_pair.h"

#include <string.h>

// ---- table -------------------------------------------------------------------------------------

static bool goes(ota_state_t state, ota_event_t event, ota_state_t to, uint32_t actions)
{
    ota_step_t step = ota_agent_step(state, event);
    return step.state == to && step.actions == actions;
}

static void test_good_update(void)
{
    CHECK(goes(OTA_OFF, OTA_ON_START, OTA_ASKING, OTA_DO_ASK), "started");
    CHECK(goes(OTA_ASKING, OTA_ON_JOB, OTA_RECEIVING, OTA_DO_TAKE | OTA_DO_REQUEST), "taken");
    CHECK(goes(OTA_RECEIVING, OTA_ON_WINDOW, OTA_RECEIVING, OTA_DO_REQUEST), "more");
    CHECK(goes(OTA_RECEIVING, OTA_ON_COMPLETE, OTA_VERIFYING, OTA_DO_SAVE | OTA_DO_VERIFY), "all");
    CHECK(goes(OTA_VERIFYING, OTA_ON_VERIFIED, OTA_STAGED, OTA_DO_MARK | OTA_DO_READY), "good");
    CHECK(goes(OTA_STAGED, OTA_ON_ACTIVATE, OTA_REBOOTING, OTA_DO_REBOOT), "reboots");
    CHECK(goes(OTA_ASKING, OTA_ON_JOB_TEST, OTA_TESTING, OTA_DO_ACTIVE), "is tried");
    CHECK(goes(OTA_TESTING, OTA_ON_CONFIRM, OTA_ENDING, OTA_DO_CONFIRM | OTA_DO_SUCCEED), "stays");
    CHECK(goes(OTA_ENDING, OTA_ON_ACCEPTED, OTA_ASKING, OTA_DO_FORGET | OTA_DO_ASK), "next");
}

// What must hold of every pair, whatever the table says.
static void test_every_pair(void)
{
    for (int state = 0; state < OTA_STATES; state++) {
        for (int event = 0; event < OTA_EVENTS; event++) {
            ota_step_t step = ota_agent_step((ota_state_t)state, (ota_event_t)event);
            const char *about = ota_state_word((ota_state_t)state);
            bool marks = (step.actions & OTA_DO_MARK) != 0u;
            bool confirms = (step.actions & OTA_DO_CONFIRM) != 0u;
            bool reports_good = (step.actions & OTA_DO_SUCCEED) != 0u;
            CHECK(!marks || (state == OTA_VERIFYING && event == OTA_ON_VERIFIED),
                  "only what was verified is marked");
            CHECK(!confirms || event == OTA_ON_CONFIRM, "only who is asked to confirms");
            CHECK(!reports_good || confirms || event == OTA_ON_JOB_DONE,
                  "success is said of a confirmed image alone");
            CHECK((step.actions & OTA_DO_REBOOT) == 0u || step.state == OTA_REBOOTING, about);
            CHECK(state != OTA_REBOOTING || step.state == OTA_REBOOTING, "a reboot is the end");
            uint32_t last = OTA_DO_FAIL | OTA_DO_REJECT | OTA_DO_ABORT | OTA_DO_SUCCEED;
            CHECK((step.actions & last) == 0u || step.state == OTA_ENDING, about);
            CHECK((step.actions & last) == 0u || (step.actions & OTA_DO_FORGET) == 0u,
                  "the record stays until the last word was heard");
        }
    }
}

// A state from which neither time nor the service leads on would be a dead agent.
static void test_no_dead_end(void)
{
    static const ota_state_t s_waiting[] = {OTA_ASKING, OTA_RECEIVING, OTA_ENDING};
    for (size_t i = 0; i < sizeof s_waiting / sizeof s_waiting[0]; i++) {
        CHECK(ota_agent_step(s_waiting[i], OTA_ON_SILENCE).actions != 0u, "silence is answered");
        CHECK(ota_agent_step(s_waiting[i], OTA_ON_GIVE_UP).state != s_waiting[i], "and ends");
    }
    CHECK(goes(OTA_READY, OTA_ON_NOTIFY, OTA_ASKING, OTA_DO_ASK), "a new job wakes it");
    CHECK(goes(OTA_LOST, OTA_ON_BACK, OTA_ASKING, OTA_DO_ASK), "so does the connection");
}

static void test_self_test_ends(void)
{
    static const ota_state_t s_states[] = {OTA_OFF, OTA_ASKING, OTA_READY, OTA_LOST, OTA_TESTING};
    for (size_t i = 0; i < sizeof s_states / sizeof s_states[0]; i++) {
        CHECK(goes(s_states[i], OTA_ON_EXPIRED, OTA_REBOOTING, OTA_DO_REBOOT), "time is up");
        ota_state_t asked = ota_agent_step(s_states[i], OTA_ON_CONFIRM).state;
        CHECK(goes(asked, OTA_ON_EXPIRED, OTA_REBOOTING, OTA_DO_REBOOT), "the mark was not taken");
    }
}

static void test_silence(void)
{
    uint32_t unanswered = 0;
    for (int i = 1; i < 32; i++) {
        CHECK(ota_agent_silence(&unanswered, 32) == OTA_ON_SILENCE, "again");
    }
    CHECK(ota_agent_silence(&unanswered, 32) == OTA_ON_GIVE_UP, "the 32nd is the last");
    CHECK(ota_agent_silence(&unanswered, 32) == OTA_ON_GIVE_UP && unanswered == 32u, "for good");
}

static void test_job_events(void)
{
    ota_job_facts_t facts = {.has_record = false};
    CHECK(ota_agent_job_event(&facts) == OTA_ON_JOB, "new");
    facts.said_self_test = true;
    CHECK(ota_agent_job_event(&facts) == OTA_ON_JOB_REVERTED, "received, and nothing is left");
    facts = (ota_job_facts_t){.has_record = true, .same_job = true, .fits = true};
    CHECK(ota_agent_job_event(&facts) == OTA_ON_JOB_AGAIN, "half received");
    facts.fits = false;
    CHECK(ota_agent_job_event(&facts) == OTA_ON_JOB, "another file");
    facts.staged = true;
    CHECK(ota_agent_job_event(&facts) == OTA_ON_JOB_AGAIN, "cut before the mark");
    facts.pending = true;
    CHECK(ota_agent_job_event(&facts) == OTA_ON_JOB_STAGED, "marked");
    facts.tried = true;
    CHECK(ota_agent_job_event(&facts) == OTA_ON_JOB_REVERTED, "tried in vain");
    facts.runs = true;
    CHECK(ota_agent_job_event(&facts) == OTA_ON_JOB_TEST, "runs");
    facts.confirmed = true;
    CHECK(ota_agent_job_event(&facts) == OTA_ON_JOB_DONE, "and stays");
}

// ---- blocks ------------------------------------------------------------------------------------

static void test_blocks(void)
{
    static ota_blocks_t s_blocks;
    static ota_window_t s_window;
    CHECK(ota_blocks_init(&s_blocks, 0, 4096) == STATUS_RANGE, "no byte");
    CHECK(ota_blocks_init(&s_blocks, 1, 255) == STATUS_RANGE, "too small a block");
    CHECK(ota_blocks_init(&s_blocks, 4096u * 256u + 1u, 256) == STATUS_RANGE, "too many");
    CHECK(ota_blocks_init(&s_blocks, 4096u * 256u, 256) == STATUS_OK, "just not");
    CHECK(ota_blocks_init(&s_blocks, 10u * 256u + 1u, 256) == STATUS_OK, "eleven");
    CHECK(s_blocks.total == 11u && ota_blocks_length(&s_blocks, 10) == 1u, "the last of one byte");
    CHECK(ota_blocks_length(&s_blocks, 11) == 0u, "none behind it");
    CHECK(ota_blocks_put(&s_blocks, 11) == STATUS_RANGE, "nor can it come");
    CHECK(ota_blocks_put(&s_blocks, 1) == 1 && ota_blocks_put(&s_blocks, 1) == 0, "twice");
    ota_blocks_missing(&s_blocks, 4, &s_window);
    CHECK(s_window.offset == 0u && s_window.count == 4u && s_window.bitmap[0] == 0x1Du, "0 2 3 4");
    CHECK(ota_blocks_put(&s_blocks, 0) == 1, "the first");
    ota_blocks_missing(&s_blocks, 100, &s_window);
    CHECK(s_window.offset == 2u && s_window.count == 9u && s_window.bytes == 2u, "two to ten");
    CHECK(s_window.bitmap[0] == 0xFFu && s_window.bitmap[1] == 0x01u, "bit k: offset + k");
    for (uint32_t i = 2; i < 11u; i++) {
        CHECK(!ota_blocks_are_all(&s_blocks) && ota_blocks_put(&s_blocks, i) == 1, "the rest");
    }
    ota_blocks_missing(&s_blocks, 100, &s_window);
    CHECK(ota_blocks_are_all(&s_blocks) && s_window.count == 0u, "nothing is missing");
    CHECK(ota_blocks_are_good(&s_blocks), "agrees with itself");
    s_blocks.bits[1] |= 0x08u;
    CHECK(!ota_blocks_are_good(&s_blocks), "a bit behind the last block");
}

// ---- record ------------------------------------------------------------------------------------

enum { AREA_WORDS = 512 };
static uint32_t s_areas[2][AREA_WORDS];
static long s_left; // words that flash still takes; below 0: all

static const uint8_t *cut_area(size_t area)
{
    return (const uint8_t *)s_areas[area];
}

static status_t cut_erase(size_t area)
{
    for (size_t i = 0; i < AREA_WORDS; i++) {
        if (s_left == 0) {
            return STATUS_FLASH;
        }
        s_left -= s_left > 0;
        s_areas[area][i] = UINT32_MAX;
    }
    return STATUS_OK;
}

static status_t cut_write(size_t area, size_t place, const uint32_t *words, size_t length)
{
    for (size_t i = 0; i < length / 4u; i++) {
        if (s_left == 0) {
            return STATUS_FLASH;
        }
        s_left -= s_left > 0;
        s_areas[area][place / 4u + i] &= words[i];
    }
    return STATUS_OK;
}

static const record_flash_t s_flash = {sizeof s_areas[0], cut_area, cut_erase, cut_write};

static bool load(ota_record_t *record)
{
    const uint8_t *bytes = NULL;
    size_t length = 0;
    return record_load(&s_flash, &bytes, &length) == STATUS_OK &&
           ota_record_read(record, bytes, length);
}

static void make_job(ota_job_t *job)
{
    memset(job, 0, sizeof *job);
    strcpy(job->id, "job-1");
    strcpy(job->stream, "stream");
    strcpy(job->certfile, "signer");
    job->bytes = 100u * 1024u;
    job->signature_bytes = 3;
}

// Power is cut at every word of saving a record with more blocks: what is found is the old one or
// the new one, whole.
static void test_record_cut(void)
{
    static ota_job_t s_job;
    static ota_record_t s_old, s_new, s_found;
    make_job(&s_job);
    CHECK(ota_record_begin(&s_old, &s_job, 1, 4096) == STATUS_OK, "begun");
    (void)ota_blocks_put(&s_old.blocks, 3);
    s_new = s_old;
    (void)ota_blocks_put(&s_new.blocks, 9);
    long steps = AREA_WORDS + (long)(sizeof s_new + RECORD_HEADER_BYTES) / 4;
    for (long left = 0; left <= steps; left++) {
        memset(s_areas, 0xFF, sizeof s_areas);
        s_left = -1;
        (void)record_save(&s_flash, &s_old, sizeof s_old);
        s_left = left;
        (void)record_save(&s_flash, &s_new, sizeof s_new);
        const ota_record_t *expected = left == steps ? &s_new : &s_old;
        CHECK(load(&s_found) && memcmp(&s_found, expected, sizeof s_found) == 0, "one is whole");
    }
    s_left = -1;
    CHECK(record_save(&s_flash, &s_new, 0) == STATUS_OK && !load(&s_found), "forgotten");
}

static void test_record_fits(void)
{
    static ota_job_t s_job;
    static ota_record_t s_record, s_found;
    make_job(&s_job);
    (void)ota_record_begin(&s_record, &s_job, 1, 4096);
    CHECK(ota_record_fits(&s_record, &s_job, 1), "this file");
    CHECK(!ota_record_fits(&s_record, &s_job, 0), "of another slot");
    s_job.signature[1] ^= 1u;
    CHECK(!ota_record_fits(&s_record, &s_job, 1), "with another signature");
    make_job(&s_job);
    s_job.bytes++;
    CHECK(!ota_record_fits(&s_record, &s_job, 1), "of another length");
    CHECK(ota_record_read(&s_found, &s_record, sizeof s_record), "as it was");
    CHECK(!ota_record_read(&s_found, &s_record, sizeof s_record - 4u), "shorter");
    s_record.blocks.got++;
    CHECK(!ota_record_read(&s_found, &s_record, sizeof s_record), "more than there is");
    CHECK(s_found.kept == OTA_KEPT_NONE, "is none");
}

// ---- CBOR --------------------------------------------------------------------------------------

static void test_cbor_bomb(void)
{
    static uint8_t s_nested[4096];
    static const uint8_t s_long[] = {0x9B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
    static const uint8_t s_pairs[] = {0xBB, 0x80, 0, 0, 0, 0, 0, 0, 0};
    memset(s_nested, 0x81, sizeof s_nested); // an array of an array of …
    CHECK(!cbor_is_whole(s_nested, sizeof s_nested), "that never ends");
    s_nested[sizeof s_nested - 1u] = 0;
    CHECK(cbor_is_whole(s_nested, sizeof s_nested), "that ends");
    CHECK(!cbor_is_whole(s_long, sizeof s_long), "more than there is");
    CHECK(!cbor_is_whole(s_pairs, sizeof s_pairs), "twice as many do not wrap");
}

static void test_versions(void)
{
    CHECK(ota_version_of("0.9.1") == 0x00090001u, "0.9.1");
    CHECK(ota_version_of("1.2") == 0u && ota_version_of("1.2.3.4") == 0u, "three parts");
    CHECK(ota_version_of("256.0.0") == 0u && ota_version_of("0.0.65536") == 0u, "that fit");
    CHECK(ota_version_of("1..2") == 0u && ota_version_of("0.3.0+x") == 0u, "and nothing else");
}

void test_ota(void)
{
    test_good_update();
    test_every_pair();
    test_no_dead_end();
    test_self_test_ends();
    test_silence();
    test_job_events();
    test_blocks();
    test_record_cut();
    test_record_fits();
    test_cbor_bomb();
    test_versions();
}
