"""Clients that are really asked: they accept a leaf under a root they trust, and no other."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.host.certificates import issue_root, new_key
from agent.host.pairs import Pair, pem_text
from agent.host.trust.probe import Sample, ask_node, ask_openssl, sample_of_device


@pytest.fixture(scope="module")
def root() -> Pair:
    key = new_key()
    return Pair.of(issue_root(key, hostname="laptop", now=datetime.now(UTC)), key)


@pytest.fixture(scope="module")
def sample(root: Pair) -> Sample:
    return sample_of_device(root, "api.openai.com", now=datetime.now(UTC))


def test_openssl_accepts_a_root_that_it_was_given(root: Pair, sample: Sample) -> None:
    assert ask_openssl(sample, roots=pem_text(root.certificate)).accepted


def test_openssl_refuses_one_that_it_does_not_know(sample: Sample) -> None:
    verdict = ask_openssl(sample)
    assert not verdict.accepted
    assert "issuer certificate" in verdict.reason


def test_openssls_default_follows_the_environment(
    root: Pair, sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "roots.pem"
    file.write_bytes(pem_text(root.certificate))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    assert ask_openssl(sample).accepted


@pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")
def test_node_accepts_what_its_environment_names(
    root: Pair, sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = shutil.which("node")
    assert node is not None
    monkeypatch.setattr(os, "environ", {**os.environ})
    monkeypatch.delenv("NODE_EXTRA_CA_CERTS", raising=False)
    assert not ask_node(sample, node).accepted
    file = tmp_path / "roots.pem"
    file.write_bytes(pem_text(root.certificate))
    monkeypatch.setenv("NODE_EXTRA_CA_CERTS", str(file))
    assert ask_node(sample, node).accepted


def test_a_node_that_cannot_be_started_is_told(sample: Sample) -> None:
    verdict = ask_node(sample, "/nowhere/node")
    assert not verdict.accepted
    assert "/nowhere/node" in verdict.reason
