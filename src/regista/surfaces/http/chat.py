"""`POST /v1/chat/completions`: one answer as JSON, or as a stream of server-sent events."""

from regista.surfaces.http.answering import Surface
from regista.surfaces.http.chat_request import request_of
from regista.surfaces.http.chat_wire import Chunks, whole

complete = Surface(read=request_of, whole=whole, events=Chunks)
"""Answers a chat request."""
