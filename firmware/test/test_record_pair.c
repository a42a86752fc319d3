// SPDX-License-Identifier: MIT
// The record in two areas of flash: power is cut at every word, and either the old record or the
// new one is there.
#include "host_units.h"
#include "record_pair.h"

#include <stdbool.h>
#include <string.h>

enum { AREA_BYTES = 256, WORDS = AREA_BYTES / 4 };

static uint32_t s_areas[2][WORDS];
static long s_left; // words that flash still takes before power goes; below 0: no limit

static const uint8_t *fake_area(size_t area)
{
    return (const uint8_t *)s_areas[area];
}

static bool fake_has_power(void)
{
    if (s_left == 0) {
        return false;
    }
    s_left -= s_left > 0;
    return true;
}

static status_t fake_erase(size_t area)
{
    for (size_t i = 0; i < WORDS; i++) {
        if (!fake_has_power()) {
            return STATUS_FLASH;
        }
        s_areas[area][i] = UINT32_MAX;
    }
    return STATUS_OK;
}

// As NOR flash: a bit is cleared, never set.
static status_t fake_write(size_t area, size_t place, const uint32_t *words, size_t length)
{
    for (size_t i = 0; i < length / 4u; i++) {
        uint32_t *at = &s_areas[area][place / 4u + i];
        if ((*at & words[i]) != words[i] || !fake_has_power()) {
            return STATUS_FLASH;
        }
        *at = words[i];
    }
    return STATUS_OK;
}

static const record_flash_t s_flash = {AREA_BYTES, fake_area, fake_erase, fake_write};

static void fake_clear(uint8_t fill)
{
    memset(s_areas, fill, sizeof s_areas);
    s_left = -1;
}

static bool holds(const void *expected, size_t length)
{
    const uint8_t *bytes = NULL;
    size_t found = 0;
    return record_load(&s_flash, &bytes, &found) == STATUS_OK && found == length &&
           memcmp(bytes, expected, length) == 0;
}

static void test_in_turn(void)
{
    uint32_t words[WORDS] = {0};
    fake_clear(0xFF);
    const uint8_t *bytes = NULL;
    size_t length = 0;
    CHECK(record_load(&s_flash, &bytes, &length) == STATUS_UNKNOWN, "blank flash has none");
    fake_clear(0);
    CHECK(record_load(&s_flash, &bytes, &length) == STATUS_UNKNOWN, "nor has one of zeros");
    for (uint32_t round = 0; round < 10u; round++) {
        words[0] = round;
        CHECK(record_save(&s_flash, words, 4u + round) == STATUS_OK, "saved");
        CHECK(holds(words, 4u + round), "and loaded");
    }
    size_t most = AREA_BYTES - RECORD_HEADER_BYTES;
    CHECK(record_save(&s_flash, words, most) == STATUS_OK && holds(words, most), "the longest");
    CHECK(record_save(&s_flash, words, most + 1u) == STATUS_SPACE, "longer than an area");
    CHECK(holds(words, most), "which changes nothing");
    CHECK(record_save(&s_flash, words, 0) == STATUS_OK && holds(words, 0), "an empty one");
    CHECK(record_erase(&s_flash) == STATUS_OK, "erased");
    CHECK(record_load(&s_flash, &bytes, &length) == STATUS_UNKNOWN, "nothing is left");
}

static void test_cut(void)
{
    uint32_t old[] = {1, 2, 3, 4, 5};
    uint32_t new[] = {6, 7, 8, 9, 10, 11};
    long steps = WORDS + 6 + RECORD_HEADER_BYTES / 4; // erase, record, header
    for (unsigned first = 0; first < 2u; first++) {   // either area may hold the old one
        for (long left = 0; left <= steps; left++) {
            fake_clear(0xFF);
            for (unsigned i = 0; i <= first; i++) {
                (void)record_save(&s_flash, old, sizeof old);
            }
            s_left = left;
            status_t status = record_save(&s_flash, new, sizeof new);
            CHECK((status == STATUS_OK) == (left == steps), "power was cut");
            CHECK(left == steps ? holds(new, sizeof new) : holds(old, sizeof old), "one is there");
            s_left = -1;
            CHECK(record_save(&s_flash, new, sizeof new) == STATUS_OK && holds(new, sizeof new),
                  "and the next one is kept");
        }
    }
}

static bool is_anywhere(uint32_t word)
{
    for (size_t i = 0; i < WORDS; i++) {
        if (s_areas[0][i] == word || s_areas[1][i] == word) {
            return true;
        }
    }
    return false;
}

// Power is cut at every step of the erasure of what was replaced: the new record is there, and what
// is left of the old one is known as such.
static void test_scrub(void)
{
    enum { SECRET = 0x5EC4E7 };
    uint32_t old[] = {1, SECRET, 3}, new[] = {4, 5};
    const uint8_t *bytes = NULL;
    size_t length = 0;
    for (long left = 0; left <= WORDS; left++) {
        fake_clear(0xFF);
        CHECK(record_rest(&s_flash, &bytes, &length) == RECORD_BLANK, "nothing is there");
        (void)record_save(&s_flash, old, sizeof old);
        CHECK(record_rest(&s_flash, &bytes, &length) == RECORD_BLANK, "nor beside the first");
        (void)record_save(&s_flash, new, sizeof new);
        CHECK(record_rest(&s_flash, &bytes, &length) == RECORD_OLDER && length == sizeof old &&
                  memcmp(bytes, old, length) == 0,
              "the one before");
        s_left = left;
        CHECK((record_scrub(&s_flash) == STATUS_OK) == (left == WORDS), "power was cut");
        CHECK(holds(new, sizeof new), "the new one is there");
        s_left = -1;
        record_rest_t rest = record_rest(&s_flash, &bytes, &length);
        CHECK(rest != RECORD_BLANK || !is_anywhere(SECRET), "a rest is known");
        CHECK(record_scrub(&s_flash) == STATUS_OK && !is_anywhere(SECRET), "and goes");
        CHECK(holds(new, sizeof new), "and nothing else");
    }
    CHECK(record_rest(&s_flash, &bytes, &length) == RECORD_BLANK, "all is gone");
    fake_clear(0x55);
    CHECK(record_rest(&s_flash, &bytes, &length) == RECORD_TORN, "no record at all");
    CHECK(record_scrub(&s_flash) == STATUS_OK && !is_anywhere(0x55555555u), "nor its rest");
}

// Every single-bit error of the newest record is found; the one before it counts then.
static void test_damage(void)
{
    uint32_t old[] = {1};
    uint32_t new[] = {2, 3};
    fake_clear(0xFF);
    (void)record_save(&s_flash, old, sizeof old);
    (void)record_save(&s_flash, new, sizeof new);
    size_t newest = fake_area(0)[4] == 2u ? 0u : 1u; // by its sequence number
    for (size_t bit = 0; bit < 8u * (RECORD_HEADER_BYTES + sizeof new); bit++) {
        s_areas[newest][bit / 32u] ^= 1u << bit % 32u;
        CHECK(holds(old, sizeof old), "a bit is wrong");
        s_areas[newest][bit / 32u] ^= 1u << bit % 32u;
    }
    CHECK(holds(new, sizeof new), "all is right again");
}

void test_record_pair(void)
{
    test_in_turn();
    test_cut();
    test_scrub();
    test_damage();
}
