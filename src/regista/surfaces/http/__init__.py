"""The gateway: OpenAI's API over HTTP, as a bare ASGI application."""
