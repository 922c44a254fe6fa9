"""WebSockets where models are asked, through the agent as a user runs it: real TLS, a real client, a real server."""

from __future__ import annotations

import asyncio
import json
import random
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
import websockets
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from agent.gateway.sockets.frames import Kind, MessageReader, frame
from tests.fakes.socket_services import Peer, SocketServices
from tests.integration.agent_process import AgentProcess
from tests.integration.line import Line
from tests.integration.prompts import made_up_key
from tests.integration.socket_stage import forgetful, gate, services, upstream
from tests.integration.stage import dialling

__all__ = ["forgetful", "gate", "services", "upstream"]  # fixtures

MARK = "[REDACTED:openai_api_key]"
SECONDS = 15.0
RESPONSES = "wss://api.openai.com/v1/responses"


@asynccontextmanager
async def opened(
    agent: AgentProcess, url: str = RESPONSES, **more: object
) -> AsyncIterator[ClientConnection]:
    """A connection through the agent's proxy, or to a URL of its own."""
    proxied: dict[str, object] = {"proxy": None}
    if url.startswith("wss:"):
        context = ssl.create_default_context(cafile=str(agent.ca_file))
        proxied = {"proxy": f"http://127.0.0.1:{agent.proxy_port}", "ssl": context}
    async with asyncio.timeout(60), websockets.connect(url, **proxied, **more) as client:  # type: ignore[arg-type]
        yield client


def asking(text: str, **fields: object) -> str:
    """A turn of the Responses API."""
    said = {"role": "user", "content": text}
    return json.dumps({"type": "response.create", "model": "gpt-5", "input": [said], **fields})


async def answer(client: ClientConnection) -> tuple[str, dict[str, object]]:
    """The text of the next answer, and the event that ends it."""
    text = ""
    async with asyncio.timeout(SECONDS):
        while True:
            event = json.loads(await client.recv())
            if event["type"] == "response.output_text.delta":
                text += event["delta"]
            if event["type"] in ("response.completed", "response.failed", "error"):
                return text, event


async def ask(client: ClientConnection, text: str) -> tuple[str, dict[str, object]]:
    """One turn."""
    await client.send(asking(text))
    return await answer(client)


def failure(event: dict[str, object]) -> dict[str, object]:
    """What a failed answer says of itself."""
    response = event["response"]
    assert isinstance(response, dict)
    found: dict[str, object] = response["error"]
    return found


@pytest.mark.parametrize(
    "url",
    [
        RESPONSES,
        "wss://api.openai.com/v1/%72esponses?x=1",
        "wss://chatgpt.com/backend-api/codex/responses",
        "wss://api.githubcopilot.com/responses",
    ],
)
async def test_a_prompt_is_redacted_before_it_leaves_and_answered_in_the_socket(
    url: str, gate: AgentProcess, services: SocketServices
) -> None:
    secret, begun = made_up_key(), time.time()
    fields = {"Authorization": "Bearer user-key", "OpenAI-Beta": "responses_websockets=2026-02-06"}
    async with opened(gate, url, additional_headers=fields) as client:
        assert client.response is not None
        assert client.response.headers["x-models-etag"] == "e1"
        text, event = await ask(client, f"my key is {secret}")
        assert (text, event["type"]) == (f"You said: my key is {MARK}", "response.completed")
        assert (await ask(client, "and again"))[0] == "You said: and again"
    [peer] = services.peers
    assert peer.headers["authorization"] == "Bearer user-key"
    assert peer.headers["openai-beta"] == "responses_websockets=2026-02-06"
    assert not any(secret in one for one in services.heard)
    rows = gate.trail.events(kind="exchange", since=begun)
    assert [(row.outcome, row.decision) for row in rows] == [("completed", "allow"), ("completed", "redact")]
    told = gate.event_text(rows[0])
    assert '"dialect": "openai-responses"' in told
    assert '"gen_ai.usage.input_tokens": ' in told


async def test_what_needs_no_change_reaches_both_sides_as_it_was_written(
    gate: AgentProcess, services: SocketServices
) -> None:
    message = '{ "type":"response.create",\t"model":"gpt-5","later": [1.0e2, "\\u00e9"],"input":"grüße 👋" }'
    said = (
        '{"type" : "response.output_text.delta","item_id":"m","output_index":0,"delta":"h\\u00e9","new":1.50}'
    )
    done = '{"type":"response.completed","response":{"id":"r","status":"completed","output":[]}}'

    async def exact(peer: Peer) -> None:
        assert await peer.next() == message
        await peer.say(said)
        await peer.say(done)
        await peer.next()

    services.scripts["/v1/responses"] = exact
    async with opened(gate) as client:
        await client.send(message)
        assert [await client.recv(), await client.recv()] == [said, done]


async def test_a_blocked_prompt_is_answered_in_the_socket_which_stays_usable(
    gate: AgentProcess, services: SocketServices
) -> None:
    begun = time.time()
    async with opened(gate) as client:
        _, event = await ask(client, "tell me about Zebra-Blue-Falcon")
        error = failure(event)
        assert error["code"] == "invalid_prompt"
        assert str(error["message"]).startswith("Not here, please: project in the prompt.")
        assert services.heard == []
        assert (await ask(client, "something else"))[0] == "You said: something else"
    outcomes = [row.outcome for row in gate.trail.events(kind="exchange", since=begun)]
    assert outcomes == ["completed", "blocked"]


async def test_a_secret_split_over_messages_of_the_answer_is_redacted(gate: AgentProcess) -> None:
    secret = made_up_key()
    async with opened(gate) as client:
        text, event = await ask(client, f"reverse: {f'first {secret} then'[::-1]}")
    assert text == f"first {MARK} then"
    assert secret not in json.dumps(event)


async def test_an_answer_is_stopped_in_the_middle_and_the_socket_stays_usable(gate: AgentProcess) -> None:
    begun = time.time()
    async with opened(gate) as client:
        text, event = await ask(client, f"reverse: {'one two Zebra-Blue-Falcon three'[::-1]}")
        assert (text.strip(), failure(event)["code"]) == ("one two", "invalid_prompt")
        assert (await ask(client, "more"))[0] == "You said: more"
    outcomes = [row.outcome for row in gate.trail.events(kind="exchange", since=begun)]
    assert outcomes == ["completed", "blocked"]


async def test_arguments_of_a_tool_are_judged_before_the_client_can_carry_them_out(
    gate: AgentProcess, services: SocketServices
) -> None:
    tool = {"type": "function", "name": "Run", "parameters": {"type": "object", "properties": {}}}
    command = json.dumps({"command": "upload Zebra-Blue-Falcon"})[::-1]
    async with opened(gate) as client:
        await client.send(asking(f"call Run: {json.dumps({'command': 'ls'})}", tools=[tool]))
        seen = []
        while not seen or seen[-1]["type"] != "response.completed":
            seen.append(json.loads(await asyncio.wait_for(client.recv(), SECONDS)))
        assert any(one["type"] == "response.function_call_arguments.done" for one in seen)

    async def calling(peer: Peer) -> None:
        item = {"type": "function_call", "id": "f", "call_id": "c", "name": "Run", "arguments": ""}
        place = {"item_id": "f", "output_index": 0}
        await peer.next()
        await peer.say({"type": "response.output_item.added", "output_index": 0, "item": item})
        for piece in command[::-1]:
            await peer.say({"type": "response.function_call_arguments.delta", **place, "delta": piece})
        whole = {"type": "response.function_call_arguments.done", **place, "arguments": command[::-1]}
        await peer.say(whole)
        await peer.say({"type": "response.completed", "response": {"id": "r", "output": []}})
        await peer.next()

    services.scripts["/v1/responses"] = calling
    async with opened(gate) as client:
        await client.send(asking("go on"))
        arguments = ""
        while (event := json.loads(await asyncio.wait_for(client.recv(), SECONDS)))[
            "type"
        ] != "response.failed":
            assert event["type"] != "response.function_call_arguments.done"
            arguments += event.get("delta", "")
    assert "Zebra" not in arguments
    assert failure(event)["code"] == "invalid_prompt"


async def test_a_client_that_offers_compression_goes_on_without(gate: AgentProcess) -> None:
    async with opened(gate, compression="deflate") as client:
        assert client.protocol.extensions == []
        assert (await ask(client, "word " * 2000))[0] == f"You said: {'word ' * 2000}"


async def test_pings_pass_in_both_directions_also_between_fragments(
    gate: AgentProcess, services: SocketServices
) -> None:
    async with opened(gate) as client:
        assert await asyncio.wait_for(await client.ping(b"from the client"), SECONDS) >= 0
        whole = asking("in three pieces")

        async def pieces() -> AsyncIterator[str]:
            for at in range(0, len(whole), 30):
                yield whole[at : at + 30]
                await client.ping()

        await client.send(pieces())
        assert (await answer(client))[0] == "You said: in three pieces"
    assert services.heard == [whole]


async def test_codes_and_reasons_of_close_frames_pass(gate: AgentProcess, services: SocketServices) -> None:
    async def leaving(peer: Peer) -> None:
        await peer.close(4321, "enough for today")

    services.scripts["/v1/responses"] = leaving
    async with opened(gate) as client:
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(client.recv(), SECONDS)
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4321, "enough for today")
    del services.scripts["/v1/responses"]
    async with opened(gate) as client:
        await ask(client, "hello")
        await client.close(4000, "mine")
    await until(lambda: services.left == [4000])


async def test_a_service_that_dies_in_the_middle_is_seen_to_have_died(
    gate: AgentProcess, services: SocketServices
) -> None:
    begun = time.time()

    async def dying(peer: Peer) -> None:
        await peer.next()
        await peer.say(
            {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, "delta": "half "}
        )
        await asyncio.sleep(0.3)
        raise RuntimeError("killed")

    services.scripts["/v1/responses"] = dying
    async with opened(gate) as client:
        await client.send(asking("hello"))
        assert json.loads(await asyncio.wait_for(client.recv(), SECONDS))["delta"] == "half "
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(client.recv(), SECONDS)
    assert gate.outcome(begun) == "upstream_failed"


async def test_a_client_that_leaves_in_the_middle_ends_its_exchange(
    gate: AgentProcess, services: SocketServices
) -> None:
    begun = time.time()
    services.delay = 0.2
    async with opened(gate) as client:
        await client.send(asking("a long story " * 5))
        await asyncio.wait_for(client.recv(), SECONDS)
        client.transport.abort()
    assert gate.outcome(begun) == "client_closed"
    await until(lambda: services.ended == 1)


async def test_held_text_is_released_when_the_service_is_silent(
    gate: AgentProcess, services: SocketServices
) -> None:
    async def pausing(peer: Peer) -> None:
        await peer.next()
        delta = {
            "type": "response.output_text.delta",
            "item_id": "m",
            "output_index": 0,
            "delta": "see Z",
        }
        await peer.say(delta)
        await peer.next()

    services.scripts["/v1/responses"] = pausing
    async with opened(gate) as client:
        await client.send(asking("hello"))
        begun = time.monotonic()
        assert json.loads(await asyncio.wait_for(client.recv(), SECONDS))["delta"] == "see Z"
        assert time.monotonic() - begun < 5


async def test_a_slow_reader_holds_the_service_back(gate: AgentProcess, services: SocketServices) -> None:
    sent = 0

    async def flooding(peer: Peer) -> None:
        nonlocal sent
        await peer.next()
        words = "word " * 4000
        for _ in range(4000):
            delta = {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, "delta": words}
            await peer.say(delta)
            sent += len(words)

    services.scripts["/v1/responses"] = flooding
    async with opened(gate, max_queue=1) as client:
        await client.send(asking("hello"))
        await asyncio.wait_for(client.recv(), SECONDS)
        before = -1
        while sent != before:
            before = sent
            await asyncio.sleep(2.0)
        assert sent < 40_000_000  # of 80: buffers are full, and nobody takes more
        client.transport.abort()


async def test_binary_messages_that_nobody_can_read_follow_the_policy(
    gate: AgentProcess, services: SocketServices
) -> None:
    async with opened(gate) as client:
        await client.send(b"\x00\x01\xff\xfe")
        _, event = await answer(client)
        assert failure(event)["code"] == "invalid_prompt"
        await client.send("no JSON")
        assert failure((await answer(client))[1])["code"] == "invalid_prompt"
    assert services.heard == []


async def test_many_connections_at_once_get_their_own_answers(gate: AgentProcess) -> None:
    async def one(number: int) -> None:
        secret = made_up_key()
        async with opened(gate) as client:
            for turn in range(3):
                said = f"connection {number} turn {turn} {secret} end"
                text, _ = await ask(client, said)
                assert text == f"You said: {said.replace(secret, MARK)}"

    await asyncio.gather(*(one(number) for number in range(20)))


async def test_a_message_too_large_closes_the_connection(
    gate: AgentProcess, services: SocketServices
) -> None:
    async with opened(gate) as client:
        with suppress(ConnectionClosed):  # it may be told while it still sends
            await client.send(asking("x" * 17_000_000))
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(client.recv(), SECONDS)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009
    assert services.heard == []


async def test_a_base_url_client_is_inspected_as_well(gate: AgentProcess, services: SocketServices) -> None:
    secret = made_up_key()
    base = f"ws://127.0.0.1:{gate.gateway_port}"
    async with opened(gate, f"{base}/openai/v1/responses") as client:
        assert (await ask(client, f"key {secret}"))[0] == f"You said: key {MARK}"
    assert services.peers[0].headers["host"] == "api.openai.com"
    with pytest.raises(InvalidStatus) as refused:  # who answers is chosen for each request: over HTTPS
        async with opened(gate, f"{base}/v1/responses"):
            pass
    assert refused.value.response.status_code == 426
    with pytest.raises(InvalidStatus) as refused:
        async with opened(gate, f"{base}/openai/v1/responses", origin="https://evil.example"):
            pass
    assert refused.value.response.status_code == 403


async def test_the_answer_of_a_service_that_declines_is_handed_on(
    gate: AgentProcess, services: SocketServices
) -> None:
    services.declined.add("/v1/responses")
    with pytest.raises(InvalidStatus) as refused:
        async with opened(gate):
            raise AssertionError
    assert refused.value.response.status_code == 403


async def test_realtime_says_first_and_asks_then(gate: AgentProcess, services: SocketServices) -> None:
    secret, begun = made_up_key(), time.time()
    async with opened(gate, "wss://api.openai.com/v1/realtime?model=gpt-realtime") as client:
        await client.send(
            json.dumps({"type": "session.update", "session": {"instructions": f"use {secret}"}})
        )
        await client.send(json.dumps({"type": "input_audio_buffer.append", "audio": "AAAA" * 50}))
        part = {"type": "input_text", "text": f"reverse: {f'a {secret} b'[::-1]}"}
        item = {"type": "message", "role": "user", "content": [part]}
        await client.send(json.dumps({"type": "conversation.item.create", "item": item}))
        await client.send(json.dumps({"type": "response.create"}))
        text, ended = "", {}
        while ended.get("type") != "response.done":
            ended = json.loads(await asyncio.wait_for(client.recv(), SECONDS))
            text += ended["delta"] if ended["type"] == "response.output_text.delta" else ""
        assert text == f"a {MARK} b"
        blocked = {
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": "Zebra-Red-Falcon"}],
        }
        await client.send(json.dumps({"type": "conversation.item.create", "item": blocked}))
        error = json.loads(await asyncio.wait_for(client.recv(), SECONDS))
        assert (error["type"], error["error"]["code"]) == ("error", "policy_violation")
    assert not any(secret in one or "Zebra" in one for one in services.heard)
    rows = gate.trail.events(kind="exchange", since=begun)
    facts = [json.loads(gate.event_text(row)) for row in rows]
    assert [(one["api"]["operation"], row.outcome) for one, row in zip(facts, rows, strict=True)] == [
        ("context", "blocked"),
        ("chat", "completed"),
        ("context", "completed"),  # the item
        ("context", "completed"),  # the first audio
        ("context", "completed"),  # the instructions
    ]
    assert {row.model for row in rows} == {"gpt-realtime"}
    assert "audio" in json.dumps(facts[1])


async def test_a_live_session_of_gemini_is_inspected(gate: AgentProcess, services: SocketServices) -> None:
    secret = made_up_key()
    path = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent?key=user-key"
    async with opened(gate, f"wss://generativelanguage.googleapis.com{path}") as client:
        await client.send(json.dumps({"setup": {"model": "models/gemini-live"}}))
        assert json.loads(await asyncio.wait_for(client.recv(), SECONDS)) == {"setupComplete": {}}
        for said, expected in (
            (f"reverse: {f'a {secret} b'[::-1]}", f"a {MARK} b"),
            ("about Zebra-Red-Falcon", "Not here, please: project in the prompt."),
            (f"key {secret}", f"You said: key {MARK}"),
        ):
            turn = {"role": "user", "parts": [{"text": said}]}
            await client.send(json.dumps({"clientContent": {"turns": [turn], "turnComplete": True}}))
            text = ""
            while True:
                message = await asyncio.wait_for(client.recv(), SECONDS)
                content = json.loads(message)["serverContent"]
                text += "".join(part["text"] for part in content.get("modelTurn", {}).get("parts", ()))
                if content.get("turnComplete"):
                    break
            assert text.startswith(expected)
    assert not any(secret in one or "Zebra" in one for one in services.heard)
    assert services.peers[0].query == "key=user-key"


async def test_the_token_of_m365_is_forwarded_and_kept_nowhere(
    gate: AgentProcess, services: SocketServices
) -> None:
    secret, token, begun = made_up_key(), f"eyJ0b2tlbg.{made_up_key()[8:40]}", time.time()

    async def chat(peer: Peer) -> None:
        assert str(await peer.next()).startswith('{"protocol"')
        await peer.say("{}\x1e")
        for _ in range(2):
            asked = json.loads(str(await peer.next()).rstrip("\x1e"))
            text = asked["arguments"][0]["message"]["text"]
            for piece in (text[:9], text[9:]):
                update = {"type": 1, "target": "update", "arguments": [{"writeAtCursor": piece}]}
                await peer.say(json.dumps(update) + "\x1e" + '{"type":6}\x1e')
            await peer.say('{"type":3,"invocationId":"0"}\x1e')
        await peer.next()

    path = "/m365Copilot/Chathub/0000-oid@0000-tid"
    services.scripts[path] = chat

    def asked(text: str) -> str:
        call = {"type": 4, "target": "chat", "invocationId": "0", "arguments": [{"message": {"text": text}}]}
        return json.dumps(call) + "\x1e"

    async with opened(gate, f"wss://substrate.office.com{path}?access_token={token}") as client:
        await client.send('{"protocol":"json","version":1}\x1e')
        assert await asyncio.wait_for(client.recv(), SECONDS) == "{}\x1e"
        await client.send(asked("Zebra-Red-Falcon"))
        refused = [str(await asyncio.wait_for(client.recv(), SECONDS)) for _ in range(3)]
        assert "Not here, please" in refused[0]
        assert '"type":3' in refused[2]
        for _ in range(2):
            await client.send(asked(f"hello {secret}"))
            said = ""
            while '"type":3' not in (message := str(await asyncio.wait_for(client.recv(), SECONDS))):
                for record in message.strip("\x1e").split("\x1e"):
                    for argument in json.loads(record).get("arguments", ()):
                        said += argument["writeAtCursor"]
            assert said == f"hello {MARK}"
    assert services.peers[0].query == f"access_token={token}"
    assert not any(secret in one or "Zebra" in one for one in services.heard)
    assert len(rows := gate.trail.events(kind="exchange", since=begun)) == 3
    assert not any(token in gate.event_text(row) for row in rows)
    assert token not in gate.log


async def test_the_chat_of_microsoft_copilot_is_inspected(
    gate: AgentProcess, services: SocketServices
) -> None:
    secret = made_up_key()

    async def chat(peer: Peer) -> None:
        while True:
            asked = json.loads(await peer.next())
            text = asked["content"][0]["text"]
            await peer.say({"event": "startMessage", "messageId": "m1"})
            for at in range(0, len(text), 5):
                await peer.say({"event": "appendText", "messageId": "m1", "text": text[at : at + 5]})
            await peer.say({"event": "done", "messageId": "m1"})

    services.scripts["/c/api/chat"] = chat
    async with opened(gate, "wss://copilot.microsoft.com/c/api/chat?api-version=2") as client:
        for said, expected in (
            (f"hello {secret}", f"hello {MARK}"),
            ("Zebra-Red-Falcon", "Not here, please"),
            ("and on", "and on"),
        ):
            part = {"type": "text", "text": said}
            await client.send(
                json.dumps({"event": "send", "conversationId": "c", "content": [part], "mode": "chat"})
            )
            text = ""
            while (event := json.loads(await asyncio.wait_for(client.recv(), SECONDS)))["event"] != "done":
                text += event.get("text", "")
            assert text.startswith(expected)
    assert not any(secret in one or "Zebra" in one for one in services.heard)


async def test_an_answer_that_goes_on_over_chatgpts_socket_is_inspected(
    gate: AgentProcess, services: SocketServices
) -> None:
    secret = made_up_key()
    text = f"a {secret} b"

    async def going_on(peer: Peer) -> None:
        await peer.next()
        first = {"p": "/message/content/parts/0", "o": "append", "v": text[:7]}
        deltas = [first, *({"v": text[at : at + 4]} for at in range(7, len(text), 4))]
        events = [f"event: delta\ndata: {json.dumps(each)}\n\n" for each in deltas]
        for event in [*events, "data: [DONE]\n\n"]:
            inner = {"type": "stream-item", "encoded_item": event}
            payload = {"type": "conversation-turn-stream", "payload": inner}
            await peer.say({"type": "message", "topic_id": "conversation-turn-1", "payload": payload})
        await peer.next()

    services.scripts["/p3/ws/user/u"] = going_on
    async with opened(gate, "wss://ws.chatgpt.com/p3/ws/user/u?verify=v") as client:
        await client.send('[{"id":1,"command":{"type":"subscribe","topic_id":"conversation-turn-1"}}]')
        said, item = "", ""
        while "[DONE]" not in item:
            item = json.loads(await asyncio.wait_for(client.recv(), SECONDS))["payload"]["payload"][
                "encoded_item"
            ]
            said += "" if "[DONE]" in item else json.loads(item.split("data: ")[1])["v"]
    assert said == f"a {MARK} b"


async def test_a_turn_of_character_ai_is_inspected(gate: AgentProcess, services: SocketServices) -> None:
    secret = made_up_key()

    async def chat(peer: Peer) -> None:
        asked = json.loads(await peer.next())
        text = asked["payload"]["turn"]["candidates"][0]["raw_content"]
        for end in (5, len(text)):
            candidate = {"candidate_id": "c", "raw_content": text[:end]} | (
                {"is_final": True} if end > 5 else {}
            )
            turn = {"turn_key": {"turn_id": "t"}, "author": {"name": "Robot"}, "candidates": [candidate]}
            await peer.say({"command": "update_turn", "request_id": "r", "turn": turn})
        await peer.next()

    services.scripts["/ws/"] = chat
    async with opened(gate, "wss://neo.character.ai/ws/") as client:
        turn = {"candidates": [{"raw_content": f"hello {secret}"}]}
        payload = {"character_id": "robot", "turn": turn}
        await client.send(json.dumps({"command": "create_and_generate_turn", "payload": payload}))
        said = [json.loads(await asyncio.wait_for(client.recv(), SECONDS)) for _ in range(2)]
    assert said[1]["turn"]["candidates"][0]["raw_content"] == f"hello {MARK}"
    assert not any(secret in one for one in services.heard)


async def test_a_websocket_reaches_the_gateway_through_the_http_tier(
    gate: AgentProcess, services: SocketServices
) -> None:
    """A client that prefers HTTP/1.1 but offers HTTP/2 comes through mitmproxy's HTTP layer."""
    secret = made_up_key()

    def spoken() -> list[dict[str, object]]:
        with dialling(gate) as dial:
            line = dial("chatgpt.com", alpn=("http/1.1", "h2"))
            switched(line, "/backend-api/codex/responses")
            line.send(frame(Kind.TEXT, asking(f"key {secret}").encode(), mask=b"abcd"))
            reader = MessageReader(masked=False)
            events: list[dict[str, object]] = []
            while not events or events[-1]["type"] != "response.completed":
                events += [json.loads(message.data) for message in reader.feed(line.sock.recv(65_536))]
            return events

    begun = time.time()
    events = await asyncio.to_thread(spoken)
    text = "".join(str(one["delta"]) for one in events if one["type"] == "response.output_text.delta")
    assert text == f"You said: key {MARK}"
    assert not any(secret in one for one in services.heard)
    gate.outcome(begun)
    assert '"tier": "http"' in gate.event_text(gate.trail.events(kind="exchange", since=begun)[0])


def switched(line: Line, path: str) -> None:
    """Upgrade, and read the answer's head."""
    fields = (
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="),
        ("Sec-WebSocket-Extensions", "permessage-deflate"),
    )
    line.request("GET", path, fields=fields)
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = line.sock.recv(1)
        assert byte, head
        head += byte
    assert head.startswith(b"HTTP/1.1 101 "), head


async def test_any_cut_of_the_clients_bytes_gives_the_same_messages(
    gate: AgentProcess, services: SocketServices
) -> None:
    chance = random.Random(7)
    secret = made_up_key()
    asked = {"type": "response.create", "model": "gpt-5", "input": f"key {secret} grüße"}
    body = json.dumps(asked, ensure_ascii=False).encode()
    cuts = sorted(chance.sample(range(1, len(body)), 9))
    pieces = [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    raw = b""
    for place, piece in enumerate(pieces):
        one = bytearray(frame(Kind.TEXT if place == 0 else Kind.CONTINUATION, piece, mask=b"wxyz"))
        if place + 1 < len(pieces):
            one[0] &= 0x7F
        raw += bytes(one) + frame(Kind.PING, b"p", mask=b"mask")

    def spoken() -> list[str]:
        with dialling(gate) as dial:
            line = dial("api.openai.com")
            switched(line, "/v1/responses")
            for at in range(0, len(raw), 7):
                line.send(raw[at : at + 7])
            reader, kinds = MessageReader(masked=False), []
            while "response.completed" not in kinds:
                for message in reader.feed(line.sock.recv(65_536)):
                    kinds.append(
                        message.kind.name if message.kind.controls else json.loads(message.data)["type"]
                    )
            return kinds

    kinds = await asyncio.to_thread(spoken)
    assert kinds.count("PONG") >= 1
    assert services.heard == [body.decode().replace(secret, MARK)]


async def until(reached: object, seconds: float = SECONDS) -> None:
    """Wait for it. Raises AssertionError."""
    assert callable(reached)
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, "not in time"
        await asyncio.sleep(0.02)


def added(text: str, *, state: str = "incomplete", number: int = 7) -> dict[str, object]:
    """What Poe pushes when a chat message has grown."""
    message = {"id": "TWVzc2FnZTo3", "messageId": number, "text": text, "author": "claude", "state": state}
    payload = {
        "subscription_name": "messageAdded",
        "unique_id": "messageAdded:42",
        "data": {"messageAdded": message},
    }
    update = {"message_type": "subscriptionUpdate", "payload": payload}
    return {"min_seq": 12, "messages": [json.dumps(update)]}


async def grown(client: ClientConnection) -> list[dict[str, object]]:
    """How a Poe page sees a chat message grow, to its end."""
    seen: list[dict[str, object]] = []
    while not seen or seen[-1]["state"] != "complete":
        pushed = json.loads(await asyncio.wait_for(client.recv(), SECONDS))
        seen.append(json.loads(pushed["messages"][0])["payload"]["data"]["messageAdded"])
    return seen


async def test_answers_of_poe_are_inspected_and_told_by_their_chat(
    gate: AgentProcess, services: SocketServices
) -> None:
    secret, begun = made_up_key(), time.time()
    text = f"My key is {secret}, keep it."

    async def pushing(peer: Peer) -> None:
        await peer.next()  # a ping
        for end in range(4, len(text), 4):
            await peer.say(added(text[:end]))
        await peer.say(added(text, state="complete"))
        await peer.next()
        for end in range(4, 40, 4):
            await peer.say(added("Well: the Zebra-Red-Falcon flies"[:end], number=8))
        await peer.say(added("Well: the Zebra-Red-Falcon flies", number=8, state="complete"))
        await peer.next()
        await peer.say(added("Good bye", number=9, state="complete"))
        await peer.next()

    services.scripts["/up/chan1-8888/updates"] = pushing
    async with opened(
        gate, "wss://tch1.tch.poe.com/up/chan1-8888/updates?min_seq=1&channel=c&hash=h"
    ) as client:
        await client.send('{"type":"ping"}')
        seen = await grown(client)
        assert seen[-1]["text"] == f"My key is {MARK}, keep it."
        assert not any(str(each["text"]).startswith(f"My key is {secret[:8]}") for each in seen)
        await client.send('{"type":"ping"}')
        stopped = await grown(client)
        assert "Not here, please" in str(stopped[-1]["text"])
        assert (stopped[-1]["id"], stopped[-1]["messageId"]) == ("TWVzc2FnZTo3", 8)
        assert not any("Zebra-Red-F" in str(each["text"]) for each in stopped)
        await client.send('{"type":"ping"}')  # the connection stays usable
        assert [each["text"] for each in await grown(client)] == ["Good bye"]
    rows = gate.trail.events(kind="exchange", since=begun)
    told = [json.loads(gate.event_text(row))["unmapped"] for row in rows]
    assert [each["gen_ai.conversation.id"] for each in told] == ["42"] * 3
    assert {each["gen_ai.operation.name"] for each in told} == {"resume"}  # asked, and counted, over HTTPS
    assert {each["drawbridge"]["surface"] for each in told} == {"poe-socket"}
    assert sorted(each["drawbridge"]["outcome"] for each in told) == ["blocked", "completed", "completed"]
