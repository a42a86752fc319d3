# SPDX-License-Identifier: MIT
"""What a board talks to: identities, broker, echo, discovery, and the stand-in of the AWS IoT services."""
