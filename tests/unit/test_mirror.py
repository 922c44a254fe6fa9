"""`tests/unit` mirrors the code: whoever looks for the tests of a module finds them under its name."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "tests" / "unit"

WITHOUT_TESTS_OF_THEIR_OWN = {
    "agent/cli/demo/command.py",  # the demo as a whole: the integration tests run it
    "agent/cli/self_test/exchange.py",  # an agent of its own: the integration tests run it
    "agent/daemon.py",  # builds the doors: the integration tests run it
    "agent/dialects/base.py",  # Protocols and values
    "agent/gateway/ports.py",  # Protocols
    "agent/interception/services.py",  # Protocols
    "agent/model/conversation.py",  # values
    "agent/model/device.py",  # values without behaviour
    "agent/model/findings.py",
    "agent/model/provider.py",
    "agent/model/record.py",
    "agent/model/surface.py",
    "agent/model/traffic.py",
    "agent/translation/base.py",  # Protocols and values
}
"""A ratchet: it may only get shorter."""

ABOUT_NO_MODULE = {
    "dialects/test_called_tools.py",  # of all of them
    "dialects/test_dialects.py",  # what holds for all of them
    "gateway/test_echo_http.py",  # the echo provider over real HTTP
    "inspection/test_framed_streams.py",  # of all framings
    "policy/test_bundled.py",  # the policies that ship with the program
}


def modules() -> list[Path]:
    """Every module of ours; a package's own file counts as `init`."""
    found = [*(ROOT / "agent").rglob("*.py"), *(ROOT / "addons").rglob("*.py")]
    return sorted(path.relative_to(ROOT) for path in found if path.name != "__main__.py")


def place_of(module: Path) -> Path:
    """Where the tests of a module stand. `agent` is left out: everything is in it."""
    parts = module.parts[1:] if module.parts[0] == "agent" else module.parts
    return UNIT.joinpath(
        *parts[:-1], f"test_{parts[-1].strip('_').removesuffix('__.py').removesuffix('.py')}.py"
    )


def has_tests(module: Path) -> bool:
    """Under its own name, or together with the rest of its package under the package's."""
    return place_of(module).is_file() or place_of(module.parent.with_suffix(".py")).is_file()


def test_every_module_has_its_tests() -> None:
    without = {
        module.as_posix() for module in modules() if module.name != "__init__.py" and not has_tests(module)
    }
    assert sorted(without - WITHOUT_TESTS_OF_THEIR_OWN) == []


def test_the_ratchet_holds_nothing_that_has_tests_or_is_gone() -> None:
    without = {module.as_posix() for module in modules() if not place_of(module).is_file()}
    assert sorted(WITHOUT_TESTS_OF_THEIR_OWN - without) == []


def test_every_test_file_is_about_a_module_or_a_package() -> None:
    about = {place_of(path) for module in modules() for path in (module, module.parent.with_suffix(".py"))}
    files = {path for path in UNIT.rglob("test_*.py") if path.parent != UNIT}
    strays = {path.relative_to(UNIT).as_posix() for path in files - about}
    assert sorted(strays - ABOUT_NO_MODULE) == []
