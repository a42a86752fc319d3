// SPDX-License-Identifier: MIT
// The command table's types, and the binding of a parsed request to a command's arguments. Pure.
// The table itself is generated from commands.toml into commands_table.h.
#ifndef COMMAND_H
#define COMMAND_H

#include "request.h"

enum { COMMAND_MAX_ARGUMENTS = 8 };

typedef enum { ARGUMENT_TEXT, ARGUMENT_NUMBER, ARGUMENT_CHOICE } argument_kind_t;

typedef struct {
    const char *name;
    argument_kind_t kind;
    bool required;
    int32_t low; // numbers: smallest and largest value
    int32_t high;
    const char *choices; // choices: the words allowed, parted by single blanks
} argument_t;

// The value of one argument as given. Text is "" and number 0 if it is absent.
typedef struct {
    bool present;
    const char *text;
    int32_t number;
} argument_value_t;

// Arguments in the order of the table.
typedef struct {
    argument_value_t values[COMMAND_MAX_ARGUMENTS];
} command_call_t;

struct reply;
typedef void (*command_handler_t)(const command_call_t *call, struct reply *reply);

typedef struct {
    const char *name;
    const char *usage;
    const char *summary;
    const argument_t *arguments;
    size_t argument_count;
    command_handler_t handler;
} command_t;

// Binds the request's fields to the command's arguments and checks them. On STATUS_USAGE or
// STATUS_VALUE *fault names the argument at fault.
status_t command_bind(const command_t *command, const request_t *request, command_call_t *call,
                      const char **fault);

#endif
