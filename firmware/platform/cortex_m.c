// SPDX-License-Identifier: MIT
// The part of the platform contract that is the core's and not the board's (Armv7-M ARM, B3).
#include "platform.h"

#include <stdint.h>

enum { STACK_FILL = 0xA5 };

extern uint8_t __handler_stack_start[];
extern uint8_t __handler_stack_end[];

void platform_core_init(const void *vectors)
{
    *(volatile uint32_t *)0xE000ED08u = (uint32_t)(uintptr_t)vectors; // VTOR
#if defined(__ARM_FP)
    *(volatile uint32_t *)0xE000ED88u |= 0xFu << 20; // CPACR: full access to CP10 and CP11
#endif
    __asm volatile("dsb\n\tisb" ::: "memory");
}

_Noreturn void platform_reset(void)
{
    __asm volatile("dsb" ::: "memory");
    *(volatile uint32_t *)0xE000ED0Cu = 0x05FA0004u; // AIRCR: key, SYSRESETREQ
    __asm volatile("dsb" ::: "memory");
    for (;;) {
    }
}

uint32_t platform_cpuid(void)
{
    return *(volatile uint32_t *)0xE000ED00u;
}

void platform_handler_stack_fill(void)
{
    enum { OWN_FRAMES = 64 };
    uint8_t *own;
    __asm volatile("mov %0, sp" : "=r"(own));
    for (volatile uint8_t *at = __handler_stack_start; at < own - OWN_FRAMES; at++) {
        *at = STACK_FILL;
    }
}

size_t platform_handler_stack_unused(void)
{
    const uint8_t *at = __handler_stack_start;
    while (at < __handler_stack_end && *at == STACK_FILL) {
        at++;
    }
    return (size_t)(at - __handler_stack_start);
}

void platform_irq_enable(uint32_t irq)
{
    *(volatile uint8_t *)(0xE000E400u + irq) = PLATFORM_IRQ_PRIORITY;
    *(volatile uint32_t *)(0xE000E100u + 4u * (irq / 32u)) = 1u << (irq % 32u);
}

void platform_irq_enable_at(uint32_t irq, uint8_t priority)
{
    *(volatile uint32_t *)(0xE000E280u + 4u * (irq / 32u)) = 1u << (irq % 32u);
    platform_irq_enable(irq);
    *(volatile uint8_t *)(0xE000E400u + irq) = priority;
}

void platform_irq_disable(uint32_t irq)
{
    *(volatile uint32_t *)(0xE000E180u + 4u * (irq / 32u)) = 1u << (irq % 32u);
    __asm volatile("dsb\n\tisb" ::: "memory");
}

// The three loads are one after another, so that the middle one is at the mean of the outer two.
uint32_t platform_tick_moment(void)
{
    const volatile uint32_t *counter = (const volatile uint32_t *)PLATFORM_COUNTER_AT;
    const volatile uint32_t *systick = (const volatile uint32_t *)0xE000E014u; // LOAD, VAL
    uint32_t period = systick[0] + 1u;
    __asm volatile("cpsid i" ::: "memory");
    uint32_t before = counter[0];
    uint32_t left = systick[1];
    uint32_t after = counter[0];
    __asm volatile("cpsie i" ::: "memory");
    uint64_t elapsed = left == 0u ? 0u : period - left;
    uint32_t ticks = (uint32_t)(elapsed * PLATFORM_COUNTER_HZ / PLATFORM_CORE_HZ);
    return before + (after - before) / 2u - ticks;
}

// EXC_RETURN bit 2 tells which stack the frame is on. A vector must not touch any register the
// frame does not hold before the frame is found, hence no C here. Second argument: EXC_RETURN.
#define VECTOR_WITH_FRAME(function)                                                                \
    __asm volatile(                                                                                \
        "tst lr, #4\n\tite eq\n\tmrseq r0, msp\n\tmrsne r0, psp\n\tmov r1, lr\n\tb " function)

__attribute__((naked)) void HardFault_Handler(void)
{
    VECTOR_WITH_FRAME("crash_from_fault");
}

__attribute__((naked)) void Unhandled_Handler(void)
{
    VECTOR_WITH_FRAME("crash_from_vector");
}
