// SPDX-License-Identifier: MIT
// UART1 of the mps2 boards, to a Wi-Fi module: CMSDK APB UART, as UART0 in uart.c.
#include "cmsdk_uart.h"
#include "platform.h"

#define UART1 ((cmsdk_uart_t *)BOARD_UART1_AT)

static platform_receive_t s_receive;

status_t platform_module_start(platform_receive_t receive)
{
    s_receive = receive;
    UART1->baud_divider = PLATFORM_CORE_HZ / UART_BAUD;
    UART1->control = CONTROL_TRANSMIT | CONTROL_RECEIVE | CONTROL_RECEIVE_IRQ;
    platform_irq_enable(BOARD_UART1_RX_IRQ);
    return STATUS_OK;
}

void platform_module_stop(void)
{
    platform_irq_disable(BOARD_UART1_RX_IRQ);
    UART1->control = 0;
}

void platform_module_write(const void *bytes, size_t length)
{
    cmsdk_uart_write(UART1, bytes, length);
}

void uart1_receive_handler(void)
{
    UART1->interrupt = INTERRUPT_RECEIVE;
    while ((UART1->state & STATE_RECEIVE_FULL) != 0u) {
        s_receive((uint8_t)UART1->data);
    }
}
