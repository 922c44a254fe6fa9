"""Another root, or a company's intermediate, in the place of what signs: by the commands an administrator types."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509

from agent.host.authority import Authority
from agent.host.pem import certificates_in
from tests.fakes.command_line import Drawbridge
from tests.fakes.pki import CompanyPki, pem
from tests.unit.cli.test_trust import HOSTS, House, trusted


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    house = House(tmp_path, monkeypatch)
    monkeypatch.setattr("agent.cli.roots.root_store", lambda: house.roots)
    return house


def test_a_new_root_signs_once_the_system_trusts_it(drawbridge: Drawbridge, house: House) -> None:
    drawbridge("ca", "install")
    done = drawbridge("ca", "rotate")
    assert done.exit_code == 0, done.output
    assert "signs from now on" in done.stdout
    assert trusted(house.roots) == 2
    assert Authority.open(house.paths, HOSTS).root != house.authority.root
    assert len(certificates_in((house.machine.public / "roots.pem").read_bytes())) == 2
    refused = drawbridge("ca", "rotate")
    assert refused.exit_code == 1
    assert "--finish" in refused.stderr
    assert drawbridge("ca", "rotate", "--finish").exit_code == 0
    assert trusted(house.roots) == 1
    assert house.authority.root_pem not in (house.machine.public / "roots.pem").read_bytes()


def test_where_others_manage_trust_it_waits_for_them(drawbridge: Drawbridge, house: House) -> None:
    done = drawbridge("ca", "rotate")
    assert "signs nothing before this system trusts it" in done.stdout
    assert Authority.open(house.paths, HOSTS).root == house.authority.root
    early = drawbridge("ca", "rotate", "--finish")
    assert early.exit_code == 1
    assert "does not sign yet" in early.stderr
    following = x509.load_pem_x509_certificate(house.paths.next_certificate.read_bytes())
    house.roots.made = (*house.roots.made, certificates_in(pem(following))[0])  # device management
    assert "signs from now on" in drawbridge("ca", "rotate").stdout
    assert Authority.open(house.paths, HOSTS).root == following


def test_in_a_hurry_it_signs_at_once(drawbridge: Drawbridge, house: House) -> None:
    assert "signs from now on" in drawbridge("ca", "rotate", "--now", "--overlap", "7").stdout
    assert "rotation: switched" in drawbridge("ca", "status").stdout


def test_a_stranger_to_the_stores_changes_none_of_them(
    drawbridge: Drawbridge, house: House, tmp_path: Path
) -> None:
    drawbridge("ca", "install")
    other = tmp_path / "other"
    House(other, pytest.MonkeyPatch())  # another agent's authority, which was never installed
    drawbridge("ca", "rotate", "--now", "--state-dir", other / "state")
    assert trusted(house.roots) == 1


def test_a_request_is_signed_by_the_company_and_imported(
    drawbridge: Drawbridge, house: House, policy: Path, tmp_path: Path
) -> None:
    pki, file, chain = CompanyPki(), tmp_path / "issued.pem", tmp_path / "chain.pem"
    drawbridge("ca", "install")
    asked = drawbridge("ca", "csr", "--policy", policy, "--host", "llm.eu-west-1.example.com").stdout
    request = x509.load_pem_x509_csr(asked.encode())
    names = request.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or ()
    assert {"api.openai.com", "llm.eu-west-1.example.com"} <= {each.value for each in names}
    file.write_bytes(pem(pki.sign(request)))
    chain.write_bytes(pem(pki.issuer, pki.root))
    lost = drawbridge("ca", "import", file, "--policy", policy)
    assert lost.exit_code == 1
    assert "--chain" in lost.stderr
    done = drawbridge("ca", "import", file, "--chain", chain, "--policy", policy)
    assert done.exit_code == 0, done.output
    authority = Authority.open(house.paths, HOSTS)
    assert authority.of_company
    assert authority.root == pki.root
    assert drawbridge("ca", "path").stdout == f"{house.paths.roots}\n"
    assert "Company root" in drawbridge("ca", "show").stdout
    # what we had installed is taken out, and the company's root is in its place
    assert house.roots.certificates()[1:] == (certificates_in(pem(pki.root))[0],)
    refused = drawbridge("ca", "rotate")
    assert refused.exit_code == 1
    assert "not ours to replace" in refused.stderr


def test_a_certificate_that_does_not_permit_every_host_is_taken_on_request_only(
    drawbridge: Drawbridge, house: House, policy: Path, tmp_path: Path
) -> None:
    pki, file = CompanyPki(), tmp_path / "issued.pem"
    request = x509.load_pem_x509_csr(drawbridge("ca", "csr", "--policy", policy).stdout.encode())
    file.write_bytes(pem(pki.sign(request, permitted=["api.openai.com"]), pki.issuer, pki.root))
    refused = drawbridge("ca", "import", file, "--policy", policy)
    assert refused.exit_code == 1
    assert "does not permit" in refused.stderr
    done = drawbridge("ca", "import", file, "--policy", policy, "--partial")
    assert done.exit_code == 0, done.output
    assert "not decrypted:" in done.stdout


def test_what_is_no_certificate_is_told(drawbridge: Drawbridge, house: House, tmp_path: Path) -> None:
    assert house.paths.root.exists()
    (tmp_path / "x.pem").write_text("no")
    assert "no certificate in PEM" in drawbridge("ca", "import", tmp_path / "x.pem").stderr
    assert "there is no file" in drawbridge("ca", "import", tmp_path / "y.pem").stderr
    assert "not a host name" in drawbridge("ca", "csr", "--host", "*.example.com").stderr
