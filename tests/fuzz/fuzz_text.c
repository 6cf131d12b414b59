/* SPDX-License-Identifier: MIT */
/*
 * What makes text from outside fit to be shown: cleaning, CI commands, secrets, XML, JSON. The
 * input's first byte is a limit, its first line a secret, the rest a text.
 */
#include "base/base.h"

#include "base/doc.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "base/xml.h"
#include "check.h"
#include "engine/result.h"
#include "provider/template.h"
#include "report/words.h"
#include "world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Marks that turn the writing direction, or show nothing; and what XML forbids. */
static void check_visible(const char *text, size_t len, bool folded)
{
    uint32_t c;

    check_clean(text, len);
    MUST(!folded || (!memchr(text, '\n', len) && !memchr(text, '\t', len)));
    for (size_t used; len; text += used, len -= used) {
        used = text_decode(text, len, &c);
        MUST(c < 0x80 || c > 0x9F);
        MUST(c < 0x200B || c > 0x200F);
        MUST(c < 0x2028 || c > 0x202E);
        MUST(c < 0x2066 || c > 0x2069);
        MUST(c != 0xFEFF && (c & 0xFFFE) != 0xFFFE);
    }
}

static void check_log(const char *line)
{
    struct buf out;
    const char *start;

    buf_init(&out, BUF_CAP_TEXT);
    text_add_log(&out, line);
    start = out.text + strspn(out.text, " \t\n");
    check_clean(out.text, out.len);
    MUST(!text_starts(start, "::"));
    MUST(!strstr(out.text, "##"));
    buf_free(&out);
}

static void check_cleaning(const char *text, size_t len, enum text_lines lines, size_t max)
{
    struct buf once, twice;

    buf_init(&once, BUF_CAP_TEXT);
    buf_init(&twice, BUF_CAP_TEXT);
    text_add_clean(&once, text, len, lines, max);
    MUST(once.len <= max);
    check_visible(once.text, once.len, lines == TEXT_FOLD);
    text_add_clean(&twice, once.text, once.len, lines, max);
    MUST(strcmp(once.text, twice.text) == 0);
    check_log(once.text);
    buf_free(&once);
    buf_free(&twice);
}

/* RFC 4648 with padding, written as plainly as can be. */
static void add_base64(struct buf *out, const char *text, size_t len)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < len; i += 3) {
        unsigned value = 0;

        for (size_t j = 0; j < 3; j++)
            value = value << 8 | (i + j < len ? (unsigned char)text[i + j] : 0u);
        for (size_t j = 0; j < 4; j++)
            buf_addc(out, i + j > len ? '=' : alphabet[value >> (18 - 6 * j) & 63]);
    }
}

/* The secret in form, among other text, is not there any more once that was starred. */
static void check_starred(const char *before, const char *form, const char *after)
{
    struct buf text;

    buf_init(&text, BUF_CAP_TEXT);
    buf_addf(&text, "%s%s%s", before, form, after);
    secret_redact(&text);
    MUST(!strstr(text.text, form));
    MUST(!secret_occurs(text.text, SECRET_MIN));
    buf_free(&text);
}

static void check_forms(const char *secret, const char *text)
{
    struct doc *string = doc_new_string(secret);
    struct buf form, plain;

    buf_init(&form, BUF_CAP_TEXT);
    buf_init(&plain, BUF_CAP_TEXT);
    check_starred(text, secret, text);
    template_add_percent(&form, secret);
    check_starred(text, form.text, text);
    buf_clear(&form);
    if (text_is_utf8(secret, strlen(secret))) {
        doc_print(&form, string, 0);
        check_starred(text, form.text, "");
        buf_clear(&form);
    }
    /* "user:SECRET", as basic authentication sends it, at each of the three alignments. */
    for (size_t skip = 0; skip < 3 && strlen(secret) >= 2 * SECRET_MIN; skip++) {
        buf_clear(&form);
        buf_clear(&plain);
        buf_addf(&plain, "%.*s%s", (int)skip, "u:", secret);
        add_base64(&form, plain.text, plain.len);
        check_starred("Basic ", form.text, "\n");
    }
    doc_free(string);
    buf_free(&form);
    buf_free(&plain);
}

static void check_secrets(const char *secret, const char *text)
{
    struct buf raw;
    char *kept;

    secret_add(secret);
    buf_init(&raw, BUF_CAP_TEXT);
    buf_adds(&raw, text);
    secret_redact(&raw);
    MUST(!secret_occurs(raw.text, SECRET_MIN));
    secret_redact_cut(&raw);
    MUST(!secret_occurs(raw.text, SECRET_MIN));
    if (strlen(secret) >= SECRET_MIN)
        check_forms(secret, text);
    for (int fold = 0; fold < 2; fold++) {
        kept = result_text(text, fold);
        MUST(!secret_occurs(kept, SECRET_MIN));
        check_visible(kept, strlen(kept), fold);
        free(kept);
    }
    kept = words_text(text, TEXT_LINES, 100);
    MUST(!secret_occurs(kept, SECRET_MIN));
    free(kept);
    buf_free(&raw);
    secret_clear();
}

static void check_formats(const char *text)
{
    struct err e = {""};
    struct doc *array = doc_new_array();
    struct buf out, back;
    struct doc *again;
    struct xml xml;

    buf_init(&out, BUF_CAP_TEXT);
    buf_init(&back, BUF_CAP_TEXT);
    xml_start(&xml, &out);
    xml_open(&xml, "a");
    xml_attr(&xml, "b", text);
    xml_text(&xml, text);
    xml_end(&xml);
    MUST(check_xml(out.text, out.len, "a") == 1);
    buf_clear(&out);
    doc_append(array, doc_new_string(text));
    doc_print(&out, array, 0);
    again = doc_parse(out.text, out.len, &e);
    MUST(again && doc_add_text(&back, doc_at(again, "/0")));
    MUST(text_is_utf8(text, strlen(text)) == (strcmp(back.text, text) == 0));
    doc_free(again);
    doc_free(array);
    buf_free(&out);
    buf_free(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *line = size ? (const char *)data + 1 : "";
    const char *end = size > 1 ? memchr(line, '\n', size - 1) : NULL;
    char *secret, *text;
    size_t len;

    if (!end)
        return 0;
    secret = mem_strndup(line, (size_t)(end - line));
    len = size - (size_t)(end + 1 - (const char *)data);
    text = mem_strndup(end + 1, len);
    check_cleaning(text, len, TEXT_LINES, data[0]);
    check_cleaning(text, len, TEXT_FOLD, data[0]);
    check_cleaning(text, len, TEXT_LINES, SIZE_MAX);
    /* Stars that are part of a secret stand behind every starring. */
    if (!strchr(secret, '*'))
        check_secrets(secret, text);
    check_formats(text);
    free(secret);
    free(text);
    return 0;
}
