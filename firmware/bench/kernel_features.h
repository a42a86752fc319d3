// SPDX-License-Identifier: MIT
// The kernel's feature matrix: which documented primitives the kernel at hand has, which version
// brought each, and by which macro it is switched. Pure; the table is made from kernel_compat.h.
#ifndef KERNEL_FEATURES_H
#define KERNEL_FEATURES_H

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    const char *name;
    bool have;
    const char *since;  // version that brought it; V9.0.0, the oldest that is taken, also for older
    const char *config; // macro that switches it; "-": nothing does
    const char *value;  // what that macro is set to; "-": nothing
} kernel_feature_t;

// Row `index`, or 0 behind the last one. Static memory; any context.
const kernel_feature_t *kernel_feature(size_t index);

#endif
