// SPDX-License-Identifier: MIT
// The pure parts of the OTA agent for this machine, for tests from Python.
//
//   ota_host parse                      inputs from standard input: kind and argument (a byte
//   each),
//                                       length (4 bytes, low first), bytes; a line of output each
//   ota_host request <json|cbor> <token> <stream version|-> <file> <file bytes> <block> <most>
//   [<block that is there>]...
//                                       the request in hexadecimal digits
//   ota_host report <kind> <got|version|error> <total|sub> <expected>
//   ota_host fuzz <seed> <count>        inputs as for parse are the corpus; each is parsed again
//   and
//                                       again with damage; ends with the count
#include "base64.h"
#include "cbor.h"
#include "crc32.h"
#include "ota_job.h"
#include "ota_record.h"
#include "ota_report.h"
#include "ota_stream.h"
#include "ota_url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_BYTES = 1 << 21, CORPUS = 256, OUT_BYTES = 1 << 17 };

typedef struct {
    uint8_t kind, argument;
    size_t length;
    uint8_t *bytes;
} input_t;

static FILE *s_say;
static uint8_t s_out[OUT_BYTES];

// ---- what is parsed ----------------------------------------------------------------------------

static void parse_job(const input_t *input)
{
    ota_job_t job;
    ota_fault_t fault;
    int outcome = ota_job_read(input->bytes, input->length, input->argument, &job, &fault);
    if (outcome == 0) {
        fprintf(s_say, "none\n");
    } else if (outcome < 0) {
        fprintf(s_say, "%s %s %s id=%s version=%u\n", outcome == STATUS_SYNTAX ? "syntax" : "fault",
                ota_field_word(fault.field), ota_wrong_word(fault.wrong), job.id, job.version);
    } else {
        fprintf(s_say,
                "job id=%s version=%u progress=%d test=%d protocol=%d stream=%s url=%zu path=%s "
                "bytes=%u file=%u cert=%s signature=%08X\n",
                job.id, job.version, job.in_progress, job.self_test, (int)job.protocol, job.stream,
                strlen(job.url), job.path, job.bytes, job.file, job.certfile,
                crc32_update(0, job.signature, job.signature_bytes));
    }
}

static void parse_block(const input_t *input, ota_encoding_t encoding)
{
    ota_block_t block = {0};
    status_t status =
        ota_stream_block(encoding, input->bytes, input->length, &block, s_out, sizeof s_out);
    if (status != STATUS_OK) {
        fprintf(s_say, "%s\n", status_word(status));
        return;
    }
    fprintf(s_say, "block file=%u index=%u length=%u crc=%08X\n", block.file, block.index,
            block.length, crc32_update(0, s_out, block.length));
}

static void parse_rejection(const input_t *input, ota_encoding_t encoding)
{
    char code[OTA_CODE_BYTES];
    ota_stream_rejection(encoding, input->bytes, input->length, code);
    fprintf(s_say, "code %s\n", code);
}

static void parse_answer(const input_t *input)
{
    ota_answer_t answer;
    ota_job_read_answer(input->bytes, input->length, &answer);
    fprintf(s_say, "answer version=%u code=%s token=%s\n", answer.version, answer.code,
            answer.token);
}

static void parse_url(const input_t *input)
{
    ota_url_t url;
    char text[OTA_URL_BYTES];
    size_t length = input->length < sizeof text ? input->length : sizeof text - 1u;
    memcpy(text, input->bytes, length);
    text[length] = '\0';
    if (ota_url_read(text, &url) != STATUS_OK) {
        fprintf(s_say, "value\n");
        return;
    }
    int count = ota_url_request(&url, 5, 9, (char *)s_out, sizeof s_out);
    fprintf(s_say, "url tls=%d host=%s port=%u request=%08X\n", url.tls, url.host, url.port,
            crc32_update(0, s_out, (size_t)count));
}

static void parse_base64(const input_t *input)
{
    int32_t count = base64_decode((const char *)input->bytes, input->length, s_out, sizeof s_out);
    fprintf(s_say, "%d %08X\n", count, crc32_update(0, s_out, count > 0 ? (size_t)count : 0u));
}

static void parse_record(const input_t *input)
{
    ota_record_t record;
    bool good = ota_record_read(&record, input->bytes, input->length);
    fprintf(s_say, "record %d kept=%u got=%u\n", good, record.kept, record.blocks.got);
}

static void parse(const input_t *input)
{
    switch (input->kind) {
    case 'j':
        parse_job(input);
        break;
    case 'b':
        parse_block(input, input->argument != 0u ? OTA_CBOR : OTA_JSON);
        break;
    case 'r':
        parse_rejection(input, input->argument != 0u ? OTA_CBOR : OTA_JSON);
        break;
    case 'a':
        parse_answer(input);
        break;
    case 'u':
        parse_url(input);
        break;
    case '6':
        parse_base64(input);
        break;
    default:
        parse_record(input);
    }
}

// An input of its own memory, so that a sanitizer sees what is read behind its end.
static bool read_input(input_t *input)
{
    uint8_t head[6];
    if (fread(head, 1, sizeof head, stdin) != sizeof head) {
        return false;
    }
    input->kind = head[0];
    input->argument = head[1];
    input->length = head[2] | (size_t)head[3] << 8 | (size_t)head[4] << 16 | (size_t)head[5] << 24;
    if (input->length > INPUT_BYTES) {
        exit(2);
    }
    input->bytes = malloc(input->length + (input->length == 0u));
    return fread(input->bytes, 1, input->length, stdin) == input->length;
}

static int run_parse(void)
{
    input_t input;
    while (read_input(&input)) {
        parse(&input);
        free(input.bytes);
    }
    return 0;
}

// ---- fuzzing -----------------------------------------------------------------------------------

static uint64_t s_random;

// xorshift64*, of S. Vigna.
static uint32_t dice(uint32_t sides)
{
    s_random ^= s_random >> 12;
    s_random ^= s_random << 25;
    s_random ^= s_random >> 27;
    return (uint32_t)((s_random * 2685821657736338717u) >> 33) % sides;
}

static void damage_once(input_t *input)
{
    static const uint8_t s_words[] = "\0\xFF\x7F\x80\x9B\xBB\x5B\xA7\x18\x1B\"{}[]:,\\e-9/=";
    uint32_t at = dice((uint32_t)input->length);
    uint32_t other = dice((uint32_t)input->length);
    size_t run = dice(8) + 1u;
    switch (dice(6)) {
    case 0:
        input->bytes[at] = (uint8_t)(input->bytes[at] ^ 1u << dice(8));
        break;
    case 1:
        input->bytes[at] = s_words[dice(sizeof s_words - 1u)];
        break;
    case 2:
        input->length = at + 1u;
        break;
    case 3: // a piece is put over another
        run = at + run > input->length || other + run > input->length ? 1u : run;
        memmove(input->bytes + at, input->bytes + other, run);
        break;
    case 4: // a piece is lost
        run = at + run > input->length ? 1u : run;
        memmove(input->bytes + at, input->bytes + at + run, input->length - at - run);
        input->length -= input->length > run ? run : 0u;
        break;
    default:
        input->bytes[at] = (uint8_t)dice(256);
    }
}

static int run_fuzz(const char *seed, const char *count)
{
    static input_t s_corpus[CORPUS];
    uint32_t known = 0;
    s_random = strtoull(seed, NULL, 10) * 2u + 1u;
    while (known < CORPUS && read_input(&s_corpus[known])) {
        known += s_corpus[known].length > 0u ? 1u : 0u;
    }
    s_say = fopen("/dev/null", "w");
    unsigned long left = strtoul(count, NULL, 10);
    for (unsigned long i = 0; i < left && known > 0u; i++) {
        const input_t *from = &s_corpus[dice(known)];
        input_t input = *from;
        input.bytes = malloc(from->length);
        memcpy(input.bytes, from->bytes, from->length);
        for (uint32_t times = dice(6) + 1u; times > 0u; times--) {
            damage_once(&input);
        }
        uint8_t *exact = malloc(input.length);
        memcpy(exact, input.bytes, input.length);
        free(input.bytes);
        input.bytes = exact;
        parse(&input);
        free(exact);
    }
    for (uint32_t i = 0; i < known; i++) {
        free(s_corpus[i].bytes);
    }
    fclose(s_say);
    printf("%lu inputs\n", left);
    return 0;
}

// ---- what is written ---------------------------------------------------------------------------

static uint32_t number(const char *text)
{
    return (uint32_t)strtoul(text, NULL, 0);
}

static int run_request(int count, char **words)
{
    ota_blocks_t blocks;
    static ota_window_t s_window;
    if (ota_blocks_init(&blocks, number(words[4]), number(words[5])) != STATUS_OK) {
        printf("range\n");
        return 0;
    }
    for (int i = 7; i < count; i++) {
        (void)ota_blocks_put(&blocks, number(words[i]));
    }
    ota_blocks_missing(&blocks, number(words[6]), &s_window);
    ota_request_t request = {
        .token = words[1],
        .has_version = words[2][0] != '-',
        .version = number(words[2]),
        .file = number(words[3]),
        .block_bytes = number(words[5]),
        .window = &s_window,
    };
    ota_encoding_t encoding = words[0][0] == 'j' ? OTA_JSON : OTA_CBOR;
    int length = ota_stream_request(&request, encoding, s_out, OTA_REQUEST_TEXT_BYTES);
    if (length < 0) {
        printf("%s\n", status_word((status_t)length));
    }
    for (int i = 0; i < length; i++) {
        printf("%02x", s_out[i]);
    }
    printf("\n");
    return 0;
}

static int run_report(char **words)
{
    char text[512];
    uint32_t first = number(words[1]), second = number(words[2]);
    ota_report_t report = {
        .kind = (ota_report_kind_t)number(words[0]),
        .got = first,
        .total = second,
        .version = first,
        .error = first,
        .sub = second,
        .expected = number(words[3]),
        .token = "t-1",
    };
    int length = ota_report_write(&report, text, sizeof text);
    printf("%s\n", length > 0 ? text : "space");
    return 0;
}

int main(int count, char **words)
{
    s_say = stdout;
    if (count >= 2 && strcmp(words[1], "parse") == 0) {
        return run_parse();
    }
    if (count == 4 && strcmp(words[1], "fuzz") == 0) {
        return run_fuzz(words[2], words[3]);
    }
    if (count >= 9 && strcmp(words[1], "request") == 0) {
        return run_request(count - 2, words + 2);
    }
    if (count == 6 && strcmp(words[1], "report") == 0) {
        return run_report(words + 2);
    }
    return 2;
}
