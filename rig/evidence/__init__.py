# SPDX-License-Identifier: MIT
"""Keeping evidence: measurements, verdicts, the run bundle and its index. Knows nothing of boards' links."""
