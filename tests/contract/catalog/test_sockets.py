"""Every row of the catalog where models are asked or answer over a WebSocket: what both sides say there, written by
hand, is found under its own host and path, read, edited, and refused. A format without such a conversation fails.

`sockets/<format>.toml` holds the messages in their order: who says it (`from`), the message (`data`), a text of it
(`reads`; of one side or the other it has the marker that is edited away), and what it means: `asks`, `ends`, `model`.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from agent.catalog import Catalog, bundled_surfaces
from agent.dialects.base import RequestHead
from agent.dialects.sockets import SOCKETS, SocketSession
from agent.model.content import Edit, Slot
from agent.model.surface import Endpoint, Surface
from tests.contract.catalog.test_rows import concrete, path_of
from tests.fakes.rulebooks import TOY

FOLDER = Path(__file__).with_name("sockets")
ROWS = bundled_surfaces()
CATALOG = Catalog(ROWS)
CASES = [
    pytest.param(row, host, endpoint, id=f"{row.id}:{host}{endpoint.path}")
    for row in ROWS
    for host in row.hosts
    for endpoint in row.endpoints
    if endpoint.socket
]


def edited(slots: tuple[Slot, ...], data: bytes, session: SocketSession, *, service: bool) -> bytes:
    """The message with the marker edited away wherever it was found, its address taken once."""
    edits: dict[object, Edit] = {}
    for slot in slots:
        if (at := slot.text.find(TOY)) >= 0:
            edits[slot.address] = Edit(
                address=slot.address, start=at, end=at + len(TOY), replacement="a token"
            )
    change = session.edit_event if service else session.edit_request
    return change(data, tuple(edits.values()))


@pytest.mark.parametrize(("row", "host", "endpoint"), CASES)
def test_what_is_said_there_is_read_edited_and_refused(row: Surface, host: str, endpoint: Endpoint) -> None:
    path = path_of(endpoint.path)
    match = CATALOG.match(concrete(host), path)
    assert match is not None
    assert match.endpoint is not None
    assert (match.surface.id, match.endpoint.socket) == (row.id, endpoint.socket)

    session = SOCKETS[endpoint.socket].session(RequestHead(method="GET", path=path))
    model, ended, marked = "", False, 0
    for message in tomllib.loads((FOLDER / f"{endpoint.socket}.toml").read_text("utf-8"))["message"]:
        data = message["data"].encode()
        service = message["from"] == "service"
        if service:
            said = session.listen(data)
            assert said.readable
            assert said.view.final is message.get("ends", False)
            ended = ended or said.view.final
            slots = (*(delta.slot for delta in said.view.deltas), *said.view.repeats)
        else:
            heard = session.hear(data)
            assert heard.asks is message.get("asks", False)
            slots, model = heard.request.slots, heard.request.model or model
            session.forwarded(heard)
        texts = [slot.text for slot in slots]
        assert message.get("reads", "") in ("", *texts)
        assert "model" not in message or model.endswith(message["model"])
        marked += TOY.encode() in data
        assert edited(slots, data, session, service=service) == data.replace(TOY.encode(), b"a token")
    assert ended
    assert marked

    for refusal in (session.refusal("Not this way (REF123)"), session.stop("Not this way (REF123)", "")):
        assert any(b"Not this way (REF123)" in each for each in refusal)
        assert not any(TOY.encode() in each for each in refusal)


def test_every_format_has_its_conversation_and_a_row() -> None:
    assert {path.stem for path in FOLDER.glob("*.toml")} == set(SOCKETS)
    assert {endpoint.socket for row in ROWS for endpoint in row.endpoints} - {""} == set(SOCKETS)
