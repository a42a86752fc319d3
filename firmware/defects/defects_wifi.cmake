# SPDX-License-Identifier: MIT
# Defects of Wi-Fi: defects_wifi.c; what must show stands in tests/defects/defects_wifi.toml.
rig_defect(wifi-refusal-ignored WRAP at_run)
rig_defect(wifi-closed-lost WRAP at_news)
rig_defect(wifi-late-answer WRAP reader_wait)
rig_defect(wifi-delete-ignored WRAP wifi_store_delete)
rig_defect(wifi-not-kept WRAP record_save)
rig_defect(wifi-unchecked WRAP wifi_check_ssid)
rig_defect(wifi-start-unseen WRAP at_state)
rig_defect(wifi-byte-lost WRAP at_send)
