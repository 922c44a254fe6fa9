"""Conversations: which requests share a vault of pseudonyms."""

from __future__ import annotations

import orjson
import pytest

from agent.catalog import bundled_harness
from agent.dialects.base import ParsedRequest
from agent.gateway import conversations
from agent.gateway.conversations import IDLE_HOURS, Conversations
from agent.inspection.pseudonyms import Vault
from agent.model.content import Role, Slot
from agent.model.findings import Family, Finding

ME = ("alice", "claude", "anthropic")


class House:
    def __init__(self) -> None:
        self.time = 0.0
        self.known = Conversations(bundled_harness(), lambda: self.time)

    def vault(
        self, first: str = "hi", who: tuple[str, ...] = ME, header: bytes = b"", **keys: object
    ) -> Vault:
        slots = (
            Slot(address=(("system",),), role=Role.SYSTEM, text="be kind"),
            Slot(address=(("messages", 0),), role=Role.USER, text=first),
        )
        fields = ((b"x-claude-code-session-id", header),) if header else ()
        return self.known.vault(who, fields, orjson.dumps(keys), ParsedRequest(slots=slots))


def test_what_begins_with_the_same_words_is_one_conversation() -> None:
    house = House()
    assert house.vault("a") is house.vault("a")
    assert house.vault("a") is not house.vault("b")


def test_users_and_programs_share_none() -> None:
    house = House()
    assert house.vault("a") is not house.vault("a", who=("bob", *ME[1:]))


@pytest.mark.parametrize("key", ["prompt_cache_key", "session_id", "conversation"])
def test_a_client_that_names_its_conversation_is_believed(key: str) -> None:
    house = House()
    assert house.vault("a", ME, b"", **{key: "s1"}) is house.vault("b", ME, b"", **{key: "s1"})
    assert house.vault("a", ME, b"", **{key: "s1"}) is not house.vault("a", ME, b"", **{key: "s2"})
    assert house.vault("x", conversation={"id": "c"}) is house.vault("y", conversation="c")


def test_a_header_names_it_too() -> None:
    house = House()
    assert house.vault("a", header=b"s1") is house.vault("b", header=b"s1")


def test_a_conversation_kept_by_the_provider_knows_what_the_user_said_before() -> None:
    house = House()
    finding = Finding(start=0, end=1, family=Family.PII, type="email", rule="email")
    token = house.vault("a").stand_in(finding, "a@b.org")
    assert token is not None
    later = house.vault("b", previous_response_id="resp_1")
    assert later.original(token) is not None
    assert house.vault("c", previous_response_id="resp_2") is later
    assert house.vault("b", who=("bob", "x", "y"), previous_response_id="r").original(token) is None


def test_a_chat_that_the_service_keeps_knows_its_beginning_and_is_known_by_its_id() -> None:
    house = House()
    finding = Finding(start=0, end=1, family=Family.PII, type="email", rule="email")
    token = house.vault("a").stand_in(finding, "a@b.org")  # a new chat has no id yet
    assert token is not None
    first, second = (
        house.known.vault(ME, (), b"f.req=", ParsedRequest(conversation=name)) for name in ("c1", "c2")
    )
    assert first is not second
    assert first is house.known.vault(ME, (), b"{}", ParsedRequest(conversation="c1"))
    assert first.original(token) is not None


def test_what_is_long_unused_is_forgotten() -> None:
    house = House()
    old = house.vault("a")
    house.time += IDLE_HOURS * 3600 + 1
    assert house.vault("a") is not old


def test_there_are_only_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversations, "MAX_CONVERSATIONS", 2)
    house = House()
    first, second = house.vault("a"), house.vault("b")
    assert house.vault("a") is first
    house.vault("c")
    assert house.vault("a") is first
    assert house.vault("b") is not second


def test_a_body_that_is_no_document_names_nothing() -> None:
    house = House()
    request = ParsedRequest()
    assert house.known.vault(ME, (), b"[1]", request) is house.known.vault(ME, (), b"\xff", request)
