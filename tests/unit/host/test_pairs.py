"""Certificates with their keys, in memory and as two files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from agent.errors import HostError
from agent.host.certificates import issue_root, new_key
from agent.host.key_seal import KeyFiles
from agent.host.pairs import (
    Pair,
    key_text,
    load_certificate,
    load_certificates,
    load_key,
    load_pair,
    pem_text,
    write_pair,
)

NOW = datetime(2026, 5, 1, tzinfo=UTC)
FILES = KeyFiles()


def fresh() -> Pair:
    key = new_key()
    return Pair.of(issue_root(key, hostname="box", now=NOW), key)


def test_a_pair_comes_back_from_its_files(tmp_path: Path) -> None:
    pair, places = fresh(), (tmp_path / "root.pem", tmp_path / "root.key")
    assert load_pair(*places, FILES) is None
    write_pair(*places, pair, FILES)
    found = load_pair(*places, FILES)
    assert found is not None
    assert (found.certificate, key_text(found.key)) == (pair.certificate, key_text(pair.key))
    assert places[1].stat().st_mode & 0o777 == 0o600
    places[1].unlink()
    assert load_pair(*places, FILES) is None


def test_a_pair_serves_until_two_thirds_of_its_life() -> None:
    pair = fresh()
    assert pair.serves(NOW)
    assert (pair.serves(pair.renewal), pair.is_valid(pair.renewal)) == (False, True)
    assert not pair.is_valid(pair.end)
    assert not pair.is_valid(pair.start - timedelta(seconds=1))


def test_a_bundle_gives_every_certificate(tmp_path: Path) -> None:
    both = [fresh().certificate, fresh().certificate]
    (file := tmp_path / "roots.pem").write_bytes(b"".join(map(pem_text, both)))
    assert list(load_certificates(file)) == both
    assert load_certificate(file) == both[0]
    assert load_certificates(tmp_path / "none.pem") == ()
    assert load_certificate(tmp_path / "none.pem") is None


@pytest.mark.parametrize(
    "load",
    [load_certificate, load_certificates, lambda path: load_key(path, FILES)],
    ids=["certificate", "certificates", "key"],
)
def test_a_damaged_file_is_named(tmp_path: Path, load: Callable[[Path], object]) -> None:
    (file := tmp_path / "damaged.pem").write_bytes(b"-----BEGIN NOTHING-----\nsecret words\n")
    file.chmod(0o600)
    with pytest.raises(HostError, match=r"damaged\.pem") as caught:
        load(file)
    assert "secret" not in str(caught.value)


def test_the_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    places = (tmp_path / "root.pem", tmp_path / "root.key")
    write_pair(*places, fresh(), FILES)
    FILES.write(places[1], key_text(new_key()))
    with pytest.raises(HostError, match="is not the key of"):
        load_pair(*places, FILES)
    FILES.write(places[1], key_text(ec.generate_private_key(ec.SECP256R1()))[:40])
    with pytest.raises(HostError, match="holds no private key"):
        load_pair(*places, FILES)
