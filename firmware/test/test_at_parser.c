// SPDX-License-Identifier: MIT
// What a Wi-Fi module says, whole and in pieces of any size, alone and between seeded garbage.
#include "at_parser.h"
#include "host_units.h"

#include <stdio.h>
#include <string.h>

enum { STORY_BYTES = 4096, SEEDS = 200 };

// A dialogue, and how its items are written by story_add(): what a reader must make of it.
static const char s_said[] = "\r\nready\r\n"
                             "ATE0\r\r\n\r\nOK\r\n"
                             "+CWLAP:(3,\"lab\",-40,\"02:00:00:00:00:01\",6)\r\n\r\nOK\r\n"
                             "WIFI CONNECTED\r\nWIFI GOT IP\r\n\r\nOK\r\n"
                             "2,CONNECT\r\n\r\nOK\r\n"
                             "\r\nOK\r\n\r\n>"
                             "\r\nRecv 5 bytes\r\n\r\nSEND OK\r\n"
                             "\r\n+IPD,2,11\r\n"
                             "+CIPRECVDATA:11,OK\r\nERROR\r\n\r\n\r\nOK\r\n"
                             "2,CLOSED\r\n"
                             "busy p...\r\n"
                             "+CWJAP:2\r\n\r\nERROR\r\n"
                             "\r\nSEND FAIL\r\n"
                             "WIFI DISCONNECT\r\n"
                             "9,CLOSED\r\n+IPD,2,\r\n+IPD,2,5:abcde\r\n+IPD,2,9999999\r\n";

static const char s_told[] = "ready;text ATE0;ok;"
                             "text +CWLAP:(3,\"lab\",-40,\"02:00:00:00:00:01\",6);ok;"
                             "joined;address;ok;"
                             "connect 2;ok;"
                             "ok;prompt;"
                             "text Recv 5 bytes;send-ok;"
                             "waiting 2 11;"
                             "data OK\r\nERROR\r\n;ok;"
                             "closed 2;"
                             "busy;"
                             "text +CWJAP:2;error;"
                             "send-fail;"
                             "left;"
                             "text 9,CLOSED;text +IPD,2,;text +IPD,2,5:abcde;text +IPD,2,9999999;";

static const char *const s_names[] = {
    [AT_OK] = "ok",           [AT_ERROR] = "error",         [AT_BUSY] = "busy",
    [AT_SEND_OK] = "send-ok", [AT_SEND_FAIL] = "send-fail", [AT_READY] = "ready",
    [AT_PROMPT] = "prompt",   [AT_JOINED] = "joined",       [AT_ADDRESS] = "address",
    [AT_LEFT] = "left",
};

typedef struct {
    char text[STORY_BYTES];
    size_t length;
    bool in_data;
} story_t;

static void story_print(story_t *story, const char *text, size_t length)
{
    if (story->length + length < sizeof story->text) {
        memcpy(story->text + story->length, text, length);
        story->length += length;
        story->text[story->length] = '\0';
    }
}

static void story_add(story_t *story, const at_item_t *item)
{
    char text[64] = "";
    if (item->kind == AT_DATA) {
        story_print(story, story->in_data ? "" : "data ", story->in_data ? 0 : 5);
        story_print(story, item->text, item->length);
        story->in_data = true;
        return;
    }
    story_print(story, ";", story->in_data ? 1 : 0);
    story->in_data = false;
    if (item->kind == AT_TEXT) {
        story_print(story, "text ", 5);
        story_print(story, item->text, item->length);
    } else if (item->kind == AT_WAITING) {
        (void)snprintf(text, sizeof text, "waiting %u %u", item->link, item->count);
    } else if (item->kind == AT_CONNECT || item->kind == AT_CLOSED) {
        (void)snprintf(text, sizeof text, item->kind == AT_CONNECT ? "connect %u" : "closed %u",
                       item->link);
    } else {
        (void)snprintf(text, sizeof text, "%s", s_names[item->kind]);
    }
    story_print(story, text, strlen(text));
    story_print(story, ";", 1);
}

// Feeds one piece; a driver allows data when it has asked for some: here, when it was told of it.
static void story_feed(story_t *story, at_parser_t *parser, const char *bytes, size_t length)
{
    size_t at = 0;
    while (at < length) {
        at_item_t item;
        size_t taken = at_parser_feed(parser, (const uint8_t *)bytes + at, length - at, &item);
        CHECK(taken > 0 && taken <= length - at, "a feed takes something, and not too much");
        at += taken;
        if (item.kind == AT_WAITING) {
            at_parser_allow(parser, item.count);
        }
        if (item.kind != AT_NOTHING) {
            story_add(story, &item);
        }
    }
}

static unsigned next_random(unsigned *state)
{
    *state = *state * 1103515245u + 12345u;
    return *state >> 16;
}

static void test_any_pieces_tell_the_same(void)
{
    for (unsigned seed = 0; seed < SEEDS; seed++) {
        unsigned state = seed;
        at_parser_t parser = {0};
        story_t story = {0};
        size_t length = sizeof s_said - 1u;
        for (size_t at = 0; at < length;) {
            size_t piece = 1u + next_random(&state) % (seed < SEEDS / 2 ? 3u : 200u);
            piece = piece < length - at ? piece : length - at;
            story_feed(&story, &parser, s_said + at, piece);
            at += piece;
        }
        CHECK(strcmp(story.text, s_told) == 0, story.text);
        CHECK(parser.garbage == 0, "all of it is text");
    }
}

// Garbage that ends with a line end costs at most the line it stands in.
static void test_garbage_is_left_behind(void)
{
    static const char s_next[] = "\r\n1,CLOSED\r\n\r\nOK\r\n";
    for (unsigned seed = 0; seed < SEEDS; seed++) {
        static const char s_likely[] = "OK+IPD,0CRVDATA:19>busy\r\n\xFF\x01 p.SENDFAILWGT";
        unsigned state = seed;
        at_parser_t parser = {0};
        story_t story = {0}, after = {0};
        char noise[600];
        size_t length = next_random(&state) % sizeof noise;
        for (size_t i = 0; i < length; i++) {
            noise[i] = s_likely[next_random(&state) % (sizeof s_likely - 1u)];
        }
        story_feed(&story, &parser, noise, length);
        at_parser_reset(&parser);
        story_feed(&after, &parser, s_next, sizeof s_next - 1u);
        CHECK(strcmp(after.text, "closed 1;ok;") == 0, after.text);
    }
}

static void test_a_line_that_is_too_long(void)
{
    at_parser_t parser = {0};
    story_t story = {0};
    for (size_t i = 0; i < 3u * AT_LINE_BYTES; i++) {
        story_feed(&story, &parser, "x", 1);
    }
    story_feed(&story, &parser, "\r\nOK\r\n", 6);
    CHECK(strcmp(story.text, "ok;") == 0 && parser.garbage == 1, story.text);
}

static void test_data_nobody_asked_for(void)
{
    at_parser_t parser = {0};
    story_t story = {0};
    story_feed(&story, &parser, "+CIPRECVDATA:4,abcd\r\n", 21);
    at_parser_allow(&parser, 4);
    story_feed(&story, &parser, "+CIPRECVDATA:5,abcde\r\n", 22);
    story_feed(&story, &parser, "+CIPRECVDATA:4,OK\r\n\r\nOK\r\n", 25);
    CHECK(strcmp(story.text,
                 "text +CIPRECVDATA:4,abcd;text +CIPRECVDATA:5,abcde;data OK\r\n;ok;") == 0,
          story.text);
}

static void test_lines_that_are_no_text(void)
{
    at_parser_t parser = {0};
    story_t story = {0};
    static const char s_noise[] = "O\x01K\r\n\xFFOK\r\nOK\x7F\r\n";
    story_feed(&story, &parser, s_noise, sizeof s_noise - 1u);
    CHECK(strcmp(story.text, "text \xFFOK;") == 0 && parser.garbage == 2, story.text);
}

void test_at_parser(void)
{
    test_any_pieces_tell_the_same();
    test_garbage_is_left_behind();
    test_a_line_that_is_too_long();
    test_data_nobody_asked_for();
    test_lines_that_are_no_text();
}
