// SPDX-License-Identifier: MIT
// USART1 of the STM32F405 on PA9 and PA10 (RM0090, chapters 8 and 30): the console.
#include "platform.h"

typedef struct {
    volatile uint32_t status; // SR
    volatile uint32_t data;   // DR
    volatile uint32_t baud;   // BRR
    volatile uint32_t control;
} usart_t;

typedef struct {
    volatile uint32_t mode;
    volatile uint32_t type;
    volatile uint32_t speed;
    volatile uint32_t pull;
    volatile uint32_t unused[4];
    volatile uint32_t alternate[2];
} gpio_t;

enum {
    STATUS_OVERRUN = 1u << 3,
    STATUS_RECEIVED = 1u << 5,
    STATUS_COMPLETE = 1u << 6,
    STATUS_EMPTY = 1u << 7,
    CONTROL_RECEIVE = 1u << 2,
    CONTROL_TRANSMIT = 1u << 3,
    CONTROL_RECEIVE_IRQ = 1u << 5,
    CONTROL_ENABLE = 1u << 13,
    BAUD = 115200,
    USART1_IRQ = 37,

    AHB1_GPIOA = 1u << 0,
    APB2_USART1 = 1u << 4,
    PIN_TRANSMIT = 9,
    PIN_RECEIVE = 10,
    MODE_ALTERNATE = 2,
    SPEED_MEDIUM = 1,
    PULL_UP = 1,
    USART_FUNCTION = 7,
};

#define USART1      ((usart_t *)0x40011000u)
#define GPIOA       ((gpio_t *)0x40020000u)
#define RCC_AHB1ENR (*(volatile uint32_t *)0x40023830u)
#define RCC_APB2ENR (*(volatile uint32_t *)0x40023844u)

static platform_receive_t s_receive;

// Sets field `index` of `width` bits.
static void usart1_set_field(volatile uint32_t *at, uint32_t index, uint32_t width, uint32_t value)
{
    uint32_t mask = (1u << width) - 1u;
    *at = (*at & ~(mask << (index * width))) | value << (index * width);
}

static void usart1_take_pin(uint32_t pin)
{
    usart1_set_field(&GPIOA->alternate[pin / 8u], pin % 8u, 4, USART_FUNCTION);
    usart1_set_field(&GPIOA->speed, pin, 2, SPEED_MEDIUM);
    usart1_set_field(&GPIOA->pull, pin, 2, PULL_UP); // an open line must not read as a start bit
    usart1_set_field(&GPIOA->mode, pin, 2, MODE_ALTERNATE);
}

void usart1_init(void)
{
    RCC_AHB1ENR |= AHB1_GPIOA;
    RCC_APB2ENR |= APB2_USART1;
    (void)RCC_APB2ENR; // the bus needs two cycles
    usart1_take_pin(PIN_TRANSMIT);
    usart1_take_pin(PIN_RECEIVE);
    USART1->baud = (clock_apb2_hz() + BAUD / 2) / BAUD; // sixteenths of a bit: oversampling by 16
    USART1->control = CONTROL_ENABLE | CONTROL_TRANSMIT;
}

// Waits for the last stop bit too: a reset may follow, and it would cut off what is being shifted
// out.
void platform_uart_write(const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < length; i++) {
        while ((USART1->status & STATUS_EMPTY) == 0u) {
        }
        USART1->data = at[i];
    }
    while ((USART1->status & STATUS_COMPLETE) == 0u) {
    }
}

void platform_uart_receive_start(platform_receive_t receive)
{
    s_receive = receive;
    USART1->control = CONTROL_ENABLE | CONTROL_TRANSMIT | CONTROL_RECEIVE | CONTROL_RECEIVE_IRQ;
    platform_irq_enable(USART1_IRQ);
}

void platform_uart_receive_hold(bool hold)
{
    if (hold) {
        platform_irq_disable(USART1_IRQ);
    } else {
        platform_irq_enable(USART1_IRQ);
    }
}

// Reading status, then data, takes the byte and clears an overrun, which would interrupt for ever.
void usart1_handler(void)
{
    uint32_t status;
    while (((status = USART1->status) & (STATUS_RECEIVED | STATUS_OVERRUN)) != 0u) {
        uint8_t byte = (uint8_t)USART1->data;
        if ((status & STATUS_RECEIVED) != 0u) {
            s_receive(byte);
        }
    }
}
