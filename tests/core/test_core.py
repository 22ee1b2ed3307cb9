import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.core.digest import digest
from regista.core.errors import ConfigurationError, RegistaError
from regista.core.nouns import Message, ToolCall, Usage
from regista.core.secret import Secret
from regista.core.settings import SETTINGS, settings

JSON = st.recursive(st.none() | st.integers(-9, 9) | st.text(), lambda v: st.lists(v) | st.dictionaries(st.text(), v))


@given(st.dictionaries(st.text(), JSON, max_size=5))
def test_a_digest_does_not_see_the_order_of_keys(value: dict[str, object]) -> None:
    assert digest(value) == digest(dict(reversed(value.items())))


def test_a_digest_is_the_same_on_every_machine() -> None:
    assert digest({"prompt": "é", "k": [1, 2.5, None]}) == "e262d1acfb699676"


def test_a_secret_does_not_show_itself() -> None:
    secret = Secret("sk-" + "x" * 20)
    assert "xxx" not in f"{secret} {secret!r} {[secret]} {vars(type(secret))}"
    assert secret.reveal().startswith("sk-")
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_settings_come_from_the_table_then_the_environment_then_the_call() -> None:
    assert settings({})["port"] == 8000
    assert settings({"REGISTA_PORT": "9000"})["port"] == 9000
    assert settings({"REGISTA_PORT": "9000"}, port=9001, host=None)["port"] == 9001


@pytest.mark.parametrize(("variable", "value"), [("REGISTA_PROT", "1"), ("REGISTA_PORT", "many")])
def test_a_wrong_variable_is_refused_by_name(variable: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match="REGISTA_P"):
        settings({variable: value})


def test_every_setting_has_a_line_of_help() -> None:
    assert all(setting.help.endswith(".") for setting in SETTINGS)


def test_errors_have_a_status_and_a_code() -> None:
    def below(kind: type[RegistaError]) -> list[type[RegistaError]]:
        return [kind, *(k for child in kind.__subclasses__() for k in below(child))]

    assert all(400 <= kind.status < 600 and kind.code for kind in below(RegistaError))


def test_a_message_reads_its_parts_and_its_calls() -> None:
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    image = {"type": "image_url", "image_url": {"url": "x"}}
    parts = [{"type": "text", "text": "a"}, image, {"type": "text", "text": "b"}]
    message = Message("assistant", parts, {"tool_calls": [call]})
    assert message.text == "ab"
    assert message.tool_calls == (ToolCall("1", "f", "{}"),)


def test_usage_adds_up() -> None:
    assert Usage(1, 2, 3, 4) + Usage(10, 20, 30, 40) == Usage(11, 22, 33, 44)
