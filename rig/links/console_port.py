# SPDX-License-Identifier: MIT
"""The ports a console can stand behind, by their name in the inventory; and a serial device, also a pty.

Owns the settings of a serial device; TCP is ``console_socket.py``'s, RFC 2217 ``console_rfc2217.py``'s.
"""

from __future__ import annotations

import contextlib
import errno
import os
import termios
from pathlib import Path

import serial

from rig.errors import UsageFault
from rig.links.console_endpoint import Endpoint, Opening
from rig.links.console_rfc2217 import Rfc2217Endpoint
from rig.links.console_socket import SocketEndpoint


def endpoint_for(port: str, baud: int) -> Endpoint:
    """The endpoint for a port of the inventory; opens nothing. Raises UsageFault for what is none of them."""
    if port.startswith("socket://"):
        return SocketEndpoint(port)
    if port.startswith("rfc2217://"):
        return Rfc2217Endpoint(port, baud)
    if port.startswith("/"):
        return SerialEndpoint(port, baud)
    raise UsageFault(
        "expected as console port a path (/dev/serial/by-id/…), socket://HOST:PORT or rfc2217://HOST:PORT, "
        f"got {port!r}"
    )


class _LosslessSerial(serial.Serial):
    """Keeps what came before or while the port was opened, which pyserial throws away; ignores breaks.

    A board without power holds its line low, which is a break. With BRKINT, which pyserial leaves as it is,
    a break empties the driver's buffers (termios(3)). Without HUPCL, DTR and RTS stay as they are when the
    port is closed: on a board that they reset, only the first opening after the adapter was plugged in does.
    """

    def _reset_input_buffer(self) -> None:
        """Called by pyserial at the end of ``open``."""

    def _reconfigure_port(self, force_update: bool = False) -> None:
        super()._reconfigure_port(force_update)  # type: ignore[misc]  # not in the published types
        attributes = termios.tcgetattr(self.fileno_early())
        attributes[0] &= ~(termios.BRKINT | termios.ISTRIP)
        attributes[2] &= ~termios.HUPCL
        termios.tcsetattr(self.fileno_early(), termios.TCSANOW, attributes)

    def fileno_early(self) -> int:
        """The descriptor, also while the port is being opened."""
        assert self.fd is not None
        return self.fd


class SerialEndpoint:
    """A serial device or a pty by its path; locked against other programs that ask."""

    def __init__(self, path: str, baud: int) -> None:
        self.name = path
        self._path = Path(path)
        # inter_byte_timeout=0 sets VMIN=1: an empty read is then the end of the port and nothing else.
        self._serial = _LosslessSerial(
            None, baud, timeout=0, write_timeout=0, inter_byte_timeout=0, exclusive=True
        )
        self._serial.port = path

    def prepare(self) -> None:
        """Nothing to do."""

    def open(self) -> Opening:
        """See Endpoint. Sets raw mode and the baud rate."""
        self._path.stat()  # raises FileNotFoundError, far cheaper than pyserial does
        try:
            self._serial.open()
        except (termios.error, ValueError) as error:  # pyserial lets these two through
            raise OSError(errno.EIO, f"cannot set up {self.name}: {error}") from error
        except serial.SerialException as error:
            raise _plain(error, self.name) from error
        return Opening.OPEN

    def finish(self) -> Opening:
        """See Endpoint; never asked for."""
        return Opening.OPEN

    def fileno(self) -> int:
        """See Endpoint."""
        return self._serial.fileno_early()

    def read(self, limit: int) -> bytes:
        """See Endpoint."""
        return os.read(self.fileno(), limit)

    def write(self, data: bytes) -> int:
        """See Endpoint."""
        return os.write(self.fileno(), data)

    def close(self) -> None:
        """See Endpoint. Drops output that was not sent, or closing would wait for it."""
        if not self._serial.is_open:
            return
        with contextlib.suppress(termios.error):  # the device is gone: nothing is left to drop
            termios.tcflush(self.fileno(), termios.TCOFLUSH)
        self._serial.close()


def _plain(error: serial.SerialException, path: str) -> OSError:
    """Without the layers that pyserial puts around the system's word; a lock is said to be one."""
    number = error.errno or errno.EIO
    if number in (errno.EAGAIN, errno.EBUSY):
        return OSError(number, f"another program has locked {path}")
    return OSError(number, f"{os.strerror(number)}: {path}" if error.errno else str(error))
