// SPDX-License-Identifier: MIT
// How many TCP connections there may be at once. Also read by lwIP's configuration.
#ifndef SOCKET_LIMITS_H
#define SOCKET_LIMITS_H

#define SOCKET_COUNT 8

#endif
