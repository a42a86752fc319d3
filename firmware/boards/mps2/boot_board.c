// SPDX-License-Identifier: MIT
// The bootloader's vectors and UART on the mps2 boards, in the place of boot_rom.c. A fault in here
// says so and waits: there is nothing behind it that could do better.
#include "boot.h"

#include "cmsdk_uart.h"
#include "flash_layout.h"
#include "platform.h"

#include <string.h>

#define UART0              ((cmsdk_uart_t *)BOARD_UART0_AT)
#define NVIC_ENABLE        (*(volatile uint32_t *)0xE000E100u)
#define NVIC_CLEAR_PENDING (*(volatile uint32_t *)0xE000E280u)

extern uint8_t __data_start[], __data_end[], __data_load[], __bss_start[], __bss_end[];
extern uint8_t __stack_end[];

int main(void);
_Noreturn void boot_reset(void);
_Noreturn void boot_fault(void);

// For the rig: where this bootloader looks for what. Version, then the numbers of flash_layout.h.
extern const uint32_t g_flash_layout[];
__attribute__((section(".flash_layout"), used)) const uint32_t g_flash_layout[] = {
    1,
    OTA_SLOT_A_AT,
    OTA_SLOT_B_AT,
    OTA_SLOT_BYTES,
    OTA_HEADER_BYTES,
    OTA_SECTOR_BYTES,
    OTA_STATE_AT,
    OTA_STATE_BYTES,
    OTA_AGENT_AT,
    OTA_AGENT_BYTES,
    OTA_RAM_AT,
    OTA_RAM_BYTES,
};

void boot_board_init(void)
{
    UART0->baud_divider = PLATFORM_CORE_HZ / UART_BAUD;
    UART0->control = CONTROL_TRANSMIT | CONTROL_RECEIVE;
    (void)UART0
        ->data; // nothing old; and QEMU, which asks only now and then, sees that bytes may come
}

void platform_uart_write(const void *bytes, size_t length)
{
    cmsdk_uart_write(UART0, bytes, length);
}

// Asleep until a byte comes, for a core that spins on the UART's state lets an emulator do nothing
// else. The interrupt only wakes: it is masked, so its vector is never taken.
uint8_t boot_board_receive(void)
{
    __asm volatile("cpsid i" ::: "memory");
    UART0->control = CONTROL_TRANSMIT | CONTROL_RECEIVE | CONTROL_RECEIVE_IRQ;
    NVIC_ENABLE = 1u << BOARD_UART0_RX_IRQ;
    while ((UART0->state & STATE_RECEIVE_FULL) == 0u) {
        __asm volatile("dsb\n\twfi" ::: "memory");
    }
    uint8_t byte = (uint8_t)UART0->data;
    UART0->interrupt = INTERRUPT_RECEIVE;
    NVIC_CLEAR_PENDING = 1u << BOARD_UART0_RX_IRQ;
    return byte;
}

_Noreturn void platform_reset(void)
{
    __asm volatile("dsb" ::: "memory");
    *(volatile uint32_t *)0xE000ED0Cu = 0x05FA0004u; // AIRCR: key, SYSRESETREQ
    for (;;) {
        __asm volatile("dsb" ::: "memory");
    }
}

_Noreturn void boot_board_jump(uint32_t vectors)
{
    const uint32_t *at = (const uint32_t *)(uintptr_t)vectors;
    uint32_t stack = at[0];
    uint32_t entry = at[1];
    UART0->control = 0;
    *(volatile uint32_t *)0xE000ED08u = vectors; // VTOR
    __asm volatile("dsb\n\tisb\n\tmsr msp, %0\n\tbx %1" ::"r"(stack), "r"(entry));
    __builtin_unreachable();
}

_Noreturn void boot_reset(void)
{
    memcpy(__data_start, __data_load, (size_t)(__data_end - __data_start));
    memset(__bss_start, 0, (size_t)(__bss_end - __bss_start));
    (void)main();
    platform_reset();
}

_Noreturn void boot_fault(void)
{
    static const char s_text[] = "\r\nboot: trouble=fault\r\n";
    platform_uart_write(s_text, sizeof s_text - 1u);
    for (;;) {
        __asm volatile("wfi");
    }
}

__attribute__((section(".vectors"), used)) static void (*const s_vectors[16])(void) = {
    (void (*)(void))(uintptr_t)__stack_end,
    boot_reset,
    boot_fault, // NMI
    boot_fault,
    boot_fault,
    boot_fault,
    boot_fault,
};
