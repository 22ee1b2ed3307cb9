"""OpenTelemetry in and out: spans as they travel, what they mean in the conventions of the day, and traces of them.

Bytes come in and go out as values, but in `sending`. What is optional is `regista[otel]`, for protobuf.
"""
