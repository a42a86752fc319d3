// SPDX-License-Identifier: MIT
#include "ota_url.h"

#include "ota_text.h"

#include <string.h>

enum { HTTP_PORT = 80, HTTPS_PORT = 443 };

// Printable ASCII without blanks: nothing that could end a line of the request.
static bool url_is_printable(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text <= ' ' || *text > '~') {
            return false;
        }
    }
    return true;
}

static bool url_port(const char *text, size_t length, uint16_t *port)
{
    uint32_t number = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9' || i > 4u) {
            return false;
        }
        number = number * 10u + (uint32_t)(text[i] - '0');
    }
    *port = (uint16_t)number;
    return length > 0u && number > 0u && number <= UINT16_MAX;
}

status_t ota_url_read(const char *text, ota_url_t *url)
{
    memset(url, 0, sizeof *url);
    url->tls = strncmp(text, "https://", 8) == 0;
    if (!url_is_printable(text) || (!url->tls && strncmp(text, "http://", 7) != 0)) {
        return STATUS_VALUE;
    }
    const char *host = text + (url->tls ? 8 : 7);
    size_t authority = strcspn(host, "/?#");
    size_t length = strcspn(host, ":/?#@");
    url->target = host + authority;
    url->port = url->tls ? HTTPS_PORT : HTTP_PORT;
    if (length == 0u || length >= sizeof url->host || url->target[0] != '/' ||
        strchr(url->target, '#') != NULL) {
        return STATUS_VALUE;
    }
    memcpy(url->host, host, length);
    bool named = length < authority;
    if (named && (host[length] != ':' ||
                  !url_port(host + length + 1u, authority - length - 1u, &url->port))) {
        return STATUS_VALUE;
    }
    return STATUS_OK;
}

int ota_url_request(const ota_url_t *url, uint32_t first, uint32_t last, char *out, size_t size)
{
    ota_text_t text = {out, size, 0};
    ota_text_add(&text, "GET ");
    ota_text_add(&text, url->target);
    ota_text_add(&text, " HTTP/1.1\r\nHost: ");
    ota_text_add(&text, url->host);
    if (url->port != (url->tls ? HTTPS_PORT : HTTP_PORT)) {
        ota_text_add(&text, ":");
        ota_text_add_u32(&text, url->port);
    }
    ota_text_add(&text, "\r\nRange: bytes=");
    ota_text_add_u32(&text, first);
    ota_text_add(&text, "-");
    ota_text_add_u32(&text, last);
    ota_text_add(&text, "\r\n\r\n");
    return ota_text_end(&text);
}
