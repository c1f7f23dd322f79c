"""Keys lie where only their owner reads them, and what cannot be used is said, never passed over."""

from __future__ import annotations

import os
import pickle
import traceback
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization as forms
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from wellread.errors import BadInput
from wellread.registry.trust.keys import Key, new_key, own_keys

posix = pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")


def _pem(private: object, how: forms.KeySerializationEncryption | None = None) -> bytes:
    assert isinstance(private, Ed25519PrivateKey) or hasattr(private, "private_bytes")
    done: bytes = private.private_bytes(forms.Encoding.PEM, forms.PrivateFormat.PKCS8, how or forms.NoEncryption())
    return done


def _closed(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    path.chmod(0o600)
    return path


def test_who_made_no_key_has_none(home: Path) -> None:
    assert own_keys() == ()
    assert not home.exists()


def test_a_new_key_is_found_again_and_others_beside_it_by_name(home: Path) -> None:
    made, path = new_key()
    assert path == home / "keys/default.pem"
    assert [(key.name, key.id) for key in own_keys()] == [("default", made.id)]
    earlier, _ = new_key("anna")
    assert [key.id for key in own_keys()] == [earlier.id, made.id]
    assert made.id == made.private.public_key().public_bytes_raw().hex()


@posix
def test_only_its_owner_reads_it_whatever_the_umask(home: Path) -> None:
    before = os.umask(0)
    try:
        _, path = new_key()
    finally:
        os.umask(before)
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert [file.name for file in path.parent.iterdir()] == ["default.pem"]


def test_a_key_is_never_overwritten(home: Path) -> None:
    _, path = new_key()
    before = path.read_bytes()
    with pytest.raises(BadInput, match="is a key already"):
        new_key()
    assert path.read_bytes() == before


def test_a_key_that_another_process_makes_meanwhile_stays(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, path = new_key()
    before = path.read_bytes()
    monkeypatch.setattr(Path, "exists", lambda self: False)
    with pytest.raises(BadInput, match="is a key already"):
        new_key()
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["../evil", "", "a/b", "con", ".hidden"])
def test_a_name_that_leads_elsewhere_is_refused(home: Path, name: str) -> None:
    with pytest.raises(BadInput):
        new_key(name)
    assert not home.exists()


def test_a_build_server_is_handed_a_key_as_text_or_as_a_path(
    key: Key, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed = Ed25519PrivateKey.generate()
    pem = _pem(handed)
    theirs = handed.public_key().public_bytes_raw().hex()
    for value in (pem.decode(), pem.decode().replace("\n", "\\n"), str(_closed(tmp_path / "ci.pem", pem))):
        monkeypatch.setenv("WELLREAD_KEY", value)
        assert [found.id for found in own_keys()] == [theirs]
    monkeypatch.setenv("WELLREAD_KEY", "  ")
    assert [found.id for found in own_keys()] == [key.id]


@pytest.mark.parametrize(
    ("pem", "said"),
    [
        (_pem(Ed25519PrivateKey.generate(), forms.BestAvailableEncryption(b"secret")), "is encrypted"),
        (_pem(generate_private_key(SECP256R1())), "another kind than Ed25519"),
        (b"", "not a private key in PEM"),
        (b"-----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY-----\n", "not a private key in PEM"),
        (b"\xff\xfe", "not a private key in PEM"),
    ],
)
def test_a_key_that_cannot_be_used_is_an_error_that_names_the_file(home: Path, pem: bytes, said: str) -> None:
    path = _closed(home / "keys/bad.pem", pem)
    with pytest.raises(BadInput, match=said) as caught:
        own_keys()
    assert str(path) in str(caught.value)


def test_a_key_that_cannot_be_read_is_an_error(home: Path) -> None:
    (home / "keys/folder.pem").mkdir(parents=True)
    with pytest.raises(BadInput, match=r"folder\.pem cannot be read"):
        own_keys()


@posix
def test_a_key_that_others_can_read_is_warned_of(key: Key, home: Path) -> None:
    (home / "keys/default.pem").chmod(0o640)
    with pytest.warns(UserWarning, match="chmod 600"):
        assert [found.id for found in own_keys()] == [key.id]


def test_no_error_repeats_what_may_be_the_secret(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = _pem(Ed25519PrivateKey.generate()).decode().splitlines()[1]
    broken = f"-----BEGIN PRIVATE KEY-----\n{body[:-8]}\n-----END PRIVATE KEY-----\n"
    for value in (body, body * 100, broken):
        monkeypatch.setenv("WELLREAD_KEY", value)
        with pytest.raises(BadInput, match="WELLREAD_KEY") as caught:
            own_keys()
        assert body[:20] not in "".join(traceback.format_exception(caught.value))


def test_a_key_shows_its_id_and_no_more(key: Key) -> None:
    assert repr(key) == f"Key(name='default', id='{key.id}')"
    with pytest.raises(TypeError):
        pickle.dumps(key)
