"""ChatGPT's pages and apps: the dialects `chatgpt-web` and `chatgpt-draft`.

A question carries the newest message only; the conversation is kept by the service. Its draft goes to
`…/conversation/prepare` while somebody still types. `…/conversation/resume` asks to hear an answer again, and
carries no text.
Source: public clients of the page (2024 to 2026); the maker has not described it.
"""

from __future__ import annotations

from agent.dialects import counting
from agent.dialects.base import Block, ParsedAnswer, ParsedRequest, RequestHead
from agent.dialects.chatgpt import pages
from agent.dialects.chatgpt.content import files_of, read_message
from agent.dialects.chatgpt.reader import ChatGPTReader, read_whole
from agent.dialects.replies import JsonEdits
from agent.dialects.shapes import holds_prose, json_object, mapping, objects, string
from agent.dialects.slots import Collector
from agent.errors import ContentError
from agent.model.content import Role, Usage
from agent.model.conversation import TokenCount

_SAYS_NOTHING_NEW = ("continue", "variant")
_RESUME = "/resume"


class ChatGPTWeb(JsonEdits):
    """The dialect `chatgpt-web`: a question and its streamed answer."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """The catalog's name of the format."""
        return "chatgpt-web"

    def parse_request(self, head: RequestHead, body: bytes) -> ParsedRequest:
        """The new messages, their attachments, instructions that go with them. Raises ContentError, also where
        messages are not what they were known to be."""
        document = json_object(body)
        found = Collector()
        messages = document.get("messages")
        if messages is not None and not _is_messages(messages):
            raise ContentError("the messages of a ChatGPT request are not a list of objects")
        files: list[str] = []
        for index, message in objects(messages):
            read_message(found, ("messages", index), message)
            files += files_of(message)
        if isinstance(partial := document.get("partial_query"), dict):
            read_message(found, ("partial_query",), partial)
            files += files_of(partial)
        for key in ("client_contextual_info", "conversation_mode", "custom_instructions"):
            found.prose((key,), Role.USER, document.get(key))
        return ParsedRequest(
            model=string(document.get("model")),
            stream=True,
            slots=tuple(found.slots),
            attachments=tuple(found.attachments),
            conversation=string(document.get("conversation_id")),
            files=tuple(dict.fromkeys(files)),
            wordless=_may_say_nothing(head, document) and not holds_prose(document),
        )

    def parse_answer(self, body: bytes) -> ParsedAnswer:
        """An answer that does not stream: an error, mostly. Raises ContentError."""
        document = json_object(body)
        metadata = mapping(mapping(document.get("message")).get("metadata"))
        return ParsedAnswer(slots=tuple(read_whole(document)), model=string(metadata.get("model_slug")))

    def count(self, usage: Usage) -> TokenCount:
        """No answer says what it used."""
        return counting.inclusive(usage)

    def stream_reader(self, request: ParsedRequest) -> ChatGPTReader:
        """A reader for the events that answer `request`."""
        return ChatGPTReader(request.conversation)

    def block(self, message: str) -> Block:
        """An answer of the assistant, with our words: what the page shows of an error is not known."""
        return self.block_in(message, ParsedRequest())

    def block_in(self, message: str, request: ParsedRequest) -> Block:
        """The same in the conversation that asked."""
        said = pages.message(message, conversation=request.conversation, model=request.model)
        return pages.stream_reply(pages.snapshot(said))

    def error(self, status: int, message: str) -> Block:
        """An error that is not policy."""
        return pages.detail(status, message)


class ChatGPTDraft(ChatGPTWeb):
    """The dialect `chatgpt-draft`: what is typed, before it is asked. It is answered with a token, not with text."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """The catalog's name of the format."""
        return "chatgpt-draft"

    def parse_request(self, head: RequestHead, body: bytes) -> ParsedRequest:
        """The draft; it may be empty still. Raises ContentError."""
        read = super().parse_request(head, body)
        document = json_object(body)
        partial = document.get("partial_query")
        if partial is not None and not isinstance(partial, dict):
            raise ContentError("the draft of a ChatGPT request is no message")
        return ParsedRequest(
            model=read.model,
            slots=read.slots,
            attachments=read.attachments,
            conversation=read.conversation,
            files=read.files,
            wordless="action" in document and not holds_prose(document),
        )

    def block_in(self, message: str, request: ParsedRequest) -> Block:
        """HTTP 403: the page goes on without, and the question itself is refused in words."""
        del request
        return pages.detail(403, message)


def _may_say_nothing(head: RequestHead, document: dict[str, object]) -> bool:
    return head.path.endswith(_RESUME) or document.get("action") in _SAYS_NOTHING_NEW


def _is_messages(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) for each in value)
