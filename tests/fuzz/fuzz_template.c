/* SPDX-License-Identifier: MIT */
/*
 * The small languages: templates, URLs, JSON Pointers, rules, ids, durations, numbers, timestamps.
 * The whole input is given to each.
 */
#include "base/base.h"

#include "base/clock.h"
#include "base/doc.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "net/http.h"
#include "provider/reply.h"
#include "provider/rule.h"
#include "provider/template.h"
#include "world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int any_name(void *user, const char *name, struct err *e)
{
    (void)user;
    (void)e;
    MUST(*name && !strpbrk(name, "{}"));
    return 0;
}

static const char *value_of(void *user, const char *name)
{
    (void)name;
    return user;
}

static void check_template(const char *text)
{
    struct err e = {""};
    bool good = !template_check(text, any_name, NULL, &e);
    char *sole = template_sole_name(text);
    char plain[] = "value";
    struct buf out;

    MUST(good ? !e.text[0] : e.text[0]);
    buf_init(&out, BUF_CAP_TEXT);
    for (int escape = ESCAPE_NONE; escape <= ESCAPE_HEADER; escape++) {
        struct err own = {""};
        enum template_result result =
            template_expand(text, value_of, plain, (enum template_escape)escape, &out, &own);

        MUST((result == TEMPLATE_DONE) == good);
        MUST((result == TEMPLATE_FAILED) == (own.text[0] != '\0'));
        MUST(good || !out.len);
        MUST(!sole || strcmp(out.text, plain) == 0);
        buf_clear(&out);
    }
    free(sole);
    buf_free(&out);
}

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The text as a value: percent-encoded it can be told from no other, and starts no header line. */
static void check_value(char *text)
{
    struct err e = {""};
    struct buf out, back;

    buf_init(&out, BUF_CAP_TEXT);
    buf_init(&back, BUF_CAP_TEXT);
    if (template_expand("{x}", value_of, text, ESCAPE_PERCENT, &out, &e) == TEMPLATE_DONE) {
        for (const char *p = out.text; *p; p++) {
            if (*p == '%') {
                MUST(hex(p[1]) >= 0 && hex(p[2]) >= 0);
                buf_addc(&back, (char)(hex(p[1]) << 4 | hex(p[2])));
                p += 2;
            } else {
                MUST(*p > ' ' && *p < 0x7F && !strchr("/?#%&=+:@\\", *p));
                buf_addc(&back, *p);
            }
        }
        MUST(strcmp(back.text, text) == 0);
    } else {
        MUST(strcmp(text, ".") == 0 || strcmp(text, "..") == 0);
    }
    buf_clear(&out);
    e.text[0] = '\0';
    if (template_expand("{x}", value_of, text, ESCAPE_HEADER, &out, &e) == TEMPLATE_DONE)
        MUST(!strpbrk(out.text, "\r\n\x7f"));
    buf_free(&out);
    buf_free(&back);
}

/* Said once more, apart from the program: an address of this machine, or its name. */
static bool is_this_machine(const char *host)
{
    return strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
           (text_starts(host, "127.") && !host[strspn(host, "0123456789.")]);
}

static void check_url(const char *text)
{
    struct err e = {""}, none = {""};
    struct buf origin, host, again;

    buf_init(&origin, BUF_CAP_TEXT);
    buf_init(&host, BUF_CAP_TEXT);
    buf_init(&again, BUF_CAP_TEXT);
    if (http_url_check(text, &origin, &host, &e)) {
        MUST(e.text[0]);
    } else {
        MUST(text_starts(origin.text, "https://") ||
             (text_starts(origin.text, "http://") && is_this_machine(host.text)));
        MUST(!http_url_is_loopback(text) || is_this_machine(host.text));
        MUST(host.len && !strpbrk(host.text, "@/?# \r\n"));
        MUST(strstr(origin.text, host.text) && strrchr(origin.text, ':'));
        MUST(!http_url_check(origin.text, &again, NULL, &none));
        MUST(strcmp(origin.text, again.text) == 0);
    }
    buf_free(&origin);
    buf_free(&host);
    buf_free(&again);
}

static void check_pointer(const char *text)
{
    enum { KEY_MAX = 49 }; /* a body's pointer is part of a key, and those are no longer */
    static const char sample[] = "{\"\": {\"a\": [1, [2]]}, \"a/b\": {\"~\": null}, \"10\": [[]]}";
    struct err e = {""};
    struct doc *d = doc_parse(sample, strlen(sample), &e);
    struct doc *root = doc_new_object();
    struct buf out;

    buf_init(&out, BUF_CAP_TEXT);
    if (doc_pointer_check(text, &e)) {
        MUST(e.text[0] && *text);
    } else {
        doc_at(d, text);
        /* What is put somewhere is found there. */
        if (strlen(text) > KEY_MAX)
            goto out;
        MUST(!doc_set(root, text, doc_new_string("here"), &e) ==
             (*text && text_is_utf8(text, strlen(text))));
        if (!e.text[0])
            MUST(doc_add_text(&out, doc_at(root, text)) && strcmp(out.text, "here") == 0);
    }
out:
    buf_free(&out);
    doc_free(d);
    doc_free(root);
}

static void check_rule(const char *text)
{
    struct conditions conditions = {0};
    struct rules rules = {.file = "rules"};
    struct diags d = {0};
    struct err e = {""}, own = {""};
    struct doc *empty = doc_new_object();

    if (conditions_parse(&conditions, text, SUBJECT_POINTER, &e))
        MUST(e.text[0]);
    if (rule_parse(&rules, text, 1, &own)) {
        MUST(own.text[0]);
    } else {
        const struct rule *rule = rules_match(&rules, empty);

        rules_check(&rules, &d);
        MUST(d.count || !rule || rule->outcome != OUTCOME_PASSED);
        MUST(rules.items[0].outcome != OUTCOME_UNKNOWN);
    }
    conditions_free(&conditions);
    rules_free(&rules);
    diags_free(&d);
    doc_free(empty);
}

static void check_numbers(const char *text)
{
    struct err e = {""};
    int64_t number, again;
    struct buf out;
    bool truth;

    buf_init(&out, BUF_CAP_TEXT);
    if (!num_integer(text, -INT64_MAX, INT64_MAX, &number)) {
        buf_addf(&out, "%" PRId64, number);
        MUST(!num_integer(out.text, number, number, &again) && again == number);
        buf_clear(&out);
    }
    if (!num_duration(text, &number)) {
        MUST(number >= 0 && number <= DURATION_MAX);
        num_add_duration(&out, number);
        MUST(out.len && out.len < 20);
        buf_clear(&out);
    }
    if (!num_bytes(text, &number))
        MUST(number >= 1);
    if (!num_boolean(text, &truth))
        MUST(strlen(text) <= 5);
    /* Times that a clock can show come back as they were; others only have to be sane. */
    if (!clock_parse_iso(text, &number) && number >= 0 && number < 253402300800000) {
        clock_add_iso(&out, number, true);
        MUST(!clock_parse_iso(out.text, &again) && again == number);
    }
    if (reply_check_id(text, &e))
        MUST(e.text[0]);
    else
        MUST(strlen(text) <= ID_MAX && !strpbrk(text, "/?#%\\\r\n "));
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = mem_strndup((const char *)data, size);

    check_template(text);
    check_value(text);
    check_url(text);
    check_pointer(text);
    check_rule(text);
    check_numbers(text);
    free(text);
    return 0;
}
