"""What happened to a request: spans, traces, metrics and their way to disk."""
