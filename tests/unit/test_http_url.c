/* SPDX-License-Identifier: MIT */
/* Tests the URLs of net/http: what a URL's origin is, which may be reached without encryption, and
 * that plain http never travels through a proxy elsewhere. */
#include "base/base.h"

#include "net/http.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#define LOCAL "is not encrypted"
#define BAD "is not a URL that can be used"
#define NEITHER "is neither https nor http"
#define CHARACTER "the URL holds a character that cannot stand in one"
#define USER "the URL holds a user name or a password"

/* loopback: whether its host is this machine. Where bad is set the URL is refused with it. */
static const struct {
    const char *url, *origin, *bad;
    bool loopback;
} urls[] = {
    {"https://api.example.com", "https://api.example.com:443", NULL, false},
    {"https://api.example.com/", "https://api.example.com:443", NULL, false},
    {"https://api.example.com/v1/x?y=z#f", "https://api.example.com:443", NULL, false},
    {"https://api.example.com:443", "https://api.example.com:443", NULL, false},
    {"https://api.example.com:0443", "https://api.example.com:443", NULL, false},
    {"https://api.example.com:", "https://api.example.com:443", NULL, false},
    {"https://api.example.com:8443", "https://api.example.com:8443", NULL, false},
    {"https://api.example.com:80", "https://api.example.com:80", NULL, false},
    {"HTTPS://API.Example.COM", "https://api.example.com:443", NULL, false},
    {"https://AZ.example", "https://az.example:443", NULL, false},
    /* a dot more is another origin: only what is spelled like the trusted one is trusted */
    {"https://api.example.com.", "https://api.example.com.:443", NULL, false},
    {"https://api.example.com%2eevil.com", "https://api.example.com.evil.com:443", NULL, false},
    {"https://%61pi.example.com", "https://api.example.com:443", NULL, false},
    {"https://api.example.com.evil.com", "https://api.example.com.evil.com:443", NULL, false},
    {"https://evil.com/api.example.com", "https://evil.com:443", NULL, false},
    {"https://evil.com?api.example.com", "https://evil.com:443", NULL, false},
    {"https://evil.com#@api.example.com", "https://evil.com:443", NULL, false},
    {"https://evil.com/@api.example.com", "https://evil.com:443", NULL, false},
    {"https:/api.example.com", "https://api.example.com:443", NULL, false},
    {"https:///api.example.com", "https://api.example.com:443", NULL, false},
    {"https://ex\xC3\xA4mple.com", "https://ex\xC3\xA4mple.com:443", NULL, false},
    {"https://xn--exmple-cua.com", "https://xn--exmple-cua.com:443", NULL, false},
    {"https://api\xEF\xBC\x8E" "example.com", "https://api\xEF\xBC\x8E" "example.com:443", NULL,
     false},
    {"https://192.0.2.1", "https://192.0.2.1:443", NULL, false},
    {"https://[2001:DB8::1]:8443/", "https://[2001:db8::1]:8443", NULL, false},
    {"https://127.0.0.1", "https://127.0.0.1:443", NULL, true},
    {"https://localhost:8443", "https://localhost:8443", NULL, true},
    /* http to this machine */
    {"http://127.0.0.1", "http://127.0.0.1:80", NULL, true},
    {"http://127.0.0.1:8080/x", "http://127.0.0.1:8080", NULL, true},
    {"http://127.255.255.255", "http://127.255.255.255:80", NULL, true},
    {"http://127.1", "http://127.0.0.1:80", NULL, true},
    {"http://0x7f000001", "http://127.0.0.1:80", NULL, true},
    {"http://2130706433", "http://127.0.0.1:80", NULL, true},
    {"http://0177.0.0.1", "http://127.0.0.1:80", NULL, true},
    {"http://localhost", "http://localhost:80", NULL, true},
    {"HTTP://LOCALHOST:81", "http://localhost:81", NULL, true},
    {"http://%6cocalhost", "http://localhost:80", NULL, true},
    {"http://[::1]", "http://[::1]:80", NULL, true},
    {"http://[0:0:0:0:0:0:0:1]:81", "http://[::1]:81", NULL, true},
    /* http to what only looks like it */
    {"http://api.example.com", NULL, LOCAL, false},
    {"HTTP://api.example.com", NULL, LOCAL, false},
    {"http://127.0.0.1.evil.com", NULL, LOCAL, false},
    {"http://127.0.0.1.", NULL, LOCAL, false},
    {"http://127.0.0.256", NULL, LOCAL, false},
    {"http://127.0.0.08", NULL, LOCAL, false},
    {"http://127.0.0.1000", NULL, LOCAL, false},
    {"http://127..0.1", NULL, LOCAL, false},
    {"http://127...", NULL, LOCAL, false},
    {"http://127.0.0.0.1", NULL, LOCAL, false},
    {"http://.127.0.0", NULL, LOCAL, false},
    {"http://127.0.0.1-x", NULL, LOCAL, false},
    {"http://128.0.0.1", NULL, LOCAL, false},
    {"http://1270.0.0.1", NULL, LOCAL, false},
    {"http://0.0.0.0", NULL, LOCAL, false},
    {"http://0", NULL, LOCAL, false},
    {"http://10.0.0.1", NULL, LOCAL, false},
    {"http://169.254.169.254", NULL, LOCAL, false},
    {"http://localhost.", NULL, LOCAL, false},
    {"http://localhost.evil.com", NULL, LOCAL, false},
    {"http://evil.com/localhost", NULL, LOCAL, false},
    {"http://evil.com#localhost", NULL, LOCAL, false},
    {"http://alocalhost", NULL, LOCAL, false},
    {"http://[::]", NULL, LOCAL, false},
    {"http://[::ffff:127.0.0.1]", NULL, LOCAL, false},
    {"http://[fe80::1]", NULL, LOCAL, false},
    {"http://\xE2\x93\x9Bocalhost", NULL, LOCAL, false},
    {"http://\xEF\xBC\x91\xEF\xBC\x92\xEF\xBC\x97.0.0.1", NULL, LOCAL, false},
    /* who is asked for a password */
    {"https://user@api.example.com", NULL, USER, false},
    {"https://user:s3cret@api.example.com", NULL, USER, false},
    {"https://:@api.example.com", NULL, USER, false},
    {"https://@api.example.com", NULL, USER, false},
    {"http://127.0.0.1:80@evil.com", NULL, USER, false},
    {"http://localhost@evil.com", NULL, USER, false},
    /* other schemes, and none */
    {"ftp://127.0.0.1", NULL, NEITHER, false},
    {"file:///etc/passwd", NULL, NEITHER, false},
    {"ws://127.0.0.1", NULL, BAD, false},
    {"httpx://127.0.0.1", NULL, BAD, false},
    {"javascript:alert(1)", NULL, BAD, false},
    {"//api.example.com", NULL, BAD, false},
    {"/v1", NULL, BAD, false},
    {"api.example.com", NULL, BAD, false},
    {"api.example.com:443", NULL, BAD, false},
    {"", NULL, BAD, false},
    {"https:", NULL, BAD, false},
    {"https://", NULL, BAD, false},
    {"https://:443", NULL, BAD, false},
    {"https:api.example.com", NULL, BAD, false},
    {"https:////api.example.com", NULL, BAD, false},
    /* hosts and ports that are none */
    {"https://api.example.com:x", NULL, BAD, false},
    {"https://api.example.com:65536", NULL, BAD, false},
    {"https://api.example.com:80:90", NULL, BAD, false},
    {"https://[::1", NULL, BAD, false},
    {"https://[::g]", NULL, BAD, false},
    {"https://api.example.com%2fevil.com", NULL, BAD, false},
    {"https://api.example.com%00.evil.com", NULL, BAD, false},
    {"https://api.example.com%20", NULL, BAD, false},
    {"https://a,b", NULL, BAD, false},
    {"https://<x>", NULL, BAD, false},
    /* characters */
    {" https://api.example.com", NULL, CHARACTER, false},
    {"https://api.example.com ", NULL, CHARACTER, false},
    {"https://api.example.com/a b", NULL, CHARACTER, false},
    {"https://api.example.com\\@evil.com", NULL, CHARACTER, false},
    {"https:\\\\evil.com", NULL, CHARACTER, false},
    {"http://localhost\\.evil.com", NULL, CHARACTER, false},
    {"https://api.\texample.com", NULL, CHARACTER, false},
    {"ht\ntps://api.example.com", NULL, CHARACTER, false},
    {"https://api.example.com/\r\nHost: evil", NULL, CHARACTER, false},
    {"https://api.example.com/\x7F", NULL, CHARACTER, false},
    {"https://api.example.com/\x01", NULL, CHARACTER, false},
};

static void test_urls(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        struct err e = {""};
        struct buf origin, host;
        int rc;

        buf_init(&origin, BUF_CAP_TEXT);
        buf_init(&host, BUF_CAP_TEXT);
        rc = http_url_check(urls[i].url, &origin, &host, &e);
        if (rc != (urls[i].bad ? -1 : 0))
            fail_msg("'%s': got %d, '%s' %s", urls[i].url, rc, origin.text, e.text);
        if (urls[i].bad && !strstr(e.text, urls[i].bad))
            fail_msg("'%s': got '%s', expected '%s'", urls[i].url, e.text, urls[i].bad);
        if (!urls[i].bad && strcmp(origin.text, urls[i].origin) != 0)
            fail_msg("'%s': got '%s', expected '%s'", urls[i].url, origin.text, urls[i].origin);
        if (urls[i].bad)
            assert_int_equal(origin.len + host.len, 0);
        else
            assert_non_null(strstr(origin.text, host.text));
        if (strstr(e.text, "s3cret"))
            fail_msg("'%s': the password is shown: %s", urls[i].url, e.text);
        if (http_url_is_loopback(urls[i].url) != urls[i].loopback)
            fail_msg("'%s': loopback is not %d", urls[i].url, urls[i].loopback);
        assert_int_equal(http_url_check(urls[i].url, NULL, NULL, &e), rc);
        buf_free(&origin);
        buf_free(&host);
    }
}

/* --- proxies ---------------------------------------------------------------------------------- */

static const char *no_environment(const char *name)
{
    (void)name;
    return NULL;
}

static int listen_here(uint16_t *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

/* True if a request for the URL arrives at the listener. */
static bool arrives(const char *url, const char *proxy, int listener)
{
    struct http_options options = {.connect_timeout_ms = 5000,
                                   .request_timeout_ms = 5000,
                                   .proxy = proxy,
                                   .getenv = no_environment,
                                   .max_body = 1000,
                                   .max_connections = 1};
    char method[] = "GET";
    char copy[200];
    struct request request = {.kind = REQUEST_STATUS, .method = method, .url = copy};
    struct pollfd waiting = {.fd = listener, .events = POLLIN};
    struct http_reply reply;
    struct err e = {""};
    struct http *h = http_new(&options, &e);
    bool here = false, ended = false;

    assert_non_null(h);
    snprintf(copy, sizeof(copy), "%s", url);
    assert_int_equal(http_send(h, 1, &request, HTTP_REPEATABLE, &e), 0);
    for (int i = 0; i < 200 && !here && !ended; i++) {
        if (http_next(h, &reply)) {
            http_reply_free(&reply);
            ended = true;
        }
        here = poll(&waiting, 1, 10) == 1;
    }
    if (here)
        close(accept(listener, NULL, NULL));
    http_free(h);
    return here;
}

static void test_proxy(void **state)
{
    static const char *const schemes[] = {"http", "HTTP", "Http"};
    static const char *const variables[] = {"http_proxy", "all_proxy", "ALL_PROXY", "no_proxy",
                                            "NO_PROXY"};
    uint16_t port;
    int listener = listen_here(&port);

    (void)state;
    /* The library asks the environment by itself. */
    for (size_t i = 0; i < ARRAY_LEN(variables); i++)
        unsetenv(variables[i]);
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        char url[100], proxy[100];

        snprintf(url, sizeof(url), "%s://127.0.0.1:%d/x", schemes[i], port);
        assert_true(arrives(url, NULL, listener));
        /* 192.0.2.0/24 is nobody's: what is sent through a proxy there does not arrive. */
        assert_true(arrives(url, "http://192.0.2.1:9", listener));
        assert_true(arrives(url, "192.0.2.1:9", listener));
        /* A proxy on this machine is used. */
        snprintf(url, sizeof(url), "%s://127.0.0.1:9/x", schemes[i]);
        snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%d", port);
        assert_true(arrives(url, proxy, listener));
    }
    close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_proxy),
    };

    return cmocka_run_group_tests_name("http_url", tests, NULL, NULL);
}
