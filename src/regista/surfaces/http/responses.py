"""`POST /v1/responses`: one answer as JSON, or as a stream of server-sent events."""

from regista.surfaces.http.answering import Surface
from regista.surfaces.http.responses_request import request_of
from regista.surfaces.http.responses_wire import Events, whole

respond = Surface(read=request_of, whole=whole, events=Events)
"""Answers a request of the Responses API."""
