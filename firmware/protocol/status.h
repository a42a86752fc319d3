// SPDX-License-Identifier: MIT
// The one return rule: 0 is success, below 0 a status_t, above 0 a count.
#ifndef STATUS_H
#define STATUS_H

typedef enum {
    STATUS_OK = 0,
    STATUS_SYNTAX = -1,  // not of the grammar
    STATUS_CRC = -2,     // a frame whose check value does not hold
    STATUS_LONG = -3,    // longer than the grammar allows
    STATUS_UNKNOWN = -4, // no command or name like this
    STATUS_USAGE = -5,   // an argument is missing, doubled or not known
    STATUS_VALUE = -6,   // an argument's value is not among those allowed
    STATUS_ABSENT = -7,  // this board has no such device
    STATUS_RANGE = -8, // not in the device, not aligned as it wants, or not the caller's to change
    STATUS_FLASH = -9, // flash refused it, or holds something else than was written
    STATUS_TIMEOUT = -10, // not within the time given
    STATUS_REFUSED = -11, // the other side said no
    STATUS_CLOSED = -12,  // the connection is gone
    STATUS_TLS = -13,     // a handshake failed, or a record did not hold
    STATUS_SPACE = -14,   // a buffer or a table is full
} status_t;

// The word of a status in replies (`err code=<word>`) and badreq events.
const char *status_word(status_t status);

#endif
