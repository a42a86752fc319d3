// SPDX-License-Identifier: MIT
// Defects that are macros: the compiler takes this in ahead of each source that is compiled for a
// defect (-include, in defects.cmake). Never part of a product build.
//
// DEFECT_MARK stands before an instruction that a defect adds: the symbols defect_mark_<n> are
// where an outside instrument counts how often it ran.
#ifndef DEFECTS_H
#define DEFECTS_H

#ifndef __ASSEMBLER__
    #include "board_config.h" // some defects change what it says
#endif

#define DEFECT_MARK "defect_mark_%=:\n\t"

#ifdef RIG_DEFECT_SWITCH_NOP // one instruction more in every context switch
    #define traceTASK_SWITCHED_IN() __asm volatile(DEFECT_MARK "nop" ::)
#endif

#ifdef RIG_DEFECT_SEND_NOP // one instruction more wherever a queue or a semaphore takes something
    #define traceQUEUE_SEND(queue) __asm volatile(DEFECT_MARK "nop" ::)
#endif

#ifdef RIG_DEFECT_MALLOC_SLOW // seven instructions more in an allocation
    #define traceMALLOC(block, size) __asm volatile(DEFECT_MARK ".rept 7\n\tnop\n\t.endr" ::)
#endif

#ifdef RIG_DEFECT_TICK_SLOW // two instructions more in a tick
    #define traceTASK_INCREMENT_TICK(count) __asm volatile(DEFECT_MARK "nop\n\tnop" ::)
#endif

#ifdef RIG_DEFECT_MASKED_LONG // interrupts stay masked for 150 instructions more in a send
    #define traceQUEUE_SEND(queue)                                                                 \
        for (volatile uint32_t left = 30; left != 0; left--) {                                     \
        }
#endif

#ifdef RIG_DEFECT_COUNTER_UNIT // the counter's frequency is stated wrong
    #undef PLATFORM_COUNTER_HZ
    #define PLATFORM_COUNTER_HZ 1000000u
#endif

#if defined RIG_DEFECT_COUNTER_FIRST || defined RIG_DEFECT_COUNTER_STILL
    #ifdef RIG_DEFECT_COUNTER_FIRST
        #define DEFECT_TRUE_COUNTER_AT 0x40028018u // PLATFORM_COUNTER_AT of the mps2 boards
    #endif
    #undef PLATFORM_COUNTER_AT
    #define PLATFORM_COUNTER_AT (&g_defect_counter)
    #ifndef __ASSEMBLER__
        #include <stdint.h>
extern volatile uint32_t g_defect_counter;
    #endif
#endif

#endif
