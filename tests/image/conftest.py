# SPDX-License-Identifier: MIT
"""Small firmware images compiled for these tests: one of a few lines, and one with the FreeRTOS kernel."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from rig.image.sources import kernel_path

PROJECT = Path(__file__).parents[2]
GCC = ["arm-none-eabi-gcc", "-mcpu=cortex-m3", "-mthumb", "-g", "-O1", "-fno-common", "-nostartfiles"]
LINK = ["--specs=nano.specs", "--specs=nosys.specs", "-Wl,--no-warn-rwx-segments", "-Wl,--build-id=none"]


def compile_elf(folder: Path, source: str, *options: str, name: str = "app") -> Path:
    """Compiles C text with the linker script below; returns the ELF."""
    (folder / f"{name}.c").write_text(source)
    (folder / "app.ld").write_text(LINKER_SCRIPT)
    command = [*GCC, *LINK, "-T", "app.ld", "-o", f"{name}.elf", f"{name}.c", *options]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder / f"{name}.elf"


@pytest.fixture(scope="session")
def tiny_elf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Vectors, code, read-only and initialised data, zeroed data, a gap and an alias: no kernel."""
    return compile_elf(tmp_path_factory.mktemp("tiny"), TINY)


@pytest.fixture(scope="session")
def kernel_elf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The FreeRTOS kernel with a task in each state; runs on QEMU's mps2-an385."""
    return kernel_image(tmp_path_factory.mktemp("kernel"))


def kernel_image(folder: Path, name: str = "app") -> Path:
    """Builds that kernel with an application in ``<name>.c``, which the linker takes first."""
    (folder / "FreeRTOSConfig.h").write_text(KERNEL_CONFIG)
    kernel = kernel_path(PROJECT, os.environ)
    port = kernel / "portable/GCC/ARM_CM3"
    parts = [kernel / name for name in ("tasks.c", "list.c", "queue.c", "portable/MemMang/heap_4.c")]
    sources = [str(part) for part in (*parts, port / "port.c")]
    options = ["-w", "-I.", f"-I{kernel / 'include'}", f"-I{port}"]
    return compile_elf(folder, KERNEL_APP, *options, *sources, name=name)


LINKER_SCRIPT = """
ENTRY(Reset_Handler)
MEMORY { FLASH (rx) : ORIGIN = 0x00000000, LENGTH = 4M  RAM (rwx) : ORIGIN = 0x20000000, LENGTH = 4M }
SECTIONS
{
  .text : { KEEP(*(.vectors)) *(.text*) *(.rodata*) . = ALIGN(4); } > FLASH
  .exidx : { *(.ARM.exidx*) } > FLASH
  .noinit (NOLOAD) : { *(.noinit*) . = ALIGN(8); } > RAM
  .data : { _data = .; *(.data*) . = ALIGN(4); _edata = .; } > RAM AT > FLASH
  _data_load = LOADADDR(.data);
  .bss (NOLOAD) : { *(.bss*) . = ALIGN(8); } > RAM
  .apart 0x00001000 : { KEEP(*(.apart)) } > FLASH
  /DISCARD/ : { *(.ARM.attributes) }
}
"""

TINY = """
#include <stdint.h>
int counter = 7;
static char buffer[100];
__attribute__((section(".noinit"))) uint32_t kept[4];
__attribute__((section(".apart"), used)) const uint32_t apart[3] = {1, 2, 3};
__attribute__((noinline)) int twice(int x) { buffer[x & 63]++; return x * 2; }
int again(int x) __attribute__((alias("twice")));
void Reset_Handler(void) { for (;;) { counter = twice(counter) + again(1) + (int) kept[0]; } }
__attribute__((section(".vectors"), used)) const void *const vectors[] = {(void *) 0x20010000, Reset_Handler};
"""

KERNEL_CONFIG = """
#define configUSE_PREEMPTION 1
#define configUSE_IDLE_HOOK 0
#define configUSE_TICK_HOOK 0
#define configCPU_CLOCK_HZ 25000000
#define configTICK_RATE_HZ 1000
#define configMAX_PRIORITIES 5
#define configMINIMAL_STACK_SIZE 128
#define configTOTAL_HEAP_SIZE 16384
#define configMAX_TASK_NAME_LEN 12
#define configUSE_16_BIT_TICKS 0
#define configSUPPORT_STATIC_ALLOCATION 1
#define configSUPPORT_DYNAMIC_ALLOCATION 1
#define configCHECK_FOR_STACK_OVERFLOW 2
#define INCLUDE_vTaskDelay 1
#define INCLUDE_vTaskSuspend 1
#define INCLUDE_vTaskDelete 1
#define configKERNEL_INTERRUPT_PRIORITY 255
#define configMAX_SYSCALL_INTERRUPT_PRIORITY 0x40
#define vPortSVCHandler SVC_Handler
#define xPortPendSVHandler PendSV_Handler
#define xPortSysTickHandler SysTick_Handler
"""

KERNEL_APP = r"""
#include <string.h>
#include "FreeRTOS.h"
#include "queue.h"
#include "task.h"
void SVC_Handler(void); void PendSV_Handler(void); void SysTick_Handler(void);
extern char _data[], _edata[], _data_load[];
static StackType_t idle_stack[128], sleeper_stack[300];
static StaticTask_t idle_tcb, sleeper_tcb;
static QueueHandle_t queue;
volatile int rounds, overflowed;
void vApplicationStackOverflowHook(TaskHandle_t task, char *name) { overflowed = 1; for (;;) {} }
void vApplicationGetIdleTaskMemory(StaticTask_t **tcb, StackType_t **stack, uint32_t *depth)
{ *tcb = &idle_tcb; *stack = idle_stack; *depth = 128; }
static void sleeper(void *arg) { for (;;) vTaskDelay(100000); }
static void stopped(void *arg) { for (;;) vTaskSuspend(NULL); }
static void receiver(void *arg) { int item; for (;;) xQueueReceive(queue, &item, portMAX_DELAY); }
static void awaiter(void *arg) { for (;;) ulTaskNotifyTake(pdTRUE, portMAX_DELAY); }
static void churn(void *arg)
{
    void *kept[8] = {0};
    for (unsigned i = 0;; i++) {
        vPortFree(kept[i % 8]);
        kept[i % 8] = pvPortMalloc(16 + (i * 37) % 200);
        rounds++;
        if (i % 4 == 0) vTaskDelay(1);
    }
}
int main(void)
{
    queue = xQueueCreate(4, sizeof(int));
    xTaskCreateStatic(sleeper, "sleeper", 300, NULL, 2, sleeper_stack, &sleeper_tcb);
    xTaskCreate(stopped, "stopped", 200, NULL, 1, NULL);
    xTaskCreate(receiver, "receiver", 160, NULL, 3, NULL);
    xTaskCreate(awaiter, "awaiter", 160, NULL, 3, NULL);
    xTaskCreate(churn, "churn", 200, NULL, 4, NULL);
    vTaskStartScheduler();
    return 0;
}
void Reset_Handler(void) { memcpy(_data, _data_load, (size_t) (_edata - _data)); main(); for (;;) {} }
static void fault(void) { for (;;) {} }
__attribute__((section(".vectors"), used)) const void *const vectors[] = {
    (void *) 0x20400000, Reset_Handler, fault, fault, fault, fault, fault, 0, 0, 0, 0,
    SVC_Handler, fault, 0, PendSV_Handler, SysTick_Handler};
"""
