// SPDX-License-Identifier: MIT
#include "ota_stream.h"

#include "base64.h"
#include "cbor.h"
#include "json.h"
#include "ota_text.h"

#include <string.h>

const char *ota_stream_word(ota_encoding_t encoding)
{
    return encoding == OTA_JSON ? "json" : "cbor";
}

// ---- requests ----------------------------------------------------------------------------------

static void stream_add_number(ota_text_t *text, const char *key, uint32_t number)
{
    ota_text_add(text, key);
    ota_text_add_u32(text, number);
}

static void stream_add_bitmap(ota_text_t *text, const ota_window_t *window)
{
    ota_text_add(text, ",\"b\":\"");
    for (size_t i = 0; i < window->bytes; i++) {
        static const char s_digits[] = "0123456789abcdef";
        char pair[] = {s_digits[window->bitmap[i] >> 4], s_digits[window->bitmap[i] & 15u], '\0'};
        ota_text_add(text, pair);
    }
    ota_text_add(text, "\"}");
}

static int stream_request_json(const ota_request_t *request, char *out, size_t size)
{
    ota_text_t text = {out, size, 0};
    ota_text_add(&text, "{\"c\":\"");
    ota_text_add(&text, request->token);
    ota_text_add(&text, "\"");
    if (request->has_version) {
        stream_add_number(&text, ",\"s\":", request->version);
    }
    stream_add_number(&text, ",\"f\":", request->file);
    stream_add_number(&text, ",\"l\":", request->block_bytes);
    stream_add_number(&text, ",\"o\":", request->window->offset);
    stream_add_number(&text, ",\"n\":", request->window->count);
    stream_add_bitmap(&text, request->window);
    return ota_text_end(&text);
}

static void stream_put_number(cbor_writer_t *writer, const char *key, uint32_t number)
{
    cbor_put_text(writer, key);
    cbor_put_head(writer, CBOR_NUMBER, number);
}

static int stream_request_cbor(const ota_request_t *request, uint8_t *out, size_t size)
{
    cbor_writer_t writer = {out, size, 0};
    cbor_put_head(&writer, CBOR_MAP, request->has_version ? 7 : 6);
    cbor_put_text(&writer, "c");
    cbor_put_text(&writer, request->token);
    if (request->has_version) {
        stream_put_number(&writer, "s", request->version);
    }
    stream_put_number(&writer, "f", request->file);
    stream_put_number(&writer, "l", request->block_bytes);
    stream_put_number(&writer, "o", request->window->offset);
    stream_put_number(&writer, "n", request->window->count);
    cbor_put_text(&writer, "b");
    cbor_put_bytes(&writer, request->window->bitmap, request->window->bytes);
    return writer.length <= size ? (int)writer.length : STATUS_SPACE;
}

// A token is written into JSON as it is.
static bool stream_is_token(const char *token)
{
    size_t length = strlen(token);
    return length > 0u && length < OTA_TOKEN_BYTES && strpbrk(token, "\"\\") == NULL;
}

int ota_stream_request(const ota_request_t *request, ota_encoding_t encoding, uint8_t *out,
                       size_t size)
{
    if (!stream_is_token(request->token)) {
        return STATUS_VALUE;
    }
    return encoding == OTA_JSON ? stream_request_json(request, (char *)out, size)
                                : stream_request_cbor(request, out, size);
}

// ---- blocks ------------------------------------------------------------------------------------

static bool stream_json_number(json_t object, const char *key, uint32_t *number)
{
    json_t value;
    return json_member(object, key, &value) && json_u32(value, number);
}

static status_t stream_fits(const ota_block_t *block, int32_t count)
{
    if (count < 0) {
        return (status_t)count;
    }
    return (uint32_t)count == block->length ? STATUS_OK : STATUS_VALUE;
}

static status_t stream_block_json(const uint8_t *bytes, size_t length, ota_block_t *block,
                                  uint8_t *out, size_t size)
{
    json_t object, payload;
    if (json_read(bytes, length, &object) != STATUS_OK ||
        !stream_json_number(object, "f", &block->file) ||
        !stream_json_number(object, "i", &block->index) ||
        !stream_json_number(object, "l", &block->length) || !json_member(object, "p", &payload) ||
        payload.text[0] != '"') {
        return STATUS_SYNTAX;
    }
    return stream_fits(block, base64_decode(payload.text + 1, payload.length - 2u, out, size));
}

static status_t stream_block_cbor(const uint8_t *bytes, size_t length, ota_block_t *block,
                                  uint8_t *out, size_t size)
{
    cbor_t reader = {bytes, length, 0};
    cbor_item_t payload;
    if (!cbor_is_whole(bytes, length) || !cbor_member_u32(&reader, "f", &block->file) ||
        !cbor_member_u32(&reader, "i", &block->index) ||
        !cbor_member_u32(&reader, "l", &block->length) || !cbor_member(&reader, "p", &payload) ||
        payload.type != CBOR_BYTES) {
        return STATUS_SYNTAX;
    }
    if (payload.value != block->length) {
        return STATUS_VALUE;
    }
    if (payload.value > size) {
        return STATUS_SPACE;
    }
    memcpy(out, payload.bytes, (size_t)payload.value);
    return STATUS_OK;
}

status_t ota_stream_block(ota_encoding_t encoding, const uint8_t *bytes, size_t length,
                          ota_block_t *block, uint8_t *out, size_t size)
{
    return encoding == OTA_JSON ? stream_block_json(bytes, length, block, out, size)
                                : stream_block_cbor(bytes, length, block, out, size);
}

void ota_stream_rejection(ota_encoding_t encoding, const uint8_t *bytes, size_t length,
                          char code[OTA_CODE_BYTES])
{
    json_t object, value;
    cbor_t reader = {bytes, length, 0};
    cbor_item_t item;
    code[0] = '\0';
    if (encoding == OTA_JSON) {
        if (json_read(bytes, length, &object) != STATUS_OK || !json_member(object, "o", &value) ||
            json_string(value, code, OTA_CODE_BYTES) < 0) {
            code[0] = '\0';
        }
    } else if (cbor_member(&reader, "o", &item) && item.type == CBOR_TEXT &&
               item.value < OTA_CODE_BYTES) {
        memcpy(code, item.bytes, (size_t)item.value);
        code[item.value] = '\0';
    }
}
