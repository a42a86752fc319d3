// SPDX-License-Identifier: MIT
#include "command.h"

#include <string.h>

const char *status_word(status_t status)
{
    switch (status) {
    case STATUS_OK:
        return "ok";
    case STATUS_SYNTAX:
        return "syntax";
    case STATUS_CRC:
        return "crc";
    case STATUS_LONG:
        return "long";
    case STATUS_UNKNOWN:
        return "unknown";
    case STATUS_USAGE:
        return "usage";
    case STATUS_VALUE:
        return "value";
    case STATUS_ABSENT:
        return "absent";
    case STATUS_RANGE:
        return "range";
    case STATUS_FLASH:
        return "flash";
    case STATUS_TIMEOUT:
        return "timeout";
    case STATUS_REFUSED:
        return "refused";
    case STATUS_CLOSED:
        return "closed";
    case STATUS_TLS:
        return "tls";
    case STATUS_SPACE:
        return "space";
    }
    return "internal";
}

static bool command_is_choice(const char *choices, const char *word)
{
    size_t length = strlen(word);
    while (*choices != '\0') {
        size_t span = strcspn(choices, " ");
        if (length != 0u && span == length && memcmp(choices, word, span) == 0) {
            return true;
        }
        choices += span;
        choices += strspn(choices, " ");
    }
    return false;
}

static status_t command_set(const argument_t *argument, const char *text, argument_value_t *value)
{
    if (value->present) {
        return STATUS_USAGE;
    }
    value->present = true;
    value->text = text;
    if (argument->kind == ARGUMENT_NUMBER) {
        return request_parse_number(text, argument->low, argument->high, &value->number);
    }
    if (argument->kind == ARGUMENT_CHOICE && !command_is_choice(argument->choices, text)) {
        return STATUS_VALUE;
    }
    return STATUS_OK;
}

// The place of a field in the argument table; argument_count if there is none. Arguments by
// position take their places in order.
static size_t command_place(const command_t *command, const request_field_t *field,
                            size_t *position)
{
    if (field->key == NULL) {
        return *position < command->argument_count ? (*position)++ : command->argument_count;
    }
    size_t place = 0;
    while (place < command->argument_count &&
           strcmp(command->arguments[place].name, field->key) != 0) {
        place++;
    }
    return place;
}

static status_t command_check_required(const command_t *command, const command_call_t *call,
                                       const char **fault)
{
    for (size_t i = 0; i < command->argument_count; i++) {
        if (command->arguments[i].required && !call->values[i].present) {
            *fault = command->arguments[i].name;
            return STATUS_USAGE;
        }
    }
    return STATUS_OK;
}

status_t command_bind(const command_t *command, const request_t *request, command_call_t *call,
                      const char **fault)
{
    size_t position = 0;
    for (size_t i = 0; i < COMMAND_MAX_ARGUMENTS; i++) {
        call->values[i] = (argument_value_t){.present = false, .text = "", .number = 0};
    }
    for (size_t i = 0; i < request->count; i++) {
        const request_field_t *field = &request->fields[i];
        size_t place = command_place(command, field, &position);
        if (place == command->argument_count) {
            *fault = field->key != NULL ? field->key : field->value;
            return STATUS_USAGE;
        }
        *fault = command->arguments[place].name;
        status_t status =
            command_set(&command->arguments[place], field->value, &call->values[place]);
        if (status != STATUS_OK) {
            return status;
        }
    }
    return command_check_required(command, call, fault);
}
