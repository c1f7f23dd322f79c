"""How a bucket is reached: which service, whose credentials, what endpoint.

The services' own variables decide, as for every other program; ``obstore`` reads them. Here is only what it leaves out.

* Who signs in: a variable, a file of the service's own tools, or the machine itself, if its firmware says that it is
  one of the service's; so no laptop waits for an instance's metadata server. If nobody, requests go out unsigned: that
  is how a public bucket is read.
* AWS's shared files, ``~/.aws/config`` and ``~/.aws/credentials``, for the profile in ``AWS_PROFILE``. A profile with
  keys is read here; one that signs in otherwise (SSO, a role, a command) is left to boto3, if that is installed.
* Plain HTTP, only for an endpoint that was given so. A CA bundle, from the variables that requests reads.
"""

from __future__ import annotations

import configparser
import os
import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from wellread.errors import BadInput, HubUnavailable, missing_extra
from wellread.registry.stores.connection import place_of

if TYPE_CHECKING:
    from obstore.store import AzureStore, GCSStore, S3Store

    Client = S3Store | GCSStore | AzureStore


class Service(NamedTuple):
    """A kind of bucket. Each of its fields but the first two names what to look at, the first that is there counts."""

    name: str
    client: str
    """The class in ``obstore.store``."""
    signs: tuple[str, ...]
    """Variables that say who signs in."""
    files: tuple[str, ...]
    """Files of the service's tools that say so."""
    firmware: tuple[str, str]
    """A file of the system, and what it begins with on a machine of the service's."""
    endpoints: tuple[str, ...]
    """Variables that name another endpoint."""
    unsigned: str
    """The variable that asks for unsigned requests."""
    sign_in: str
    """What to do, in a message."""


SERVICES = {
    "s3": Service(
        "S3",
        "S3Store",
        signs=(
            "AWS_ACCESS_KEY_ID",
            "AWS_WEB_IDENTITY_TOKEN_FILE",
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            "AWS_METADATA_ENDPOINT",
        ),
        files=(),
        firmware=("/sys/class/dmi/id/sys_vendor", "Amazon EC2"),
        endpoints=("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"),
        unsigned="AWS_SKIP_SIGNATURE",
        sign_in="AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
    ),
    "gs": Service(
        "Google Cloud Storage",
        "GCSStore",
        signs=(
            "GOOGLE_SERVICE_ACCOUNT",
            "GOOGLE_SERVICE_ACCOUNT_PATH",
            "GOOGLE_SERVICE_ACCOUNT_KEY",
            "GOOGLE_APPLICATION_CREDENTIALS",
            "GOOGLE_BEARER_TOKEN",
            "GCE_METADATA_HOST",
            "K_SERVICE",
        ),
        files=("~/.config/gcloud/application_default_credentials.json",),
        firmware=("/sys/class/dmi/id/sys_vendor", "Google"),
        endpoints=("GOOGLE_BASE_URL",),
        unsigned="GOOGLE_SKIP_SIGNATURE",
        sign_in="GOOGLE_APPLICATION_CREDENTIALS, or run gcloud auth application-default login",
    ),
    "az": Service(
        "Azure",
        "AzureStore",
        signs=(
            "AZURE_STORAGE_ACCOUNT_KEY",
            "AZURE_STORAGE_ACCESS_KEY",
            "AZURE_STORAGE_MASTER_KEY",
            "AZURE_STORAGE_SAS_KEY",
            "AZURE_STORAGE_SAS_TOKEN",
            "AZURE_STORAGE_TOKEN",
            "AZURE_STORAGE_CLIENT_SECRET",
            "AZURE_CLIENT_SECRET",
            "AZURE_FEDERATED_TOKEN_FILE",
            "AZURE_USE_AZURE_CLI",
            "AZURE_STORAGE_USE_EMULATOR",
            "IDENTITY_ENDPOINT",
        ),
        files=(),
        firmware=("/sys/class/dmi/id/chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77"),
        endpoints=("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"),
        unsigned="AZURE_SKIP_SIGNATURE",
        sign_in="AZURE_STORAGE_ACCOUNT_KEY, AZURE_STORAGE_SAS_TOKEN, or AZURE_USE_AZURE_CLI=true",
    ),
}
"""Scheme of a URL → its service."""

_BUNDLES = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_CONNECT, _SILENT = timedelta(seconds=10), timedelta(seconds=60)
"""To wait for a connection, and for the next bytes of an answer."""
_READING = timedelta(days=1)
"""The whole of an answer: however long it takes, as long as bytes come."""
_SLOWEST = 100_000
"""Bytes a second that an upload must make."""
_ENDPOINT = re.compile(r"https?://[\w.\-\[\]:]+(/[\w.\-~/%]*)?", re.IGNORECASE | re.ASCII)
_EMULATOR = ("AZURE_STORAGE_USE_EMULATOR",)
_REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")
_PREFIXES = ("AWS_", "AZURE_", "GOOGLE_")
"""How the variables begin that obstore reads by itself."""
_SHARED = {"config": "AWS_CONFIG_FILE", "credentials": "AWS_SHARED_CREDENTIALS_FILE"}
_KEYS = {
    "aws_access_key_id": "access_key_id",
    "aws_secret_access_key": "secret_access_key",
    "aws_session_token": "session_token",
}
"""What a profile calls it → what obstore does; so is ``_PLACE``."""
_PLACE = {"region": "region", "endpoint_url": "endpoint"}
_OTHERWISE = ("sso_session", "sso_start_url", "role_arn", "credential_process", "login_session")


def connect(service: Service, bucket: str, prefix: str, uploading: int | None = None) -> Client:
    """A client of obstore for a bucket, without retries; ``uploading`` is how many bytes it is to send, if it is.

    Raises MissingExtra; BadInput, HubUnavailable for settings that cannot be.
    """
    from obstore import exceptions, store

    _forget_empty()
    _check_keys()
    kind: type[Any] = getattr(store, service.client)
    config = _config(service)
    options = {"allow_http": _plain_http(service), **_times(uploading), **_trusted()}
    signing = _provider(service, config)
    try:
        client: Client = kind(
            bucket,
            prefix=prefix or None,
            config=config or None,
            client_options=options,
            retry_config={"max_retries": 0},
            **signing,
        )
        return client
    except (exceptions.BaseError, ValueError) as error:  # its words may quote a secret, so they are only chained
        variables = ", ".join((service.signs[0], *service.endpoints))
        raise HubUnavailable(
            f"the settings for {service.name} cannot be used: check {variables} and the like"
        ) from error


def is_anonymous(service: Service) -> bool:
    """Whether nobody signs in, so that requests go out unsigned."""
    if os.environ.get(service.unsigned, "").lower() in ("1", "true", "yes"):
        return True
    kept = any(Path(file).expanduser().is_file() for file in service.files)
    return not (_told(service) or kept or _is_of(service) or _signs_in(_profile(service)))


def endpoint(service: Service) -> str | None:
    """Another endpoint than the service's own. Raises BadInput for one with a password in it, or that is none."""
    given = _first(service.endpoints) or _profile(service).get("endpoint_url")
    if given and "@" in given:
        raise BadInput(f"the endpoint of {service.name} holds a user or password: give those by {service.sign_in}")
    if given and not _is_address(given):
        raise BadInput(f"the endpoint of {service.name} is no address: set {service.endpoints[0]}=https://host[:port]")
    return given


def _forget_empty() -> None:
    """Unset the variables that say nothing, as build servers set those that nobody gave: obstore panics on some."""
    for name in [name for name, value in os.environ.items() if not value and name.startswith(_PREFIXES)]:
        os.environ.pop(name, None)


def _check_keys() -> None:
    """Raises BadInput for a key with a line break, as files of secrets end with: obstore panics on some."""
    for name in map(str.upper, _KEYS):
        if not os.environ.get(name, "").isprintable():
            raise BadInput(f"{name} holds a line break or another character that no key has: set it without")


def _is_address(url: str) -> bool:
    """Whether it can be an endpoint; of some that cannot obstore panics."""
    try:
        return bool(place_of(url)) and _ENDPOINT.fullmatch(url) is not None
    except ValueError:
        return False


def _config(service: Service) -> dict[str, Any]:
    """What obstore does not find by itself."""
    if is_anonymous(service):
        config: dict[str, Any] = {"skip_signature": True}
    else:
        config = {} if _told(service) else _taken(_profile(service), _KEYS)
    given = {"region": _first(_REGIONS), "endpoint": _first(service.endpoints)}
    return config | {name: value for name, value in _taken(_profile(service), _PLACE).items() if not given[name]}


def _provider(service: Service, config: dict[str, Any]) -> dict[str, Any]:
    """boto3 as the one who signs in, where a profile needs it. Raises HubUnavailable where it is not installed."""
    if _told(service) or {"skip_signature", "access_key_id"} & config.keys() or not _signs_in(_profile(service)):
        return {}
    try:
        from obstore.auth.boto3 import Boto3CredentialProvider
    except ImportError as error:
        raise HubUnavailable(
            "the AWS profile in use signs in by SSO, a role or a command, which boto3 does: pip install boto3"
        ) from error
    return {"credential_provider": Boto3CredentialProvider()}


def _plain_http(service: Service) -> bool:
    return _first(_EMULATOR) is not None or (endpoint(service) or "").lower().startswith("http://")


def _times(uploading: int | None) -> dict[str, Any]:
    """Time limits. While it sends a client hears nothing, so one that is to send is given a time for the whole."""
    if uploading is None:
        return {"connect_timeout": _CONNECT, "read_timeout": _SILENT, "timeout": _READING}
    return {"connect_timeout": _CONNECT, "timeout": _SILENT + timedelta(seconds=uploading / _SLOWEST)}


def _trusted() -> dict[str, Any]:
    """The CA bundle of a proxy or a private endpoint. Raises HubUnavailable."""
    bundle = _first(_BUNDLES)
    if bundle is None:
        return {}
    try:
        return {"root_certificate": Path(bundle).read_bytes()}
    except OSError as error:
        names = " or ".join(_BUNDLES)
        raise HubUnavailable(f"cannot read {bundle}, which {names} names: {error.strerror or error}") from error


def _told(service: Service) -> bool:
    return _first(service.signs) is not None


def _is_of(service: Service) -> bool:
    """Whether this machine is one of the service's, which vouches for it."""
    file, beginning = service.firmware
    try:
        return Path(file).read_text(errors="replace").startswith(beginning)
    except OSError:
        return False


def _first(variables: Iterable[str]) -> str | None:
    """What the first of these variables says that says anything."""
    return next((value for name in variables if (value := os.environ.get(name))), None)


def _taken(profile: Mapping[str, str], names: Mapping[str, str]) -> dict[str, Any]:
    return {ours: profile[theirs] for theirs, ours in names.items() if theirs in profile}


def _signs_in(profile: Mapping[str, str]) -> bool:
    return any(field in profile for field in (*_KEYS, *_OTHERWISE))


def _profile(service: Service) -> dict[str, str]:
    """The settings of the AWS profile in use, from both shared files; none where there is none.

    Raises HubUnavailable for a file that cannot be read, BadInput for a profile that is not there.
    """
    if service is not SERVICES["s3"]:
        return {}
    name = os.environ.get("AWS_PROFILE") or "default"
    sections = {"config": name if name == "default" else f"profile {name}", "credentials": name}
    found = [dict(parsed[section]) for file, section in sections.items() if section in (parsed := _shared(file))]
    if not found and os.environ.get("AWS_PROFILE"):
        raise BadInput(f"AWS_PROFILE is {name}, and neither ~/.aws/config nor ~/.aws/credentials has such a profile")
    return {field: value for settings in found for field, value in settings.items()}


def _shared(file: str) -> configparser.RawConfigParser:
    path = Path(os.environ.get(_SHARED[file]) or f"~/.aws/{file}").expanduser()
    parsed = configparser.RawConfigParser(strict=False)
    try:
        parsed.read(path, encoding="utf-8")
    except (configparser.Error, OSError, UnicodeDecodeError) as error:
        raise HubUnavailable(f"cannot read {path}: mend it, or set AWS_ACCESS_KEY_ID") from error
    return parsed


def check_installed() -> None:
    """Raises MissingExtra where obstore is not installed; imports nothing."""
    from importlib.util import find_spec

    if find_spec("obstore") is None:
        raise missing_extra("obstore", "cloud")
