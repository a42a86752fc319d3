// SPDX-License-Identifier: MIT
// UART0 of the mps2 boards: the console.
#include "cmsdk_uart.h"
#include "platform.h"

#define UART0 ((cmsdk_uart_t *)BOARD_UART0_AT)

static platform_receive_t s_receive;

void uart0_init(void)
{
    UART0->baud_divider = PLATFORM_CORE_HZ / UART_BAUD;
    UART0->control = CONTROL_TRANSMIT;
}

void platform_uart_write(const void *bytes, size_t length)
{
    cmsdk_uart_write(UART0, bytes, length);
}

void platform_uart_receive_start(platform_receive_t receive)
{
    s_receive = receive;
    UART0->control = CONTROL_TRANSMIT | CONTROL_RECEIVE | CONTROL_RECEIVE_IRQ;
    // What came to the bootloader is no interrupt of ours, and while it stays none follows.
    (void)UART0->data;
    platform_irq_enable(BOARD_UART0_RX_IRQ);
}

void platform_uart_receive_hold(bool hold)
{
    if (hold) {
        platform_irq_disable(BOARD_UART0_RX_IRQ);
    } else {
        platform_irq_enable(BOARD_UART0_RX_IRQ);
    }
}

void uart0_receive_handler(void)
{
    UART0->interrupt = INTERRUPT_RECEIVE;
    while ((UART0->state & STATE_RECEIVE_FULL) != 0u) {
        s_receive((uint8_t)UART0->data);
    }
}
