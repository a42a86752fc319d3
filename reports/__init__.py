# SPDX-License-Identifier: MIT
"""Evidence to tables, plots and pages. Shows stored outcomes; never makes one."""
