// SPDX-License-Identifier: MIT
// Exponential back-off with jitter: how long to wait before the next attempt to connect. Pure; the
// caller gives the random number.
#ifndef MQTT_BACKOFF_H
#define MQTT_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

typedef enum {
    MQTT_JITTER_NONE,  // the whole window
    MQTT_JITTER_EQUAL, // from half of the window to all of it
    MQTT_JITTER_FULL,  // from 0 to the whole window
} mqtt_jitter_t;

typedef struct {
    uint32_t base_ms;   // the first window; 0: does not wait
    uint32_t cap_ms;    // the largest window
    uint32_t attempts;  // attempts before it gives up; 0: never
    uint32_t stable_ms; // a connection that lasted so long ends the back-off
    mqtt_jitter_t jitter;
} mqtt_retry_t;

typedef struct {
    uint32_t done; // attempts since the last connection that was stable
} mqtt_backoff_t;

// Sets *wait_ms for the next attempt; false: it is time to give up. The window doubles with every
// attempt up to the cap. `random` is evenly distributed over 32 bits.
bool mqtt_backoff_next(mqtt_backoff_t *backoff, const mqtt_retry_t *retry, uint32_t random,
                       uint32_t *wait_ms);

// After a connection that lasted `lasted_ms`: the back-off begins anew if it was stable, so that a
// server that accepts and drops is not asked at full speed.
void mqtt_backoff_connected(mqtt_backoff_t *backoff, const mqtt_retry_t *retry, uint32_t lasted_ms);

#endif
