"""Banks: where a match may be under way, asked of as many automata as the rules need."""

from __future__ import annotations

from agent.guardrails import Rule
from agent.guardrails.banks import Banks, Unit
from agent.guardrails.detector import Detector
from agent.guardrails.ruleset import _unit
from agent.model.findings import Family


def units(*patterns: str) -> list[Unit]:
    detectors = [
        Detector(
            Rule(id=f"r{place}", family=Family.CUSTOM, type="t", pattern=pattern),
            place,
            memory=1 << 22,
            max_cost=50_000,
        )
        for place, pattern in enumerate(patterns)
    ]
    return [_unit(each) for each in detectors]


def begun(banks: Banks, data: bytes) -> list[str]:
    return [each.rule.id for each in banks.under_way(data)]


def test_a_match_is_held_back_from_its_start_whichever_automaton_knows_of_it() -> None:
    together, apart = units("key: [0-9]{4}", "<[a-z]+>"), units("<[0-9]+>")
    banks = Banks(together, apart, memory=1 << 22)
    assert banks.hold(b"see key: 12", 0).place == 4
    assert banks.hold(b"see <12", 0).place == 4
    assert banks.hold(b"see that. ", 0).place == len(b"see that.")
    assert begun(banks, b"see key: 12") == ["r0"]


def test_where_one_automaton_cannot_tell_which_rules_are_under_way_all_are() -> None:
    wide = units(*("(?:[a-z]{1,99}-){1,9}" + str(n) for n in range(12)))
    assert len(begun(Banks(wide, [], memory=1 << 14), b"x <9")) == 12
    assert begun(Banks(wide, [], memory=1 << 24), b"x <") == []
