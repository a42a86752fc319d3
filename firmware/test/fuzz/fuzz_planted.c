// SPDX-License-Identifier: MIT
// A parser with a fault that chance does not find: one byte is read behind the end, behind a word
// that has to be guessed letter by letter. The tests demand that the fuzzer finds it.
#include "fuzz.h"

static const char s_word[] = "afr_ota{";

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    size_t at = 0;
    while (at < length && at < sizeof s_word - 1u && bytes[at] == (uint8_t)s_word[at]) {
        at++;
    }
    volatile uint8_t next = at == sizeof s_word - 1u ? bytes[length] : 0u;
    (void)next;
    return 0;
}
