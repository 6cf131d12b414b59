/* SPDX-License-Identifier: MIT */
/* Owns the list of secrets and their starring. It must not print, log or return one. */
#include "base/base.h"

#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"

#include <ctype.h>

/* Five times escaped, a backslash is 32 of them. What has more is compared as it is only. */
enum { SLASHES_MAX = 32 };

static struct {
    struct secret {
        char *text;
        size_t len;
    } *items;
    size_t count, cap;
    bool begins[256]; /* a secret, however written, can begin with this byte; with most none does */
} known;

static void remember(const char *form)
{
    if (strlen(form) < SECRET_MIN)
        return;
    for (size_t i = 0; i < known.count; i++) {
        if (strcmp(known.items[i].text, form) == 0)
            return;
    }
    known.items = mem_grow(known.items, &known.cap, known.count, sizeof(*known.items));
    known.items[known.count++] = (struct secret){mem_strdup(form), strlen(form)};
    known.begins[(unsigned char)*form] = true;
    known.begins['%'] = known.begins['\\'] = true;
    known.begins['+'] = known.begins['+'] || *form == ' ';
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
    struct buf form;

    if (strlen(value) < SECRET_MIN)
        return;
    buf_init(&form, BUF_CAP_TEXT);
    remember(value);
    /* A few Base64 characters of a short secret would match ordinary words. */
    for (size_t skip = 0; skip < 3 && strlen(value) >= 2 * SECRET_MIN; skip++) {
        for (size_t i = 0; i < ARRAY_LEN(alphabets); i++) {
            add_base64(&form, value, skip, alphabets[i]);
            remember(form.text);
            buf_clear(&form);
        }
    }
    buf_free(&form);
}

/* --- ways to write a secret ----------------------------------------------------------------- */

/* What is left of a secret, and of the text that is compared with it. */
struct walk {
    const char *secret;
    const char *text, *end;
};

/* What the beginnings of both are: not the same; the same, and behind w; cut off by the end. */
enum step { STEP_OTHER, STEP_SAME, STEP_CUT };

static enum step take(struct walk *w, bool same, size_t of_secret, size_t of_text)
{
    w->secret += of_secret;
    w->text += of_text;
    return same ? STEP_SAME : STEP_OTHER;
}

static enum step step_plain(struct walk *w)
{
    return take(w, *w->text == *w->secret, 1, 1);
}

/* The value of count digits; -1 if they are no digits. */
static int32_t hex_at(const char *p, size_t count)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    int32_t value = 0;

    for (size_t i = 0; i < count; i++) {
        const char *digit = p[i] ? strchr(digits, p[i]) : NULL;

        if (!digit)
            return -1;
        value = value * 16 + (int32_t)((digit - digits) % 16);
    }
    return value;
}

/* RFC 3986, whichever bytes the writer chose to encode; "+" is a blank in a form. */
static enum step step_percent(struct walk *w)
{
    if (*w->text != '%')
        return take(w, *w->text == *w->secret || (*w->text == '+' && *w->secret == ' '), 1, 1);
    if (w->end - w->text < 3)
        return STEP_CUT;
    return take(w, hex_at(w->text + 1, 2) == (unsigned char)*w->secret, 1, 3);
}

/* One UTF-16 unit, "u" and four digits. */
static enum step step_unit(struct walk *w, uint32_t unit, size_t of_secret)
{
    if (*w->text == 'u' && w->end - w->text < 5)
        return STEP_CUT;
    return take(w, *w->text == 'u' && hex_at(w->text + 1, 4) == (int32_t)unit, of_secret, 5);
}

/*
 * A string of JSON, whichever characters the writer chose to escape; or one within a string of
 * JSON, and so on: each time the backslashes before a character become more.
 */
static enum step step_json(struct walk *w)
{
    static const char named[] = "\b\f\n\r\t";
    static const char names[] = "bfnrt";
    size_t slashes = 0, own = strspn(w->secret, "\\"), used;
    const char *name;
    uint32_t c = 0;

    while (w->text + slashes < w->end && w->text[slashes] == '\\')
        slashes++;
    if (!slashes)
        return step_plain(w);
    if (own && w->end - w->text >= (ptrdiff_t)slashes + 5 && w->text[slashes] == 'u' &&
        hex_at(w->text + slashes + 1, 4) == '\\')
        return take(w, true, 1, slashes + 5);
    if (slashes < own)
        return w->text + slashes == w->end ? STEP_CUT : STEP_OTHER;
    take(w, true, own, slashes);
    if (!*w->secret)
        return STEP_SAME;
    if (w->text == w->end)
        return STEP_CUT;
    used = text_decode(w->secret, strnlen(w->secret, 4), &c);
    name = strchr(named, *w->secret);
    if (name && *w->text == names[name - named])
        return take(w, true, 1, 1);
    if (*w->text == *w->secret && (own || !isalnum((unsigned char)*w->text)))
        return take(w, true, 1, 1);
    if (used && c >= 0x10000) {
        enum step high = step_unit(w, 0xD800 + ((c - 0x10000) >> 10), 0);

        while (w->text < w->end && *w->text == '\\')
            w->text++;
        if (high != STEP_SAME || w->text == w->end)
            return high == STEP_OTHER ? STEP_OTHER : STEP_CUT;
        c = 0xDC00 + ((c - 0x10000) & 0x3FF);
    }
    return used ? step_unit(w, c, used) : STEP_OTHER;
}

/* The last is left out where a long row of backslashes would be walked from each of its places. */
static enum step (*const steps[])(struct walk *) = {step_plain, step_percent, step_json};

static size_t steps_for(const char *p, size_t left)
{
    size_t slashes = 0;

    while (slashes < left && slashes <= SLASHES_MAX && p[slashes] == '\\')
        slashes++;
    return ARRAY_LEN(steps) - (slashes > SLASHES_MAX ? 1 : 0);
}

/*
 * The length of the longest secret of at least min_len bytes that starts at p, however it is
 * written; 0 if none does. With cut, one counts too that the end of the text cuts off.
 */
static size_t match_at(const char *p, size_t left, size_t min_len, bool cut)
{
    size_t longest = 0, count;

    if (!left || !known.begins[(unsigned char)*p])
        return 0;
    count = steps_for(p, left);
    for (size_t i = 0; i < known.count; i++) {
        for (size_t k = 0; k < count && known.items[i].len >= min_len; k++) {
            struct walk w = {known.items[i].text, p, p + left};
            enum step step = STEP_SAME;
            size_t len;

            while (step == STEP_SAME && *w.secret)
                step = w.text < w.end ? steps[k](&w) : STEP_CUT;
            len = step == STEP_SAME                                           ? (size_t)(w.text - p)
                  : step == STEP_CUT && cut && w.secret > known.items[i].text ? left
                                                                              : 0;
            longest = len > longest ? len : longest;
        }
    }
    return longest;
}

/* --- starring ------------------------------------------------------------------------------- */

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
        size_t end = at + match_at(text->text + at, text->len - at, 0, false);
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
            size_t other = at + match_at(text->text + at, text->len - at, 0, false);

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
    secret_redact(text);
    for (size_t at = 0; at + SECRET_MIN <= text->len; at++) {
        if (match_at(text->text + at, text->len - at, 0, true)) {
            buf_truncate(text, at);
            buf_adds(text, "***");
            return;
        }
    }
}

bool secret_occurs(const char *text, size_t min_len)
{
    for (size_t left = strlen(text); left; text++, left--) {
        if (match_at(text, left, min_len, false))
            return true;
    }
    return false;
}

void secret_clear(void)
{
    for (size_t i = 0; i < known.count; i++)
        mem_forget(known.items[i].text);
    free(known.items);
    memset(&known, 0, sizeof(known));
}
