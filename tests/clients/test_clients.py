"""Every client works here, against a plain upstream: what a test of the firewall sees is the firewall's doing."""

import json
import re
from pathlib import Path

import pytest

from tests.clients import npm_clients, packages, python_clients
from tests.clients.client import Client, Place
from tests.clients.conftest import TOOL
from tests.clients.rig import PYTHON_BIN, environment, run
from tests.clients.upstreams import pypiserver, verdaccio

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
each_npm = pytest.mark.parametrize("client", npm_clients.ALL, ids=lambda client: client.name)
each_python = pytest.mark.parametrize("client", python_clients.ALL, ids=lambda client: client.name)


def pinned(client: Client) -> str:
    """Return the version of a client that the project's files pin."""
    if client.ecosystem == "pypi":
        text = (ROOT / "requirements" / "clients.txt").read_text(encoding="utf-8")
        found = re.search(rf"^{client.name}==(\S+)", text, re.MULTILINE)
        assert found is not None
        return found[1]
    manifest = json.loads((HERE / "package.json").read_text(encoding="utf-8"))
    names = {"berry": "@yarnpkg/cli-dist", "bun": "@oven/bun-linux-x64-baseline", "deno": "@deno/linux-x64-glibc"}
    asked = manifest["dependencies"] | manifest["optionalDependencies"]
    return str(asked[names.get(client.name, client.name)])


@pytest.mark.parametrize("client", [*npm_clients.ALL, *python_clients.ALL], ids=lambda client: client.name)
def test_the_client_is_the_pinned_one(client: Client, tmp_path: Path) -> None:
    """What runs is what the project's files name, and not what lies about on the machine."""
    said = client.says_its_version(Place.made(tmp_path, "http://127.0.0.1:9/"))

    assert said.code == 0, said.output
    assert pinned(client) in said.output


@each_npm
def test_npm_clients_install_from_verdaccio(client: Client, npm_upstream: str, tmp_path: Path) -> None:
    """A range is resolved, a lockfile is written and obeyed, with a scoped dependency, and again from the cache."""
    place = Place.made(tmp_path, npm_upstream)
    client.asks(place, {"pad": "^1.0.0"})

    for step in (client.installs, client.installs_frozen, client.installs_offline_first):
        said = step(place)
        assert said.code == 0, said.output
        assert client.installed(place, "pad") == "1.0.1"
        assert (place.project / client.lockfile).stat().st_size
        npm_clients.forget_installed(place)
        assert client.installed(place, "pad") is None

    assert TOOL in (place.project / client.lockfile).read_text(encoding="utf-8")


@each_python
def test_python_clients_install_from_pypiserver(client: Client, pypi_upstream: str, tmp_path: Path) -> None:
    """A range is resolved, a lockfile is written and obeyed, a source distribution is built."""
    place = Place.made(tmp_path, pypi_upstream)
    client.asks(place, {"my-pad": ">=1.0,<2"})

    for step in (client.installs, client.installs_frozen, client.installs_offline_first):
        said = step(place)
        assert said.code == 0, said.output
        assert (client.installed(place, "my-pad"), client.installed(place, "other-pad")) == ("1.1", "1.0")
        assert (place.project / client.lockfile).stat().st_size
        python_clients.forget_installed(place)
        assert client.installed(place, "my-pad") is None


def test_pip_installs_from_devpi(devpi_upstream: str, tmp_path: Path) -> None:
    """The other upstream, which speaks JSON and links relatively, serves the same."""
    place = Place.made(tmp_path, devpi_upstream)
    python_clients.PIP.asks(place, {"my-pad": "==1.1"})
    said = python_clients.PIP.installs(place)

    assert said.code == 0, said.output
    assert python_clients.PIP.installed(place, "my-pad") == "1.1"


def test_nothing_leaves_the_machine(npm_upstream: str, tmp_path: Path) -> None:
    """A package that the upstream does not have is not asked for anywhere else: it fails, and at once."""
    place = Place.made(tmp_path, npm_upstream)
    npm_clients.NPM.asks(place, {"not-there": "*"})
    said = npm_clients.NPM.installs(place)

    assert said.code != 0
    assert "404" in said.output
    assert npm_upstream.rstrip("/") in said.output


def test_npm_publishes_to_verdaccio(tmp_path: Path) -> None:
    """What npm itself publishes is installed from there like what was laid into the storage."""
    package = packages.npm("published", "1.2.3")
    tarball = tmp_path / package.filename
    tarball.write_bytes(package.tarball)
    with verdaccio(tmp_path / "verdaccio") as url:
        place = Place.made(tmp_path, url)
        npm_clients.NPM.asks(place, {"published": "^1"})
        with (place.project / ".npmrc").open("a", encoding="utf-8") as settings:
            settings.write(f"//{url.partition('//')[2]}:_authToken=nobody\n")
        publish = [*npm_clients.NPM.version(place)[:2], "publish", str(tarball), "--ignore-scripts"]
        env = environment(place.home, **npm_clients.NPM.env(place))
        said = run(publish, place.project, env)
        assert said.code == 0, said.output
        said = npm_clients.NPM.installs(place)

    assert said.code == 0, said.output
    assert npm_clients.NPM.installed(place, "published") == "1.2.3"


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    """A rig that is broken is not taken for a firewall that refuses."""
    (tmp_path / "packages").write_text("a file, where a folder is needed", encoding="utf-8")

    with pytest.raises((RuntimeError, FileExistsError)), pypiserver(tmp_path):
        pass


def test_the_environment_of_the_clients_stays_as_it_is() -> None:
    """No client installed anything beside itself: the next test would see it."""
    found = [path.name for path in PYTHON_BIN.parent.rglob("*pad*-*.dist-info")]

    assert found == []
