"""The files of a request as part of what is judged: their texts are slots like any other, and edits of them end in
their bytes. Pure: who reads files is in the shell (`agent/gateway/files.py`).

A plain text is rewritten in place, in its own encoding. Any other file cannot be: what a guardrail would hide in it
follows the `on_redact` of the policy's rule for the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from agent.dialects.base import ParsedRequest, RequestFormat, RequestHead
from agent.dialects.carried import fetch, put, without
from agent.dialects.charsets import encoded, redecoded
from agent.dialects.jsonedits import edit
from agent.dialects.slots import Collector
from agent.errors import ContentError
from agent.inspection.documents import findings_of
from agent.inspection.rules import Scope, where_of
from agent.inspection.tables import same_shape
from agent.inspection.verdicts import Tally, refusal
from agent.model.content import Attachment, Edit, Held, OnRedact, Role, Slot, Where
from agent.model.decision import Action, Decision
from agent.model.findings import Family, Finding
from agent.model.reading import Reading
from agent.policy import attachments

_FILE = "\0file"  # no key of a document begins so; what follows is the file's number, and the passage's
_REMOVED = "[A file was removed by policy]"


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file of a request. `attachment` holds everything that is known of it; `reading` what was read out of its
    bytes, None where they were not looked at."""

    attachment: Attachment
    reading: Reading | None = None


def read_as(attachment: Attachment, reading: Reading, size: int | None) -> File:
    """A file that was read. `size` is the number of its bytes."""
    about = replace(
        attachment,
        size=attachment.size if size is None else size,
        type=reading.type,
        readable=None if reading.silent else reading.problem is None,
        problem=reading.problem or "",
        characters=None if reading.silent else reading.characters,
        pages=reading.pages,
        entries=reading.entries,
        pixels=reading.pixels,
        outcome="" if reading.silent else "unreadable" if reading.problem else "read",
    )
    return File(attachment=about, reading=reading)


class Attached:
    """The files of one request, known by where they stand in its body or by their ids."""

    def __init__(self, files: tuple[File, ...]) -> None:
        self.files = files
        self._held = {each.attachment.held: each for each in files if each.attachment.held is not None}
        self._named = {
            each.attachment.id: each for each in files if each.attachment.held is None and each.attachment.id
        }

    def informed(self, request: ParsedRequest) -> ParsedRequest:
        """The request, its attachments with everything that is known of them."""
        about: list[Attachment] = []
        for each in request.attachments:
            known = self._held.get(each.held) if each.held is not None else self._named.get(each.id)
            about.append(each if known is None else known.attachment)
        listed = {each.id for each in about}
        about += [file.attachment for name, file in self._named.items() if name not in listed]
        return replace(request, attachments=tuple(about))

    def form(self, form: RequestFormat, scope: Scope) -> AttachedForm:
        """The request's format, whose slots are also those of its files. `scope` is informed of the request."""
        return AttachedForm(form, self, scope)

    def count_remembered(self, tally: Tally) -> None:
        """Count what was found in files when they were uploaded: a prompt that uses a file is judged by it. What had to
        be justified then was, or the file would not be there."""
        for file in self._named.values():
            about = file.attachment
            rule = attachments.rule_for(tally.scope.rules.policy, tally.scope.subject, about)
            instead = OnRedact.BLOCK if rule.on_redact is OnRedact.REMOVE else rule.on_redact
            for name, count in about.findings:
                family, _, kind = name.partition("/")
                finding = Finding(start=0, end=1, family=Family(family), type=kind, rule=kind)
                where = Where.TOOL_RESULT if finding.family is Family.INJECTION else Where.PROMPT
                if tally.judge(finding, where, role=Role.FILE) is not Action.ASK:
                    for _ in range(count):
                        tally.count(finding, where, role=Role.FILE, on_redact=instead)

    def settled(
        self, request: ParsedRequest, before: bytes, after: bytes, tally: Tally, form: AttachedForm
    ) -> ParsedRequest:
        """The request once it is judged: of each file what was found in it, and what became of it."""
        about = {file.attachment.held: file.attachment for file in self._held.values()}
        for held, slots in form.slots_of(before).items():
            found = findings_of(slots, tally, where_of)
            about[held] = replace(about[held], findings=tuple(sorted(found.items())))
        if after is not before:
            for held, outcome in form.changed(before, after):
                about[held] = replace(about[held], outcome=outcome)
        return replace(
            request,
            attachments=tuple(
                each if each.held is None else about.get(each.held, each) for each in request.attachments
            ),
        )


def judge_files(scope: Scope, listed: tuple[Attachment, ...]) -> Decision | None:
    """The refusal by a rule for attachments, None where all may go. `scope` is informed of the request."""
    counts: dict[str, int] = {}
    for each in listed:
        rule = attachments.rule_for(scope.rules.policy, scope.subject, each)
        count = counts[rule.id] = counts.get(rule.id, 0) + 1
        if (refused := attachments.refusal_of(rule, each, count=count)) is not None:
            return refusal(scope, refused.reason, rule=rule.id, template=rule.message or "")
    return None


class AttachedForm:
    """A request's format together with the files in it. Implements `RequestFormat`."""

    def __init__(self, form: RequestFormat, attached: Attached, scope: Scope) -> None:
        self._form = form
        self._attached = attached
        policy = scope.rules.policy
        self._texts: list[tuple[File, Held, Reading, OnRedact]] = []
        for file in attached.files:
            held, reading = file.attachment.held, file.reading
            if held is None or reading is None:
                continue
            rule = attachments.rule_for(policy, scope.subject, file.attachment)
            if rule.read:
                removes = rule.on_redact is OnRedact.REMOVE and not held.element
                self._texts.append((file, held, reading, OnRedact.BLOCK if removes else rule.on_redact))

    def parse_request(self, head: RequestHead, body: bytes) -> ParsedRequest:
        """The request with the texts of its files behind its own. Raises ContentError."""
        request = self._attached.informed(self._form.parse_request(head, body))
        present = {each.held for each in request.attachments}
        texts = [slot for held, slots in self.slots_of(body).items() if held in present for slot in slots]
        return replace(request, slots=(*request.slots, *texts))

    def slots_of(self, body: bytes) -> dict[Held, tuple[Slot, ...]]:
        """The texts of every file that is read, as the body holds it now."""
        found: dict[Held, tuple[Slot, ...]] = {}
        own = tuple(held for _, held, reading, _ in self._texts if _own_text(reading, held))
        bytes_of = dict(zip(own, fetch(body, own), strict=True)) if own else {}
        for number, (_, held, reading, on_redact) in enumerate(self._texts):
            if held in bytes_of:
                data = bytes_of[held]
                found[held] = () if data is None else tuple(_slots(number, redecoded(data, reading.codec)))
            else:
                found[held] = tuple(
                    Slot(
                        address=((_FILE, number, place),),
                        role=Role.FILE,
                        text=passage.text,
                        on_redact=on_redact,
                    )
                    for place, passage in enumerate(reading.passages)
                )
        return found

    def edit_request(self, body: bytes, edits: tuple[Edit, ...]) -> bytes:
        """The body with the edits made, in its own texts and in those of its files. Raises ContentError."""
        own = tuple(one for one in edits if one.address[0][:1] != (_FILE,))
        if own:
            body = self._form.edit_request(body, own)
        changed: dict[int, list[Edit]] = {}
        removed: dict[Held, str] = {}
        for one in edits:
            match one.address[0]:
                case (str() as key, int() as number) if key == _FILE:
                    changed.setdefault(number, []).append(one)
                case (str() as key, int() as number, _) if key == _FILE:
                    removed[self._texts[number][1]] = _REMOVED
        if changed:
            body = put(body, dict(self._rewritten(body, changed)))
        return without(body, removed) if removed else body

    def changed(self, before: bytes, after: bytes) -> Iterator[tuple[Held, str]]:
        """Which files are not what they were, and what became of them."""
        held = tuple(held for _, held, _, _ in self._texts)
        for each, old, new in zip(held, fetch(before, held), fetch(after, held), strict=True):
            if new is None and old is not None:
                yield each, "removed"
            elif new != old:
                yield each, "rewritten"

    def _rewritten(self, body: bytes, changed: dict[int, list[Edit]]) -> Iterator[tuple[Held, bytes]]:
        places = tuple(self._texts[number][1] for number in changed)
        for (number, edits), held, data in zip(changed.items(), places, fetch(body, places), strict=True):
            if data is None:
                raise ContentError("a file is not where it was")
            reading = self._texts[number][2]
            text = redecoded(data, reading.codec)
            inside = tuple(replace(one, address=((), *one.address[1:])) for one in edits)
            new = edit(text.encode(), inside).decode()
            if not same_shape(text, new, reading.type):
                raise ContentError("a table would lose its shape")
            try:
                yield held, encoded(new, reading.codec)
            except UnicodeEncodeError:
                raise ContentError("the file's encoding cannot say what was put in") from None


def _own_text(reading: Reading, held: Held) -> bool:
    """Whether what was read is the file's own text, all of it, and other bytes may stand in its place."""
    return bool(reading.codec) and not held.sealed and any(each.rewritable for each in reading.passages)


def _slots(number: int, text: str) -> list[Slot]:
    found = Collector()
    found.text((_FILE, number), Role.FILE, text)
    return found.slots
