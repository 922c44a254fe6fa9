"""One check, asked: what is new, in which calls it goes, how failures are told from verdicts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from agent.checks.asking import AskedCheck
from agent.checks.known import FRESH_SECONDS
from agent.checks.ports import MAX_MARKS, CheckError, Failure, Limits, Mark, Piece
from agent.inspection.outside import Report, Segment
from agent.inspection.veil import veil
from agent.model.content import Role, Where
from agent.model.findings import Family, Finding
from tests.fakes.services import check_of, segment

Answer = Callable[[tuple[Piece, ...]], tuple[tuple[Mark, ...], ...]]


def bad_words(pieces: tuple[Piece, ...]) -> tuple[tuple[Mark, ...], ...]:
    """Marks every `bad`."""
    return tuple(
        tuple(
            Mark(start=at, end=at + 3, category="bad", score=0.9)
            for at in range(len(piece.text))
            if piece.text.startswith("bad", at)
        )
        for piece in pieces
    )


class FakeAdapter:
    """Implements `ports.Adapter`."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.calls: list[tuple[Where, tuple[str, ...]]] = []
        self.answer: Answer = bad_words
        self.failure: Exception | None = None
        self.waits = 0.0
        self.under_way = self.most_under_way = 0

    async def ask(self, where: Where, pieces: tuple[Piece, ...]) -> tuple[tuple[Mark, ...], ...]:
        self.calls.append((where, tuple(piece.text for piece in pieces)))
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await asyncio.sleep(self.waits)
        finally:
            self.under_way -= 1
        if self.failure is not None:
            raise self.failure
        return self.answer(pieces)

    @property
    def texts(self) -> list[str]:
        return [text for _, texts in self.calls for text in texts]


class Bench:
    """A check, its adapter, and a clock moved by hand."""

    def __init__(self, more: str = "", limits: Limits | None = None) -> None:
        self.now = 0.0
        self.adapter = FakeAdapter(limits or Limits(chars=1000))
        check = check_of(f"{{id: own, kind: webhook, url: 'https://a.example'{more}}}")
        self.check = AskedCheck(check, self.adapter, clock=lambda: self.now)

    async def report(self, *segments: Segment) -> Report:
        return await self.check.report(segments)


def spans(report: Report) -> list[tuple[str, int, int]]:
    return [(each.segment, each.finding.start, each.finding.end) for each in report.findings]


def old(text: str, where: Where = Where.PROMPT, name: str = "0") -> Segment:
    return segment(text, where=where, fresh=False, name=name)


# Findings


async def test_a_mark_becomes_a_finding_of_the_check() -> None:
    report = await Bench().report(segment("a bad word"))
    (located,) = report.findings
    assert located.finding == Finding(start=2, end=5, family=Family.CHECK, type="own", rule="bad", score=0.9)
    assert report.failure == ""


async def test_places_are_those_of_the_text_before_it_was_veiled() -> None:
    secret = Finding(start=2, end=8, family=Family.SECRET, type="key", rule="k")
    text = "a SECRET bad"
    veiled = veil(text, (secret,), kinds=frozenset({"key"}))
    bench = Bench()
    made = segment(text)
    report = await bench.report(
        Segment(id="0", slot=made.slot, where=made.where, fresh=True, bare=made.bare, veiled=veiled)
    )
    assert bench.adapter.texts == ["a [REDACTED:key] bad"]
    assert spans(report) == [("0", 9, 12)]


async def test_a_check_that_need_not_redact_gets_the_text_as_it_is() -> None:
    secret = Finding(start=2, end=8, family=Family.SECRET, type="key", rule="k")
    made = segment("a SECRET")
    veiled = veil("a SECRET", (secret,), kinds=frozenset())
    bench = Bench(", redact_first: false")
    await bench.report(
        Segment(id="0", slot=made.slot, where=made.where, fresh=True, bare=made.bare, veiled=veiled)
    )
    assert bench.adapter.texts == ["a SECRET"]


async def test_a_long_text_goes_in_pieces_and_nothing_is_found_twice() -> None:
    bench = Bench(limits=Limits(chars=100))
    text = "so bad " * 100
    report = await bench.report(segment(text))
    assert len(bench.adapter.calls) > 7
    assert all(len(each) <= 100 for each in bench.adapter.texts)
    assert spans(report) == [("0", at, at + 3) for at in range(3, 700, 7)]


async def test_short_texts_go_together_as_far_as_the_service_takes_them_never_mixed() -> None:
    bench = Bench(limits=Limits(chars=1000, pieces=3, total=10))
    await bench.report(
        *(segment(f"text{place}", name=str(place)) for place in range(4)),
        segment("tool", where=Where.TOOL_RESULT, name="5", role=Role.TOOL_RESULT),
    )
    assert bench.adapter.calls == [
        (Where.PROMPT, ("text0", "text1")),
        (Where.PROMPT, ("text2", "text3")),
        (Where.TOOL_RESULT, ("tool",)),
    ]


# What is new


async def test_what_was_asked_is_remembered() -> None:
    bench = Bench()
    first = await bench.report(segment("bad words"))
    again = await bench.report(segment("bad words", name="7"))
    assert len(bench.adapter.calls) == 1
    assert spans(first) == [("0", 0, 3)]
    assert spans(again) == [("7", 0, 3)]


async def test_a_persons_older_words_keep_their_verdict_and_are_never_sent() -> None:
    bench = Bench()
    assert (await bench.report(old("bad words"))).findings == ()
    assert bench.adapter.calls == []
    await bench.report(segment("bad words"))
    bench.now = 10 * FRESH_SECONDS
    assert spans(await bench.report(old("bad words"))) == [("0", 0, 3)]
    assert len(bench.adapter.calls) == 1


async def test_an_older_tool_result_that_was_never_asked_about_is_sent_once() -> None:
    bench = Bench()
    for _ in range(2):
        report = await bench.report(old("bad words", Where.TOOL_RESULT))
        assert spans(report) == [("0", 0, 3)]
    assert len(bench.adapter.calls) == 1


async def test_new_text_is_asked_about_anew_after_a_while() -> None:
    bench = Bench()
    await bench.report(segment("words"))
    bench.now = FRESH_SECONDS + 1
    await bench.report(segment("words"))
    assert len(bench.adapter.calls) == 2


async def test_a_failure_is_not_remembered() -> None:
    bench = Bench()
    bench.adapter.failure = CheckError(Failure.STATUS)
    assert (await bench.report(segment("bad"))).failure == "status"
    bench.adapter.failure = None
    assert spans(await bench.report(segment("bad"))) == [("0", 0, 3)]


async def test_what_was_new_when_the_service_was_down_is_still_owed_when_it_is_history() -> None:
    bench = Bench()
    bench.adapter.failure = CheckError(Failure.STATUS)
    await bench.report(segment("bad words"))
    assert (await bench.report(old("bad words"), segment("go on", name="1"))).failure == "status"
    bench.adapter.failure = None
    report = await bench.report(old("bad words"), segment("go on", name="1"))
    assert (report.failure, spans(report)) == ("", [("0", 0, 3)])
    calls = len(bench.adapter.calls)
    await bench.report(old("bad words"), segment("go on", name="1"))
    assert len(bench.adapter.calls) == calls


async def test_what_was_too_long_when_it_was_new_stays_so_with_its_findings_and_is_not_sent_again() -> None:
    bench = Bench(", max_chars: 1000")
    text = "bad " + "word " * 1000
    first = await bench.report(segment(text))
    calls = len(bench.adapter.calls)
    again = await bench.report(old(text))
    assert (again.failure, spans(again)) == ("too_long", spans(first))
    assert len(bench.adapter.calls) == calls


# Failures


@pytest.mark.parametrize("failure", [Failure.UNREACHABLE, Failure.MALFORMED, Failure.CREDENTIALS])
async def test_a_failed_call_is_a_failed_check(failure: Failure) -> None:
    bench = Bench()
    bench.adapter.failure = CheckError(failure)
    report = await bench.report(segment("text"))
    assert (report.failure, report.findings) == (failure, ())


async def test_what_an_adapter_did_not_expect_is_a_failed_check_and_no_crash() -> None:
    bench = Bench()
    bench.adapter.failure = KeyError("content of the answer")
    assert (await bench.report(segment("text"))).failure == "malformed"


async def test_failures_of_old_text_hold_nobody_up() -> None:
    bench = Bench()
    bench.adapter.failure = CheckError(Failure.STATUS)
    assert (await bench.report(old("text", Where.TOOL_RESULT))).failure == ""


async def test_what_was_found_counts_though_another_call_failed() -> None:
    bench = Bench(limits=Limits(chars=1000, pieces=2, total=5))
    answers = iter([bad_words, None])

    def answer(pieces: tuple[Piece, ...]) -> tuple[tuple[Mark, ...], ...]:
        chosen = next(answers)
        if chosen is None:
            raise CheckError(Failure.STATUS)
        return chosen(pieces)

    bench.adapter.answer = answer
    report = await bench.report(segment("bad"), segment("good", name="1"))
    assert (report.failure, spans(report)) == ("status", [("0", 0, 3)])


@pytest.mark.parametrize(
    "answer",
    [
        (),
        ((), ()),
        ((Mark(start=0, end=5, category="c"),),),
        ((Mark(start=-1, end=1, category="c"),),),
        ((Mark(start=1, end=1, category="c"),),),
        ((Mark(start=0, end=1, category="c", score=0.0),),),
        ((Mark(start=0, end=1, category="c", score=float("nan")),),),
        ((Mark(start=0, end=1, category="c"),) * (MAX_MARKS + 1),),
    ],
)
async def test_findings_that_do_not_fit_the_text_are_no_verdict(answer: tuple[tuple[Mark, ...], ...]) -> None:
    bench = Bench()
    bench.adapter.answer = lambda _: answer
    report = await bench.report(segment("text"))
    assert (report.failure, report.findings) == ("malformed", ())


async def test_the_deadline_holds_for_all_calls_together() -> None:
    bench = Bench(", timeout_ms: 50, concurrency: 1", Limits(chars=100))
    bench.adapter.waits = 0.03
    loop = asyncio.get_running_loop()
    begun = loop.time()
    report = await bench.report(segment("word " * 200))
    assert report.failure == "timeout"
    assert loop.time() - begun < 0.5
    assert len(bench.adapter.calls) < 5


async def test_so_many_calls_at_a_time_and_no_more() -> None:
    bench = Bench(", concurrency: 2", Limits(chars=100))
    bench.adapter.waits = 0.001
    await bench.report(segment("word " * 200))
    assert bench.adapter.most_under_way == 2


async def test_a_service_that_keeps_failing_is_left_alone_and_tried_again() -> None:
    bench = Bench(", breaker: {failures: 2, seconds: 30}")
    bench.adapter.failure = CheckError(Failure.STATUS)
    said = [(await bench.report(segment(f"text {place}"))).failure for place in range(4)]
    assert said == ["status", "status", "left_alone", "left_alone"]
    assert len(bench.adapter.calls) == 2
    bench.now, bench.adapter.failure = 30.0, None
    assert (await bench.report(segment("bad"))).failure == ""
    assert (await bench.report(segment("text 9"))).failure == ""


async def test_a_late_answer_counts_as_a_failure_and_a_client_that_leaves_does_not() -> None:
    bench = Bench(", timeout_ms: 30, breaker: {failures: 1, seconds: 30}")
    bench.adapter.waits = 1
    task = asyncio.create_task(bench.report(segment("one")))
    await asyncio.sleep(0.005)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await bench.report(segment("two"))).failure == "timeout"
    assert (await bench.report(segment("three"))).failure == "left_alone"


# Too long


async def test_of_a_text_that_is_too_long_head_and_tail_are_looked_at_and_it_is_said() -> None:
    bench = Bench(", max_chars: 1000", Limits(chars=500))
    text = "bad " + "word " * 2000 + "bad"
    report = await bench.report(segment(text))
    assert report.failure == "too_long"
    assert spans(report) == [("0", 0, 3), ("0", len(text) - 3, len(text))]
    assert sum(map(len, bench.adapter.texts)) <= 1000


async def test_the_room_for_new_text_is_shared_and_never_taken_by_the_old() -> None:
    bench = Bench(", max_chars: 1000")
    report = await bench.report(
        old("o" * 600, Where.TOOL_RESULT, "0"), segment("n" * 600, name="1"), segment("m" * 400, name="2")
    )
    assert report.failure == ""
    assert sorted(map(len, bench.adapter.texts)) == [400, 600]


async def test_more_new_text_than_there_is_room_for_is_a_failure_however_little_is_left() -> None:
    bench = Bench(", max_chars: 1000")
    report = await bench.report(segment("n" * 1000, name="1"), segment("m", name="2"))
    assert report.failure == "too_long"
    assert bench.adapter.texts == ["n" * 1000]


# Bundles


def alone() -> Bench:
    return Bench(limits=Limits(chars=1000, pieces=1))


def whole(pieces: tuple[Piece, ...]) -> tuple[tuple[Mark, ...], ...]:
    """Marks the whole of every piece that holds `bad`."""
    return tuple(
        (Mark(start=0, end=len(piece.text), category="bad"),) if "bad" in piece.text else ()
        for piece in pieces
    )


def leaves(*texts: str) -> tuple[Segment, ...]:
    return tuple(
        segment(text, where=Where.TOOL_RESULT, role=Role.TOOL_RESULT, name=str(place))
        for place, text in enumerate(texts)
    )


async def test_many_short_texts_are_one_call_where_a_service_takes_one() -> None:
    bench = alone()
    report = await bench.report(*leaves(*(f"leaf {place}" for place in range(50)), "a bad one"))
    assert len(bench.adapter.calls) == 1
    assert spans(report) == [("50", 2, 5)]


async def test_each_text_of_a_bundle_is_remembered_by_itself() -> None:
    bench = alone()
    await bench.report(*leaves("one", "bad", "two"))
    report = await bench.report(*leaves("bad"))
    assert len(bench.adapter.calls) == 1
    assert spans(report) == [("0", 0, 3)]


async def test_where_a_verdict_is_about_the_whole_bundle_its_texts_are_asked_about_one_by_one() -> None:
    bench = alone()
    bench.adapter.answer = whole
    report = await bench.report(*leaves("one", "a bad one", "two"))
    assert spans(report) == [("1", 0, 9)]
    assert bench.adapter.texts == ["one\n\na bad one\n\ntwo", "one", "a bad one", "two"]


async def test_a_bundle_that_fails_is_a_failed_check() -> None:
    bench = alone()
    bench.adapter.failure = CheckError(Failure.STATUS)
    assert (await bench.report(*leaves("one", "two"))).failure == "status"
    bench.adapter.failure = None
    await bench.report(*leaves("one", "two"))
    assert len(bench.adapter.calls) == 2


async def test_persons_and_tools_are_never_bundled_together() -> None:
    bench = alone()
    await bench.report(segment("said", name="9"), *leaves("result"))
    assert sorted(bench.adapter.texts) == ["result", "said"]
