"""The client matrix: what each real client does when something real stands behind the firewall. One test per cell."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from msgspec import Struct

from tests.clients import npm_clients, python_clients, worlds
from tests.clients.client import Client, Place
from tests.clients.firewall import Firewall, Line, firewall
from tests.clients.upstreams import pypiserver, verdaccio

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

CLIENTS = (*npm_clients.ALL, *python_clients.ALL)
each = pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
each_python = pytest.mark.parametrize("client", python_clients.ALL, ids=lambda client: client.name)

CARRIER = "2DHV6Q8B"
SHOWS_WHY = {
    "resolving": {"npm"},  # it prints the header npm-notice
    "refused": {"npm", "deno", "uv"},  # these print the answer, or the address that says it
}
"""Which clients show the reason themselves; for the others it is in `lazaretto firewall review`."""


GIVES_UP = {"yarn", "pdm"}
"""Which clients do not try again after a 503, whatever it says; the next installation finds the release read."""


class Street(Struct, frozen=True):
    """Upstreams, and two firewalls in front of them: one that enforces, and one that only watches."""

    npm: str
    pypi: str
    enforcing: Firewall
    observing: Firewall

    def upstream(self, client: Client) -> str:
        """Return the registry behind the firewalls."""
        return self.npm if client.ecosystem == "npm" else self.pypi


class Goods(Struct, frozen=True):
    """What one ecosystem's clients are asked to install."""

    name: str
    wanted: str
    held: str
    before: str
    honest: str
    honest_wanted: str
    honest_version: str


GOODS = {
    "npm": Goods("carrier", "^1.14.0", "1.14.1", "1.14.0", "quiet", "^2.0.0", "2.0.1"),
    "pypi": Goods("burden", ">=1.0,<2", "1.1", "1.0", "calm", ">=2.0", "2.1"),
}


def exactly(client: Client, version: str) -> str:
    """Return a range that one version satisfies."""
    return version if client.ecosystem == "npm" else f"=={version}"


def address(one: Firewall, client: Client) -> str:
    """Return what a client is told of a firewall."""
    return one.npm if client.ecosystem == "npm" else one.pypi


def forget(client: Client, place: Place) -> None:
    """Remove what a client installed, and keep its lockfile."""
    (npm_clients if client.ecosystem == "npm" else python_clients).forget_installed(place)


def elsewhere(client: Client, place: Place, home: Path, registry: str) -> Place:
    """Return the project as another machine checks it out, with empty caches, which asks another registry."""
    forget(client, place)
    for path in place.project.rglob("*"):
        if path.is_file():
            text = path.read_bytes()
            path.write_bytes(
                text.replace(
                    place.origin.encode(), f"{registry.partition('/npm/')[0].partition('/pypi/')[0]}/".encode()
                )
            )
    home.mkdir()
    return Place(place.project, home, registry)


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    """Yield upstreams and firewalls whose readings of the newest releases have ended."""
    folder = tmp_path_factory.mktemp("street")
    late = worlds.copies([f"late-{client.name}" for client in CLIENTS])
    with (
        verdaccio(folder / "npm", [*worlds.npm_world(), *late[0]]) as npm,
        pypiserver(folder / "pypi", [*worlds.pypi_world(), *late[1]]) as pypi,
        firewall(folder / "enforcing", npm, pypi) as enforcing,
        firewall(folder / "observing", npm, pypi, "observe") as observing,
    ):
        enforcing.shows(f"{enforcing.npm}carrier", CARRIER)
        enforcing.shows(f"{enforcing.npm}quiet", "quiet-2.0.1.tgz")
        for name in ("parcel", "burden", "calm"):
            enforcing.shows(f"{enforcing.pypi}{name}/", "-1.0" if name != "calm" else "-2.1")
        yield Street(npm, pypi, enforcing, observing)


@each
def test_a_range_falls_back_to_the_release_before(client: Client, street: Street, tmp_path: Path) -> None:
    """While the newest release is held, its range gives the one before, without an error, and the reason is told."""
    goods = GOODS[client.ecosystem]
    place = Place.made(tmp_path, address(street.enforcing, client))
    client.asks(place, {goods.name: goods.wanted})
    said = client.installs(place)

    assert said.code == 0, said.output
    assert client.installed(place, goods.name) == goods.before
    assert ("is withheld" in said.output) == (client.name in SHOWS_WHY["resolving"]), said.output
    assert f"{goods.name}@{goods.held}" in street.enforcing.does("review").output


@each
def test_a_held_version_is_not_to_be_had(client: Client, street: Street, tmp_path: Path) -> None:
    """Asked for by its number, a held release does not exist: the client says so, and installs nothing."""
    goods = GOODS[client.ecosystem]
    place = Place.made(tmp_path, address(street.enforcing, client))
    client.asks(place, {goods.name: exactly(client, goods.held)})
    said = client.installs(place)

    assert said.code != 0
    assert client.installed(place, goods.name) is None
    assert goods.name in said.output


@each
def test_a_lockfile_that_pins_a_held_release_is_refused(client: Client, street: Street, tmp_path: Path) -> None:
    """A lockfile written while nobody was stopped does not bring in what is held, and the client fails."""
    goods = GOODS[client.ecosystem]
    place = Place.made(tmp_path, address(street.observing, client))
    client.asks(place, {goods.name: exactly(client, goods.held)})
    said = client.installs(place)
    assert (said.code, client.installed(place, goods.name)) == (0, goods.held), said.output

    there = elsewhere(client, place, tmp_path / "other", address(street.enforcing, client))
    said = client.installs_frozen(there)

    assert said.code != 0
    assert client.installed(there, goods.name) is None
    assert ("hold-threshold" in said.output.replace(" ", "-")) == (client.name in SHOWS_WHY["refused"]), said.output


@each
def test_an_allowed_release_installs(client: Client, street: Street, tmp_path: Path) -> None:
    """An hour-old release in which nothing was found installs, also from its lockfile on another machine."""
    goods = GOODS[client.ecosystem]
    place = Place.made(tmp_path, address(street.enforcing, client))
    client.asks(place, {goods.honest: goods.honest_wanted})
    said = client.installs(place)
    assert (said.code, client.installed(place, goods.honest)) == (0, goods.honest_version), said.output

    there = elsewhere(client, place, tmp_path / "other", place.registry)
    said = client.installs_frozen(there)

    assert (said.code, client.installed(there, goods.honest)) == (0, goods.honest_version), said.output


@each
def test_what_became_bad_is_refused(client: Client, street: Street, tmp_path: Path) -> None:
    """A release that was handed out and is then blocked is handed out no more, neither by range nor by lockfile."""
    name = f"late-{client.name}"
    version = "1.0.0" if client.ecosystem == "npm" else "1.0"
    place = Place.made(tmp_path, address(street.enforcing, client))
    client.asks(place, {name: exactly(client, version)})
    said = client.installs(place)
    assert (said.code, client.installed(place, name)) == (0, version), said.output

    done = street.enforcing.does("block", f"pkg:{client.ecosystem}/{name}@{version}", "--reason", "reported today")
    assert done.code == 0, done.output
    there = elsewhere(client, place, tmp_path / "other", place.registry)
    refused = client.installs_frozen(there)

    assert refused.code != 0
    assert client.installed(there, name) is None
    fresh = Place.made(tmp_path / "fresh", place.registry)
    client.asks(fresh, {name: exactly(client, version)})
    assert client.installs(fresh).code != 0
    assert client.installed(fresh, name) is None


@each
def test_the_upstream_is_down(client: Client, street: Street, tmp_path: Path) -> None:
    """What was allowed before the upstream went away still installs: by its lockfile, and anew, on another machine."""
    goods = GOODS[client.ecosystem]
    line = Line(street.upstream(client))
    npm, pypi = (line.url, street.pypi) if client.ecosystem == "npm" else (street.npm, line.url)
    with firewall(tmp_path / "firewall", npm, pypi) as own:
        place = Place.made(tmp_path, address(own, client))
        client.asks(place, {goods.name: exactly(client, goods.before)})
        said = client.installs(place)
        assert (said.code, client.installed(place, goods.name)) == (0, goods.before), said.output
        line.cut()

        there = elsewhere(client, place, tmp_path / "other", place.registry)
        said = client.installs_frozen(there)
        assert (said.code, client.installed(there, goods.name)) == (0, goods.before), said.output

        fresh = Place.made(tmp_path / "fresh", place.registry)
        client.asks(fresh, {goods.name: exactly(client, goods.before)})
        said = client.installs(fresh)
        assert (said.code, client.installed(fresh, goods.name)) == (0, goods.before), said.output


@each
def test_offline_first(client: Client, street: Street, tmp_path: Path) -> None:
    """A client that prefers its own cache gets from it what the firewall gave before."""
    goods = GOODS[client.ecosystem]
    place = Place.made(tmp_path, address(street.enforcing, client))
    client.asks(place, {goods.name: goods.wanted})
    client.installs(place)
    forget(client, place)
    said = client.installs_offline_first(place)

    assert (said.code, client.installed(place, goods.name)) == (0, goods.before), said.output


@each
def test_who_is_told_to_come_back_comes_back(client: Client, street: Street, tmp_path: Path) -> None:
    """Where nobody is made to wait, an unread release is answered with 503 and a time; then it installs."""
    name, version, newest = ("young", "1.0.0", "1.0.1") if client.ecosystem == "npm" else ("calm", "2.0", "2.1")
    with firewall(tmp_path / "firewall", street.npm, street.pypi, patience="0s") as own:
        registry = address(own, client)
        own.shows(f"{registry}{name}{'' if client.ecosystem == 'npm' else '/'}", f"{name}-{newest}")
        said = None
        for attempt in range(4):
            place = Place.made(tmp_path / str(attempt), registry)
            client.asks(place, {name: exactly(client, version)})
            said = client.installs(place)
            if said.code == 0:
                assert attempt == 0 or client.name in GIVES_UP, client.name
                assert client.installed(place, name) == version
                return
            time.sleep(1)
    raise AssertionError(said)


@each
def test_parallel_installs(client: Client, street: Street, tmp_path: Path) -> None:
    """Four machines that install at once all get the same, from a firewall that has read nothing yet."""
    goods = GOODS[client.ecosystem]
    with firewall(tmp_path / "firewall", street.npm, street.pypi) as own:
        places = [Place.made(tmp_path / str(number), address(own, client)) for number in range(4)]
        for place in places:
            client.asks(place, {goods.name: goods.wanted})
        with ThreadPoolExecutor(len(places)) as pool:
            answers = list(pool.map(client.installs, places))

    assert [said.code for said in answers] == [0] * 4, answers[0].output
    assert {client.installed(place, goods.name) for place in places} == {goods.before}


@each_python
def test_a_held_wheel_beside_an_allowed_source(client: Client, street: Street, tmp_path: Path) -> None:
    """Where only the wheel of a release is held, its source distribution is there, and is what gets installed."""
    place = Place.made(tmp_path, street.enforcing.pypi)
    client.asks(place, {"parcel": ">=1.0,<2"})
    said = client.installs(place)

    assert (said.code, client.installed(place, "parcel")) == (0, "1.1"), said.output
    assert not list(place.project.rglob("parcel_init.pth"))


@pytest.mark.parametrize("client", [npm_clients.NPM, python_clients.PIP], ids=lambda client: client.name)
def test_a_person_lets_it_in(client: Client, street: Street, tmp_path: Path) -> None:
    """What a person allows, by its package URL and with a reason, installs at once."""
    goods = GOODS[client.ecosystem]
    with firewall(tmp_path / "firewall", street.npm, street.pypi) as own:
        page = f"{own.npm}{goods.name}" if client.ecosystem == "npm" else f"{own.pypi}{goods.name}/"
        place = Place.made(tmp_path, address(own, client))
        own.shows(page, goods.before)
        wanted = {goods.name: goods.held, **({"plain-crypto-js": "4.2.1"} if client.ecosystem == "npm" else {})}
        for name in wanted:
            own.shows(f"{own.npm}{name}" if client.ecosystem == "npm" else f"{own.pypi}{name}/", "")
        for name, version in wanted.items():
            done = own.does("allow", f"pkg:{client.ecosystem}/{name}@{version}", "--reason", "read by hand")
            assert done.code == 0, done.output
        client.asks(place, {goods.name: exactly(client, goods.held)})
        said = client.installs(place)

    assert (said.code, client.installed(place, goods.name)) == (0, goods.held), said.output
