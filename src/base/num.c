/* SPDX-License-Identifier: MIT */
/* Owns the reading of numbers from text. It must not guess: all of the text or nothing. */
#include "base/base.h"

#include "base/num.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Reads digits at *p and moves it behind them; -1 if there are none or they pass max. */
static int digits(const char **p, int64_t max, int64_t *ret)
{
    int64_t value = 0;

    if (!is_digit(**p))
        return -1;
    for (; is_digit(**p); (*p)++) {
        int64_t digit = **p - '0';

        if (value > (max - digit) / 10)
            return -1;
        value = value * 10 + digit;
    }
    *ret = value;
    return 0;
}

int num_integer(const char *text, int64_t min, int64_t max, int64_t *ret)
{
    bool negative = text[0] == '-';
    const char *p = text + (negative ? 1 : 0);
    int64_t value;

    /* INT64_MIN itself cannot be read: nothing of ours is that small. */
    if (digits(&p, INT64_MAX, &value) || *p)
        return -1;
    if (negative)
        value = -value;
    if (value < min || value > max)
        return -1;
    *ret = value;
    return 0;
}

int num_boolean(const char *text, bool *ret)
{
    static const char *const words[][2] = {
        {"no", "yes"}, {"false", "true"}, {"off", "on"}, {"0", "1"}};

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        for (int value = 0; value < 2; value++) {
            if (strcmp(text, words[i][value]) == 0) {
                *ret = value == 1;
                return 0;
            }
        }
    }
    return -1;
}

int num_duration(const char *text, int64_t *ret_ms)
{
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
    size_t next = 0; /* the first unit still allowed */
    const char *p = text;
    int64_t total = 0;
    int64_t value;

    if (digits(&p, DURATION_MAX, &value))
        return -1;
    if (!*p) {
        if (value > DURATION_MAX / 1000)
            return -1;
        *ret_ms = value * 1000;
        return 0;
    }
    for (;;) {
        size_t len = strspn(p, "dhms");
        size_t unit = next;

        while (unit < ARRAY_LEN(units) &&
               (strlen(units[unit].name) != len || strncmp(units[unit].name, p, len) != 0))
            unit++;
        if (unit == ARRAY_LEN(units) || value > (DURATION_MAX - total) / units[unit].ms)
            return -1;
        total += value * units[unit].ms;
        next = unit + 1;
        p += len;
        if (!*p)
            break;
        if (digits(&p, DURATION_MAX, &value))
            return -1;
    }
    *ret_ms = total;
    return 0;
}

int num_bytes(const char *text, int64_t *ret)
{
    static const char units[] = "KMG";
    const char *p = text;
    const char *unit;
    int64_t value;

    if (digits(&p, INT64_MAX >> 30, &value) || value == 0)
        return -1;
    if (*p) {
        unit = strchr(units, *p);
        if (!unit || p[1])
            return -1;
        value <<= 10 * (unit - units + 1);
    }
    *ret = value;
    return 0;
}

void num_add_duration(struct buf *b, int64_t ms)
{
    if (ms < 0)
        ms = 0;
    if (ms < 1000)
        buf_addf(b, "%dms", (int)ms);
    else if (ms < 60000)
        buf_addf(b, "%d.%ds", (int)(ms / 1000), (int)(ms % 1000 / 100));
    else if (ms < 3600000)
        buf_addf(b, "%dm%02ds", (int)(ms / 60000), (int)(ms % 60000 / 1000));
    else
        buf_addf(b, "%" PRId64 "h%02dm", ms / 3600000, (int)(ms % 3600000 / 60000));
}
