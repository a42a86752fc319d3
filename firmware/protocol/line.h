// SPDX-License-Identifier: MIT
// Builds one output line of the console: a frame with its check value, or plain text for a person.
// Pure; a line belongs to its caller. The grammar is in docs/console-commands.md.
//
// A field that does not fit is left out whole, all later ones too, and the line ends with ` cut=1`:
// a reader sees a shorter line, never a wrong value.
#ifndef LINE_H
#define LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LINE_MAX_BYTES = 384, // with its end
    LINE_TAIL_BYTES = 16, // kept free for ` cut=1`, the check value and the end
};

typedef struct {
    char text[LINE_MAX_BYTES];
    size_t length;
    bool framed; // escapes values and ends with a check value
    bool cut;    // a field did not fit
} line_t;

// Start a line: `$<seq>.<index> <kind>`, `$!<index> <name>`, or plain text beginning with `kind`
// (empty for rows of a table).
void line_begin_reply(line_t *line, uint32_t seq, uint32_t index, const char *kind);
void line_begin_event(line_t *line, uint32_t index, const char *name);
void line_begin_plain(line_t *line, const char *kind);

// Add ` key=value`. Text is escaped in frames and goes as it is in plain lines. Hexadecimal numbers
// have `digits` upper-case digits; addresses are 0x and eight.
void line_add_text(line_t *line, const char *key, const char *value);
void line_add_u32(line_t *line, const char *key, uint32_t value);
void line_add_i32(line_t *line, const char *key, int32_t value);
void line_add_hex(line_t *line, const char *key, uint32_t value, unsigned digits);
void line_add_address(line_t *line, const char *key, uint32_t value);

// Append text as it is, without key or escape.
void line_add_raw(line_t *line, const char *text);

// Ends the line: check value if framed, then CR LF. Now text[0..length) can be sent.
void line_end(line_t *line);

// Writes `value` in decimal to `out` (11 bytes) with NUL; returns the number of digits.
size_t line_format_u32(uint32_t value, char *out);

// Writes `digits` (1 to 8) upper-case hexadecimal digits of `value` to `out`, with NUL.
void line_format_hex(uint32_t value, unsigned digits, char *out);

#endif
