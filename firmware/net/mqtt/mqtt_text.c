// SPDX-License-Identifier: MIT
// Texts of MQTT: UTF-8, topics, filters.
#include "mqtt_codec.h"

#include <string.h>

enum { TEXT_MAX_BYTES = 65535 };

mqtt_text_t mqtt_text(const char *string)
{
    return (mqtt_text_t){(const uint8_t *)string, strlen(string)};
}

// How many bytes follow a first byte, and the smallest code point that needs so many; 0xFF: none
// begins so.
static uint8_t text_followers(uint8_t first, uint32_t *smallest)
{
    static const uint32_t s_smallest[] = {0, 0x80, 0x800, 0x10000};
    uint8_t count = first < 0x80u                     ? 0u
                    : first >= 0xC2u && first < 0xE0u ? 1u
                    : first >= 0xE0u && first < 0xF0u ? 2u
                    : first >= 0xF0u && first < 0xF5u ? 3u
                                                      : 0xFFu;
    *smallest = count < 4u ? s_smallest[count] : 0u;
    return count;
}

// Length of the character at `at`, 0 if it is none that a text may hold.
static size_t text_character(mqtt_text_t text, size_t at)
{
    uint32_t smallest;
    uint8_t count = text_followers(text.bytes[at], &smallest);
    if (count == 0xFFu || count >= text.length - at) {
        return 0;
    }
    uint32_t code = count == 0u ? text.bytes[at] : text.bytes[at] & (0x3Fu >> count);
    for (size_t i = 1; i <= count; i++) {
        if ((text.bytes[at + i] & 0xC0u) != 0x80u) {
            return 0;
        }
        code = code << 6 | (text.bytes[at + i] & 0x3Fu);
    }
    bool surrogate = code >= 0xD800u && code <= 0xDFFFu;
    bool good = code != 0u && code >= smallest && !surrogate && code <= 0x10FFFFu;
    return good ? count + 1u : 0u;
}

bool mqtt_text_is_utf8(mqtt_text_t text)
{
    for (size_t at = 0; at < text.length;) {
        size_t length = text_character(text, at);
        if (length == 0u) {
            return false;
        }
        at += length;
    }
    return true;
}

static bool text_has_topic_length(mqtt_text_t text)
{
    return text.length > 0u && text.length <= TEXT_MAX_BYTES;
}

bool mqtt_topic_is_good(mqtt_text_t topic)
{
    return text_has_topic_length(topic) && memchr(topic.bytes, '#', topic.length) == NULL &&
           memchr(topic.bytes, '+', topic.length) == NULL && mqtt_text_is_utf8(topic);
}

// A wildcard at `at` is a whole level, and '#' is the last one.
static bool text_wildcard_is_good(mqtt_text_t filter, size_t at)
{
    bool starts = at == 0u || filter.bytes[at - 1u] == '/';
    bool last = at + 1u == filter.length;
    return starts && (last || (filter.bytes[at] == '+' && filter.bytes[at + 1u] == '/'));
}

bool mqtt_filter_is_good(mqtt_text_t filter)
{
    if (!text_has_topic_length(filter) || !mqtt_text_is_utf8(filter)) {
        return false;
    }
    for (size_t at = 0; at < filter.length; at++) {
        bool wildcard = filter.bytes[at] == '#' || filter.bytes[at] == '+';
        if (wildcard && !text_wildcard_is_good(filter, at)) {
            return false;
        }
    }
    return true;
}
