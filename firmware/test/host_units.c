// SPDX-License-Identifier: MIT
// Runs the host unit tests; exit code 1 if a check failed. With an argument it is a filter for
// cross tests: `crc` prints the CRC-16 and `sha256` the digest of standard input, `request` parses
// it, and `series` writes the words of it as bench.read does.
#include "host_units.h"

#include "crc16.h"
#include "request.h"
#include "series.h"
#include "sha256.h"

#include <stdio.h>
#include <string.h>

static int s_checks;
static int s_failures;

void unit_check(bool good, const char *condition, const char *about, const char *file, int line)
{
    s_checks++;
    if (!good) {
        s_failures++;
        printf("%s:%d: %s: not true: %s\n", file, line, about, condition);
    }
}

// Little-endian words in, rows of text out, each as short as a row of bench.read may become.
static int filter_series(const char *input, size_t length)
{
    static uint32_t s_words[1 << 14];
    char row[40];
    uint32_t count = (uint32_t)(length / sizeof s_words[0]);
    memcpy(s_words, input, count * sizeof s_words[0]);
    for (uint32_t at = 0; at < count;) {
        at = series_write(s_words, 0, at, count, row, sizeof row);
        printf("%s\n", row);
    }
    return 0;
}

static int filter(const char *mode)
{
    static char s_input[1 << 16];
    size_t length = fread(s_input, 1, sizeof s_input - 1u, stdin);
    if (strcmp(mode, "crc") == 0) {
        printf("%04X\n", (unsigned)crc16_update(CRC16_INITIAL, s_input, length));
    } else if (strcmp(mode, "sha256") == 0) {
        uint8_t digest[SHA256_BYTES];
        char text[SHA256_TEXT_BYTES];
        sha256_digest(s_input, length, digest);
        sha256_text(digest, text);
        printf("%s\n", text);
    } else if (strcmp(mode, "request") == 0) {
        request_t request;
        status_t status = request_parse(s_input, &request);
        printf("%s %u %zu\n", status_word(status), (unsigned)request.seq, request.count);
    } else if (strcmp(mode, "series") == 0) {
        return filter_series(s_input, length);
    } else {
        return 2;
    }
    return 0;
}

int main(int count, char **arguments)
{
    if (count > 1) {
        return filter(arguments[1]);
    }
    test_at_parser();
    test_at_text();
    test_boot();
    test_command();
    test_flash_sectors();
    test_http_reader();
    test_json();
    test_line();
    test_metric_work();
    test_mqtt_client();
    test_mqtt_codec();
    test_mqtt_session();
    test_object_set();
    test_ota();
    test_payloads();
    test_record_pair();
    test_request();
    test_series();
    test_shadow();
    test_sums();
    test_template();
    printf("%d checks, %d failed\n", s_checks, s_failures);
    return s_failures == 0 ? 0 : 1;
}
