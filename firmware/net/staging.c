// SPDX-License-Identifier: MIT
#include "staging.h"

#include <string.h>

static uint8_t s_bytes[STAGING_BYTES];
static size_t s_length;

status_t staging_put(size_t offset, const uint8_t *bytes, size_t length)
{
    if (offset > s_length) {
        return STATUS_RANGE;
    }
    if (length > sizeof s_bytes - offset) {
        return STATUS_SPACE;
    }
    memcpy(s_bytes + offset, bytes, length);
    s_length = offset + length;
    return STATUS_OK;
}

const uint8_t *staging_bytes(size_t *length)
{
    *length = s_length;
    return s_bytes;
}

void staging_clear(void)
{
    s_length = 0;
}
