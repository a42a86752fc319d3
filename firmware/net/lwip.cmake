# SPDX-License-Identifier: MIT
# lwIP, unmodified, as the library `lwip`; its configuration is net/lwip/lwipopts.h.
# In: LWIP_PATH (cache variable or environment), lwIP's src folder or the folder around it.
set(LWIP_PATH "$ENV{LWIP_PATH}" CACHE PATH "lwIP source tree")
set(RIG_LWIP_DIR "")
foreach(candidate "" /src)
  if(NOT RIG_LWIP_DIR AND LWIP_PATH AND EXISTS "${LWIP_PATH}${candidate}/include/lwip/init.h")
    get_filename_component(RIG_LWIP_DIR "${LWIP_PATH}${candidate}" REALPATH)
  endif()
endforeach()
if(NOT RIG_LWIP_DIR)
  message(FATAL_ERROR "LWIP_PATH='${LWIP_PATH}': expected a folder with include/lwip/init.h, or src/ with it; "
    "give lwIP 2.2, or build without the network: -DRIG_NETWORK=OFF")
endif()

add_library(lwip STATIC
  ${RIG_LWIP_DIR}/core/def.c ${RIG_LWIP_DIR}/core/dns.c ${RIG_LWIP_DIR}/core/inet_chksum.c
  ${RIG_LWIP_DIR}/core/init.c ${RIG_LWIP_DIR}/core/ip.c ${RIG_LWIP_DIR}/core/mem.c ${RIG_LWIP_DIR}/core/memp.c
  ${RIG_LWIP_DIR}/core/netif.c ${RIG_LWIP_DIR}/core/pbuf.c ${RIG_LWIP_DIR}/core/raw.c
  ${RIG_LWIP_DIR}/core/stats.c ${RIG_LWIP_DIR}/core/tcp.c ${RIG_LWIP_DIR}/core/tcp_in.c
  ${RIG_LWIP_DIR}/core/tcp_out.c ${RIG_LWIP_DIR}/core/timeouts.c ${RIG_LWIP_DIR}/core/udp.c
  ${RIG_LWIP_DIR}/core/ipv4/dhcp.c ${RIG_LWIP_DIR}/core/ipv4/etharp.c ${RIG_LWIP_DIR}/core/ipv4/icmp.c
  ${RIG_LWIP_DIR}/core/ipv4/ip4.c ${RIG_LWIP_DIR}/core/ipv4/ip4_addr.c ${RIG_LWIP_DIR}/netif/ethernet.c)
target_include_directories(lwip SYSTEM PUBLIC ${RIG_LWIP_DIR}/include)
target_include_directories(lwip PUBLIC net/lwip net)
target_compile_options(lwip PRIVATE -w "-ffile-prefix-map=${RIG_LWIP_DIR}=lwip")
list(APPEND RIG_LIBRARIES lwip)
