/* SPDX-License-Identifier: MIT */
/* Owns the environments of CI systems, as a table. It must not write anything for them. */
#include "base/base.h"

#include "base/buf.h"
#include "base/doc.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "pipeline/ci.h"

#include <assert.h>

enum { CANDIDATES = 3, EVENT_MAX = 16 << 20 };

static const char *const value_names[] = {
    [CI_SYSTEM] = "system",
    [CI_SHA] = "sha",
    [CI_BRANCH] = "branch",
    [CI_ACTOR] = "actor",
    [CI_MESSAGE] = "message",
    [CI_REPOSITORY] = "repository",
    [CI_URL] = "url",
    [CI_PULL_REQUEST] = "pull_request",
};
static_assert(ARRAY_LEN(value_names) == CI_VALUE_COUNT, "every value has a name");

/*
 * A row: the system, the variable that tells it (with the value it must have, or NULL for any
 * that is not empty), and for each value the variables to try, the best first. The variables are
 * those of each system's own documentation, read in 2026-11.
 */
static const struct system {
    const char *name;
    const char *detect, *detect_value;
    const char *candidates[CI_VALUE_COUNT][CANDIDATES];
} systems[] = {
    {"github", "GITHUB_ACTIONS", "true",
     {[CI_SHA] = {"GITHUB_SHA"},
      [CI_BRANCH] = {"GITHUB_HEAD_REF", "GITHUB_REF_NAME"},
      [CI_ACTOR] = {"GITHUB_ACTOR"},
      [CI_REPOSITORY] = {"GITHUB_REPOSITORY"}}},
    {"gitlab", "GITLAB_CI", NULL,
     {[CI_SHA] = {"CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", "CI_COMMIT_SHA"},
      [CI_BRANCH] = {"CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "CI_COMMIT_BRANCH",
                     "CI_COMMIT_REF_NAME"},
      [CI_ACTOR] = {"GITLAB_USER_LOGIN"},
      [CI_MESSAGE] = {"CI_COMMIT_MESSAGE"},
      [CI_REPOSITORY] = {"CI_PROJECT_PATH"},
      [CI_URL] = {"CI_JOB_URL", "CI_PIPELINE_URL"},
      [CI_PULL_REQUEST] = {"CI_MERGE_REQUEST_IID"}}},
    {"azure", "TF_BUILD", NULL,
     {[CI_SHA] = {"SYSTEM_PULLREQUEST_SOURCECOMMITID", "BUILD_SOURCEVERSION"},
      [CI_BRANCH] = {"SYSTEM_PULLREQUEST_SOURCEBRANCH", "BUILD_SOURCEBRANCH"},
      [CI_ACTOR] = {"BUILD_REQUESTEDFOR"},
      [CI_MESSAGE] = {"BUILD_SOURCEVERSIONMESSAGE"},
      [CI_REPOSITORY] = {"BUILD_REPOSITORY_NAME"},
      [CI_PULL_REQUEST] = {"SYSTEM_PULLREQUEST_PULLREQUESTNUMBER",
                           "SYSTEM_PULLREQUEST_PULLREQUESTID"}}},
    {"buildkite", "BUILDKITE", "true",
     {[CI_SHA] = {"BUILDKITE_COMMIT"},
      [CI_BRANCH] = {"BUILDKITE_BRANCH"},
      [CI_ACTOR] = {"BUILDKITE_BUILD_CREATOR"},
      [CI_MESSAGE] = {"BUILDKITE_MESSAGE"},
      [CI_REPOSITORY] = {"BUILDKITE_REPO"},
      [CI_URL] = {"BUILDKITE_BUILD_URL"},
      [CI_PULL_REQUEST] = {"BUILDKITE_PULL_REQUEST"}}},
    {"circleci", "CIRCLECI", "true",
     {[CI_SHA] = {"CIRCLE_SHA1"},
      [CI_BRANCH] = {"CIRCLE_BRANCH"},
      [CI_ACTOR] = {"CIRCLE_USERNAME"},
      [CI_REPOSITORY] = {"CIRCLE_REPOSITORY_URL"},
      [CI_URL] = {"CIRCLE_BUILD_URL"},
      [CI_PULL_REQUEST] = {"CIRCLE_PR_NUMBER"}}},
    {"teamcity", "TEAMCITY_VERSION", NULL, {[CI_SHA] = {"BUILD_VCS_NUMBER"}}},
    {"jenkins", "JENKINS_URL", NULL,
     {[CI_SHA] = {"GIT_COMMIT"},
      [CI_BRANCH] = {"CHANGE_BRANCH", "BRANCH_NAME", "GIT_BRANCH"},
      [CI_ACTOR] = {"BUILD_USER_ID", "CHANGE_AUTHOR"},
      [CI_MESSAGE] = {"CHANGE_TITLE"},
      [CI_REPOSITORY] = {"GIT_URL"},
      [CI_URL] = {"BUILD_URL"},
      [CI_PULL_REQUEST] = {"CHANGE_ID"}}},
};

static bool is_set(const char *value)
{
    return value && *value;
}

static const struct system *find_system(const char *name, const char *(*env)(const char *))
{
    for (size_t i = 0; i < ARRAY_LEN(systems); i++) {
        const char *value = env(systems[i].detect);

        if (name ? strcmp(name, systems[i].name) == 0
                 : is_set(value) && (!systems[i].detect_value ||
                                     strcmp(value, systems[i].detect_value) == 0))
            return &systems[i];
    }
    return NULL;
}

static void set_from(char **slot, const struct doc *event, const char *pointer)
{
    struct buf text;

    buf_init(&text, BUF_CAP_TEXT);
    if (doc_add_text(&text, doc_at(event, pointer)) && text.len)
        mem_replace(slot, text.text);
    buf_free(&text);
}

/*
 * GitHub tells of a pull request only its merge commit in the environment; head, number and
 * title stand in the event file. A file that cannot be read costs those values, nothing else.
 */
static void read_github(struct ci *ci, const char *(*env)(const char *))
{
    const char *path = env("GITHUB_EVENT_PATH");
    const char *server = env("GITHUB_SERVER_URL");
    const char *run = env("GITHUB_RUN_ID");
    struct err ignored = {""};
    struct doc *event = NULL;
    struct buf text;

    buf_init(&text, EVENT_MAX);
    if (is_set(path) && !file_read(path, &text, &ignored))
        event = doc_parse(text.text, text.len, &ignored);
    if (event) {
        set_from(&ci->values[CI_SHA], event, "/pull_request/head/sha");
        set_from(&ci->values[CI_PULL_REQUEST], event, "/pull_request/number");
        set_from(&ci->values[CI_MESSAGE], event, "/head_commit/message");
        set_from(&ci->values[CI_MESSAGE], event, "/pull_request/title");
    }
    doc_free(event);
    buf_clear(&text);
    if (is_set(server) && is_set(run) && ci->values[CI_REPOSITORY]) {
        buf_addf(&text, "%s/%s/actions/runs/%s", server, ci->values[CI_REPOSITORY], run);
        mem_replace(&ci->values[CI_URL], text.text);
    }
    buf_free(&text);
}

/* What the systems write where they mean "none", and prefixes that say where a name lives. */
static void tidy(struct ci *ci)
{
    static const char *const prefixes[] = {"refs/heads/", "origin/"};
    char **pull_request = &ci->values[CI_PULL_REQUEST];
    char **branch = &ci->values[CI_BRANCH];

    if (*pull_request && strcmp(*pull_request, "false") == 0)
        mem_replace(pull_request, NULL);
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        if (*branch && text_starts(*branch, prefixes[i]))
            mem_replace(branch, *branch + strlen(prefixes[i]));
    }
}

int ci_read(struct ci *ci, const char *name, const char *(*env)(const char *))
{
    const struct system *system;

    memset(ci, 0, sizeof(*ci));
    if (name && strcmp(name, "none") == 0)
        return 0;
    if (name && strcmp(name, "auto") == 0)
        name = NULL;
    system = find_system(name, env);
    if (!system)
        return name ? -1 : 0;
    ci->values[CI_SYSTEM] = mem_strdup(system->name);
    for (size_t v = 0; v < CI_VALUE_COUNT; v++) {
        for (size_t i = 0; i < CANDIDATES && !ci->values[v]; i++) {
            const char *variable = system->candidates[v][i];

            if (variable && is_set(env(variable)))
                ci->values[v] = mem_strdup(env(variable));
        }
    }
    if (system == &systems[0])
        read_github(ci, env);
    tidy(ci);
    return 0;
}

void ci_free(struct ci *ci)
{
    for (size_t i = 0; i < CI_VALUE_COUNT; i++)
        free(ci->values[i]);
    memset(ci, 0, sizeof(*ci));
}

const char *ci_value_name(size_t i)
{
    return i < CI_VALUE_COUNT ? value_names[i] : NULL;
}

const char *ci_systems(void)
{
    return "github, gitlab, azure, buildkite, circleci, teamcity, jenkins";
}
