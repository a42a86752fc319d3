# SPDX-License-Identifier: MIT
"""The command that switches the simulated bench's supply: ``switch.py SOCKET on|off|status``.

Exit status 0: done, or on; 1: off; 2: it failed, with the reason on standard error. It is not of the rig.
"""

import socket
import sys

with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
    link.settimeout(20)
    link.connect(sys.argv[1])
    link.sendall(sys.argv[2].encode() + b"\n")
    code, _, text = link.makefile().readline().partition(" ")
print(text.strip(), file=sys.stderr)
sys.exit(int(code))
