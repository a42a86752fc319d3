// SPDX-License-Identifier: MIT
#include "pkcs11_template.h"

#include <string.h>

const CK_ATTRIBUTE *template_find(const CK_ATTRIBUTE *attributes, CK_ULONG count,
                                  CK_ATTRIBUTE_TYPE type)
{
    for (CK_ULONG i = 0; i < count; i++) {
        if (attributes[i].type == type) {
            return &attributes[i];
        }
    }
    return NULL;
}

CK_RV template_number(const CK_ATTRIBUTE *attributes, CK_ULONG count, CK_ATTRIBUTE_TYPE type,
                      CK_ULONG otherwise, CK_ULONG *value)
{
    const CK_ATTRIBUTE *found = template_find(attributes, count, type);
    *value = otherwise;
    if (found == NULL) {
        return CKR_OK;
    }
    if (found->pValue == NULL || found->ulValueLen != sizeof *value) {
        return CKR_ATTRIBUTE_VALUE_INVALID;
    }
    memcpy(value, found->pValue, sizeof *value);
    return CKR_OK;
}

CK_RV template_truth(const CK_ATTRIBUTE *attributes, CK_ULONG count, CK_ATTRIBUTE_TYPE type,
                     bool otherwise, bool *value)
{
    const CK_ATTRIBUTE *found = template_find(attributes, count, type);
    *value = otherwise;
    if (found == NULL) {
        return CKR_OK;
    }
    if (found->pValue == NULL || found->ulValueLen != sizeof(CK_BBOOL) ||
        *(const CK_BBOOL *)found->pValue > CK_TRUE) {
        return CKR_ATTRIBUTE_VALUE_INVALID;
    }
    *value = *(const CK_BBOOL *)found->pValue == CK_TRUE;
    return CKR_OK;
}

CK_RV template_bytes(const CK_ATTRIBUTE *attributes, CK_ULONG count, CK_ATTRIBUTE_TYPE type,
                     void *bytes, size_t size, size_t *length)
{
    const CK_ATTRIBUTE *found = template_find(attributes, count, type);
    *length = 0;
    if (found == NULL || found->ulValueLen == 0u) {
        return CKR_OK;
    }
    if (found->pValue == NULL || found->ulValueLen > size) {
        return CKR_ATTRIBUTE_VALUE_INVALID;
    }
    *length = found->ulValueLen;
    memcpy(bytes, found->pValue, *length);
    return CKR_OK;
}

CK_RV template_answer(CK_ATTRIBUTE *attribute, const void *value, size_t length)
{
    if (attribute->pValue == NULL) {
        attribute->ulValueLen = length;
        return CKR_OK;
    }
    if (attribute->ulValueLen < length) {
        attribute->ulValueLen = CK_UNAVAILABLE_INFORMATION;
        return CKR_BUFFER_TOO_SMALL;
    }
    attribute->ulValueLen = length;
    memcpy(attribute->pValue, value, length);
    return CKR_OK;
}
