# SPDX-License-Identifier: MIT
"""The power command of a test's board: passes ``on``, ``off`` or ``status`` to who holds the plug.

switch.py SOCKET WORD
"""

from __future__ import annotations

import socket
import sys

with socket.socket(socket.AF_UNIX) as plug:
    plug.connect(sys.argv[1])
    plug.sendall(sys.argv[2].encode() + b"\n")
    answer = plug.makefile().readline().strip()
print(answer)
sys.exit({"on": 0, "done": 0, "off": 1}.get(answer, 2))
