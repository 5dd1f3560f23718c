"""Hundreds of real packages through the firewall: the clients themselves, packed anew from where they are installed."""

import json
from pathlib import Path

import pytest

from tests.clients import npm_clients, python_clients, worlds
from tests.clients.client import Place
from tests.clients.firewall import firewall
from tests.clients.upstreams import pypiserver, verdaccio

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_npm_installs_hundreds_of_packages(tmp_path: Path) -> None:
    """A large project installs as it does from the registry itself, and from its lockfile with empty caches."""
    npm = npm_clients.NPM
    with verdaccio(tmp_path / "upstream", worlds.real_npm()) as upstream, firewall(tmp_path / "gate", upstream) as gate:
        place = Place.made(tmp_path, gate.npm)
        npm.asks(place, {"verdaccio": "6.8.0"})
        manifest = place.project / "package.json"
        document = json.loads(manifest.read_text(encoding="utf-8")) | {"overrides": {"node-fetch": "2.7.0"}}
        manifest.write_text(json.dumps(document), encoding="utf-8")
        said = npm.installs(place)
        assert said.code == 0, said.output
        npm_clients.forget_installed(place)
        other = Place(place.project, tmp_path / "other", gate.npm)
        other.home.mkdir()
        said = npm.installs_frozen(other)

    assert said.code == 0, said.output
    assert npm.installed(place, "verdaccio") == "6.8.0"
    lock = json.loads((place.project / "package-lock.json").read_text(encoding="utf-8"))
    resolved = [one["resolved"] for one in lock["packages"].values() if "resolved" in one]
    assert len(resolved) > 250
    assert all(one.startswith(gate.npm) for one in resolved)


def test_pip_installs_real_wheels(tmp_path: Path) -> None:
    """Real wheels, of which an index without times tells no age: each is read before it is handed out, and installs."""
    pip = python_clients.PIP
    files = worlds.real_pypi()
    with pypiserver(tmp_path / "upstream", files) as upstream, firewall(tmp_path / "gate", pypi=upstream) as gate:
        place = Place.made(tmp_path, gate.pypi)
        pip.asks(place, {"requests": "", "rich": ""})
        said = pip.installs(place)

    assert said.code == 0, said.output
    assert len(list((place.project / "site").glob("*.dist-info"))) >= 8
