"""What a configuration may say of samples and verifiers: mistakes are told with their place."""

import pytest

from regista.app.configuration import parse

MODEL = '[models.default]\nmodel = "echo/it"\n'
JUDGE = '[models.judge]\nmodel = "echo/judge"\n'


def mistakes(text: str) -> list[str]:
    return [mistake.message for mistake in parse(text)[2]]


@pytest.mark.parametrize(
    "text",
    [
        MODEL + "samples = 5\n",
        MODEL + 'samples = 5\nchoose = "longest"\nrepairs = 0\n',
        MODEL + 'samples = 2\nchoose = "verifier"\nverifier = "judge"\n' + JUDGE,
        MODEL + 'samples = 2\nchoose = "verifier"\nverifier = "tools.py:score"\n',
    ],
)
def test_what_is_right_is_taken(text: str) -> None:
    assert mistakes(text) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("samples = 0\n", "samples"),
        ("samples = 33\n", "samples"),
        ("repairs = 6\n", "repairs"),
        ('samples = 2\nchoose = "best"\n', "choose"),
        ('samples = 2\nchoose = "verifier"\n', "needs the key 'verifier'"),
        ('samples = 2\nverifier = "judge"\n' + JUDGE, "verifies nothing"),
        ('choose = "verifier"\nverifier = "judge"\n' + JUDGE, "verifies nothing"),
        ('samples = 2\nchoose = "verifier"\nverifier = "juge"\n' + JUDGE, "Did you mean 'judge'?"),
        ('samples = 2\nchoose = "verifier"\nverifier = "default"\n', "never end: default → default"),
    ],
)
def test_what_is_wrong_is_told(text: str, said: str) -> None:
    assert any(said in message for message in mistakes(MODEL + text)), mistakes(MODEL + text)
