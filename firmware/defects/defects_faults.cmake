# SPDX-License-Identifier: MIT
# Defects that only a bad network shows: defects_faults.c; what must show stands in
# tests/defects/defects_faults.toml.
rig_defect(lease-stands WRAP dhcp_coarse_tmr)
rig_defect(dhcp-asked-once WRAP dhcp_fine_tmr)
rig_defect(never-sent-again WRAP tcp_rexmit_rto_prepare tcp_rexmit_fast)
