"""Reading an application folder: what comes out of a whole one, and every mistake of a broken one."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from regista.app.folder import document_files, read
from regista.app.mistakes import FolderError, Mistake

if TYPE_CHECKING:
    from tests.app.conftest import MakeFolder

MODEL = '[models.default]\nmodel = "openai/small"\n'
TOOL = "from regista import tool\n@tool()\n"

BROKEN: dict[str, tuple[dict[str, str | bytes | None], str, int, str]] = {
    "TOML syntax": ({"regista.toml": "[app]\nname = \n"}, "regista.toml", 2, "not valid TOML"),
    "TOML that ends early": ({"regista.toml": MODEL + 'x = """'}, "regista.toml", 3, "not valid TOML"),
    "a key twice": ({"regista.toml": MODEL + 'model = "b/c"'}, "regista.toml", 3, "Cannot overwrite a value"),
    "not UTF-8": ({"regista.toml": b"[app]\nname = '\xff'\n"}, "regista.toml", 2, "not UTF-8"),
    "no configuration": ({"regista.toml": None}, "regista.toml", 0, "regista new club"),
    "an unknown section": (
        {"regista.toml": MODEL + "[contxt]\n"},
        "regista.toml",
        3,
        "no section 'contxt'. Did you mean 'context'?",
    ),
    "an unknown key": (
        {"regista.toml": MODEL + '[app]\ndescripton = ""'},
        "regista.toml",
        4,
        "no key 'descripton'. Did you mean 'description'?",
    ),
    "an unknown key of [context]": ({"regista.toml": MODEL + "[context]\nkk = 3"}, "regista.toml", 4, "no key 'kk'"),
    "a wrong type": (
        {"regista.toml": MODEL + '[context]\nk = "8"'},
        "regista.toml",
        4,
        "context.k: Expected a whole number, got text in quotes",
    ),
    "a number out of bounds": ({"regista.toml": MODEL + "[context]\nk = 0"}, "regista.toml", 4, ">= 1"),
    "a value where a table belongs": ({"regista.toml": MODEL + "[app]\n[x]\n"}, "regista.toml", 4, "no section 'x'"),
    "a section that is a value": (
        {"regista.toml": "cache = true\n" + MODEL},
        "regista.toml",
        1,
        "cache must be a table",
    ),
    "a name with capitals": ({"regista.toml": MODEL + '[app]\nname = "Club"'}, "regista.toml", 4, "lower-case letters"),
    "no model": ({"regista.toml": '[app]\nname = "club"'}, "regista.toml", 1, "no [models.default]. Known: none"),
    "an unknown model": (
        {"regista.toml": MODEL + '[app]\nmodel = "defalt"'},
        "regista.toml",
        4,
        "no [models.defalt]. Did you mean 'default'?",
    ),
    "a model without its key": ({"regista.toml": "[models.default]\n"}, "regista.toml", 1, "needs the key 'model'"),
    "a model without a provider": (
        {"regista.toml": '[models.default]\nmodel = "gpt-4"'},
        "regista.toml",
        2,
        'written "provider/model"',
    ),
    "an unknown provider": (
        {"regista.toml": '[models.default]\nmodel = "opnai/small"'},
        "regista.toml",
        2,
        "no provider 'opnai'. Did you mean 'openai'?",
    ),
    "an unknown option of a provider": (
        {"regista.toml": MODEL + 'base_ulr = "http://127.0.0.1"'},
        "regista.toml",
        3,
        "'base_ulr'. Did you mean 'base_url'?",
    ),
    "an option of a wrong type": (
        {"regista.toml": MODEL + "base_url = 3"},
        "regista.toml",
        3,
        "models.default.base_url: Expected text in quotes, got a whole number",
    ),
    "a secret by its key": ({"regista.toml": MODEL + 'api_key = "abc"'}, "regista.toml", 3, "use api_key_env"),
    "a secret by its look": (
        {"regista.toml": MODEL + 'parameters = { user = "sk-0123456789abcdef" }'},
        "regista.toml",
        3,
        "Secrets come from the environment",
    ),
    "a secret in a URL": (
        {"regista.toml": MODEL + 'base_url = "https://me:word@127.0.0.1/v1"'},
        "regista.toml",
        3,
        "Secrets come from the environment",
    ),
    "an unknown chunker": (
        {"regista.toml": MODEL + '[context]\nchunker = "structur"'},
        "regista.toml",
        4,
        "no chunker 'structur'. Did you mean 'structure'?",
    ),
    "an unknown embedder": (
        {"regista.toml": MODEL + '[context]\nembedder = "minilmm"'},
        "regista.toml",
        4,
        "Did you mean 'minilm'?",
    ),
    "an unknown option of a chunker": (
        {"regista.toml": MODEL + "[context]\n[context.chunkers.structure]\ntargt = 9"},
        "regista.toml",
        5,
        "no option of the chunker structure 'targt'. Did you mean 'target'?",
    ),
    "options of a chunker that do not fit each other": (
        {"regista.toml": MODEL + "[context.chunkers.structure]\ntarget = 9\nmax = 3"},
        "regista.toml",
        3,
        "set target to 1 or more and at most max",
    ),
    "an unknown guardrail": (
        {"regista.toml": MODEL + '[guardrails]\nrequest = [\n  "size",\n  "pi",\n]'},
        "regista.toml",
        6,
        "no guardrail 'pi'. Did you mean 'pii'?",
    ),
    "an action that is none": (
        {"regista.toml": MODEL + '[guardrails]\nrequest = ["pii"]\n[guardrails.pii]\naction = "maks"'},
        "regista.toml",
        6,
        "must be one of pass, mask, block. Did you mean 'mask'?",
    ),
    "a guardrail that runs nowhere": (
        {"regista.toml": MODEL + '[guardrails.pii]\naction = "mask"'},
        "regista.toml",
        3,
        "pii is set up here and runs nowhere",
    ),
    "a canary the prompt does not know": (
        {"prompts/answer.prompt": "{{question}}"},
        "regista.toml",
        11,
        "write {{canary}} in prompts/answer.prompt",
    ),
    "a price that is not text": (
        {"regista.toml": MODEL + '[prices."openai/small"]\ninput = 0.15\noutput = "0.60"'},
        "regista.toml",
        4,
        'as text, such as "0.15"',
    ),
    "a price without its output": (
        {"regista.toml": MODEL + '[prices."openai/small"]\ninput = "0.15"'},
        "regista.toml",
        3,
        "needs the key 'output'",
    ),
    "no prompt": (
        {"prompts/answer.prompt": None, "prompts/anwser.prompt": "{{question}}{{canary}}"},
        "regista.toml",
        1,
        "no prompts/answer.prompt. Did you mean 'anwser'?",
    ),
    "an unknown variable": (
        {"prompts/answer.prompt": "{{canary}}\n{{qestion}}"},
        "prompts/answer.prompt",
        2,
        "no variable 'qestion'. Did you mean 'question'?",
    ),
    "broken front matter": (
        {"prompts/answer.prompt": "---\nmodle: x\n---\n{{question}}{{canary}}"},
        "prompts/answer.prompt",
        2,
        "no key 'modle'. Did you mean 'model'?",
    ),
    "a prompt for a model that is not there": (
        {"prompts/other.prompt": "---\nmodel: defualt\n---\nx"},
        "prompts/other.prompt",
        2,
        "no [models.defualt]. Did you mean 'default'?",
    ),
    "a prompt without the question": (
        {"prompts/answer.prompt": "{{canary}}"},
        "prompts/answer.prompt",
        0,
        "never writes {{question}}",
    ),
    "a variable nobody fills": (
        {"prompts/answer.prompt": "---\ninput:\n  schema:\n    tone: string\n---\n{{tone}}{{question}}{{canary}}"},
        "prompts/answer.prompt",
        4,
        "No request brings a value for 'tone'",
    ),
    "tools that do not parse": ({"tools.py": "x = 1\ndef f(:\n"}, "tools.py", 2, "not valid Python"),
    "no tools file": (
        {"tools.py": None, "tolls.py": ""},
        "regista.toml",
        15,
        "no file tools.py. Did you mean 'tolls.py'?",
    ),
    "tools elsewhere": (
        {"regista.toml": MODEL + '[agents]\ntools = "../tools.py"'},
        "regista.toml",
        4,
        "at the top of the application folder",
    ),
    "two tools of one name": (
        {"tools.py": TOOL + 'def f():\n    """F."""\n@tool()\ndef f():\n    """F."""\n'},
        "tools.py",
        6,
        "two tools 'f'; the other is on line 3",
    ),
    "a tool without types": (
        {"tools.py": TOOL + 'def f(n):\n    """F."""\n'},
        "tools.py",
        3,
        "give its argument 'n' a type",
    ),
    "a tool without a docstring": ({"tools.py": TOOL + "def f(): ...\n"}, "tools.py", 3, "has no docstring"),
    "a tool without parentheses": (
        {"tools.py": 'from regista import tool\n@tool\ndef f():\n    """F."""\n'},
        "tools.py",
        3,
        "Write @tool() above f",
    ),
    "other code that does not parse": ({"commands.py": "\n\n)"}, "commands.py", 3, "not valid Python"),
    "no documents": ({"documents/a.md": None}, "regista.toml", 7, "There is no folder documents."),
    "documents elsewhere": (
        {"regista.toml": MODEL + '[context]\ndocuments = "../other"'},
        "regista.toml",
        4,
        "lies outside of the application folder",
    ),
    "the whole folder as documents": (
        {"regista.toml": MODEL + '[context]\ndocuments = "."'},
        "regista.toml",
        4,
        "is the application folder itself",
    ),
    "a price of no provider": (
        {"regista.toml": MODEL + '[prices."opnai/x"]\ninput = "1"\noutput = "1"'},
        "regista.toml",
        3,
        "no provider 'opnai'",
    ),
    "a case that is no JSON": (
        {"evals/first.jsonl": '{"a": 1}\n\n{"a": }\n'},
        "evals/first.jsonl",
        3,
        "not valid JSON",
    ),
    "a case that is no object": ({"evals/first.jsonl": "[]\n"}, "evals/first.jsonl", 1, "a JSON object"),
    "cases that are no TOML": ({"evals/b.toml": "a = 1\nb = \n"}, "evals/b.toml", 2, "not valid TOML"),
}


def mistakes_of(folder: Path) -> tuple[Mistake, ...]:
    with pytest.raises(FolderError) as error:
        read(folder)
    return error.value.mistakes


@pytest.mark.parametrize("name", BROKEN)
def test_a_mistake_is_told_with_its_file_line_and_advice(name: str, make_folder: "MakeFolder") -> None:
    changes, file, line, message = BROKEN[name]
    mistakes = mistakes_of(make_folder(changes))
    assert any((m.file, m.line) == (file, line) and message in m.message for m in mistakes), mistakes


def test_a_whole_folder_is_read_whole(make_folder: "MakeFolder") -> None:
    folder = read(make_folder({}))
    assert (folder.name, list(folder.prompts), [tool.name for tool in folder.tools]) == ("club", ["answer"], ["double"])
    assert folder.settings.models["default"].provider == "openai"
    assert folder.settings.models["default"].options["base_url"] == "http://127.0.0.1:9/v1"
    assert folder.settings.guardrails.options["pii"]["action"] == "block"
    assert folder.prompt.template.required == {"canary", "question"}
    assert b"def double" in folder.tools_source
    assert [path.name for path in document_files(folder)] == ["a.md"]


def test_the_least_application_is_a_model_and_a_prompt(make_folder: "MakeFolder") -> None:
    least = {"regista.toml": MODEL, "prompts/answer.prompt": "{{question}}", "tools.py": None, "documents/a.md": None}
    folder = read(make_folder(least))
    assert (folder.name, folder.documents, folder.settings.agents.tools) == ("club", None, "")


def test_all_mistakes_are_told_at_once(make_folder: "MakeFolder") -> None:
    mistakes = mistakes_of(
        make_folder(
            {
                "regista.toml": '[app]\nnme = 1\n[models.a]\nmodel = "opnai/x"\n[context]\nk = "a"\nchunker = "b"\n',
                "prompts/answer.prompt": "{{a}}\n{{b}}",
                "tools.py": "(",
                "evals/first.jsonl": "x\ny\n",
            }
        )
    )
    places = [(m.file, m.line) for m in mistakes]
    assert places == [
        *(("regista.toml", line) for line in (1, 2, 4, 6, 7)),
        *(("evals/first.jsonl", line) for line in (1, 2)),
        *(("prompts/answer.prompt", line) for line in (1, 2)),
        ("tools.py", 1),
    ]


def test_a_secret_is_never_repeated(make_folder: "MakeFolder") -> None:
    mistakes = mistakes_of(make_folder({"regista.toml": MODEL + 'api_key = "sk-verysecretindeed1234"'}))
    assert len(mistakes) == 1
    assert "verysecret" not in str(mistakes)


@pytest.mark.parametrize(("link", "target"), [("documents/out.md", "/etc/hosts"), ("data", "/tmp"), ("a.py", "none")])
def test_a_symbolic_link_out_of_the_folder_is_refused(link: str, target: str, make_folder: "MakeFolder") -> None:
    folder = make_folder({})
    (folder / link).symlink_to(target)
    assert any(m.file == link and "symbolic link" in m.message for m in mistakes_of(folder))


def test_a_symbolic_link_within_the_folder_is_fine(make_folder: "MakeFolder") -> None:
    folder = make_folder({})
    (folder / "documents/b.md").symlink_to("a.md")
    assert len(document_files(read(folder))) == 2


def test_a_file_that_is_too_large_is_refused(make_folder: "MakeFolder") -> None:
    assert any("larger than 4 MB" in m.message for m in mistakes_of(make_folder({"tools.py": b"#" * (5 << 20)})))


def test_what_regista_keeps_in_the_folder_is_not_read(make_folder: "MakeFolder") -> None:
    folder = make_folder({".regista/x.py": "(", "data/y.py": "(", "documents/z.py": "(", "__pycache__/c.py": "("})
    assert list(read(folder).code) == ["tools.py"]


@pytest.mark.parametrize("file", ["tools.py", "regista.toml", "prompts/answer.prompt"])
def test_a_pipe_in_place_of_a_file_is_refused_and_not_waited_for(file: str, make_folder: "MakeFolder") -> None:
    folder = make_folder({file: None})
    (folder / file).parent.mkdir(exist_ok=True)
    os.mkfifo(folder / file)
    assert any(m.file == file for m in mistakes_of(folder))
