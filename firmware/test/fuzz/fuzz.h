// SPDX-License-Identifier: MIT
// What the targets for libFuzzer share. A target is one file fuzz_<name>.c: it gives what it is
// given to one parser, and checks what the parser's header promises of the outcome. The sanitizers
// check the rest; an input lies in memory of exactly its own length.
//
// What came out is counted by a word: to the fuzzer a new word is worth as much as new code. With
// FUZZ_SEEN in the environment the counts are said at the end, so that a corpus can be shown to
// reach every outcome.
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUZZ_CHECK(holds)                                                                          \
    do {                                                                                           \
        if (!(holds)) {                                                                            \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #holds);             \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

// libFuzzer's name for it.
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

// Counts an outcome. `word` outlives the program.
void fuzz_seen(const char *word);

// Whether a text ends with NUL inside of its memory.
bool fuzz_ends(const char *text, size_t size);

#endif
