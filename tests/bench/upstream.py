"""A mock provider for benchmarks: TLS, HTTP/1.1 keep-alive, fixed answers, as little work as Python can do.

`POST` with `"stream":true` answers an SSE stream of `CHUNKS` chat chunks, one write each; every other request a small
chat completion. Run as a child: `python -m tests.bench.upstream [CERT KEY]` prints its port.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys

CHUNKS = 400
PAUSE = 0.002  # seconds between chunks, so that each is its own wake-up
PACED = b'"paced"'  # a model of that name speaks as models do
PACED_CHUNKS = 150
PACED_PAUSE = 0.02

_COMPLETION = json.dumps(
    {
        "id": "chatcmpl-bench",
        "object": "chat.completion",
        "created": 1,
        "model": "bench",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "All is well. " * 30},
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 90, "total_tokens": 1090},
    }
).encode()
ANSWER = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(_COMPLETION)
) + _COMPLETION


def chunk(text: str) -> bytes:
    """One chat-completion chunk in HTTP chunk framing."""
    data = {
        "id": "chatcmpl-bench",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "bench",
        "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}],
    }
    event = b"data: " + json.dumps(data).encode() + b"\n\n"
    return b"%x\r\n%b\r\n" % (len(event), event)


class Upstream(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._buffer = b""
        self._stream: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every whole request."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self._buffer) < end + 4 + length:
                return
            body = self._buffer[end + 4 : end + 4 + length]
            self._buffer = self._buffer[end + 4 + length :]
            if b'"stream":true' in body:
                pace = (PACED_CHUNKS, PACED_PAUSE) if PACED in body else (CHUNKS, PAUSE)
                self._stream = asyncio.get_running_loop().create_task(self._send_stream(*pace))
            else:
                self._transport.write(ANSWER)

    async def _send_stream(self, chunks: int, pause: float) -> None:
        write = self._transport.write
        write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        words = ("The ", "bridge ", "stands ", "and ", "so ", "does ", "the ", "gate. ")
        due = asyncio.get_running_loop().time()
        for number in range(chunks):
            write(chunk(words[number % len(words)]))
            due += pause
            await asyncio.sleep(due - asyncio.get_running_loop().time())
        end = b"data: [DONE]\n\n"
        write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(end), end))


async def main(certificate: str = "", key: str = "") -> None:
    """Serve until killed; without a certificate in plain HTTP."""
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
    server = await asyncio.get_running_loop().create_server(
        Upstream, "127.0.0.1", 0, ssl=context, backlog=2048
    )
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
