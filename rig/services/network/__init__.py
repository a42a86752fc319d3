# SPDX-License-Identifier: MIT
"""Between a board and its services: the emulated Ethernet, and proxies; both show what passes and break it."""
