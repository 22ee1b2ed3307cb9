"""Length and towers of combining marks."""

from regista.serve.guardrails.size import Size
from regista.serve.screen import StreamScreen, screen


def test_a_text_at_the_limit_passes_and_one_beyond_it_does_not() -> None:
    guard = Size(characters=10)
    assert guard.find("a" * 10) == []
    assert screen("a" * 11, [("size", guard)])[1][0].action == "block"


def test_a_stream_is_counted_over_all_its_pieces() -> None:
    stream = StreamScreen([("size", Size(characters=10))])
    assert [stream.push("aaaa"), stream.push("aaaa"), stream.push("aaaa"), stream.finish()] == ["aaaa", "aaaa", "", ""]
    assert stream.blocked


def test_masking_cuts_the_surplus() -> None:
    guards = [("size", Size(action="mask", characters=5))]
    stream = StreamScreen(guards)
    assert screen("abcdefgh", guards)[0] == "".join(map(stream.push, "abcdefgh")) + stream.finish() == "abcde"


def test_accents_pass_and_towers_do_not() -> None:
    assert Size().find("e\u0301 a\u0300\u0301 việt") == []
    assert [each.kind for each in Size().find("Z" + "\u0301\u0489" * 9)] == ["combining_marks"]
