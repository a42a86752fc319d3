// SPDX-License-Identifier: MIT
// UART0 of the nRF51 (nRF51 Series Reference Manual, chapter 29), 115200 baud.
#include "wire.h"

#define UART ((volatile uint32_t *)0x40002000)
enum { STARTRX = 0x000 / 4, STARTTX = 0x008 / 4, RXDRDY = 0x108 / 4, TXDRDY = 0x11C / 4 };
enum { ENABLE = 0x500 / 4, PSELTXD = 0x50C / 4, PSELRXD = 0x514 / 4, RXD = 0x518 / 4 };
enum { TXD = 0x51C / 4, BAUDRATE = 0x524 / 4, BAUD_115200 = 0x01D7E000 };

void wire_init(void)
{
    UART[PSELTXD] = 24;
    UART[PSELRXD] = 25;
    UART[BAUDRATE] = BAUD_115200;
    UART[ENABLE] = 4;
    UART[STARTRX] = 1;
    UART[STARTTX] = 1;
}

void wire_put(const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < length; i++) {
        UART[TXDRDY] = 0;
        UART[TXD] = at[i];
        while (UART[TXDRDY] == 0u) {
        }
    }
}

void wire_flush(void)
{
    // wire_put has waited for each byte
}

int wire_get(void)
{
    if (UART[RXDRDY] == 0u) {
        return -1;
    }
    UART[RXDRDY] = 0; // before RXD is read, which makes room for the next byte
    return (int)(UART[RXD] & 0xFFu);
}
