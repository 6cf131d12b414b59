/* SPDX-License-Identifier: MIT */
/* Tests pipeline/ci: what each system's environment is read as, and GitHub's event file. */
#include "base/base.h"

#include "base/buf.h"
#include "base/mem.h"
#include "pipeline/ci.h"

#include <unistd.h>

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static const char *const *environment_now; /* NAME=VALUE, NULL at the end */
static const char *event_path;             /* of the file for this row; NULL: none */

static const char *look_up(const char *name)
{
    size_t len = strlen(name);

    if (strcmp(name, "GITHUB_EVENT_PATH") == 0)
        return event_path;
    for (size_t i = 0; environment_now[i]; i++) {
        if (strncmp(environment_now[i], name, len) == 0 && environment_now[i][len] == '=')
            return environment_now[i] + len + 1;
    }
    return NULL;
}

/* "sha=1 branch=main": what is set, in the order of the values. */
static void dump(struct buf *b, const struct ci *ci)
{
    for (size_t i = 0; i < CI_VALUE_COUNT; i++) {
        if (ci->values[i])
            buf_addf(b, "%s%s=%s", b->len ? " " : "", ci_value_name(i), ci->values[i]);
    }
}

static void check(const char *title, const char *name, const char *expected)
{
    struct buf b;
    struct ci ci;

    buf_init(&b, BUF_CAP_TEXT);
    if (ci_read(&ci, name, look_up))
        buf_adds(&b, "refused");
    dump(&b, &ci);
    if (strcmp(b.text, expected) != 0)
        fail_msg("%s: got\n%s\nexpected\n%s", title, b.text, expected);
    ci_free(&ci);
    ci_free(&ci); /* is harmless */
    buf_free(&b);
}

#define MANY 16

static void test_systems(void **state)
{
    static const struct {
        const char *name; /* of --ci; NULL: look for one */
        const char *environment[MANY];
        const char *expected;
    } rows[] = {
        {NULL, {NULL}, ""},
        {NULL, {"CI=true", "GITHUB_SHA=1", "BRANCH_NAME=x"}, ""},
        /* GitHub */
        {NULL, {"GITHUB_ACTIONS=true"}, "system=github"},
        {NULL, {"GITHUB_ACTIONS=false", "GITHUB_SHA=1"}, ""},
        {NULL, {"GITHUB_ACTIONS="}, ""},
        {NULL,
         {"GITHUB_ACTIONS=true", "GITHUB_SHA=abc", "GITHUB_REF_NAME=main", "GITHUB_ACTOR=octo",
          "GITHUB_REPOSITORY=o/r", "GITHUB_SERVER_URL=https://github.com", "GITHUB_RUN_ID=99"},
         "system=github sha=abc branch=main actor=octo repository=o/r "
         "url=https://github.com/o/r/actions/runs/99"},
        {NULL,
         {"GITHUB_ACTIONS=true", "GITHUB_HEAD_REF=topic", "GITHUB_REF_NAME=7/merge",
          "GITHUB_REPOSITORY=o/r", "GITHUB_RUN_ID=99"},
         "system=github branch=topic repository=o/r"},
        {NULL, {"GITHUB_ACTIONS=true", "GITHUB_HEAD_REF=", "GITHUB_REF_NAME=main"},
         "system=github branch=main"},
        {NULL,
         {"GITHUB_ACTIONS=true", "GITHUB_SERVER_URL=https://github.com", "GITHUB_RUN_ID=99"},
         "system=github"},
        /* GitLab */
        {NULL, {"GITLAB_CI=true"}, "system=gitlab"},
        {NULL,
         {"GITLAB_CI=true", "CI_COMMIT_SHA=abc", "CI_COMMIT_BRANCH=main",
          "CI_COMMIT_REF_NAME=main2", "GITLAB_USER_LOGIN=gl", "CI_COMMIT_MESSAGE=a b\nc",
          "CI_PROJECT_PATH=g/s/p", "CI_JOB_URL=https://gl/j/1", "CI_PIPELINE_URL=https://gl/p/1"},
         "system=gitlab sha=abc branch=main actor=gl message=a b\nc repository=g/s/p "
         "url=https://gl/j/1"},
        {NULL,
         {"GITLAB_CI=true", "CI_COMMIT_SHA=merge", "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA=head",
          "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME=topic", "CI_COMMIT_REF_NAME=x",
          "CI_MERGE_REQUEST_IID=12", "CI_PIPELINE_URL=https://gl/p/1"},
         "system=gitlab sha=head branch=topic url=https://gl/p/1 pull_request=12"},
        {NULL, {"GITLAB_CI=true", "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA=", "CI_COMMIT_SHA=m",
                "CI_COMMIT_REF_NAME=v1.0"},
         "system=gitlab sha=m branch=v1.0"},
        /* Azure */
        {NULL,
         {"TF_BUILD=True", "BUILD_SOURCEVERSION=abc", "BUILD_SOURCEBRANCH=refs/heads/feature/x",
          "BUILD_REQUESTEDFOR=A. Person", "BUILD_SOURCEVERSIONMESSAGE=msg",
          "BUILD_REPOSITORY_NAME=repo"},
         "system=azure sha=abc branch=feature/x actor=A. Person message=msg repository=repo"},
        {NULL,
         {"TF_BUILD=True", "BUILD_SOURCEVERSION=merge", "SYSTEM_PULLREQUEST_SOURCECOMMITID=head",
          "SYSTEM_PULLREQUEST_SOURCEBRANCH=refs/heads/topic",
          "BUILD_SOURCEBRANCH=refs/pull/1/merge",
          "SYSTEM_PULLREQUEST_PULLREQUESTID=1001", "SYSTEM_PULLREQUEST_PULLREQUESTNUMBER=5"},
         "system=azure sha=head branch=topic pull_request=5"},
        {NULL, {"TF_BUILD=True", "SYSTEM_PULLREQUEST_PULLREQUESTID=1001",
                "BUILD_SOURCEBRANCH=refs/tags/v1"},
         "system=azure branch=refs/tags/v1 pull_request=1001"},
        /* Buildkite */
        {NULL,
         {"BUILDKITE=true", "BUILDKITE_COMMIT=abc", "BUILDKITE_BRANCH=main",
          "BUILDKITE_BUILD_CREATOR=bk", "BUILDKITE_MESSAGE=m", "BUILDKITE_REPO=git@h:o/r.git",
          "BUILDKITE_BUILD_URL=https://bk/1", "BUILDKITE_PULL_REQUEST=false"},
         "system=buildkite sha=abc branch=main actor=bk message=m repository=git@h:o/r.git "
         "url=https://bk/1"},
        {NULL, {"BUILDKITE=true", "BUILDKITE_PULL_REQUEST=17"},
         "system=buildkite pull_request=17"},
        {NULL, {"BUILDKITE=1", "BUILDKITE_COMMIT=abc"}, ""},
        /* CircleCI */
        {NULL,
         {"CIRCLECI=true", "CIRCLE_SHA1=abc", "CIRCLE_BRANCH=b", "CIRCLE_USERNAME=u",
          "CIRCLE_REPOSITORY_URL=https://h/r", "CIRCLE_BUILD_URL=https://c/1",
          "CIRCLE_PR_NUMBER=3"},
         "system=circleci sha=abc branch=b actor=u repository=https://h/r url=https://c/1 "
         "pull_request=3"},
        /* TeamCity */
        {NULL, {"TEAMCITY_VERSION=2024.1", "BUILD_VCS_NUMBER=abc"}, "system=teamcity sha=abc"},
        /* Jenkins */
        {NULL,
         {"JENKINS_URL=https://j/", "GIT_COMMIT=abc", "GIT_BRANCH=origin/main",
          "GIT_URL=https://h/r.git", "BUILD_URL=https://j/1"},
         "system=jenkins sha=abc branch=main repository=https://h/r.git url=https://j/1"},
        {NULL,
         {"JENKINS_URL=https://j/", "CHANGE_BRANCH=topic", "BRANCH_NAME=PR-4", "GIT_BRANCH=PR-4",
          "CHANGE_AUTHOR=dev", "CHANGE_TITLE=Fix it", "CHANGE_ID=4"},
         "system=jenkins branch=topic actor=dev message=Fix it pull_request=4"},
        {NULL,
         {"JENKINS_URL=https://j/", "BRANCH_NAME=main", "GIT_BRANCH=origin/main",
          "BUILD_USER_ID=me", "CHANGE_AUTHOR=dev"},
         "system=jenkins branch=main actor=me"},
        /* one inside another: the first of the table */
        {NULL, {"GITHUB_ACTIONS=true", "JENKINS_URL=https://j/", "GIT_COMMIT=abc"},
         "system=github"},
        /* by name */
        {"auto", {"GITLAB_CI=true"}, "system=gitlab"},
        {"none", {"GITLAB_CI=true", "CI_COMMIT_SHA=abc"}, ""},
        {"jenkins", {"GITHUB_ACTIONS=true", "GIT_COMMIT=abc"}, "system=jenkins sha=abc"},
        {"github", {"GITHUB_SHA=abc"}, "system=github sha=abc"},
        {"teamcity", {NULL}, "system=teamcity"},
        {"travis", {"GITHUB_ACTIONS=true"}, "refused"},
        {"GitHub", {"GITHUB_ACTIONS=true"}, "refused"},
        {"", {"GITHUB_ACTIONS=true"}, "refused"},
    };

    (void)state;
    event_path = NULL;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        environment_now = rows[i].environment;
        check(rows[i].expected, rows[i].name, rows[i].expected);
    }
}

static void test_event(void **state)
{
    static const char *const base[] = {"GITHUB_ACTIONS=true", "GITHUB_SHA=merge", NULL};
    static const struct {
        const char *event, *expected;
    } rows[] = {
        {"", "system=github sha=merge"},
        {"{}", "system=github sha=merge"},
        {"not json", "system=github sha=merge"},
        {"{\"pull_request\": ", "system=github sha=merge"},
        {"[]", "system=github sha=merge"},
        {"{\"pull_request\": {\"number\": 12, \"title\": \"A title\", \"head\": {\"sha\": \"h\"}}}",
         "system=github sha=h message=A title pull_request=12"},
        {"{\"pull_request\": {\"number\": 9007199254740993, \"head\": {\"sha\": \"\"}}}",
         "system=github sha=merge pull_request=9007199254740993"},
        {"{\"pull_request\": {\"number\": null, \"title\": null, \"head\": null}}",
         "system=github sha=merge"},
        {"{\"pull_request\": {\"number\": {}, \"title\": [1], \"head\": {\"sha\": {\"x\": 1}}}}",
         "system=github sha=merge"},
        {"{\"pull_request\": \"x\"}", "system=github sha=merge"},
        {"{\"head_commit\": {\"message\": \"line\\nline\"}}",
         "system=github sha=merge message=line\nline"},
        {"{\"head_commit\": null}", "system=github sha=merge"},
        {"{\"head_commit\": {\"message\": \"m\"}, \"pull_request\": {\"title\": \"t\"}}",
         "system=github sha=merge message=t"},
        {"{\"head_commit\": {\"message\": \"m\"}, \"pull_request\": {\"title\": \"\"}}",
         "system=github sha=merge message=m"},
    };
    char path[] = "/tmp/rungate-test-XXXXXX";
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    environment_now = base;
    event_path = path;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        FILE *f = fopen(path, "w");

        assert_non_null(f);
        fputs(rows[i].event, f);
        fclose(f);
        check(rows[i].event, NULL, rows[i].expected);
    }
    unlink(path);
    check("a file that is gone", NULL, "system=github sha=merge");
    event_path = "/";
    check("a folder", NULL, "system=github sha=merge");
    event_path = "";
    check("no name", NULL, "system=github sha=merge");
}

/* Names are there for all values; the list of systems names those that can be asked for. */
static void test_names(void **state)
{
    static const char *const nothing[] = {NULL};
    const char *p = ci_systems();

    (void)state;
    environment_now = nothing;
    event_path = NULL;
    assert_string_equal(ci_value_name(CI_SHA), "sha");
    assert_string_equal(ci_value_name(CI_PULL_REQUEST), "pull_request");
    assert_null(ci_value_name(CI_VALUE_COUNT));
    assert_null(ci_value_name(SIZE_MAX));
    while (*p) {
        size_t len = strcspn(p, ",");
        char *name = mem_strndup(p, len);
        struct ci ci;

        assert_int_equal(ci_read(&ci, name, look_up), 0);
        assert_string_equal(ci.values[CI_SYSTEM], name);
        ci_free(&ci);
        free(name);
        p += len + (p[len] ? 2 : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_systems),
        cmocka_unit_test(test_event),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests_name("ci", tests, NULL, NULL);
}
