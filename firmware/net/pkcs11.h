// SPDX-License-Identifier: MIT
// PKCS #11 (OASIS, version 2.40): the names, values and signatures of what this firmware offers or
// answers, and no more. TLS and the commands of the suites call by C_GetFunctionList alone, so that
// a vendor's own cryptoki can stand behind it.
#ifndef PKCS11_H
#define PKCS11_H

#include <stddef.h>
#include <stdint.h>

typedef unsigned char CK_BYTE;
typedef CK_BYTE CK_BBOOL;
typedef CK_BYTE CK_UTF8CHAR;
typedef CK_BYTE CK_CHAR;
typedef unsigned long CK_ULONG;
typedef CK_ULONG CK_FLAGS;
typedef CK_ULONG CK_RV;
typedef CK_ULONG CK_SLOT_ID;
typedef CK_ULONG CK_SESSION_HANDLE;
typedef CK_ULONG CK_OBJECT_HANDLE;
typedef CK_ULONG CK_OBJECT_CLASS;
typedef CK_ULONG CK_KEY_TYPE;
typedef CK_ULONG CK_CERTIFICATE_TYPE;
typedef CK_ULONG CK_CERTIFICATE_CATEGORY;
typedef CK_ULONG CK_ATTRIBUTE_TYPE;
typedef CK_ULONG CK_MECHANISM_TYPE;
typedef CK_ULONG CK_USER_TYPE;
typedef CK_ULONG CK_STATE;
typedef CK_ULONG CK_NOTIFICATION;
typedef void *CK_VOID_PTR;
typedef CK_BYTE *CK_BYTE_PTR;
typedef CK_UTF8CHAR *CK_UTF8CHAR_PTR;
typedef CK_ULONG *CK_ULONG_PTR;

#define CK_TRUE                    1
#define CK_FALSE                   0
#define CK_INVALID_HANDLE          0UL
#define CK_UNAVAILABLE_INFORMATION (~0UL)

typedef struct CK_VERSION {
    CK_BYTE major, minor;
} CK_VERSION;

typedef struct CK_TOKEN_INFO {
    CK_UTF8CHAR label[32], manufacturerID[32], model[16];
    CK_CHAR serialNumber[16];
    CK_FLAGS flags;
    CK_ULONG ulMaxSessionCount, ulSessionCount, ulMaxRwSessionCount, ulRwSessionCount;
    CK_ULONG ulMaxPinLen, ulMinPinLen;
    CK_ULONG ulTotalPublicMemory, ulFreePublicMemory, ulTotalPrivateMemory, ulFreePrivateMemory;
    CK_VERSION hardwareVersion, firmwareVersion;
    CK_CHAR utcTime[16];
} CK_TOKEN_INFO;

typedef struct CK_MECHANISM {
    CK_MECHANISM_TYPE mechanism;
    CK_VOID_PTR pParameter;
    CK_ULONG ulParameterLen;
} CK_MECHANISM;

typedef struct CK_MECHANISM_INFO {
    CK_ULONG ulMinKeySize, ulMaxKeySize;
    CK_FLAGS flags;
} CK_MECHANISM_INFO;

typedef struct CK_ATTRIBUTE {
    CK_ATTRIBUTE_TYPE type;
    CK_VOID_PTR pValue;
    CK_ULONG ulValueLen;
} CK_ATTRIBUTE;

typedef CK_RV (*CK_NOTIFY)(CK_SESSION_HANDLE session, CK_NOTIFICATION event,
                           CK_VOID_PTR pApplication);

// Return values.
#define CKR_OK                             0x00000000UL
#define CKR_HOST_MEMORY                    0x00000002UL
#define CKR_SLOT_ID_INVALID                0x00000003UL
#define CKR_GENERAL_ERROR                  0x00000005UL
#define CKR_FUNCTION_FAILED                0x00000006UL
#define CKR_ARGUMENTS_BAD                  0x00000007UL
#define CKR_ATTRIBUTE_READ_ONLY            0x00000010UL
#define CKR_ATTRIBUTE_SENSITIVE            0x00000011UL
#define CKR_ATTRIBUTE_TYPE_INVALID         0x00000012UL
#define CKR_ATTRIBUTE_VALUE_INVALID        0x00000013UL
#define CKR_DATA_LEN_RANGE                 0x00000021UL
#define CKR_DEVICE_ERROR                   0x00000030UL
#define CKR_DEVICE_MEMORY                  0x00000031UL
#define CKR_FUNCTION_NOT_SUPPORTED         0x00000054UL
#define CKR_KEY_HANDLE_INVALID             0x00000060UL
#define CKR_KEY_TYPE_INCONSISTENT          0x00000063UL
#define CKR_KEY_FUNCTION_NOT_PERMITTED     0x00000068UL
#define CKR_MECHANISM_INVALID              0x00000070UL
#define CKR_OBJECT_HANDLE_INVALID          0x00000082UL
#define CKR_OPERATION_ACTIVE               0x00000090UL
#define CKR_OPERATION_NOT_INITIALIZED      0x00000091UL
#define CKR_SESSION_COUNT                  0x000000B1UL
#define CKR_SESSION_HANDLE_INVALID         0x000000B3UL
#define CKR_SESSION_PARALLEL_NOT_SUPPORTED 0x000000B4UL
#define CKR_SESSION_READ_ONLY              0x000000B5UL
#define CKR_SIGNATURE_INVALID              0x000000C0UL
#define CKR_SIGNATURE_LEN_RANGE            0x000000C1UL
#define CKR_TEMPLATE_INCOMPLETE            0x000000D0UL
#define CKR_TEMPLATE_INCONSISTENT          0x000000D1UL
#define CKR_USER_TYPE_INVALID              0x00000103UL
#define CKR_DOMAIN_PARAMS_INVALID          0x00000130UL
#define CKR_BUFFER_TOO_SMALL               0x00000150UL
#define CKR_CRYPTOKI_NOT_INITIALIZED       0x00000190UL
#define CKR_CRYPTOKI_ALREADY_INITIALIZED   0x00000191UL

#define CKU_USER 1UL

// Flags of tokens, sessions and mechanisms.
#define CKF_RNG               0x00000001UL
#define CKF_TOKEN_INITIALIZED 0x00000400UL
#define CKF_RW_SESSION        0x00000002UL
#define CKF_SERIAL_SESSION    0x00000004UL
#define CKF_DIGEST            0x00000400UL
#define CKF_SIGN              0x00000800UL
#define CKF_VERIFY            0x00002000UL
#define CKF_GENERATE_KEY_PAIR 0x00010000UL
#define CKF_EC_F_P            0x00100000UL
#define CKF_EC_NAMEDCURVE     0x00800000UL
#define CKF_EC_UNCOMPRESS     0x01000000UL

// Classes, key types, certificates.
#define CKO_CERTIFICATE                     0x00000001UL
#define CKO_PUBLIC_KEY                      0x00000002UL
#define CKO_PRIVATE_KEY                     0x00000003UL
#define CKK_RSA                             0x00000000UL
#define CKK_EC                              0x00000003UL
#define CKC_X_509                           0x00000000UL
#define CK_CERTIFICATE_CATEGORY_UNSPECIFIED 0UL
#define CK_CERTIFICATE_CATEGORY_TOKEN_USER  1UL
#define CK_CERTIFICATE_CATEGORY_AUTHORITY   2UL

// Attributes.
#define CKA_CLASS                0x00000000UL
#define CKA_TOKEN                0x00000001UL
#define CKA_PRIVATE              0x00000002UL
#define CKA_LABEL                0x00000003UL
#define CKA_VALUE                0x00000011UL
#define CKA_CERTIFICATE_TYPE     0x00000080UL
#define CKA_CERTIFICATE_CATEGORY 0x00000087UL
#define CKA_KEY_TYPE             0x00000100UL
#define CKA_SUBJECT              0x00000101UL
#define CKA_ID                   0x00000102UL
#define CKA_SENSITIVE            0x00000103UL
#define CKA_SIGN                 0x00000108UL
#define CKA_VERIFY               0x0000010AUL
#define CKA_EXTRACTABLE          0x00000162UL
#define CKA_LOCAL                0x00000163UL
#define CKA_NEVER_EXTRACTABLE    0x00000164UL
#define CKA_EC_PARAMS            0x00000180UL
#define CKA_EC_POINT             0x00000181UL

// Mechanisms.
#define CKM_RSA_PKCS        0x00000001UL
#define CKM_SHA256          0x00000250UL
#define CKM_EC_KEY_PAIR_GEN 0x00001040UL
#define CKM_ECDSA           0x00001041UL

// The functions, in the order of the standard's list; one that is not offered is a NULL there.
typedef struct CK_FUNCTION_LIST CK_FUNCTION_LIST;

CK_RV C_Initialize(CK_VOID_PTR pInitArgs);
CK_RV C_Finalize(CK_VOID_PTR pReserved);
CK_RV C_GetFunctionList(CK_FUNCTION_LIST **ppFunctionList);
CK_RV C_GetSlotList(CK_BBOOL tokenPresent, CK_SLOT_ID *pSlotList, CK_ULONG_PTR pulCount);
CK_RV C_GetTokenInfo(CK_SLOT_ID slotID, CK_TOKEN_INFO *pInfo);
CK_RV C_GetMechanismInfo(CK_SLOT_ID slotID, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *pInfo);
CK_RV C_OpenSession(CK_SLOT_ID slotID, CK_FLAGS flags, CK_VOID_PTR pApplication, CK_NOTIFY notify,
                    CK_SESSION_HANDLE *phSession);
CK_RV C_CloseSession(CK_SESSION_HANDLE hSession);
CK_RV C_Login(CK_SESSION_HANDLE hSession, CK_USER_TYPE userType, CK_UTF8CHAR_PTR pPin,
              CK_ULONG ulPinLen);
CK_RV C_CreateObject(CK_SESSION_HANDLE hSession, CK_ATTRIBUTE *pTemplate, CK_ULONG ulCount,
                     CK_OBJECT_HANDLE *phObject);
CK_RV C_DestroyObject(CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hObject);
CK_RV C_GetAttributeValue(CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hObject,
                          CK_ATTRIBUTE *pTemplate, CK_ULONG ulCount);
CK_RV C_FindObjectsInit(CK_SESSION_HANDLE hSession, CK_ATTRIBUTE *pTemplate, CK_ULONG ulCount);
CK_RV C_FindObjects(CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE *phObject,
                    CK_ULONG ulMaxObjectCount, CK_ULONG_PTR pulObjectCount);
CK_RV C_FindObjectsFinal(CK_SESSION_HANDLE hSession);
CK_RV C_DigestInit(CK_SESSION_HANDLE hSession, CK_MECHANISM *pMechanism);
CK_RV C_DigestUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pPart, CK_ULONG ulPartLen);
CK_RV C_DigestFinal(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pDigest, CK_ULONG_PTR pulDigestLen);
CK_RV C_SignInit(CK_SESSION_HANDLE hSession, CK_MECHANISM *pMechanism, CK_OBJECT_HANDLE hKey);
CK_RV C_Sign(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pData, CK_ULONG ulDataLen,
             CK_BYTE_PTR pSignature, CK_ULONG_PTR pulSignatureLen);
CK_RV C_VerifyInit(CK_SESSION_HANDLE hSession, CK_MECHANISM *pMechanism, CK_OBJECT_HANDLE hKey);
CK_RV C_Verify(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pData, CK_ULONG ulDataLen,
               CK_BYTE_PTR pSignature, CK_ULONG ulSignatureLen);
CK_RV C_GenerateKeyPair(CK_SESSION_HANDLE hSession, CK_MECHANISM *pMechanism,
                        CK_ATTRIBUTE *pPublicKeyTemplate, CK_ULONG ulPublicKeyAttributeCount,
                        CK_ATTRIBUTE *pPrivateKeyTemplate, CK_ULONG ulPrivateKeyAttributeCount,
                        CK_OBJECT_HANDLE *phPublicKey, CK_OBJECT_HANDLE *phPrivateKey);
CK_RV C_GenerateRandom(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pRandomData, CK_ULONG ulRandomLen);

#define PKCS11_ABSENT(name) CK_VOID_PTR name // in the standard's list, not offered here

struct CK_FUNCTION_LIST {
    CK_VERSION version;
    CK_RV (*C_Initialize)(CK_VOID_PTR);
    CK_RV (*C_Finalize)(CK_VOID_PTR);
    PKCS11_ABSENT(C_GetInfo);
    CK_RV (*C_GetFunctionList)(CK_FUNCTION_LIST **);
    CK_RV (*C_GetSlotList)(CK_BBOOL, CK_SLOT_ID *, CK_ULONG_PTR);
    PKCS11_ABSENT(C_GetSlotInfo);
    CK_RV (*C_GetTokenInfo)(CK_SLOT_ID, CK_TOKEN_INFO *);
    PKCS11_ABSENT(C_GetMechanismList);
    CK_RV (*C_GetMechanismInfo)(CK_SLOT_ID, CK_MECHANISM_TYPE, CK_MECHANISM_INFO *);
    PKCS11_ABSENT(C_InitToken);
    PKCS11_ABSENT(C_InitPIN);
    PKCS11_ABSENT(C_SetPIN);
    CK_RV (*C_OpenSession)(CK_SLOT_ID, CK_FLAGS, CK_VOID_PTR, CK_NOTIFY, CK_SESSION_HANDLE *);
    CK_RV (*C_CloseSession)(CK_SESSION_HANDLE);
    PKCS11_ABSENT(C_CloseAllSessions);
    PKCS11_ABSENT(C_GetSessionInfo);
    PKCS11_ABSENT(C_GetOperationState);
    PKCS11_ABSENT(C_SetOperationState);
    CK_RV (*C_Login)(CK_SESSION_HANDLE, CK_USER_TYPE, CK_UTF8CHAR_PTR, CK_ULONG);
    PKCS11_ABSENT(C_Logout);
    CK_RV (*C_CreateObject)(CK_SESSION_HANDLE, CK_ATTRIBUTE *, CK_ULONG, CK_OBJECT_HANDLE *);
    PKCS11_ABSENT(C_CopyObject);
    CK_RV (*C_DestroyObject)(CK_SESSION_HANDLE, CK_OBJECT_HANDLE);
    PKCS11_ABSENT(C_GetObjectSize);
    CK_RV (*C_GetAttributeValue)(CK_SESSION_HANDLE, CK_OBJECT_HANDLE, CK_ATTRIBUTE *, CK_ULONG);
    PKCS11_ABSENT(C_SetAttributeValue);
    CK_RV (*C_FindObjectsInit)(CK_SESSION_HANDLE, CK_ATTRIBUTE *, CK_ULONG);
    CK_RV (*C_FindObjects)(CK_SESSION_HANDLE, CK_OBJECT_HANDLE *, CK_ULONG, CK_ULONG_PTR);
    CK_RV (*C_FindObjectsFinal)(CK_SESSION_HANDLE);
    PKCS11_ABSENT(C_EncryptInit);
    PKCS11_ABSENT(C_Encrypt);
    PKCS11_ABSENT(C_EncryptUpdate);
    PKCS11_ABSENT(C_EncryptFinal);
    PKCS11_ABSENT(C_DecryptInit);
    PKCS11_ABSENT(C_Decrypt);
    PKCS11_ABSENT(C_DecryptUpdate);
    PKCS11_ABSENT(C_DecryptFinal);
    CK_RV (*C_DigestInit)(CK_SESSION_HANDLE, CK_MECHANISM *);
    PKCS11_ABSENT(C_Digest);
    CK_RV (*C_DigestUpdate)(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG);
    PKCS11_ABSENT(C_DigestKey);
    CK_RV (*C_DigestFinal)(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG_PTR);
    CK_RV (*C_SignInit)(CK_SESSION_HANDLE, CK_MECHANISM *, CK_OBJECT_HANDLE);
    CK_RV (*C_Sign)(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR);
    PKCS11_ABSENT(C_SignUpdate);
    PKCS11_ABSENT(C_SignFinal);
    PKCS11_ABSENT(C_SignRecoverInit);
    PKCS11_ABSENT(C_SignRecover);
    CK_RV (*C_VerifyInit)(CK_SESSION_HANDLE, CK_MECHANISM *, CK_OBJECT_HANDLE);
    CK_RV (*C_Verify)(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG);
    PKCS11_ABSENT(C_VerifyUpdate);
    PKCS11_ABSENT(C_VerifyFinal);
    PKCS11_ABSENT(C_VerifyRecoverInit);
    PKCS11_ABSENT(C_VerifyRecover);
    PKCS11_ABSENT(C_DigestEncryptUpdate);
    PKCS11_ABSENT(C_DecryptDigestUpdate);
    PKCS11_ABSENT(C_SignEncryptUpdate);
    PKCS11_ABSENT(C_DecryptVerifyUpdate);
    PKCS11_ABSENT(C_GenerateKey);
    CK_RV(*C_GenerateKeyPair)
    (CK_SESSION_HANDLE, CK_MECHANISM *, CK_ATTRIBUTE *, CK_ULONG, CK_ATTRIBUTE *, CK_ULONG,
     CK_OBJECT_HANDLE *, CK_OBJECT_HANDLE *);
    PKCS11_ABSENT(C_WrapKey);
    PKCS11_ABSENT(C_UnwrapKey);
    PKCS11_ABSENT(C_DeriveKey);
    PKCS11_ABSENT(C_SeedRandom);
    CK_RV (*C_GenerateRandom)(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG);
    PKCS11_ABSENT(C_GetFunctionStatus);
    PKCS11_ABSENT(C_CancelFunction);
    PKCS11_ABSENT(C_WaitForSlotEvent);
};

#endif
