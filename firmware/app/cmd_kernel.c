// SPDX-License-Identifier: MIT
// Commands about the kernel itself.
#include "commands_table.h"
#include "console.h"
#include "kernel_compat.h"
#include "kernel_features.h"

void command_kernel_features(const command_call_t *call, reply_t *reply)
{
    (void)call;
    uint32_t rows = 0;
    for (const kernel_feature_t *row; (row = kernel_feature(rows)) != NULL; rows++) {
        line_t *line = reply_data(reply);
        line_add_text(line, "name", row->name);
        line_add_u32(line, "have", row->have ? 1u : 0u);
        line_add_text(line, "since", row->since);
        line_add_text(line, "config", row->config);
        line_add_text(line, "value", row->value);
        reply_send(reply);
    }
    line_t *line = reply_ok(reply);
    line_add_text(line, "kernel", KERNEL_VERSION_TEXT);
    line_add_u32(line, "kernel_number", KERNEL_VERSION);
    line_add_u32(line, "rows", rows);
    reply_send(reply);
}
