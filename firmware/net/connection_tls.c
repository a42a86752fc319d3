// SPDX-License-Identifier: MIT
#include "connection_internal.h"

status_t connection_tls_open(NetworkContext_t *context, const connection_options_t *options,
                             uint32_t deadline)
{
    (void)context;
    (void)options;
    (void)deadline;
    connection_set_fault("tls: not in this image");
    return STATUS_ABSENT;
}

int32_t connection_tls_send(NetworkContext_t *context, const void *bytes, size_t length)
{
    (void)context;
    (void)bytes;
    (void)length;
    return STATUS_ABSENT;
}

int32_t connection_tls_receive(NetworkContext_t *context, void *bytes, size_t length)
{
    (void)context;
    (void)bytes;
    (void)length;
    return STATUS_ABSENT;
}

void connection_tls_close(NetworkContext_t *context)
{
    context->tls = NULL;
}
