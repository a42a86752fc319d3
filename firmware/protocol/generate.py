# SPDX-License-Identifier: MIT
"""Makes the C command table and the console manual from commands.toml, the one list of commands.

    generate.py header OUT    the C table, at build time
    generate.py docs OUT      docs/console-commands.md

The same table gives the same bytes. Writes nothing else.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Any

Table = dict[str, Any]
HERE = Path(__file__).resolve().parent
NEEDS = {"network": "RIG_NETWORK", "ota": "RIG_OTA"}
KINDS = {"text": "ARGUMENT_TEXT", "number": "ARGUMENT_NUMBER", "choice": "ARGUMENT_CHOICE"}


def load_commands(path: Path = HERE / "commands.toml") -> Table:
    """Return the table; ValueError names the first command that breaks its rules."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    for command in table["command"]:
        known = {"name", "feature", "needs", "summary", "args", "data", "ok", "errors"}
        if unknown := command.keys() - known:
            raise ValueError(f"{path.name}: {command['name']}: unknown {sorted(unknown)}")
        if (needs := command.get("needs", "network")) not in NEEDS:
            raise ValueError(f"{path.name}: {command['name']}: needs {needs!r}")
        for arg in command.get("args", []):
            if arg["kind"] not in KINDS:
                raise ValueError(f"{path.name}: {command['name']} {arg['name']}: kind {arg['kind']!r}")
    return table


def _c_string(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def usage(command: Table) -> str:
    """Return the arguments as a person writes them, such as ``id=<text> [arg=<number>]``."""
    words = []
    for arg in command.get("args", []):
        value = "|".join(arg["choices"]) if arg["kind"] == "choice" else f"<{arg['kind']}>"
        word = f"{arg['name']}={value}"
        words.append(word if arg.get("required") else f"[{word}]")
    return " ".join(words)


def _c_argument(arg: Table) -> str:
    low, high = arg.get("low", 0), arg.get("high", 0)
    low_text = "INT32_MIN" if low == -(2**31) else str(low)
    required = "true" if arg.get("required") else "false"
    choices = _c_string(" ".join(arg.get("choices", [])))
    return (
        f"    {{{_c_string(arg['name'])}, {KINDS[arg['kind']]}, {required}, {low_text}, {high}, {choices}}},"
    )


def _where_needed(command: Table, lines: list[str]) -> list[str]:
    """Return the lines, for the compiler only in images that have what the command needs."""
    if "needs" not in command:
        return lines
    macro = NEEDS[command["needs"]]
    return [f"#if defined({macro}) && {macro}", *lines, "#endif"]


def header(table: Table) -> str:
    """Return the C header: argument numbers, handler declarations and the table."""
    lines = [
        "// SPDX-License-Identifier: MIT",
        "// Generated from protocol/commands.toml; include it in one file only for the table.",
        "#ifndef COMMANDS_TABLE_H",
        "#define COMMANDS_TABLE_H",
        '#include "command.h"',
        f"#define CONSOLE_PROTOCOL {table['protocol']}",
    ]
    rows = []
    tables = []
    for command in table["command"]:
        ident = command["name"].replace(".", "_")
        args = command.get("args", [])
        if args:
            numbers = ", ".join(f"ARG_{ident}_{arg['name']}".upper() for arg in args)
            lines.append(f"enum {{ {numbers} }};")
            rows_of_args = [_c_argument(arg) for arg in args]
            tables += _where_needed(
                command, [f"static const argument_t s_args_{ident}[] = {{", *rows_of_args, "};"]
            )
        lines.append(f"void command_{ident}(const command_call_t *call, struct reply *reply);")
        pointer = f"s_args_{ident}" if args else "NULL"
        texts = ", ".join(_c_string(t) for t in (command["name"], usage(command), command["summary"]))
        rows += _where_needed(command, [f"    {{{texts}, {pointer}, {len(args)}, command_{ident}}},"])
    lines += ["#ifdef COMMANDS_TABLE_DEFINE", *tables]
    lines += ["static const command_t s_commands[] = {", *rows, "};", "#endif", "#endif", ""]
    return "\n".join(lines)


GRAMMAR = """<!-- SPDX-License-Identifier: MIT -->
<!-- Generated from firmware/protocol/commands.toml by firmware/protocol/generate.py: do not edit. -->
# Console commands

Protocol version {protocol}. Any firmware that speaks this over a UART can be qualified by the suites. It
needs the commands of the features that the inventory says its board has; what no suite uses has no feature.

## Grammar

ASCII lines ended by `\\n`; `\\r` is ignored. A line is at most 384 bytes with its end.

| line | direction | form |
|---|---|---|
| request | host to board | `@<seq> <command>[ <key>=<value>]...*<CRC>`, seq from 1 to 2147483647 |
| data | board to host | `$<seq>.<index> data[ <key>=<value>]...*<CRC>`, none or more |
| success | board to host | `$<seq>.<index> ok[ <key>=<value>]...*<CRC>` |
| error | board to host | `$<seq>.<index> err code=<word>[ msg=<text>]*<CRC>` |
| event | board to host | `$!<index> <name>[ <key>=<value>]...*<CRC>`, index from 0 since boot |
| log | board to host | `<level> (<ms>) <module>: <text>`, level E, W, I or D |

- The index of a reply counts 0, 1, 2 over all its lines, the last one included, so that a lost line shows.
- CRC: four upper-case hexadecimal digits, CRC-16/CCITT-FALSE (polynomial 0x1021, initial 0xFFFF, not
  reflected, no final XOR) over the bytes after `@` or `$` and before `*`.
- Bytes of a value outside `A-Z a-z 0-9 _ . , : / + -` are written `%XX`. NUL cannot be sent to the board.
- Frames may stand anywhere in a line: log output can be cut by one.
- A value that does not fit a line is left out with all behind it, and the line ends with `cut=1`.
- An argument may be given by its position instead of its name: `ping hello`.

## Repeats

The board remembers the last request's number and CRC. The same request again is not executed: its
stored reply is sent again. A reply longer than 2 KiB is not stored; such commands only read and are
executed again. A request with a wrong CRC gives the event `badreq code=crc`, one that is too long
`badreq code=long`; the host repeats it.

## By hand

A line without `@` is a command typed by a person: `help`, `bench.list`, `mem.heap`. The answer comes
without frame. Typed characters are echoed; backspace works.

## Events

| event | fields | when |
|---|---|---|
| `boot` | kernel version board image flags cause count compiler proto | at every boot. image: SHA-256 of \
the flat binary; cause: power, reset, software, crash or watchdog; count: boots since power-on; \
kernel: `V` and its version |
| `crash` | as the reply of `crash` | after `boot`, while a crash record is kept |
| `ready` | uptime_ms reset_us | the console takes commands; reset_us is counted since the reset |
| `badreq` | code | a request was not understood as a frame |
| `mqtt.state` | state session fault attempts wait_ms | the MQTT client changed its state |
| `mqtt.message` | number id qos retain dup length crc topic | a message came; as `mqtt.messages` lists it |
| `ota.state` | state job got total error sub counter | the update agent changed its state; counter: as \
`time.now` tells it |
| `shadow.message` | kind outcome version code token length crc state | a message of the shadow service came |

`flags` stands for all that makes the same sources another image: compiler, core and optimisation flags, heap
scheme and kernel configuration; 8 hex digits of a SHA-256. `id` says the same as the last `boot` did.
Its `serial` is what the probe reads at the inventory's `identity.serial`, or `none`: text as it is, else
upper-case hex digits.

## General errors

| code | means |
|---|---|
| `unknown` | no such command |
| `usage` | an argument is missing, given twice or not known; msg names it |
| `value` | an argument's value is not allowed; msg names it |
| `syntax` | the check value holds, but this is not a request |

## Commands
"""


def _docs_command(command: Table) -> list[str]:
    heading = f"{command['name']} {usage(command)}".strip()
    lines = ["", f"### `{heading}`", "", command["summary"], ""]
    if "feature" in command:
        lines.append(f"- feature: `{command['feature']}`")
    if "needs" in command:
        lines.append(f"- only in images with `{NEEDS[command['needs']]}`")
    for arg in command.get("args", []):
        span = f" ({arg['low']} to {arg['high']})" if arg["kind"] == "number" else ""
        lines.append(f"- argument `{arg['name']}`{span}: {arg['help']}")
    if "data" in command:
        lines.append(f"- data lines: `{command['data']}`")
    lines.append(f"- ok: `{command['ok']}`" if command["ok"] else "- ok: no fields")
    lines += [f"- error `{code}`: {text}" for code, text in command.get("errors", {}).items()]
    return lines


def docs(table: Table) -> str:
    """Return docs/console-commands.md."""
    text = GRAMMAR.replace("{protocol}", str(table["protocol"]))
    rows = [line for command in table["command"] for line in _docs_command(command)]
    return text + "\n".join(rows) + "\n"


def main(argv: list[str]) -> int:
    """Write one output; 2 for wrong usage."""
    makers = {"header": header, "docs": docs}
    if len(argv) != 3 or argv[1] not in makers:
        print(__doc__, file=sys.stderr)
        return 2
    Path(argv[2]).parent.mkdir(parents=True, exist_ok=True)
    Path(argv[2]).write_text(makers[argv[1]](load_commands()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
