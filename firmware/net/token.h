// SPDX-License-Identifier: MIT
// The one token: its objects in RAM, and their record in flash. For the PKCS #11 functions and the
// credentials; everything between token_lock() and token_unlock(), from tasks.
#ifndef TOKEN_H
#define TOKEN_H

#include "object_set.h"

// Makes the token ready for this task alone; the first call reads flash. A record that is whole but
// not of this form counts as none.
void token_lock(void);
void token_unlock(void);

// The objects. What is changed in them is kept by token_save() alone.
object_set_t *token_objects(void);

// Writes the objects that are kept to flash, in one step that a cut of power either does or does
// not. A private key that is kept no longer is erased then, wherever flash held it. STATUS_SPACE,
// STATUS_ABSENT (no flash to write), STATUS_FLASH: what was kept before stays.
status_t token_save(void);

// Undoes what was changed since the last token_save(): reads the objects that are kept again. Those
// of sessions are gone then.
void token_reload(void);

// Erases all, in flash and in RAM.
status_t token_erase(void);

// Bytes of the form in flash, and how many there is room for.
void token_space(size_t *used, size_t *size);

#endif
