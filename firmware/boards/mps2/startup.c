// SPDX-License-Identifier: MIT
// Vectors and reset of the mps2 application. The boot ROM has set VTOR and MSP before it comes
// here.
#include "bench.h"
#include "platform.h"

#include <string.h>

typedef void (*vector_t)(void);

extern uint8_t __data_start[], __data_end[], __data_load[], __bss_start[], __bss_end[];
extern uint8_t __handler_stack_end[], __image_start[];

int main(void);
void SVC_Handler(void);
void PendSV_Handler(void);
void SysTick_Handler(void);
void Reset_Handler(void);

void Reset_Handler(void)
{
    platform_core_init(__image_start);
    platform_handler_stack_fill();
    memcpy(__data_start, __data_load, (size_t)(__data_end - __data_start));
    memset(__bss_start, 0, (size_t)(__bss_end - __bss_start));
    (void)main();
    platform_reset();
}

#define UNUSED_4 Unhandled_Handler, Unhandled_Handler, Unhandled_Handler, Unhandled_Handler

__attribute__((section(".vectors"), used)) static const vector_t s_vectors[16 + 32] = {
    (vector_t)(uintptr_t)__handler_stack_end,
    Reset_Handler,
    Unhandled_Handler, // NMI
    HardFault_Handler,
    HardFault_Handler, // MemManage
    HardFault_Handler, // BusFault
    HardFault_Handler, // UsageFault
    UNUSED_4,
    SVC_Handler,
    Unhandled_Handler, // DebugMonitor
    Unhandled_Handler,
    PendSV_Handler,
    SysTick_Handler,
    uart0_receive_handler, // 0
    Unhandled_Handler,
    Unhandled_Handler,
    Unhandled_Handler,
    UNUSED_4, // 4
    UNUSED_4,
    UNUSED_4,
    UNUSED_4,
    UNUSED_4,
    UNUSED_4,
    Unhandled_Handler, // 28
    Unhandled_Handler,
    Unhandled_Handler,
    bench_irq_handler, // PLATFORM_BENCH_IRQ
};
