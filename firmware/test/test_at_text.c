// SPDX-License-Identifier: MIT
// Commands to a Wi-Fi module and the fields of its answers; what may be a network's name and key.
#include "at_text.h"
#include "host_units.h"

#include <string.h>

static const char s_long[] =
    "0123456789012345678901234567890123456789012345678901234567890123456789";

static void test_building(void)
{
    at_text_t command;
    at_text_begin(&command, "AT+CWJAP=");
    at_text_add_quoted(&command, "a\"b,c\\d");
    at_text_add(&command, ",");
    at_text_add_number(&command, 4294967295u);
    CHECK(strcmp(command.text, "AT+CWJAP=\"a\\\"b\\,c\\\\d\",4294967295") == 0, command.text);
    CHECK(!command.unfit, command.text);
}

static void test_what_cannot_be_said(void)
{
    at_text_t command;
    static const char *const s_bad[] = {"lab\r\nAT+RST", "\n", "\x1B", "a\x7F"};
    for (size_t i = 0; i < sizeof s_bad / sizeof s_bad[0]; i++) {
        at_text_begin(&command, "AT+CWJAP=");
        at_text_add_quoted(&command, s_bad[i]);
        CHECK(command.unfit, s_bad[i]);
    }
    at_text_begin(&command, "AT+X=");
    for (size_t i = 0; i < 4; i++) {
        at_text_add_quoted(&command, s_long);
    }
    CHECK(command.unfit && strlen(command.text) < AT_COMMAND_BYTES, "longer than a command");
}

typedef struct {
    const char *text;
    size_t index;
    const char *field; // NULL: there is none
} field_row_t;

static const field_row_t s_fields[] = {
    {"3,\"lab\",-40", 0, "3"},
    {"3,\"lab\",-40", 1, "lab"},
    {"3,\"lab\",-40", 2, "-40"},
    {"3,\"lab\",-40", 3, NULL},
    {"\"a,b\",c", 0, "a,b"},
    {"\"a,b\",c", 1, "c"},
    {"\"a\\\"b\\\\\",c", 0, "a\"b\\"},
    {"\"a\\\"b\\\\\",c", 1, "c"},
    {"", 0, ""},
    {",", 1, ""},
    {"\"open", 0, "open"},
    {"\"open\\", 0, "open\\"},
    {"0123456789abcdef,x", 0, NULL},
    {"0123456789abcdef,x", 1, "x"},
};

static void test_fields(void)
{
    for (size_t i = 0; i < sizeof s_fields / sizeof s_fields[0]; i++) {
        const field_row_t *row = &s_fields[i];
        char out[16] = "?";
        bool found = at_text_field(row->text, row->index, out, sizeof out);
        CHECK(found == (row->field != NULL), row->text);
        CHECK(!found || strcmp(out, row->field) == 0, out);
    }
}

static void test_numbers(void)
{
    int32_t number = 7;
    CHECK(at_text_number("1,-40", 1, &number) && number == -40, "-40");
    CHECK(at_text_number("999999999", 0, &number) && number == 999999999, "999999999");
    static const char *const s_bad[] = {"", "-", "1x", "1000000000", "+1", "--1"};
    for (size_t i = 0; i < sizeof s_bad / sizeof s_bad[0]; i++) {
        CHECK(!at_text_number(s_bad[i], 0, &number), s_bad[i]);
    }
}

static void test_addresses(void)
{
    uint8_t address[4], mac[6];
    CHECK(at_text_address("10.0.2.255", address) && address[0] == 10 && address[3] == 255,
          "10.0.2.255");
    static const char *const s_bad[] = {"",       "1.2.3",   "1.2.3.4.5", "1.2.3.256",
                                        "1..2.3", "a.b.c.d", "1.2.3.4 ",  "0001.2.3.4"};
    for (size_t i = 0; i < sizeof s_bad / sizeof s_bad[0]; i++) {
        CHECK(!at_text_address(s_bad[i], address), s_bad[i]);
    }
    CHECK(at_text_mac("02:aB:00:00:00:ff", mac) && mac[1] == 0xAB && mac[5] == 0xFF, "mac");
    CHECK(!at_text_mac("02-ab-00-00-00-ff", mac) && !at_text_mac("02:ab:00:00:00:fg", mac),
          "no mac");
    CHECK(!at_text_mac("02:ab:00:00:00", mac), "short mac");
}

static void test_names_and_keys(void)
{
    CHECK(wifi_check_ssid("lab") == STATUS_OK, "lab");
    CHECK(wifi_check_ssid("") == STATUS_VALUE, "empty");
    CHECK(wifi_check_ssid(s_long + strlen(s_long) - 32u) == STATUS_OK, "32 bytes");
    CHECK(wifi_check_ssid(s_long + strlen(s_long) - 33u) == STATUS_LONG, "33 bytes");
    CHECK(wifi_check_ssid("a\nb") == STATUS_VALUE, "line end");
    CHECK(wifi_check_key("1234567", WIFI_WPA2) == STATUS_VALUE, "7 bytes");
    CHECK(wifi_check_key("12345678", WIFI_WPA2) == STATUS_OK, "8 bytes");
    CHECK(wifi_check_key(s_long + strlen(s_long) - 63u, WIFI_WPA3) == STATUS_OK, "63 bytes");
    CHECK(wifi_check_key(s_long + strlen(s_long) - 64u, WIFI_WPA2) == STATUS_LONG, "64 bytes");
    CHECK(wifi_check_key("", WIFI_OPEN) == STATUS_OK, "open");
    CHECK(wifi_check_key("12345678", WIFI_OPEN) == STATUS_VALUE, "open with a key");
}

void test_at_text(void)
{
    test_building();
    test_what_cannot_be_said();
    test_fields();
    test_numbers();
    test_addresses();
    test_names_and_keys();
}
