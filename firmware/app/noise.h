// SPDX-License-Identifier: MIT
// Prints log lines from a task of its own, to prove that replies are found among them: every other
// line is written in two pieces, so that a frame can fall into its middle.
#ifndef NOISE_H
#define NOISE_H

#include <stdint.h>

// Prints `lines` more lines from now on, instead of those still to come; 0 stops. From tasks.
void noise_start(uint32_t lines);

#endif
