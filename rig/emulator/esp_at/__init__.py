# SPDX-License-Identifier: MIT
"""The Wi-Fi module of an emulated board: a co-processor that speaks the published ESP-AT commands on a UART.

``air.py`` has the access points, which are the suite's to place and to take away; ``command.py`` the grammar
of a command; ``module.py`` what the module is and does, with ``station.py`` for Wi-Fi and ``links.py`` for
TCP connections, which end on the host's loopback and nowhere else; ``serving.py`` the thread and the UART.
Source of forms: ESP-AT User Guide, "Wi-Fi AT Commands" and "TCP/IP AT Commands".
"""
