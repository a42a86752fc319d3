// SPDX-License-Identifier: MIT
// Reading templates, the lists of attributes that callers of PKCS #11 give. Pure.
#ifndef PKCS11_TEMPLATE_H
#define PKCS11_TEMPLATE_H

#include "pkcs11.h"

#include <stdbool.h>

// The attribute of this type, or NULL. Of several, the first.
const CK_ATTRIBUTE *template_find(const CK_ATTRIBUTE *attributes, CK_ULONG count,
                                  CK_ATTRIBUTE_TYPE type);

// A number or a truth value; `otherwise` if the template has none. CKR_ATTRIBUTE_VALUE_INVALID when
// it is not as long as one, or a truth value is neither CK_TRUE nor CK_FALSE.
CK_RV template_number(const CK_ATTRIBUTE *attributes, CK_ULONG count, CK_ATTRIBUTE_TYPE type,
                      CK_ULONG otherwise, CK_ULONG *value);
CK_RV template_truth(const CK_ATTRIBUTE *attributes, CK_ULONG count, CK_ATTRIBUTE_TYPE type,
                     bool otherwise, bool *value);

// Copies at most `size` bytes; *length is 0 if the template has none. CKR_ATTRIBUTE_VALUE_INVALID
// when they are more.
CK_RV template_bytes(const CK_ATTRIBUTE *attributes, CK_ULONG count, CK_ATTRIBUTE_TYPE type,
                     void *bytes, size_t size, size_t *length);

// Gives `value` out by the rules of C_GetAttributeValue: the length alone where the caller has no
// buffer, CK_UNAVAILABLE_INFORMATION and CKR_BUFFER_TOO_SMALL where his is too small.
CK_RV template_answer(CK_ATTRIBUTE *attribute, const void *value, size_t length);

#endif
