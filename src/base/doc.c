/* SPDX-License-Identifier: MIT */
/* Owns JSON: the only file that includes the JSON library. It must not know any provider. */
#include "base/base.h"

#include "base/doc.h"
#include "base/mem.h"
#include "base/text.h"

#include <jansson.h>

static json_t *raw(const struct doc *d)
{
    /* The library takes non-const values also where it only reads them. */
    return (json_t *)(uintptr_t)d;
}

/*
 * What is read comes from outside and may be of any size; what is built must not have gaps. The
 * library goes on reading when it finds no room for a byte, and leaves that out: once it was
 * starved it gets nothing more, and what it has read is worth nothing.
 */
static bool reading, starved;

static const char no_memory[] = "a document for which there is no memory";

static void *allocate(size_t size)
{
    void *p = starved ? NULL : mem_lend(NULL, size);

    if (!p && !reading)
        mem_exhausted();
    starved = !p;
    return p;
}

void doc_init(void)
{
    json_set_alloc_funcs(allocate, mem_take_back);
}

static struct doc *wrap(json_t *value)
{
    if (!value)
        value = json_null(); /* it cannot be built: a missing value must not become a verdict */
    return (struct doc *)value;
}

static int hex4(const char *p, size_t left, unsigned *ret)
{
    unsigned value = 0;

    if (left < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        const char *digits = "0123456789abcdef0123456789ABCDEF";
        const char *at = p[i] ? strchr(digits, p[i]) : NULL;

        if (!at)
            return -1;
        value = value << 4 | (unsigned)((at - digits) & 15);
    }
    *ret = value;
    return 0;
}

/*
 * JavaScript writes a broken string's lone surrogate as \udXXX, which the parser rejects with the
 * whole document. Each is replaced in place by \ufffd, which has the same length.
 */
static void mend_surrogates(char *text, size_t len)
{
    for (size_t i = 0; i + 1 < len; i++) {
        unsigned high, low;

        if (text[i] != '\\')
            continue;
        if (text[i + 1] != 'u' || hex4(text + i + 2, len - i - 2, &high)) {
            i++;
            continue;
        }
        if (high < 0xD800 || high > 0xDFFF) {
            i += 5;
            continue;
        }
        if (high < 0xDC00 && i + 7 < len && text[i + 6] == '\\' && text[i + 7] == 'u' &&
            !hex4(text + i + 8, len - i - 8, &low) && low >= 0xDC00 && low <= 0xDFFF) {
            i += 11;
            continue;
        }
        memcpy(text + i + 2, "fffd", 4);
        i += 5;
    }
}

/* The library quotes the text around a mistake; half a secret could stand there. */
static void set_error(json_error_t *error, struct err *e)
{
    char *near = strstr(error->text, " near '");

    if (near)
        *near = '\0';
    err_set(e, "not JSON: %s (line %d, column %d)", error->text, error->line, error->column);
}

static json_t *load(const char *text, size_t len, size_t flags, struct err *e)
{
    json_error_t error;
    json_t *value;

    reading = true;
    value = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | flags, &error);
    reading = false;
    if (starved) {
        starved = false;
        err_set(e, no_memory);
        json_decref(value);
        return NULL;
    }
    if (!value)
        set_error(&error, e);
    return value;
}

struct doc *doc_parse(const char *text, size_t len, struct err *e)
{
    json_t *value;
    char *copy;

    if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
        text += 3;
        len -= 3;
    }
    /* The library skips a NUL behind a number, so that two readers could see two documents. */
    if (len && memchr(text, '\0', len)) {
        err_set(e, "not JSON: it holds a NUL byte");
        return NULL;
    }
    copy = mem_try(NULL, len);
    if (!copy) {
        err_set(e, no_memory);
        return NULL;
    }
    memcpy(copy, text, len);
    mend_surrogates(copy, len);
    value = load(copy, len, 0, e);
    mem_wipe(copy, len);
    free(copy);
    return (struct doc *)value;
}

struct doc *doc_parse_value(const char *text, struct err *e)
{
    return (struct doc *)load(text, strlen(text), JSON_DECODE_ANY, e);
}

void doc_free(struct doc *d)
{
    json_decref(raw(d));
}

enum doc_type doc_type(const struct doc *d)
{
    if (!d)
        return DOC_NONE;
    switch (json_typeof(raw(d))) {
    case JSON_OBJECT:
        return DOC_OBJECT;
    case JSON_ARRAY:
        return DOC_ARRAY;
    case JSON_STRING:
        return DOC_STRING;
    case JSON_INTEGER:
        return DOC_INTEGER;
    case JSON_REAL:
        return DOC_REAL;
    case JSON_TRUE:
    case JSON_FALSE:
        return DOC_BOOLEAN;
    case JSON_NULL:
        return DOC_NULL;
    }
    return DOC_NONE;
}

int doc_pointer_check(const char *pointer, struct err *e)
{
    if (*pointer && *pointer != '/')
        return err_set(e, "'%s' is not a JSON Pointer: it must start with '/'", pointer);
    for (const char *p = pointer; *p; p++) {
        if (*p == '~' && p[1] != '0' && p[1] != '1')
            return err_set(e, "'%s' is not a JSON Pointer: '~' stands only in '~0' and '~1'",
                           pointer);
    }
    return 0;
}

/* Reads the token behind the '/' at *p into token and moves *p to the next '/' or the end. */
static void next_token(const char **p, struct buf *token)
{
    buf_clear(token);
    for ((*p)++; **p && **p != '/'; (*p)++) {
        if (**p == '~') {
            (*p)++;
            buf_addc(token, **p == '1' ? '/' : '~');
        } else {
            buf_addc(token, **p);
        }
    }
}

/* RFC 6901: digits without a leading zero; "-" and everything else match no element. */
static const struct doc *element(const struct doc *array, const char *token)
{
    size_t digits = strspn(token, "0123456789");

    if (!digits || token[digits] || digits > 9 || (token[0] == '0' && digits > 1))
        return NULL;
    return doc_item(array, (size_t)strtoul(token, NULL, 10));
}

const struct doc *doc_at(const struct doc *d, const char *pointer)
{
    struct buf token;

    buf_init(&token, BUF_CAP_TEXT);
    while (d && *pointer) {
        next_token(&pointer, &token);
        if (doc_type(d) == DOC_OBJECT)
            d = (const struct doc *)json_object_get(raw(d), token.text);
        else if (doc_type(d) == DOC_ARRAY)
            d = element(d, token.text);
        else
            d = NULL;
    }
    buf_free(&token);
    return d;
}

size_t doc_size(const struct doc *d)
{
    if (doc_type(d) == DOC_ARRAY)
        return json_array_size(raw(d));
    return doc_type(d) == DOC_OBJECT ? json_object_size(raw(d)) : 0;
}

const struct doc *doc_item(const struct doc *array, size_t i)
{
    return (const struct doc *)json_array_get(raw(array), i);
}

/* A NUL, which JSON writes as \u0000, would end the text early for whoever compares it. */
static void add_string(struct buf *b, const char *text, size_t len)
{
    const char *nul;

    while ((nul = memchr(text, '\0', len))) {
        buf_add(b, text, (size_t)(nul - text));
        text_encode(b, 0xFFFD);
        len -= (size_t)(nul - text) + 1;
        text = nul + 1;
    }
    buf_add(b, text, len);
}

bool doc_add_text(struct buf *b, const struct doc *d)
{
    switch (doc_type(d)) {
    case DOC_STRING:
        add_string(b, json_string_value(raw(d)), json_string_length(raw(d)));
        return true;
    case DOC_INTEGER:
        buf_addf(b, "%" JSON_INTEGER_FORMAT, json_integer_value(raw(d)));
        return true;
    case DOC_REAL:
        doc_print(b, d, 0);
        return true;
    case DOC_BOOLEAN:
        buf_adds(b, json_is_true(raw(d)) ? "true" : "false");
        return true;
    case DOC_NONE:
    case DOC_NULL:
    case DOC_ARRAY:
    case DOC_OBJECT:
        break;
    }
    return false;
}

struct doc *doc_new_object(void)
{
    return wrap(json_object());
}

struct doc *doc_new_array(void)
{
    return wrap(json_array());
}

struct doc *doc_new_string(const char *text)
{
    struct buf b;
    struct doc *d;

    if (!text)
        return wrap(json_null());
    buf_init(&b, BUF_CAP_TEXT);
    for (size_t len = strlen(text); len;) {
        uint32_t c = 0xFFFD;
        size_t used = text_decode(text, len, &c);

        text_encode(&b, c);
        text += used ? used : 1;
        len -= used ? used : 1;
    }
    d = wrap(json_stringn(b.text, b.len));
    buf_free(&b);
    return d;
}

struct doc *doc_new_integer(int64_t value)
{
    return wrap(json_integer(value));
}

struct doc *doc_new_boolean(bool value)
{
    return wrap(json_boolean(value));
}

struct doc *doc_new_seconds(int64_t ms)
{
    return wrap(ms < 0 ? json_null() : json_real((double)ms / 1000.0));
}

void doc_set_member(struct doc *object, const char *key, struct doc *value)
{
    json_object_set_new(raw(object), key, raw(value));
}

void doc_append(struct doc *array, struct doc *value)
{
    json_array_append_new(raw(array), raw(value));
}

int doc_set(struct doc *root, const char *pointer, struct doc *value, struct err *e)
{
    json_t *at = raw(root);
    const char *p = pointer;
    struct buf token;
    int rc = -1;

    buf_init(&token, BUF_CAP_TEXT);
    if (!*pointer) {
        err_set(e, "the empty pointer names the whole body");
        goto out;
    }
    for (;;) {
        json_t *next;

        if (!json_is_object(at)) {
            err_set(e, "'%s' leads through a value that is not an object", pointer);
            goto out;
        }
        next_token(&p, &token);
        if (!*p)
            break;
        next = json_object_get(at, token.text);
        if (!next) {
            next = json_object();
            if (json_object_set_new(at, token.text, next)) {
                err_set(e, "'%s' could not be set", pointer);
                goto out;
            }
        }
        at = next;
    }
    rc = json_object_set(at, token.text, raw(value));
    if (rc)
        err_set(e, "'%s' could not be set", pointer);
out:
    doc_free(value);
    buf_free(&token);
    return rc;
}

static int change_strings(json_t **at, doc_change_fn *change, void *user)
{
    json_t *value;
    const char *key;
    size_t i;

    if (json_is_string(*at)) {
        char *text = change(user, json_string_value(*at));

        if (!text)
            return -1;
        json_decref(*at);
        *at = raw(doc_new_string(text));
        mem_forget(text);
    } else if (json_is_array(*at)) {
        json_array_foreach(*at, i, value) {
            json_incref(value);
            if (change_strings(&value, change, user) || json_array_set(*at, i, value)) {
                json_decref(value);
                return -1;
            }
            json_decref(value);
        }
    } else if (json_is_object(*at)) {
        json_object_foreach(*at, key, value) {
            json_incref(value);
            if (change_strings(&value, change, user) || json_object_set(*at, key, value)) {
                json_decref(value);
                return -1;
            }
            json_decref(value);
        }
    }
    return 0;
}

int doc_change_strings(struct doc **d, doc_change_fn *change, void *user)
{
    json_t *value = raw(*d);
    int rc = change_strings(&value, change, user);

    *d = wrap(value);
    return rc;
}

static int add_chunk(const char *chunk, size_t size, void *data)
{
    buf_add(data, chunk, size);
    return 0;
}

void doc_print(struct buf *b, const struct doc *d, int indent)
{
    size_t flags = JSON_ENCODE_ANY | JSON_REAL_PRECISION(15) |
                   (indent ? JSON_INDENT((size_t)indent) : JSON_COMPACT);

    json_dump_callback(raw(d), add_chunk, b, flags);
}
