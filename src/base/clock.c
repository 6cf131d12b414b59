/* SPDX-License-Identifier: MIT */
/* Owns the reading and the writing of times. It must not wait. */
#include "base/base.h"

#include "base/clock.h"

static int64_t read_clock(clockid_t id)
{
    struct timespec ts;

    if (clock_gettime(id, &ts))
        return 0;
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t clock_monotonic_ms(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t clock_wall_ms(void)
{
    return read_clock(CLOCK_REALTIME);
}

/* Seconds rounded down, so that times before 1970 do not come out one second late. */
static time_t seconds_of(int64_t wall_ms)
{
    return (time_t)((wall_ms - (wall_ms < 0 ? 999 : 0)) / 1000);
}

void clock_add_iso(struct buf *b, int64_t wall_ms, bool fraction)
{
    time_t seconds = seconds_of(wall_ms);
    char text[32];
    struct tm tm;

    if (!gmtime_r(&seconds, &tm) || !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm))
        return;
    buf_adds(b, text);
    if (fraction)
        buf_addf(b, ".%03d", (int)(wall_ms - (int64_t)seconds * 1000));
    buf_addc(b, 'Z');
}

void clock_add_local(struct buf *b, int64_t wall_ms)
{
    time_t seconds = seconds_of(wall_ms);
    char text[16];
    struct tm tm;

    if (localtime_r(&seconds, &tm) && strftime(text, sizeof(text), "%H:%M:%S", &tm))
        buf_adds(b, text);
}

/* Reads exactly len digits; -1 if one is missing. */
static int fixed(const char **p, int len, int min, int max, int *ret)
{
    int value = 0;

    for (int i = 0; i < len; i++, (*p)++) {
        if (**p < '0' || **p > '9')
            return -1;
        value = value * 10 + (**p - '0');
    }
    if (value < min || value > max)
        return -1;
    *ret = value;
    return 0;
}

static int literal(const char **p, char c)
{
    if (**p != c)
        return -1;
    (*p)++;
    return 0;
}

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && is_leap(year) ? 1 : 0);
}

/* Days since 1970-01-01 of a day of the proleptic Gregorian calendar. */
static int64_t days_of(int year, int month, int day)
{
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    int64_t past = year - 1;

    return past * 365 + past / 4 - past / 100 + past / 400 - 719162 + before[month - 1] +
           (is_leap(year) && month > 2 ? 1 : 0) + day - 1;
}

int clock_parse_iso(const char *text, int64_t *ret_wall_ms)
{
    int year, month, day, hour, minute, second;
    int offset_hour = 0, offset_minute = 0, sign = 0;
    int millis = 0, scale = 100;
    const char *p = text;

    if (fixed(&p, 4, 1, 9999, &year) || literal(&p, '-') || fixed(&p, 2, 1, 12, &month) ||
        literal(&p, '-') || fixed(&p, 2, 1, 31, &day) || (*p != 'T' && *p != 't' && *p != ' ') ||
        day > days_in(year, month))
        return -1;
    p++;
    if (fixed(&p, 2, 0, 23, &hour) || literal(&p, ':') || fixed(&p, 2, 0, 59, &minute) ||
        literal(&p, ':') || fixed(&p, 2, 0, 60, &second))
        return -1;
    if (*p == '.' || *p == ',') {
        p++;
        if (*p < '0' || *p > '9')
            return -1;
        for (; *p >= '0' && *p <= '9'; p++, scale /= 10)
            millis += (*p - '0') * scale;
    }
    if (*p == 'Z' || *p == 'z') {
        p++;
    } else if (*p == '+' || *p == '-') {
        sign = *p == '+' ? 1 : -1;
        p++;
        if (fixed(&p, 2, 0, 23, &offset_hour))
            return -1;
        if (*p == ':')
            p++;
        if (fixed(&p, 2, 0, 59, &offset_minute))
            return -1;
    }
    if (*p)
        return -1;
    *ret_wall_ms = (((days_of(year, month, day) * 24 + hour - sign * offset_hour) * 60 + minute -
                     sign * offset_minute) * 60 + second) * 1000 + millis;
    return 0;
}
