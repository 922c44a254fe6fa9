"""What can be said of panels without one."""

from __future__ import annotations

import threading

from agent.tray.menu import Menu
from agent.tray.panels import NoPanel
from agent.tray.seen import State


def test_without_a_panel_it_runs_until_it_is_stopped() -> None:
    panel = NoPanel()
    started = threading.Event()
    panel.show(Menu(state=State.OFF, title="", items=()), dark=True)
    stopping = threading.Thread(target=lambda: started.wait(5) and panel.stop())
    stopping.start()
    panel.run(started.set, lambda item: None)
    stopping.join()
    assert started.is_set()


def test_without_a_panel_it_ends_with_the_session() -> None:
    living = [True, True, False]
    NoPanel(lambda: living.pop(0), seconds=0.001).run(lambda: None, lambda item: None)
    assert living == []
