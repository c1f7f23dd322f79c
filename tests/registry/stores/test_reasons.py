"""The words for why something could not be had."""

from __future__ import annotations

import pytest

from wellread.registry.stores.reasons import explain, without_secrets


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("(Caused by NameResolutionError(\"…: Failed to resolve 'api.x.com' ([Errno -2]", "the host api.x.com cannot"),
        ("<urlopen error [Errno -3] Temporary failure in name resolution>", "the host cannot be found"),
        ("Connection to x timed out. (connect timeout=3)", "no answer in time"),
        ("(Caused by ProxyError('Unable to connect to proxy', … Connection refused", "the proxy cannot be reached"),
        ("OSError('Tunnel connection failed: 407 Proxy", "the proxy wants a password"),
        ("InvalidSchema: Missing dependencies for SOCKS support.", "the proxy is a SOCKS proxy"),
        ("Proxy URL had unsupported scheme foo", "the proxy's address is none"),
        ('(Caused by NewConnectionError("[Errno 101] Network is unreachable', "it cannot be reached from here"),
        ("[Errno 111] Connection refused", "the connection was refused: is the server up"),
        ("ConnectionResetError(104, 'Connection reset by peer')", "the answer broke off"),
        ("LocationParseError: Failed to parse: 'a..b', label empty", "the host's name cannot be one"),
        ("403 Client Error: Forbidden for url: https://x", "the server answered 403"),
        ("HTTP Error 404: Not Found", "the server answered 404"),
        ("", "no reason was given"),
        ("first\nsecond", "first"),
    ],
)
def test_reasons_are_said_in_a_line(raw: str, said: str) -> None:
    assert explain(raw).startswith(said)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("https://me:pass@x.org/hub is odd", "https://x.org/hub is odd"),
        ("Max retries for /k?X-Amz-Signature=abc&X=d (Caused", "Max retries for /k (Caused"),
        ("is there a network? set A=b", "is there a network? set A=b"),
    ],
)
def test_reasons_hold_no_secrets(raw: str, said: str) -> None:
    assert without_secrets(raw) == said
    assert explain(ValueError(raw)) == f"ValueError: {said}"
