"""A process and those that started it: bounded, without circles, and never of a number's former owner."""

from __future__ import annotations

from dataclasses import replace

from agent.host.lineage import MAX_STEPS, Lineage
from tests.fakes.host import FakeProcessTable, member


def names(table: FakeProcessTable, pid: int) -> list[str]:
    return [each.program.name for each in Lineage(table).of(pid)]


def test_the_line_leads_from_the_program_to_the_first_process() -> None:
    table = FakeProcessTable(
        members={
            1: member(1, "systemd", started=0.0),
            20: member(20, "code", parent=1, started=10.0),
            30: member(30, "bash", parent=20, started=11.0),
            40: member(40, "claude", parent=30, started=12.0),
        }
    )
    assert names(table, 40) == ["claude", "bash", "code", "systemd"]
    found = Lineage(table).process(40, user="ann")
    assert found is not None
    assert (found.name, found.user, found.parents, found.started) == (
        "claude",
        "ann",
        ("bash", "code", "systemd"),
        12.0,
    )
    assert [each.name for each in found.line] == ["claude", "bash", "code", "systemd"]


def test_a_parent_younger_than_its_child_is_not_its_parent() -> None:
    table = FakeProcessTable(
        members={7: member(7, "chrome", started=99.0), 8: member(8, "curl", parent=7, started=5.0)}
    )
    assert names(table, 8) == ["curl"]


def test_a_circle_ends() -> None:
    table = FakeProcessTable(members={7: member(7, "a", parent=8), 8: member(8, "b", parent=7)})
    assert names(table, 7) == ["a", "b"]
    assert names(FakeProcessTable(members={7: member(7, "a", parent=7)}), 7) == ["a"]


def test_a_line_without_end_is_cut() -> None:
    table = FakeProcessTable(
        members={pid: member(pid, f"p{pid}", parent=pid - 1, started=float(pid)) for pid in range(1, 60)}
    )
    assert len(names(table, 59)) == MAX_STEPS + 1


def test_a_process_is_read_once_and_anew_when_its_number_was_given_to_another() -> None:
    members = {7: member(7, "claude", started=5.0)}
    table = FakeProcessTable(members=members)
    lineage = Lineage(table)
    assert lineage.of(7) is lineage.of(7)
    assert table.read == [7]
    members[7] = member(7, "curl", started=6.0)
    assert [each.program.name for each in lineage.of(7)] == ["curl"]


def test_a_process_that_becomes_another_program_is_read_anew() -> None:
    first = member(7, "python", started=5.0)
    members = {7: replace(first, birth=replace(first.birth, image="a"))}
    lineage = Lineage(FakeProcessTable(members=members))
    assert [each.program.name for each in lineage.of(7)] == ["python"]
    then = member(7, "curl", started=5.0)
    members[7] = replace(then, birth=replace(then.birth, image="b"))
    assert [each.program.name for each in lineage.of(7)] == ["curl"]


def test_a_process_that_is_gone_has_no_line() -> None:
    assert Lineage(FakeProcessTable()).of(7) == ()
    assert Lineage(FakeProcessTable()).process(7, user="ann") is None
