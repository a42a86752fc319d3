# SPDX-License-Identifier: MIT
"""pytest wiring: loads the rig's plug-in. Nothing touches hardware at import."""

pytest_plugins = ["rig.pytest_plugin"]
