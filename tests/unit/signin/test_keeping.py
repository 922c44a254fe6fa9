"""Who is who, to the agent, and what cannot make somebody into somebody else."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from agent.errors import ConfigError, HostError
from agent.model.identity import NO_IDENTITY, Identity
from agent.signin.keeping import BEGUN_SECONDS, Ended, Keeper, Way, unchanged
from agent.signin.problems import SignInError
from agent.signin.terms import Terms
from agent.signin.tokens import Claims
from tests.fakes.people import nobody

ADA = Identity(issuer="https://id.example", subject="1", name="ada@example.com", groups=("engineering",))
TERMS = Terms(issuer="https://id.example", client="us", grace_seconds=7200, device_code=True)
HOUR = 3600.0


@dataclass
class Desk:
    """A keeper, its clock, and a provider whose tokens are what the test says."""

    folder: Path
    terms: Terms = TERMS
    now: float = 1000.0
    tokens: dict[str, Claims] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.keeper = self.anew()

    hosts = frozenset({"id.example"})

    def anew(self) -> Keeper:
        """As after a restart."""
        return Keeper(self.terms, self, self.folder / "sign-ins.json", now=lambda: self.now)

    def verify(self, token: str, now: float) -> Claims:
        if token not in self.tokens:
            raise SignInError("the ID token's signature is wrong")
        return self.tokens[token]

    def claims(self, nonce: object = "", **changes: Any) -> Claims:
        found = Claims(identity=ADA, issued_at=self.now, expires_at=self.now + HOUR, nonce=str(nonce))
        return replace(found, **changes)

    async def signed_in(self, account: str = "ada", uid: int = 1000, **changes: Any) -> None:
        nonce = self.keeper.begin(account, Way.BROWSER)["nonce"]
        self.tokens["t"] = self.claims(nonce, **changes)
        await self.keeper.sign_in(account, uid, "t")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


async def test_a_sign_in_that_was_begun_is_finished(desk: Desk) -> None:
    offer = desk.keeper.begin("ada", Way.BROWSER)
    assert (offer["issuer"], offer["client"]) == ("https://id.example", "us")
    desk.tokens["t"] = desk.claims(offer["nonce"])
    arrived = await desk.keeper.sign_in("ada", 1000, "t")
    assert not arrived.renewed
    assert desk.keeper.of("ada") == ADA
    assert desk.keeper.standing("ada")["state"] == "signed_in"


async def test_it_is_the_accounts_that_began_it_and_nobody_elses(desk: Desk) -> None:
    desk.tokens["t"] = desk.claims(desk.keeper.begin("ada", Way.BROWSER)["nonce"])
    desk.keeper.begin("bob", Way.BROWSER)
    with pytest.raises(SignInError, match="no sign-in that this account has begun"):
        await desk.keeper.sign_in("bob", 1001, "t")
    assert desk.keeper.of("bob") is NO_IDENTITY


async def test_a_token_signs_in_once(desk: Desk) -> None:
    await desk.signed_in()
    await desk.keeper.sign_out("ada", Ended.SIGNED_OUT)
    with pytest.raises(SignInError):
        await desk.keeper.sign_in("ada", 1000, "t")
    desk.keeper.begin("ada", Way.BROWSER)
    with pytest.raises(SignInError):
        await desk.keeper.sign_in("ada", 1000, "t")


async def test_without_a_beginning_nothing_is_taken(desk: Desk) -> None:
    for nonce in ("", "x"):
        desk.tokens["t"] = desk.claims(nonce)
        with pytest.raises(SignInError):
            await desk.keeper.sign_in("ada", 1000, "t")


async def test_a_beginning_lasts_minutes(desk: Desk) -> None:
    nonce = desk.keeper.begin("ada", Way.BROWSER)["nonce"]
    desk.now += BEGUN_SECONDS + 1
    desk.tokens["t"] = desk.claims(nonce)
    with pytest.raises(SignInError):
        await desk.keeper.sign_in("ada", 1000, "t")


async def test_the_browser_must_bring_the_nonce_a_code_need_not(desk: Desk) -> None:
    desk.keeper.begin("ada", Way.BROWSER)
    desk.tokens["t"] = desk.claims("")
    with pytest.raises(SignInError):
        await desk.keeper.sign_in("ada", 1000, "t")
    desk.keeper.begin("ada", Way.DEVICE_CODE)
    desk.tokens["wrong"] = desk.claims("other")
    with pytest.raises(SignInError):
        await desk.keeper.sign_in("ada", 1000, "wrong")
    desk.tokens["old"] = desk.claims("", issued_at=desk.now - 100)
    with pytest.raises(SignInError):
        await desk.keeper.sign_in("ada", 1000, "old")
    assert not (await desk.keeper.sign_in("ada", 1000, "t")).renewed


def test_a_code_must_be_allowed(desk: Desk) -> None:
    desk.keeper.terms = replace(TERMS, device_code=False)
    with pytest.raises(ConfigError, match="not allowed") as raised:
        desk.keeper.begin("ada", Way.DEVICE_CODE)
    assert "sign_in_device_code" in raised.value.hint()


async def test_a_renewal_is_about_the_same_person(desk: Desk) -> None:
    await desk.signed_in()
    desk.now += HOUR / 2
    other = replace(ADA, subject="2")
    desk.tokens |= {
        "same": desk.claims(),
        "other": desk.claims(identity=other),
        "nonce": desk.claims("x"),
        "older": desk.claims(issued_at=500.0),
        "promoted": desk.claims(identity=replace(ADA, groups=("engineering", "admins"))),
    }
    for name in ("other", "nonce", "older"):
        with pytest.raises(SignInError):
            await desk.keeper.sign_in("ada", 1000, name)
    arrived = await desk.keeper.sign_in("ada", 1000, "same")
    assert arrived.renewed
    assert unchanged(arrived)
    assert desk.keeper.standing("ada")["expires_at"] == desk.now + HOUR
    arrived = await desk.keeper.sign_in("ada", 1000, "promoted")
    assert not unchanged(arrived)
    assert "admins" in desk.keeper.of("ada").groups


async def test_an_account_of_the_same_name_is_not_the_same(desk: Desk) -> None:
    await desk.signed_in()
    desk.tokens["next"] = desk.claims()
    with pytest.raises(SignInError):
        await desk.keeper.sign_in("ada", 1001, "next")


async def test_offline_it_counts_for_the_grace_and_no_longer(desk: Desk) -> None:
    await desk.signed_in()
    desk.now += HOUR + 1
    assert desk.keeper.of("ada") == ADA
    assert desk.keeper.standing("ada")["state"] == "grace"
    desk.now += 7200
    assert desk.keeper.of("ada") is NO_IDENTITY
    assert desk.keeper.standing("ada")["state"] == "expired"
    assert desk.keeper.expired == ("ada",)
    desk.tokens["next"] = desk.claims()
    assert (await desk.keeper.sign_in("ada", 1000, "next")).renewed  # who it was is still known
    assert desk.keeper.of("ada") == ADA


async def test_signing_out_is_for_one_account_and_says_why(desk: Desk) -> None:
    await desk.signed_in()
    await desk.signed_in("bob", 1001)
    found = await desk.keeper.sign_out("ada", Ended.REFUSED)
    assert found is not None
    assert found.identity == ADA
    assert desk.keeper.of("ada") is NO_IDENTITY
    assert desk.keeper.of("bob") == ADA
    standing = desk.keeper.standing("ada")
    assert (standing["state"], standing["why"]) == ("signed_out", "refused")
    assert await desk.keeper.sign_out("ada", Ended.SIGNED_OUT) is None


async def test_it_survives_a_restart_and_so_does_signing_out(desk: Desk) -> None:
    await desk.signed_in()
    again = desk.anew()
    await again.restore()
    assert again.of("ada") == ADA
    await again.sign_out("ada", Ended.SIGNED_OUT)
    third = desk.anew()
    await third.restore()
    assert third.of("ada") is NO_IDENTITY


async def test_what_another_provider_said_does_not(desk: Desk) -> None:
    await desk.signed_in()
    desk.terms = replace(TERMS, issuer="https://other.example")
    again = desk.anew()
    await again.restore()
    assert again.standing("ada")["state"] == "signed_out"


async def test_no_token_and_no_nonce_is_shown(desk: Desk) -> None:
    await desk.signed_in()
    told = str(desk.keeper.standing("ada"))
    assert "nonce" not in told
    assert set(desk.keeper.offer()) == {"issuer", "client", "scopes", "port", "device_code"}


async def test_a_sign_out_that_cannot_be_kept_is_said(desk: Desk) -> None:
    await desk.signed_in()
    desk.keeper._path = desk.folder / "gone" / "sign-ins.json"
    with pytest.raises(HostError):
        await desk.keeper.sign_out("ada", Ended.SIGNED_OUT)
    assert desk.keeper.of("ada") is NO_IDENTITY


async def test_a_sign_in_that_cannot_be_kept_counts(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.keeper._path = desk.folder / "gone" / "sign-ins.json"
    await desk.signed_in()
    assert desk.keeper.of("ada") == ADA
    assert "cannot be kept" in caplog.text


async def test_groups_that_were_left_out_are_told(desk: Desk) -> None:
    await desk.signed_in(groups_left_out=True)
    assert desk.keeper.ungrouped == ("ada",)


def test_the_providers_hosts_are_shielded(desk: Desk) -> None:
    assert desk.keeper.shields("ID.example.")
    assert not desk.keeper.shields("api.openai.com")


async def test_where_nothing_is_set_up_everything_says_so() -> None:
    keeper = nobody()
    await keeper.restore()
    assert keeper.standing("ada") == {"state": "not_set_up"}
    assert keeper.of("ada") is NO_IDENTITY
    assert not keeper.shields("id.example")
    with pytest.raises(ConfigError, match="not set up"):
        keeper.begin("ada", Way.BROWSER)
    with pytest.raises(ConfigError, match="not set up"):
        await keeper.sign_in("ada", 1, "t")
    assert await keeper.sign_out("ada", Ended.SIGNED_OUT) is None
