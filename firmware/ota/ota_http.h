// SPDX-License-Identifier: MIT
// Fetches ranges of a file from a pre-signed URL, over one connection as long as the server keeps
// it. From one task, with a stack for TLS.
#ifndef OTA_HTTP_H
#define OTA_HTTP_H

#include "status.h"

#include <stddef.h>
#include <stdint.h>

// Fetches `length` bytes from `first` on to `out`. STATUS_VALUE: the URL; STATUS_REFUSED: the
// server says another code than 206, *code. It may be tried again after STATUS_SYNTAX and
// STATUS_SPACE: not the bytes asked for, as of an answer that came late or twice; STATUS_TIMEOUT,
// STATUS_CLOSED and those of connection_open().
status_t ota_http_fetch(const char *url, uint32_t first, uint32_t length, uint8_t *out,
                        uint32_t *code, uint32_t wait_ms);

// Closes the connection, if it is open.
void ota_http_close(void);

#endif
