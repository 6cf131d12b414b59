/* SPDX-License-Identifier: MIT */
/* Owns the form of INI files: the only file that includes the INI library. It must not know what
 * any section or key means. */
#include "base/base.h"

#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"
#include "pipeline/ini.h"

#include <ini.h>

enum {
    LINE_MAX_BYTES = 198, /* Debian's library reads 200 bytes with line end and NUL */
    NAME_MAX_BYTES = 49   /* and keeps 50 of a section or a key, with NUL */
};

struct reader {
    struct ini *ini;
    struct diags *diags;
    const char *next, *end;
    struct map sections, keys; /* by name, the line; the keys are those of the last section */
    struct buf value;          /* of the last entry, which gets it when it is whole */
    int line;
    bool continues; /* the line just handed out continues the value above */
    bool has_above; /* there is a value that an indented line would continue */
    bool swallow;   /* the value above was refused: its continuation lines go with it */
    bool refused;   /* the last section was: the keys below it belong nowhere */
};

static struct ini_section *last_section(const struct ini *ini)
{
    return ini->count ? &ini->sections[ini->count - 1] : NULL;
}

/* The last entry takes its value over. */
static void finish_value(struct reader *r)
{
    struct ini_section *section = last_section(r->ini);

    if (section && section->count && !section->entries[section->count - 1].value)
        section->entries[section->count - 1].value = buf_detach(&r->value);
}

/* The line in which the name stood first, or 0 if that is this line. */
static int first_line(struct reader *r, struct map *names, const char *name)
{
    size_t *line = map_at(names, name);
    int first = (int)*line;

    if (!first)
        *line = (size_t)r->line;
    return first;
}

static void open_section(struct reader *r, const char *name)
{
    struct ini *ini = r->ini;
    struct ini_section *section;
    int first;

    r->refused = false;
    finish_value(r);
    map_free(&r->keys);
    first = first_line(r, &r->sections, name);
    if (first)
        diag_add(r->diags, ini->file, r->line,
                 "section [%s] stands twice, first in line %d: join the two", name, first);
    ini->sections = mem_grow(ini->sections, &ini->cap, ini->count, sizeof(*ini->sections));
    section = &ini->sections[ini->count++];
    section->name = mem_strdup(name);
    section->line = r->line;
}

/* The end of the line's text before an inline comment: white space and a semicolon. */
static size_t before_comment(const char *line, size_t len)
{
    for (size_t i = 1; i < len; i++) {
        if (line[i] == ';' && (line[i - 1] == ' ' || line[i - 1] == '\t'))
            return i;
    }
    return len;
}

/* -1 with a message if the section line cannot be read as it is meant. */
static int check_section(struct reader *r, char *line)
{
    char *end = strchr(line, ']');
    char *behind;

    r->has_above = false;
    r->refused = true;
    if (!end)
        return diag_add(r->diags, r->ini->file, r->line, "the section name is not closed by ']'");
    *end = '\0';
    behind = text_trim(end + 1);
    if (*behind && *behind != ';' && *behind != '#')
        return diag_add(r->diags, r->ini->file, r->line, "unexpected text behind ']': '%s'",
                        behind);
    if (strlen(line + 1) > NAME_MAX_BYTES)
        return diag_add(r->diags, r->ini->file, r->line,
                        "the section name is %zu bytes long: at most %d are possible",
                        strlen(line + 1), NAME_MAX_BYTES);
    if (!line[1] || before_comment(line + 1, strlen(line + 1)) != strlen(line + 1))
        return diag_add(r->diags, r->ini->file, r->line, "'[%s]' is not a section name", line + 1);
    open_section(r, line + 1);
    return 0;
}

static int check_entry(struct reader *r, char *line)
{
    size_t len = before_comment(line, strlen(line));
    size_t separator = strcspn(line, "=:");
    char *key;

    r->has_above = true;
    if (separator >= len)
        return diag_add(r->diags, r->ini->file, r->line,
                        "expected 'key = value', a [section] or a comment");
    line[separator] = '\0';
    key = text_trim(line);
    if (!*key)
        return diag_add(r->diags, r->ini->file, r->line, "a key is missing before the '%s'", "=");
    if (strlen(key) > NAME_MAX_BYTES)
        return diag_add(r->diags, r->ini->file, r->line,
                        "the key is %zu bytes long: at most %d are possible", strlen(key),
                        NAME_MAX_BYTES);
    if (r->refused || !r->ini->count)
        return diag_add(r->diags, r->ini->file, r->line,
                        r->refused ? "'%s' stands below a section that cannot be read"
                                   : "'%s' stands before the first [section]",
                        key);
    return 0;
}

/* -1 with a message if the library would cut the line, or take it for something else. */
static int check_bytes(struct reader *r, const char *line, size_t len)
{
    if (len > LINE_MAX_BYTES)
        return diag_add(r->diags, r->ini->file, r->line,
                        "the line is %zu bytes long: at most %d are possible; a value can go on in "
                        "indented lines below",
                        len, LINE_MAX_BYTES);
    if (memchr(line, '\0', len))
        return diag_add(r->diags, r->ini->file, r->line, "the line holds a NUL byte");
    if (!text_is_utf8(line, len))
        return diag_add(r->diags, r->ini->file, r->line, "the line is not valid UTF-8");
    /* White space to the library, or a line end of old: what follows it would be hidden. */
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)line[i] < 0x20 && line[i] != '\t')
            return diag_add(r->diags, r->ini->file, r->line,
                            "the line holds the control character 0x%02X", (unsigned)line[i]);
    }
    return 0;
}

/* 0 if the library may see the line; else its mistake was noted, or it belongs to one. */
static int check_line(struct reader *r, const char *line, size_t len)
{
    char copy[LINE_MAX_BYTES + 1];
    int bad = check_bytes(r, line, len);
    size_t indent = 0;
    char *text;

    while (indent < len && (line[indent] == ' ' || line[indent] == '\t'))
        indent++;
    r->continues = false;
    if (indent == len || line[indent] == ';' || line[indent] == '#')
        return bad;
    if (indent && r->has_above) {
        r->continues = true;
        return bad || r->swallow ? -1 : 0;
    }
    if (bad) {
        r->has_above = line[indent] != '[';
        r->refused = r->refused || line[indent] == '[';
        r->swallow = true;
        return -1;
    }
    memcpy(copy, line, len);
    copy[len] = '\0';
    text = text_trim(copy);
    r->swallow = (*text == '[' ? check_section(r, text) : check_entry(r, text)) != 0;
    return r->swallow ? -1 : 0;
}

/* The library's fgets. A refused line reaches it as an empty one. */
static char *next_line(char *out, int size, void *stream)
{
    struct reader *r = stream;
    const char *start = r->next;
    const char *line_end;
    size_t len;

    if (start == r->end)
        return NULL;
    line_end = memchr(start, '\n', (size_t)(r->end - start));
    len = (size_t)((line_end ? line_end : r->end) - start);
    r->next = line_end ? line_end + 1 : r->end;
    r->line++;
    if (len && start[len - 1] == '\r')
        len--;
    if (check_line(r, start, len) || len + 2 > (size_t)size)
        len = 0;
    /* The library of Debian 12 takes inline comments out of a value's first line only. */
    if (r->continues)
        len = before_comment(start, len);
    memcpy(out, start, len);
    out[len] = '\n';
    out[len + 1] = '\0';
    return out;
}

static void add_line(struct ini_entry *entry, int line)
{
    entry->lines =
        mem_grow(entry->lines, &entry->line_cap, entry->line_count, sizeof(*entry->lines));
    entry->lines[entry->line_count++] = line;
}

/* The library's callback: one call a line, continuation lines with the key of the line above. */
static int handle(void *user, const char *section_name, const char *key, const char *value)
{
    struct reader *r = user;
    struct ini_section *section = last_section(r->ini);
    struct ini_entry *entry;
    int first;

    (void)section_name; /* empty sections are invisible here, so the reader opens them */
    if (r->continues) {
        entry = &section->entries[section->count - 1];
        /* "key =" and indented lines: the value starts in the first indented one. */
        if (r->value.len)
            buf_addc(&r->value, '\n');
        else
            entry->line_count = 0;
        buf_adds(&r->value, value);
        add_line(entry, r->line);
        return 1;
    }
    finish_value(r);
    first = first_line(r, &r->keys, key);
    if (first)
        diag_add(r->diags, r->ini->file, r->line, "key '%s' stands twice, first in line %d", key,
                 first);
    section->entries =
        mem_grow(section->entries, &section->cap, section->count, sizeof(*section->entries));
    entry = &section->entries[section->count++];
    entry->key = mem_strdup(key);
    buf_adds(&r->value, value);
    entry->line = r->line;
    add_line(entry, r->line);
    return 1;
}

void ini_load(struct ini *ini, const char *file, const char *text, size_t len, struct diags *d)
{
    struct reader r = {.ini = ini, .diags = d, .next = text, .end = text + len};
    int failed;

    memset(ini, 0, sizeof(*ini));
    buf_init(&r.value, BUF_CAP_TEXT);
    ini->file = mem_strdup(file);
    if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
        r.next += 3;
    failed = ini_parse_stream(next_line, &r, handle, &r);
    finish_value(&r);
    map_free(&r.sections);
    map_free(&r.keys);
    /* The reader lets nothing through that the library refuses; should it, say so. */
    if (failed && !d->count)
        diag_add(d, file, failed > 0 ? failed : 0, "the line cannot be read");
}

void ini_free(struct ini *ini)
{
    for (size_t i = 0; i < ini->count; i++) {
        for (size_t j = 0; j < ini->sections[i].count; j++) {
            free(ini->sections[i].entries[j].key);
            mem_forget(ini->sections[i].entries[j].value);
            free(ini->sections[i].entries[j].lines);
        }
        free(ini->sections[i].entries);
        free(ini->sections[i].name);
    }
    free(ini->sections);
    free(ini->file);
    memset(ini, 0, sizeof(*ini));
}

int ini_line_at(const struct ini_entry *entry, size_t offset)
{
    size_t line = 0;

    for (size_t i = 0; i < offset && entry->value[i]; i++) {
        if (entry->value[i] == '\n' && line + 1 < entry->line_count)
            line++;
    }
    return entry->lines[line];
}
