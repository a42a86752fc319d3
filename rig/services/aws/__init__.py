# SPDX-License-Identifier: MIT
"""The stand-in of the AWS IoT services that a device uses. No suite imports it; no firmware knows of it."""
