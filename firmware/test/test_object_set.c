// SPDX-License-Identifier: MIT
// Objects of the token and their form in flash: there and back, and what is no form.
#include "host_units.h"
#include "object_set.h"

#include <string.h>

enum { NOISE_FORMS = 20000, TRIED_BYTES = 400 };

static object_set_t s_set, s_read;
static uint8_t s_form[OBJECT_SET_BYTES];

static object_t *put(uint8_t kind, uint8_t flags, const char *label, size_t length, uint8_t fill)
{
    object_t *object = object_set_take(&s_set);
    object->kind = kind;
    object->flags = flags;
    object->label_length = (uint8_t)strlen(label);
    memcpy(object->label, label, object->label_length);
    object->length = (uint16_t)length;
    memset(object->value, fill, length);
    return object;
}

// A small xorshift: the same bytes in every run.
static uint32_t noise(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static void test_there_and_back(void)
{
    memset(&s_set, 0, sizeof s_set);
    (void)put(3, OBJECT_FLAG_TOKEN | OBJECT_FLAG_LOCAL, "device", 32, 0xA5);
    (void)put(2, 0, "gone", 65, 0x11); // of a session: not kept
    (void)put(1, OBJECT_FLAG_TOKEN | OBJECT_FLAG_AUTHORITY, "", OBJECT_VALUE_BYTES, 0x5A);
    int32_t length = object_set_encode(&s_set, s_form, sizeof s_form);
    CHECK(length == 6 + (6 + 6 + 32) + (6 + OBJECT_VALUE_BYTES), "length of the form");
    CHECK(object_set_decode(&s_read, s_form, (size_t)length) == STATUS_OK, "reads its own form");
    const object_t *key = object_set_find(&s_read, 3, "device", 6);
    CHECK(key != NULL && key->length == 32 && key->value[31] == 0xA5, "the key");
    CHECK(key != NULL && key->flags == (OBJECT_FLAG_TOKEN | OBJECT_FLAG_LOCAL), "its flags");
    CHECK(object_set_find(&s_read, 1, "", 0) != NULL, "an empty label");
    CHECK(object_set_find(&s_read, 2, "gone", 4) == NULL, "nothing of a session");
    CHECK(object_set_find(&s_read, 3, "devic", 5) == NULL, "a label is compared to its end");
    for (size_t size = 0; size < (size_t)length; size++) {
        CHECK(object_set_encode(&s_set, s_form, size) == STATUS_SPACE, "too small a buffer");
    }
}

static void test_full(void)
{
    memset(&s_set, 0, sizeof s_set);
    for (size_t i = 0; i < OBJECT_COUNT; i++) {
        object_t *object =
            put(1, OBJECT_FLAG_TOKEN, "12345678901234567890123456789012", OBJECT_VALUE_BYTES, 1);
        object->id_length = OBJECT_ID_BYTES;
    }
    CHECK(object_set_take(&s_set) == NULL, "no place is left");
    CHECK(object_set_encode(&s_set, s_form, sizeof s_form) == OBJECT_SET_BYTES, "the longest form");
    CHECK(object_set_decode(&s_read, s_form, sizeof s_form) == STATUS_OK, "is read");
}

static void test_places(void)
{
    memset(&s_set, 0, sizeof s_set);
    object_t *first = put(3, OBJECT_FLAG_TOKEN, "a", 32, 0xFF);
    uint16_t generation = first->generation;
    object_set_free(first);
    CHECK(first->value[0] == 0 && first->label[0] == 0, "a freed place holds nothing");
    object_t *again = put(3, OBJECT_FLAG_TOKEN, "b", 32, 1);
    CHECK(again == first && again->generation != generation, "and is another when it is taken");
}

// An old handle is known as such by its generation, also after the whole set was read anew.
static void test_generations(void)
{
    memset(&s_set, 0, sizeof s_set);
    const object_t *first = put(3, OBJECT_FLAG_TOKEN, "a", 32, 1);
    uint16_t generation = first->generation;
    int32_t length = object_set_encode(&s_set, s_form, sizeof s_form);
    CHECK(object_set_decode(&s_set, s_form, (size_t)length) == STATUS_OK, "read anew");
    CHECK(first->kind == 3 && first->generation != generation, "is another object");
    generation = first->generation;
    CHECK(object_set_decode(&s_set, s_form, 1) == STATUS_VALUE, "no form");
    CHECK(put(3, 0, "b", 32, 2) == first && first->generation != generation, "another one again");
    generation = first->generation;
    object_set_clear(&s_set);
    CHECK(first->kind == 0 && first->value[0] == 0, "cleared");
    CHECK(put(3, 0, "c", 32, 3) == first && first->generation != generation, "and again");
}

static void test_lost_keys(void)
{
    memset(&s_set, 0, sizeof s_set);
    object_t *key = put(3, OBJECT_FLAG_TOKEN, "device", 32, 0xA5);
    object_t *certificate = put(1, OBJECT_FLAG_TOKEN, "device", 300, 0x30);
    int32_t length = object_set_encode(&s_set, s_form, sizeof s_form);
    CHECK(!object_set_lacks_key_of(&s_set, s_form, (size_t)length), "nothing was given up");
    object_set_free(certificate);
    CHECK(!object_set_lacks_key_of(&s_set, s_form, (size_t)length), "a certificate is no secret");
    key->label_length = 1;
    CHECK(!object_set_lacks_key_of(&s_set, s_form, (size_t)length), "nor is a label");
    key->flags = 0;
    CHECK(object_set_lacks_key_of(&s_set, s_form, (size_t)length), "a session's is not kept");
    key->flags = OBJECT_FLAG_TOKEN;
    key->value[31] ^= 1u;
    CHECK(object_set_lacks_key_of(&s_set, s_form, (size_t)length), "it was replaced");
    key->value[31] ^= 1u;
    for (size_t cut = 0; cut < 6u + 6u + 6u + 32u; cut++) {
        CHECK(object_set_lacks_key_of(&s_set, s_form, cut), "what cannot be read may hold one");
    }
    object_set_free(key);
    CHECK(object_set_lacks_key_of(&s_set, s_form, (size_t)length), "it was removed");
}

// What is cut short, longer, or has one bit wrong in a header is refused or reads as something
// within bounds; the sanitizers watch.
static void test_damage(void)
{
    memset(&s_set, 0, sizeof s_set);
    (void)put(3, OBJECT_FLAG_TOKEN, "device", 32, 0xA5);
    (void)put(2, OBJECT_FLAG_TOKEN, "device", 65, 0x04);
    int32_t length = object_set_encode(&s_set, s_form, sizeof s_form);
    for (size_t cut = 0; cut < (size_t)length; cut++) {
        CHECK(object_set_decode(&s_read, s_form, cut) == STATUS_VALUE, "cut short");
        CHECK(s_read.items[0].kind == 0, "and nothing of it is kept");
    }
    CHECK(object_set_decode(&s_read, s_form, (size_t)length + 1u) == STATUS_VALUE, "a byte more");
    for (size_t bit = 0; bit < 8u * (size_t)length; bit++) {
        s_form[bit / 8u] ^= (uint8_t)(1u << bit % 8u);
        (void)object_set_decode(&s_read, s_form, (size_t)length);
        s_form[bit / 8u] ^= (uint8_t)(1u << bit % 8u);
    }
}

static void test_noise(void)
{
    uint32_t state = 0x2545F491u;
    for (size_t form = 0; form < NOISE_FORMS; form++) {
        size_t length = noise(&state) % TRIED_BYTES;
        for (size_t i = 0; i < length; i++) {
            s_form[i] = (uint8_t)noise(&state);
        }
        if (length >= 6u && form % 2u == 0u) { // let half of them past the header
            memcpy(s_form, "RIGO\1", 5);
            s_form[5] %= OBJECT_COUNT + 1u;
        }
        (void)object_set_lacks_key_of(&s_read, s_form, length);
        status_t status = object_set_decode(&s_read, s_form, length);
        CHECK(status == STATUS_OK || s_read.items[0].kind == 0, "noise");
    }
}

void test_object_set(void)
{
    test_there_and_back();
    test_full();
    test_places();
    test_generations();
    test_lost_keys();
    test_damage();
    test_noise();
}
