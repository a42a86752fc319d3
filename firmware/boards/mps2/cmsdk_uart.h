// SPDX-License-Identifier: MIT
// The CMSDK APB UART of the mps2 boards (Arm DDI 0479, 4.3): one byte of buffer each way.
#ifndef CMSDK_UART_H
#define CMSDK_UART_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    volatile uint32_t data;
    volatile uint32_t state;
    volatile uint32_t control;
    volatile uint32_t interrupt; // read: pending; write 1: clear
    volatile uint32_t baud_divider;
} cmsdk_uart_t;

enum {
    STATE_TRANSMIT_FULL = 1u << 0,
    STATE_RECEIVE_FULL = 1u << 1,
    CONTROL_TRANSMIT = 1u << 0,
    CONTROL_RECEIVE = 1u << 1,
    CONTROL_RECEIVE_IRQ = 1u << 3,
    INTERRUPT_RECEIVE = 1u << 1,
    UART_BAUD = 115200,
};

// Sends bytes and returns when the UART took them all.
static inline void cmsdk_uart_write(cmsdk_uart_t *uart, const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < length; i++) {
        while ((uart->state & STATE_TRANSMIT_FULL) != 0u) {
        }
        uart->data = at[i];
    }
}

#endif
