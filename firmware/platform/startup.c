// SPDX-License-Identifier: MIT
// From reset to main, the same on every board. Vectors are the board's.
#include "platform.h"

#include <string.h>

extern uint8_t __data_start[], __data_end[], __data_load[], __bss_start[], __bss_end[];
extern uint8_t __image_start[];

int main(void);

void Reset_Handler(void)
{
    platform_core_init(__image_start);
    platform_handler_stack_fill();
    memcpy(__data_start, __data_load, (size_t)(__data_end - __data_start));
    memset(__bss_start, 0, (size_t)(__bss_end - __bss_start));
    (void)main();
    platform_reset();
}
