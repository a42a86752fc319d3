# SPDX-License-Identifier: MIT
# Defects of TLS, credentials and PKCS #11: defects_tls.c; what must show stands in tests/defects/defects_tls.toml.
rig_defect(tls-name-unchecked WRAP mbedtls_ssl_set_hostname)
rig_defect(tls-date-unchecked WRAP mbedtls_x509_time_is_past)
rig_defect(tls-session-lost WRAP tls_sessions_offer)
rig_defect(tls-leak WRAP mbedtls_ssl_config_free)
rig_defect(tls-alert-untold WRAP mbedtls_ssl_send_alert_message)
rig_defect(tls-idle-lost WRAP connection_tls_receive)
rig_defect(key-told WRAP C_GetAttributeValue)
rig_defect(key-not-kept WRAP token_save)
rig_defect(verify-lax WRAP p256_verify)
rig_defect(random-repeats WRAP tls_random)
