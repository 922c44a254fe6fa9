"""Which engine is sound: by its silence, its memory, its CPU without work."""

from __future__ import annotations

from agent.host.beats import Beat
from agent.supervisor.vitals import Bounds, Vitals

BOUNDS = Bounds(start=60.0, silence=15.0, memory=100, memory_for=15.0, idle_cpu=0.5, idle_cpu_for=60.0)


def beat(*, ready: bool = True, memory: int = 50, cpu: float = 0.0, active: int = 0) -> Beat:
    return Beat(ready=ready, memory=memory, cpu=cpu, active=active)


def test_a_start_may_take_its_time_but_not_for_ever() -> None:
    vitals = Vitals(0.0, BOUNDS)
    vitals.beat(50.0, beat(ready=False))
    assert vitals.fault(59.0) == ""
    assert "not ready" in vitals.fault(61.0)
    assert vitals.served(61.0) == 0.0


def test_silence_is_a_fault_unless_the_machine_slept() -> None:
    vitals = Vitals(0.0, BOUNDS)
    vitals.beat(1.0, beat())
    assert vitals.fault(15.0) == ""
    assert "silent" in vitals.fault(17.0)
    vitals.slept(1000.0)
    assert vitals.fault(1010.0) == ""
    assert "silent" in vitals.fault(1016.0)


def test_memory_over_the_bound_is_a_fault_only_where_it_stays() -> None:
    vitals = Vitals(0.0, BOUNDS)
    vitals.beat(1.0, beat(memory=101))
    vitals.beat(10.0, beat(memory=99))
    vitals.beat(11.0, beat(memory=101))
    vitals.beat(25.0, beat(memory=101))
    assert vitals.fault(25.0) == ""
    vitals.beat(26.0, beat(memory=101))
    assert "MB" in vitals.fault(26.0)


def test_cpu_counts_only_where_there_is_no_work() -> None:
    for active, fault in ((1, False), (0, True)):
        vitals = Vitals(0.0, BOUNDS)
        for second in range(1, 100):
            vitals.beat(float(second), beat(cpu=second * 0.9, active=active))
        assert bool(vitals.fault(99.0)) is fault


def test_an_engine_that_rests_is_sound() -> None:
    vitals = Vitals(0.0, BOUNDS)
    for second in range(1, 500):
        vitals.beat(float(second), beat(cpu=second * 0.01))
        assert vitals.fault(float(second)) == ""
    assert vitals.served(499.0) == 498.0
