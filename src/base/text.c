/* SPDX-License-Identifier: MIT */
/* Owns the rules for text from outside. It must not know where the text goes. */
#include "base/base.h"

#include "base/mem.h"
#include "base/text.h"

enum { REPLACEMENT = 0xFFFD, ESCAPE = 0x1B };

size_t text_decode(const char *p, size_t len, uint32_t *ret)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *u = (const unsigned char *)p;
    size_t need;
    uint32_t c;

    if (!len)
        return 0;
    if (u[0] < 0x80) {
        *ret = u[0];
        return 1;
    }
    need = u[0] >= 0xF0 ? 4 : u[0] >= 0xE0 ? 3 : 2;
    if (u[0] < 0xC2 || u[0] > 0xF4 || len < need)
        return 0;
    c = u[0] & (0xFFu >> (need + 1));
    for (size_t i = 1; i < need; i++) {
        if ((u[i] & 0xC0) != 0x80)
            return 0;
        c = c << 6 | (u[i] & 0x3F);
    }
    if (c < smallest[need] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
        return 0;
    *ret = c;
    return need;
}

void text_encode(struct buf *b, uint32_t c)
{
    if (c < 0x80) {
        buf_addc(b, (char)c);
    } else if (c < 0x800) {
        buf_addc(b, (char)(0xC0 | c >> 6));
        buf_addc(b, (char)(0x80 | (c & 0x3F)));
    } else if (c < 0x10000) {
        buf_addc(b, (char)(0xE0 | c >> 12));
        buf_addc(b, (char)(0x80 | (c >> 6 & 0x3F)));
        buf_addc(b, (char)(0x80 | (c & 0x3F)));
    } else {
        buf_addc(b, (char)(0xF0 | c >> 18));
        buf_addc(b, (char)(0x80 | (c >> 12 & 0x3F)));
        buf_addc(b, (char)(0x80 | (c >> 6 & 0x3F)));
        buf_addc(b, (char)(0x80 | (c & 0x3F)));
    }
}

bool text_is_utf8(const char *p, size_t len)
{
    uint32_t c;
    size_t n;

    for (; len; p += n, len -= n) {
        n = text_decode(p, len, &c);
        if (!n)
            return false;
    }
    return true;
}

/*
 * The length of the escape sequence that starts at p, which points at ESC (ECMA-48: CSI, the
 * strings OSC, DCS, SOS, PM and APC up to ST or BEL, and the two- and three-byte forms). A
 * sequence that never ends is as long as the ESC and its opener: the rest is shown as text.
 */
static size_t escape_length(const char *p, size_t len)
{
    size_t i = 2;

    if (len < 2)
        return len;
    if (p[1] == '[') {
        while (i < len && p[i] >= 0x20 && p[i] <= 0x3F)
            i++;
        return i < len && p[i] >= 0x40 && p[i] <= 0x7E ? i + 1 : i;
    }
    /* What stands in a string (a window's title) is shown: text that somebody hid must be seen. */
    if (p[1] && strchr("]PX^_", p[1]))
        return 2;
    while (i <= len && p[i - 1] >= 0x20 && p[i - 1] <= 0x2F && i < len)
        i++;
    return p[i - 1] >= 0x20 && p[i - 1] <= 0x7E ? i : 1;
}

/* Characters that show nothing themselves but change how others are read. */
static bool is_invisible(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x061C || c == 0x180E ||
           (c >= 0x200B && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) ||
           (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFB) ||
           (c >= 0xE0000 && c <= 0xE007F);
}

void text_add_clean(struct buf *b, const char *text, size_t len, enum text_lines lines, size_t max)
{
    static const char ellipsis[] = "...";
    size_t start = b->len;
    size_t cut = start;   /* where to cut so that the ellipsis fits */
    bool space = false;   /* folded white space waits for a visible character */
    size_t used;

    for (size_t at = 0; at < len; at += used) {
        size_t before = b->len;
        uint32_t c;

        used = text_decode(text + at, len - at, &c);
        if (!used) {
            used = 1;
            c = REPLACEMENT;
        }
        if (c == ESCAPE) {
            used = escape_length(text + at, len - at);
            continue;
        }
        if (c == '\r') {
            if (at + 1 < len && text[at + 1] == '\n')
                continue;
            c = '\n';
        } else if (c == 0x2028 || c == 0x2029 || c == 0x85) {
            c = '\n';
        }
        if (lines == TEXT_FOLD && (c == '\n' || c == '\t' || c == ' ' || c == 0xA0)) {
            space = b->len > start;
            continue;
        }
        if (c != '\n' && c != '\t' && is_invisible(c))
            continue;
        if ((c & 0xFFFE) == 0xFFFE)
            c = REPLACEMENT;
        if (space)
            buf_addc(b, ' ');
        space = false;
        text_encode(b, c);
        if (before - start + sizeof(ellipsis) - 1 <= max)
            cut = before;
        if (b->len - start > max) {
            buf_truncate(b, cut);
            buf_add(b, ellipsis, max < sizeof(ellipsis) - 1 ? max : sizeof(ellipsis) - 1);
            return;
        }
    }
}

/* White space of Unicode, as far as text_add_clean lets it through. */
static bool is_space(uint32_t c)
{
    return c == '\t' || c == '\n' || c == ' ' || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x202F || c == 0x205F || c == 0x3000;
}

void text_add_log(struct buf *b, const char *text)
{
    const char *p = text;
    size_t left = strlen(text);
    uint32_t c;
    size_t used;

    /* GitHub's runner trims white space of any kind before it looks for a command. */
    for (; (used = text_decode(p, left, &c)) > 0 && is_space(c); left -= used)
        p += used;
    buf_add(b, text, (size_t)(p - text));
    if (p[0] == ':' && p[1] == ':') {
        buf_adds(b, ": ");
        p++;
    }
    for (; *p; p++) {
        buf_addc(b, *p);
        if (p[0] == '#' && p[1] == '#')
            buf_addc(b, ' ');
    }
}

/* Edit distance with transpositions (optimal string alignment), by three rows. */
static size_t distance(const char *a, const char *b)
{
    size_t la = strlen(a), lb = strlen(b), width = lb + 1;
    size_t *rows = mem_alloc(3 * width, sizeof(*rows));
    size_t *older = rows, *old = rows + width, *now = rows + 2 * width;
    size_t result;

    for (size_t j = 0; j <= lb; j++)
        old[j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t *spare = older;

        now[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t best = old[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);

            if (old[j] + 1 < best)
                best = old[j] + 1;
            if (now[j - 1] + 1 < best)
                best = now[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                older[j - 2] + 1 < best)
                best = older[j - 2] + 1;
            now[j] = best;
        }
        older = old;
        old = now;
        now = spare;
    }
    result = old[lb];
    free(rows);
    return result;
}

const char *text_nearest(const char *word, const char *const *candidates, size_t count)
{
    size_t len = strlen(word);
    size_t limit = len / 3 ? len / 3 : 1;
    const char *best = NULL;

    if (len > 100)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t d = distance(word, candidates[i]);

        if (d < limit + (best ? 0 : 1)) {
            best = candidates[i];
            limit = d;
        }
    }
    /* Half a word is no misspelling, but it tells which one was meant. */
    for (size_t i = 0; i < count && !best && len > 1; i++) {
        if (text_starts(candidates[i], word))
            best = candidates[i];
    }
    return best;
}

char *text_trim(char *text)
{
    static const char space[] = " \t\r\n";
    size_t len;

    text += strspn(text, space);
    len = strlen(text);
    while (len && strchr(space, text[len - 1]))
        len--;
    text[len] = '\0';
    return text;
}

bool text_starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_ends(const char *text, const char *suffix)
{
    size_t len = strlen(text), want = strlen(suffix);

    return len >= want && strcmp(text + len - want, suffix) == 0;
}
