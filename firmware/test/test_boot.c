// SPDX-License-Identifier: MIT
// The bootloader's choice, the trailer and the floor of the counter, over the model of NOR flash:
// cut and torn at every operation, the state is the one before or the one after.
#include "choice.h"
#include "floor.h"
#include "host_units.h"
#include "nor_model.h"

#include <setjmp.h>
#include <string.h>

enum { SLOT = 2 * NOR_SECTOR_BYTES, AT = 0x21000000 };

static uint8_t s_medium[SLOT];
static nor_control_t s_control;
static const nor_t s_nor = {s_medium, AT, sizeof s_medium, &s_control};
static jmp_buf s_power; // where a stop leaves to: power is gone
static bool s_goes_on;  // or else nothing happens but that the medium is looked at
static uint8_t s_seen[SLOT];

void nor_stop(nor_control_t *control, uint32_t stop)
{
    if (s_goes_on) {
        memcpy(s_seen, s_medium, sizeof s_seen);
        return;
    }
    control->stopped = stop;
    longjmp(s_power, 1);
}

void flash_phase_set(flash_phase_t phase)
{
    s_control.phase = phase;
}

static void medium_erase(void)
{
    memset(s_medium, 0xFF, sizeof s_medium);
    memset(&s_control, 0, sizeof s_control);
    nor_begin(&s_control);
}

static status_t medium_read(void *context, uint32_t offset, void *bytes, uint32_t length)
{
    (void)context;
    memcpy(bytes, s_medium + offset, length);
    return STATUS_OK;
}

static status_t medium_erase_sector(void *context, uint32_t offset)
{
    (void)context;
    return nor_erase(&s_nor, AT + offset);
}

static status_t medium_write(void *context, uint32_t offset, const void *bytes, uint32_t length)
{
    (void)context;
    return nor_program(&s_nor, AT + offset, bytes, length);
}

static const image_reader_t s_reader = {medium_read, NULL, SLOT};
static const flash_writer_t s_writer = {medium_erase_sector, medium_write, NULL};

// ---- the model
// -----------------------------------------------------------------------------------

static void test_rules(void)
{
    uint8_t ones[NOR_PAGE_BYTES + NOR_UNIT_BYTES];
    uint8_t zeros[NOR_UNIT_BYTES] = {0};
    memset(ones, 0xFF, sizeof ones);
    medium_erase();
    CHECK(nor_program(&s_nor, AT + 8u, zeros, 8) == STATUS_OK, "a unit");
    CHECK(nor_program(&s_nor, AT + 8u, ones, 8) == STATUS_FLASH, "no bit becomes 1");
    CHECK(nor_program(&s_nor, AT + 4u, zeros, 8) == STATUS_RANGE, "not on a unit");
    CHECK(nor_program(&s_nor, AT, zeros, 4) == STATUS_RANGE, "no whole unit");
    CHECK(nor_program(&s_nor, AT + 248u, ones, 16) == STATUS_RANGE, "over a page's end");
    CHECK(nor_program(&s_nor, AT, ones, 264) == STATUS_RANGE, "more than a page");
    CHECK(nor_program(&s_nor, AT + SLOT, ones, 8) == STATUS_RANGE, "behind the device");
    CHECK(nor_program(&s_nor, AT - 8u, ones, 8) == STATUS_RANGE, "before the device");
    CHECK(nor_erase(&s_nor, AT + 8u) == STATUS_RANGE, "no sector begins there");
    CHECK(nor_erase(&s_nor, AT) == STATUS_OK, "a sector");
    CHECK(s_medium[8] == 0xFF, "erased");
    CHECK(s_control.count == 10u && s_control.refused == 8u, "all are counted");
    CHECK(s_control.ring[0].kind == NOR_PROGRAM && s_control.ring[0].address == AT + 8u, "kept");
    CHECK(s_control.ring[1].status == -STATUS_FLASH, "with what became of them");
}

static void test_told_to_fail(void)
{
    uint8_t zeros[NOR_UNIT_BYTES] = {0};
    medium_erase();
    s_control.fail = 1u << NOR_PROGRAM;
    s_control.fail_at = 2;
    CHECK(nor_program(&s_nor, AT, zeros, 8) == STATUS_OK, "the first one");
    CHECK(nor_program(&s_nor, AT + 8u, zeros, 8) == STATUS_FLASH, "the second one");
    CHECK(s_medium[8] == 0xFF, "nothing has changed");
    CHECK(nor_program(&s_nor, AT + 8u, zeros, 8) == STATUS_OK, "the third one");
    s_control.stuck_address = AT + 16u;
    s_control.stuck_mask = 0x10;
    CHECK(nor_program(&s_nor, AT + 16u, zeros, 8) == STATUS_OK, "a bit is stuck");
    CHECK(s_medium[16] == 0x10 && s_medium[17] == 0, "only that one");
}

static void see_torn_bits(uint32_t stops)
{
    uint8_t zeros[NOR_PAGE_BYTES] = {0};
    medium_erase();
    s_control.seed = 7;
    s_control.stops = stops;
    s_goes_on = true;
    CHECK(nor_program(&s_nor, AT, zeros, sizeof zeros) == STATUS_OK, "goes on");
    s_goes_on = false;
}

// The last stop is that of the bits.
static void test_torn_alike_whatever_else_stops(void)
{
    uint8_t alone[SLOT];
    see_torn_bits(NOR_STOP_TORN_BITS);
    memcpy(alone, s_seen, sizeof alone);
    CHECK(alone[0] != 0u || alone[1] != 0u, "some bits are left");
    see_torn_bits(NOR_STOP_BEFORE | NOR_STOP_TORN_PART | NOR_STOP_TORN_BITS);
    CHECK(memcmp(alone, s_seen, sizeof alone) == 0, "the same ones");
}

// ---- cuts
// ----------------------------------------------------------------------------------------

typedef status_t (*act_t)(void);

// Runs `act` and cuts the power at operation `n`; whether that came.
static bool cut_at(act_t act, uint32_t stop, uint32_t n, uint32_t seed)
{
    s_control.count = 0;
    s_control.stops = stop;
    s_control.stop_at = n;
    s_control.seed = seed;
    bool cut = setjmp(s_power) != 0;
    if (!cut) {
        (void)act();
    }
    s_control.stops = 0;
    s_control.stopped = 0;
    return cut;
}

static trailer_state_t trailer_now(void)
{
    trailer_state_t state;
    CHECK(trailer_read(&s_reader, &state) == STATUS_OK, "memory");
    return state;
}

static status_t act_test(void)
{
    return trailer_set_test(&s_writer, SLOT);
}

static status_t act_tried(void)
{
    return trailer_set_tried(&s_writer, SLOT);
}

static status_t act_confirm(void)
{
    return trailer_set_confirmed(&s_writer, SLOT);
}

static const struct {
    act_t act;
    trailer_state_t after;
    const char *about;
} s_steps[] = {
    {act_test, TRAILER_TEST, "test"},
    {act_tried, TRAILER_TRIED, "tried"},
    {act_confirm, TRAILER_CONFIRMED, "confirmed"},
};

// Each mark cut in every way: the state before or after, and the same mark again completes it.
static void test_trailer(void)
{
    static const uint32_t s_stops[] = {NOR_STOP_BEFORE, NOR_STOP_TORN_PART, NOR_STOP_TORN_BITS};
    for (uint32_t seed = 1; seed <= 200; seed++) {
        medium_erase();
        trailer_state_t before = TRAILER_NONE;
        for (size_t i = 0; i < sizeof s_steps / sizeof s_steps[0]; i++) {
            CHECK(trailer_now() == before, s_steps[i].about);
            CHECK(cut_at(s_steps[i].act, s_stops[seed % 3u], 1, seed), s_steps[i].about);
            trailer_state_t cut = trailer_now();
            CHECK(cut == before || cut == s_steps[i].after, s_steps[i].about);
            CHECK(s_steps[i].act() == STATUS_OK, s_steps[i].about);
            before = s_steps[i].after;
        }
        CHECK(trailer_now() == TRAILER_CONFIRMED, "complete");
    }
}

static uint32_t s_wanted;

static status_t act_raise(void)
{
    return floor_raise(&s_reader, &s_writer, s_wanted);
}

static uint32_t floor_now(void)
{
    uint32_t counter = 0;
    CHECK(floor_read(&s_reader, &counter) == STATUS_OK, "memory");
    return counter;
}

// Past both sectors' ends, twice over, a cut at every raise: it never falls, and rises again.
static void test_floor(void)
{
    static const uint32_t s_stops[] = {NOR_STOP_BEFORE, NOR_STOP_TORN_PART, NOR_STOP_TORN_BITS};
    medium_erase();
    CHECK(floor_now() == 0u, "never written");
    for (s_wanted = 1; s_wanted <= 1200; s_wanted++) {
        uint32_t operation = 1u + s_wanted % 2u;
        bool cut = cut_at(act_raise, s_stops[s_wanted % 3u], operation, s_wanted);
        uint32_t seen = floor_now();
        CHECK(seen == s_wanted || (cut && seen == s_wanted - 1u), "a cut floor");
        CHECK(floor_raise(&s_reader, &s_writer, s_wanted) == STATUS_OK, "raised again");
        CHECK(floor_now() == s_wanted, "raised");
    }
    CHECK(floor_raise(&s_reader, &s_writer, 3) == STATUS_OK, "lower: nothing to do");
    CHECK(floor_now() == 1200u, "it only rises");
}

// ---- the choice
// ----------------------------------------------------------------------------------

#define GOOD(state_, minor_)                                                                       \
    {                                                                                              \
        .verdict = IMAGE_GOOD, .state = TRAILER_##state_, .version = {.minor = (minor_) }          \
    }
#define BAD(state_)                                                                                \
    {                                                                                              \
        .verdict = IMAGE_SIGNATURE, .state = TRAILER_##state_, .version = {.minor = 9 }            \
    }

static const struct {
    slot_view_t slots[SLOT_COUNT];
    boot_choice_t choice;
    const char *about;
} s_choices[] = {
    {{GOOD(CONFIRMED, 1), BAD(NONE)}, {0, BOOT_CONFIRMED}, "one image"},
    {{BAD(NONE), GOOD(CONFIRMED, 1)}, {1, BOOT_CONFIRMED}, "one image in b"},
    {{GOOD(CONFIRMED, 1), GOOD(CONFIRMED, 2)}, {1, BOOT_CONFIRMED}, "the newer"},
    {{GOOD(CONFIRMED, 2), GOOD(CONFIRMED, 2)}, {0, BOOT_CONFIRMED}, "the first of two alike"},
    {{GOOD(CONFIRMED, 1), GOOD(NONE, 2)}, {0, BOOT_CONFIRMED}, "nobody asked for b"},
    {{GOOD(CONFIRMED, 1), GOOD(TEST, 2)}, {1, BOOT_TEST}, "an update"},
    {{GOOD(TEST, 2), GOOD(CONFIRMED, 1)}, {0, BOOT_TEST}, "an update in a"},
    {{GOOD(CONFIRMED, 2), GOOD(TEST, 2)}, {0, BOOT_REFUSED}, "the same version"},
    {{GOOD(CONFIRMED, 2), GOOD(TEST, 1)}, {0, BOOT_REFUSED}, "an older one"},
    {{GOOD(CONFIRMED, 1), BAD(TEST)}, {0, BOOT_REFUSED}, "a bad update"},
    {{GOOD(CONFIRMED, 1), GOOD(TRIED, 2)}, {0, BOOT_REVERT}, "never confirmed"},
    {{GOOD(CONFIRMED, 1), BAD(CONFIRMED)}, {0, BOOT_REFUSED}, "the newer one is spoiled"},
    {{GOOD(TEST, 1), GOOD(TEST, 2)}, {1, BOOT_TEST}, "two to be tried"},
    {{GOOD(TRIED, 1), GOOD(TEST, 1)}, {1, BOOT_TEST}, "nothing confirmed, one to be tried"},
    {{GOOD(TRIED, 1), GOOD(TRIED, 2)}, {SLOT_NONE, BOOT_RECOVERY}, "both tried"},
    {{GOOD(TRIED, 1), BAD(CONFIRMED)}, {SLOT_NONE, BOOT_RECOVERY}, "tried and spoiled"},
    {{BAD(NONE), BAD(TEST)}, {SLOT_NONE, BOOT_RECOVERY}, "nothing good"},
    {{GOOD(NONE, 1), GOOD(NONE, 2)}, {SLOT_NONE, BOOT_RECOVERY}, "nothing asked for"},
};

static void test_choice(void)
{
    for (size_t i = 0; i < sizeof s_choices / sizeof s_choices[0]; i++) {
        boot_choice_t choice = boot_choose(s_choices[i].slots);
        CHECK(choice.slot == s_choices[i].choice.slot, s_choices[i].about);
        CHECK(choice.reason == s_choices[i].choice.reason, s_choices[i].about);
    }
}

void test_boot(void)
{
    test_rules();
    test_told_to_fail();
    test_torn_alike_whatever_else_stops();
    test_trailer();
    test_floor();
    test_choice();
}
