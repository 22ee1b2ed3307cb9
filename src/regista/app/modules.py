"""An application's own Python files, loaded as a package of their own so that versions do not mix.

Requests under way keep the modules they began with while a saved change is loaded beside them.
"""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from regista.core.errors import ConfigurationError


def load_module(folder: Path, name: str, version: str) -> ModuleType:
    """The module `name` of an application folder; `from .other import …` finds the files beside it.

    Raises:
        ConfigurationError: the file fails when it is run; says where.
    """
    package = f"regista_application_{folder.name.replace('-', '_')}_{version}"
    qualified = f"{package}.{name}"
    if qualified in sys.modules:
        return sys.modules[qualified]
    if package not in sys.modules:
        parent = ModuleType(package)
        parent.__path__ = [str(folder)]
        sys.modules[package] = parent
    spec = importlib.util.spec_from_file_location(qualified, folder / f"{name}.py")
    if spec is None or spec.loader is None:
        raise ConfigurationError(f"{folder / name}.py cannot be loaded.")
    module = sys.modules[qualified] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        # The application's code is its owner's: whatever it raises is told with its place, as a mistake of the folder.
        # To an event loop the end of the process is what it says, whoever asks for it.
        del sys.modules[qualified]
        raise ConfigurationError(f"{name}.py{_line_in(folder, error)}: {type(error).__name__}: {error}") from error
    return module


def _line_in(folder: Path, error: BaseException) -> str:
    """The last line of the traceback that lies in the folder."""
    line, trace = "", error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename.startswith(str(folder)):
            line = f":{trace.tb_lineno}"
        trace = trace.tb_next
    return line
