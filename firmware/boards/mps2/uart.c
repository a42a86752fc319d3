// SPDX-License-Identifier: MIT
// UART0 of the mps2 board: CMSDK APB UART (Arm DDI 0479, 4.3). One byte of buffer each way.
#include "platform.h"

typedef struct {
    volatile uint32_t data;
    volatile uint32_t state;
    volatile uint32_t control;
    volatile uint32_t interrupt; // read: pending; write 1: clear
    volatile uint32_t baud_divider;
} uart_t;

enum {
    STATE_TRANSMIT_FULL = 1u << 0,
    STATE_RECEIVE_FULL = 1u << 1,
    CONTROL_TRANSMIT = 1u << 0,
    CONTROL_RECEIVE = 1u << 1,
    CONTROL_RECEIVE_IRQ = 1u << 3,
    INTERRUPT_RECEIVE = 1u << 1,
    BAUD = 115200,
};

#define UART0 ((uart_t *)BOARD_UART0_AT)

static platform_receive_t s_receive;

void uart0_init(void)
{
    UART0->baud_divider = PLATFORM_CORE_HZ / BAUD;
    UART0->control = CONTROL_TRANSMIT;
}

void platform_uart_write(const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < length; i++) {
        while ((UART0->state & STATE_TRANSMIT_FULL) != 0u) {
        }
        UART0->data = at[i];
    }
}

void platform_uart_receive_start(platform_receive_t receive)
{
    s_receive = receive;
    UART0->control = CONTROL_TRANSMIT | CONTROL_RECEIVE | CONTROL_RECEIVE_IRQ;
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
