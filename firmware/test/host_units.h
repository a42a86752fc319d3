// SPDX-License-Identifier: MIT
// Checks of the host unit tests: a failed one is printed with its place and counted, and the test
// goes on. Every test_*.c has one function here that walks its tables.
#ifndef HOST_UNITS_H
#define HOST_UNITS_H

#include <stdbool.h>
#include <stddef.h>

#define CHECK(condition, about) unit_check((condition), #condition, (about), __FILE__, __LINE__)

// Counts a check; prints it if it failed. `about` names the row of the table.
void unit_check(bool good, const char *condition, const char *about, const char *file, int line);

void test_at_parser(void);
void test_at_text(void);
void test_boot(void);
void test_command(void);
void test_flash_sectors(void);
void test_http_reader(void);
void test_json(void);
void test_line(void);
void test_metric_work(void);
void test_mqtt_client(void);
void test_mqtt_codec(void);
void test_mqtt_session(void);
void test_payloads(void);
void test_object_set(void);
void test_ota(void);
void test_record_pair(void);
void test_request(void);
void test_series(void);
void test_shadow(void);
void test_sums(void);
void test_template(void);

#endif
