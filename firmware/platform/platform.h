// SPDX-License-Identifier: MIT
// What a board must fill: everything the firmware needs from hardware. boards/<name>/ supplies
// board_config.h (the PLATFORM_* values below), a linker script with the __image_*, __ram_*,
// __flash_* and __handler_stack_* symbols, and these functions.
//
// board_config.h defines
//   PLATFORM_CORE_HZ       core clock in Hz, also that of SysTick
//   PLATFORM_COUNTER       name of the counter used for measuring, as the console prints it
//   PLATFORM_COUNTER_HZ    its frequency in Hz
//   PLATFORM_COUNTER_AT    its address: a free-running 32-bit up-counter, 0 at reset
//                          (these four are constants, or variables that platform_init() sets)
//   PLATFORM_BENCH_IRQ     number of an interrupt no device uses, for software-pended interrupts;
//                          its vector must be bench_irq_handler()
//   PLATFORM_BAD_ADDRESS   an address whose reading faults, for crash.make kind=hardfault
//   PLATFORM_IRQ_PRIORITY  NVIC priority byte of interrupts that call the kernel
// and may define, both or none,
//   PLATFORM_MARKER_RAISE() and PLATFORM_MARKER_LOWER(), a store each that sets a pin to its active
//                          level, and back: for a logic analyser, around every sample of a
//                          benchmark. platform_init() has made the pin an output, inactive.
// A board with a network (RIG_NETWORK) defines as well, in flash outside the image,
//   PLATFORM_STORE_AT, PLATFORM_STORE_AREA_BYTES
//                          where keys and certificates are kept: two areas, one behind the other,
//                          each of whole erase sectors and of so many bytes
//   PLATFORM_NETWORKS_AT, PLATFORM_NETWORKS_AREA_BYTES
//                          where Wi-Fi networks are kept: likewise, each one erase sector
#ifndef PLATFORM_H
#define PLATFORM_H

#include "board_config.h"
#include "status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Why the core was reset, as far as the hardware itself tells.
typedef enum {
    PLATFORM_RESET_UNKNOWN, // no reset-cause register: no-init RAM decides
    PLATFORM_RESET_POWER,
    PLATFORM_RESET_PIN,
    PLATFORM_RESET_WATCHDOG,
} platform_reset_t;

// A memory region as mem.regions prints it; bytes.
typedef struct {
    const char *name;
    uintptr_t start;
    size_t size;
    size_t used;
} platform_region_t;

// Called for every received byte, from the receive interrupt.
typedef void (*platform_receive_t)(uint8_t byte);

// Starts clocks, UART transmission and the counter. Called once, first, before the kernel.
void platform_init(void);

// Sends bytes and returns when the UART took them all. Any context; no locking of its own.
void platform_uart_write(const void *bytes, size_t length);

// Starts reception: from now on every byte goes to `receive`. Called once.
void platform_uart_receive_start(platform_receive_t receive);

// Holds reception back (true) or lets it go on (false): no receive interrupt comes in between.
void platform_uart_receive_hold(bool hold);

// ---- module UART: a second UART, to a Wi-Fi module (boards/<name>/uart1.c); only called in images
// with RIG_NETWORK
//
// 115200 baud, 8N1, as such modules come. Nothing of it runs before platform_module_start().

// Opens it; from now on every byte goes to `receive`, from the receive interrupt. STATUS_ABSENT
// where the board has none.
status_t platform_module_start(platform_receive_t receive);

// Closes it: no interrupt of it comes after the return.
void platform_module_stop(void);

// Sends bytes and returns when the UART took them all. From one task at a time.
void platform_module_write(const void *bytes, size_t length);

// Whether the counter at PLATFORM_COUNTER_AT advances. A counter that does not (the DWT of an
// emulator reads 0 without a fault) would make every measurement a zero.
bool platform_counter_advances(void);

// Where the core clock comes from and what flash costs at that clock, as one word for reports, such
// as "hse-pll,5ws"; "fixed" where nothing was chosen. Static memory.
const char *platform_clock(void);

// What the hardware knows about the last reset.
platform_reset_t platform_reset_cause(void);

// Serial number, NUL terminated; "none" if the board has none. Static memory.
const char *platform_serial(void);

// Region `index`, or 0 behind the last one. Filled into *region; returns 1.
int platform_region(size_t index, platform_region_t *region);

// An erase sector of the flash that the firmware runs from; bytes.
typedef struct {
    uintptr_t start;
    size_t size;
} platform_sector_t;

// The sector that holds `address`. STATUS_RANGE behind the flash, STATUS_ABSENT where this hardware
// cannot write its own flash.
status_t platform_flash_sector(uintptr_t address, platform_sector_t *sector);

// Erases the sector that starts at `start`: all bits are 1 then. Blocks, on silicon up to seconds,
// and stalls whatever runs from the same bank meanwhile. From one task only. STATUS_RANGE,
// STATUS_ABSENT, STATUS_FLASH.
status_t platform_flash_erase(uintptr_t start);

// Writes `length` bytes from `words`, both `address` and `length` multiples of 4, and compares.
// Programming only clears bits: STATUS_FLASH where flash holds a 0 for a 1, without a change there.
// Blocks; from one task only. STATUS_RANGE, STATUS_ABSENT, STATUS_FLASH.
status_t platform_flash_write(uintptr_t address, const uint32_t *words, size_t length);

// Random bytes from a source of noise in the hardware, of full entropy. STATUS_ABSENT where there
// is none: then keys grow from a seed that can be guessed, and tls.info says so. Of boards with a
// network alone; from tasks, blocks as long as the hardware needs.
status_t platform_entropy(uint8_t *bytes, size_t length);

// Prepares PLATFORM_BENCH_IRQ: priority set, enabled.
void platform_bench_irq_start(void);

// Pends PLATFORM_BENCH_IRQ. Inline, because this one store stands inside a measured section.
static inline void platform_bench_irq_pend(void)
{
    *(volatile uint32_t *)(0xE000E200u + 4u * (PLATFORM_BENCH_IRQ / 32u)) =
        1u << (PLATFORM_BENCH_IRQ % 32u);
    __asm volatile("dsb\n\tisb" ::: "memory");
}

// ---- alarms: interrupts whose due moment is known on the counter (boards/<name>/alarm.c)
// ---------
//
// A hardware timer with a vector of its own, so that the latency of an interrupt is the counter at
// its handler's entry less the moment it was due. All of it may be called from tasks, acknowledge
// from its handler. On silicon a due moment is exact to a few cycles of the bus, the same ones
// every time.
typedef enum {
    PLATFORM_ALARM_BENCH, // vector bench_alarm_handler()
    PLATFORM_ALARM_LOAD,  // vector bench_load_handler()
} platform_alarm_t;

// Readies an alarm and its interrupt, at this NVIC priority byte, and leaves it stopped.
// STATUS_ABSENT where the hardware has none, or one that does not come when it is due.
status_t platform_alarm_start(platform_alarm_t alarm, uint8_t priority);

// One interrupt, `ticks` counter ticks from now (at least 64, at most a second's; rounded down to
// what the timer can). Returns the counter's value when it is due.
uint32_t platform_alarm_once(platform_alarm_t alarm, uint32_t ticks);

// An interrupt every `ticks` counter ticks from now on (at most 700 us).
void platform_alarm_repeat(platform_alarm_t alarm, uint32_t ticks);

// Takes its interrupt back: once per interrupt, in its handler.
void platform_alarm_acknowledge(platform_alarm_t alarm);

// No interrupt comes any more, not even one that was due.
void platform_alarm_stop(platform_alarm_t alarm);

// ---- Cortex-M, the same on every board (platform/cortex_m.c) -----------------------------------

// Takes over the core: vectors at `vectors`, also after a debugger's jump, and the FPU switched on
// if the image was built for one. Called by startup, first.
void platform_core_init(const void *vectors);

// Resets the whole system by AIRCR. Does not return.
_Noreturn void platform_reset(void);

// The CPUID register.
uint32_t platform_cpuid(void);

// Bytes of the handler stack never used, by the fill value startup left there.
size_t platform_handler_stack_unused(void);

// Fills the unused part of the handler stack. Called by startup, once, on that stack.
void platform_handler_stack_fill(void);

// Sets priority of interrupt `irq` to PLATFORM_IRQ_PRIORITY and enables it.
void platform_irq_enable(uint32_t irq);

// The same at another priority byte; what was pending is forgotten.
void platform_irq_enable_at(uint32_t irq, uint8_t priority);

// Disables interrupt `irq`; it is not taken after the return.
void platform_irq_disable(uint32_t irq);

// The counter's value when the last tick became due, by what SysTick counted since; exact to two
// counter ticks. For less than a tick after it. Masks interrupts for a few instructions.
uint32_t platform_tick_moment(void);

// Vector of all boards: prepares memory, calls main, resets if that returns. In platform/startup.c.
void Reset_Handler(void);

// The kernel's, by the names FreeRTOSConfig.h gives them.
void SVC_Handler(void);
void PendSV_Handler(void);
void SysTick_Handler(void);

// Vectors of all boards, for faults and for interrupts nobody handles: they find the stacked frame
// and hand it to crash_from_fault() or crash_from_vector().
void HardFault_Handler(void);
void Unhandled_Handler(void);

#endif
