/* SPDX-License-Identifier: MIT */
/*
 * Which CI system runs us, and what it says of the commit: read from the environment, offered to
 * provider definitions as {ci.sha}, {ci.branch} and so on.
 */
#ifndef RUNGATE_PIPELINE_CI_H
#define RUNGATE_PIPELINE_CI_H

#include "base/base.h"

enum ci_value {
    CI_SYSTEM,     /* "github", "gitlab", ...; unset when no system is recognised */
    CI_SHA,        /* the commit under test; of a pull request its head, where that can be told */
    CI_BRANCH,     /* of a pull request the branch it comes from */
    CI_ACTOR,      /* who caused the build */
    CI_MESSAGE,    /* the commit's message or the pull request's title */
    CI_REPOSITORY, /* owner/name, or its URL where there is nothing shorter */
    CI_URL,        /* the build, for a person to open */
    CI_PULL_REQUEST
};

enum { CI_VALUE_COUNT = CI_PULL_REQUEST + 1 };

struct ci {
    char *values[CI_VALUE_COUNT]; /* NULL where the system does not tell */
};

/*
 * Fills ci from the environment. name forces a system ("none": none at all); NULL or "auto"
 * looks for one. -1 if there is no system of that name. Free with ci_free.
 */
int ci_read(struct ci *ci, const char *name, const char *(*env)(const char *)) USE_RESULT;
void ci_free(struct ci *ci);

/* The name of a value as it stands behind "ci.": "sha"; NULL beyond the last. */
const char *ci_value_name(size_t i);

/* The systems' names, for messages: "github, gitlab, ..." */
const char *ci_systems(void);

#endif
