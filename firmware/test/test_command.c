// SPDX-License-Identifier: MIT
// Binding of arguments to a command's table.
#include "command.h"
#include "host_units.h"

#include <string.h>

static const argument_t s_arguments[] = {
    {"id", ARGUMENT_TEXT, true, 0, 0, ""},
    {"n", ARGUMENT_NUMBER, true, 1, 10, ""},
    {"kind", ARGUMENT_CHOICE, false, 0, 0, "one two three"},
};

static const command_t s_command = {
    .name = "c", .arguments = s_arguments, .argument_count = 3, .handler = NULL};

typedef struct {
    const char *line;
    status_t status;
    const char *fault; // the argument at fault
    int32_t n;
} bind_row_t;

static const bind_row_t s_binds[] = {
    {"c id=x n=3", STATUS_OK, NULL, 3},
    {"c n=10 id=x kind=three", STATUS_OK, NULL, 10},
    {"c x 7", STATUS_OK, NULL, 7},
    {"c x n=7 kind=one", STATUS_OK, NULL, 7},
    {"c id= n=1", STATUS_OK, NULL, 1},
    {"c n=3", STATUS_USAGE, "id", 0},
    {"c id=x", STATUS_USAGE, "n", 0},
    {"c id=x n=3 n=3", STATUS_USAGE, "n", 0},
    {"c x id=y n=3", STATUS_USAGE, "id", 0},
    {"c id=x n=3 m=1", STATUS_USAGE, "m", 0},
    {"c a 1 one b", STATUS_USAGE, "b", 0},
    {"c id=x n=11", STATUS_VALUE, "n", 0},
    {"c id=x n=0", STATUS_VALUE, "n", 0},
    {"c id=x n=two", STATUS_VALUE, "n", 0},
    {"c id=x n=1 kind=tw", STATUS_VALUE, "kind", 0},
    {"c id=x n=1 kind=", STATUS_VALUE, "kind", 0},
    {"c id=x n=1 kind=one%20two", STATUS_VALUE, "kind", 0},
};

void test_command(void)
{
    for (size_t i = 0; i < sizeof s_binds / sizeof s_binds[0]; i++) {
        const bind_row_t *row = &s_binds[i];
        char line[64];
        const char *fault = "";
        request_t request;
        command_call_t call;
        strcpy(line, row->line);
        CHECK(request_parse(line, &request) == STATUS_OK, row->line);
        CHECK(command_bind(&s_command, &request, &call, &fault) == row->status, row->line);
        if (row->fault != NULL) {
            CHECK(strcmp(fault, row->fault) == 0, row->line);
        } else {
            CHECK(call.values[1].present && call.values[1].number == row->n, row->line);
        }
    }
}
