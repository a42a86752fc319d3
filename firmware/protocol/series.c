// SPDX-License-Identifier: MIT
// Greedy: the longest repeat that begins here, or else one sample.
#include "series.h"

#include "line.h"

enum {
    WORTH_REPEATING = 4, // samples; the token is about that long
    TOKEN_BYTES = 12,    // `,10:FFFFFFFF`; a sample has at most 9
};

typedef struct {
    uint32_t back;
    uint32_t count;
} repeat_t;

static uint32_t series_count_equal(const uint32_t *samples, uint32_t at, uint32_t end,
                                   uint32_t back)
{
    uint32_t count = 0;
    while (at + count < end && samples[at + count] == samples[at + count - back]) {
        count++;
    }
    return count;
}

static repeat_t series_find_repeat(const uint32_t *samples, uint32_t begin, uint32_t at,
                                   uint32_t end)
{
    repeat_t best = {0, 0};
    for (uint32_t back = 1; back <= SERIES_FARTHEST && back <= at - begin; back++) {
        uint32_t count = series_count_equal(samples, at, end, back);
        if (count > best.count) {
            best = (repeat_t){back, count};
        }
    }
    return best;
}

static char *series_put_hex(char *out, uint32_t value)
{
    unsigned digits = 1;
    while (digits < 8u && value >> (4u * digits) != 0u) {
        digits++;
    }
    line_format_hex(value, digits, out);
    return out + digits;
}

static char *series_put_sample(char *out, uint32_t sample)
{
    if ((sample & SERIES_TICK_HIT) != 0u) {
        *out++ = 'T';
    }
    return series_put_hex(out, sample & ~SERIES_TICK_HIT);
}

static char *series_put_repeat(char *out, repeat_t repeat)
{
    out = series_put_hex(out, repeat.back);
    *out++ = ':';
    return series_put_hex(out, repeat.count);
}

uint32_t series_write(const uint32_t *samples, uint32_t begin, uint32_t at, uint32_t end,
                      char *text, size_t room)
{
    char *out = text;
    while (at < end && (size_t)(out - text) + TOKEN_BYTES < room) {
        if (out != text) {
            *out++ = ',';
        }
        repeat_t repeat = series_find_repeat(samples, begin, at, end);
        if (repeat.count >= WORTH_REPEATING) {
            out = series_put_repeat(out, repeat);
            at += repeat.count;
        } else {
            out = series_put_sample(out, samples[at]);
            at++;
        }
    }
    *out = '\0';
    return at;
}
