"""The clients of a Python index. Every cache is in the place's home; environments are in the project."""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from tests.clients.client import Client, Place
from tests.clients.rig import PYTHON_BIN, environment, program, run

_PYPROJECT = """\
[project]
name = "consumer"
version = "1.0"
requires-python = ">=3.11"
dependencies = {dependencies}

"""


def _requirements(wanted: Mapping[str, str]) -> list[str]:
    return [f"{name}{specifier}" for name, specifier in wanted.items()]


def _pip(place: Place, wanted: Mapping[str, str]) -> None:
    (place.project / "requirements.txt").write_text("\n".join([*_requirements(wanted), ""]), encoding="utf-8")


def _pyproject(place: Place, wanted: Mapping[str, str], tool: str) -> None:
    dependencies = "[" + ", ".join(f'"{one}"' for one in _requirements(wanted)) + "]"
    text = _PYPROJECT.format(dependencies=dependencies) + tool
    (place.project / "pyproject.toml").write_text(text, encoding="utf-8")


def _uv(place: Place, wanted: Mapping[str, str]) -> None:
    index = f'[[tool.uv.index]]\nname = "gate"\nurl = "{place.registry}"\ndefault = true\n'
    _pyproject(place, wanted, f"[tool.uv]\npackage = false\n\n{index}")


def _poetry(place: Place, wanted: Mapping[str, str]) -> None:
    source = f'[[tool.poetry.source]]\nname = "gate"\nurl = "{place.registry}"\npriority = "primary"\n'
    _pyproject(place, wanted, f"[tool.poetry]\npackage-mode = false\n\n{source}")


def _pdm(place: Place, wanted: Mapping[str, str]) -> None:
    source = f'[[tool.pdm.source]]\nname = "pypi"\nurl = "{place.registry}"\nverify_ssl = false\n'
    _pyproject(place, wanted, f"[tool.pdm]\ndistribution = false\n\n{source}")


def _installed(place: Place, name: str) -> str | None:
    """Return the version that the environment of the project has."""
    stem = name.replace("-", "_")
    found = sorted(path.name for path in place.project.rglob(f"{stem}-*.dist-info"))
    return found[0].removesuffix(".dist-info").rpartition("-")[2] if found else None


def _pip_env(place: Place) -> Mapping[str, str]:
    return {
        "PIP_CONFIG_FILE": os.devnull,  # neither the machine's nor the user's settings
        "PIP_INDEX_URL": place.registry,
        "PIP_CACHE_DIR": f"{place.home}/cache/pip",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
        "PIP_PROGRESS_BAR": "off",
        "PIP_RETRIES": "2",
    }


def _pip_lock(place: Place) -> None:
    """Write what was installed as requirements with hashes, from pip's own report."""
    report = json.loads((place.project / "report.json").read_text(encoding="utf-8"))
    lines = []
    for one in report["install"]:
        metadata, archive = one["metadata"], one["download_info"]["archive_info"]
        lines.append(f"{metadata['name']}=={metadata['version']} --hash=sha256:{archive['hashes']['sha256']}")
    (place.project / "locked.txt").write_text("\n".join([*lines, ""]), encoding="utf-8")


def _virtual_environment(place: Place) -> None:
    """Make the project's own environment: with an interpreter of its choice, pdm would install into that one's."""
    if not (place.project / ".venv").is_dir():
        run(
            [str(PYTHON_BIN / "python"), "-m", "venv", "--without-pip", ".venv"], place.project, environment(place.home)
        )


def _pip_install(*more: str) -> list[str]:
    return [program("pip"), "install", "--target", "site", "--upgrade", "--ignore-installed", *more]


PIP = Client(
    name="pip",
    ecosystem="pypi",
    lockfile="locked.txt",
    configure=_pip,
    env=_pip_env,
    install=lambda _: _pip_install("--requirement", "requirements.txt", "--report", "report.json"),
    frozen=lambda _: _pip_install("--require-hashes", "--no-deps", "--requirement", "locked.txt"),
    lock=_pip_lock,
    offline=lambda _: _pip_install("--requirement", "requirements.txt"),
    version=lambda _: [program("pip"), "--version"],
    installed=_installed,
)

UV = Client(
    name="uv",
    ecosystem="pypi",
    lockfile="uv.lock",
    configure=_uv,
    env=lambda place: {
        "UV_CACHE_DIR": f"{place.home}/cache/uv",
        "UV_PYTHON": str(PYTHON_BIN / "python"),
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_NO_PROGRESS": "1",
        "UV_HTTP_RETRIES": "1",
    },
    install=lambda _: [program("uv"), "sync"],
    frozen=lambda _: [program("uv"), "sync", "--frozen"],
    offline=lambda _: [program("uv"), "sync"],
    version=lambda _: [program("uv"), "--version"],
    installed=_installed,
)

POETRY = Client(
    name="poetry",
    ecosystem="pypi",
    lockfile="poetry.lock",
    configure=_poetry,
    env=lambda place: {
        "POETRY_CACHE_DIR": f"{place.home}/cache/poetry",
        "POETRY_VIRTUALENVS_IN_PROJECT": "true",
        "POETRY_VIRTUALENVS_OPTIONS_NO_PIP": "true",
        "POETRY_NO_INTERACTION": "1",
        "POETRY_REQUESTS_MAX_RETRIES": "1",
        "VIRTUALENV_NO_PERIODIC_UPDATE": "1",
    },
    install=lambda _: [program("poetry"), "update", "--no-ansi"],
    frozen=lambda _: [program("poetry"), "sync", "--no-ansi"],
    offline=lambda _: [program("poetry"), "update", "--no-ansi"],
    version=lambda _: [program("poetry"), "--version", "--no-ansi"],
    installed=_installed,
)

PDM = Client(
    name="pdm",
    ecosystem="pypi",
    lockfile="pdm.lock",
    configure=_pdm,
    env=lambda place: {
        "PDM_CACHE_DIR": f"{place.home}/cache/pdm",
        "PDM_CHECK_UPDATE": "false",
        "PDM_IGNORE_STORED_INDEX": "1",
        "PDM_NON_INTERACTIVE": "1",
    },
    prepare=_virtual_environment,
    install=lambda _: [program("pdm"), "update", "--no-self"],
    frozen=lambda _: [program("pdm"), "sync", "--no-self"],
    offline=lambda _: [program("pdm"), "update", "--no-self"],
    version=lambda _: [program("pdm"), "--version"],
    installed=_installed,
)

ALL = (PIP, UV, POETRY, PDM)


def forget_installed(place: Place) -> None:
    """Remove what was installed, as in a fresh checkout: the lockfile stays."""
    for folder in ("site", ".venv"):
        shutil.rmtree(Path(place.project) / folder, ignore_errors=True)
