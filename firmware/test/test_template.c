// SPDX-License-Identifier: MIT
// Templates of PKCS #11: what callers give, and the rules of answers.
#include "host_units.h"
#include "pkcs11_template.h"

#include <string.h>

static CK_ULONG s_class = CKO_PRIVATE_KEY;
static CK_BBOOL s_yes = CK_TRUE, s_odd = 2;
static CK_UTF8CHAR s_label[] = {'a', 'b', 'c'};

static CK_ATTRIBUTE s_template[] = {
    {CKA_CLASS, &s_class, sizeof s_class},
    {CKA_TOKEN, &s_yes, sizeof s_yes},
    {CKA_PRIVATE, &s_odd, sizeof s_odd},
    {CKA_LABEL, s_label, sizeof s_label},
    {CKA_ID, NULL, 0},
    {CKA_VALUE, NULL, 7},
    {CKA_LABEL, s_label, 1}, // the first of several counts
};

enum { COUNT = sizeof s_template / sizeof s_template[0] };

static void test_numbers_and_truths(void)
{
    CK_ULONG number = 0;
    bool truth = false;
    CHECK(template_number(s_template, COUNT, CKA_CLASS, 9, &number) == CKR_OK, "class");
    CHECK(number == CKO_PRIVATE_KEY, "class");
    CHECK(template_number(s_template, COUNT, CKA_KEY_TYPE, 9, &number) == CKR_OK, "none");
    CHECK(number == 9, "what is taken otherwise");
    CHECK(template_number(s_template, COUNT, CKA_TOKEN, 9, &number) == CKR_ATTRIBUTE_VALUE_INVALID,
          "a truth is no number");
    CHECK(template_number(s_template, COUNT, CKA_VALUE, 9, &number) == CKR_ATTRIBUTE_VALUE_INVALID,
          "no bytes");
    CHECK(template_truth(s_template, COUNT, CKA_TOKEN, false, &truth) == CKR_OK && truth, "yes");
    CHECK(template_truth(s_template, COUNT, CKA_SIGN, true, &truth) == CKR_OK && truth, "none");
    CHECK(template_truth(s_template, COUNT, CKA_PRIVATE, true, &truth) ==
              CKR_ATTRIBUTE_VALUE_INVALID,
          "neither true nor false");
    CHECK(template_truth(s_template, COUNT, CKA_CLASS, true, &truth) == CKR_ATTRIBUTE_VALUE_INVALID,
          "a number is no truth");
    CHECK(template_find(s_template, 0, CKA_CLASS) == NULL, "an empty template");
}

static void test_bytes(void)
{
    uint8_t bytes[4] = {0};
    size_t length = 9;
    CHECK(template_bytes(s_template, COUNT, CKA_LABEL, bytes, 3, &length) == CKR_OK, "fits");
    CHECK(length == 3 && memcmp(bytes, "abc", 4) == 0, "to the byte");
    CHECK(template_bytes(s_template, COUNT, CKA_LABEL, bytes, 2, &length) ==
              CKR_ATTRIBUTE_VALUE_INVALID,
          "too long");
    CHECK(template_bytes(s_template, COUNT, CKA_ID, bytes, 2, &length) == CKR_OK && length == 0,
          "empty");
    CHECK(template_bytes(s_template, COUNT, CKA_VALUE, bytes, 9, &length) ==
              CKR_ATTRIBUTE_VALUE_INVALID,
          "a length without bytes");
}

static void test_answers(void)
{
    uint8_t room[4] = {0xEE, 0xEE, 0xEE, 0xEE};
    CK_ATTRIBUTE asked = {CKA_LABEL, NULL, 0};
    CHECK(template_answer(&asked, "abc", 3) == CKR_OK && asked.ulValueLen == 3, "length alone");
    asked = (CK_ATTRIBUTE){CKA_LABEL, room, 2};
    CHECK(template_answer(&asked, "abc", 3) == CKR_BUFFER_TOO_SMALL, "too small");
    CHECK(asked.ulValueLen == CK_UNAVAILABLE_INFORMATION && room[0] == 0xEE, "nothing is written");
    asked = (CK_ATTRIBUTE){CKA_LABEL, room, 4};
    CHECK(template_answer(&asked, "abc", 3) == CKR_OK && asked.ulValueLen == 3, "room enough");
    CHECK(memcmp(room, "abc\xEE", 4) == 0, "to the byte");
}

void test_template(void)
{
    test_numbers_and_truths();
    test_bytes();
    test_answers();
}
