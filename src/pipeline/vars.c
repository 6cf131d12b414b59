/* SPDX-License-Identifier: MIT */
/* Owns the replacement of variables. It must not know which values are secret. */
#include "base/base.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "pipeline/vars.h"

#include <ctype.h>

enum {
    FILE_MAX = 1 << 20, /* a token or a certificate, not a data set */
    DEPTH_MAX = 8       /* ${A:-${B:-...}} */
};

static const char by_define[] = "-D";

const char *vars_get(const struct vars *v, const char *name, const char **ret_origin)
{
    size_t len = strlen(name);
    const char *value = NULL;

    for (size_t i = 0; i < v->define_count; i++) {
        if (strncmp(v->defines[i], name, len) == 0 && v->defines[i][len] == '=')
            value = v->defines[i] + len + 1;
    }
    if (ret_origin)
        *ret_origin = value ? by_define : "the environment";
    return value ? value : v->getenv(name);
}

bool vars_is_name(const char *name, size_t len)
{
    if (!len || isdigit((unsigned char)name[0]))
        return false;
    for (size_t i = 0; i < len; i++) {
        if (name[i] != '_' && !isalnum((unsigned char)name[i]))
            return false;
    }
    return true;
}

void vars_used_init(struct vars_used *used)
{
    memset(used, 0, sizeof(*used));
    buf_init(&used->words, BUF_CAP_TEXT);
}

void vars_used_free(struct vars_used *used)
{
    buf_free(&used->words);
    free(used->loose_file);
}

static void note_variable(struct vars_used *used, const char *name, const char *origin)
{
    if (!used)
        return;
    buf_addf(&used->words, "%s${%s} of %s", used->words.len ? ", " : "", name, origin);
    used->defined = used->defined || origin == by_define;
}

static void note_file(struct vars_used *used, const char *path)
{
    unsigned mode = used && !used->loose_file ? file_loose_mode(path) : 0;

    if (!used)
        return;
    buf_addf(&used->words, "%sthe file %s", used->words.len ? ", " : "", path);
    if (mode) {
        used->loose_file = mem_strdup(path);
        used->loose_mode = mode;
    }
}

/* The '}' that closes the reference whose inside starts at p; NULL if there is none. */
static const char *closing_brace(const char *p)
{
    int depth = 1;

    for (; *p; p++) {
        if (p[0] == '$' && p[1] == '{')
            depth++;
        else if (*p == '}' && --depth == 0)
            return p;
    }
    return NULL;
}

static int expand(const struct vars *v, const char *text, struct buf *out, struct vars_used *used,
                  size_t *ret_offset, int depth, struct err *e);

static int add_file(const char *path, struct buf *out, struct vars_used *used, struct err *e)
{
    struct buf content;
    int rc = -1;

    buf_init(&content, FILE_MAX);
    if (file_read(path, &content, e))
        goto out;
    if (content.len && content.text[content.len - 1] == '\n')
        buf_truncate(&content, content.len - 1);
    if (content.len && content.text[content.len - 1] == '\r')
        buf_truncate(&content, content.len - 1);
    if (memchr(content.text, '\0', content.len) || !text_is_utf8(content.text, content.len)) {
        err_set(e, "%s does not hold text (UTF-8 without NUL bytes)", path);
        goto out;
    }
    buf_add(out, content.text, content.len);
    note_file(used, path);
    rc = 0;
out:
    buf_free(&content);
    return rc;
}

/* Expands one reference; inside is what stands between the braces. */
static int add_reference(const struct vars *v, const char *inside, struct buf *out,
                         struct vars_used *used, int depth, struct err *e)
{
    const char *fallback = strstr(inside, ":-");
    size_t name_len = fallback ? (size_t)(fallback - inside) : strlen(inside);
    const char *origin;
    const char *value;
    size_t offset;
    char *name;
    int rc = 0;

    if (text_starts(inside, "file:"))
        return add_file(inside + strlen("file:"), out, used, e);
    if (!vars_is_name(inside, name_len))
        return err_set(e,
                       "'${%s}' is not a variable: write ${NAME}, ${NAME:-text} or ${file:PATH}, "
                       "and $$ for a dollar",
                       inside);
    name = mem_strndup(inside, name_len);
    value = vars_get(v, name, &origin);
    if (value && (*value || !fallback)) {
        buf_adds(out, value);
        note_variable(used, name, origin);
    } else if (fallback) {
        rc = expand(v, fallback + 2, out, used, &offset, depth + 1, e);
    } else {
        rc = err_set(e,
                     "variable %s is not set: set it in the environment or with -D %s=VALUE, or "
                     "give a default, ${%s:-text}",
                     name, name, name);
    }
    free(name);
    return rc;
}

static int expand(const struct vars *v, const char *text, struct buf *out, struct vars_used *used,
                  size_t *ret_offset, int depth, struct err *e)
{
    for (const char *p = text; *p; p++) {
        const char *end;
        char *inside;
        int rc;

        *ret_offset = (size_t)(p - text);
        if (*p != '$' || (p[1] != '$' && p[1] != '{')) {
            buf_addc(out, *p);
            continue;
        }
        if (p[1] == '$') {
            buf_addc(out, *p++);
            continue;
        }
        end = closing_brace(p + 2);
        if (!end)
            return err_set(e, "'${' is not closed by '}'; write $$ for a dollar");
        if (depth == DEPTH_MAX)
            return err_set(e, "variables are nested too deep");
        inside = mem_strndup(p + 2, (size_t)(end - p - 2));
        rc = add_reference(v, inside, out, used, depth, e);
        free(inside);
        if (rc)
            return -1;
        p = end;
    }
    if (out->over)
        return err_set(e, "the value is larger than %zu bytes", out->cap);
    return 0;
}

int vars_expand(const struct vars *v, const char *text, struct buf *out, struct vars_used *used,
                size_t *ret_offset, struct err *e)
{
    return expand(v, text, out, used, ret_offset, 0, e);
}
