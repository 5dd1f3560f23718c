"""pip's default index, read from the files of an installed pip, which is neither imported nor run."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

_MODULE = "pip/_internal/models/index.py"


def default_index(env: Mapping[str, str]) -> str | None:
    """Return the address of pip's default index, or None if there is no pip to tell it."""
    for text in _sources(env):
        match = re.search(r"^PyPI\s*=\s*PackageIndex\(\s*['\"]([^'\"]+)['\"]", text, re.MULTILINE)
        if match is not None:
            return f"{match[1].rstrip('/')}/simple/"
    return None


def _sources(env: Mapping[str, str]) -> Iterator[str]:
    """Yield the text of the module in every pip that can be found: beside us, on the path, in the standard library."""
    from importlib.util import find_spec

    spec = find_spec("pip")
    if spec is not None and spec.origin:
        yield from _text(Path(spec.origin).parent.parent / _MODULE)
    for folder in _installations(env):
        yield from _text(folder / _MODULE)
    yield from _bundled()


def _installations(env: Mapping[str, str]) -> Iterator[Path]:
    """Yield the ``site-packages`` of the Pythons whose pip or python is on the path."""
    import sys
    from shutil import which

    prefixes = [Path(sys.base_prefix)]
    for program in ("pip", "pip3", "python3", "python"):
        found = which(program, path=env.get("PATH"))
        if found is not None:
            prefixes += [Path(found).resolve().parent.parent, Path(found).parent.parent]
    for prefix in dict.fromkeys(prefixes):
        yield prefix / "Lib/site-packages"
        for pattern in ("lib/python3*/site-packages", "lib/python3*/dist-packages", "lib/python3/dist-packages"):
            yield from sorted(prefix.glob(pattern))


def _bundled() -> Iterator[str]:
    """Yield the module from the wheel that ``ensurepip`` carries."""
    from importlib.util import find_spec
    from zipfile import BadZipFile, ZipFile

    spec = find_spec("ensurepip")
    folder = Path(spec.origin).parent if spec is not None and spec.origin else Path()
    for wheel in sorted((folder / "_bundled").glob("pip-*.whl")):
        try:
            with ZipFile(wheel) as archive:
                yield archive.read(_MODULE).decode("utf-8", "replace")
        except (OSError, BadZipFile, KeyError):
            continue


def _text(path: Path) -> Iterator[str]:
    try:
        yield path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return
