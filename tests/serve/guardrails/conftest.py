"""Credentials and personal data made at run time, so that none that looks real stands in a file."""

import base64
import random
import string
from collections.abc import Callable

import pytest

ALNUM = string.ascii_letters + string.digits


def _draw(seed: int, size: int, alphabet: str = ALNUM) -> str:
    dice = random.Random(seed)
    return "".join(dice.choices(alphabet, k=size - 2)) + "7Q"[: max(size, 2)]


def _pem(seed: int) -> str:
    kind = "RSA PRIVATE" + " KEY"
    lines = "\n".join(_draw(seed + row, 64, ALNUM + "+/") for row in range(4))
    return f"-----BEGIN {kind}-----\n{lines}\nq1Zz==\n-----END {kind}-----"


SECRETS: dict[str, Callable[[int], tuple[str, str]]] = {
    "aws_key_id": lambda seed: ("", "AKI" + "A" + _draw(seed, 16, string.ascii_uppercase + "234567").upper()),
    "credential": lambda seed: ("aws_secret_access" + "_key = ", _draw(seed, 40)),
    "github": lambda seed: ("", "gh" + "p_" + _draw(seed, 36)),
    "gitlab": lambda seed: ("", "glp" + "at-" + _draw(seed, 20)),
    "openai": lambda seed: ("", "sk-" + "proj-" + _draw(seed, 48)),
    "anthropic": lambda seed: ("", "sk-" + "ant-api03-" + _draw(seed, 90)),
    "slack": lambda seed: ("", "xo" + "xb-" + _draw(seed, 11, string.digits) + "-" + _draw(seed, 24)),
    "stripe": lambda seed: ("", "sk_" + "live_" + _draw(seed, 24)),
    "google": lambda seed: ("", "AI" + "za" + _draw(seed, 35)),
    "huggingface": lambda seed: ("", "h" + "f_" + _draw(seed, 34)),
    "npm": lambda seed: ("", "np" + "m_" + _draw(seed, 36)),
    "pypi": lambda seed: ("", "py" + "pi-AgE" + _draw(seed, 60)),
    "sendgrid": lambda seed: ("", "S" + "G." + _draw(seed, 22) + "." + _draw(seed, 43)),
    "groq": lambda seed: ("", "gs" + "k_" + _draw(seed, 52)),
    "xai": lambda seed: ("", "xa" + "i-" + _draw(seed, 80)),
    "digitalocean": lambda seed: ("", "dop" + "_v1_" + _draw(seed, 64, "0123456789abcdef").lower().replace("q", "a")),
    "shopify": lambda seed: ("", "shp" + "at_" + _draw(seed, 32, "0123456789abcdef").lower().replace("q", "a")),
    "vault": lambda seed: ("", "hv" + "s." + _draw(seed, 24)),
    "linear": lambda seed: ("", "lin" + "_api_" + _draw(seed, 40)),
    "replicate": lambda seed: ("", "r8" + "_" + _draw(seed, 37)),
    "jwt": lambda seed: ("", "ey" + "J" + _draw(seed, 20) + ".ey" + "J" + _draw(seed, 30) + "." + _draw(seed, 43)),
    "private_key": lambda seed: ("", _pem(seed)),
    "url_password": lambda seed: ("postgres://svc:", _draw(seed, 14)),
    "bearer": lambda seed: ("Authorization: Bearer ", _draw(seed, 40)),
    "basic_auth": lambda seed: ("Basic ", base64.b64encode(f"svc:{_draw(seed, 12)}".encode()).decode()),
    "password": lambda seed: ("DB_PASS" + 'WORD="', _draw(seed, 16)),
    "api_key": lambda seed: ("api" + "_key=", _draw(seed, 32)),
}
AFTER = {"url_password": "@db.internal:5432/app", "password": '"'}


@pytest.fixture(params=sorted(SECRETS))
def planted(request: pytest.FixtureRequest) -> tuple[str, str, str]:
    """A credential: its kind, its secret part, and a text that holds it."""
    kind: str = request.param
    name, secret = SECRETS[kind](11)
    return kind, secret, f"Hi Bob, use {name}{secret}{AFTER.get(kind, '')} until Friday. Ann"
