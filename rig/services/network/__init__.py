# SPDX-License-Identifier: MIT
"""Between a board and its services: an emulated Ethernet, and proxies; they show and break."""
