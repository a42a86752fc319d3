// SPDX-License-Identifier: MIT
// Samples as text: repeats, ticks, and rows that are full.
#include "host_units.h"
#include "series.h"

#include <string.h>

enum { MOST = 20, TICK_12 = (int)(SERIES_TICK_HIT | 12u) };

typedef struct {
    const char *text;
    uint32_t count;
    int samples[MOST];
} series_row_t;

static const series_row_t s_rows[] = {
    {"", 0, {0}},
    {"0", 1, {0}},
    {"C", 1, {12}},
    {"TC", 1, {TICK_12}},
    {"C,D,C", 3, {12, 13, 12}},
    {"C,C,C,C", 4, {12, 12, 12, 12}}, // three that repeat are not worth a token
    {"C,1:4", 5, {12, 12, 12, 12, 12}},
    {"C,TC,2:6", 8, {12, TICK_12, 12, TICK_12, 12, TICK_12, 12, TICK_12}},
    {"1,2,3,4,3:5", 9, {1, 2, 3, 4, 2, 3, 4, 2, 3}},
    {"100,7FFFFFFF", 2, {0x100, 0x7FFFFFFF}},
};

static void test_rows(void)
{
    for (size_t i = 0; i < sizeof s_rows / sizeof s_rows[0]; i++) {
        const series_row_t *row = &s_rows[i];
        uint32_t samples[MOST];
        memcpy(samples, row->samples, sizeof samples);
        char text[100];
        uint32_t next = series_write(samples, 0, 0, row->count, text, sizeof text);
        CHECK(next == row->count, row->text);
        CHECK(strcmp(text, row->text) == 0, text);
    }
}

static void test_a_row_that_is_full(void)
{
    static const uint32_t samples[] = {0x11111111, 0x22222222, 0x33333333, 0x44444444};
    char text[24];
    uint32_t next = series_write(samples, 0, 0, 4, text, sizeof text);
    CHECK(next == 2 && strcmp(text, "11111111,22222222") == 0, text);
    next = series_write(samples, 0, next, 4, text, sizeof text);
    CHECK(next == 4 && strcmp(text, "33333333,44444444") == 0, text);
}

// What a reader was not sent cannot be repeated.
static void test_no_repeat_from_before_the_beginning(void)
{
    static const uint32_t samples[] = {7, 7, 7, 7, 7, 7, 7, 7};
    char text[24];
    (void)series_write(samples, 2, 2, 8, text, sizeof text);
    CHECK(strcmp(text, "7,1:5") == 0, text);
}

void test_series(void)
{
    test_rows();
    test_a_row_that_is_full();
    test_no_repeat_from_before_the_beginning();
}
