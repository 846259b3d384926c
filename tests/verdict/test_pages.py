"""Error pages of servers: the reason has their title or first sentence, and what they say below still decides."""

from __future__ import annotations

import pytest

from gwtui.apis import APIS
from gwtui.model.verdicts import Verdict
from gwtui.text.sanitize import EXCERPT, excerpt
from gwtui.verdict.http_status import judge_status

HTML = (("content-type", "text/html; charset=utf-8"),)
NGINX = b"""<html>\r
<head><title>502 Bad Gateway</title></head>\r
<body>\r
<center><h1>502 Bad Gateway</h1></center>\r
<hr><center>nginx/1.24.0</center>\r
</body>\r
</html>\r
"""
APACHE = b"""<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">
<html><head>
<title>502 Proxy Error</title>
</head><body>
<h1>Proxy Error</h1>
<p>An upstream answered badly.<br />
The request failed<p>Reason: <strong>Error reading from remote server</strong></p></p>
<hr>
<address>Apache/2.4.58 Server at gateway.example Port 80</address>
</body></html>
"""
SQUID = b"""<!DOCTYPE html><html><head>
<meta type="copyright" content="Copyright">
<title>ERROR: The URL could not be retrieved</title>
<style type="text/css"><!--
body { margin: 0 }
--></style>
</head><body id="ERR_CONNECT_FAIL">
<h1>ERROR</h1>
<p>It happened at <a href="http://gateway.example/">http://gateway.example/</a></p>
<blockquote id="error">
<p><b>Connection to 192.0.2.1 failed.</b></p>
</blockquote>
<p>The system returned: <i>(111) Connection refused</i></p>
</body></html>
"""
HAPROXY = b"""<html><body><h1>503 Service Unavailable</h1>
No server can handle this request. Come back later.
</body></html>
"""
VARNISH = b"""<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE html>
<html>
  <head>
    <title>503 Backend fetch failed</title>
  </head>
  <body>
    <h1>Error 503 Backend fetch failed</h1>
    <p>XID: 3</p>
  </body>
</html>
"""
LIGHTTPD = b"""<?xml version="1.0" encoding="iso-8859-1"?>
<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en" lang="en">
 <head>
  <title>503 Service Not Available</title>
 </head>
 <body>
  <h1>503 Service Not Available</h1>
 </body>
</html>
"""
CLOUDFRONT = b"""<!DOCTYPE HTML><HTML><HEAD><META CHARSET="utf-8">
<TITLE>ERROR: The request could not be satisfied</TITLE>
</HEAD><BODY><H1>403 ERROR</H1>Request blocked.</BODY></HTML>
"""
EXPRESS = b"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Error</title></head>
<body><pre>Cannot POST /v1/chat</pre></body></html>
"""
PAGES = {
    "nginx": (NGINX, "502 Bad Gateway"),
    "Apache": (APACHE, "502 Proxy Error: Error reading from remote server"),
    "Squid": (SQUID, "ERROR: The URL could not be retrieved: Connection to 192.0.2.1 failed."),
    "HAProxy": (HAPROXY, "503 Service Unavailable No server can handle this request."),
    "Varnish": (VARNISH, "503 Backend fetch failed"),
    "lighttpd": (LIGHTTPD, "503 Service Not Available"),
    "CloudFront": (CLOUDFRONT, "ERROR: The request could not be satisfied"),
    "Express": (EXPRESS, "Error: Cannot POST /v1/chat"),
    "a title with attributes": (b'<title data-x="1">Not &amp; here\n at all</title>', "Not & here at all"),
    "no title": (b"<p>A &lt;b&gt; broke in its middle. Call us.", "A <b> broke in its middle."),
    "an open title": (b"<title>Oops", "Oops"),
    "nothing visible": (b"<html><script>x()</script></html>", ""),
}


@pytest.mark.parametrize("server", PAGES)
def test_a_page_is_quoted_by_its_title_or_its_first_sentence(server: str) -> None:
    page, words = PAGES[server]
    judgement = judge_status(502, HTML, page, APIS["openai-chat"].error_reason, 0.0)
    assert judgement.verdict is Verdict.BAD_GATEWAY
    assert judgement.reason == (f"HTTP 502: {words}" if words else "HTTP 502")


def test_a_long_title_is_cut_and_a_plain_text_keeps_its_sentences() -> None:
    assert len(excerpt(b"<title>" + b"word " * 999 + b"</title>")) == EXCERPT
    assert (
        excerpt(b"upstream connect error. reset reason: overflow") == "upstream connect error. reset reason: overflow"
    )


def test_what_a_page_says_below_its_title_still_decides() -> None:
    page = b"<title>400 Bad Request</title><p>You're speaking plain HTTP to an SSL-enabled server port."
    judgement = judge_status(400, HTML, page, APIS["openai-chat"].error_reason, 0.0)
    assert (judgement.verdict, judgement.rule) == (Verdict.TLS, "http.400.plain-http")
    assert judgement.reason.endswith(": 400 Bad Request")
