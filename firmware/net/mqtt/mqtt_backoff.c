// SPDX-License-Identifier: MIT
#include "mqtt_backoff.h"

static uint32_t backoff_window(const mqtt_retry_t *retry, uint32_t done)
{
    uint64_t window = done < 32u ? (uint64_t)retry->base_ms << done : UINT64_MAX;
    return window < retry->cap_ms ? (uint32_t)window : retry->cap_ms;
}

// A number from 0 to `most`, evenly: the high half of a product, so that no range is favoured.
static uint32_t backoff_up_to(uint32_t most, uint32_t random)
{
    return (uint32_t)(((uint64_t)most + 1u) * random >> 32);
}

bool mqtt_backoff_next(mqtt_backoff_t *backoff, const mqtt_retry_t *retry, uint32_t random,
                       uint32_t *wait_ms)
{
    uint32_t window = backoff_window(retry, backoff->done);
    if (retry->attempts != 0u && backoff->done >= retry->attempts) {
        return false;
    }
    uint32_t fixed = retry->jitter == MQTT_JITTER_NONE    ? window
                     : retry->jitter == MQTT_JITTER_EQUAL ? window / 2u
                                                          : 0u;
    *wait_ms = fixed + backoff_up_to(window - fixed, random);
    if (backoff->done < UINT32_MAX) {
        backoff->done++;
    }
    return true;
}

void mqtt_backoff_connected(mqtt_backoff_t *backoff, const mqtt_retry_t *retry, uint32_t lasted_ms)
{
    if (lasted_ms >= retry->stable_ms) {
        backoff->done = 0;
    }
}
