# SPDX-License-Identifier: MIT
"""What a board talks to: brokers, certificates, networks, with their faults."""
