// SPDX-License-Identifier: MIT
#include "choice.h"

const char *boot_reason_word(boot_reason_t reason)
{
    static const char *const s_words[BOOT_REASONS] = {"confirmed", "test", "revert", "refused",
                                                      "recovery"};
    return reason < BOOT_REASONS ? s_words[reason] : "none";
}

static bool choice_may_run(const slot_view_t *slot, trailer_state_t state)
{
    return slot->verdict == IMAGE_GOOD && slot->state == state;
}

// The newest good image in this state, or SLOT_NONE.
static int choice_newest(const slot_view_t slots[SLOT_COUNT], trailer_state_t state)
{
    int found = SLOT_NONE;
    for (int i = 0; i < SLOT_COUNT; i++) {
        if (choice_may_run(&slots[i], state) &&
            (found == SLOT_NONE ||
             image_version_compare(&slots[i].version, &slots[found].version) > 0)) {
            found = i;
        }
    }
    return found;
}

// Why a confirmed image runs while the other slot holds this.
static boot_reason_t choice_reason(const slot_view_t *other)
{
    if (other->state == TRAILER_TRIED) {
        return BOOT_REVERT;
    }
    bool wanted = other->state == TRAILER_TEST ||
                  (other->state == TRAILER_CONFIRMED && other->verdict != IMAGE_GOOD);
    return wanted ? BOOT_REFUSED : BOOT_CONFIRMED;
}

boot_choice_t boot_choose(const slot_view_t slots[SLOT_COUNT])
{
    int tested = choice_newest(slots, TRAILER_TEST);
    int confirmed = choice_newest(slots, TRAILER_CONFIRMED);
    if (tested != SLOT_NONE &&
        (confirmed == SLOT_NONE ||
         image_version_compare(&slots[tested].version, &slots[confirmed].version) > 0)) {
        return (boot_choice_t){tested, BOOT_TEST};
    }
    if (confirmed == SLOT_NONE) {
        return (boot_choice_t){SLOT_NONE, BOOT_RECOVERY};
    }
    return (boot_choice_t){confirmed, choice_reason(&slots[1 - confirmed])};
}
