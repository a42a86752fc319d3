// SPDX-License-Identifier: MIT
// PKCS #11: objects, their attributes, and the search for them.
#include "pkcs11_internal.h"

#include "credentials.h"
#include "pkcs11_template.h"
#include "token.h"

#include "mbedtls/platform_util.h"

#include <string.h>

enum { HANDLE_PLACE_BITS = 8 };

static const uint8_t s_p256_oid[] = {0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07};
static const uint8_t s_point_header[] = {0x04, P256_POINT_BYTES}; // OCTET STRING

// ---- handles -----------------------------------------------------------------------------------

CK_OBJECT_HANDLE pkcs11_handle(const object_t *object)
{
    CK_ULONG place = (CK_ULONG)(object - token_objects()->items);
    return (CK_ULONG)object->generation << HANDLE_PLACE_BITS | (place + 1u);
}

object_t *pkcs11_object(CK_OBJECT_HANDLE handle)
{
    CK_ULONG place = (handle & ((1u << HANDLE_PLACE_BITS) - 1u)) - 1u;
    if (place >= OBJECT_COUNT) {
        return NULL;
    }
    object_t *object = &token_objects()->items[place];
    return object->kind != 0u && pkcs11_handle(object) == handle ? object : NULL;
}

void pkcs11_drop_session_objects(CK_SESSION_HANDLE session)
{
    for (size_t i = 0; i < OBJECT_COUNT; i++) {
        object_t *object = &token_objects()->items[i];
        if (object->kind != 0u && (object->flags & OBJECT_FLAG_TOKEN) == 0u &&
            object->session == session) {
            object_set_free(object);
        }
    }
}

// ---- reading attributes ------------------------------------------------------------------------

static CK_RV pkcs11_answer_truth(CK_ATTRIBUTE *attribute, bool truth)
{
    CK_BBOOL value = truth ? CK_TRUE : CK_FALSE;
    return template_answer(attribute, &value, sizeof value);
}

static CK_RV pkcs11_answer_number(CK_ATTRIBUTE *attribute, CK_ULONG value)
{
    return template_answer(attribute, &value, sizeof value);
}

static CK_RV pkcs11_answer_certificate(const object_t *object, CK_ATTRIBUTE *attribute)
{
    switch (attribute->type) {
    case CKA_VALUE:
        return template_answer(attribute, object->value, object->length);
    case CKA_CERTIFICATE_TYPE:
        return pkcs11_answer_number(attribute, CKC_X_509);
    case CKA_CERTIFICATE_CATEGORY:
        return pkcs11_answer_number(attribute, (object->flags & OBJECT_FLAG_AUTHORITY) != 0u
                                                   ? CK_CERTIFICATE_CATEGORY_AUTHORITY
                                                   : CK_CERTIFICATE_CATEGORY_TOKEN_USER);
    default:
        return CKR_ATTRIBUTE_TYPE_INVALID;
    }
}

static CK_RV pkcs11_answer_public(const object_t *object, CK_ATTRIBUTE *attribute)
{
    uint8_t point[sizeof s_point_header + P256_POINT_BYTES];
    switch (attribute->type) {
    case CKA_EC_POINT:
        memcpy(point, s_point_header, sizeof s_point_header);
        memcpy(point + sizeof s_point_header, object->value, P256_POINT_BYTES);
        return template_answer(attribute, point, sizeof point);
    case CKA_VERIFY:
        return pkcs11_answer_truth(attribute, true);
    default:
        return CKR_ATTRIBUTE_TYPE_INVALID;
    }
}

// The value of a private key is never told, to nobody.
static CK_RV pkcs11_answer_private(const object_t *object, CK_ATTRIBUTE *attribute)
{
    bool local = (object->flags & OBJECT_FLAG_LOCAL) != 0u;
    switch (attribute->type) {
    case CKA_VALUE:
        return CKR_ATTRIBUTE_SENSITIVE;
    case CKA_SENSITIVE:
    case CKA_SIGN:
        return pkcs11_answer_truth(attribute, true);
    case CKA_EXTRACTABLE:
        return pkcs11_answer_truth(attribute, false);
    case CKA_NEVER_EXTRACTABLE:
        return pkcs11_answer_truth(attribute, local);
    default:
        return CKR_ATTRIBUTE_TYPE_INVALID;
    }
}

static CK_RV pkcs11_answer_key(const object_t *object, CK_ATTRIBUTE *attribute)
{
    switch (attribute->type) {
    case CKA_KEY_TYPE:
        return pkcs11_answer_number(attribute, CKK_EC);
    case CKA_EC_PARAMS:
        return template_answer(attribute, s_p256_oid, sizeof s_p256_oid);
    case CKA_LOCAL:
        return pkcs11_answer_truth(attribute, (object->flags & OBJECT_FLAG_LOCAL) != 0u);
    default:
        return object->kind == CKO_PUBLIC_KEY ? pkcs11_answer_public(object, attribute)
                                              : pkcs11_answer_private(object, attribute);
    }
}

static CK_RV pkcs11_answer(const object_t *object, CK_ATTRIBUTE *attribute)
{
    switch (attribute->type) {
    case CKA_CLASS:
        return pkcs11_answer_number(attribute, object->kind);
    case CKA_TOKEN:
        return pkcs11_answer_truth(attribute, (object->flags & OBJECT_FLAG_TOKEN) != 0u);
    case CKA_PRIVATE:
        return pkcs11_answer_truth(attribute, object->kind == CKO_PRIVATE_KEY);
    case CKA_LABEL:
        return template_answer(attribute, object->label, object->label_length);
    case CKA_ID:
        return template_answer(attribute, object->id, object->id_length);
    default:
        return object->kind == CKO_CERTIFICATE ? pkcs11_answer_certificate(object, attribute)
                                               : pkcs11_answer_key(object, attribute);
    }
}

CK_RV C_GetAttributeValue(CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hObject,
                          CK_ATTRIBUTE *pTemplate, CK_ULONG ulCount)
{
    CK_RV result;
    if (pkcs11_session(hSession, &result) == NULL) {
        return result;
    }
    if (pTemplate == NULL || ulCount == 0u) {
        return CKR_ARGUMENTS_BAD;
    }
    token_lock();
    const object_t *object = pkcs11_object(hObject);
    result = object != NULL ? CKR_OK : CKR_OBJECT_HANDLE_INVALID;
    for (CK_ULONG i = 0; object != NULL && i < ulCount; i++) {
        CK_RV one = pkcs11_answer(object, &pTemplate[i]);
        if (one == CKR_ATTRIBUTE_SENSITIVE || one == CKR_ATTRIBUTE_TYPE_INVALID) {
            pTemplate[i].ulValueLen = CK_UNAVAILABLE_INFORMATION;
        }
        result = result == CKR_OK ? one : result; // the first of several
    }
    token_unlock();
    return result;
}

// ---- making and destroying ---------------------------------------------------------------------

CK_RV pkcs11_fill(object_t *object, CK_SESSION_HANDLE handle, const CK_ATTRIBUTE *template,
                  CK_ULONG count)
{
    bool kept;
    size_t label_length;
    size_t id_length;
    CK_RV result = template_truth(template, count, CKA_TOKEN, false, &kept);
    if (result == CKR_OK) {
        result = template_bytes(template, count, CKA_LABEL, object->label, sizeof object->label,
                                &label_length);
    }
    if (result == CKR_OK) {
        result = template_bytes(template, count, CKA_ID, object->id, sizeof object->id, &id_length);
    }
    if (result == CKR_OK) {
        object->label_length = (uint8_t)label_length;
        object->id_length = (uint8_t)id_length;
        object->flags = (uint8_t)(object->flags | (kept ? OBJECT_FLAG_TOKEN : 0));
        object->session = handle;
    }
    return result;
}

static CK_RV pkcs11_fill_certificate(object_t *object, const CK_ATTRIBUTE *template, CK_ULONG count)
{
    CK_ULONG type;
    CK_ULONG category;
    size_t length;
    CK_RV result = template_number(template, count, CKA_CERTIFICATE_TYPE, CKC_X_509, &type);
    if (result == CKR_OK) {
        result = template_number(template, count, CKA_CERTIFICATE_CATEGORY,
                                 CK_CERTIFICATE_CATEGORY_TOKEN_USER, &category);
    }
    if (result != CKR_OK || type != CKC_X_509) {
        return result != CKR_OK ? result : CKR_ATTRIBUTE_VALUE_INVALID;
    }
    result =
        template_bytes(template, count, CKA_VALUE, object->value, sizeof object->value, &length);
    if (result != CKR_OK || length == 0u) {
        return result != CKR_OK ? result : CKR_TEMPLATE_INCOMPLETE;
    }
    object->length = (uint16_t)length;
    if (category == CK_CERTIFICATE_CATEGORY_AUTHORITY) {
        object->flags |= OBJECT_FLAG_AUTHORITY;
    }
    return credentials_is_certificate(object->value, length) ? CKR_OK : CKR_ATTRIBUTE_VALUE_INVALID;
}

CK_RV pkcs11_check_curve(const CK_ATTRIBUTE *template, CK_ULONG count)
{
    uint8_t parameters[sizeof s_p256_oid];
    size_t length;
    CK_ULONG type;
    CK_RV result = template_number(template, count, CKA_KEY_TYPE, CKK_EC, &type);
    if (result != CKR_OK || type != CKK_EC) {
        return result != CKR_OK ? result : CKR_ATTRIBUTE_VALUE_INVALID;
    }
    if (template_bytes(template, count, CKA_EC_PARAMS, parameters, sizeof parameters, &length) !=
            CKR_OK ||
        (length != 0u && memcmp(parameters, s_p256_oid, sizeof s_p256_oid) != 0)) {
        return CKR_DOMAIN_PARAMS_INVALID;
    }
    return length != 0u ? CKR_OK : CKR_TEMPLATE_INCOMPLETE;
}

static CK_RV pkcs11_fill_key(object_t *object, const CK_ATTRIBUTE *template, CK_ULONG count)
{
    uint8_t bytes[sizeof s_point_header + P256_POINT_BYTES];
    bool is_public = object->kind == CKO_PUBLIC_KEY;
    size_t wanted = is_public ? sizeof bytes : (size_t)P256_BYTES;
    size_t skipped = is_public ? sizeof s_point_header : 0u;
    size_t length;
    CK_RV result = pkcs11_check_curve(template, count);
    if (result != CKR_OK) {
        return result;
    }
    result = template_bytes(template, count, is_public ? CKA_EC_POINT : CKA_VALUE, bytes, wanted,
                            &length);
    if (result == CKR_OK && length != wanted) {
        result = length == 0u ? CKR_TEMPLATE_INCOMPLETE : CKR_ATTRIBUTE_VALUE_INVALID;
    }
    if (result == CKR_OK && memcmp(bytes, s_point_header, skipped) != 0) {
        result = CKR_ATTRIBUTE_VALUE_INVALID;
    }
    if (result == CKR_OK) {
        object->length = (uint16_t)(wanted - skipped);
        memcpy(object->value, bytes + skipped, object->length);
        result = credentials_is_key(object) ? CKR_OK : CKR_ATTRIBUTE_VALUE_INVALID;
    }
    mbedtls_platform_zeroize(bytes, sizeof bytes);
    return result;
}

static CK_RV pkcs11_make(object_t *object, CK_SESSION_HANDLE handle, const CK_ATTRIBUTE *template,
                         CK_ULONG count)
{
    CK_ULONG kind;
    CK_RV result = template_number(template, count, CKA_CLASS, 0, &kind);
    if (result != CKR_OK || kind < CKO_CERTIFICATE || kind > CKO_PRIVATE_KEY) {
        return result != CKR_OK
                   ? result
                   : (kind == 0u ? CKR_TEMPLATE_INCOMPLETE : CKR_ATTRIBUTE_VALUE_INVALID);
    }
    object->kind = (uint8_t)kind;
    result = pkcs11_fill(object, handle, template, count);
    if (result != CKR_OK) {
        return result;
    }
    return kind == CKO_CERTIFICATE ? pkcs11_fill_certificate(object, template, count)
                                   : pkcs11_fill_key(object, template, count);
}

// Keeps the token as it is now, if what was changed is kept at all.
static CK_RV pkcs11_keep(bool kept)
{
    return !kept || token_save() == STATUS_OK ? CKR_OK : CKR_DEVICE_ERROR;
}

static CK_RV pkcs11_create(pkcs11_session_t *session, CK_SESSION_HANDLE handle,
                           const CK_ATTRIBUTE *template, CK_ULONG count, CK_OBJECT_HANDLE *made)
{
    object_t *object = object_set_take(token_objects());
    if (object == NULL) {
        return CKR_DEVICE_MEMORY;
    }
    CK_RV result = pkcs11_make(object, handle, template, count);
    bool kept = (object->flags & OBJECT_FLAG_TOKEN) != 0u;
    if (result == CKR_OK && kept && !session->writable) {
        result = CKR_SESSION_READ_ONLY;
    }
    if (result == CKR_OK) {
        result = pkcs11_keep(kept);
    }
    if (result != CKR_OK) {
        object_set_free(object);
        return result;
    }
    *made = pkcs11_handle(object);
    return CKR_OK;
}

CK_RV C_CreateObject(CK_SESSION_HANDLE hSession, CK_ATTRIBUTE *pTemplate, CK_ULONG ulCount,
                     CK_OBJECT_HANDLE *phObject)
{
    CK_RV result;
    pkcs11_session_t *session = pkcs11_session(hSession, &result);
    if (session == NULL) {
        return result;
    }
    if (pTemplate == NULL || ulCount == 0u || phObject == NULL) {
        return CKR_ARGUMENTS_BAD;
    }
    token_lock();
    result = pkcs11_create(session, hSession, pTemplate, ulCount, phObject);
    token_unlock();
    return result;
}

CK_RV C_DestroyObject(CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hObject)
{
    CK_RV result;
    pkcs11_session_t *session = pkcs11_session(hSession, &result);
    if (session == NULL) {
        return result;
    }
    token_lock();
    object_t *object = pkcs11_object(hObject);
    bool kept = object != NULL && (object->flags & OBJECT_FLAG_TOKEN) != 0u;
    if (object == NULL) {
        result = CKR_OBJECT_HANDLE_INVALID;
    } else if (kept && !session->writable) {
        result = CKR_SESSION_READ_ONLY;
    } else {
        uint8_t kind = object->kind;
        object->kind = 0; // as if it were gone already
        result = pkcs11_keep(kept);
        object->kind = kind;
    }
    if (result == CKR_OK) {
        object_set_free(object);
    }
    token_unlock();
    return result;
}

// ---- searching ---------------------------------------------------------------------------------

CK_RV C_FindObjectsInit(CK_SESSION_HANDLE hSession, CK_ATTRIBUTE *pTemplate, CK_ULONG ulCount)
{
    CK_RV result;
    pkcs11_session_t *session = pkcs11_session(hSession, &result);
    if (session == NULL) {
        return result;
    }
    if (ulCount > PKCS11_FIND_FILTERS || (pTemplate == NULL && ulCount != 0u)) {
        return CKR_ARGUMENTS_BAD;
    }
    if (session->finding) {
        return CKR_OPERATION_ACTIVE;
    }
    for (CK_ULONG i = 0; i < ulCount; i++) {
        pkcs11_filter_t *filter = &session->filters[i];
        filter->type = pTemplate[i].type;
        result = template_bytes(&pTemplate[i], 1, filter->type, filter->value, sizeof filter->value,
                                &filter->length);
        if (result != CKR_OK) {
            return result;
        }
    }
    session->filter_count = ulCount;
    session->find_next = 0;
    session->finding = true;
    return CKR_OK;
}

static bool pkcs11_matches(const pkcs11_session_t *session, const object_t *object)
{
    for (size_t i = 0; i < session->filter_count; i++) {
        const pkcs11_filter_t *filter = &session->filters[i];
        uint8_t value[PKCS11_FIND_BYTES];
        CK_ATTRIBUTE attribute = {filter->type, value, sizeof value};
        if (pkcs11_answer(object, &attribute) != CKR_OK || attribute.ulValueLen != filter->length ||
            memcmp(value, filter->value, filter->length) != 0) {
            return false;
        }
    }
    return true;
}

CK_RV C_FindObjects(CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE *phObject,
                    CK_ULONG ulMaxObjectCount, CK_ULONG_PTR pulObjectCount)
{
    CK_RV result;
    pkcs11_session_t *session = pkcs11_session(hSession, &result);
    if (session == NULL) {
        return result;
    }
    if (phObject == NULL || pulObjectCount == NULL || ulMaxObjectCount == 0u) {
        return CKR_ARGUMENTS_BAD;
    }
    if (!session->finding) {
        return CKR_OPERATION_NOT_INITIALIZED;
    }
    *pulObjectCount = 0;
    token_lock();
    while (session->find_next < OBJECT_COUNT && *pulObjectCount < ulMaxObjectCount) {
        const object_t *object = &token_objects()->items[session->find_next++];
        if (object->kind != 0u && pkcs11_matches(session, object)) {
            phObject[(*pulObjectCount)++] = pkcs11_handle(object);
        }
    }
    token_unlock();
    return CKR_OK;
}

CK_RV C_FindObjectsFinal(CK_SESSION_HANDLE hSession)
{
    CK_RV result;
    pkcs11_session_t *session = pkcs11_session(hSession, &result);
    if (session == NULL) {
        return result;
    }
    if (!session->finding) {
        return CKR_OPERATION_NOT_INITIALIZED;
    }
    session->finding = false;
    return CKR_OK;
}
