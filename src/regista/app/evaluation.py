"""An application under evaluation: what its suites need of it, opened only when it is needed.

A run that is in the store already opens nothing. The request path is the one that serves: caches aside,
what is measured is what users get.
"""

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from regista.app.application import build_provider
from regista.app.asking import Asking, models_digest
from regista.app.embedder import embedder_name, open_embedder
from regista.app.folder import BASE, Folder, document_files, read
from regista.app.live import TARGET
from regista.app.loading import Progress
from regista.app.outputs import output_of
from regista.app.platform import Platform
from regista.app.secrets import secrets
from regista.core.digest import digest
from regista.core.errors import ConfigurationError, NotAllowedError, NotFoundError, RegistaError
from regista.core.evaluation import Case, Estimate, Output, Report
from regista.core.nouns import Json, Request
from regista.egress.client import Client
from regista.evaluate.judges import Judge, builder
from regista.evaluate.run import Plan, Tally, run_suite
from regista.evaluate.suite import Suite, build_scorers, live_scorers, read_suite, scorer_digest
from regista.evaluate.targets import Target
from regista.evaluate.targets.endpoint import Endpoint
from regista.evaluate.targets.recorded import Recorded
from regista.store import Database, evaluations
from regista.store.keys import Key

EVALS = "evals"
TENANT = Key("evaluation", "evaluation", "", 0)
"""Who asks: traces of evaluations are told from those of people by it."""


class Choice(Struct, frozen=True):
    """How a suite is run. `url` and `model`, or `outputs`, put another target in the application's place."""

    repeat: int = 1
    limit: int | None = None
    concurrency: int = 16
    fresh: bool = False
    url: str = ""
    model: str = ""
    api_key_env: str = ""
    outputs: Path | None = None

    def __post_init__(self) -> None:
        if min(self.repeat, self.concurrency, 1 if self.limit is None else self.limit) < 1:
            raise ConfigurationError("--repeat, --limit and --concurrency are at least 1.")
        if not self.url and (self.model or self.api_key_env):
            raise ConfigurationError("--model and --key-env belong to --url: a model behind it is asked instead.")
        if self.url and self.outputs is not None:
            raise ConfigurationError("--url and --outputs each take the application's place: give one of them.")


class _Verdicts(Struct):
    """What is read of a judge's passport here."""

    verdicts: tuple[str, ...]


class Bench:
    """One application, or one of its variants, with its suites. `close` it."""

    def __init__(
        self,
        path: Path,
        settings: dict[str, Any],
        database: Database,
        variant: str = "",
        progress: Progress | None = None,
    ) -> None:
        self.folder: Folder = read(path, "" if variant == BASE else variant)
        self.database = database
        self._settings = settings
        self._progress = progress
        self._platform: Platform | None = None
        self._opening = asyncio.Lock()
        self._client: Client | None = None
        self._embedder: Any = None

    @property
    def variant(self) -> str:
        """The variant's name."""
        return self.folder.variant or BASE

    def live(self, suite: str) -> Report:
        """What the scorers of a suite found in live traces of the application: of the newest variant they saw. Blocks.

        Raises:
            NotFoundError: none was scored by the suite as it is now.
        """
        read = self.suite(suite)
        scorers = live_scorers(read, build_scorers(read, self.ports()))
        digests = {name: scorer_digest(read, name, scorer, self.models) for name, scorer in scorers.items()}
        runs = evaluations.runs(self.database, self.folder.name, suite)
        run = next((run for run in runs if run.target == TARGET and run.scorers == digests), None)
        if run is None:
            raise NotFoundError(
                f"No live trace was scored by {suite!r} as it is now. In regista.toml, [evaluation] suite = {suite!r} "
                "and share = 0.1 scores a tenth of what is served."
            )
        from regista.evaluate.estimates import report_of  # noqa: PLC0415 - scipy: most commands need none

        return self._with_passports(report_of(self.database, run, read, scorers), read)

    @property
    def models(self) -> str:
        """The digest of the application's models: of what their names stand for to a judge, whatever the variant."""
        return models_digest(self.folder.base)

    def judge_key(self, judge: Judge) -> str:
        """What a judge's passport is kept under: all it depends on, the models behind their names included."""
        return digest([judge.identity, self.models])

    @property
    def variants(self) -> list[str]:
        """The names of the application's variants beside `base`."""
        return sorted(path.stem for path in (self.folder.path / "variants").glob("*.toml"))

    async def evaluate(
        self, suite: str, choice: Choice = Choice(), progress: Callable[[Tally], None] | None = None
    ) -> Report:
        """The report of a suite: from the store where it is whole, else run to its end.

        Raises:
            ConfigurationError: the suite, a case or a scorer cannot be used.
        """
        read = await asyncio.to_thread(self.suite, suite)
        target, variant = await asyncio.to_thread(self._target, read, choice)
        plan = Plan(
            suite=read,
            target=target,
            scorers=build_scorers(read, self.ports()),
            application=self.folder.name,
            variant=variant,
            repeat=choice.repeat,
            limit=choice.limit,
            concurrency=choice.concurrency,
            fresh=choice.fresh,
            models=self.models,
        )
        report = await run_suite(self.database, plan, progress)
        return await asyncio.to_thread(self._with_passports, report, read)

    def _with_passports(self, report: Report, suite: Suite) -> Report:
        """The report with what is known of its judges: their passports' verdicts, or that they have none."""
        estimates: list[Estimate] = []
        made = build_scorers(suite, self.ports())
        for estimate in report.estimates:
            scorer = made.get(estimate.scorer)
            if isinstance(scorer, Judge):
                body = evaluations.passport(self.database, self.judge_key(scorer))
                said = (
                    msgspec.json.decode(body, type=_Verdicts).verdicts
                    if body is not None
                    else (f"Not measured against people yet: regista judge passport {report.suite} {estimate.scorer}",)
                )
                estimate = msgspec.structs.replace(estimate, warnings=(*estimate.warnings, *said))
            estimates.append(estimate)
        return msgspec.structs.replace(report, estimates=tuple(estimates))

    def _target(self, suite: Suite, choice: Choice) -> tuple[Target, str]:
        """Who answers, and what that variant is called."""
        outputs = choice.outputs or (suite.outputs if not choice.url and not self.folder.variant else None)
        if outputs is not None:
            return Recorded(outputs), outputs.stem
        if choice.url:
            if not choice.model:
                raise ConfigurationError("A URL serves several models: say which one with --model NAME.")
            return self.endpoint(choice.url, choice.model, choice.api_key_env, suite.parameters), choice.model
        return self.application(suite.parameters), self.variant

    def suite(self, name: str) -> Suite:
        """A suite of the application."""
        return read_suite(self.folder.path / EVALS, name)

    def ports(self) -> Json:
        """What scorers and judges may ask for."""
        ports: Json = {
            "asks": Asking(self.folder.base, self.database, self._transport).asks,
            "embed": self.embed,
            "embedder": embedder_name(self._wanted_embedder, str(self._settings["models"])),
            "folder": self.folder.path,
        }
        return ports | {"build": builder(ports)}

    def application(self, parameters: Mapping[str, Any]) -> "ApplicationTarget":
        """The application as something that can be evaluated."""
        return ApplicationTarget(self, parameters)

    def endpoint(self, url: str, model: str, api_key_env: str, parameters: Mapping[str, Any]) -> Endpoint:
        """A model at any OpenAI-compatible URL, which is kept with what it answers."""
        if secrets({"url": url}):
            raise ConfigurationError("The URL holds a secret. Put it into the environment and name it: --key-env NAME.")
        options = {"base_url": url, "api_key_env": api_key_env}
        provider = build_provider("openai", options, {"transport": self._transport()})
        return Endpoint(provider, model, url, parameters)

    async def platform(self) -> Platform:
        """The application, running; opened at the first call."""
        async with self._opening:
            if self._platform is None:
                self._platform = await Platform.open(
                    self.folder.path, self._settings, self._progress, self.folder.variant
                )
            return self._platform

    async def embed(self, texts: Sequence[str]) -> Any:
        """Vectors of texts, by the embedder that the application's retrieval would use, whatever the variant."""
        async with self._opening:
            if self._embedder is None:
                self._embedder = await open_embedder(self._wanted_embedder, str(self._settings["models"]))
        if self._embedder is None:
            raise ConfigurationError("Similarity needs an embedder. Type: pip install 'regista[rag]'")
        return await self._embedder.embed(texts)

    @property
    def _wanted_embedder(self) -> str:
        context = self.folder.base.context
        return context.embedder if context is not None and context.embedder != "none" else "auto"

    async def close(self) -> None:
        """End what was opened."""
        if self._platform is not None:
            await self._platform.close()
        if self._embedder is not None:
            await self._embedder.close()
        if self._client is not None:
            await self._client.close()

    def _transport(self) -> Client:
        if self._client is None:
            self._client = Client(connections=self._settings["connections"])
        return self._client


class ApplicationTarget:
    """An application in this process. What it answers depends on its variant and its documents, by content."""

    def __init__(self, bench: Bench, parameters: Mapping[str, Any]) -> None:
        folder = bench.folder
        self.name = f"{folder.name} ({folder.variant or 'as it is'})"
        self._bench = bench
        self._parameters: Json = dict(parameters)
        self.digest = digest([folder.digest, _documents(folder), self._parameters])

    async def answer(self, case: Case, repetition: int) -> Output:
        """The application's answer, never from its caches."""
        platform = await self._bench.platform()
        request = Request(platform.application.name, case.input, rest=self._parameters)
        serving = platform.serve(request, TENANT, fresh=True)
        refused = ""
        try:
            async with aclosing(serving.deltas()) as deltas:
                async for _ in deltas:
                    pass
        except NotAllowedError as error:
            refused = error.message
        except ConfigurationError as error:
            # It is this case's request that met it; the suite itself is sound.
            raise RegistaError(error.message) from error
        trace = serving.trace
        assert trace is not None, "a stream that has ended has its trace"  # noqa: S101 - `deltas` sees to it
        response = serving.response
        output = output_of(trace, serving.exchange, "" if refused else response.text)
        return msgspec.structs.replace(output, tool_calls=response.tool_calls, finish=response.finish, refused=refused)


def _documents(folder: Folder) -> str:
    """The hash of what retrieval may use, and of the tables that tools read."""
    hashed = hashlib.sha256()
    data = folder.path / "data"
    tables = sorted(path for path in data.rglob("*") if path.is_file()) if data.is_dir() else []
    for path in [*document_files(folder), *tables]:
        hashed.update(path.relative_to(folder.path).as_posix().encode() + b"\0")
        hashed.update(hashlib.sha256(path.read_bytes()).digest())
    return hashed.hexdigest()
