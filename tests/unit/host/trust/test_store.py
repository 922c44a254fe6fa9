"""How a root is named in the journal, and how a tool's failure is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509

from agent.errors import HostError
from agent.host.trust.store import demand, handed, normal, parted, short
from tests.fakes.host import FakeRunner
from tests.fakes.stores import a_root


def test_a_scope_names_the_place_and_the_root() -> None:
    root = a_root()
    assert parted(root.scope("sql:/home/a#b/.pki/nssdb")) == ("sql:/home/a#b/.pki/nssdb", root.mark)
    assert short(root.mark) == root.mark[:16]


@pytest.mark.parametrize("scope", ["", "/etc", "#" + "a" * 40, "/etc#../../passwd", "/etc#" + "A" * 40])
def test_anything_else_in_a_journal_is_refused(scope: str) -> None:
    with pytest.raises(HostError, match="no setting of a trust store"):
        parted(scope)


def test_a_certificate_is_read_whatever_stands_around_it() -> None:
    root = a_root()
    assert normal(b"# by hand\r\n" + root.pem.replace("\n", "\r\n").encode() + b"\nmore") == root.pem
    assert normal(b"nothing") is None


def test_a_tool_reads_the_certificate_from_a_file_that_is_gone_afterwards() -> None:
    with handed(a_root().pem) as file:
        assert x509.load_pem_x509_certificate(Path(file).read_bytes())
    assert not Path(file).exists()


def test_a_tools_last_words_are_told() -> None:
    with pytest.raises(HostError, match=r"did not work \(tool ended with 1\)"):
        demand(FakeRunner({}), ["/bin/tool", "-x"], what="it did not work", hint="")
