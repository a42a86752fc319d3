// SPDX-License-Identifier: MIT
// JSON: what is one and what is not, and what is taken out of it.
#include "host_units.h"
#include "json.h"

#include <stdlib.h>
#include <string.h>

static const char *const s_good[] = {
    "0",
    "-1.5e+3",
    "\"\"",
    "true",
    "false",
    "null",
    "[]",
    "{}",
    " [ 1 , [ ] , { } ] ",
    "{\"a\":1,\"b\":{\"c\":[true,null]}}",
    "\"\\u00e4\\n\\\"\"",
    "\t\r\n1\n",
    "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]",
};

static const char *const s_bad[] = {
    "",
    " ",
    "01",
    "1.",
    ".5",
    "-",
    "+1",
    "1e",
    "tru",
    "True",
    "nul",
    "'a'",
    "\"",
    "\"\\x\"",
    "\"\\u12g4\"",
    "\"\n\"",
    "[",
    "]",
    "[1",
    "[1,]",
    "[,1]",
    "[1 2]",
    "{",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1,}",
    "{a:1}",
    "{\"a\":1 \"b\":2}",
    "{\"a\":1}}",
    "1 2",
    "[1}",
    "{\"a\":1]",
    "[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]",
};

// In memory that is as long as the text, so that the sanitizer sees a byte too many.
static status_t read_exact(const char *text, size_t length)
{
    char *exact = malloc(length + 1u);
    json_t value;
    memcpy(exact, text, length);
    status_t status = json_read(exact, length, &value);
    free(exact);
    return status;
}

static void test_read(void)
{
    for (size_t i = 0; i < sizeof s_good / sizeof s_good[0]; i++) {
        size_t length = strlen(s_good[i]);
        CHECK(read_exact(s_good[i], length) == STATUS_OK, s_good[i]);
        if (strchr("[{\"", s_good[i][0]) != NULL) { // every begin of it is none
            for (size_t part = 0; part < length; part++) {
                CHECK(read_exact(s_good[i], part) == STATUS_SYNTAX, s_good[i]);
            }
        }
    }
    for (size_t i = 0; i < sizeof s_bad / sizeof s_bad[0]; i++) {
        CHECK(read_exact(s_bad[i], strlen(s_bad[i])) == STATUS_SYNTAX, s_bad[i]);
    }
    CHECK(read_exact("[1,\0]", 5) == STATUS_SYNTAX, "NUL");
}

static json_t json(const char *text)
{
    json_t value = {NULL, 0};
    CHECK(json_read(text, strlen(text), &value) == STATUS_OK, text);
    return value;
}

static bool is(json_t value, const char *text)
{
    return value.length == strlen(text) && memcmp(value.text, text, value.length) == 0;
}

static void test_members(void)
{
    json_t object = json(" { \"a\" : 1 , \"B\":{\"a\":2}, \"list\":[ 10 ,\"x\", [] ] } ");
    json_t value, key, item = {NULL, 0};
    CHECK(json_member(object, "a", &value) && is(value, "1"), "a");
    CHECK(json_member(object, "B", &value) && is(value, "{\"a\":2}"), "B");
    CHECK(!json_member(object, "b", &value) && value.length == 0u, "case counts");
    CHECK(json_member_any_case(object, "b", &value) && is(value, "{\"a\":2}"), "case does not");
    CHECK(!json_member_any_case(json("{\"A{\":1}"), "a[", &value), "letters only");
    CHECK(!json_member(json("[1]"), "a", &value), "not an object");
    CHECK(!json_member(json("{}"), "a", &value), "empty");
    CHECK(json_member(object, "list", &value), "list");
    CHECK(json_next(value, &key, &item) && is(item, "10") && key.length == 0u, "first");
    CHECK(json_next(value, &key, &item) && is(item, "\"x\""), "second");
    CHECK(json_next(value, &key, &item) && is(item, "[]"), "third");
    CHECK(!json_next(value, &key, &item), "no more");
    item.length = 0;
    CHECK(!json_next(json("[ ]"), &key, &item) && !json_next(json("1"), &key, &item), "none");
}

static void test_values(void)
{
    char text[8];
    uint32_t number;
    CHECK(json_u32(json("4294967295"), &number) && number == UINT32_MAX, "largest");
    CHECK(!json_u32(json("4294967296"), &number) && !json_u32(json("-1"), &number), "too large");
    CHECK(!json_u32(json("1.0"), &number) && !json_u32(json("\"1\""), &number), "not whole");
    CHECK(!json_u32(json("99999999999999999999999999"), &number), "far too large");
    CHECK(json_string(json("\"a\\tb\""), text, 8) == 3 && strcmp(text, "a\tb") == 0, "escape");
    CHECK(json_string(json("\"\\u20AC\""), text, 8) == 3 && strcmp(text, "\xE2\x82\xAC") == 0,
          "BMP");
    CHECK(json_string(json("\"\\ud83d\\ude00\""), text, 8) == 4 &&
              strcmp(text, "\xF0\x9F\x98\x80") == 0,
          "pair");
    CHECK(json_string(json("\"\\ud83d\""), text, 8) == STATUS_VALUE, "half a pair");
    CHECK(json_string(json("\"\\ude00x\""), text, 8) == STATUS_VALUE, "the other half");
    CHECK(json_string(json("\"\\u0000\""), text, 8) == STATUS_VALUE, "NUL");
    CHECK(json_string(json("\"1234567\""), text, 8) == 7, "just fits");
    CHECK(json_string(json("\"12345678\""), text, 8) == STATUS_SPACE, "does not");
    CHECK(json_string(json("1"), text, 8) == STATUS_VALUE, "not a string");
}

// A good document with a byte changed, everywhere, by every value: what is still read must be taken
// apart without a fault.
static void test_noise(void)
{
    static const char s_text[] = "{\"a\":[1,-2.5e1,\"x\\u00e4\\n\",null],\"b\":{\"c\":true}}";
    enum { LENGTH = sizeof s_text - 1 };
    unsigned read = 0;
    for (size_t at = 0; at < LENGTH; at++) {
        for (unsigned byte = 0; byte < 256u; byte++) {
            char *exact = malloc(LENGTH);
            json_t value, key, item = {NULL, 0};
            char out[8];
            memcpy(exact, s_text, LENGTH);
            exact[at] = (char)byte;
            if (json_read(exact, LENGTH, &value) == STATUS_OK) {
                read++;
                while (json_next(value, &key, &item)) {
                    (void)json_string(key, out, sizeof out);
                    (void)json_string(item, out, sizeof out);
                }
                (void)json_member(value, "b", &item);
            }
            free(exact);
        }
    }
    CHECK(read > LENGTH && read < 256u * LENGTH / 2u, "some are JSON, most are not");
}

void test_json(void)
{
    test_noise();
    test_read();
    test_members();
    test_values();
}
