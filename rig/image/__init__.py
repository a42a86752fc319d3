# SPDX-License-Identifier: MIT
"""Firmware images: where their sources come from, building, reading, and what an address in one means."""
