"""When a dead engine comes back: at once, later, or in a crash loop hardly at all."""

from __future__ import annotations

from agent.supervisor.restarts import Limits, Next, Restarts

LIMITS = Limits(steady=10.0, first_pause=1.0, longest_pause=5.0, crashes=5, within=300.0, retry=3600.0)


def test_an_engine_that_served_long_comes_back_at_once() -> None:
    restarts = Restarts(LIMITS)
    for at in range(0, 1000, 20):
        assert restarts.died(float(at), served=10.0) == Next(pause=0.0, looping=False)


def test_short_lives_make_the_pauses_longer_until_it_is_a_loop() -> None:
    restarts = Restarts(LIMITS)
    pauses = [restarts.died(float(at), served=0.0) for at in range(4)]
    assert [each.pause for each in pauses] == [1.0, 2.0, 4.0, 5.0]
    assert not restarts.looping
    assert restarts.died(4.0, served=9.9) == Next(pause=3600.0, looping=True)
    assert restarts.died(5000.0, served=0.0) == Next(pause=3600.0, looping=True)


def test_crashes_far_apart_are_no_loop() -> None:
    restarts = Restarts(LIMITS)
    assert not any(restarts.died(at * 100.0, served=0.0).looping for at in range(50))


def test_a_steady_life_ends_a_loop_and_so_does_being_forgiven() -> None:
    for forgive in (True, False):
        restarts = Restarts(LIMITS)
        for at in range(6):
            restarts.died(float(at), served=0.0)
        assert restarts.looping
        if forgive:
            restarts.forgive()
        else:
            restarts.died(100.0, served=60.0)
        assert not restarts.looping
        assert restarts.died(101.0, served=0.0) == Next(pause=1.0, looping=False)
