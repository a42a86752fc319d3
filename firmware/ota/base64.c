// SPDX-License-Identifier: MIT
#include "base64.h"

#include <stdbool.h>

enum { GROUP = 4, BITS = 6, MOST_BYTES = 0x7FFFFFFF };

static int base64_value(char byte)
{
    if (byte >= 'A' && byte <= 'Z') {
        return byte - 'A';
    }
    if (byte >= 'a' && byte <= 'z') {
        return byte - 'a' + 26;
    }
    if (byte >= '0' && byte <= '9') {
        return byte - '0' + 52;
    }
    return byte == '+' ? 62 : byte == '/' ? 63 : -1;
}

// Characters of a group so far, and what they stand for.
typedef struct {
    uint32_t bits;
    size_t count, padding;
} group_t;

// Takes one character; false if it may not stand there.
static bool base64_take(group_t *group, char byte)
{
    int value = base64_value(byte);
    bool pads = byte == '=' && group->count >= 2u;
    if (!pads && (value < 0 || group->padding > 0u)) {
        return false;
    }
    group->padding += pads ? 1u : 0u;
    group->bits = group->bits << BITS | (pads ? 0u : (uint32_t)value);
    group->count++;
    return true;
}

// Writes the bytes of a whole group. The bits that padding cuts off must be zero.
static int base64_put(const group_t *group, uint8_t *out, size_t room)
{
    size_t bytes = 3u - group->padding;
    uint32_t rest = group->bits & ((1u << 8u * group->padding) - 1u);
    if (rest != 0u) {
        return STATUS_VALUE;
    }
    if (bytes > room) {
        return STATUS_SPACE;
    }
    for (size_t i = 0; i < bytes; i++) {
        out[i] = (uint8_t)(group->bits >> (16u - 8u * i));
    }
    return (int)bytes;
}

int32_t base64_decode(const char *text, size_t length, uint8_t *out, size_t size)
{
    group_t group = {0};
    size_t done = 0;
    bool ended = false;
    for (size_t at = 0; at < length; at++) {
        bool escape = text[at] == '\\' && at + 1u < length && text[at + 1u] == '/';
        at += escape ? 1u : 0u;
        if (ended || !base64_take(&group, text[at])) {
            return STATUS_VALUE;
        }
        if (group.count == GROUP) {
            int put = base64_put(&group, out + done, size - done);
            if (put < 0) {
                return put;
            }
            done += (size_t)put;
            ended = group.padding > 0u;
            group = (group_t){0};
        }
    }
    return group.count == 0u && done <= MOST_BYTES ? (int32_t)done : STATUS_VALUE;
}
