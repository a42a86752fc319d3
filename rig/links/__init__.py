# SPDX-License-Identifier: MIT
"""The connections to a board: probe, console, power. Library exceptions end here."""
