"""The device authority, judged by what a strict TLS client accepts, and by what survives on disk."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from agent.errors import ConfigError, HostError
from agent.host.authority import CACHE_SIZE, MET_LIMIT, Authority
from agent.host.certificates import HostNames, LeafIssuer, new_key, permitted_names
from agent.host.files import write_atomically
from agent.host.paths import StatePaths
from tests.fakes.host import FakeClock

HOSTS = frozenset({"api.openai.com", "*.openai.azure.com"})


@pytest.fixture
def paths(tmp_path: Path) -> StatePaths:
    paths = StatePaths.under(tmp_path / "state")
    paths.prepare()
    return paths


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def test_what_signs_is_put_back_on_a_disk_that_has_lost_it(paths: StatePaths, tmp_path: Path) -> None:
    authority = Authority.open(paths, HOSTS)
    paths.root.rename(tmp_path / "gone")
    paths.prepare()
    authority.put_back()
    again = Authority.open(paths, HOSTS)
    assert (again.created, again.fingerprint) == (False, authority.fingerprint)
    assert stat.S_IMODE(paths.root_key.stat().st_mode) == 0o600


def handshake(
    directory: Path, chain_pem: bytes, key: ec.EllipticCurvePrivateKey, root_pem: bytes, asked: str
) -> None:
    """A loopback TLS connection; the client trusts `root_pem` alone, strictly. Raises what the client raises."""
    (directory / "chain.pem").write_bytes(chain_pem)
    (directory / "leaf.key").write_bytes(key_pem(key))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(directory / "chain.pem", directory / "leaf.key")
    client = ssl.create_default_context(cadata=root_pem.decode())
    assert client.verify_flags & ssl.VERIFY_X509_STRICT
    client.verify_flags &= ~ssl.VERIFY_X509_PARTIAL_CHAIN  # as OpenSSL's other users: up to the root
    near, far = socket.socketpair()

    def serve() -> None:
        try:
            server.wrap_socket(far, server_side=True).close()
        except OSError:
            far.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        near.settimeout(5)
        client.wrap_socket(near, server_hostname=asked).close()
    finally:
        near.close()
        thread.join()


def stolen(paths: StatePaths, name: str | ipaddress.IPv4Address) -> tuple[bytes, ec.EllipticCurvePrivateKey]:
    """A chain that somebody with the intermediate's key signs for any name."""
    intermediate = x509.load_pem_x509_certificate(paths.intermediate_certificate.read_bytes())
    key = serialization.load_pem_private_key(paths.intermediate_key.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    leaf_key = new_key()
    now = datetime.now(UTC)
    if isinstance(name, str):
        leaf = LeafIssuer(intermediate=intermediate, intermediate_key=key, leaf_key=leaf_key).issue(
            name, now=now
        )
    else:
        leaf = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(intermediate.subject)
            .public_key(leaf_key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(name)]), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(leaf_key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
            )
            .sign(key, hashes.SHA256())
        )
    pem = leaf.public_bytes(serialization.Encoding.PEM)
    return pem + paths.intermediate_certificate.read_bytes(), leaf_key


@pytest.mark.parametrize("name", ["api.openai.com", "team.openai.azure.com", "a.b.openai.azure.com"])
def test_a_strict_client_that_trusts_the_root_accepts_a_listed_host(paths: StatePaths, name: str) -> None:
    authority = Authority.open(paths, HOSTS)
    leaf = authority.leaf(name)
    handshake(paths.root, leaf.chain_pem, leaf.key, authority.root_pem, name)


def test_a_name_longer_than_a_common_name_is_accepted_too(paths: StatePaths) -> None:
    name = f"{'a' * 63}.openai.azure.com"
    authority = Authority.open(paths, HOSTS)
    leaf = authority.leaf(name)
    handshake(paths.root, leaf.chain_pem, leaf.key, authority.root_pem, name)


def test_a_client_refuses_what_a_stolen_intermediate_signs_for_another_host(paths: StatePaths) -> None:
    authority = Authority.open(paths, HOSTS)
    chain, key = stolen(paths, "www.bank.example")
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        handshake(paths.root, chain, key, authority.root_pem, "www.bank.example")


def test_a_client_refuses_what_a_stolen_intermediate_signs_for_an_address(paths: StatePaths) -> None:
    authority = Authority.open(paths, HOSTS)
    chain, key = stolen(paths, ipaddress.IPv4Address("127.0.0.1"))
    with pytest.raises(ssl.SSLCertVerificationError, match="excluded subtree violation"):
        handshake(paths.root, chain, key, authority.root_pem, "127.0.0.1")


@pytest.mark.parametrize(
    "name",
    [
        "www.bank.example",
        "openai.azure.com",
        "x.api.openai.com",
        "127.0.0.1",
        "::1",
        "",
        "*.openai.azure.com",
    ],
)
def test_no_leaf_is_made_for_a_name_outside_the_catalog(paths: StatePaths, name: str) -> None:
    with pytest.raises(HostError, match="no certificate for"):
        Authority.open(paths, HOSTS).leaf(name)


def test_a_name_is_one_whatever_its_case_and_final_dot(paths: StatePaths) -> None:
    authority = Authority.open(paths, HOSTS)
    assert authority.leaf("API.OpenAI.com.") is authority.leaf("api.openai.com")


def test_a_leaf_lives_a_week_under_a_key_that_is_no_authoritys(paths: StatePaths) -> None:
    clock = FakeClock()
    leaf = Authority.open(paths, HOSTS, now=clock).leaf("api.openai.com")
    assert leaf.certificate.not_valid_before_utc == clock() - timedelta(days=1)
    assert leaf.certificate.not_valid_after_utc == clock() + timedelta(days=7)
    assert leaf.certificate.public_key() == leaf.key.public_key()
    assert leaf.key.public_key() != leaf.chain[0].public_key()
    usage = leaf.certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert len(leaf.chain) == 1


def test_the_root_names_its_machine_and_lasts_five_years(paths: StatePaths) -> None:
    clock = FakeClock()
    root = Authority.open(paths, HOSTS, now=clock, hostname="laptop\n" + "x" * 80).root
    assert root.subject.rfc4514_string().startswith("CN=Drawbridge root (laptopxxx")
    assert " 2030-01 " in root.subject.rfc4514_string()
    assert root.not_valid_after_utc - clock() == timedelta(days=1826)


def test_a_leaf_is_kept_until_its_last_day_and_then_made_anew(paths: StatePaths) -> None:
    clock = FakeClock()
    authority = Authority.open(paths, HOSTS, now=clock)
    first = authority.leaf("api.openai.com")
    clock.move(days=5, hours=23)
    assert authority.leaf("api.openai.com") is first
    clock.move(hours=2)
    assert authority.leaf("api.openai.com") is not first


def test_a_leaf_from_the_future_is_not_handed_out(paths: StatePaths) -> None:
    clock = FakeClock()
    authority = Authority.open(paths, HOSTS, now=clock)
    clock.move(days=3)
    ahead = authority.leaf("api.openai.com")
    clock.move(days=-2, hours=-1)
    leaf = authority.leaf("api.openai.com")
    assert leaf is not ahead
    assert leaf.certificate.not_valid_before_utc <= clock()


def test_the_cache_forgets_the_name_that_was_asked_for_longest_ago(paths: StatePaths) -> None:
    authority = Authority.open(paths, HOSTS)
    oldest, kept = authority.leaf("0.openai.azure.com"), authority.leaf("api.openai.com")
    for number in range(1, CACHE_SIZE):
        authority.leaf("api.openai.com")
        authority.leaf(f"{number}.openai.azure.com")
    assert authority.leaf("api.openai.com") is kept
    assert authority.leaf("0.openai.azure.com") is not oldest


def test_opening_again_keeps_root_and_intermediate(paths: StatePaths) -> None:
    first = Authority.open(paths, HOSTS)
    second = Authority.open(paths, HOSTS)
    assert (first.created, first.reissued) == (True, True)
    assert (second.created, second.reissued) == (False, False)
    assert second.root == first.root
    assert second.chain_pem == first.chain_pem
    assert second.leaf("api.openai.com").key.public_key() != first.leaf("api.openai.com").key.public_key()


def test_a_new_host_needs_a_new_intermediate_and_no_new_trust(paths: StatePaths) -> None:
    before = Authority.open(paths, HOSTS)
    after = Authority.open(paths, HOSTS | {"api.anthropic.com"})
    assert (after.created, after.reissued) == (False, True)
    leaf = after.leaf("api.anthropic.com")
    handshake(paths.root, leaf.chain_pem, leaf.key, before.root_pem, "api.anthropic.com")


def test_a_running_authority_takes_new_hosts(paths: StatePaths) -> None:
    authority = Authority.open(paths, HOSTS)
    root, chain = authority.root_pem, authority.chain_pem
    old = authority.leaf("api.openai.com")
    assert authority.cover(HOSTS | {"api.anthropic.com"}) is True
    assert authority.cover(HOSTS | {"api.anthropic.com"}) is False
    assert authority.root_pem == root
    assert authority.chain_pem != chain
    assert authority.leaf("api.openai.com") is not old
    leaf = authority.leaf("api.anthropic.com")
    handshake(paths.root, leaf.chain_pem, leaf.key, root, "api.anthropic.com")


def test_hosts_that_cannot_be_covered_leave_those_before_them(
    paths: StatePaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority.open(paths, HOSTS)
    chain = authority.chain_pem

    def refuse() -> None:
        raise HostError("the disk is full")

    with monkeypatch.context() as full:
        full.setattr(authority, "_issue", refuse)
        with pytest.raises(HostError):
            authority.cover(frozenset({"api.anthropic.com"}))
    assert authority.chain_pem == chain
    assert authority.leaf("api.openai.com").chain_pem
    with pytest.raises(HostError, match="no certificate for"):
        authority.leaf("api.anthropic.com")
    assert authority.cover(HOSTS | {"api.anthropic.com"}) is True


def test_a_host_that_is_dropped_gets_no_leaf_any_more(paths: StatePaths) -> None:
    authority = Authority.open(paths, HOSTS)
    authority.leaf("api.openai.com")
    authority.cover(frozenset({"*.openai.azure.com"}))
    with pytest.raises(HostError, match="no certificate for"):
        authority.leaf("api.openai.com")


def test_the_intermediate_is_renewed_at_two_thirds_of_its_life_while_running(paths: StatePaths) -> None:
    clock = FakeClock(datetime.now(UTC) - timedelta(days=61))
    authority = Authority.open(paths, HOSTS, now=clock)
    chain, root = authority.chain_pem, authority.root_pem
    clock.move(days=59)
    assert authority.leaf("api.openai.com").chain_pem.endswith(chain)
    clock.move(days=2)
    leaf = authority.leaf("api.openai.com")
    assert not leaf.chain_pem.endswith(chain)
    assert paths.intermediate_certificate.read_bytes() == authority.chain_pem
    handshake(paths.root, leaf.chain_pem, leaf.key, root, "api.openai.com")


def test_an_old_intermediate_on_disk_is_renewed_on_opening(paths: StatePaths) -> None:
    clock = FakeClock()
    Authority.open(paths, HOSTS, now=clock)
    clock.move(days=61)
    assert Authority.open(paths, HOSTS, now=clock).reissued


def test_keys_are_private_files(paths: StatePaths) -> None:
    Authority.open(paths, HOSTS)
    for file in (paths.root_key, paths.intermediate_key):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert file.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----")  # PKCS #8


def root_files(paths: StatePaths) -> dict[str, bytes]:
    return {
        file.name: file.read_bytes() for file in (paths.root_certificate, paths.root_key) if file.exists()
    }


@pytest.mark.parametrize(
    "damage", [b"", b"garbage", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"]
)
@pytest.mark.parametrize("name", ["root.pem", "root.key"])
def test_a_damaged_root_is_reported_and_left_as_it_is(paths: StatePaths, name: str, damage: bytes) -> None:
    Authority.open(paths, HOSTS)
    (paths.ca / name).write_bytes(damage)
    before = root_files(paths)
    with pytest.raises(HostError, match="device root cannot be used") as refused:
        Authority.open(paths, HOSTS)
    assert "backup" in refused.value.hint()
    assert "trust the new root" in refused.value.hint()
    assert root_files(paths) == before


@pytest.mark.parametrize("name", ["root.pem", "root.key"])
def test_half_a_root_is_reported_and_left_as_it_is(paths: StatePaths, name: str) -> None:
    Authority.open(paths, HOSTS)
    (paths.ca / name).unlink()
    before = root_files(paths)
    with pytest.raises(HostError, match=f"incomplete: .*{name} is missing"):
        Authority.open(paths, HOSTS)
    assert root_files(paths) == before


def test_a_root_that_vanished_whole_is_not_silently_replaced(paths: StatePaths) -> None:
    Authority.open(paths, HOSTS)
    paths.root_certificate.unlink()
    paths.root_key.unlink()
    with pytest.raises(HostError, match="incomplete"):
        Authority.open(paths, HOSTS)
    assert not paths.root_certificate.exists()


def test_a_root_with_a_strangers_key_is_reported(paths: StatePaths) -> None:
    Authority.open(paths, HOSTS)
    write_atomically(paths.root_key, key_pem(new_key()))
    with pytest.raises(HostError, match="is not the key of"):
        Authority.open(paths, HOSTS)


def test_a_root_key_that_others_may_read_is_reported(paths: StatePaths) -> None:
    Authority.open(paths, HOSTS)
    paths.root_key.chmod(0o644)
    with pytest.raises(HostError, match="other users") as refused:
        Authority.open(paths, HOSTS)
    assert "chmod 600" in refused.value.hint()


def test_a_first_run_cut_short_after_the_key_starts_over(paths: StatePaths) -> None:
    write_atomically(paths.root_key, key_pem(new_key()))
    authority = Authority.open(paths, HOSTS)
    assert authority.created
    assert Authority.open(paths, HOSTS).root == authority.root


@pytest.mark.parametrize("name", ["intermediate.pem", "intermediate.key"])
@pytest.mark.parametrize("damage", [None, b"", b"garbage"])
def test_a_damaged_intermediate_is_replaced_under_the_same_root(
    paths: StatePaths, name: str, damage: bytes | None
) -> None:
    root = Authority.open(paths, HOSTS).root
    if damage is None:
        (paths.ca / name).unlink()
    else:
        (paths.ca / name).write_bytes(damage)
    mended = Authority.open(paths, HOSTS)
    assert (mended.reissued, mended.root) == (True, root)
    leaf = mended.leaf("api.openai.com")
    handshake(paths.root, leaf.chain_pem, leaf.key, mended.root_pem, "api.openai.com")


def test_an_intermediate_of_another_root_is_replaced(paths: StatePaths, tmp_path: Path) -> None:
    stranger = StatePaths.under(tmp_path / "stranger")
    stranger.prepare()
    Authority.open(paths, HOSTS)
    Authority.open(stranger, HOSTS)
    write_atomically(paths.intermediate_certificate, stranger.intermediate_certificate.read_bytes())
    write_atomically(paths.intermediate_key, stranger.intermediate_key.read_bytes())
    assert Authority.open(paths, HOSTS).reissued


def test_a_disk_that_refuses_the_renewal_cuts_nobody_off(
    paths: StatePaths, caplog: pytest.LogCaptureFixture
) -> None:
    clock = FakeClock()
    authority = Authority.open(paths, HOSTS, now=clock)
    old = authority.chain_pem
    paths.intermediate_key.unlink()
    (paths.intermediate_key / "in the way").mkdir(parents=True)
    clock.move(days=61)
    assert authority.leaf("api.openai.com").chain_pem.endswith(authority.chain_pem)
    assert authority.chain_pem != old
    assert "kept in memory only" in caplog.text


def test_a_clock_before_the_root_is_reported_with_the_clock_as_a_cause(paths: StatePaths) -> None:
    clock = FakeClock()
    Authority.open(paths, HOSTS, now=clock)
    clock.move(days=-30)
    with pytest.raises(HostError, match="valid from 2029-12-31, and the clock says 2029-12-02") as refused:
        Authority.open(paths, HOSTS, now=clock)
    assert "clock" in refused.value.hint()


def test_an_expired_root_is_reported(paths: StatePaths) -> None:
    clock = FakeClock()
    authority = Authority.open(paths, HOSTS, now=clock)
    clock.move(days=1827)
    with pytest.raises(HostError, match="expired on 2035-01-01"):
        Authority.open(paths, HOSTS, now=clock)
    with pytest.raises(HostError, match="expired on 2035-01-01"):
        authority.leaf("api.openai.com")


def test_an_intermediate_from_the_future_is_replaced(paths: StatePaths) -> None:
    clock = FakeClock()
    Authority.open(paths, HOSTS, now=clock)
    clock.move(days=80)
    Authority.open(paths, HOSTS, now=clock)  # renewed under a clock that runs ahead
    clock.move(days=-70)
    authority = Authority.open(paths, HOSTS, now=clock)
    assert authority.reissued
    assert authority.leaf("api.openai.com").chain[0].not_valid_before_utc <= clock()


def test_no_intermediate_outlives_the_root(paths: StatePaths) -> None:
    clock = FakeClock()
    authority = Authority.open(paths, HOSTS, now=clock)
    clock.move(days=1826 - 3)
    leaf = authority.leaf("api.openai.com")
    assert leaf.chain[0].not_valid_after_utc == authority.root.not_valid_after_utc
    assert leaf.certificate.not_valid_after_utc == authority.root.not_valid_after_utc


REGIONAL = HOSTS | {"llm.{region}.amazonaws.com"}


def test_a_host_of_a_template_is_accepted_and_its_siblings_stay_forbidden(paths: StatePaths) -> None:
    authority = Authority.open(paths, REGIONAL)
    before = authority.chain_pem
    leaf = authority.leaf("llm.eu-west-1.amazonaws.com")
    assert authority.chain_pem != before
    handshake(paths.root, leaf.chain_pem, leaf.key, authority.root_pem, "llm.eu-west-1.amazonaws.com")
    for other in ("s3.eu-west-1.amazonaws.com", "llm.us-east-1.amazonaws.com"):
        chain, key = stolen(paths, other)
        with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
            handshake(paths.root, chain, key, authority.root_pem, other)


def test_the_hosts_of_a_template_that_were_met_are_remembered(paths: StatePaths) -> None:
    first = Authority.open(paths, REGIONAL)
    first.leaf("llm.eu-west-1.amazonaws.com")
    first.leaf("llm.us-east-1.amazonaws.com")
    again = Authority.open(paths, REGIONAL)
    assert not again.reissued
    chain = again.chain_pem
    leaf = again.leaf("llm.us-east-1.amazonaws.com")
    assert again.chain_pem == chain
    handshake(paths.root, leaf.chain_pem, leaf.key, again.root_pem, "llm.us-east-1.amazonaws.com")
    assert Authority.open(paths, HOSTS).reissued  # the template is gone, and with it what it permitted
    assert permitted_names(Authority.open(paths, HOSTS).leaf("api.openai.com").chain[0]) == tuple(
        sorted(HostNames(HOSTS).constraints())
    )


def test_no_more_hosts_of_templates_are_permitted_than_an_intermediate_names(paths: StatePaths) -> None:
    authority = Authority.open(paths, REGIONAL)
    for number in range(MET_LIMIT + 2):
        leaf = authority.leaf(f"llm.r{number}.amazonaws.com")
    names = permitted_names(leaf.chain[0])
    assert len([name for name in names if name.startswith("llm.")]) == MET_LIMIT
    again = authority.leaf("llm.r0.amazonaws.com")
    handshake(paths.root, again.chain_pem, again.key, authority.root_pem, "llm.r0.amazonaws.com")


def test_a_malformed_host_is_the_configurations_fault(paths: StatePaths) -> None:
    with pytest.raises(ConfigError, match="'not a host'"):
        Authority.open(paths, frozenset({"not a host"}))


def test_the_fingerprint_reads_as_certificate_viewers_write_it(paths: StatePaths) -> None:
    authority = Authority.open(paths, HOSTS)
    digest = x509.load_pem_x509_certificate(authority.root_pem).fingerprint(hashes.SHA256())
    assert authority.fingerprint == ":".join(f"{byte:02X}" for byte in digest)
