// SPDX-License-Identifier: MIT
// Ethernet of the mps2 boards: SMSC LAN9118 (data sheet revision 1.5). Frames go through its FIFOs
// word by word.
#include "ethernet_port.h"

#include "platform.h"

typedef struct {
    volatile uint32_t rx_data;
    uint32_t alias_rx[7];
    volatile uint32_t tx_data;
    uint32_t alias_tx[7];
    volatile uint32_t rx_status;
    volatile uint32_t rx_status_peek;
    volatile uint32_t tx_status;
    volatile uint32_t tx_status_peek;
    volatile uint32_t id_revision;
    volatile uint32_t irq_config;
    volatile uint32_t interrupts; // write 1: clear
    volatile uint32_t interrupt_enable;
    uint32_t reserved;
    volatile uint32_t byte_test;
    volatile uint32_t fifo_levels;
    volatile uint32_t rx_config;
    volatile uint32_t tx_config;
    volatile uint32_t hardware_config;
    volatile uint32_t rx_control;
    volatile uint32_t rx_fifo;
    volatile uint32_t tx_fifo;
    uint32_t power_to_timer[5];
    volatile uint32_t word_swap;
    uint32_t free_run_and_drop[2];
    volatile uint32_t mac_command;
    volatile uint32_t mac_data;
} lan9118_t;

enum {
    BYTE_TEST = 0x87654321,
    INTERRUPT_RX_STATUS = 1u << 3,
    INTERRUPT_PHY = 1u << 18,
    IRQ_PUSH_PULL_HIGH_ENABLED = 0x111, // and no pause between two interrupts
    HARDWARE_STORE_AND_FORWARD = 1u << 20,
    HARDWARE_TX_SIZE = 0xF0000,
    TX_ON = 1u << 1,
    TX_DUMP = 3u << 14, // status and data FIFO
    RX_DUMP = 1u << 15,
    RX_FAST_FORWARD = 1u << 31,
    STATUS_COUNT_AT = 16, // in rx_fifo and tx_fifo: entries waiting
    RX_STATUS_ERROR = 1u << 15,
    RX_LENGTH_AT = 16,
    RX_LENGTH_MASK = 0x3FFF,
    FCS_BYTES = 4,
    TX_FIRST_AND_LAST = 3u << 12,
    TX_COMMANDS_BYTES = 8,
    MAC_BUSY = 1u << 31,
    MAC_READ = 1u << 30,
    MAC_CONTROL = 1, // MAC registers
    MAC_ADDRESS_HIGH = 2,
    MAC_ADDRESS_LOW = 3,
    MAC_MII_ACCESS = 6,
    MAC_MII_DATA = 7,
    MAC_TX_RX_ON = 0xC,
    MII_PHY = 1u << 11, // the one inside
    MII_WRITE = 1u << 1,
    MII_BUSY = 1u << 0,
    PHY_STATUS = 1, // PHY registers
    PHY_INTERRUPTS = 29,
    PHY_INTERRUPT_MASK = 30,
    PHY_LINK = 1u << 2,
    PHY_LINK_CHANGES = 1u << 4 | 1u << 6, // down; negotiation complete
    TRIALS = 10000,
};

#define LAN9118 ((lan9118_t *)BOARD_ETHERNET_AT)

static void (*s_on_event)(void);
static uint32_t s_tx_room; // of its data FIFO, when nothing is in it

// ---- MAC and PHY registers ---------------------------------------------------------------------

static void lan9118_wait_mac(void)
{
    for (int i = 0; i < TRIALS && (LAN9118->mac_command & MAC_BUSY) != 0u; i++) {
    }
}

static uint32_t lan9118_mac_read(uint32_t index)
{
    LAN9118->mac_command = MAC_BUSY | MAC_READ | index;
    lan9118_wait_mac();
    return LAN9118->mac_data;
}

static void lan9118_mac_write(uint32_t index, uint32_t value)
{
    LAN9118->mac_data = value;
    LAN9118->mac_command = MAC_BUSY | index;
    lan9118_wait_mac();
}

static void lan9118_wait_mii(void)
{
    for (int i = 0; i < TRIALS && (lan9118_mac_read(MAC_MII_ACCESS) & MII_BUSY) != 0u; i++) {
    }
}

static uint32_t lan9118_phy_read(uint32_t index)
{
    lan9118_wait_mii();
    lan9118_mac_write(MAC_MII_ACCESS, MII_PHY | index << 6 | MII_BUSY);
    lan9118_wait_mii();
    return lan9118_mac_read(MAC_MII_DATA);
}

static void lan9118_phy_write(uint32_t index, uint32_t value)
{
    lan9118_wait_mii();
    lan9118_mac_write(MAC_MII_DATA, value);
    lan9118_mac_write(MAC_MII_ACCESS, MII_PHY | index << 6 | MII_WRITE | MII_BUSY);
    lan9118_wait_mii();
}

// ---- opening and closing -----------------------------------------------------------------------

static void lan9118_set_address(const uint8_t mac[6])
{
    uint32_t low = (uint32_t)mac[3] << 24 | (uint32_t)mac[2] << 16 | (uint32_t)mac[1] << 8 | mac[0];
    lan9118_mac_write(MAC_ADDRESS_LOW, low);
    lan9118_mac_write(MAC_ADDRESS_HIGH, (uint32_t)mac[5] << 8 | mac[4]);
}

static uint32_t lan9118_tx_room(void)
{
    return LAN9118->tx_fifo & 0xFFFFu;
}

// Both directions stand still afterwards and hold nothing.
static void lan9118_stop(void)
{
    LAN9118->interrupt_enable = 0;
    LAN9118->irq_config = 0;
    lan9118_mac_write(MAC_CONTROL, lan9118_mac_read(MAC_CONTROL) & ~(uint32_t)MAC_TX_RX_ON);
    LAN9118->tx_config = TX_DUMP;
    LAN9118->rx_config = RX_DUMP;
    for (int i = 0; i < TRIALS && (LAN9118->rx_config & RX_DUMP) != 0u; i++) {
    }
    LAN9118->rx_config = 0; // frames begin at a word and end at a word
}

status_t ethernet_open(const uint8_t mac[6], void (*on_event)(void))
{
    (void)LAN9118->byte_test; // the first read may only wake it
    if (LAN9118->byte_test != (uint32_t)BYTE_TEST) {
        return STATUS_ABSENT;
    }
    s_on_event = on_event;
    lan9118_stop();
    LAN9118->hardware_config =
        (LAN9118->hardware_config & HARDWARE_TX_SIZE) | HARDWARE_STORE_AND_FORWARD;
    LAN9118->fifo_levels = 0; // an interrupt with the first frame
    lan9118_set_address(mac);
    (void)lan9118_phy_read(PHY_INTERRUPTS);
    lan9118_phy_write(PHY_INTERRUPT_MASK, PHY_LINK_CHANGES);
    s_tx_room = lan9118_tx_room();
    LAN9118->tx_config = TX_ON;
    lan9118_mac_write(MAC_CONTROL, lan9118_mac_read(MAC_CONTROL) | MAC_TX_RX_ON);
    LAN9118->interrupts = UINT32_MAX;
    LAN9118->irq_config = IRQ_PUSH_PULL_HIGH_ENABLED;
    platform_irq_enable(BOARD_ETHERNET_IRQ);
    return STATUS_OK;
}

void ethernet_close(void)
{
    for (int i = 0; i < TRIALS && lan9118_tx_room() < s_tx_room; i++) {
    }
    platform_irq_disable(BOARD_ETHERNET_IRQ);
    lan9118_phy_write(PHY_INTERRUPT_MASK, 0);
    lan9118_stop();
    LAN9118->interrupts = UINT32_MAX;
}

// ---- events ------------------------------------------------------------------------------------

static bool lan9118_has_frame(void)
{
    return (LAN9118->rx_fifo >> STATUS_COUNT_AT & 0xFFu) != 0u;
}

bool ethernet_wait_event(void)
{
    (void)lan9118_phy_read(PHY_INTERRUPTS); // reading takes them back
    LAN9118->interrupts = INTERRUPT_RX_STATUS | INTERRUPT_PHY;
    if (lan9118_has_frame()) {
        return true;
    }
    LAN9118->interrupt_enable = INTERRUPT_RX_STATUS | INTERRUPT_PHY;
    return lan9118_has_frame(); // one that came before the store
}

// Quiet until the task has seen to what there is: the reasons are levels.
void lan9118_handler(void)
{
    LAN9118->interrupt_enable = 0;
    s_on_event();
}

bool ethernet_has_link(void)
{
    (void)lan9118_phy_read(PHY_STATUS); // a loss is latched until it was read
    return (lan9118_phy_read(PHY_STATUS) & PHY_LINK) != 0u;
}

// ---- frames ------------------------------------------------------------------------------------

// Below four words the controller cannot skip; reading them has the same effect (3.13.1.1).
static void lan9118_drop(uint32_t words)
{
    if (words < 4u) {
        while (words-- > 0u) {
            (void)LAN9118->rx_data;
        }
        return;
    }
    LAN9118->rx_control = (uint32_t)RX_FAST_FORWARD;
    for (int i = 0; i < TRIALS && (LAN9118->rx_control & (uint32_t)RX_FAST_FORWARD) != 0u; i++) {
    }
}

int32_t ethernet_receive(void *frame)
{
    if (!lan9118_has_frame()) {
        return 0;
    }
    uint32_t status = LAN9118->rx_status;
    uint32_t length = status >> RX_LENGTH_AT & RX_LENGTH_MASK;
    uint32_t words = (length + 3u) / 4u;
    if ((status & RX_STATUS_ERROR) != 0u || length <= FCS_BYTES ||
        length > ETHERNET_FRAME_BYTES + FCS_BYTES) {
        lan9118_drop(words);
        return STATUS_CRC;
    }
    uint32_t *to = frame;
    for (uint32_t i = 0; i < words; i++) {
        to[i] = LAN9118->rx_data;
    }
    return (int32_t)length - FCS_BYTES;
}

void ethernet_discard(void)
{
    if (lan9118_has_frame()) {
        uint32_t status = LAN9118->rx_status;
        lan9118_drop(((status >> RX_LENGTH_AT & RX_LENGTH_MASK) + 3u) / 4u);
    }
}

// A word of a frame that begins anywhere.
typedef struct __attribute__((packed)) {
    uint32_t value;
} loose_word_t;

status_t ethernet_send(const void *frame, size_t length)
{
    if (length > ETHERNET_FRAME_BYTES) {
        return STATUS_RANGE;
    }
    while ((LAN9118->tx_fifo >> STATUS_COUNT_AT & 0xFFu) != 0u) {
        (void)LAN9118->tx_status; // of frames that are out
    }
    for (int i = 0; lan9118_tx_room() < length + TX_COMMANDS_BYTES + 4u; i++) {
        if (i == TRIALS) {
            return STATUS_SPACE;
        }
    }
    LAN9118->tx_data = TX_FIRST_AND_LAST | (uint32_t)length;
    LAN9118->tx_data = (uint32_t)length;
    const loose_word_t *from = frame;
    for (size_t i = 0; i < length / 4u; i++) {
        LAN9118->tx_data = from[i].value;
    }
    if (length % 4u != 0u) {
        uint32_t last = 0;
        const uint8_t *rest = (const uint8_t *)frame + length / 4u * 4u;
        for (size_t i = 0; i < length % 4u; i++) {
            last |= (uint32_t)rest[i] << 8u * i;
        }
        LAN9118->tx_data = last;
    }
    return STATUS_OK;
}
