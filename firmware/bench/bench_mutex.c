// SPDX-License-Identifier: MIT
// Mutexes: uncontended, recursive, and held by a lower task. That one excludes others is proven by
// another task that tries to take it; that priority is inherited, by the holder's priority and by
// what a task between cannot do.
#include "bench.h"
#include "bench_helpers.h"
#include "bench_rows.h"
#include "platform.h"

#if KERNEL_HAS_MUTEXES

static SemaphoreHandle_t s_mutex;

static void mutex_create(void)
{
    static StaticSemaphore_t s_memory;
    s_mutex = xSemaphoreCreateMutexStatic(&s_memory);
}

// ---- a rival -----------------------------------------------------------------------------------

static volatile bool s_rival_got;

static void mutex_rival(void *unused)
{
    (void)unused;
    for (;;) {
        (void)ulTaskNotifyTake(pdTRUE, portMAX_DELAY);
        s_rival_got = xSemaphoreTake(s_mutex, 0) == pdPASS && xSemaphoreGive(s_mutex) == pdPASS;
    }
}

// Whether another task can take the mutex; it gives it back.
static bool mutex_is_free(void)
{
    (void)xTaskNotifyGive(bench_helper(0));
    return s_rival_got;
}

// ---- uncontended -------------------------------------------------------------------------------

// Gives back what was locked, whatever is wrong with it.
static bool mutex_was_locked(BaseType_t taken)
{
    bool excluded = !mutex_is_free();
    bool given = taken == pdPASS && xSemaphoreGive(s_mutex) == pdPASS;
    return excluded && given && mutex_is_free();
}

const char *bench_run_mutex_lock(uint32_t n, int32_t arg)
{
    (void)arg;
    BaseType_t taken = pdFAIL;
    mutex_create();
    (void)bench_helper_start(mutex_rival, BENCH_HELPER_ABOVE);
    SemaphoreHandle_t mutex = s_mutex;
    BENCH_LOOP(n, (void)0, taken = xSemaphoreTake(mutex, 0), mutex_was_locked(taken),
               "the mutex did not keep another task out, or was not free afterwards");
    return NULL;
}

const char *bench_run_mutex_unlock(uint32_t n, int32_t arg)
{
    (void)arg;
    BaseType_t taken = pdFAIL;
    bool excluded = false;
    BaseType_t given = pdFAIL;
    mutex_create();
    (void)bench_helper_start(mutex_rival, BENCH_HELPER_ABOVE);
    SemaphoreHandle_t mutex = s_mutex;
    BENCH_LOOP(n, taken = xSemaphoreTake(mutex, 0);
               excluded = !mutex_is_free(), given = xSemaphoreGive(mutex),
               taken == pdPASS && excluded && given == pdPASS && mutex_is_free(),
               "the mutex was not held before the give, or not free after it");
    return NULL;
}

// ---- recursive ---------------------------------------------------------------------------------

    #if KERNEL_HAS_RECURSIVE_MUTEXES

bool bench_takes_depth(int32_t arg)
{
    return arg == 1 || arg == 4;
}

static void recursive_rival(void *unused)
{
    (void)unused;
    for (;;) {
        (void)ulTaskNotifyTake(pdTRUE, portMAX_DELAY);
        s_rival_got = xSemaphoreTakeRecursive(s_mutex, 0) == pdPASS &&
                      xSemaphoreGiveRecursive(s_mutex) == pdPASS;
    }
}

static void recursive_start(void)
{
    static StaticSemaphore_t s_memory;
    s_mutex = xSemaphoreCreateRecursiveMutexStatic(&s_memory);
    (void)bench_helper_start(recursive_rival, BENCH_HELPER_ABOVE);
}

static void recursive_take(int32_t times)
{
    for (int32_t i = 0; i < times; i++) {
        (void)xSemaphoreTakeRecursive(s_mutex, 0);
    }
}

// Gives `depth` times: the mutex must keep the rival out until the last, and not after it.
static bool recursive_unwind(int32_t depth)
{
    bool good = true;
    for (; depth > 0; depth--) {
        good = !mutex_is_free() && good;
        good = xSemaphoreGiveRecursive(s_mutex) == pdPASS && good;
    }
    return mutex_is_free() && good;
}

const char *bench_run_recursive_lock(uint32_t n, int32_t arg)
{
    BaseType_t taken = pdFAIL;
    recursive_start();
    SemaphoreHandle_t mutex = s_mutex;
    BENCH_LOOP(n, recursive_take(arg - 1), taken = xSemaphoreTakeRecursive(mutex, 0),
               recursive_unwind(arg) && taken == pdPASS,
               "the mutex did not keep another task out until the last give, or did after it");
    return NULL;
}

const char *bench_run_recursive_unlock(uint32_t n, int32_t arg)
{
    bool excluded = false;
    BaseType_t given = pdFAIL;
    recursive_start();
    SemaphoreHandle_t mutex = s_mutex;
    BENCH_LOOP(n, recursive_take(arg);
               excluded = !mutex_is_free(), given = xSemaphoreGiveRecursive(mutex),
               recursive_unwind(arg - 1) && excluded && given == pdPASS,
               "the mutex did not keep another task out until the last give, or did after it");
    return NULL;
}

    #endif

// ---- priority inheritance ----------------------------------------------------------------------

// The bench task cannot be the holder: it has the writer's mutex as well, and the kernel takes an
// inherited priority away with the last mutex only. So it steps below a helper that holds the
// mutex, lets it run once a sample, and judges when that waits again.

enum { HOG_TURNS = 1000 };

static volatile UBaseType_t s_raised;   // the holder's priority while another waits
static volatile UBaseType_t s_lowered;  // and when it has given the mutex back
static volatile uint32_t s_locked;      // samples in which the higher task got the mutex
static volatile uint32_t s_hogged;      // turns of the task between
static volatile uint32_t s_seen;        // of these, before the higher task got the mutex
static volatile eTaskState s_hog_state; // then
static TaskHandle_t s_hog;

static void inherit_isr(void)
{
    BaseType_t woken = pdFALSE;
    if (s_hog != NULL) {
        vTaskNotifyGiveFromISR(s_hog, &woken);
    }
    vTaskNotifyGiveFromISR(tasks_handle(TASK_BENCH_PEER), &woken);
    portYIELD_FROM_ISR(woken);
}

// The higher task: an interrupt wakes it while the mutex is held. It begins a sample where it asks
// for the mutex, and ends one where it has it.
void bench_peer_inherit(uint32_t n)
{
    const volatile uint32_t *counter = bench_counter();
    volatile bench_probe_t *probe = bench_probe();
    s_hog = NULL;
    s_locked = 0;
    s_hogged = 0;
    mutex_create();
    SemaphoreHandle_t mutex = s_mutex;
    for (uint32_t i = 0; i <= n; i++) {
        (void)ulTaskNotifyTake(pdTRUE, portMAX_DELAY);
        BENCH_BEGIN(counter, probe);
        BaseType_t taken = xSemaphoreTake(mutex, portMAX_DELAY);
        BENCH_END(counter, probe);
        s_seen = s_hogged;
        s_hog_state = s_hog == NULL ? eReady : eTaskGetState(s_hog);
        s_locked += taken == pdPASS && xSemaphoreGive(mutex) == pdPASS ? 1u : 0u;
    }
}

// With room for the task between.
void bench_peer_inherit_bounded(uint32_t n)
{
    vTaskPrioritySet(NULL, BENCH_HELPER_HIGHEST);
    bench_peer_inherit(n);
    vTaskPrioritySet(NULL, TASK_BENCH_PEER_PRIORITY);
}

    // The holder's loop: `section` stands between its taking the mutex and what is known
    // afterwards. The interrupt lets the higher task run until that waits for the mutex.
    #define INHERIT_HOLDER(section)                                                                \
        do {                                                                                       \
            const volatile uint32_t *counter = bench_counter();                                    \
            volatile bench_probe_t *probe = bench_probe();                                         \
            SemaphoreHandle_t mutex = s_mutex;                                                     \
            for (uint32_t i = 0;; i++) {                                                           \
                (void)ulTaskNotifyTake(pdTRUE, portMAX_DELAY);                                     \
                (void)xSemaphoreTake(mutex, 0);                                                    \
                platform_bench_irq_pend();                                                         \
                section;                                                                           \
                s_lowered = uxTaskPriorityGet(NULL);                                               \
            }                                                                                      \
        } while (0)

static void inherit_hold_raise(void *unused)
{
    (void)unused;
    INHERIT_HOLDER(BENCH_END(counter, probe); s_raised = uxTaskPriorityGet(NULL); bench_keep(i);
                   (void)xSemaphoreGive(mutex));
}

static void inherit_hold_unlock(void *unused)
{
    (void)unused;
    INHERIT_HOLDER(s_raised = uxTaskPriorityGet(NULL); BENCH_BEGIN(counter, probe);
                   (void)xSemaphoreGive(mutex); bench_keep(i));
}

// Nothing but the give, for all of this is in the sample.
static void inherit_hold_bounded(void *unused)
{
    (void)unused;
    INHERIT_HOLDER((void)counter; (void)probe; (void)xSemaphoreGive(mutex); bench_keep(i));
}

// The task between: ready since the same interrupt, and it would keep the core for long.
static void inherit_hog(void *unused)
{
    (void)unused;
    for (;;) {
        (void)ulTaskNotifyTake(pdTRUE, portMAX_DELAY);
        s_hogged++;
        for (volatile uint32_t i = 0; i < HOG_TURNS; i++) {
        }
    }
}

static const char *inherit_judge(uint32_t index)
{
    if (s_locked != index + 1u) {
        return "the higher task did not get the mutex before the give returned, or not once";
    }
    return s_lowered == TASK_BENCH_PRIORITY ? NULL : "the holder kept the inherited priority";
}

static const char *inherit_judge_raised(uint32_t index)
{
    if (s_raised != TASK_BENCH_PEER_PRIORITY) {
        return "the holder did not inherit the waiter's priority";
    }
    return inherit_judge(index);
}

// The hog ran when the higher task waited again, not before.
static const char *inherit_judge_bounded(uint32_t index)
{
    if (s_seen != index) {
        return "the holder did not inherit the waiter's priority: a task between ran first";
    }
    if (s_hog_state != eReady || s_hogged != index + 1u) {
        return "the task between was not ready meanwhile, or did not run afterwards";
    }
    return inherit_judge(index);
}

static const char *inherit_run(TaskFunction_t entry, const char *(*judge)(uint32_t index),
                               uint32_t n)
{
    const char *fault = NULL;
    bench_set_isr(inherit_isr);
    vTaskPrioritySet(NULL, BENCH_HELPER_BELOW);
    TaskHandle_t holder = bench_helper_start(entry, TASK_BENCH_PRIORITY);
    for (uint32_t i = 0; i <= n && fault == NULL; i++) {
        s_raised = 0;
        s_lowered = 0;
        (void)xTaskNotifyGive(holder);
        fault = judge(i);
    }
    return fault;
}

const char *bench_run_inherit_raise(uint32_t n, int32_t arg)
{
    (void)arg;
    return inherit_run(inherit_hold_raise, inherit_judge_raised, n);
}

const char *bench_run_inherit_unlock(uint32_t n, int32_t arg)
{
    (void)arg;
    return inherit_run(inherit_hold_unlock, inherit_judge_raised, n);
}

const char *bench_run_inherit_bounded(uint32_t n, int32_t arg)
{
    (void)arg;
    s_hog = bench_helper_start(inherit_hog, BENCH_HELPER_ABOVE);
    return inherit_run(inherit_hold_bounded, inherit_judge_bounded, n);
}

#endif
