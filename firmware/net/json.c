// SPDX-License-Identifier: MIT
#include "json.h"

#include <string.h>

// A text and a place in it; `at` never passes `length`.
typedef struct {
    const char *text;
    size_t length;
    size_t at;
} cursor_t;

static char json_peek(const cursor_t *cursor)
{
    return cursor->at < cursor->length ? cursor->text[cursor->at] : '\0';
}

static bool json_accept(cursor_t *cursor, char byte)
{
    if (cursor->at < cursor->length && cursor->text[cursor->at] == byte) {
        cursor->at++;
        return true;
    }
    return false;
}

static void json_skip_blanks(cursor_t *cursor)
{
    while (json_peek(cursor) != '\0' && strchr(" \t\r\n", json_peek(cursor)) != NULL) {
        cursor->at++;
    }
}

// ---- scalars -----------------------------------------------------------------------------------

static int json_digit(char byte)
{
    static const char s_digits[] = "0123456789ABCDEFabcdef";
    const char *at = byte != '\0' ? strchr(s_digits, byte) : NULL;
    int value = at != NULL ? (int)(at - s_digits) : -1;
    return value < 16 ? value : value - 6;
}

// Behind a backslash.
static bool json_skip_escape(cursor_t *cursor)
{
    char kind = json_peek(cursor);
    cursor->at += kind != '\0' ? 1u : 0u;
    if (kind != 'u') {
        return kind != '\0' && strchr("\"\\/bfnrt", kind) != NULL;
    }
    for (int i = 0; i < 4; i++) {
        if (json_digit(json_peek(cursor)) < 0) {
            return false;
        }
        cursor->at++;
    }
    return true;
}

static bool json_skip_string(cursor_t *cursor)
{
    if (!json_accept(cursor, '"')) {
        return false;
    }
    while (!json_accept(cursor, '"')) {
        unsigned char byte = (unsigned char)json_peek(cursor);
        if (byte < ' ') { // also the end of the text
            return false;
        }
        cursor->at++;
        if (byte == '\\' && !json_skip_escape(cursor)) {
            return false;
        }
    }
    return true;
}

static bool json_skip_digits(cursor_t *cursor)
{
    size_t before = cursor->at;
    while (json_peek(cursor) >= '0' && json_peek(cursor) <= '9') {
        cursor->at++;
    }
    return cursor->at > before;
}

static bool json_skip_number(cursor_t *cursor)
{
    (void)json_accept(cursor, '-');
    if (!json_accept(cursor, '0') && !json_skip_digits(cursor)) {
        return false;
    }
    if (json_accept(cursor, '.') && !json_skip_digits(cursor)) {
        return false;
    }
    if (!json_accept(cursor, 'e') && !json_accept(cursor, 'E')) {
        return true;
    }
    if (!json_accept(cursor, '+')) {
        (void)json_accept(cursor, '-');
    }
    return json_skip_digits(cursor);
}

static bool json_skip_word(cursor_t *cursor, const char *word)
{
    size_t length = strlen(word);
    if (cursor->length - cursor->at < length ||
        memcmp(cursor->text + cursor->at, word, length) != 0) {
        return false;
    }
    cursor->at += length;
    return true;
}

static bool json_skip_scalar(cursor_t *cursor)
{
    switch (json_peek(cursor)) {
    case '"':
        return json_skip_string(cursor);
    case 't':
        return json_skip_word(cursor, "true");
    case 'f':
        return json_skip_word(cursor, "false");
    case 'n':
        return json_skip_word(cursor, "null");
    default:
        return json_skip_number(cursor);
    }
}

// ---- containers --------------------------------------------------------------------------------

static bool json_skip_key(cursor_t *cursor)
{
    json_skip_blanks(cursor);
    if (!json_skip_string(cursor)) {
        return false;
    }
    json_skip_blanks(cursor);
    return json_accept(cursor, ':');
}

// The containers that a place lies in, from the outermost; each is named by its closing bracket.
typedef struct {
    char closing[JSON_DEPTH];
    size_t depth;
} nesting_t;

// At the begin of a value: 1 if it ended, 0 if a value inside of it begins, below 0 not JSON.
static int json_begin_value(cursor_t *cursor, nesting_t *nesting)
{
    json_skip_blanks(cursor);
    char opening = json_peek(cursor);
    if (opening != '{' && opening != '[') {
        return json_skip_scalar(cursor) ? 1 : STATUS_SYNTAX;
    }
    if (nesting->depth == JSON_DEPTH) {
        return STATUS_SYNTAX;
    }
    char closing = opening == '{' ? '}' : ']';
    cursor->at++;
    json_skip_blanks(cursor);
    if (json_accept(cursor, closing)) {
        return 1;
    }
    nesting->closing[nesting->depth++] = closing;
    return opening == '[' || json_skip_key(cursor) ? 0 : STATUS_SYNTAX;
}

// Behind a value inside a container: 1 if the container ended with it, 0 if a value follows.
static int json_end_value(cursor_t *cursor, nesting_t *nesting)
{
    char closing = nesting->closing[nesting->depth - 1u];
    json_skip_blanks(cursor);
    if (json_accept(cursor, closing)) {
        nesting->depth--;
        return 1;
    }
    if (!json_accept(cursor, ',')) {
        return STATUS_SYNTAX;
    }
    return closing == ']' || json_skip_key(cursor) ? 0 : STATUS_SYNTAX;
}

static bool json_skip_value(cursor_t *cursor)
{
    nesting_t nesting = {.depth = 0};
    int ended = 0;
    do {
        ended = ended > 0 ? json_end_value(cursor, &nesting) : json_begin_value(cursor, &nesting);
    } while (ended == 0 || (ended > 0 && nesting.depth > 0u));
    return ended > 0;
}

status_t json_read(const void *text, size_t length, json_t *value)
{
    cursor_t cursor = {text, length, 0};
    json_skip_blanks(&cursor);
    size_t start = cursor.at;
    if (!json_skip_value(&cursor)) {
        return STATUS_SYNTAX;
    }
    *value = (json_t){cursor.text + start, cursor.at - start};
    json_skip_blanks(&cursor);
    return cursor.at == length ? STATUS_OK : STATUS_SYNTAX;
}

bool json_next(json_t container, json_t *key, json_t *value)
{
    bool object = container.length > 0u && container.text[0] == '{';
    cursor_t cursor = {container.text, container.length, 1};
    if (container.length < 2u || (!object && container.text[0] != '[')) {
        return false;
    }
    if (value->length > 0u) {
        cursor.at = (size_t)(value->text - container.text) + value->length;
        json_skip_blanks(&cursor);
        if (!json_accept(&cursor, ',')) {
            return false;
        }
    }
    json_skip_blanks(&cursor);
    size_t start = cursor.at;
    *key = (json_t){container.text + start, 0};
    if (object) {
        if (!json_skip_string(&cursor)) { // an empty object
            return false;
        }
        key->length = cursor.at - start;
        json_skip_blanks(&cursor);
        (void)json_accept(&cursor, ':');
        json_skip_blanks(&cursor);
    }
    start = cursor.at;
    bool found = json_skip_value(&cursor);
    *value = (json_t){container.text + start, cursor.at - start};
    return found;
}

// ---- what values are ---------------------------------------------------------------------------

static bool json_same(char left, char right, bool any_case)
{
    bool letter = (left >= 'a' && left <= 'z') || (left >= 'A' && left <= 'Z');
    return left == right || (any_case && letter && (left ^ right) == 0x20);
}

// Whether a key, quotes included, is that name. A name written with escapes is not recognised.
static bool json_key_is(json_t key, const char *name, bool any_case)
{
    size_t length = strlen(name);
    if (key.length != length + 2u) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        if (!json_same(key.text[i + 1u], name[i], any_case)) {
            return false;
        }
    }
    return true;
}

static bool json_find(json_t object, const char *name, bool any_case, json_t *value)
{
    json_t key;
    *value = (json_t){NULL, 0};
    if (object.length == 0u || object.text[0] != '{') {
        return false;
    }
    while (json_next(object, &key, value)) {
        if (json_key_is(key, name, any_case)) {
            return true;
        }
    }
    *value = (json_t){NULL, 0};
    return false;
}

bool json_member(json_t object, const char *key, json_t *value)
{
    return json_find(object, key, false, value);
}

bool json_member_any_case(json_t object, const char *key, json_t *value)
{
    return json_find(object, key, true, value);
}

bool json_u32(json_t value, uint32_t *number)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < value.length; i++) {
        if (value.text[i] < '0' || value.text[i] > '9' || sum > UINT32_MAX) {
            return false;
        }
        sum = sum * 10u + (uint64_t)(value.text[i] - '0');
    }
    *number = (uint32_t)sum;
    return value.length > 0u && sum <= UINT32_MAX;
}
