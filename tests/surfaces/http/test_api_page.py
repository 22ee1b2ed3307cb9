"""`docs/api.md` names every endpoint and every field that is refused."""

from pathlib import Path

import pytest

from regista.surfaces.http import completions_wire, messages_request, responses_request
from regista.surfaces.http.gateway import BELOW, OPEN_ROUTES, ROUTES

PAGE = (Path(__file__).parents[3] / "docs" / "api.md").read_text("utf-8")


@pytest.mark.parametrize(("method", "path"), [*ROUTES, *OPEN_ROUTES, *BELOW])
def test_every_endpoint_is_on_the_page(method: str, path: str) -> None:
    lines = [line for line in PAGE.splitlines() if f"{path}`" in line or f"{path}{{" in line]
    assert any(method in line for line in lines), f"{method} {path}"


@pytest.mark.parametrize(
    "field", sorted({*completions_wire.REFUSED, *messages_request.REFUSED, *responses_request.REFUSED})
)
def test_every_field_that_is_refused_is_on_the_page(field: str) -> None:
    assert f"`{field}`" in PAGE
