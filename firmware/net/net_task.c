// SPDX-License-Identifier: MIT
#include "net_task.h"

#include "tasks.h"

TaskHandle_t net_task_make(const net_task_t *facts, void *argument)
{
    vTaskSuspendAll(); // the list of tasks is one, and the task must not end before it is in it
    TaskHandle_t task =
        xTaskCreateStatic(facts->entry, facts->name, (kernel_stack_depth_t)facts->stack_words,
                          argument, facts->priority, facts->stack, facts->block);
    tasks_note(task, facts->stack, facts->stack_words);
    (void)xTaskResumeAll();
    return task;
}

void net_task_end(TaskHandle_t task)
{
    vTaskSuspendAll();
    tasks_forget(task);
    (void)xTaskResumeAll();
    vTaskDelete(task);
}
