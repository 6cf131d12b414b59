/* SPDX-License-Identifier: MIT */
/* Owns the list of secrets and their starring. It must not print, log or return one. */
#include "base/base.h"

#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"

static struct {
    char **items; /* longest first, so that a secret inside another does not hide its rest */
    size_t count, cap;
    bool begins[256]; /* a secret begins with this byte; with most bytes none does */
} known;

static void remember(const char *form)
{
    size_t at = 0;
    size_t len = strlen(form);

    if (len < SECRET_MIN)
        return;
    for (size_t i = 0; i < known.count; i++) {
        if (strcmp(known.items[i], form) == 0)
            return;
    }
    known.items = mem_grow(known.items, &known.cap, known.count, sizeof(*known.items));
    while (at < known.count && strlen(known.items[at]) >= len)
        at++;
    memmove(known.items + at + 1, known.items + at, (known.count - at) * sizeof(*known.items));
    known.items[at] = mem_strdup(form);
    known.count++;
    known.begins[(unsigned char)*form] = true;
}

/* RFC 3986: all but the unreserved characters. */
static void add_percent(struct buf *b, const char *text, const char *digits)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    for (const char *p = text; *p; p++) {
        if (strchr(plain, *p))
            buf_addc(b, *p);
        else
            buf_addf(b, "%%%c%c", digits[(unsigned char)*p >> 4], digits[*p & 15]);
    }
}

/* One UTF-16 unit as JSON escapes it. */
static void add_unit(struct buf *b, uint32_t unit, bool upper)
{
    buf_addf(b, upper ? "\\u%04X" : "\\u%04x", (unsigned)unit);
}

/* In what the writers of JSON differ; each is a bit. */
enum json_way { JSON_SLASH = 1, JSON_ASCII = 2, JSON_UPPER = 4, JSON_WAYS = 8 };

/*
 * What stands between the quotes of a JSON string. Some writers escape the slash, some everything
 * beyond ASCII, and some write the digits of an escape in upper case.
 */
static void add_json(struct buf *b, const char *text, unsigned ways)
{
    static const char named[] = "\"\\\b\f\n\r\t";
    static const char names[] = "\"\\bfnrt";
    bool slash = ways & JSON_SLASH;
    bool ascii = ways & JSON_ASCII;
    bool upper = ways & JSON_UPPER;
    size_t used;

    for (size_t len = strlen(text); len; text += used, len -= used) {
        const char *name = strchr(named, *text);
        uint32_t c = 0;

        used = text_decode(text, len, &c);
        if (name) {
            buf_addc(b, '\\');
            buf_addc(b, names[name - named]);
        } else if (used && (c < 0x20 || (ascii && c > 0x7F && c < 0x10000))) {
            add_unit(b, c, upper);
        } else if (used && ascii && c >= 0x10000) {
            add_unit(b, 0xD800 + ((c - 0x10000) >> 10), upper);
            add_unit(b, 0xDC00 + ((c - 0x10000) & 0x3FF), upper);
        } else {
            used = used ? used : 1;
            buf_adds(b, slash && *text == '/' ? "\\" : "");
            buf_add(b, text, used);
        }
    }
}

/*
 * RFC 4648 Base64 of the text as it stands behind skip other bytes, less the characters at both
 * ends that depend on the neighbours: so "user:TOKEN" in Base64 is recognised too.
 */
static void add_base64(struct buf *b, const char *text, size_t skip, const char *alphabet)
{
    size_t len = strlen(text);
    size_t first = skip == 0 ? 0 : skip == 1 ? 2 : 3;
    size_t sextets = (skip + len) * 8 / 6;

    for (size_t i = first; i < sextets; i++) {
        unsigned value = 0;

        for (size_t bit = i * 6; bit < i * 6 + 6; bit++) {
            size_t byte = bit / 8 - skip;

            value = value << 1 | ((unsigned char)text[byte] >> (7 - bit % 8) & 1u);
        }
        buf_addc(b, alphabet[value]);
    }
}

void secret_add(const char *value)
{
    static const char *const alphabets[] = {
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"};
    struct buf form, again;

    if (strlen(value) < SECRET_MIN)
        return;
    buf_init(&form, BUF_CAP_TEXT);
    buf_init(&again, BUF_CAP_TEXT);
    remember(value);
    for (int lower = 0; lower < 2; lower++) {
        add_percent(&form, value, lower ? "0123456789abcdef" : "0123456789ABCDEF");
        remember(form.text);
        buf_clear(&form);
    }
    for (unsigned ways = 0; ways < JSON_WAYS; ways++) {
        add_json(&form, value, ways);
        remember(form.text);
        /* An error in JSON likes to quote another, as a string. */
        for (unsigned outer = 0; outer < JSON_WAYS; outer++) {
            add_json(&again, form.text, outer);
            remember(again.text);
            buf_clear(&again);
        }
        buf_clear(&form);
    }
    /* A few Base64 characters of a short secret would match ordinary words. */
    for (size_t skip = 0; skip < 3 && strlen(value) >= 2 * SECRET_MIN; skip++) {
        for (size_t i = 0; i < ARRAY_LEN(alphabets); i++) {
            add_base64(&form, value, skip, alphabets[i]);
            remember(form.text);
            buf_clear(&form);
        }
    }
    buf_free(&form);
    buf_free(&again);
}

/* The length of the longest secret that starts at p; 0 if none does. */
static size_t match_at(const char *p, size_t left)
{
    if (!left || !known.begins[(unsigned char)*p])
        return 0;
    for (size_t i = 0; i < known.count; i++) {
        size_t len;

        if (known.items[i][0] != *p)
            continue;
        len = strlen(known.items[i]);
        if (len <= left && memcmp(known.items[i], p, len) == 0)
            return len;
    }
    return 0;
}

/* A byte of UTF-8 that is not the first of its character. */
static bool is_inside(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

void secret_redact(struct buf *text)
{
    struct buf out;
    size_t copied = 0;

    buf_init(&out, text->cap);
    for (size_t at = 0; known.count && at < text->len;) {
        size_t end = at + match_at(text->text + at, text->len - at);
        size_t keep;

        if (end == at) {
            at++;
            continue;
        }
        /* Whole characters go: a secret that is not UTF-8 must leave no piece of one behind. */
        keep = at;
        while (keep > copied && is_inside(text->text[keep]))
            keep--;
        buf_add(&out, text->text + copied, keep - copied);
        buf_adds(&out, "***");
        /* A secret that starts inside this one and goes beyond it: its tail is secret too. */
        for (; at < end; at++) {
            size_t other = at + match_at(text->text + at, text->len - at);

            end = other > end ? other : end;
        }
        while (at < text->len && is_inside(text->text[at]))
            at++;
        copied = at;
    }
    if (!copied) {
        buf_free(&out);
        return;
    }
    buf_add(&out, text->text + copied, text->len - copied);
    out.over = text->over;
    buf_free(text);
    *text = out;
}

void secret_redact_cut(struct buf *text)
{
    size_t longest = 0;

    secret_redact(text);
    for (size_t i = 0; i < known.count; i++) {
        size_t len = strlen(known.items[i]);

        len = len < text->len ? len : text->len;
        while (len >= SECRET_MIN &&
               memcmp(text->text + text->len - len, known.items[i], len) != 0)
            len--;
        if (len >= SECRET_MIN && len > longest)
            longest = len;
    }
    if (longest) {
        buf_truncate(text, text->len - longest);
        buf_adds(text, "***");
    }
}

bool secret_occurs(const char *text, size_t min_len)
{
    for (size_t i = 0; i < known.count; i++) {
        if (strlen(known.items[i]) >= min_len && strstr(text, known.items[i]))
            return true;
    }
    return false;
}

void secret_clear(void)
{
    for (size_t i = 0; i < known.count; i++)
        mem_forget(known.items[i]);
    free(known.items);
    memset(&known, 0, sizeof(known));
}
