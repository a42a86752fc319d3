# SPDX-License-Identifier: MIT
"""Plans of many runs of a board: power cuts. Reaches boards and keeps what became of them."""
