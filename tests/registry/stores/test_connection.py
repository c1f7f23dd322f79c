"""Credentials stay with the hub, redirects stay on the web, proxies and certificates are the user's."""

from __future__ import annotations

import ipaddress
import ssl
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
import requests

from tests.registry.stores.scripted import Asked, Reply, Scripted, scripted
from wellread.errors import BadInput, HubUnavailable, Interrupted
from wellread.registry.stores import open_store, read
from wellread.registry.stores.connection import parse_address, place_of, token_for

SECRET = "s3cr3t-t0ken=="


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("WELLREAD_TOKENS", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))


def data(asked: Asked) -> Reply:
    return Reply(b"data", headers={"ETag": '"one"'})


def to(target: str, status: int = 302) -> Callable[[Asked], Reply]:
    return lambda asked: Reply(b"", status, {"Location": target})


@pytest.fixture
def other() -> Iterator[Scripted]:
    """A server that a hub leads to."""
    with scripted(data) as server:
        yield server


def message_of(operation: Callable[[], object], error: type[Exception] = HubUnavailable) -> str:
    """All that a traceback would show, values of variables aside."""
    with pytest.raises(error) as caught:
        operation()
    return "\n".join(str(each) for each in _chain(caught.value))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error:
        yield error
        error = error.__cause__ or error.__context__


# ---------------------------------------------------------------- credentials


def test_a_token_goes_to_its_host_alone(other: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted(to(f"{other.url}/signed/k?Signature=abc")) as hub:
        place = hub.url.removeprefix("http://")
        monkeypatch.setenv("WELLREAD_TOKENS", f"example.org=no, {place}={SECRET},127.0.0.1=no2")
        assert read(open_store(hub.url), "k") == (b"data", '"one"')
        assert [asked.login for asked in hub.asked] == [f"Bearer {SECRET}"]
        assert [asked.login for asked in other.asked] == [None]
        assert other.asked[0].path == "/signed/k?Signature=abc"


def test_a_token_follows_within_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted(lambda asked: data(asked) if asked.path == "/b" else to("/b")(asked)) as hub:
        monkeypatch.setenv("WELLREAD_TOKENS", f"{hub.url.removeprefix('http://')}={SECRET}")
        assert read(open_store(hub.url), "a")
        assert [asked.login for asked in hub.asked] == [f"Bearer {SECRET}"] * 2


def test_a_login_in_the_address_goes_to_the_hub_alone_and_is_never_shown(other: Scripted) -> None:
    with scripted(to(f"{other.url}/k")) as hub:
        store = open_store(hub.url.replace("//", "//me:p%40ss%3a@"))
        assert store.url == hub.url
        assert read(store, "k")
        assert hub.asked[0].login == f"Basic {b64encode(b'me:p@ss:').decode()}"
        assert other.asked[0].login is None


def test_netrc_is_read_for_the_hub_alone(other: Scripted, tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password pass\n")
    with scripted(to(f"{other.url}/k")) as hub:
        assert read(open_store(hub.url), "k")
        assert hub.asked[0].login == f"Basic {b64encode(b'me:pass').decode()}"
        assert other.asked[0].login is None  # the same host by name, but another port


def test_a_token_counts_more_than_netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password pass\n")
    with scripted(data) as hub:
        monkeypatch.setenv("WELLREAD_TOKENS", f"{hub.url.removeprefix('http://')}={SECRET}")
        assert read(open_store(hub.url), "k")
        assert hub.asked[0].login == f"Bearer {SECRET}"


@pytest.mark.parametrize(
    ("url", "tokens", "token"),
    [
        ("https://h.org/x", "h.org=a", "a"),
        ("https://h.org/x", "h.org:443=a", "a"),
        ("https://H.org:443", "h.ORG=a", "a"),
        ("https://h.org:8443", "h.org:8443=a=b=", "a=b="),
        ("https://[::1]:8443", "[::1]:8443=a", "a"),
        ("https://h.org:8443", "h.org=a", None),
        ("https://sub.h.org", "h.org=a", None),
        ("https://h.org.evil.org", "h.org=a", None),
        ("http://h.org", "h.org=a", None),
        ("http://127.0.0.1.nip.io", "127.0.0.1.nip.io=a", None),
        ("http://127.0.0.1:8000", "127.0.0.1:8000=a", "a"),
        ("http://localhost", " x=b , localhost=a ,", "a"),
        ("https://h.org", "", None),
    ],
)
def test_a_token_is_for_exactly_one_place_and_never_sent_in_the_open(
    url: str, tokens: str, token: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WELLREAD_TOKENS", tokens)
    assert token_for(place_of(url)) == token


@pytest.mark.parametrize("tokens", [SECRET, f"h.org={SECRET}\r\nX: y", f"h.org={SECRET} x", "h.org=", f"a=b,{SECRET},"])
def test_malformed_tokens_are_refused_and_not_shown(tokens: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = tokens.replace("s3cr3t-t0ken==", "s3cr3t") if tokens in (SECRET, f"a=b,{SECRET},") else tokens
    monkeypatch.setenv("WELLREAD_TOKENS", tokens)
    said = message_of(lambda: open_store("https://h.invalid").head("k"), BadInput)
    assert "WELLREAD_TOKENS is malformed in entry" in said and "s3cr3t" not in said


def test_no_message_holds_a_secret(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    replies = iter(
        [
            Reply(b"", 401),
            Reply(b"", 403),
            Reply(b"", 500),
            Reply(b"data", sent=1),
            Reply(b"", 302, {"Location": "ftp://x"}),
        ]
    )
    with scripted(lambda asked: next(replies)) as hub:
        monkeypatch.setenv("WELLREAD_TOKENS", f"{hub.url.removeprefix('http://')}={SECRET}")
        store = open_store(hub.url.replace("//", "//me:p4ssw0rd@"))
        said = [message_of(lambda: read(store, "k")) for _ in range(5)]
    said += [message_of(lambda: store.head("k")), store.url, caplog.text]
    for host in ("", "h:x", "h/?a=b"):
        said.append(message_of(partial(open_store, f"https://me:p4ssw0rd@{host}"), BadInput))
    assert not [text for text in said if SECRET in text or "p4ssw0rd" in text]


# ---------------------------------------------------------------- redirects


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "ftp://127.0.0.1/k", "gopher://x", "javascript:1", "http://["]
)
def test_redirects_leave_the_web_for_nothing(target: str) -> None:
    with scripted(to(target)) as hub, pytest.raises(HubUnavailable, match="which is not followed") as caught:
        open_store(hub.url).get_range("k")
    assert not isinstance(caught.value, Interrupted)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed_with_the_question(status: int, other: Scripted) -> None:
    with scripted(to(f"{other.url}/b/k", status)) as hub:
        store = open_store(hub.url)
        store.get_range("k", 1, 2, unless='"x"')
        store.head("k")
    assert [(asked.method, asked.range, asked.headers["If-None-Match"]) for asked in other.asked] == [
        ("GET", "bytes=1-2", '"x"'),
        ("HEAD", None, None),
    ]


def test_the_body_of_a_redirect_is_not_read(other: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests.Response, "content", property(lambda _: pytest.fail("a body is read into memory")))
    with scripted(lambda asked: Reply(b"x", 302, {"Location": f"{other.url}/k"})) as hub:
        assert read(open_store(hub.url), "k") == (b"data", '"one"')


def test_redirects_end_somewhere() -> None:
    with scripted(to("/round")) as hub, pytest.raises(HubUnavailable, match="redirected more than 8 times"):
        open_store(hub.url).head("k")


def test_a_signed_address_is_not_shown(other: Scripted) -> None:
    with scripted(to("ftp://me:pass@h/k?X-Amz-Signature=abc")) as hub:
        said = message_of(lambda: open_store(hub.url).head("k"))
    assert "ftp://h/k, which is not followed" in said.splitlines()[0]
    assert "Signature" not in said and "pass@" not in said


# ---------------------------------------------------------------- certificates


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a key and a certificate for 127.0.0.1 that nobody else signed."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a test's own")])
    now = datetime.now(UTC)
    host = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(host, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    pkcs8 = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(key.private_bytes(*pkcs8) + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_a_certificate_that_nobody_vouches_for_is_explained(tls: ssl.SSLContext) -> None:
    with scripted(data, tls) as hub, pytest.raises(HubUnavailable, match="set REQUESTS_CA_BUNDLE") as caught:
        open_store(hub.url).head("k")
    assert not isinstance(caught.value, Interrupted) and hub.asked == []


def test_a_bundle_of_ones_own_is_believed(
    tls: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scripted(data, tls) as hub:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
        assert read(open_store(hub.url), "k") == (b"data", '"one"')
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate.with_name("absent.pem")))
        with pytest.raises(HubUnavailable, match="no file of certificates where REQUESTS_CA_BUNDLE"):
            open_store(hub.url).head("k")


def test_https_never_leads_to_http(
    tls: ssl.SSLContext, certificate: Path, other: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with scripted(to(f"{other.url}/k"), tls) as hub, pytest.raises(HubUnavailable, match="anybody on the way"):
        open_store(hub.url).head("k")
    assert other.asked == []


def test_https_where_only_http_is_spoken(other: Scripted) -> None:
    with pytest.raises(HubUnavailable, match="it does not speak TLS"):
        open_store(other.url.replace("http:", "https:")).head("k")


# ---------------------------------------------------------------- proxies


def test_the_users_proxy_is_asked(monkeypatch: pytest.MonkeyPatch, other: Scripted) -> None:
    with scripted(data) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url.replace("//", "//me:pr0xypass@"))
        monkeypatch.setenv("http_proxy", proxy.url.replace("//", "//me:pr0xypass@"))
        assert read(open_store("http://hub.invalid/x"), "k") == (b"data", '"one"')
        assert [asked.path for asked in proxy.asked] == ["http://hub.invalid/x/k"]
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert read(open_store(other.url), "k")
        assert len(proxy.asked) == len(other.asked) == 1
    with pytest.raises(HubUnavailable, match="look at HTTP_PROXY") as caught:
        open_store("http://hub.invalid/x").head("k")
    assert not isinstance(caught.value, Interrupted)
    said = message_of(lambda: open_store("http://hub.invalid/x").head("k"))
    assert "look at HTTP_PROXY" in said and "pr0xypass" not in said


def test_a_proxy_that_wants_a_password_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted(lambda asked: Reply(b"", 407)) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        with pytest.raises(HubUnavailable, match="the proxy wants a password"):
            open_store("http://hub.invalid").head("k")


def test_an_address_without_a_login_has_none() -> None:
    assert parse_address("https://h.org/a").login == ""
    assert parse_address("https://tok@h.org/a").login == f"Basic {b64encode(b'tok:').decode()}"


def test_no_cookie_is_kept() -> None:
    with scripted(lambda asked: Reply(b"data", headers={"Set-Cookie": "who=me"})) as hub:
        store = open_store(hub.url)
        assert read(store, "k") and read(store, "k")
        assert [asked.headers["Cookie"] for asked in hub.asked] == [None, None]
