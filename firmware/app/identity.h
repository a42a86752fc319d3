// SPDX-License-Identifier: MIT
// What this image and board call themselves.
#ifndef IDENTITY_H
#define IDENTITY_H

#include "line.h"

// Computes the SHA-256 over the image in flash. Once, before the others.
void identity_init(void);

// Adds kernel, version, board, image and flags, as the boot event and `id` begin.
void identity_add_fields(line_t *line);

// Compiler with version, such as "gcc-12.2.1".
const char *identity_compiler(void);

#endif
