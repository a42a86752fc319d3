# SPDX-License-Identifier: MIT
"""The emulated board's network: the relay between its card and this machine, its servers, its faults."""
