"""Poe: updates of subscriptions, pushed over a WebSocket at `/up/{box}/updates`.

Questions are GraphQL requests of their own (`poe-web` in shapes.toml); nothing is asked here, and a client only pings.
A message holds a list of JSON texts, each an update of one subscription: `messageAdded` and `messageTextUpdated` say
again all of a chat message so far, with its state. `unique_id` names the chat. Each answer is a turn that the service
begins by itself, named by the chat message's id. Read in public client code (poe-api-wrapper and three others), not
seen on the wire.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import orjson

from agent.dialects.base import Delta, EventView, ParsedRequest, RequestHead
from agent.dialects.jsontext import parse
from agent.dialects.moulds import new_slot
from agent.dialects.shapes import mapping, string
from agent.dialects.slots import Collector
from agent.dialects.snapshots import Snapshots
from agent.dialects.sockets.base import ANSWER_ELSEWHERE, Heard, Said
from agent.dialects.sockets.sessions import UNREADABLE, JsonSession, Uncounted, echoed, unknown
from agent.model.content import Address, Path, Role

_SIGNS_OF_LIFE = ("ping", "pong")
_CANCELLED = "messageCancelled"
_IN_CHAT = ("messageAdded", "messageCreated")  # whose `unique_id` names the chat
_SAID_WHOLE = ("text", "linkifiedText")
_MAX_ANSWERS = 64
_KEPT = (  # of a chat message, in the words of ours that take its place: what tells which it is, and nothing it says
    *(
        "__typename",
        "id",
        "messageId",
        "messageCode",
        "creationTime",
        "clientNonce",
        "author",
        "authorNickname",
    ),
    *("bot", "authorBot", "chat"),
)


class PoeSocket(Uncounted):
    """The socket dialect `poe`."""

    __slots__ = ()

    name = "poe"

    def session(self, head: RequestHead) -> PoeSession:
        """See `SocketDialect`."""
        del head
        return PoeSession()


@dataclass(slots=True)
class _Answer:
    """One answer that is being said. `like` is what its updates said besides texts."""

    chat: str = ""
    model: str = ""
    subscription: str = "messageAdded"  # the last that brought a text, and whose it was
    unique: str = ""
    like: dict[str, object] = field(default_factory=dict)
    linkified: bool = False
    snapshots: Snapshots = field(default_factory=Snapshots)


class PoeSession(JsonSession):
    """One connection."""

    def __init__(self) -> None:
        super().__init__()
        self._answers: dict[str, _Answer] = {}  # by the message's id
        self._over: dict[str, None] = {}  # those of which everything was said
        self._sequence: object = None
        self._last = ""  # the answer of which something was said last

    def hear(self, data: bytes) -> Heard:
        """See `SocketSession`."""
        document = parse(data)
        known = isinstance(document, dict) and document.get("type") in _SIGNS_OF_LIFE and len(document) == 1
        return Heard() if known else unknown(document)

    def _begun(self, turn: str) -> ParsedRequest:
        answer = self._answers.get(turn, _Answer())
        return ParsedRequest(model=answer.model, stream=True, conversation=answer.chat)

    def _said(self, document: dict[str, object]) -> Said:
        updates = document.get("messages")
        if not isinstance(updates, list):
            return Said(view=echoed(document), apart=True)
        self._sequence = document.get("min_seq", self._sequence)
        heard = _Reading()
        for place, text in enumerate(updates):
            if not isinstance(text, str):
                return UNREADABLE
            try:
                update = orjson.loads(text)
            except orjson.JSONDecodeError:
                return UNREADABLE
            if not isinstance(update, dict):
                return UNREADABLE
            heard.found.outer = (("messages", place),)
            self._read_update(update, heard)
        ended = tuple(heard.ended)
        turn = next(iter(ended), "") or next(iter(heard.answers), "")
        for other in heard.answers:
            if other != turn:  # judged with this one: what its own turn has had is not all that was said
                self._answers[other].snapshots.close()
        view = EventView(
            deltas=tuple(heard.deltas),
            closes=tuple(heard.closes),
            repeats=tuple(heard.found.slots),
            finish_reason=heard.ended.get(turn, ""),
            final=bool(ended),
        )
        return Said(view=view, turn=turn, apart=not turn, operation=ANSWER_ELSEWHERE, ends=ended[1:])

    def _read_update(self, update: dict[str, object], heard: _Reading) -> None:
        payload = mapping(update.get("payload"))
        data = mapping(payload.get("data"))
        chat = string(payload.get("unique_id")).partition(":")[2]
        for subscription, message in data.items():
            at: Path = ("payload", "data", subscription)
            if not isinstance(message, dict):
                heard.found.field(at[:-1], subscription, Role.ASSISTANT, message)
                continue
            name = str(message.get("messageId") or "")
            human = message.get("author") == "human" or message.get("authorUser") is not None
            says = subscription == _CANCELLED or "state" in message or "text" in message
            if message.get("state") == "incomplete":
                self._over.pop(name, None)  # it is said anew
            if not name or human or not says or name in self._over:
                self._last = name if name in self._over else self._last
                role = Role.USER if human else Role.ASSISTANT
                heard.found.prose(
                    at, role, {key: message[key] for key in message if key != "suggestedReplies"}
                )
                heard.found.leaves((*at, "suggestedReplies"), role, message.get("suggestedReplies"))
                heard.found.text((*at, "linkifiedText"), role, message.get("linkifiedText"))
                continue
            self._read_answer(subscription, message, heard, (name, chat, at))
        for key, value in payload.items():
            if key != "data":
                heard.found.field(("payload",), key, Role.ASSISTANT, value)

    def _read_answer(
        self, subscription: str, message: dict[str, object], heard: _Reading, whose: tuple[str, str, Path]
    ) -> None:
        name, chat, at = whose
        answer = self._answers.pop(name, None) or _Answer()
        self._answers[name] = answer  # the latest is the last
        if len(self._answers) > _MAX_ANSWERS:
            del self._answers[next(iter(self._answers))]
        heard.answers[name] = None
        self._last = name
        if subscription != _CANCELLED:
            answer.chat = chat if subscription in _IN_CHAT else answer.chat
            answer.model = _model(message) or answer.model
            if "text" in message:
                answer.subscription, answer.unique = subscription, f"{subscription}:{chat}"
            answer.like.update((key, message[key]) for key in _KEPT if key in message)
            answer.linkified = answer.linkified or "linkifiedText" in message
        for key, value in message.items():
            if key in _SAID_WHOLE and isinstance(value, str):
                heard.take(answer.snapshots, name, key, (*at, key), value)
            elif key == "suggestedReplies":
                heard.found.leaves((*at, key), Role.ASSISTANT, value)
            else:
                heard.found.field(at, key, Role.ASSISTANT, value)
        reason = "cancelled" if subscription == _CANCELLED else _reason(string(message.get("state")))
        if reason:
            heard.ended[name] = reason
            heard.closes += answer.snapshots.close()
            self._over[name] = None
            if len(self._over) > _MAX_ANSWERS:
                del self._over[next(iter(self._over))]

    def refusal(self, message: str) -> tuple[bytes, ...]:
        """The answer of which something was said last, said again in other words."""
        return self.stop(message, self._last)

    def failure(self, status: int, message: str) -> tuple[bytes, ...]:
        """The same."""
        del status
        return self.refusal(message)

    def stop(self, message: str, turn: str) -> tuple[bytes, ...]:
        """The answer said again, whole and complete, in other words: the page shows what it was told last."""
        turn = turn or self._last
        answer = self._answers.get(turn, _Answer())
        said = {"messageId": turn or "blocked", **answer.like, "state": "complete", "text": message}
        said |= {"linkifiedText": message} if answer.linkified else {}
        said |= {"suggestedReplies": []}
        update = {
            "message_type": "subscriptionUpdate",
            "payload": {
                "subscription_name": answer.subscription,
                "unique_id": answer.unique or answer.subscription,
                "data": {answer.subscription: said},
            },
        }
        sequence = {} if self._sequence is None else {"min_seq": self._sequence}
        return (orjson.dumps({**sequence, "messages": [orjson.dumps(update).decode()]}),)


class _Reading:
    """What one message was found to say."""

    def __init__(self) -> None:
        self.found = Collector()
        self.deltas: list[Delta] = []
        self.closes: list[str] = []
        self.answers: dict[str, None] = {}
        self.ended: dict[str, str] = {}  # answers that are over, and why

    def take(self, snapshots: Snapshots, name: str, key: str, path: Path, text: str) -> None:
        """All of a text so far."""
        address: Address = (*self.found.outer, path)
        delta, closed = snapshots.take((name, key), new_slot(address, Role.ASSISTANT, text))
        self.closes += closed
        if delta is not None:
            self.deltas.append(delta)


def _model(message: dict[str, object]) -> str:
    """The bot that speaks, as its page names it."""
    bot = mapping(message.get("bot") or message.get("authorBot"))
    names = (bot.get("handle"), bot.get("displayName"), message.get("author"))
    return next((name for name in names if isinstance(name, str) and name), "")


def _reason(state: str) -> str:
    """Why an answer is over, empty where it is not."""
    if state in ("complete", "cancelled"):
        return "completed" if state == "complete" else state
    return "failed" if state.startswith("error") else ""
