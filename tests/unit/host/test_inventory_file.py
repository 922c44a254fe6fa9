"""The file that keeps what was found."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import orjson
import pytest

from agent.errors import HostError
from agent.host.inventory_file import InventoryFile, Kept
from agent.model.inventory import Found, FoundKind

KEPT = (
    Kept(found=Found(kind=FoundKind.COMMAND, id="codex", name="Codex"), first_seen=1.5, last_seen=2.0),
    Kept(
        found=Found(
            kind=FoundKind.MODEL_SERVER, id="ollama", name="Ollama", port=11434, models=("a", "b"), user="ann"
        ),
        first_seen=1.0,
        last_seen=1.0,
    ),
)


def test_what_is_written_is_read_again_and_is_nobody_elses(tmp_path: Path) -> None:
    file = InventoryFile(tmp_path / "inventory.json")
    assert file.read() == ()
    file.write(KEPT)
    assert file.read() == KEPT
    assert sys.platform == "win32" or stat.S_IMODE(file.path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"{", "damaged"),
        (b"[]", "damaged"),
        (b'{"version": 2, "found": []}', "another version"),
        (b'{"version": 1, "found": [{}]}', "damaged"),
        (b'{"version": 1, "found": [7]}', "damaged"),
    ],
)
def test_a_damaged_file_is_an_error_with_a_way_out(tmp_path: Path, data: bytes, said: str) -> None:
    file = InventoryFile(tmp_path / "inventory.json")
    file.path.write_bytes(data)
    file.path.chmod(0o600)
    with pytest.raises(HostError, match=said) as refused:
        file.read()
    assert "Remove the file" in refused.value.hint()


@pytest.mark.parametrize(
    ("key", "value"), [("kind", "x"), ("models", "a"), ("port", "1"), ("name", 7), ("models", [7])]
)
def test_a_value_of_another_type_is_damage(tmp_path: Path, key: str, value: object) -> None:
    file = InventoryFile(tmp_path / "inventory.json")
    file.write(KEPT)
    document = orjson.loads(file.path.read_bytes())
    document["found"][0][key] = value
    file.path.write_bytes(orjson.dumps(document))
    with pytest.raises(HostError, match="damaged"):
        file.read()
