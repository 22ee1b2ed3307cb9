"""The stages of the request path: each wraps the handler below it and leaves a span with what it decided and why."""
