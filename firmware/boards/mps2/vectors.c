// SPDX-License-Identifier: MIT
// Vectors of an mps2 application. The boot ROM has set VTOR and MSP before it comes to
// Reset_Handler.
#include "bench.h"
#include "platform.h"

typedef void (*vector_t)(void);

extern uint8_t __handler_stack_end[];

#if RIG_NETWORK
    #define ETHERNET_HANDLER lan9118_handler
    #define MODULE_HANDLER   uart1_receive_handler
#else
    #define ETHERNET_HANDLER Unhandled_Handler
    #define MODULE_HANDLER   Unhandled_Handler
#endif

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
    MODULE_HANDLER, // 2
    Unhandled_Handler,
    UNUSED_4,            // 4
    bench_alarm_handler, // 8: timer 0, PLATFORM_ALARM_BENCH
    bench_load_handler,  // 9: timer 1, PLATFORM_ALARM_LOAD
    Unhandled_Handler,
    Unhandled_Handler,
    Unhandled_Handler, // 12
    ETHERNET_HANDLER,
    Unhandled_Handler,
    Unhandled_Handler,
    UNUSED_4, // 16
    UNUSED_4,
    UNUSED_4,
    Unhandled_Handler, // 28
    Unhandled_Handler,
    Unhandled_Handler,
    bench_irq_handler, // PLATFORM_BENCH_IRQ
};
