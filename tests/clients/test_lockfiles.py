"""What real clients write is read as they themselves list it: their own lockfiles, made against a loopback upstream."""

import importlib
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from lazaretto.core.pin import Pin, PinSource
from tests.clients import npm_clients, python_clients
from tests.clients.client import Client, Place
from tests.clients.conftest import TOOL
from tests.clients.rig import environment, program, run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

FORMATS = {
    "package-lock.json": "package_lock",
    "pnpm-lock.yaml": "pnpm_lock",
    "yarn.lock": "yarn_lock",
    "bun.lock": "bun_lock",
    "deno.lock": "deno_lock",
    "uv.lock": "uv_lock",
    "poetry.lock": "poetry_lock",
    "pdm.lock": "pdm_lock",
    "locked.txt": "requirements",
}


def pins(place: Place, name: str, module: str | None = None) -> list[Pin]:
    """Return what we read in a lockfile of the project."""
    text = (place.project / name).read_text(encoding="utf-8")
    return list(importlib.import_module(f"lazaretto.lockfiles.{module or FORMATS[name]}").parse(text))


def releases(found: list[Pin]) -> set[tuple[str, str]]:
    """Return the releases among pins, none of which may have a problem."""
    assert [pin.problem for pin in found if pin.problem] == []
    return {(pin.name, str(pin.version)) for pin in found if pin.source is PinSource.REGISTRY}


def listed(client: Client, place: Place, *words: str) -> str:
    """Return what the client itself says that it locked."""
    command = [*client.version(place)[:-1], *words]
    said = run(command, place.project, environment(place.home, **client.env(place)))
    assert said.code == 0, said.output
    return said.output


def _found(pattern: str) -> Callable[[str], set[tuple[str, str]]]:
    def find(output: str) -> set[tuple[str, str]]:
        return set(re.findall(pattern, output, re.MULTILINE))

    return find


def _npm_tree(output: str) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    waiting = [json.loads(output)]
    while waiting:
        for name, entry in waiting.pop().get("dependencies", {}).items():
            found.add((name, entry["version"]))
            waiting.append(entry)
    return found


NAMED = r"((?:@[\w-]+/)?[\w-]+)@(?:npm:)?(\d+\.\d+\.\d+)"
LISTS: dict[str, tuple[tuple[str, ...], Callable[[str], set[tuple[str, str]]]]] = {
    "npm": (("ls", "--all", "--json"), _npm_tree),
    "pnpm": (("list", "--depth", "9", "--parseable", "--long"), _found(rf":{NAMED}$")),
    "yarn": (("list", "--no-progress", "--no-default-rc"), _found(NAMED)),
    "berry": (("info", "--all", "--recursive", "--name-only"), _found(NAMED)),
    "bun": (("pm", "ls", "--all"), _found(NAMED)),
}


@pytest.mark.parametrize("client", npm_clients.ALL, ids=lambda client: client.name)
def test_npm_clients_lock_what_we_read(client: Client, npm_upstream: str, tmp_path: Path) -> None:
    """A range and an alias, resolved by the client: our pins are its own list."""
    place = Place.made(tmp_path, npm_upstream)
    client.asks(place, {"pad": "^1.0.0", "old": f"npm:{TOOL}@1.0.0"})
    said = client.installs(place)
    assert said.code == 0, said.output
    found = pins(place, client.lockfile)

    assert releases(found) == {("pad", "1.0.1"), (TOOL, "1.0.0")}
    if client.name != "berry":  # its checksum is that of a zip of its own
        assert all(pin.integrity for pin in found if pin.source is PinSource.REGISTRY)
    if client.name in LISTS:
        words, read = LISTS[client.name]
        told = {(TOOL if name == "old" else name, version) for name, version in read(listed(client, place, *words))}
        assert told == releases(found)


@pytest.mark.parametrize("client", [one for one in python_clients.ALL if one.name != "pip"], ids=lambda one: one.name)
def test_python_clients_lock_what_we_read(client: Client, pypi_upstream: str, tmp_path: Path) -> None:
    """Our pins are what the client then installs, with the hashes of wheel and source distribution."""
    place = Place.made(tmp_path, pypi_upstream)
    client.asks(place, {"my-pad": ">=1.0,<2"})
    said = client.installs(place)
    assert said.code == 0, said.output
    found = pins(place, client.lockfile)

    assert releases(found) == {("my-pad", "1.1"), ("other-pad", "1.0")}
    assert {(name, client.installed(place, name)) for name, _ in releases(found)} == releases(found)
    assert all(pin.integrity for pin in found if pin.source is PinSource.REGISTRY)


def test_pip_locks_what_we_read(pypi_upstream: str, tmp_path: Path) -> None:
    """Requirements with hashes, and the ``pylock.toml`` that pip writes, have the same pins."""
    place = Place.made(tmp_path, pypi_upstream)
    client = python_clients.PIP
    client.asks(place, {"my-pad": ">=1.0,<2"})
    said = client.installs(place)
    assert said.code == 0, said.output
    locked = releases(pins(place, client.lockfile))
    command = [program("pip"), "lock", "--requirement", "requirements.txt", "--output", "pylock.toml"]
    said = run(command, place.project, environment(place.home, **client.env(place)))
    assert said.code == 0, said.output

    assert locked == {("my-pad", "1.1"), ("other-pad", "1.0")}
    assert releases(pins(place, "pylock.toml", "pylock_toml")) == locked


@pytest.mark.parametrize("words", [("--format", "pylock.toml"), ("--format", "cyclonedx1.5")], ids=["pylock", "sbom"])
def test_uv_exports_what_we_read(words: tuple[str, ...], pypi_upstream: str, tmp_path: Path) -> None:
    """The two other forms that uv gives its lock have the same releases."""
    place = Place.made(tmp_path, pypi_upstream)
    client = python_clients.UV
    client.asks(place, {"my-pad": ">=1.0,<2"})
    said = client.installs(place)
    assert said.code == 0, said.output
    name, module = ("pylock.toml", "pylock_toml") if "pylock.toml" in words else ("bom.json", "cyclonedx")
    command = [program("uv"), "export", "--quiet", "--frozen", *words, "--output-file", name]
    said = run(command, place.project, environment(place.home, **client.env(place)))
    assert said.code == 0, said.output

    assert releases(pins(place, name, module)) == {("my-pad", "1.1"), ("other-pad", "1.0")}
