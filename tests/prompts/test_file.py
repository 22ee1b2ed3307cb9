"""Prompt files: front matter, schemas and digests."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.prompts.file import parse
from regista.prompts.problems import PromptError

WHOLE = """---
description: Answers.
model: small
input:
  schema:
    tone?: string, how to speak
    tags(array, what it is about): string
  default: {tags: [a, b]}
output:
  format: json
  schema: {answer: string, sure: boolean}
---
{{#each tags}}{{this}} {{/each}}{{tone}} {{question}}
"""

BROKEN = {
    "an unknown key": ("---\nmodle: x\n---\n", 2, "There is no key 'modle'. Did you mean 'model'?"),
    "a nested unknown key": ("---\ninput:\n  shema: {}\n---\n", 3, "'input.shema'. Did you mean 'schema'?"),
    "a wrong type": ("---\ndescription: d\nmodel: [a]\n---\n", 3, "model must be text"),
    "front matter without an end": ("---\nmodel: x\n", 1, "never closed"),
    "invalid YAML": ("---\nmodel: x\ninput: [\n---\n", 4, "not valid YAML"),
    "a tab": ("---\ninput:\n\tschema: {}\n---\n", 3, "not valid YAML"),
    "a list": ("---\n- a\n---\n", 2, "a table of keys"),
    "a key twice": ("---\nmodel: a\nmodel: b\n---\n", 3, "twice; first on line 2"),
    "an alias": ("---\ninput: &a {}\noutput: *a\n---\n", 2, "aliases and tags are not taken"),
    "a Python tag": ("---\nmodel: !!python/name:os.system x\n---\n", 2, "tags are not taken"),
    "deep nesting": (f"---\nmodel: {'[' * 5000}\n---\n", 2, "levels deep"),
    "a date that is none": ("---\nmodel: 2026-99-99\n---\n", 1, "cannot be read"),
    "an unknown type": ("---\ninput:\n  schema:\n    a: strng\n---\n", 4, "no type 'strng'. Did you mean 'string'?"),
    "a schema that is a number": ("---\ninput:\n  schema: 3\n---\n", 3, "A schema is a type"),
    "an unknown kind": ("---\ninput:\n  schema:\n    a(lst): string\n---\n", 4, "no kind of value"),
    "a mistake below the front matter": ("---\nmodel: x\n---\n\n{{nme}}", 5, "no variable 'nme'"),
}


def test_a_prompt_file_is_front_matter_and_a_template() -> None:
    file = parse("answer", WHOLE)
    assert (file.prompt.name, file.prompt.model) == ("answer", "small")
    assert file.template.required == {"question"}
    assert file.template.render({"question": "Q", "tone": "!"})[-1].text == "a b ! Q"


def test_schemas_come_out_as_json_schema() -> None:
    file = parse("answer", WHOLE)
    assert file.prompt.input["schema"] == {
        "type": "object",
        "properties": {
            "tone": {"type": "string", "description": "how to speak"},
            "tags": {"type": "array", "items": {"type": "string"}, "description": "what it is about"},
        },
        "required": ["tags"],
    }
    assert file.prompt.output["schema"]["required"] == ["answer", "sure"]


def test_a_json_schema_passes_as_it_is() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    file = parse("p", "---\ninput:\n  schema: {type: object, properties: {a: {type: string}}}\n---\n{{a}}")
    assert file.prompt.input["schema"] == schema


def test_front_matter_may_be_absent() -> None:
    assert parse("p", "---hello").template.render({})[-1].text == "---hello"


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_says_what_and_on_which_line(name: str) -> None:
    text, line, message = BROKEN[name]
    with pytest.raises(PromptError) as error:
        parse("p", text)
    assert any(problem.line == line and message in problem.message for problem in error.value.problems), error.value


def test_the_digest_ignores_line_endings_and_the_byte_order_mark() -> None:
    assert parse("p", "\ufeff" + WHOLE.replace("\n", "\r\n")).prompt.digest == parse("p", WHOLE).prompt.digest


def test_the_digest_changes_with_the_text() -> None:
    assert parse("p", WHOLE + ".").prompt.digest != parse("p", WHOLE).prompt.digest


@given(st.text(st.sampled_from("---\n: []{}&*!'\"#?|>,ab1\t%@"), max_size=60))
def test_any_front_matter_is_read_or_refused(text: str) -> None:
    try:
        parse("p", f"---\n{text}\n---\nhello")
    except PromptError as error:
        assert error.problems
