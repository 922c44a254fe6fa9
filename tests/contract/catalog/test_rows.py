"""Every row of the catalog, tried: a request of its dialect goes in through its own host and path, is read, edited and
refused. A row of a dialect that has no sample fails: `samples/` says how one is written."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from agent.catalog import Catalog, bundled_surfaces
from agent.dialects import DIALECTS
from agent.dialects.base import RequestHead
from agent.inspection import inspect_request
from agent.model.content import Edit, Slot
from agent.model.decision import Action
from agent.model.hostpattern import HostTemplate, is_template
from agent.model.surface import Confidence, Endpoint, Kind, Surface
from tests.contract.catalog.sample import FOLDER, Sample, sample
from tests.fakes.rulebooks import TOY, toy_scope

ROOT = Path(__file__).parents[3]
ROWS = bundled_surfaces()
CATALOG = Catalog(ROWS)
CASES = [
    pytest.param(row, host, endpoint, id=f"{row.id}:{host}{endpoint.path}")
    for row in ROWS
    for host in row.hosts or ("",)  # the gateway itself
    for endpoint in row.endpoints
    if endpoint.dialect  # what is asked over WebSockets only is tried in tests/unit/dialects
]
MODEL = "m-1.5"
"""What stands where a path names a model."""


def concrete(host: str) -> str:
    """A host name that a host of the catalog means."""
    if host.startswith("*."):
        return f"corp.{host[2:]}"
    return HostTemplate.compile(host).specimen.replace("x", "eu1", 1) if is_template(host) else host


def path_of(template: str) -> str:
    """A path that a template means."""
    parts = []
    for part in template.replace("**", "/v9").strip("/").split("/"):
        before, opened, rest = part.partition("{")
        name, _, after = rest.partition("}")
        parts.append(
            before + (MODEL if name in ("model", "deployment") else "n1") + after if opened else part
        )
    return "/" + "/".join(parts)


def wanted(row: Surface, endpoint: Endpoint) -> Sample:
    """The sample of an endpoint. Fails where there is none."""
    found = sample(endpoint.dialect, endpoint.operation, row.id)
    assert found is not None, (
        f"no sample of {endpoint.dialect} for {endpoint.operation}: write "
        f"{(FOLDER / f'{endpoint.dialect}.{endpoint.operation}.toml').relative_to(ROOT)}"
    )
    return found


def matched(row: Surface, host: str, endpoint: Endpoint) -> tuple[Endpoint, str]:
    """What the catalog finds where a request is sent to the row, and the path of the request."""
    path = path_of(endpoint.path)
    if row.own:
        own = CATALOG.endpoint(row, path)
        assert own is not None
        return own, path
    for app in (*row.apps, ""):
        match = CATALOG.match(concrete(host), path, app=app)
        if match is not None and match.endpoint is not None and match.surface.id == row.id:
            assert (match.endpoint.dialect, match.endpoint.operation) == (
                endpoint.dialect,
                endpoint.operation,
            )
            return match.endpoint, path
    pytest.fail(f"{concrete(host)}{path} is not found in the row {row.id}")


def slot_with(slots: tuple[Slot, ...], text: str) -> Slot:
    (found,) = [slot for slot in slots if text in slot.text]
    return found


@pytest.mark.parametrize(("row", "host", "endpoint"), CASES)
def test_a_request_through_its_own_path_is_read_edited_and_refused(
    row: Surface, host: str, endpoint: Endpoint
) -> None:
    endpoint, path = matched(row, host, endpoint)
    given = wanted(row, endpoint)
    if given.elsewhere:
        assert (ROOT / given.elsewhere).is_file(), given.elsewhere
        return
    dialect = DIALECTS[endpoint.dialect]
    head = RequestHead(method="POST", path=path, content_type=given.content_type)
    assert TOY in given.prompt
    assert given.request.count(TOY.encode()) == 1

    verdict = inspect_request(dialect, head, given.request, toy_scope(host=concrete(host)))
    assert verdict.understood is given.understood, verdict.problem
    assert verdict.decision.action is Action.REDACT
    gone = given.request.replace(TOY.encode(), b"[REDACTED:toy]")
    assert verdict.body == gone  # every other byte as it came, unknown fields too

    block = dialect.block("Not this way (REF123)")
    assert block.status == 400  # a status that no client retries or takes for a lost login
    assert b"Not this way (REF123)" in block.body
    assert isinstance(orjson.loads(block.body), dict)
    if not given.understood:
        return

    request = dialect.parse_request(head, given.request)
    if given.model:
        assert request.model == given.model
    elif "{model}" in endpoint.path:
        assert request.model.endswith(MODEL)
    slot = slot_with(request.slots, given.prompt)
    at = slot.text.index(TOY)
    edit = Edit(address=slot.address, start=at, end=at + len(TOY), replacement="a token")
    assert dialect.edit_request(given.request, (edit,)) == given.request.replace(TOY.encode(), b"a token")

    if not given.response:  # it is no text at all
        return
    answer = dialect.parse_answer(given.response)
    if not given.answer:
        assert answer.slots == ()
        return
    said = slot_with(answer.slots, given.answer)
    edit = Edit(address=said.address, start=0, end=2, replacement="This")
    assert dialect.edit_answer(given.response, (edit,)) == given.response.replace(
        given.answer.encode(), b"This" + given.answer[2:].encode()
    )


def test_no_page_is_said_to_be_documented_by_its_maker() -> None:
    """The confidence of a row is what `drawbridge catalog show` tells an administrator."""
    pages = [row for row in ROWS if row.kind is Kind.CHAT]
    assert [row.id for row in pages if row.confidence is Confidence.DOCUMENTED] == []
    assert [row.id for row in pages if row.confidence is Confidence.SEEN and not row.seen] == []


def test_every_sample_belongs_to_an_endpoint() -> None:
    used = {f"{endpoint.dialect}.{endpoint.operation}" for row in ROWS for endpoint in row.endpoints}
    used |= {endpoint.dialect for row in ROWS for endpoint in row.endpoints}
    used |= {f"{row.id}@{each.dialect}.{each.operation}" for row in ROWS for each in row.endpoints}
    assert {path.stem for path in FOLDER.glob("*.toml")} - used == set()
