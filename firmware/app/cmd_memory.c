// SPDX-License-Identifier: MIT
// Commands about memory: regions, heap, task stacks.
#include "commands_table.h"
#include "console.h"
#include "heap.h"
#include "platform.h"
#include "tasks.h"

void command_mem_regions(const command_call_t *call, reply_t *reply)
{
    (void)call;
    platform_region_t region;
    uint32_t rows = 0;
    while (platform_region(rows, &region) > 0) {
        line_t *line = reply_data(reply);
        line_add_text(line, "name", region.name);
        line_add_address(line, "start", (uint32_t)region.start);
        line_add_u32(line, "size", (uint32_t)region.size);
        line_add_u32(line, "used", (uint32_t)region.used);
        reply_send(reply);
        rows++;
    }
    line_add_u32(reply_ok(reply), "rows", rows);
    reply_send(reply);
}

static void memory_add_bytes(line_t *line, const char *key, bool known, size_t bytes)
{
    if (known) {
        line_add_u32(line, key, (uint32_t)bytes);
    } else {
        line_add_text(line, key, "absent");
    }
}

void command_mem_heap(const command_call_t *call, reply_t *reply)
{
    (void)call;
    line_t *line = reply_ok(reply);
    line_add_text(line, "scheme", RIG_KERNEL_HEAP);
    size_t bytes = 0;
    memory_add_bytes(line, "total", KERNEL_HAS_DYNAMIC_ALLOCATION, configTOTAL_HEAP_SIZE);
    bool known = heap_free(&bytes);
    memory_add_bytes(line, "free", known, bytes);
    known = heap_min_ever(&bytes);
    memory_add_bytes(line, "min_ever", known, bytes);
    size_t blocks = 0;
    if (heap_pieces(&bytes, &blocks)) { // else the host walks the free list by itself
        line_add_u32(line, "largest", (uint32_t)bytes);
        line_add_u32(line, "blocks", (uint32_t)blocks);
    }
    reply_send(reply);
}

static const char *memory_state_word(eTaskState state)
{
    switch (state) {
    case eRunning:
        return "running";
    case eReady:
        return "ready";
    case eBlocked:
        return "blocked";
    case eSuspended:
        return "suspended";
    case eDeleted:
        return "deleted";
    default:
        return "invalid";
    }
}

static void memory_send_task(reply_t *reply, TaskHandle_t task, const StackType_t *stack,
                             size_t stack_words)
{
    UBaseType_t unused_words = uxTaskGetStackHighWaterMark(task);
    line_t *line = reply_data(reply);
    line_add_text(line, "name", pcTaskGetName(task));
    line_add_u32(line, "prio", (uint32_t)uxTaskPriorityGet(task));
    line_add_text(line, "state", memory_state_word(eTaskGetState(task)));
    line_add_address(line, "stack", (uint32_t)(uintptr_t)stack);
    line_add_u32(line, "size", (uint32_t)(stack_words * sizeof(StackType_t)));
    line_add_u32(line, "highwater", (uint32_t)(unused_words * sizeof(StackType_t)));
    reply_send(reply);
}

void command_mem_tasks(const command_call_t *call, reply_t *reply)
{
    (void)call;
    uint32_t rows = 0;
    for (task_id_t id = 0; id < TASK_COUNT; id++, rows++) {
        const task_row_t *row = tasks_row(id);
        memory_send_task(reply, tasks_handle(id), row->stack, row->stack_words);
    }
    for (size_t i = 0; i < TASKS_NOTED; i++) {
        const task_noted_t *noted = tasks_noted(i);
        if (noted->task != NULL) {
            memory_send_task(reply, noted->task, noted->stack, noted->stack_words);
            rows++;
        }
    }
    line_add_u32(reply_ok(reply), "rows", rows);
    reply_send(reply);
}
