"""An OpenTelemetry collector on loopback that reads what it is sent as protobuf, and can misbehave."""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.fakes.http_server import Peer, ReceivedRequest


def plain(attributes: object) -> dict[str, object]:
    """Attributes as Python values."""
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}  # type: ignore[attr-defined]


@dataclass
class OtlpReceiver:
    """The script of a `RawServer`. `statuses` are answered in turn, then 200."""

    statuses: list[bytes] = field(default_factory=list)
    body: bytes = b""
    asked: list[ReceivedRequest] = field(default_factory=list)
    traces: list[ExportTraceServiceRequest] = field(default_factory=list)
    metric_exports: list[ExportMetricsServiceRequest] = field(default_factory=list)

    async def __call__(self, peer: Peer) -> None:
        while True:
            request = await peer.request()
            self.asked.append(request)
            if self.statuses:
                status, _, more = self.statuses.pop(0).partition(b"\n")
                await peer.answer(b"", status, *([more] if more else []))
                continue
            packed = gzip.decompress(request.body)
            if request.line.startswith(b"POST /v1/traces "):
                self.traces.append(ExportTraceServiceRequest.FromString(packed))
            else:
                assert request.line.startswith(b"POST /v1/metrics "), request.line
                self.metric_exports.append(ExportMetricsServiceRequest.FromString(packed))
            await peer.answer(self.body, b"200 OK", b"content-type: application/x-protobuf")

    @property
    def spans(self) -> list[Span]:
        """Every span, in the order in which they came."""
        return [
            span
            for export in self.traces
            for of_resource in export.resource_spans
            for of_scope in of_resource.scope_spans
            for span in of_scope.spans
        ]

    @property
    def metrics(self) -> dict[str, Metric]:
        """The metrics of the last export, by name."""
        return {
            metric.name: metric
            for of_resource in self.metric_exports[-1].resource_metrics
            for of_scope in of_resource.scope_metrics
            for metric in of_scope.metrics
        }
