// SPDX-License-Identifier: MIT
#include "fuzz.h"

enum { WORDS = 64, COUNTERS = 1024 };

// libFuzzer takes what is counted here for coverage: an input that brings out a new word is kept.
__attribute__((section("__libfuzzer_extra_counters"))) static uint8_t s_counters[COUNTERS];

static struct {
    const char *word;
    unsigned long times;
} s_seen[WORDS];
static size_t s_words;

static void seen_tell(void)
{
    for (size_t i = 0; i < s_words && getenv("FUZZ_SEEN") != NULL; i++) {
        printf("seen %s %lu\n", s_seen[i].word, s_seen[i].times);
    }
    fflush(stdout);
}

// A place for the word. The first one has it all said at the end.
static size_t seen_place(const char *word)
{
    for (size_t i = 0; i < s_words; i++) {
        if (strcmp(s_seen[i].word, word) == 0) {
            return i;
        }
    }
    if (s_words == 0u) {
        (void)atexit(seen_tell);
    }
    FUZZ_CHECK(s_words < WORDS);
    s_seen[s_words].word = word;
    return s_words++;
}

// The same for a word in every process, whatever came before it.
static size_t seen_counter(const char *word)
{
    uint32_t mixed = 5381;
    for (; *word != '\0'; word++) {
        mixed = mixed * 33u + (uint8_t)*word;
    }
    return mixed % COUNTERS;
}

void fuzz_seen(const char *word)
{
    s_seen[seen_place(word)].times++;
    s_counters[seen_counter(word)] = 1;
}

bool fuzz_ends(const char *text, size_t size)
{
    return memchr(text, '\0', size) != NULL;
}
