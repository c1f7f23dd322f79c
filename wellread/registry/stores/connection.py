"""The way to one web server: who asks, through which proxy, and where redirects may lead.

Proxies, certificates and ``.netrc`` are taken from where requests takes them. A token of ``WELLREAD_TOKENS``
(``host[:port]=token,…``), the user and password in a hub's address and those in ``.netrc`` go to the hub's own scheme,
host and port and nowhere else, whatever redirects say; that is why redirects are followed here and not by the library.
"""

from __future__ import annotations

import ipaddress
import os
import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, unquote, urljoin, urlsplit

from wellread import __version__
from wellread.errors import BadInput, HubUnavailable, Interrupted, Unreachable
from wellread.registry.stores.reasons import explain, without_secrets

if TYPE_CHECKING:
    import requests

TOKENS = "WELLREAD_TOKENS"
TIMEOUT = (3.05, 30.0)
"""Seconds to connect, and between two pieces of an answer."""
_REDIRECTS = 8
_PORTS = {"http": 80, "https": 443}
_CONNECTIONS = 16
"""How many connections are kept open: parallel ranges take some each."""
_TOKEN = re.compile(r"\s*(?P<place>[^=\s]+)=(?P<token>[\x21-\x2b\x2d-\x7e]+)\s*")


class Place(NamedTuple):
    """Whom credentials are for."""

    scheme: str
    host: str
    port: int

    @property
    def name(self) -> str:
        """``host``, or ``host:port`` where the port is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def private(self) -> bool:
        """Whether nobody on the way can listen."""
        return self.scheme == "https" or _is_loopback(self.host)


class Address(NamedTuple):
    """A hub's address, and the Authorization header that its user and password make, which is shown nowhere."""

    url: str
    place: Place
    login: str


def parse_address(url: str) -> Address:
    """The parts of ``http(s)://[user:password@]host[:port][/path]``. Raises BadInput, which shows no password."""
    try:
        parts, place = urlsplit(url), place_of(url)
    except ValueError as error:
        raise BadInput(f"{without_secrets(url)} is not the address of a hub: {error}") from error
    if parts.query or parts.fragment:
        raise BadInput(f"{without_secrets(url)} is not the address of a hub: it has no '?' and no '#'")
    path = quote(parts.path.rstrip("/"), safe="/%:@!$&'()*+,;=~")
    return Address(f"{place.scheme}://{place.name}{path}", place, _basic(parts.username or "", parts.password or ""))


def place_of(url: str) -> Place:
    """Scheme, host and port of a URL. Raises ValueError where it has none."""
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    if scheme not in _PORTS or not parts.hostname:
        raise ValueError("http:// or https:// and a host are expected")
    return Place(scheme, parts.hostname, _PORTS[scheme] if parts.port is None else parts.port)


def token_for(place: Place) -> str | None:
    """The bearer token for exactly that place, if nobody can listen. Raises BadInput, which shows no token."""
    given = os.environ.get(TOKENS, "").strip(" ,")
    entries = [_TOKEN.fullmatch(part) for part in given.split(",")] if given else []
    names = {place.name, f"{place.name.removesuffix(f':{place.port}')}:{place.port}"}
    for number, entry in enumerate(entries, 1):
        if entry is None:
            raise BadInput(f"{TOKENS} is malformed in entry {number}: write host=token,host2:8443=token2")
        if entry["place"].lower() in names and place.private:
            return entry["token"]
    return None


class Connection:
    """Connections to the place of an address and wherever it leads; for one process, any number of threads."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.session = _connections()

    def ask(self, method: str, url: str, headers: Mapping[str, str]) -> requests.Response | None:
        """The answer, its body not read; None where the server says that this is a folder by adding a slash.

        Raises HubUnavailable, Interrupted.
        """
        asked = {"Accept-Encoding": "identity", "User-Agent": f"wellread/{__version__}", **headers}
        where = url
        for _ in range(_REDIRECTS + 1):
            with told(where):
                response = self.session.request(
                    method,
                    url,
                    headers=asked,
                    auth=self._auth(url),
                    stream=True,
                    timeout=TIMEOUT,
                    allow_redirects=False,
                )
                target = redirect(response)
            if target is None:
                return response
            response.close()
            following = follow(where, url, target)
            if urlsplit(following).path == f"{urlsplit(url).path}/":
                return None
            url = following
        raise HubUnavailable(f"{where} was redirected more than {_REDIRECTS} times")

    def _auth(self, url: str) -> Callable[[requests.PreparedRequest], requests.PreparedRequest] | None:
        """Says who asks by a token or a login; None leaves it to .netrc. Another place learns nothing."""
        if place_of(url) != self.address.place:
            return lambda request: request
        token = token_for(self.address.place)
        said = f"Bearer {token}" if token else self.address.login
        return _saying(said) if said else None


def unled() -> requests.Session:
    """A session that looks at no redirect: who asks follows them, by ``redirect`` and ``follow``.

    Even where it shall not follow one, the library reads its whole body into memory and prepares the next request.
    """
    import requests

    class Session(requests.Session):
        def get_redirect_target(self, resp: requests.Response) -> None:
            return None

    return Session()


def _connections() -> requests.Session:
    """A session that retries nothing and keeps no cookies."""
    from requests.adapters import HTTPAdapter

    session = unled()
    session.cookies.set_policy(_no_cookies())
    for scheme in _PORTS:
        session.mount(f"{scheme}://", HTTPAdapter(pool_maxsize=_CONNECTIONS, max_retries=0))
    return session


def redirect(response: requests.Response) -> str | None:
    """Where an answer leads to; as requests reads it, bytes that are no ASCII being UTF-8."""
    return response.headers["Location"].encode("latin-1").decode("utf-8", "replace") if response.is_redirect else None


def follow(where: str, url: str, target: str) -> str:
    """The address that a redirect leads to. Raises HubUnavailable for one that is not followed."""
    shown = without_secrets(target).partition("?")[0][:120]
    try:
        following = urljoin(url, target)
        scheme = place_of(following).scheme
    except ValueError as error:
        raise HubUnavailable(f"{where} leads to {shown}, which is not followed: it is no http: address") from error
    if scheme == "http" and url.startswith("https:"):
        raise HubUnavailable(f"{where} leads to {shown}, which is not followed: anybody on the way could listen")
    return following


@contextmanager
def told(where: str) -> Iterator[None]:
    """What goes wrong on the way, in our own words. Raises Interrupted where it may pass, HubUnavailable else."""
    import requests
    from urllib3.exceptions import HTTPError

    passing = (requests.ConnectionError, requests.Timeout, HTTPError, ConnectionError, TimeoutError)
    try:
        yield
    except (requests.RequestException, HTTPError, OSError, UnicodeError) as error:
        if _is_unanswered(error):
            raise Unreachable(f"{where}: {explain(error)}") from error
        passes = isinstance(error, passing) and not _stays(error)
        raise (Interrupted if passes else HubUnavailable)(f"{where}: {explain(error)}") from error


def _is_unanswered(error: Exception) -> bool:
    """Whether no connection came about."""
    from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, ConnectTimeoutError | NewConnectionError)


def _stays(error: Exception) -> bool:
    """Whether an error of the connection is one of set-up: certificates, proxies, a name that cannot be a host's."""
    import requests

    if isinstance(error, requests.exceptions.SSLError):
        return "EOF" not in str(error)
    return isinstance(error, requests.exceptions.ProxyError | ValueError)


def _saying(who: str) -> Callable[[requests.PreparedRequest], requests.PreparedRequest]:
    def say(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = who
        return request

    return say


def _basic(user: str, password: str) -> str:
    """The header of a login as a URL holds it (RFC 7617); empty for none."""
    login = f"{unquote(user)}:{unquote(password)}".encode()
    return f"Basic {b64encode(login).decode()}" if user or password else ""


def _no_cookies() -> Any:
    """A policy that keeps none: a hub needs no memory of who asks, and threads share nothing."""
    from http.cookiejar import DefaultCookiePolicy

    return DefaultCookiePolicy(allowed_domains=[])


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
