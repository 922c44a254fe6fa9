"""`drawbridge supervise` by the ordinary command line: its options are its own."""

from __future__ import annotations

from tests.unit.cli.conftest import Drawbridge


def test_its_options_are_explained(drawbridge: Drawbridge) -> None:
    result = drawbridge("supervise", "--help")
    assert result.exit_code == 0


def test_an_unknown_option_is_refused(drawbridge: Drawbridge) -> None:
    assert drawbridge("supervise", "--no-such-thing").exit_code == 2
