// SPDX-License-Identifier: MIT
#include "tls_platform.h"

#include "crash.h"
#include "kernel_compat.h"
#include "net_mutex.h"
#include "net_task.h"
#include "platform.h"
#include "wall_clock.h"

#include "mbedtls/ctr_drbg.h"
#include "mbedtls/entropy.h"
#include "mbedtls/entropy_poll.h"
#include "mbedtls/memory_buffer_alloc.h"
#include "mbedtls/platform_util.h"
#include "mbedtls/sha256.h"
#include "mbedtls/threading.h"

#include <string.h>

static uint8_t s_pool[TLS_POOL_BYTES] NET_UNINITIALISED;
static mbedtls_entropy_context s_entropy;
static mbedtls_ctr_drbg_context s_random;
static bool s_ready;
static status_t s_status;
static bool s_entropy_is_real;

// ---- mutexes -----------------------------------------------------------------------------------

static void tls_mutex_init(mbedtls_threading_mutex_t *mutex)
{
    mutex->handle = xSemaphoreCreateMutexStatic(&mutex->memory);
}

static void tls_mutex_free(mbedtls_threading_mutex_t *mutex)
{
    mutex->handle = NULL;
}

static int tls_mutex_lock(mbedtls_threading_mutex_t *mutex)
{
    if (mutex->handle == NULL || xSemaphoreTake(mutex->handle, portMAX_DELAY) != pdTRUE) {
        return MBEDTLS_ERR_THREADING_MUTEX_ERROR;
    }
    return 0;
}

static int tls_mutex_unlock(mbedtls_threading_mutex_t *mutex)
{
    if (mutex->handle == NULL || xSemaphoreGive(mutex->handle) != pdTRUE) {
        return MBEDTLS_ERR_THREADING_MUTEX_ERROR;
    }
    return 0;
}

// ---- entropy -----------------------------------------------------------------------------------

// A seed that differs between boards, boots and moments, and that somebody who knows them can
// guess: what an emulated board has instead of noise.
static void tls_weak_entropy(unsigned char *bytes, size_t length)
{
    static uint32_t s_calls;
    struct {
        char serial[32];
        uint32_t boot, counter, ticks, calls;
        time_t now;
    } seed = {.boot = crash_boot_count(),
              .counter = *(const volatile uint32_t *)PLATFORM_COUNTER_AT,
              .ticks = xTaskGetTickCount()};
    strncpy(seed.serial, platform_serial(), sizeof seed.serial - 1u);
    (void)tls_time(&seed.now);
    for (size_t at = 0; at < length; at += 32u) {
        uint8_t digest[32];
        seed.calls = s_calls++;
        (void)mbedtls_sha256_ret((const unsigned char *)&seed, sizeof seed, digest, 0);
        memcpy(bytes + at, digest, length - at < sizeof digest ? length - at : sizeof digest);
    }
}

int mbedtls_hardware_poll(void *unused, unsigned char *bytes, size_t length, size_t *given)
{
    (void)unused;
    s_entropy_is_real = platform_entropy(bytes, length) == STATUS_OK;
    if (!s_entropy_is_real) {
        tls_weak_entropy(bytes, length);
    }
    *given = length;
    return 0;
}

int tls_random(void *unused, unsigned char *bytes, size_t length)
{
    (void)unused;
    for (size_t at = 0; at < length; at += MBEDTLS_CTR_DRBG_MAX_REQUEST) {
        size_t left = length - at;
        size_t piece = left < MBEDTLS_CTR_DRBG_MAX_REQUEST ? left : MBEDTLS_CTR_DRBG_MAX_REQUEST;
        int error = mbedtls_ctr_drbg_random(&s_random, bytes + at, piece);
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

bool tls_entropy_is_real(void)
{
    return s_entropy_is_real;
}

// ---- clock -------------------------------------------------------------------------------------

time_t tls_time(time_t *now)
{
    uint32_t seconds;
    uint32_t milliseconds;
    (void)wall_clock_get(&seconds, &milliseconds);
    if (now != NULL) {
        *now = (time_t)seconds;
    }
    return (time_t)seconds;
}

struct tm *mbedtls_platform_gmtime_r(const mbedtls_time_t *time, struct tm *broken_down)
{
    return gmtime_r(time, broken_down);
}

bool tls_clock_is_set(void)
{
    uint32_t seconds;
    uint32_t milliseconds;
    return wall_clock_get(&seconds, &milliseconds);
}

// ---- memory ------------------------------------------------------------------------------------

_Noreturn void tls_broken(int code)
{
    (void)code;
    ASSERT(false);
    for (;;) {
    }
}

void tls_memory(tls_memory_t *memory)
{
    size_t peak_blocks;
    memory->size = sizeof s_pool;
    mbedtls_memory_buffer_alloc_cur_get(&memory->used, &memory->blocks);
    mbedtls_memory_buffer_alloc_max_get(&memory->peak, &peak_blocks);
}

void tls_memory_forget_peak(void)
{
    mbedtls_memory_buffer_alloc_max_reset();
}

// ---- start -------------------------------------------------------------------------------------

static status_t tls_platform_prepare(void)
{
    mbedtls_threading_set_alt(tls_mutex_init, tls_mutex_free, tls_mutex_lock, tls_mutex_unlock);
    mbedtls_memory_buffer_alloc_init(s_pool, sizeof s_pool);
    mbedtls_entropy_init(&s_entropy);
    mbedtls_ctr_drbg_init(&s_random);
    const char *serial = platform_serial();
    int error = mbedtls_ctr_drbg_seed(&s_random, mbedtls_entropy_func, &s_entropy,
                                      (const unsigned char *)serial, strlen(serial));
    return error == 0 ? STATUS_OK : STATUS_ABSENT;
}

status_t tls_platform_init(void)
{
    static net_mutex_t s_mutex;
    net_mutex_take(&s_mutex);
    if (!s_ready) {
        s_status = tls_platform_prepare();
        s_ready = true;
    }
    net_mutex_give(&s_mutex);
    return s_status;
}
