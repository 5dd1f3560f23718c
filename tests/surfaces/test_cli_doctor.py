"""``lazaretto doctor`` as a person runs it: words, exit codes, JSON that is valid, hostile names inert, no network."""

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import jsonschema
import pytest

from lazaretto.infra.advisories import SqliteAdvisories
from lazaretto.infra.machine import LocalMachine
from lazaretto.surfaces.cli import doctor, main
from tests.contracts.test_outputs import ACTING
from tests.doctor import homes
from tests.infra.servers import server

ROOT = Path(__file__).parents[2]
FEED = '[[firewall.advisories]]\nname = "osv"\nplace = "/nowhere/osv.zip"\n'


class Person:
    """Somebody with one of the prepared homes, at a shell."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._patch = patch
        self._capture = capture

    def lives(self, files: dict[str, str]) -> None:
        """Move into a home."""
        homes.prepare(self.folder, files)
        for name, value in {"HOME": "home", "LAZARETTO_CACHE_DIR": "cache", "LAZARETTO_STATE_DIR": "state"}.items():
            self._patch.setenv(name, str(self.folder / value))
        for name in ("XDG_CONFIG_HOME", "GITHUB_TOKEN", "GH_TOKEN"):
            self._patch.delenv(name, raising=False)
        self._patch.setenv("PATH", str(self.folder / "bin"))
        self._patch.setattr("lazaretto.infra.machine.is_secret_name", lambda _: False)
        self._patch.setattr(doctor, "LocalMachine", partial(LocalMachine, system=self.folder / "system"))
        self._patch.chdir(self.folder / "home" / "project")

    def runs(self, *words: str) -> tuple[int, str, str]:
        """Run the command and return its exit code and what it printed."""
        self._capture.readouterr()
        code = main(["doctor", *words])
        return code, *self._capture.readouterr()


@pytest.fixture
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Person:
    """Return a person who owns nothing yet."""
    return Person(tmp_path, monkeypatch, capsys)


def test_good_home_is_zero(person: Person) -> None:
    """Nothing to do, from the settings of every client to the age of our own advisories."""
    person.lives({**homes.GOOD, "lazaretto.toml": FEED})
    book = SqliteAdvisories(person.folder / "cache", {})
    (person.folder / "cache").mkdir()
    book.replace("osv", [], datetime.now(UTC) - timedelta(hours=1), "mark")
    book.close()
    code, out, err = person.runs("--verbose")

    assert (code, err) == (0, "")
    assert "Nothing to do. Looked at: bun, dependabot, npm, pip, pnpm, poetry, renovate, uv, yarn." in " ".join(
        out.split()
    )
    assert "packages are read behind: " in out
    assert "the firewall is in front of npm (~/.npmrc:1)" in out


def test_old_advisories_are_told(person: Person) -> None:
    """A source that was never fetched, or days ago, is something to do."""
    person.lives({**homes.GOOD, "lazaretto.toml": FEED})
    code, out, _ = person.runs()

    assert code == 1
    assert "feeds-stale" in out
    assert "never fetched" in out


def test_bad_home_is_one(person: Person) -> None:
    """What is wrong, where, and one line that mends it; the worst first; ``--exit-zero`` only reports."""
    person.lives(dict(homes.BAD))
    code, out, err = person.runs()

    assert (code, err) == (1, "")
    assert out.startswith("HIGH ")
    assert "at pnpm-workspace.yaml:1\n  do: write minimumReleaseAge: 10080 into pnpm-workspace.yaml" in out
    assert person.runs("--exit-zero")[0] == 0
    assert [secret for secret in homes.SECRETS if secret in out] == []


def test_json_is_valid(person: Person) -> None:
    """What a program reads is valid by the published schema, and holds no secret."""
    schema = json.loads((ROOT / "src" / "lazaretto" / "data" / "doctor.schema.json").read_bytes())
    for files in (homes.GOOD, homes.AVERAGE, homes.BAD):
        person.lives(dict(files))
        _, out, _ = person.runs("--format", "json")
        jsonschema.Draft202012Validator(schema).validate(json.loads(out))
        assert [secret for secret in homes.SECRETS if secret in out] == []


@pytest.mark.parametrize("form", ["terminal", "json"])
def test_hostile_names_are_inert(person: Person, form: str) -> None:
    """A name in a manifest steers no terminal and no CI runner."""
    name = "@acme/\x1b[2J\u202e\n::error::x ##[error]\ud800"
    manifest = json.dumps({"name": "@acme/app", "private": True, "dependencies": {name: "1"}})
    person.lives({"package.json": manifest, "package-lock.json": "{}"})
    code, out, _ = person.runs("--format", form)

    assert code == 1
    assert "scope-public" in out
    assert ACTING.search(out) is None
    assert "##[" not in out
    assert not [line for line in out.splitlines() if line.strip().startswith("::")]


def test_online_asks_the_clients_own_default(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """With ``--online`` npm's own default registry is asked for the private names, and no token is sent."""
    person.lives(dict(homes.BAD))
    with server() as site:
        site.says("/acme-inner", json.dumps({"name": "acme-inner", "versions": {}}).encode())
        monkeypatch.setattr("lazaretto.infra.npmrc._default", lambda _: f"{site.url}/")
        _, out, _ = person.runs("--online")

    assert "acme-inner exists on the public registry" in " ".join(out.split())
    assert "@acme/secret-sauce is free on the public registry" in " ".join(out.split())


def test_online_without_a_known_registry(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody tells the default registry, the names were not looked up, and that is said."""
    person.lives(dict(homes.BAD))
    monkeypatch.setattr("lazaretto.infra.npmrc._default", lambda _: None)
    _, out, _ = person.runs("--online")

    assert "could not be looked up" in " ".join(out.split())


def test_without_confinement(person: Person) -> None:
    """A reading in this very process is the first thing to change."""
    person.lives({**homes.GOOD, "lazaretto.toml": "[engine]\nworkers = 0\n"})
    code, out, _ = person.runs()

    assert code == 1
    assert out.startswith("HIGH   lazaretto: sandbox-off")


def test_folder_that_is_none_is_usage(person: Person) -> None:
    """A folder that does not exist is wrong usage."""
    person.lives({})
    assert person.runs("nowhere")[0] == 2


def test_unreadable_alone_is_three(person: Person) -> None:
    """Where something could not be looked at and nothing else is to do, the code says so."""
    person.lives({**homes.GOOD, "renovate.json": "{", "lazaretto.toml": FEED})
    book = SqliteAdvisories(person.folder / "cache", {})
    (person.folder / "cache").mkdir()
    book.replace("osv", [], datetime.now(UTC), "mark")
    book.close()
    code, out, _ = person.runs()

    assert out.startswith("not looked at: renovate.json is not JSON\n")
    assert code == 3
