"""Each trial finds what it is for; one that fails says why and keeps no other from running."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.cli.self_test import command, trials
from agent.cli.self_test.trials import Trial, try_all
from agent.errors import HostError
from tests.fakes.command_line import Drawbridge


def broken(_: Path) -> str:
    raise HostError("the door is shut", hint="Open it.")


def very_broken(_: Path) -> str:
    raise KeyError("door")


def whole(directory: Path) -> str:
    return "stands" if directory.is_dir() else "has no directory"


CHOSEN = tuple(Trial(name=run.__name__, run=run) for run in (broken, very_broken, whole))


def test_what_fails_says_why_and_the_others_are_tried() -> None:
    outcomes = try_all(CHOSEN)
    assert [(each.ok, each.told) for each in outcomes] == [
        (False, "the door is shut Open it."),
        (False, "KeyError: 'door'"),
        (True, "stands"),
    ]


@pytest.mark.parametrize("trial", ["policy", "guardrails", "certificates", "trust_store", "icon"])
def test_this_installation_passes(trial: str, tmp_path: Path) -> None:
    assert getattr(trials, trial)(tmp_path)


def test_a_module_that_cannot_be_imported_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "lame_package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "leg.py").write_text("import no_such_module_anywhere\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(trials, "PACKAGES", ("lame_package",))
    with pytest.raises(HostError, match=r"1 of 2 modules .* lame_package.leg .*no_such_module_anywhere"):
        trials.modules(tmp_path)


def test_the_command_tells_scripts(drawbridge: Drawbridge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "try_all", lambda: try_all(CHOSEN))
    result = drawbridge("self-test", "--json")
    document = json.loads(result.stdout)
    assert (result.exit_code, document["ok"]) == (1, False)
    assert [each["ok"] for each in document["trials"]] == [False, False, True]
    assert "the door is shut" in drawbridge("self-test").stdout
