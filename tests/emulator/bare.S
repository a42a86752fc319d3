@ SPDX-License-Identifier: MIT
@ A bare-metal image for tests of the debug probe: it counts in RAM and does what a mailbox says.
    .syntax unified
    .cpu cortex-m3
    .thumb

    .equ UART, 0x40004000
    .equ SYSTICK, 0xE000E010
    .equ AIRCR, 0xE000ED0C
    .equ COUNTER, 0x20000100
    .equ MAILBOX, 0x20000104
    .equ WATCHED, 0x20000108
    .equ TICKS, 0x2000010C

    .section .text
    .word 0x20010000
    .word start + 1
    .word nmi + 1
    .word hard_fault + 1
    .rept 11
    .word nmi + 1
    .endr
    .word tick + 1

    .thumb_func
    .global start
start:
    ldr r0, =UART
    movs r1, #16
    str r1, [r0, #0x10]
    movs r1, #1
    str r1, [r0, #8]
    ldr r2, =banner
1:  ldrb r3, [r2], #1
    cbz r3, 2f
    str r3, [r0]
    b 1b
2:  ldr r4, =COUNTER
    movs r5, #0
    .thumb_func
    .global loop
loop:
    adds r5, #1
    str r5, [r4]
    ldr r0, [r4, #4]            @ the mailbox
    cmp r0, #0
    beq loop
    movs r1, #0
    str r1, [r4, #4]
    cmp r0, #1
    beq fault
    cmp r0, #2
    beq restart
    cmp r0, #3
    beq touch
    cmp r0, #4
    beq look
    cmp r0, #5
    beq sleep
    cmp r0, #6
    beq start_tick
    cmp r0, #7
    beq unprivileged
    cmp r0, #8
    beq conditional
    b loop

fault:
    .thumb_func
    .global undefined
undefined:
    udf #0
restart:
    ldr r0, =AIRCR
    ldr r1, =0x05FA0004
    str r1, [r0]
    b .
touch:
    movs r1, #0x5A
    .thumb_func
    .global store
store:
    str r1, [r4, #8]
    b loop
look:
    .thumb_func
    .global load
load:
    ldr r1, [r4, #8]
    b loop
    .thumb_func
    .global sleep
sleep:
    wfi
    b loop
start_tick:
    ldr r0, =SYSTICK
    ldr r1, =2500
    str r1, [r0, #4]
    str r1, [r0, #8]
    movs r1, #7
    str r1, [r0]
    b loop
unprivileged:
    ldr r0, =0x20008000
    msr psp, r0
    movs r0, #3
    msr control, r0
    isb
    b loop
conditional:
    cmp r5, r5
    ite ne
    .thumb_func
    .global in_it_block
in_it_block:
    movne r6, #1
    moveq r6, #2
    b loop

    .thumb_func
    .global tick
tick:
    ldr r0, =TICKS
    ldr r1, [r0]
    adds r1, #1
    str r1, [r0]
    bx lr

    .thumb_func
    .global hard_fault
hard_fault:
    b .
    .thumb_func
nmi:
    b .
banner:
    .asciz "hello from the boot ROM\r\n"
    .align 2
    .ltorg
