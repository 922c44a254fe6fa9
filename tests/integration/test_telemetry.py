"""What operators are told by an agent that runs: metrics for a scraper, spans for a collector, the live view."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.fakes.otlp_receiver import plain
from tests.integration.agent_process import AgentProcess
from tests.integration.prompts import CHAT, made_up_key
from tests.integration.stage import Stage, dialling

POLICY = """\
schema_version: 1
id: told
guardrails:
  - {{id: secrets, detect: [secret], action: redact}}
telemetry:
  metrics: {{token: "env:SCRAPER"}}
  otlp:
    endpoint: http://127.0.0.1:{port}
    headers: {{x-api-key: "env:COLLECTOR"}}
    interval_seconds: 1
"""


class Collector:
    """What was sent to it."""

    def __init__(self) -> None:
        self.keys: set[str | None] = set()
        self.traces: list[ExportTraceServiceRequest] = []
        self.metrics: list[ExportMetricsServiceRequest] = []
        self.port = 0


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector on loopback."""
    seen = Collector()

    class Page(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = gzip.decompress(self.rfile.read(int(self.headers["content-length"])))
            seen.keys.add(self.headers["x-api-key"])
            if self.path == "/v1/traces":
                seen.traces.append(ExportTraceServiceRequest.FromString(body))
            else:
                seen.metrics.append(ExportMetricsServiceRequest.FromString(body))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        seen.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield seen
        finally:
            server.shutdown()
            thread.join()


def scraped(agent: AgentProcess, token: str) -> tuple[int, str]:
    """The page of metrics."""
    with closing(HTTPConnection("127.0.0.1", agent.gateway_port, timeout=10)) as connection:
        connection.request("GET", "/metrics", headers={"authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def test_an_exchange_is_told_on_every_way_and_its_words_on_none(stage: Stage, tmp_path: Path) -> None:
    secret = made_up_key()
    with collecting() as collector:
        environ = {"SCRAPER": "scrape-me", "COLLECTOR": "collect-me"}
        policy = POLICY.format(port=collector.port)
        with stage.agent(tmp_path, policy=policy, environ=environ) as agent:
            with dialling(agent) as dial:
                target = f"/{CHAT.prefix}{CHAT.target()}"
                assert dial.gateway().ask("POST", target, CHAT.body(f"my key is {secret}")).status == 200
                assert scraped(agent, "guessed")[0] == 401
                status, page = scraped(agent, "scrape-me")
                top = json.loads(agent.drawbridge("top", "--json").stdout)
                table = agent.drawbridge("top", "--once").stdout
            deadline = time.monotonic() + 10
            while not (collector.traces and collector.metrics) and time.monotonic() < deadline:
                time.sleep(0.05)

    assert status == 200
    assert 'drawbridge_guard_findings_total{action="redact",family="secret",where="prompt"} 1.0' in page
    (line,) = top["exchanges"]
    assert (line["action"], line["provider"], line["outcome"]) == ("redact", "openai", "completed")
    assert "redact" in table
    assert collector.keys == {"collect-me"}
    spans = collector.traces[0].resource_spans[0].scope_spans[0].spans
    assert [span.name.split()[0] for span in spans] == ["chat", "chat", "guardrails"]
    assert plain(spans[0].attributes)["drawbridge.exchange.id"] == line["id"]
    names = {each.name for each in collector.metrics[-1].resource_metrics[0].scope_metrics[0].metrics}
    assert {"drawbridge.requests", "gen_ai.client.operation.duration"} <= names
    everything = (page, json.dumps(top), table, str(collector.traces), str(collector.metrics), agent.log)
    assert not any(secret in text or "my key is" in text for text in everything)
