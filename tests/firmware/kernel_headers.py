# SPDX-License-Identifier: MIT
"""Header trees that stand for releases of the kernel: version macros, defaults, and the types that changed.

Written for these tests alone, by what is known of each release; nothing here is a kernel. They hold just what
``kernel_compat.h`` and ``kernel_features.c`` look at.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

EMPTY = ("queue", "semphr", "event_groups", "timers")


@dataclass(frozen=True, slots=True)
class Release:
    """A tag, and what the release in it says of itself."""

    tag: str
    says: str

    @property
    def number(self) -> int:
        """The tag as KERNEL_VERSION has it."""
        major, minor, build = map(int, self.tag.split("."))
        return major * 10000 + minor * 100 + build


RELEASES = (
    Release("9.0.0", "9.0.0"),
    Release("10.0.0", "9.0.0"),
    Release("10.2.1", "10.2.0"),
    Release("10.3.0", "10.3.0"),
    Release("10.4.0", "10.4.0"),
    Release("10.4.3", "10.4.3"),
    Release("10.4.5", "10.4.5"),
    Release("10.5.1", "10.5.1"),
    Release("10.6.2", "10.6.2"),
    Release("11.0.0", "11.0.0"),
    Release("11.1.0", "11.1.0"),
    Release("11.2.0", "11.2.0"),
    Release("11.3.0", "11.3.0"),
)

_TYPES = """
#include <stddef.h>
#include <stdint.h>
#include "FreeRTOSConfig.h"
typedef uint32_t TickType_t; typedef long BaseType_t; typedef unsigned long StackType_t;
typedef struct task *TaskHandle_t; typedef long long run_time_t;
#define tskKERNEL_VERSION_NUMBER "V{says}"
"""
_DEFAULTS = """
#ifndef configNUM_THREAD_LOCAL_STORAGE_POINTERS
#define configNUM_THREAD_LOCAL_STORAGE_POINTERS 0
#endif
static inline size_t xPortGetFreeHeapSize(void) { return 77; }
static inline size_t xPortGetMinimumEverFreeHeapSize(void) { return 66; }
static inline void *pvPortMalloc(size_t bytes) { (void)bytes; return NULL; }
typedef struct { uint8_t *start; size_t size; } HeapRegion_t;
static inline void vPortDefineHeapRegions(const HeapRegion_t *regions) { (void)regions; }
static inline void vPortFree(void *block) { (void)block; }
static inline void vPortInitialiseBlocks(void) { }
"""
_HEAP_STATS = """
typedef struct { size_t xSizeOfLargestFreeBlockInBytes, xNumberOfFreeBlocks; } HeapStats_t;
static inline void vPortGetHeapStats(HeapStats_t *stats) { *stats = (HeapStats_t){55, 3}; }
"""
_DELAY = {
    False: "static inline void vTaskDelayUntil(TickType_t *last, TickType_t by) { *last += by; }\n",
    True: """static inline BaseType_t xTaskDelayUntil(TickType_t *last, TickType_t by)
{ *last += by; return 1; }
#define vTaskDelayUntil(last, by) (void)xTaskDelayUntil(last, by)
""",
}


def make_tree(folder: Path, release: Release) -> Path:
    """Writes the include folder of ``release``; returns it."""
    folder.mkdir(parents=True)
    number = release.number
    major, minor, build = release.says.split(".")
    depth = "StackType_t" if number >= 110100 else "uint16_t" if number >= 100000 else ""
    text = _TYPES.replace("{says}", release.says)
    text += f"#define tskKERNEL_VERSION_MAJOR {major}\n#define tskKERNEL_VERSION_MINOR {minor}\n"
    text += f"#define tskKERNEL_VERSION_BUILD {build}\n{_DEFAULTS}{_DELAY[number >= 100402]}"
    text += _HEAP_STATS if number >= 100300 else ""
    text += f"#define configSTACK_DEPTH_TYPE {depth}\n" if depth else ""
    text += "#define configRUN_TIME_COUNTER_TYPE run_time_t\n"  # defined also where the kernel ignores it
    (folder / "FreeRTOS.h").write_text(text)
    later = ("stream_buffer", "message_buffer") if number >= 100000 else ()
    for name in ("task", *EMPTY, *later):
        (folder / f"{name}.h").write_text("")
    return folder
