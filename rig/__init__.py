# SPDX-License-Identifier: MIT
"""A hardware-in-the-loop qualification rig for FreeRTOS boards."""
