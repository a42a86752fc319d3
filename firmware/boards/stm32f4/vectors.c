// SPDX-License-Identifier: MIT
// Vectors of the STM32F405 (RM0090, table 61).
#include "bench.h"
#include "platform.h"

typedef void (*vector_t)(void);

extern uint8_t __handler_stack_end[];

enum { INTERRUPTS = 82 };

#define UNUSED_4  Unhandled_Handler, Unhandled_Handler, Unhandled_Handler, Unhandled_Handler
#define UNUSED_20 UNUSED_4, UNUSED_4, UNUSED_4, UNUSED_4, UNUSED_4

__attribute__((section(".vectors"), used)) static const vector_t s_vectors[16 + INTERRUPTS] = {
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
    UNUSED_20, // 0
    UNUSED_4,  // 20
    UNUSED_4,
    Unhandled_Handler, // 28
    Unhandled_Handler,
    bench_load_handler, // 30: TIM4, PLATFORM_ALARM_LOAD
    Unhandled_Handler,
    UNUSED_4, // 32
    Unhandled_Handler,
    usart1_handler, // 37
    Unhandled_Handler,
    Unhandled_Handler,
    UNUSED_4, // 40
    UNUSED_4,
    Unhandled_Handler, // 48
    Unhandled_Handler,
    bench_alarm_handler, // 50: TIM5, PLATFORM_ALARM_BENCH
    Unhandled_Handler,
    UNUSED_20, // 52
    UNUSED_4,  // 72
    Unhandled_Handler,
    Unhandled_Handler,
    Unhandled_Handler,
    bench_irq_handler, // 79: PLATFORM_BENCH_IRQ
    Unhandled_Handler,
    Unhandled_Handler, // 81: FPU
};
