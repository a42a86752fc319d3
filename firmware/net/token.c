// SPDX-License-Identifier: MIT
#include "token.h"

#include "flash_range.h"
#include "net_mutex.h"
#include "net_task.h"
#include "platform.h"
#include "record_pair.h"
#include "tls_sessions.h"

#include "mbedtls/platform_util.h"

static object_set_t s_set NET_UNINITIALISED;
static uint32_t s_form[(OBJECT_SET_BYTES + 3) / 4] NET_UNINITIALISED;
static net_mutex_t s_mutex;
static bool s_loaded;

_Static_assert(PLATFORM_STORE_AREA_BYTES >= sizeof s_form + RECORD_HEADER_BYTES,
               "every object fits the record");

// ---- flash: two areas, one behind the other, of whole sectors -----------------------------------

static const uint8_t *token_area(size_t area)
{
    return (const uint8_t *)(PLATFORM_STORE_AT + area * PLATFORM_STORE_AREA_BYTES);
}

static status_t token_erase_area(size_t area)
{
    uintptr_t at = (uintptr_t)token_area(area);
    return flash_erase_range(at, at + PLATFORM_STORE_AREA_BYTES);
}

static status_t token_write_area(size_t area, size_t place, const uint32_t *words, size_t length)
{
    return platform_flash_write((uintptr_t)token_area(area) + place, words, length);
}

static const record_flash_t s_flash = {PLATFORM_STORE_AREA_BYTES, token_area, token_erase_area,
                                       token_write_area};

// ---- objects -----------------------------------------------------------------------------------

void token_reload(void)
{
    const uint8_t *bytes = NULL;
    size_t length = 0;
    if (record_load(&s_flash, &bytes, &length) != STATUS_OK) {
        object_set_clear(&s_set);
        return;
    }
    (void)object_set_decode(&s_set, bytes, length);
}

// A private key that was given up must not be read in what the newest record took the place of.
// What a cut of power left may hold one as well. If flash refuses, this is tried again with the
// next save and after the next start.
static void token_scrub(void)
{
    const uint8_t *bytes = NULL;
    size_t length = 0;
    record_rest_t rest = record_rest(&s_flash, &bytes, &length);
    if (rest == RECORD_TORN ||
        (rest == RECORD_OLDER && object_set_lacks_key_of(&s_set, bytes, length))) {
        (void)record_scrub(&s_flash);
    }
}

void token_lock(void)
{
    net_mutex_take(&s_mutex);
    if (!s_loaded) {
        token_reload();
        token_scrub();
        s_loaded = true;
    }
}

void token_unlock(void)
{
    net_mutex_give(&s_mutex);
}

object_set_t *token_objects(void)
{
    return &s_set;
}

// The form holds keys: it stays in RAM no longer than it takes. Sessions that were made with what
// was kept before are not resumed.
status_t token_save(void)
{
    int32_t length = object_set_encode(&s_set, (uint8_t *)s_form, sizeof s_form);
    status_t status = length < 0 ? (status_t)length : record_save(&s_flash, s_form, (size_t)length);
    mbedtls_platform_zeroize(s_form, sizeof s_form);
    tls_sessions_forget();
    if (status == STATUS_OK) {
        token_scrub();
    }
    return status;
}

status_t token_erase(void)
{
    object_set_clear(&s_set);
    tls_sessions_forget();
    return record_erase(&s_flash);
}

void token_space(size_t *used, size_t *size)
{
    const uint8_t *bytes = NULL;
    *used = 0;
    *size = OBJECT_SET_BYTES;
    (void)record_load(&s_flash, &bytes, used);
}
