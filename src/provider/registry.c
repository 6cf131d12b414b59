/* SPDX-License-Identifier: MIT */
/* Owns the set of provider definitions and what "extends" means. It must not use a definition. */
#include "base/base.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "provider/builtin.h"
#include "provider/definition.h"
#include "provider/registry.h"

enum {
    FILE_MAX = 64 << 10, /* rules are compared with each other: those of a huge file take minutes */
    EXTENDS_MAX = 8
};

static const char section_prefix[] = "provider:";

/* A text with definitions in it: a built-in one or a user's file. */
struct source {
    char *file;
    char *text;
    bool builtin;
    bool loaded;
    struct ini ini;
};

struct entry {
    char *name;
    size_t source;
    struct provider *provider; /* NULL until asked for, or when it has mistakes */
    bool tried;
};

struct registry {
    struct source *sources;
    size_t source_count, source_cap;
    struct entry *entries;
    size_t entry_count, entry_cap;
    struct diags ignored; /* of built-in definitions: a test shows that there are none */
};

static struct entry *find_entry(const struct registry *r, const char *name)
{
    for (size_t i = 0; i < r->entry_count; i++) {
        if (strcmp(r->entries[i].name, name) == 0)
            return &r->entries[i];
    }
    return NULL;
}

static struct source *add_source(struct registry *r, const char *file, const char *text,
                                 bool builtin)
{
    struct source *s;

    r->sources = mem_grow(r->sources, &r->source_cap, r->source_count, sizeof(*r->sources));
    s = &r->sources[r->source_count++];
    s->file = mem_strdup(file);
    s->text = mem_strdup(text);
    s->builtin = builtin;
    return s;
}

static void add_entry(struct registry *r, const char *name)
{
    struct entry *entry;

    r->entries = mem_grow(r->entries, &r->entry_cap, r->entry_count, sizeof(*r->entries));
    entry = &r->entries[r->entry_count++];
    entry->name = mem_strdup(name);
    entry->source = r->source_count - 1;
}

static void load_source(struct source *s, struct diags *d)
{
    if (!s->loaded)
        ini_load(&s->ini, s->file, s->text, strlen(s->text), d);
    s->loaded = true;
}

static const struct ini_section *find_section(const struct source *s, const char *name)
{
    for (size_t i = 0; i < s->ini.count; i++) {
        const char *section = s->ini.sections[i].name;

        if (text_starts(section, section_prefix) &&
            strcmp(section + strlen(section_prefix), name) == 0)
            return &s->ini.sections[i];
    }
    return NULL;
}

/* The two spellings of one key. */
static bool is_extends(const char *key)
{
    return strcmp(key, "extends") == 0 || strcmp(key, "extend") == 0;
}

static const struct ini_entry *find_extends(const struct ini_section *section)
{
    for (size_t i = 0; i < section->count; i++) {
        if (is_extends(section->entries[i].key))
            return &section->entries[i];
    }
    return NULL;
}

static const struct ini_entry *find_key(const struct ini_section *section, const char *key)
{
    for (size_t i = 0; i < section->count; i++) {
        if (strcmp(section->entries[i].key, key) == 0)
            return &section->entries[i];
    }
    return NULL;
}

/*
 * Follows "extends" from the section of name: fills chain with the sections, the definition
 * itself first, and returns how many; 0 if the chain is broken.
 */
static size_t follow(struct registry *r, const char *name, const struct ini_section **chain,
                     const struct source **sources, struct diags *d)
{
    size_t count = 0;

    for (;;) {
        const struct entry *entry = find_entry(r, name);
        struct source *source = &r->sources[entry->source];
        const struct ini_entry *extends;
        const char *nearest;

        load_source(source, d);
        chain[count] = find_section(source, name);
        sources[count] = source;
        if (!chain[count])
            return 0;
        extends = find_extends(chain[count]);
        count++;
        if (!extends)
            return count;
        name = extends->value;
        if (!find_entry(r, name)) {
            nearest = registry_nearest(r, name);
            diag_add(d, source->file, extends->line, "there is no provider '%s' to extend%s%s%s",
                     name, nearest ? "; did you mean '" : "", nearest ? nearest : "",
                     nearest ? "'?" : "");
            return 0;
        }
        if (count == EXTENDS_MAX) {
            diag_add(d, source->file, extends->line,
                     "more than %d definitions extend each other, or they do so in a circle",
                     EXTENDS_MAX);
            return 0;
        }
    }
}

static void read_provider(struct registry *r, struct entry *entry, struct diags *d)
{
    const struct ini_section *chain[EXTENDS_MAX];
    const struct source *sources[EXTENDS_MAX];
    struct definition_entry *entries = NULL;
    size_t count = 0, cap = 0, mistakes = d->count;
    size_t depth = follow(r, entry->name, chain, sources, d);
    struct provider *p;

    entry->tried = true;
    if (!depth)
        return;
    p = mem_alloc(1, sizeof(*p));
    p->name = mem_strdup(entry->name);
    p->file = mem_strdup(sources[0]->file);
    p->line = chain[0]->line;
    for (size_t i = 0; i < depth; i++) {
        const struct ini_entry *base_url = find_key(chain[i], "base_url");

        if (sources[i]->builtin && base_url && !p->trusted_url)
            p->trusted_url = mem_strdup(base_url->value);
        for (size_t j = 0; j < chain[i]->count; j++) {
            const struct ini_entry *e = &chain[i]->entries[j];
            bool replaced = is_extends(e->key);

            for (size_t k = 0; k < i && !replaced; k++)
                replaced = find_key(chain[k], e->key) != NULL;
            if (replaced)
                continue;
            entries = mem_grow(entries, &cap, count, sizeof(*entries));
            entries[count].file = sources[i]->file;
            entries[count++].entry = e;
        }
    }
    definition_read(p, entries, count, d);
    if (d->count == mistakes)
        definition_check(p, d);
    free(entries);
    if (d->count == mistakes) {
        entry->provider = p;
    } else {
        provider_free(p);
        free(p);
    }
}

static void check_sections(struct registry *r, struct source *s, struct diags *d)
{
    for (size_t i = 0; i < s->ini.count; i++) {
        const char *section = s->ini.sections[i].name;
        const char *name = section + strlen(section_prefix);
        int line = s->ini.sections[i].line;

        if (!text_starts(section, section_prefix)) {
            diag_add(d, s->file, line,
                     "unknown section [%s]: a provider file holds [provider:NAME] sections",
                     section);
        } else if (!*name || name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-")]) {
            diag_add(d, s->file, line,
                     "'%s' cannot name a provider: lower case letters, digits, '.', '_' and '-'",
                     name);
        } else if (find_entry(r, name) && find_entry(r, name)->source != r->source_count - 1) {
            diag_add(d, s->file, line,
                     "there is a provider '%s' already: choose another name and write "
                     "'extends = %s'",
                     name, name);
        } else if (!find_entry(r, name)) {
            add_entry(r, name);
        }
    }
    if (!s->ini.count)
        diag_add(d, s->file, 0, "there is no definition in it: add a section [provider:NAME]");
}

static void add_file(struct registry *r, const char *file, struct diags *d)
{
    struct err e = {""};
    struct source *s;
    struct buf text;

    buf_init(&text, FILE_MAX);
    if (file_read(file, &text, &e)) {
        diag_add(d, file, 0, "%s", e.text);
    } else if (memchr(text.text, '\0', text.len)) {
        diag_add(d, file, 0, "it holds a NUL byte: it is not a text file");
    } else {
        s = add_source(r, file, text.text, false);
        load_source(s, d);
        check_sections(r, s, d);
    }
    buf_free(&text);
}

struct registry *registry_new(const char *const *files, size_t count, struct diags *d)
{
    struct registry *r = mem_alloc(1, sizeof(*r));

    for (size_t i = 0; i < builtin_provider_count; i++) {
        struct buf file;

        buf_init(&file, BUF_CAP_TEXT);
        buf_addf(&file, "config/providers/%s.ini", builtin_providers[i].name);
        add_source(r, file.text, builtin_providers[i].text, true);
        add_entry(r, builtin_providers[i].name);
        buf_free(&file);
    }
    for (size_t i = 0; i < count; i++)
        add_file(r, files[i], d);
    for (size_t i = builtin_provider_count; i < r->entry_count; i++)
        read_provider(r, &r->entries[i], d);
    return r;
}

const struct provider *registry_find(struct registry *r, const char *name)
{
    struct entry *entry = find_entry(r, name);

    if (entry && !entry->tried)
        read_provider(r, entry, &r->ignored);
    return entry ? entry->provider : NULL;
}

bool registry_has(const struct registry *r, const char *name)
{
    return find_entry(r, name) != NULL;
}

const char *registry_name(const struct registry *r, size_t i)
{
    return i < r->entry_count ? r->entries[i].name : NULL;
}

const char *registry_text(const struct registry *r, const char *name)
{
    const struct entry *entry = find_entry(r, name);

    return entry ? r->sources[entry->source].text : NULL;
}

const char *registry_nearest(const struct registry *r, const char *name)
{
    const char **names = mem_alloc(r->entry_count, sizeof(*names));
    const char *nearest;

    for (size_t i = 0; i < r->entry_count; i++)
        names[i] = r->entries[i].name;
    nearest = text_nearest(name, names, r->entry_count);
    free(names);
    return nearest;
}

void registry_free(struct registry *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->entry_count; i++) {
        if (r->entries[i].provider)
            provider_free(r->entries[i].provider);
        free(r->entries[i].provider);
        free(r->entries[i].name);
    }
    for (size_t i = 0; i < r->source_count; i++) {
        if (r->sources[i].loaded)
            ini_free(&r->sources[i].ini);
        free(r->sources[i].file);
        free(r->sources[i].text);
    }
    free(r->entries);
    free(r->sources);
    diags_free(&r->ignored);
    free(r);
}
