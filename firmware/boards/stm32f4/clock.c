// SPDX-License-Identifier: MIT
// Clock tree of the STM32F405 (RM0090, chapters 3.5, 5.1 and 7).
#include "platform.h"

typedef struct {
    volatile uint32_t control;       // CR
    volatile uint32_t pll;           // PLLCFGR
    volatile uint32_t configuration; // CFGR
    volatile uint32_t unused_1[13];
    volatile uint32_t apb1_enable; // APB1ENR
} rcc_t;

enum {
    CR_HSI_ON = 1u << 0,
    CR_HSI_READY = 1u << 1,
    CR_HSE_ON = 1u << 16,
    CR_HSE_READY = 1u << 17,
    CR_PLL_ON = 1u << 24,
    CR_PLL_READY = 1u << 25,

    CFGR_SWITCH = 3u << 0,
    CFGR_SWITCH_PLL = 2u << 0,
    CFGR_STATUS = 3u << 2,
    CFGR_STATUS_PLL = 2u << 2,
    CFGR_APB1_BY_4 = 5u << 10,
    CFGR_APB2_BY_2 = 4u << 13,

    PLLCFGR_FROM_HSE = 1u << 22,
    PLLCFGR_Q_7 = 7u << 24, // 48 MHz
    PLL_N_SHIFT = 6,
    PLL_VCO_HZ = 336000000, // divided by P = 2, which is 0 in the register

    ACR_PREFETCH = 1u << 8,
    ACR_CACHES = 3u << 9, // ICEN, DCEN
    ACR_LATENCY = 7u << 0,
    WAIT_STATES = 5, // 150 to 168 MHz at 2.7 to 3.6 V (RM0090, table 10)

    APB1_POWER = 1u << 28,
    PWR_SCALE_1 = 1u << 14,

    // Polls of a ready bit, each 8 cycles of 16 MHz or more: 25 ms. The data sheet allows a crystal
    // 2 ms, the PLL 300 us.
    READY_POLLS = 50000,
};

#define RCC          ((rcc_t *)0x40023800u)
#define FLASH_ACR    (*(volatile uint32_t *)0x40023C00u)
#define PWR_CR       (*(volatile uint32_t *)0x40007000u)
#define DBGMCU_ID    (*(const volatile uint32_t *)0xE0042000u)
#define HSI_HZ       16000000u
#define FULL_HZ      168000000u
#define REVISION_A   0x1000u
#define PLL_INPUT_HZ (BOARD_HSE_HZ % 2000000u == 0u ? 2000000u : 1000000u) // 2 MHz: least jitter

_Static_assert(BOARD_HSE_HZ % 1000000u == 0u && BOARD_HSE_HZ >= 4000000u &&
                   BOARD_HSE_HZ <= 26000000u,
               "a crystal the PLL can take");

uint32_t g_board_core_hz = FULL_HZ;

static const char *s_source = "fixed";
static bool s_controlled;

static bool clock_wait(const volatile uint32_t *at, uint32_t mask, uint32_t wanted)
{
    for (uint32_t i = 0; i < READY_POLLS; i++) {
        if ((*at & mask) == wanted) {
            return true;
        }
    }
    return false;
}

// Back on the internal oscillator, everything else off: also after a debugger's jump to the reset
// vector.
static void clock_settle_on_hsi(void)
{
    RCC->control |= CR_HSI_ON;
    (void)clock_wait(&RCC->control, CR_HSI_READY, CR_HSI_READY);
    RCC->configuration &= ~(uint32_t)CFGR_SWITCH;
    (void)clock_wait(&RCC->configuration, CFGR_STATUS, 0);
    RCC->control &= ~(uint32_t)(CR_PLL_ON | CR_HSE_ON);
    (void)clock_wait(&RCC->control, CR_PLL_READY, 0);
}

static bool clock_start_pll(uint32_t source_hz, uint32_t source_bit)
{
    uint32_t divider = source_hz / PLL_INPUT_HZ;
    uint32_t factor = PLL_VCO_HZ / PLL_INPUT_HZ;
    RCC->pll = divider | factor << PLL_N_SHIFT | source_bit | PLLCFGR_Q_7;
    RCC->control |= CR_PLL_ON;
    return clock_wait(&RCC->control, CR_PLL_READY, CR_PLL_READY);
}

static bool clock_start_hse_pll(void)
{
    RCC->control |= CR_HSE_ON;
    return clock_wait(&RCC->control, CR_HSE_READY, CR_HSE_READY) &&
           clock_start_pll(BOARD_HSE_HZ, PLLCFGR_FROM_HSE);
}

static bool clock_start_hsi_pll(void)
{
    clock_settle_on_hsi();
    return clock_start_pll(HSI_HZ, 0);
}

// Wait states first, then the core: the other way round it would fetch faster than flash can
// answer. Revision A must not prefetch (errata ES0182).
static bool clock_switch_to_pll(void)
{
    uint32_t prefetch = DBGMCU_ID >> 16 == REVISION_A ? 0u : ACR_PREFETCH;
    FLASH_ACR = ACR_CACHES | prefetch | WAIT_STATES;
    if (!clock_wait(&FLASH_ACR, ACR_LATENCY, WAIT_STATES)) {
        return false;
    }
    RCC->configuration |= CFGR_APB1_BY_4 | CFGR_APB2_BY_2;
    RCC->configuration = (RCC->configuration & ~(uint32_t)CFGR_SWITCH) | CFGR_SWITCH_PLL;
    return clock_wait(&RCC->configuration, CFGR_STATUS, CFGR_STATUS_PLL);
}

static void clock_stay_on_hsi(void)
{
    clock_settle_on_hsi();
    RCC->configuration = 0;
    FLASH_ACR = ACR_CACHES; // no wait states at 16 MHz
    g_board_core_hz = HSI_HZ;
    s_source = "hsi,0ws,cache";
}

// The internal oscillator runs from reset: a controller that says otherwise is none, and the
// machine's clock is what it is.
void clock_start(void)
{
    s_controlled = (RCC->control & CR_HSI_READY) != 0u;
    if (!s_controlled) {
        return;
    }
    clock_settle_on_hsi();
    RCC->apb1_enable |= APB1_POWER;
    (void)RCC->apb1_enable; // the bus needs two cycles
    PWR_CR |= PWR_SCALE_1;
    bool hse = clock_start_hse_pll();
    s_source = hse ? "hse-pll,5ws,cache" : "hsi-pll,5ws,cache";
    if (!(hse || clock_start_hsi_pll()) || !clock_switch_to_pll()) {
        clock_stay_on_hsi();
    }
}

bool clock_is_controlled(void)
{
    return s_controlled;
}

uint32_t clock_apb2_hz(void)
{
    return g_board_core_hz == FULL_HZ ? FULL_HZ / 2u : g_board_core_hz;
}

uint32_t clock_apb1_timer_hz(void)
{
    return g_board_core_hz == FULL_HZ ? FULL_HZ / 2u
                                      : g_board_core_hz; // twice APB1, if that is divided
}

const char *platform_clock(void)
{
    return s_source;
}
