# SPDX-License-Identifier: MIT
"""Reaching boards: the inventory, who holds a board, and what one session with a board is."""
