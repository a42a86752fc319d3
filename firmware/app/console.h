// SPDX-License-Identifier: MIT
// The console: bytes from the receive interrupt become lines, lines become commands. The task is in
// app/tasks.h; the commands are in the cmd_*.c files and in firmware/protocol/commands.toml.
#ifndef CONSOLE_H
#define CONSOLE_H

#include "command.h"
#include "reply.h"

// The command table, for `help`. Returns the row, or 0 behind the last one.
const command_t *console_command(size_t index);

// The row of a name, or 0.
const command_t *console_find(const char *name);

#endif
