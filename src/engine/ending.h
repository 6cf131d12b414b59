/* SPDX-License-Identifier: MIT */
/* What a run ended with, for the reports: outcome, what it counts as, the reason, what is left. */
#ifndef RUNGATE_ENGINE_ENDING_H
#define RUNGATE_ENGINE_ENDING_H

#include "engine/member.h"

/*
 * Fills outcome, counts_as, mapped_by and reason of the result from a life that is over, or whose
 * attempt is, and adds a warning for each remote run that was given up and whose end was not seen.
 * not_started must be set before.
 */
void ending_note(const struct gate *g, struct member *m);

#endif
