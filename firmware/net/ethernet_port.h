// SPDX-License-Identifier: MIT
// What a board with Ethernet must fill, in boards/<name>/ethernet.c: frames out, frames in, link.
// All calls but the handler come from tasks that hold the lock of lwip_task.h, so one at a time.
#ifndef ETHERNET_PORT_H
#define ETHERNET_PORT_H

#include "status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A frame is at most ETHERNET_FRAME_BYTES without its check sequence. ethernet_receive() may write
// ETHERNET_ROOM_BYTES: whole words, and the check sequence.
enum { ETHERNET_FRAME_BYTES = 1514, ETHERNET_ROOM_BYTES = 1536 };

// Starts the controller with this address; from now on on_event() is called from its interrupt when
// a frame has come or the link has changed, once until the next ethernet_wait_event().
// STATUS_ABSENT: no controller answers.
status_t ethernet_open(const uint8_t mac[6], void (*on_event)(void));

// Stops it: no frame, no interrupt. What was to be sent has left; what was received and not fetched
// is lost.
void ethernet_close(void);

// Takes the reasons of the last event back and lets the next one come. True if a frame is waiting
// already: then no event tells of it.
bool ethernet_wait_event(void);

// Fetches the oldest frame, room for ETHERNET_ROOM_BYTES at `frame`, aligned to 4. Returns its
// length without check sequence, 0 if there is none; STATUS_CRC: it was damaged or too long, and is
// gone.
int32_t ethernet_receive(void *frame);

// Drops the oldest frame, if there is one.
void ethernet_discard(void);

// Sends a frame; returns when the controller has it all. STATUS_RANGE: too long. STATUS_SPACE: the
// controller did not take it.
status_t ethernet_send(const void *frame, size_t length);

// Whether a link is there.
bool ethernet_has_link(void);

#endif
