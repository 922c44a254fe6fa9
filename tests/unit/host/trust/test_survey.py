"""What the table of `drawbridge ca status` says, and when something is missing."""

from __future__ import annotations

from pathlib import Path

from agent.errors import HostError
from agent.host.trust.files import PublicFiles
from agent.host.trust.probe import Sample, Verdict
from agent.host.trust.store import Access, Root, Site
from agent.host.trust.survey import State, survey_files, survey_programs, survey_stores
from tests.fakes.host import FakeRootStore
from tests.fakes.stores import a_root

SAMPLE = Sample(name="api.openai.com", chain=b"", key=b"")


class OneStore:
    """A store of one site that trusts given roots; None cannot be asked."""

    kind = "one"

    def __init__(self, access: Access, trusted: tuple[Root, ...] | None = ()) -> None:
        self._access = access
        self._trusted = trusted

    def read(self, scope: str) -> str | None:
        raise NotImplementedError(scope)

    def write(self, scope: str, value: str | None) -> None:
        raise NotImplementedError(scope)

    def sites(self) -> tuple[Site, ...]:
        return (Site(place="/p", title="One", access=self._access, remedy="do this"),)

    def trusts(self, place: str, root: Root) -> bool:
        assert place == "/p"
        if self._trusted is None:
            raise HostError("it may not be read", hint="ask root")
        return root in self._trusted


def test_a_store_trusts_all_roots_or_lacks_one() -> None:
    roots = (a_root(), a_root(2))
    states = [
        (row.state, row.lacks)
        for row in survey_stores(
            [
                OneStore(Access.OPEN, roots),
                OneStore(Access.FORBIDDEN, roots),  # whoever put them there
                OneStore(Access.OPEN, roots[:1]),
                OneStore(Access.ABSENT),
                OneStore(Access.UNKNOWN),
                OneStore(Access.OPEN, None),
            ],
            roots,
        )
    ]
    assert states == [
        (State.TRUSTED, False),
        (State.TRUSTED, False),
        (State.MISSING, True),
        (State.NOT_THERE, False),
        (State.UNKNOWN, True),
        (State.NOT_PERMITTED, True),
    ]


def test_during_a_rotation_the_root_that_lacks_is_named() -> None:
    roots = (a_root(), a_root(2))
    (row,) = survey_stores([OneStore(Access.OPEN, roots[:1])], roots)
    assert a_root(2).subject in row.reason
    assert row.remedy == "do this"


def test_files_for_everybody_must_hold_all_roots(tmp_path: Path) -> None:
    files = PublicFiles(tmp_path / "trust", FakeRootStore([]))
    assert survey_files(files, (a_root(),)).state is State.MISSING
    files.write(str(files.folder), a_root().pem)
    assert survey_files(files, (a_root(),)).state is State.TRUSTED
    assert survey_files(files, (a_root(), a_root(2))).reason == "they hold other roots"


def test_programs_say_themselves_whether_they_accept() -> None:
    rows = survey_programs(
        SAMPLE,
        environ={},
        find=lambda _: "/usr/bin/node",
        openssl=lambda _: Verdict(accepted=True),
        node=lambda _, __: Verdict(accepted=False, reason="UNABLE_TO_GET_ISSUER_CERT_LOCALLY"),
    )
    assert [row.state for row in rows] == [State.TRUSTED, State.MISSING]
    assert "is not set" in rows[1].name
    assert not rows[1].lacks  # drawbridge exec sets the variable for the programs that it starts


def test_without_the_key_or_without_node_none_is_asked() -> None:
    (row,) = survey_programs(None, environ={})
    assert (row.state, row.lacks) == (State.NOT_PERMITTED, False)
    rows = survey_programs(
        SAMPLE, environ={}, find=lambda _: None, openssl=lambda _: Verdict(accepted=False, reason="no")
    )
    assert [(row.state, row.lacks) for row in rows] == [(State.MISSING, True), (State.NOT_THERE, False)]
