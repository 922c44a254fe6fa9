"""A company's intermediate: what is refused, what a TLS client accepts, and hosts that it does not permit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from agent.errors import ConfigError, HostError
from agent.host.authority import Authority
from agent.host.certificates import HostNames
from agent.host.company import Company, chain_above, check, keep, load_company, our_key, request
from agent.host.key_seal import KeyFiles
from agent.host.pairs import Pair
from agent.host.paths import StatePaths
from agent.host.trust.probe import ask_openssl, sample_of_company
from tests.fakes.host import FakeClock
from tests.fakes.pki import CompanyPki, pem
from tests.unit.host.test_authority import handshake

HOSTS = frozenset({"api.openai.com", "*.openai.azure.com"})
NAMED = HostNames(HOSTS).constraints()
FILES = KeyFiles()


@pytest.fixture(scope="module")
def pki() -> CompanyPki:
    return CompanyPki()


@pytest.fixture
def paths(tmp_path: Path) -> StatePaths:
    paths = StatePaths.under(tmp_path / "state")
    paths.prepare()
    return paths


def now() -> datetime:
    return datetime.now(UTC)


def asked(paths: StatePaths, permitted: frozenset[str] = NAMED) -> x509.CertificateSigningRequest:
    return request(paths, FILES, hostname="laptop", permitted=permitted)


def imported(paths: StatePaths, pki: CompanyPki, certificate: x509.Certificate) -> Company:
    company = Company(
        pair=Pair.of(certificate, our_key(paths, FILES, certificate)),
        above=chain_above(certificate, (pki.root, pki.issuer), now=now()),
    )
    keep(paths, FILES, company)
    return company


def test_the_request_asks_for_what_the_device_would_sign_itself(paths: StatePaths) -> None:
    made = asked(paths)
    assert made.is_signature_valid
    basic = made.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (basic.critical, basic.value.ca, basic.value.path_length) == (True, True, 0)
    names = made.extensions.get_extension_for_class(x509.NameConstraints).value
    assert {each.value for each in names.permitted_subtrees or ()} == {"api.openai.com", "openai.azure.com"}
    assert len(names.excluded_subtrees or ()) == 2  # every address
    assert asked(paths).public_key() == made.public_key()  # asked again: the same key


@pytest.mark.parametrize("name", ["api.openai.com", "team.openai.azure.com"])
def test_a_strict_client_that_trusts_the_companys_root_accepts_its_leaves(
    paths: StatePaths, pki: CompanyPki, name: str
) -> None:
    imported(paths, pki, pki.sign(asked(paths)))
    authority = Authority.open(paths, HOSTS)
    assert authority.of_company
    assert authority.root == pki.root
    assert not paths.root_certificate.exists()  # no root of the device's own is needed
    leaf = authority.leaf(name)
    assert leaf.chain[1:] == (pki.issuer,)
    handshake(paths.root, leaf.chain_pem, leaf.key, pem(pki.root), name)
    assert paths.roots.read_bytes() == pem(pki.root)


def test_what_it_does_not_permit_has_no_certificate_and_is_told(paths: StatePaths, pki: CompanyPki) -> None:
    imported(paths, pki, pki.sign(asked(paths)))
    authority = Authority.open(paths, HOSTS)
    assert authority.worries() == ()
    chain = authority.chain_pem
    assert authority.cover(HOSTS | {"api.anthropic.com"}) is False
    assert authority.permits("api.openai.com")
    assert not authority.permits("api.anthropic.com")
    assert "api.anthropic.com" in authority.worries()[0]
    with pytest.raises(HostError, match="does not permit"):
        authority.leaf("api.anthropic.com")
    assert authority.chain_pem == chain


def test_one_that_expires_is_told_of_and_one_that_has_expired_permits_nothing(
    paths: StatePaths, pki: CompanyPki
) -> None:
    clock = FakeClock(now())
    imported(paths, pki, pki.sign(asked(paths), life=timedelta(days=20)))
    authority = Authority.open(paths, HOSTS, now=clock)
    clock.move(days=8)
    assert "expires on" in authority.worries()[0]
    assert authority.permits("api.openai.com")
    clock.move(days=13)
    assert "expired on" in authority.worries()[0]
    assert not authority.permits("api.openai.com")


def test_a_running_authority_changes_over_and_back_to_a_new_certificate(
    paths: StatePaths, pki: CompanyPki
) -> None:
    authority = Authority.open(paths, HOSTS)
    device = authority.root
    imported(paths, pki, pki.sign(asked(paths)))
    assert authority.reopen()
    assert authority.root == pki.root != device
    first = authority.leaf("api.openai.com")
    imported(paths, pki, pki.sign(asked(paths)))  # renewed: another key, another certificate
    assert authority.reopen()
    second = authority.leaf("api.openai.com")
    assert second.chain != first.chain
    handshake(paths.root, second.chain_pem, second.key, pem(pki.root), "api.openai.com")


def test_a_certificate_for_another_key_is_refused(paths: StatePaths, pki: CompanyPki, tmp_path: Path) -> None:
    other = StatePaths.under(tmp_path / "other")
    other.prepare()
    with pytest.raises(ConfigError, match="not of this device"):
        our_key(paths, FILES, pki.sign(asked(other)))


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"ca": False}, "CA:FALSE"),
        ({"path_length": 1}, "path length 1"),
        ({"path_length": None}, "path length None"),
        ({"constrained": False}, "no name constraints"),
        ({"identifier": False}, "subject key identifier"),
        ({"start": datetime(2020, 1, 1, tzinfo=UTC)}, "expired on 2020"),
        ({"start": datetime.now(UTC) + timedelta(days=2)}, "valid from"),
    ],
)
def test_what_cannot_be_used_is_refused_in_words(
    paths: StatePaths, pki: CompanyPki, wrong: dict[str, object], told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        check(pki.sign(asked(paths), **wrong), NAMED, now=now())  # type: ignore[arg-type]


def test_hosts_that_are_not_permitted_are_named(paths: StatePaths, pki: CompanyPki) -> None:
    narrow = pki.sign(asked(paths), permitted=["openai.azure.com"])
    assert check(narrow, NAMED, now=now()) == ("api.openai.com",)
    wide = pki.sign(asked(paths), permitted=["openai.com", "azure.com"])
    assert check(wide, NAMED, now=now()) == ()


def test_a_chain_that_ends_before_a_root_is_refused(paths: StatePaths, pki: CompanyPki) -> None:
    certificate = pki.sign(asked(paths))
    assert chain_above(certificate, (pki.root, pki.issuer), now=now()) == (pki.issuer, pki.root)
    for given in ((pki.root,), (pki.issuer,), ()):
        with pytest.raises(ConfigError, match="is missing"):
            chain_above(certificate, given, now=now())
    with pytest.raises(ConfigError, match="not valid now"):
        chain_above(certificate, (pki.root, pki.issuer), now=now() + timedelta(days=4000))


def test_whoever_holds_its_key_cannot_pass_for_another_host(paths: StatePaths, pki: CompanyPki) -> None:
    company = imported(paths, pki, pki.sign(asked(paths)))
    roots = pem(pki.root)
    assert ask_openssl(sample_of_company(company, "api.openai.com", now=now()), roots=roots).accepted
    verdict = ask_openssl(sample_of_company(company, "www.bank.example", now=now()), roots=roots)
    assert not verdict.accepted
    assert "permitted subtree violation" in verdict.reason


def test_an_import_that_was_cut_off_is_brought_to_its_end(paths: StatePaths, pki: CompanyPki) -> None:
    certificate = pki.sign(asked(paths))
    kept = paths.request_key.read_bytes()
    imported(paths, pki, certificate)
    paths.company_key.unlink()
    paths.request_key.write_bytes(kept)
    paths.request_key.chmod(0o600)
    found = load_company(paths, FILES)
    assert found is not None
    assert found.pair.certificate == certificate
    assert not paths.request_key.exists()


def test_a_lost_key_or_chain_is_told_and_not_passed_over(paths: StatePaths, pki: CompanyPki) -> None:
    imported(paths, pki, pki.sign(asked(paths)))
    chain = paths.company_chain.read_bytes()
    paths.company_chain.unlink()
    with pytest.raises(HostError, match="lost its chain"):
        Authority.open(paths, HOSTS)
    paths.company_chain.write_bytes(chain)
    paths.company_key.unlink()
    with pytest.raises(HostError, match="lost its key"):
        Authority.open(paths, HOSTS)
