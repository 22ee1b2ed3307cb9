"""Personal data is found by shape, check digits and the word before it."""

import pytest

from regista.core.errors import UnknownNameError
from regista.serve.guardrails.pii import Pii

FOUND = [
    ("email", "ann.lee+x@mail.example.co.uk"),
    ("email", "josé@exämple.de"),
    ("phone", "+44 20 7946 0958"),
    ("phone", "(212) 555-0187"),
    ("phone", "541-714-1388"),
    ("phone", "0688 872 49 99"),
    ("phone", "01.84.17.61.18"),
    ("iban", "GB82 WEST 1234 5698 7654 32"),
    ("iban", "gb82west12345698765432"),
    ("iban", "BE68 5390 0754 7034"),
    ("credit_card", "4111 1111 1111 1111"),
    ("credit_card", "3782-822463-10005"),
    ("credit_card", "5555555555554444"),
    ("us_ssn", "536-90-4399"),
    ("ip_address", "203.0.113.195"),
    ("ip_address", "2001:db8::8a2e:370:7334"),
    ("uk_nino", "AB 12 34 56 C"),
]


@pytest.mark.parametrize(("kind", "value"), FOUND)
def test_a_value_is_found_whole_and_by_its_kind(kind: str, value: str) -> None:
    text = f"It is {value}, OK?"
    assert [(each.kind, text[each.start : each.end]) for each in Pii().find(text)] == [(kind, value)]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("phone", "Can someone call me on 450 0840? I have questions", "450 0840"),
        ("phone", "stop receiving messages to 699956915", "699956915"),
        ("us_ssn", "my SSN is 536904399", "536904399"),
        ("uk_nhs", "NHS number 943 476 5919", "943 476 5919"),
        ("iban", "pay BE68 5390 0754 7034 CALL ME", "BE68 5390 0754 7034"),
        ("email", "请联系bob@example.com谢谢", "bob@example.com"),
    ],
)
def test_the_word_before_a_number_says_what_it_is(kind: str, text: str, value: str) -> None:
    assert [(each.kind, text[each.start : each.end]) for each in Pii().find(text)] == [(kind, value)]


@pytest.mark.parametrize(
    "text",
    [
        "GB82 WEST 1234 5698 7654 33",
        "4111 1111 1111 1112",
        "000-12-3456 and 666-12-3456 and 900-12-3456",
        "released on 2024-05-12 10:30:00, 01.05.2024 and 1999-2004",
        "version 3.4.2.4 of 127.0.0.1",
        "69bfaed6-89df-10e3-c359-56a86e71c1e9",
        "std::vector<int> at 12:30:45",
        "the sum is 1,234,567.89 or 3.14159265358979",
        "@media and user@ and @handle",
        "ISBN 978-0460580588",
    ],
)
def test_other_numbers_are_nobodys(text: str) -> None:
    assert Pii().find(text) == []


def test_only_the_kinds_asked_for_are_found() -> None:
    assert [each.kind for each in Pii(kinds=("email",)).find("a1@example.com, 541-714-1388")] == ["email"]


def test_a_mistyped_kind_is_answered_with_the_near_one() -> None:
    with pytest.raises(UnknownNameError, match="'email'"):
        Pii(kinds=("emial",))
