/* SPDX-License-Identifier: MIT */
/* Owns the replacement of names in templates. It must not know where values come from. */
#include "base/base.h"

#include "base/mem.h"
#include "provider/template.h"

/*
 * Walks over a template. Returns the next piece: literal text (*ret_name false) or a name
 * (*ret_name true), as a copy to free; NULL at the end, or with err if the form is wrong.
 */
static char *next_piece(const char **p, bool *ret_name, struct err *e)
{
    const char *start = *p;
    size_t len;

    *ret_name = false;
    if (!*start)
        return NULL;
    if ((start[0] == '{' || start[0] == '}') && start[1] == start[0]) {
        *p += 2;
        return mem_strndup(start, 1);
    }
    if (*start == '}') {
        err_set(e, "'}' stands alone; write '}}' for a brace");
        return NULL;
    }
    if (*start != '{') {
        len = strcspn(start, "{}");
        *p += len;
        return mem_strndup(start, len);
    }
    len = strcspn(start + 1, "{}");
    if (start[1 + len] != '}' || !len) {
        err_set(e, "'{' is not closed by '}' behind a name; write '{{' for a brace");
        return NULL;
    }
    *p += len + 2;
    *ret_name = true;
    return mem_strndup(start + 1, len);
}

int template_check(const char *template, template_name_fn *each, void *user, struct err *e)
{
    struct err own = {""};
    bool is_name;
    char *piece;
    int rc = 0;

    while ((piece = next_piece(&template, &is_name, &own))) {
        if (is_name && each(user, piece, &own))
            rc = -1;
        free(piece);
        if (rc)
            break;
    }
    return own.text[0] ? err_set(e, "%s", own.text) : 0;
}

void template_add_percent(struct buf *out, const char *text)
{
    static const char unreserved[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    for (; *text; text++) {
        if (strchr(unreserved, *text))
            buf_addc(out, *text);
        else
            buf_addf(out, "%%%02X", (unsigned char)*text);
    }
}

static int add_value(struct buf *out, const char *value, enum template_escape escape,
                     const char *name, struct err *e)
{
    if (escape == ESCAPE_PERCENT) {
        if (strcmp(value, ".") == 0 || strcmp(value, "..") == 0)
            return err_set(e, "'%s' of {%s} would change the path", value, name);
        template_add_percent(out, value);
        return 0;
    }
    for (const char *p = value; *p && escape == ESCAPE_HEADER; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7F)
            return err_set(e, "the value of {%s} holds a control character or a line end", name);
    }
    buf_adds(out, value);
    return 0;
}

enum template_result template_expand(const char *template, template_value_fn *value, void *user,
                                     enum template_escape escape, struct buf *out, struct err *e)
{
    enum template_result result = TEMPLATE_DONE;
    size_t start = out->len;
    struct err own = {""};
    bool is_name;
    char *piece;

    while (result == TEMPLATE_DONE && (piece = next_piece(&template, &is_name, &own))) {
        const char *text = is_name ? value(user, piece) : NULL;

        if (!is_name)
            buf_adds(out, piece);
        else if (!text)
            result = TEMPLATE_UNSET;
        else
            add_value(out, text, escape, piece, &own);
        free(piece);
        if (own.text[0])
            break;
    }
    if (own.text[0]) {
        err_set(e, "%s", own.text);
        result = TEMPLATE_FAILED;
    }
    if (result != TEMPLATE_DONE)
        buf_truncate(out, start);
    return result;
}

char *template_sole_name(const char *template)
{
    size_t len = strlen(template);

    if (len < 3 || template[0] != '{' || template[len - 1] != '}' ||
        strcspn(template + 1, "{}") != len - 2)
        return NULL;
    return mem_strndup(template + 1, len - 2);
}
