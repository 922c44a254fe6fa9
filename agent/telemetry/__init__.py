"""What the gateway tells operators: Prometheus metrics and OpenTelemetry, made from the records of exchanges."""
