// SPDX-License-Identifier: MIT
// Samples as text, short where they repeat: what bench.read sends. Pure; no state.
//
// Tokens stand with commas between them. `1F` is a sample in hexadecimal, `T1F` one that a tick
// interrupt hit (bit 31), and `5:7D0` stands for the next 0x7D0 samples, each equal to the one 5
// before it. On a clock that is exact a series is a few values again and again, and a UART is slow:
// 2,000 samples take a tenth to a hundredth of what eight digits each would.
#ifndef SERIES_H
#define SERIES_H

#include <stddef.h>
#include <stdint.h>

// Bit 31 of a sample: a tick interrupt came between its begin and its end, or right beside them.
#define SERIES_TICK_HIT 0x80000000u

// A reader need not remember more samples than this to understand a repeat.
enum { SERIES_FARTHEST = 16 };

// Writes samples[at..end) to `text` (`room` bytes with the NUL, at least 13) until no token fits,
// and returns the index of the first sample that was not written. A repeat looks back no farther
// than samples[begin].
uint32_t series_write(const uint32_t *samples, uint32_t begin, uint32_t at, uint32_t end,
                      char *text, size_t room);

#endif
