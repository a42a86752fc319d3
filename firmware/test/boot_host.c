// SPDX-License-Identifier: MIT
// The bootloader's judge on this machine.
//   boot_host judge <slot> <most> <floor> <board> <point>
//     Images on standard input, each behind its length (32 bits, little-endian); one line each:
//     `<verdict> <version> <counter> <total bytes>`.
//   boot_host fuzz <slot> <most> <floor> <board> <point> <seed> <count>
//     Changes those images at random, and fails where one is good that is not byte for byte one of
//     them. Prints how often each verdict came.
#include "boot_crypto_config.h"
#include "image.h"
#include "signature.h"

#include "hex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CORPUS_MOST = 64, RAM_AT = 0x20000000, RAM_BYTES = 0x400000, HEADER = 0x200 };

typedef struct {
    uint8_t *bytes;
    uint32_t length;
} sample_t;

static sample_t s_corpus[CORPUS_MOST];
static uint32_t s_samples;

_Noreturn void boot_crypto_broken(int code)
{
    fprintf(stderr, "mbedTLS found its memory damaged: %d\n", code);
    abort();
}

// A context of exactly the image's bytes, so that the sanitizer sees one read too many.
static status_t sample_read(void *context, uint32_t offset, void *bytes, uint32_t length)
{
    const sample_t *sample = context;
    memcpy(bytes, sample->bytes + offset, length);
    return STATUS_OK;
}

static image_verdict_t sample_judge(sample_t *sample, const image_policy_t *policy, image_t *image)
{
    image_reader_t reader = {sample_read, sample, sample->length};
    return image_judge(&reader, policy, image);
}

static bool sample_next(sample_t *sample)
{
    uint8_t head[4];
    if (fread(head, sizeof head, 1, stdin) != 1) {
        return false;
    }
    sample->length = (uint32_t)head[0] | (uint32_t)head[1] << 8 | (uint32_t)head[2] << 16 |
                     (uint32_t)head[3] << 24;
    sample->bytes = malloc(sample->length);
    return sample->length == 0u || fread(sample->bytes, sample->length, 1, stdin) == 1;
}

static int judge_all(const image_policy_t *policy)
{
    for (sample_t sample; sample_next(&sample);) {
        image_t image;
        char version[IMAGE_VERSION_TEXT_BYTES];
        image_verdict_t verdict = sample_judge(&sample, policy, &image);
        image_version_text(&image.version, version);
        printf("%s %s %u %u\n", image_verdict_word(verdict), version, image.counter,
               image.total_bytes);
        free(sample.bytes);
    }
    return 0;
}

static uint32_t fuzz_random(uint64_t *state, uint32_t below) // splitmix64
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (uint32_t)((z ^ z >> 31) >> 32) % below;
}

// Positions near the header and near the lists are where lengths are.
static uint32_t fuzz_place(uint64_t *random, uint32_t length)
{
    uint32_t span = length < 48u ? length : 48u;
    switch (fuzz_random(random, 3)) {
    case 0:
        return fuzz_random(random, span);
    case 1:
        span = length < 200u ? length : 200u;
        return length - 1u - fuzz_random(random, span);
    default:
        return fuzz_random(random, length);
    }
}

static void fuzz_bytes(uint64_t *random, sample_t *sample)
{
    static const uint8_t s_edges[] = {0x00, 0x01, 0x7F, 0x80, 0xFE, 0xFF};
    for (uint32_t n = 1u + fuzz_random(random, 4); n > 0u && sample->length > 0u; n--) {
        uint8_t *at = sample->bytes + fuzz_place(random, sample->length);
        switch (fuzz_random(random, 3)) {
        case 0:
            *at ^= (uint8_t)(1u << fuzz_random(random, 8));
            break;
        case 1:
            *at = s_edges[fuzz_random(random, sizeof s_edges)];
            break;
        default:
            *at = (uint8_t)fuzz_random(random, 256);
        }
    }
}

// A changed copy: bytes, or its length, or both.
static sample_t fuzz_sample(uint64_t *random, const sample_t *base)
{
    uint32_t kind = fuzz_random(random, 6);
    uint32_t length = base->length;
    if (kind == 0u) {
        length = fuzz_random(random, length + 1u);
    } else if (kind == 1u) {
        length += fuzz_random(random, 64);
    }
    sample_t sample = {malloc(length), length};
    uint32_t common = length < base->length ? length : base->length;
    memcpy(sample.bytes, base->bytes, common);
    memset(sample.bytes + common, 0xFF, length - common);
    if (kind != 0u || fuzz_random(random, 2) == 0u) {
        fuzz_bytes(random, &sample);
    }
    return sample;
}

static bool fuzz_is_known(const sample_t *sample, uint32_t total)
{
    for (uint32_t i = 0; i < s_samples; i++) {
        if (total <= sample->length && total <= s_corpus[i].length &&
            memcmp(sample->bytes, s_corpus[i].bytes, total) == 0) {
            return true;
        }
    }
    return false;
}

static int fuzz(const image_policy_t *policy, uint64_t seed, uint32_t count)
{
    uint32_t seen[IMAGE_VERDICTS] = {0};
    while (s_samples < CORPUS_MOST && sample_next(&s_corpus[s_samples])) {
        s_samples++;
    }
    for (uint32_t i = 0; i < count && s_samples > 0u; i++) {
        sample_t sample = fuzz_sample(&seed, &s_corpus[fuzz_random(&seed, s_samples)]);
        image_t image;
        image_verdict_t verdict = sample_judge(&sample, policy, &image);
        seen[verdict]++;
        if (verdict == IMAGE_GOOD && !fuzz_is_known(&sample, image.total_bytes)) {
            printf("input %u is taken and is nobody's:", i);
            for (uint32_t at = 0; at < sample.length; at++) {
                printf(" %02X", sample.bytes[at]);
            }
            printf("\n");
            exit(1);
        }
        free(sample.bytes);
    }
    for (image_verdict_t verdict = 0; verdict < IMAGE_VERDICTS; verdict++) {
        printf("%s %u\n", image_verdict_word(verdict), seen[verdict]);
    }
    return 0;
}

int main(int count, char **words)
{
    static uint8_t s_point[IMAGE_POINT_BYTES];
    if (count < 7 || hex_parse(words[6], s_point, sizeof s_point) != IMAGE_POINT_BYTES) {
        fprintf(stderr, "see the head of boot_host.c\n");
        return 2;
    }
    image_policy_t policy = {
        .slot_at = (uint32_t)strtoul(words[2], NULL, 0),
        .image_bytes = (uint32_t)strtoul(words[3], NULL, 0),
        .header_bytes = HEADER,
        .ram_at = RAM_AT,
        .ram_bytes = RAM_BYTES,
        .counter_floor = (uint32_t)strtoul(words[4], NULL, 0),
        .board = words[5],
        .point = s_point,
        .signature_holds = signature_holds,
    };
    if (strcmp(words[1], "fuzz") == 0 && count == 9) {
        return fuzz(&policy, strtoull(words[7], NULL, 0), (uint32_t)strtoul(words[8], NULL, 0));
    }
    return judge_all(&policy);
}
