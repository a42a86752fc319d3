# SPDX-License-Identifier: MIT
# Defects of Ethernet, TCP/IP and sockets: defects_sockets.c; what must show stands in
# tests/defects/defects_sockets.toml.
rig_defect(sock-close-leak WRAP tcp_close)
rig_defect(sock-bit-flip WRAP tcp_write)
rig_defect(sock-window-shut WRAP tcp_recved)
rig_defect(sock-shutdown-ignored WRAP tcp_shutdown)
rig_defect(sock-timeout-short WRAP lwip_deadline)
rig_defect(net-down-leaves WRAP lwip_task_stop)
rig_defect(link-unseen WRAP ethernet_has_link)
rig_defect(wall-clock-stands WRAP wall_clock_get)
