// SPDX-License-Identifier: MIT
#include "reply_series.h"

#include "series.h"

enum { ROW_CHARACTERS = 300 }; // beside them a line has room for all else

void reply_series(reply_t *reply, const uint32_t *samples, uint32_t taken, uint32_t offset,
                  uint32_t count)
{
    uint32_t begin = offset < taken ? offset : taken;
    uint32_t end = count < taken - begin ? begin + count : taken;
    for (uint32_t at = begin; at < end;) {
        char text[ROW_CHARACTERS];
        uint32_t next = series_write(samples, begin, at, end, text, sizeof text);
        line_t *line = reply_data(reply);
        line_add_u32(line, "o", at);
        line_add_text(line, "s", text);
        reply_send(reply);
        at = next;
    }
    line_add_u32(reply_ok(reply), "count", end - begin);
    reply_send(reply);
}
