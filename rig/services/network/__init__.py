# SPDX-License-Identifier: MIT
"""Between a board and its services: proxies and relays that show what passes, and break it on purpose."""
