// SPDX-License-Identifier: MIT
// What the files of the Wi-Fi operations share.
#ifndef WIFI_INTERNAL_H
#define WIFI_INTERNAL_H

#include "wifi.h"

enum { WIFI_ANSWER_MS = 5000 }; // for commands that are done in the module alone

// Keeps what went wrong for wifi_fault(), unless all is well; returns the status.
status_t wifi_say(status_t status, const char *fault);

// STATUS_OK if Wi-Fi is on; sets the module up again where it has started by itself.
status_t wifi_require(void);

// Whether the module has started since it was set up: what it answers, it answers as another.
bool wifi_started_anew(void);

// A command without an answer but OK: a whole turn.
status_t wifi_order(const char *command);

#endif
