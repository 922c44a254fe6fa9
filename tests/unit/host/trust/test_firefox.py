"""Firefox's policy file: ours goes in and out, an administrator's stays to the byte."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.errors import HostError
from agent.host.trust.firefox import FirefoxPolicy
from agent.host.trust.store import Access
from tests.fakes.stores import a_root

ADMIN = """{
    "policies": { "DisableTelemetry": true,
        "Certificates": {"ImportEnterpriseRoots": true, "Install": ["/etc/company.pem"]} }
}
"""


class House:
    """A machine with Firefox."""

    def __init__(self, base: Path) -> None:
        (base / "usr/lib/firefox").mkdir(parents=True, exist_ok=True)
        self.folder = base / "etc/firefox/policies"
        self.file = self.folder / "policies.json"
        self.store = FirefoxPolicy(base=base)
        self.place = str(self.file)

    def admin(self, text: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.file.write_text(text)

    def put(self, number: int = 1) -> None:
        root = a_root(number)
        self.store.write(root.scope(self.place), root.pem)

    def take(self, number: int = 1) -> None:
        self.store.write(a_root(number).scope(self.place), None)

    @property
    def installed(self) -> list[str]:
        found: list[str] = json.loads(self.file.read_text())["policies"]["Certificates"]["Install"]
        return found


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_without_a_policy_file_one_is_made_and_goes_again(house: House) -> None:
    house.put()
    (path,) = house.installed
    assert Path(path).read_text() == a_root().pem
    assert house.file.stat().st_mode & 0o777 == Path(path).stat().st_mode & 0o777 == 0o644
    assert house.store.trusts(house.place, a_root())
    house.take()
    assert list(house.folder.iterdir()) == []


def test_an_administrators_file_keeps_everything_and_gets_its_bytes_back(house: House) -> None:
    house.admin(ADMIN)
    house.put()
    house.put(2)
    assert len(house.installed) == 3
    assert house.installed[0] == "/etc/company.pem"
    assert json.loads(house.file.read_text())["policies"]["DisableTelemetry"] is True
    house.take()
    assert len(house.installed) == 2
    house.take(2)
    assert house.file.read_text() == ADMIN
    assert [each.name for each in house.folder.iterdir()] == ["policies.json"]


def test_what_an_administrator_changed_meanwhile_stays(house: House) -> None:
    house.admin(ADMIN)
    house.put()
    changed = json.loads(house.file.read_text())
    changed["policies"]["BlockAboutConfig"] = True
    house.file.write_text(json.dumps(changed))
    house.take()
    expected = json.loads(ADMIN)
    expected["policies"]["BlockAboutConfig"] = True
    assert json.loads(house.file.read_text()) == expected
    assert [each.name for each in house.folder.iterdir()] == ["policies.json"]


def test_put_twice_it_stands_there_once(house: House) -> None:
    house.put()
    house.put()
    assert len(house.installed) == 1


def test_named_without_its_certificate_it_is_not_trusted(house: House) -> None:
    house.put()
    Path(house.installed[0]).unlink()
    assert not house.store.trusts(house.place, a_root())


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"policies": []}', '{"policies": {"Certificates": {"Install": "x"}}}']
)
def test_a_file_that_is_none_of_firefox_is_left_as_it_is(house: House, text: str) -> None:
    house.admin(text)
    with pytest.raises(HostError, match="not a file of Firefox's policies"):
        house.put()
    assert house.file.read_text() == text


def test_a_machine_without_firefox_gets_nothing(tmp_path: Path) -> None:
    (site,) = FirefoxPolicy(base=tmp_path).sites()
    assert site.access is Access.ABSENT


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    policies=st.dictionaries(st.text(max_size=6), JSON, max_size=4),
    indent=st.sampled_from([None, 1, 4, "\t"]),
)
def test_any_file_comes_back_to_the_byte(
    tmp_path: Path, policies: dict[str, object], indent: int | str | None
) -> None:
    house = House(tmp_path)
    text = json.dumps({"policies": policies}, indent=indent)
    house.admin(text)
    house.put()
    assert house.store.trusts(house.place, a_root())
    house.take()
    assert house.file.read_text() == text
