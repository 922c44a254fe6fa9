"""The tables of numbering plans are consistent."""

from __future__ import annotations

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

from agent.guardrails.identities.numbering import CALLING_CODE, FICTIONAL, GROUPINGS, OPEN_GROUPINGS


def test_regions_of_groupings_have_a_country_code() -> None:
    regions = {
        region for table in (GROUPINGS, OPEN_GROUPINGS) for each in table.values() for region in each.split()
    }
    assert sorted(regions - set(CALLING_CODE)) == []
    assert {
        region for region in CALLING_CODE if region not in COUNTRY_CODE_TO_REGION_CODE[CALLING_CODE[region]]
    } == set()


def test_groupings_are_counts() -> None:
    for shape in (*GROUPINGS, *OPEN_GROUPINGS):
        assert 7 <= sum(int(size) for size in shape.split()) <= 13, shape


def test_fictional_numbers_begin_with_a_country_code() -> None:
    assert [each for each in FICTIONAL if not each.startswith(("44", "61", "33", "49", "46"))] == []
