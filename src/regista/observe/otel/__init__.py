"""OpenTelemetry in and out: spans as they travel, what they mean in the conventions of the day, and traces of them.

No input or output: bytes come in and go out as values. What is optional is `regista[otel]`, for protobuf.
"""
