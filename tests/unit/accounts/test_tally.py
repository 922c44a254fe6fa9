"""What holds for every run of reservations: all tiers or none, and the sums are those of the claims."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.accounts.meters import NOTHING, Amounts, Unit
from agent.accounts.tally import Claims, Refusal, Tally
from tests.fakes.accounts import NOW, meter

METERS = [
    meter(500, name="customer"),
    meter(300, name="usd", unit=Unit.NANO_USD),
    meter(4, name="requests", unit=Unit.REQUESTS, budget=False),
    meter(2, name="ways", under_way=True),
]
acts = st.lists(
    st.tuples(
        st.sampled_from(["reserve", "settle", "release", "move"]), st.integers(0, 200), st.integers(0, 3)
    ),
    max_size=40,
)


@given(acts)
def test_sums_are_those_of_the_claims(acts: list[tuple[str, int, int]]) -> None:
    tally, held, settled = Tally(), list[Claims](), [0, 0, 0, 0]
    for act, amount, which in acts:
        amounts = Amounts(amount // 2, amount)
        if act == "reserve":
            answer = tally.reserve(METERS[which:], amounts, NOW)
            if isinstance(answer, Claims):
                held.append(answer)
        elif held:
            claims = held.pop(which % len(held))
            if act == "settle":
                used = Amounts(min(amount, claims.amounts.nano_usd), min(amount, claims.amounts.tokens))
                tally.settle(claims, used)
                for place, each in enumerate(METERS):
                    if each in claims.meters and each.window is not None:
                        settled[place] += used[each.column]
            elif act == "release":
                tally.settle(claims, NOTHING)
            else:
                answer = tally.reserve(METERS[which:], amounts, NOW, instead=claims)
                held.append(answer if isinstance(answer, Claims) else claims)
        for place, each in enumerate(METERS):
            reserved = sum(claims.amounts[each.column] for claims in held if each in claims.meters)
            assert tally.read(each, NOW).used == reserved + settled[place] <= each.limit


def test_a_tally_goes_on_with_what_was_used() -> None:
    first = Tally()
    first.reserve(METERS[:1], Amounts(0, 400), NOW)
    counter = first._counter(METERS[0])
    second = Tally({"customer": counter.slots})
    answer = second.reserve(METERS[:1], Amounts(0, 101), NOW)
    assert isinstance(answer, Refusal)
    assert second.read(METERS[0], NOW).used == 400


def test_a_reading_says_when_a_window_is_over() -> None:
    tally = Tally()
    assert tally.read(METERS[0], NOW + 1).resets_at == NOW + 60
    assert tally.read(METERS[3], NOW).resets_at == 0
