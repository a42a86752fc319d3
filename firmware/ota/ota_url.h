// SPDX-License-Identifier: MIT
// Pre-signed URLs: taken apart, and the request for a range of bytes (RFC 9110, section 14). Pure.
#ifndef OTA_URL_H
#define OTA_URL_H

#include "status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OTA_HOST_BYTES = 128 };

typedef struct {
    bool tls;
    uint16_t port;
    char host[OTA_HOST_BYTES];
    const char *target; // path and query, in the caller's text; begins with '/'
} ota_url_t;

// STATUS_VALUE: not http:// or https:// with a host, or characters that no URL has.
status_t ota_url_read(const char *text, ota_url_t *url);

// Writes a GET of the bytes `first` to `last`. Returns its length; STATUS_SPACE.
int ota_url_request(const ota_url_t *url, uint32_t first, uint32_t last, char *out, size_t size);

#endif
