// SPDX-License-Identifier: MIT
// PKCS #11: start and end, the one slot and its token, sessions.
#include "pkcs11_internal.h"

#include "kernel_compat.h"
#include "platform.h"
#include "tls_platform.h"
#include "token.h"

#include <string.h>

// A handle is the generation above the place, and positive as a number of 32 bits.
enum { PLACE_BITS = 8, GENERATION_MASK = (1 << (31 - PLACE_BITS)) - 1 };

static bool s_initialized;
static pkcs11_session_t s_sessions[PKCS11_SESSIONS];

static CK_SESSION_HANDLE pkcs11_session_handle(size_t place)
{
    return (CK_ULONG)s_sessions[place].generation << PLACE_BITS | (place + 1u);
}

pkcs11_session_t *pkcs11_session(CK_SESSION_HANDLE handle, CK_RV *result)
{
    if (!s_initialized) {
        *result = CKR_CRYPTOKI_NOT_INITIALIZED;
        return NULL;
    }
    size_t place = (handle & ((1u << PLACE_BITS) - 1u)) - 1u;
    if (place >= PKCS11_SESSIONS || !s_sessions[place].open ||
        pkcs11_session_handle(place) != handle) {
        *result = CKR_SESSION_HANDLE_INVALID;
        return NULL;
    }
    *result = CKR_OK;
    return &s_sessions[place];
}

// ---- start and end -----------------------------------------------------------------------------

// Mutexes are the firmware's own, so that what an application says about its threads is no matter.
CK_RV C_Initialize(CK_VOID_PTR pInitArgs)
{
    (void)pInitArgs;
    if (tls_platform_init() != STATUS_OK) {
        return CKR_FUNCTION_FAILED;
    }
    token_lock();
    bool already = s_initialized;
    s_initialized = true;
    token_unlock();
    return already ? CKR_CRYPTOKI_ALREADY_INITIALIZED : CKR_OK;
}

CK_RV C_Finalize(CK_VOID_PTR pReserved)
{
    if (pReserved != NULL) {
        return CKR_ARGUMENTS_BAD;
    }
    if (!s_initialized) {
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    }
    for (size_t place = 0; place < PKCS11_SESSIONS; place++) {
        (void)C_CloseSession(pkcs11_session_handle(place));
    }
    s_initialized = false;
    return CKR_OK;
}

static CK_FUNCTION_LIST s_functions = {
    .version = {2, 40},
    .C_Initialize = C_Initialize,
    .C_Finalize = C_Finalize,
    .C_GetFunctionList = C_GetFunctionList,
    .C_GetSlotList = C_GetSlotList,
    .C_GetTokenInfo = C_GetTokenInfo,
    .C_GetMechanismInfo = C_GetMechanismInfo,
    .C_OpenSession = C_OpenSession,
    .C_CloseSession = C_CloseSession,
    .C_Login = C_Login,
    .C_CreateObject = C_CreateObject,
    .C_DestroyObject = C_DestroyObject,
    .C_GetAttributeValue = C_GetAttributeValue,
    .C_FindObjectsInit = C_FindObjectsInit,
    .C_FindObjects = C_FindObjects,
    .C_FindObjectsFinal = C_FindObjectsFinal,
    .C_DigestInit = C_DigestInit,
    .C_DigestUpdate = C_DigestUpdate,
    .C_DigestFinal = C_DigestFinal,
    .C_SignInit = C_SignInit,
    .C_Sign = C_Sign,
    .C_VerifyInit = C_VerifyInit,
    .C_Verify = C_Verify,
    .C_GenerateKeyPair = C_GenerateKeyPair,
    .C_GenerateRandom = C_GenerateRandom,
};

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **ppFunctionList)
{
    if (ppFunctionList == NULL) {
        return CKR_ARGUMENTS_BAD;
    }
    *ppFunctionList = &s_functions;
    return CKR_OK;
}

// ---- slot and token ----------------------------------------------------------------------------

CK_RV C_GetSlotList(CK_BBOOL tokenPresent, CK_SLOT_ID *pSlotList, CK_ULONG_PTR pulCount)
{
    (void)tokenPresent; // the token is always in its slot
    if (!s_initialized) {
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    }
    if (pulCount == NULL) {
        return CKR_ARGUMENTS_BAD;
    }
    bool fits = *pulCount >= 1u;
    *pulCount = 1;
    if (pSlotList == NULL) {
        return CKR_OK;
    }
    if (!fits) {
        return CKR_BUFFER_TOO_SMALL;
    }
    pSlotList[0] = PKCS11_SLOT;
    return CKR_OK;
}

// Texts of PKCS #11 are padded with blanks and have no end.
static void pkcs11_pad(CK_UTF8CHAR *field, size_t size, const char *text)
{
    size_t length = strlen(text);
    memset(field, ' ', size);
    memcpy(field, text, length < size ? length : size);
}

static CK_ULONG pkcs11_open_count(bool writable_alone)
{
    CK_ULONG count = 0;
    for (size_t i = 0; i < PKCS11_SESSIONS; i++) {
        count += s_sessions[i].open && (!writable_alone || s_sessions[i].writable);
    }
    return count;
}

CK_RV C_GetTokenInfo(CK_SLOT_ID slotID, CK_TOKEN_INFO *pInfo)
{
    size_t used;
    size_t size;
    if (!s_initialized) {
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    }
    if (slotID != PKCS11_SLOT) {
        return CKR_SLOT_ID_INVALID;
    }
    if (pInfo == NULL) {
        return CKR_ARGUMENTS_BAD;
    }
    token_lock();
    token_space(&used, &size);
    token_unlock();
    *pInfo = (CK_TOKEN_INFO){
        .flags = CKF_RNG | CKF_TOKEN_INITIALIZED,
        .ulMaxSessionCount = PKCS11_SESSIONS,
        .ulSessionCount = pkcs11_open_count(false),
        .ulMaxRwSessionCount = PKCS11_SESSIONS,
        .ulRwSessionCount = pkcs11_open_count(true),
        .ulTotalPublicMemory = size,
        .ulFreePublicMemory = size - used,
        .ulTotalPrivateMemory = CK_UNAVAILABLE_INFORMATION,
        .ulFreePrivateMemory = CK_UNAVAILABLE_INFORMATION,
        .firmwareVersion = {1, 0},
    };
    pkcs11_pad(pInfo->label, sizeof pInfo->label, "rig");
    pkcs11_pad(pInfo->manufacturerID, sizeof pInfo->manufacturerID, "qualification rig");
    pkcs11_pad(pInfo->model, sizeof pInfo->model, RIG_BOARD);
    pkcs11_pad(pInfo->serialNumber, sizeof pInfo->serialNumber, platform_serial());
    pkcs11_pad(pInfo->utcTime, sizeof pInfo->utcTime, "");
    return CKR_OK;
}

typedef struct {
    CK_MECHANISM_TYPE type;
    CK_MECHANISM_INFO info;
} mechanism_row_t;

static const mechanism_row_t s_mechanisms[] = {
    {CKM_SHA256, {0, 0, CKF_DIGEST}},
    {CKM_EC_KEY_PAIR_GEN,
     {256, 256, CKF_GENERATE_KEY_PAIR | CKF_EC_F_P | CKF_EC_NAMEDCURVE | CKF_EC_UNCOMPRESS}},
    {CKM_ECDSA,
     {256, 256, CKF_SIGN | CKF_VERIFY | CKF_EC_F_P | CKF_EC_NAMEDCURVE | CKF_EC_UNCOMPRESS}},
};

CK_RV C_GetMechanismInfo(CK_SLOT_ID slotID, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *pInfo)
{
    if (!s_initialized) {
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    }
    if (slotID != PKCS11_SLOT) {
        return CKR_SLOT_ID_INVALID;
    }
    if (pInfo == NULL) {
        return CKR_ARGUMENTS_BAD;
    }
    for (size_t i = 0; i < sizeof s_mechanisms / sizeof s_mechanisms[0]; i++) {
        if (s_mechanisms[i].type == type) {
            *pInfo = s_mechanisms[i].info;
            return CKR_OK;
        }
    }
    return CKR_MECHANISM_INVALID;
}

// ---- sessions ----------------------------------------------------------------------------------

static CK_SESSION_HANDLE pkcs11_take_session(CK_FLAGS flags)
{
    CK_SESSION_HANDLE handle = CK_INVALID_HANDLE;
    taskENTER_CRITICAL();
    for (size_t i = 0; i < PKCS11_SESSIONS && handle == CK_INVALID_HANDLE; i++) {
        if (!s_sessions[i].open) {
            s_sessions[i] = (pkcs11_session_t){
                .open = true,
                .writable = (flags & CKF_RW_SESSION) != 0u,
                .generation = (s_sessions[i].generation + 1u) & GENERATION_MASK,
            };
            handle = pkcs11_session_handle(i);
        }
    }
    taskEXIT_CRITICAL();
    return handle;
}

CK_RV C_OpenSession(CK_SLOT_ID slotID, CK_FLAGS flags, CK_VOID_PTR pApplication, CK_NOTIFY notify,
                    CK_SESSION_HANDLE *phSession)
{
    (void)pApplication;
    (void)notify; // nothing ever happens to a token that is soldered in
    if (!s_initialized) {
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    }
    if (slotID != PKCS11_SLOT) {
        return CKR_SLOT_ID_INVALID;
    }
    if (phSession == NULL) {
        return CKR_ARGUMENTS_BAD;
    }
    if ((flags & CKF_SERIAL_SESSION) == 0u) {
        return CKR_SESSION_PARALLEL_NOT_SUPPORTED;
    }
    *phSession = pkcs11_take_session(flags);
    return *phSession != CK_INVALID_HANDLE ? CKR_OK : CKR_SESSION_COUNT;
}

CK_RV C_CloseSession(CK_SESSION_HANDLE hSession)
{
    CK_RV result;
    pkcs11_session_t *session = pkcs11_session(hSession, &result);
    if (session == NULL) {
        return result;
    }
    token_lock();
    pkcs11_drop_session_objects(hSession);
    token_unlock();
    mbedtls_sha256_free(&session->digest);
    session->open = false;
    return CKR_OK;
}

// There is nobody at a board to give a PIN: whoever runs on it may use the token, and every PIN is
// taken, as by other tokens without a login path.
CK_RV C_Login(CK_SESSION_HANDLE hSession, CK_USER_TYPE userType, CK_UTF8CHAR_PTR pPin,
              CK_ULONG ulPinLen)
{
    CK_RV result;
    if (pkcs11_session(hSession, &result) == NULL) {
        return result;
    }
    if (pPin == NULL && ulPinLen != 0u) {
        return CKR_ARGUMENTS_BAD;
    }
    return userType == CKU_USER ? CKR_OK : CKR_USER_TYPE_INVALID;
}
