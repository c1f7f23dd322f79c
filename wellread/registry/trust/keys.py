"""The keys that a publisher signs with.

    $WELLREAD_HOME/keys/          mode 700
      default.pem                 an Ed25519 private key, PKCS8 in PEM, mode 600, without a passphrase

Whoever publishes signs with every key that lies there. A key that is handed over in ``WELLREAD_KEY``, as PEM text or as
a path, takes their place: that is how a build server is given one. A key's id is its raw public key in lower-case
hexadecimal; the private part is never printed, not even in an error about it.
"""

from __future__ import annotations

import os
import stat
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from wellread.errors import BadInput
from wellread.registry import disk
from wellread.registry.home import home
from wellread.registry.names import parse_name

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

VARIABLE = "WELLREAD_KEY"
DEFAULT = "default"

_NEW = "make one with 'wellread keys new'"


@dataclass(frozen=True)
class Key:
    """A key to sign with; ``name`` is for people, ``id`` for everyone else."""

    name: str
    id: str
    private: Ed25519PrivateKey = field(repr=False)


def own_keys() -> tuple[Key, ...]:
    """The key in ``WELLREAD_KEY``, else every key of this user, sorted by name; none where there is none.

    Raises BadInput for a key that cannot be used: silence would publish unsigned.
    """
    if given := os.environ.get(VARIABLE, "").strip():
        return (_given(given),)
    return tuple(_read(path, str(path)) for path in sorted(folder().glob("*.pem")))


def folder() -> Path:
    """Where this user's keys lie."""
    return home() / "keys"


def new_key(name: str = DEFAULT) -> tuple[Key, Path]:
    """Make a key and keep it, readable by this user alone. Raises BadInput where there is one of that name."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    path = folder() / f"{parse_name(name)}.pem"
    key = _named(name, Ed25519PrivateKey.generate())
    taken = BadInput(f"{path} is a key already, and a key is never overwritten: choose another name")
    if path.exists():
        raise taken
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise disk.refused(path, error) from error
    try:
        with disk.replacing(path, settle=os.link) as file:
            Path(file.name).chmod(0o600)  # before there is anything in it to read
            file.write(_pem(key.private))
    except FileExistsError as error:
        raise taken from error
    return key, path


def _pem(private: Ed25519PrivateKey) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _named(name: str, private: Ed25519PrivateKey) -> Key:
    return Key(name, private.public_key().public_bytes_raw().hex(), private)


def _given(text: str) -> Key:
    """The key of ``WELLREAD_KEY``, which no message repeats: what is no path may be the secret itself."""
    if "-----BEGIN" in text:
        return _parse(text.replace("\\n", "\n").encode(), VARIABLE, VARIABLE)  # CI settings have no line breaks
    path = Path(text).expanduser()
    try:
        there = path.is_file()
    except (OSError, ValueError):
        there = False
    if not there:
        raise BadInput(f"{VARIABLE} is neither the PEM text of a private key nor the path of one: {_NEW}")
    return _read(path, f"the file that {VARIABLE} names")


def _read(path: Path, where: str) -> Key:
    try:
        raw, mode = path.read_bytes(), path.stat().st_mode
    except OSError as error:
        raise BadInput(f"{where} cannot be read: {error.strerror or error}. Move it away, or make it yours") from error
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        warnings.warn(f"{where} can be read by others, who could sign in your name: chmod 600 it", stacklevel=4)
    return _parse(raw, path.stem, where)


def _parse(raw: bytes, name: str, where: str) -> Key:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        private = load_pem_private_key(raw, password=None)
    except TypeError as error:
        raise BadInput(f"{where} is encrypted, and no passphrase is asked for: 'openssl pkey' decrypts it") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadInput(f"{where} is not a private key in PEM: {_NEW}") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise BadInput(f"{where} is a private key of another kind than Ed25519: {_NEW}")
    return _named(name, private)
