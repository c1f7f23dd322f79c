"""Where the visitors of a site find its hub: a browser speaks https, whatever wellread speaks with a bucket.

    https://host/hub             as it is
    s3://bucket/prefix           https://bucket.s3.<region>.amazonaws.com/prefix, or below AWS_ENDPOINT_URL
    gs://bucket/prefix           https://storage.googleapis.com/bucket/prefix
    az://container/prefix        https://<AZURE_STORAGE_ACCOUNT_NAME>.blob.core.windows.net/container/prefix
    a folder                     the first of its mirrors that has such an address; else the site's own

Endpoint and region come from the settings with which the bucket is read (see ``stores.cloud``).
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress

from wellread.errors import BadInput
from wellread.registry.hub.info import MIRRORS, parse_address
from wellread.registry.stores import cloud, is_local

_REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")
_ACCOUNTS = ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_ACCOUNT_NAME")
_WEB = ("http", "https")
_FIRST_REGION = "us-east-1"
"""The one whose buckets need no region in their address."""


def place_of(url: str, mirrors: Iterable[str]) -> tuple[str, str]:
    """(download, uri) of a hub for the visitors of its site, both empty where it has no address (see ``Site``)."""
    if not is_local(url):
        return download_address(url), url.rstrip("/")
    for mirror in mirrors:
        with suppress(BadInput):  # a strange one, or one that only another machine can read, is none for a page
            if address := download_address(parse_address(mirror, MIRRORS)):
                return address, mirror.rstrip("/")
    return "", ""


def download_address(url: str) -> str:
    """The http(s) address below which the keys of a hub are, without a slash at its end; empty where it has none.

    Raises BadInput where the environment does not say where it is, or says what is no address.
    """
    if is_local(url):
        return ""
    scheme, _, rest = url.partition("://")
    if scheme.lower() in _WEB:
        return url.rstrip("/")
    if scheme.lower() not in _BASES:
        raise BadInput(f"{scheme}:// is not a kind of hub that a page can link to")
    bucket, _, prefix = rest.strip("/").partition("/")
    return f"{_BASES[scheme.lower()](bucket)}/{prefix}".rstrip("/")


def _s3(bucket: str) -> str:
    """A name with dots fits no certificate, so it stands in the path."""
    if endpoint := cloud.endpoint(cloud.SERVICES["s3"]):
        return f"{endpoint.rstrip('/')}/{bucket}"
    region = _first(_REGIONS) or _FIRST_REGION
    host = "s3.amazonaws.com" if region == _FIRST_REGION else f"s3.{region}.amazonaws.com"
    return f"https://{host}/{bucket}" if "." in bucket else f"https://{bucket}.{host}"


def _gs(bucket: str) -> str:
    endpoint = cloud.endpoint(cloud.SERVICES["gs"]) or "https://storage.googleapis.com"
    return f"{endpoint.rstrip('/')}/{bucket}"


def _az(container: str) -> str:
    if endpoint := cloud.endpoint(cloud.SERVICES["az"]):
        return f"{endpoint.rstrip('/')}/{container}"
    if account := _first(_ACCOUNTS):
        return f"https://{account}.blob.core.windows.net/{container}"
    raise BadInput("whose container it is says AZURE_STORAGE_ACCOUNT_NAME: set it, so that pages can link to the files")


_BASES = {"s3": _s3, "gs": _gs, "az": _az}


def _first(variables: Iterable[str]) -> str:
    return next((value for name in variables if (value := os.environ.get(name))), "")
