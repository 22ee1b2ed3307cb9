"""What was masked in a request comes back in its answer, and in no other."""

from hypothesis import given
from hypothesis import strategies as st

from regista.serve.guardrails.pii import Pii
from regista.serve.screen import screen
from regista.serve.vault import Restorer, Vault


def test_the_same_value_has_the_same_placeholder() -> None:
    vault = Vault()
    assert [vault.hide("email", value) for value in ("a@x.org", "b@x.org", "a@x.org")] == [
        "[EMAIL_1]",
        "[EMAIL_2]",
        "[EMAIL_1]",
    ]
    assert vault.hide("phone", "1") == "[PHONE_1]"


def test_what_is_masked_with_a_vault_is_restored() -> None:
    vault = Vault()
    text = "Write to ann@example.com or bob@example.com, not ann@example.com"
    masked, _ = screen(text, [("pii", Pii())], vault)
    assert masked == "Write to [EMAIL_1] or [EMAIL_2], not [EMAIL_1]"
    assert vault.restore(masked) == text


def test_requests_that_differ_in_masked_values_alone_read_the_same() -> None:
    texts = [screen(f"Write to {name}@example.com", [("pii", Pii())], Vault())[0] for name in ("ann", "bob")]
    assert texts[0] == texts[1]


def test_a_placeholder_of_another_request_stays_as_it_is() -> None:
    other, own = Vault(), Vault()
    other.hide("email", "ann@example.com")
    own.hide("phone", "1")
    assert own.restore("[EMAIL_1] [PHONE_2]") == "[EMAIL_1] [PHONE_2]"


def test_a_restored_value_is_not_read_for_placeholders_again() -> None:
    vault = Vault()
    vault.hide("email", "x")
    vault.hide("phone", "[EMAIL_1]")
    assert vault.restore("[PHONE_1]") == "[EMAIL_1]"


PIECES = ["[EMAIL_1]", "[EMAIL_12]", "[EMAIL_", "[PHONE_1]", "[", "]", "[[", "text ", "_1]", "EMAIL_1"]


@given(st.lists(st.sampled_from(PIECES)).map("".join), st.data())
def test_a_stream_split_anywhere_restores_the_same(text: str, data: st.DataObject) -> None:
    vault = Vault()
    for number in range(12):
        vault.hide("email", f"user{number}@example.com")
    restorer = Restorer(vault)
    out = ""
    rest = text
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        out += restorer.push(rest[:size])
        rest = rest[size:]
    assert out + restorer.finish() == vault.restore(text)


def test_nothing_is_held_but_the_beginning_of_a_placeholder() -> None:
    vault = Vault()
    vault.hide("email", "ann@example.com")
    restorer = Restorer(vault)
    assert [restorer.push("see [1] and [EM"), restorer.push("PTY], [EMAIL_1"), restorer.push("]!")] == [
        "see [1] and ",
        "[EMPTY], ",
        "ann@example.com!",
    ]
