// SPDX-License-Identifier: MIT
// Facts of the mps2 boards (QEMU mps2-an385 and mps2-an386, Arm application notes AN385 and AN386),
// for platform/platform.h.
#ifndef BOARD_CONFIG_H
#define BOARD_CONFIG_H

#define PLATFORM_CORE_HZ      25000000u
#define PLATFORM_COUNTER      "fpgaio"
#define PLATFORM_COUNTER_HZ   25000000u
#define PLATFORM_COUNTER_AT   0x40028018u
#define PLATFORM_BENCH_IRQ    31u
#define PLATFORM_BAD_ADDRESS  0x60000000u
#define PLATFORM_IRQ_PRIORITY 0x80u

#define PLATFORM_STORE_AT            0x21FE0000u
#define PLATFORM_STORE_AREA_BYTES    0x9000u
#define PLATFORM_NETWORKS_AT         0x21FFA000u
#define PLATFORM_NETWORKS_AREA_BYTES 0x1000u

#define BOARD_UART0_AT       0x40004000u
#define BOARD_UART0_RX_IRQ   0u
#define BOARD_UART1_AT       0x40005000u
#define BOARD_UART1_RX_IRQ   2u
#define BOARD_TIMER0_AT      0x40000000u
#define BOARD_TIMER0_IRQ     8u
#define BOARD_TIMER1_AT      0x40001000u
#define BOARD_FPGAIO_AT      0x40028000u
#define BOARD_WATCHDOG_AT    0x40008000u
#define BOARD_ETHERNET_AT    0x40200000u
#define BOARD_ETHERNET_IRQ   13u
#define BOARD_FACTORY_PAGE   0x21FFF000u
#define BOARD_FACTORY_LENGTH 4096u
#define BOARD_SERIAL_LENGTH  16u

// Starts transmission on UART0; in uart.c.
void uart0_init(void);

// Receive interrupt of UART0, in uart.c.
void uart0_receive_handler(void);

// Receive interrupt of UART1, in uart1.c: only in images with RIG_NETWORK.
void uart1_receive_handler(void);

// Interrupt of the Ethernet controller, in ethernet.c: only in images with RIG_NETWORK.
void lan9118_handler(void);

#endif
