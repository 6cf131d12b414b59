/* SPDX-License-Identifier: MIT */
/*
 * What a definition makes of a saved reply: so that it can be tried without an account.
 */
#ifndef RUNGATE_REPORT_REHEARSAL_H
#define RUNGATE_REPORT_REHEARSAL_H

#include "base/base.h"
#include "base/buf.h"
#include "base/doc.h"
#include "provider/provider.h"

/*
 * Appends, for a reader, how the reply is read: as one to a start, as one to a status request
 * (which rule decides, and where it stands), as one that is no success (the provider's message),
 * and the tests and properties in it. id is the run's, for definitions that pick its tests out by
 * it; NULL if it does not matter.
 */
void rehearsal_write(struct buf *out, const struct provider *p, const struct doc *reply,
                     const char *id);

#endif
