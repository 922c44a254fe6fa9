"""The journal: whatever happens and wherever it is cut off, settings come back, and only ours are touched."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import HostError
from agent.host.journal import Journal, Outcome, Undone, Wanted


class Machine:
    """An OS with one kind of setting. `fuse` counts down the writes until one crashes, before or after its effect."""

    kind = "toy"

    def __init__(self, **values: str | None) -> None:
        self.values: dict[str, str | None] = values
        self.fuse = -1
        self.late = False
        self.broken = False

    def read(self, scope: str) -> str | None:
        if self.broken:
            raise HostError("the setting cannot be read")
        return self.values.get(scope)

    def write(self, scope: str, value: str | None) -> None:
        self.fuse -= 1
        if self.fuse == 0 and not self.late:
            raise KeyboardInterrupt
        self.values[scope] = value
        if self.fuse == 0:
            raise KeyboardInterrupt


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "journal.json"


def test_what_was_changed_comes_back(file: Path) -> None:
    machine = Machine(a="1", b=None)
    journal = Journal(file, [machine])
    assert journal.apply("toy", "a", "ours")
    assert journal.apply("toy", "b", "ours")
    assert not journal.apply("toy", "a", "ours")
    assert machine.values == {"a": "ours", "b": "ours"}
    assert file.stat().st_mode & 0o077 == 0
    again = Journal(file, [machine])  # another process, later
    assert [report.undone for report in again.restore()] == [Undone.RESTORED] * 2
    assert machine.values == {"a": "1", "b": None}
    assert again.restore() == ()


def test_what_becomes_of_a_setting_is_told(file: Path) -> None:
    machine = Machine(a="1")
    journal = Journal(file, [machine])
    wanted = Wanted(kind="toy", scope="a", value="ours")
    assert journal.bring_about(wanted) == Outcome(wanted=wanted, done=True)
    assert journal.bring_about(wanted) == Outcome(wanted=wanted)
    machine.broken = True
    assert journal.bring_about(wanted) == Outcome(wanted=wanted, error="the setting cannot be read")
    unknown = Wanted(kind="new", scope="a", value="ours")
    assert journal.bring_about(unknown).hint == "A newer version changed it: restore with that one."


def test_what_was_so_before_us_is_not_ours_to_undo(file: Path) -> None:
    machine = Machine(a="same")
    journal = Journal(file, [machine])
    assert not journal.apply("toy", "a", "same")
    assert journal.restore() == ()
    assert machine.values == {"a": "same"}


def test_a_second_change_keeps_the_first_value(file: Path) -> None:
    machine = Machine(a="1")
    journal = Journal(file, [machine])
    journal.apply("toy", "a", "ours")
    journal.apply("toy", "a", "ours too")
    journal.restore()
    assert machine.values == {"a": "1"}


def test_who_changed_it_since_has_the_last_word(file: Path) -> None:
    machine = Machine(a="1")
    journal = Journal(file, [machine])
    journal.apply("toy", "a", "ours")
    machine.values["a"] = "theirs"
    assert [change.scope for change in journal.drifted()] == ["a"]
    (report,) = journal.restore()
    assert report.undone is Undone.LEFT
    assert machine.values == {"a": "theirs"}
    assert journal.changes == ()


def test_taken_again_from_somebody_else_it_goes_back_to_theirs(file: Path) -> None:
    machine = Machine(a="1")
    journal = Journal(file, [machine])
    journal.apply("toy", "a", "ours")
    machine.values["a"] = "theirs"
    journal.apply("toy", "a", "ours")
    journal.restore()
    assert machine.values == {"a": "theirs"}


def test_what_fails_stays_to_be_tried_again(file: Path) -> None:
    machine = Machine(a="1")
    journal = Journal(file, [machine])
    journal.apply("toy", "a", "ours")
    machine.broken = True
    assert journal.drifted() == ()
    (report,) = journal.restore()
    assert (report.undone, report.reason) == (Undone.FAILED, "the setting cannot be read")
    machine.broken = False
    assert journal.restore()[0].undone is Undone.RESTORED


def test_one_can_be_undone_alone(file: Path) -> None:
    machine = Machine(a="1", b="2")
    journal = Journal(file, [machine])
    journal.apply("toy", "a", "ours")
    journal.apply("toy", "b", "ours")
    assert journal.restore_one("toy", "a") is not None
    assert journal.restore_one("toy", "a") is None
    assert machine.values == {"a": "1", "b": "ours"}
    assert [change.scope for change in journal.changes] == ["b"]


def test_a_kind_that_nobody_knows_is_left_for_who_does(file: Path) -> None:
    machine = Machine(a="1")
    Journal(file, [machine]).apply("toy", "a", "ours")
    (report,) = Journal(file, []).restore()
    assert report.undone is Undone.FAILED
    assert "newer version" in HostError(report.reason, hint="newer version").hint()
    assert len(Journal(file, [machine]).changes) == 1


def test_of_several_kinds_one_can_be_undone(file: Path) -> None:
    machine, other = Machine(a="1"), Machine(a="2")
    other.kind = "other"
    journal = Journal(file, [machine, other])
    journal.apply("toy", "a", "ours")
    journal.apply("other", "a", "ours")
    assert [report.change.kind for report in journal.restore({"other"})] == ["other"]
    assert (machine.values, other.values) == ({"a": "ours"}, {"a": "2"})
    assert [change.kind for change in journal.changes] == ["toy"]


class TwoSteps(Machine):
    """Values of two letters, each of which is a step of its own."""

    def partly(self, value: str | None, before: str | None, ours: str | None) -> bool:
        return all(each in pair for each, *pair in zip(value or "", before or "", ours or "", strict=True))


def test_half_a_change_of_ours_is_ours(file: Path) -> None:
    machine = TwoSteps(a="bb")
    journal = Journal(file, [machine])
    journal.apply("toy", "a", "oo")
    machine.values["a"] = "ob"
    assert journal.drifted() == ()
    assert journal.apply("toy", "a", "oo")
    machine.values["a"] = "bo"
    assert [report.undone for report in journal.restore()] == [Undone.RESTORED]
    assert machine.values == {"a": "bb"}


def test_half_a_change_of_somebody_else_is_not(file: Path) -> None:
    machine = TwoSteps(a="bb")
    journal = Journal(file, [machine])
    journal.apply("toy", "a", "oo")
    machine.values["a"] = "xo"
    assert [report.undone for report in journal.restore()] == [Undone.LEFT]


@pytest.mark.parametrize(
    "text", ["", "{", '{"version": 2, "changes": []}', '{"version": 1, "changes": [{}]}']
)
def test_a_journal_that_cannot_be_read_stops_everything(file: Path, text: str) -> None:
    file.touch(mode=0o600)
    file.write_text(text)
    journal = Journal(file, [Machine(a="1")])
    with pytest.raises(HostError, match="cannot be read"):
        journal.apply("toy", "a", "ours")
    with pytest.raises(HostError, match="cannot be read"):
        journal.restore()


values = st.sampled_from([None, "1", "ours", "theirs"])


@given(
    before=st.tuples(values, values),
    steps=st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["ours", "more"])), max_size=4),
    fuse=st.integers(1, 8),
    late=st.booleans(),
)
def test_wherever_it_is_cut_off_the_settings_come_back(
    tmp_path_factory: pytest.TempPathFactory,
    before: tuple[str | None, str | None],
    steps: list[tuple[str, str]],
    fuse: int,
    late: bool,
) -> None:
    machine = Machine(a=before[0], b=before[1])
    file = tmp_path_factory.mktemp("journal") / "journal.json"
    machine.fuse, machine.late = fuse, late
    for act in (
        *(lambda each=each: Journal(file, [machine]).apply("toy", *each) for each in steps),
        None,
        None,
    ):
        try:
            (act or Journal(file, [machine]).restore)()
        except KeyboardInterrupt:
            machine.fuse = -1  # the process died here; the next begins anew
    Journal(file, [machine]).restore()
    assert (machine.values["a"], machine.values["b"]) == before
    assert Journal(file, [machine]).changes == ()
