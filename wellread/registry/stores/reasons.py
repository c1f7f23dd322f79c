"""Why something could not be had over a network, in a few words and without secrets.

Libraries say it in chains of class names and quoted addresses; a person needs what happened and what to do.
"""

from __future__ import annotations

import re

_REASONS = (
    (r"dependencies for SOCKS", "the proxy is a SOCKS proxy, which needs pip install pysocks"),
    (r"[Pp]roxy URL", "the proxy's address is none: look at HTTP_PROXY and HTTPS_PROXY"),
    (r"Tunnel connection failed: 407", "the proxy wants a password: HTTPS_PROXY=http://user:password@host:port"),
    (r"ProxyError|to proxy", "the proxy cannot be reached or refuses: look at HTTP_PROXY, HTTPS_PROXY and NO_PROXY"),
    (r"Failed to resolve '([^']+)'", "the host {0} cannot be found: is it spelt right, is there a network?"),
    (r"Name or service not known|name resolution|getaddrinfo", "the host cannot be found: is there a network?"),
    (r"timed? ?out", "no answer in time: is there a network, a proxy?"),
    (r"IncompleteRead|Connection broken|reset by peer|RemoteDisconnected|EOF occurred|_EOF_", "the answer broke off"),
    (r"[Cc]onnection refused", "the connection was refused: is the server up, and is that its port?"),
    (r"[Uu]nreachable|No route to host", "it cannot be reached from here: is there a network?"),
    (r"CERTIFICATE_VERIFY_FAILED", "its certificate cannot be verified: behind a proxy set REQUESTS_CA_BUNDLE"),
    (r"WRONG_VERSION_NUMBER|RECORD_LAYER_FAILURE", "it does not speak TLS: is its address http:?"),
    (r"TLS CA certificate bundle", "there is no file of certificates where REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE says"),
    (r"InvalidURL|LocationParseError", "the host's name cannot be one: is it spelt right?"),
    (r"SSLError", "no secure connection: behind a proxy set REQUESTS_CA_BUNDLE"),
    (r"InvalidSchema.*?'(\w+):", "it leads to a {0}: address, which is not followed"),
    (r"\b(401|403|404|410|429|5\d\d) (?:Client|Server) Error", "the server answered {0}"),
    (r"HTTP Error (\d+)", "the server answered {0}"),
)
_SECRETS = re.compile(r"(?<=//)[^/@\s]+@|\?[^\s'\")]*=[^\s'\")]*")
"""A user and password in a URL, and a query: those of signed addresses open doors."""


def explain(error: object) -> str:
    """Why something could not be had, in one line of at most 200 characters."""
    text = f"{type(error).__name__}: {error}" if isinstance(error, BaseException) else str(error)
    for pattern, words in _REASONS:
        if found := re.search(pattern, text):
            return words.format(*found.groups())
    lines = [line.strip() for line in without_secrets(text).splitlines() if line.strip()]
    return lines[0][:200] if lines else "no reason was given"


def without_secrets(text: str) -> str:
    """The same text, credentials and queries of its URLs left out."""
    return _SECRETS.sub("", text)
