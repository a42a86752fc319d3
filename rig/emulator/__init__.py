# SPDX-License-Identifier: MIT
"""A board that is a QEMU process, reached through the same links as any other board."""
