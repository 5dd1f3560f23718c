"""The drill: a company of which some took axios 1.14.1; everybody who did is named, and nobody else."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest

from lazaretto.core.advisory import Advisory, Affected
from lazaretto.ecosystems.npm import ECOSYSTEM as NPM
from lazaretto.infra.advisories import SqliteAdvisories
from tests.inventory import company
from tests.inventory.company import BAD, commit, lockfile, tree, write
from tests.inventory.conftest import Person

ROOT = Path(__file__).parents[2]
TARBALL = "https://registry.invalid/axios/-/axios-1.14.1.tgz"
PROXY = """\
192.0.2.7 - build [31/Mar/2026:00:25:12 +0000] "GET /axios/-/axios-1.14.1.tgz HTTP/1.1" 200 99 "-" "npm/11"
192.0.2.8 - - [31/Mar/2026:05:00:00 +0000] "GET /axios/-/axios-1.14.1.tgz HTTP/1.1" 404 9 "-" "npm/11"
192.0.2.9 - - [31/Mar/2026:00:25:12 +0000] "GET /axios/-/axios-1.14.0.tgz HTTP/1.1" 200 99 "-" "npm/11"
"""
BUILD = f"""\
2026-03-31T00:25:12.0000000Z ##[group]Run npm ci
2026-03-31T00:25:13.1000000Z npm http fetch GET 200 {TARBALL} 120ms (cache miss)
2026-03-31T00:25:14.0000000Z > plain-crypto-js@4.2.1 postinstall
2026-03-31T00:25:15.0000000Z > node setup.js
"""


def exposed(person: Person, *words: str) -> dict[str, dict[str, object]]:
    """Return the answers by the first two parts of their places' paths."""
    found = {}
    for one in person.asks("axios@1.14.1", *words)["exposures"]:
        path = Path(one["place"]["path"]).relative_to(person.folder)
        found[str(path)] = one
    return found


def test_everybody_who_took_it_is_named_and_nobody_else(person: Person) -> None:
    """Lockfiles, trees, caches, logs, histories: those that have it, and no near miss."""
    home = person.folder
    write(home / "direct" / "package-lock.json", lockfile())
    write(home / "deep" / "package-lock.json", lockfile(direct=False))
    tree(home / "ran")
    company.cache(home / "machine" / ".npm", TARBALL)
    write(home / "ci" / "build.log", BUILD)
    write(home / "mirror" / "access.log", PROXY)
    commit(home / "left", "package-lock.json", lockfile(), BAD)
    commit(home / "left", "package-lock.json", lockfile(bad=False), BAD + timedelta(hours=9))
    write(home / "near" / "package-lock.json", lockfile(bad=False, overrides={"axios": "1.14.1"}))
    write(home / "other" / "package-lock.json", lockfile(bad=False))
    company.cache(home / "elsewhere" / ".npm", TARBALL.replace("1.14.1", "1.14.0"))
    assert person.adds(home) == 0
    found = exposed(person)
    assert sorted(found) == [
        "ci/build.log",
        "deep/package-lock.json",
        "direct/package-lock.json",
        "left",
        "machine/.npm/_cacache",
        "mirror/access.log",
        "ran/node_modules",
    ]


def test_what_is_told_of_each(person: Person) -> None:
    """The path of dependencies, the times, who asked, whether it ran: as far as the place says."""
    home = person.folder
    write(home / "deep" / "package-lock.json", lockfile(direct=False))
    tree(home / "ran")
    write(home / "ran" / "package-lock.json", lockfile())
    write(home / "mirror" / "access.log", PROXY)
    commit(home / "left", "web/package-lock.json", lockfile(), BAD)
    commit(home / "left", "web/package-lock.json", lockfile(bad=False), BAD + timedelta(hours=9))
    assert person.adds(home) == 0
    found = exposed(person)
    assert found["deep/package-lock.json"]["path"] == ["sdk@1.0.0", "axios@1.14.1"]
    assert found["deep/package-lock.json"]["brought"] == ["plain-crypto-js@4.2.1"]
    assert found["deep/package-lock.json"]["confidence"] == "medium"
    for place in ("ran/node_modules", "ran/package-lock.json"):
        assert found[place]["ran"] == "yes", place
        assert found[place]["confidence"] == "high"
        assert "4.2.0" in str(found[place]["reasons"])
    left = found["left"]
    assert left["first"] == "2026-03-31T00:25:12Z"
    assert left["last"] == "2026-03-31T09:25:12Z"
    assert "web/package-lock.json" in str(left["note"])
    served = person.asks("axios@1.14.1")["exposures"]
    told = {one["note"]: one["confidence"] for one in served if one["place"]["kind"] == "proxy-log"}
    assert told == {
        "asked for by build at 192.0.2.7, answered with 200": "high",
        "asked for by 192.0.2.8, answered with 404": "low",
    }


def test_a_script_that_a_log_shows_is_evidence(person: Person) -> None:
    """What a log shows starting ran; a run that was told to start none is told too."""
    write(person.folder / "build.log", BUILD)
    write(person.folder / "quiet.log", BUILD.replace("npm ci", "npm ci --ignore-scripts").rpartition("> plain")[0])
    assert person.adds(person.folder) == 0
    ran = {Path(one["place"]["path"]).name: one["ran"] for one in person.asks("plain-crypto-js@4.2.1")["exposures"]}
    assert ran == {"build.log": "yes"}
    ran = {Path(one["place"]["path"]).name: one["ran"] for one in person.asks("axios@1.14.1")["exposures"]}
    assert ran == {"build.log": "unknown", "quiet.log": "unlikely"}


def test_scripts_that_are_switched_off_are_told(person: Person) -> None:
    """A project whose own settings run no scripts took it all the same, and probably did not run it."""
    write(person.folder / "package-lock.json", lockfile())
    write(person.folder / ".npmrc", "ignore-scripts=true\n")
    person.adds(person.folder)
    (one,) = person.asks("axios@1.14.1")["exposures"]
    assert one["ran"] == "unlikely"
    assert ".npmrc:1" in str(one["reasons"])


def test_a_folder_left_behind_is_evidence(person: Person) -> None:
    """Where the manifest is gone altogether, the folder and what npm wrote down are enough."""
    tree(person.folder, crypto=None)
    person.adds(person.folder)
    (one,) = person.asks("plain-crypto-js@4.2.1")["exposures"]
    assert one["ran"] == "likely"
    assert "left behind" in str(one["reasons"])


def test_what_was_not_there_in_the_time_is_outside(person: Person) -> None:
    """Those that certainly were not there in the window are named apart, and are no reason for the exit code."""
    late = datetime(2026, 4, 2, tzinfo=UTC)
    commit(person.folder / "late", "package-lock.json", lockfile(), late)
    person.adds(person.folder / "late" / ".git")
    window = ("--window", "2026-03-31T00:21Z/2026-03-31T03:20Z")
    answer = person.asks("axios@1.14.1", *window)
    assert not answer["exposures"]
    assert len(answer["outside"]) == 1
    assert person.runs("exposed", "axios@1.14.1", *window)[0] == 0
    assert person.runs("exposed", "axios@1.14.1")[0] == 1


def test_ranges_are_resolved_at_each_minute_of_a_window(person: Person) -> None:
    """A place that fixes nothing is exposed from the publication on, if its range admits the release."""
    write(person.folder / "open" / "package.json", '{"dependencies": {"axios": "^1.13.0"}}')
    write(person.folder / "tilde" / "package.json", '{"dependencies": {"axios": "~1.13.0"}}')
    write(person.folder / "locked" / "package.json", '{"dependencies": {"axios": "^1.13.0"}}')
    write(person.folder / "locked" / "package-lock.json", lockfile(bad=False))
    page = person.folder.parent / "axios.json"
    page.write_text(
        """{"name": "axios", "dist-tags": {"latest": "1.14.0"},
        "versions": {"1.13.5": {"name": "axios"}, "1.14.0": {"name": "axios"}},
        "time": {"created": "2020-01-01T00:00:00.000Z", "1.13.5": "2026-02-08T00:00:00.000Z",
                 "1.14.0": "2026-03-27T19:01:40.000Z", "1.14.1": "2026-03-31T00:21:58.000Z"}}"""
    )
    person.adds(person.folder)
    window = ("--window", "2026-03-31T00:00Z/2026-03-31T03:20Z")
    (one,) = person.asks("axios@1.14.1", *window, "--packument", str(page))["exposures"]
    assert one["place"]["path"] == str(person.folder / "open" / "package.json")
    assert one["confidence"] == "low"
    assert "^1.13.0 would have been 1.14.1 from 2026-03-31T00:21Z until 2026-03-31T03:20Z" in one["note"]
    assert "packument" in str(person.asks("axios@1.14.1", *window)["notes"])


def test_an_advisory_names_releases(person: Person) -> None:
    """What an advisory lists is asked about; what only its range covers is told, and not counted."""
    write(person.folder / "a" / "package-lock.json", lockfile())
    write(person.folder / "b" / "package-lock.json", lockfile(bad=False))
    feed = person.folder.parent / "osv.json"
    feed.write_text(
        """{"id": "MAL-2026-2307", "modified": "2026-03-31T04:00:00Z", "aliases": ["GHSA-fw8c-xr5c-95f9"], "affected": [
        {"package": {"ecosystem": "npm", "name": "axios"}, "versions": ["1.14.1", "0.30.4"],
         "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}]}]}]}"""
    )
    person.adds(person.folder)
    for identifier in ("MAL-2026-2307", "GHSA-fw8c-xr5c-95f9"):
        answer = person.asks("--advisory", identifier, "--feed", str(feed))
        assert [Path(one["place"]["path"]).parent.name for one in answer["exposures"]] == ["a"]
        assert [one["version"] for one in answer["asked"]] == ["0.30.4", "1.14.1"]
        assert "1.14.0" in str(answer["notes"])


def test_what_is_written_is_of_its_schema(person: Person) -> None:
    """The JSON is what the schema that ships with the program says, whatever is found."""
    write(person.folder / "package-lock.json", lockfile())
    tree(person.folder)
    write(person.folder / "broken" / "package-lock.json", "{")
    person.adds(person.folder)
    schema = json.loads((ROOT / "src" / "lazaretto" / "data" / "exposed.schema.json").read_bytes())
    for words in (["axios@1.14.1", "--window", "2026-03-31T00:21Z/2026-03-31T03:20Z"], ["left-pad@1.0.0"]):
        jsonschema.validate(person.asks(*words), schema)


def test_answers_for_a_person(person: Person) -> None:
    """Place, release, times, path, what speaks for it; and the sum, whatever the answer is."""
    assert person.runs("exposed", "axios@1.14.1")[0] == 4
    assert person.runs("inventory", "list")[0] == 4
    assert person.runs("inventory", "status")[0] == 4
    write(person.folder / "package-lock.json", lockfile(direct=False))
    tree(person.folder)
    assert person.runs("inventory", "add", str(person.folder))[1] == "2 places read, 0 unchanged, 0 gone, 0 problems.\n"
    code, text = person.runs("exposed", "axios@1.14.1")
    assert code == 1
    assert "through sdk@1.0.0 > axios@1.14.1" in text
    assert "brought plain-crypto-js@4.2.1" in text
    assert "2 of 2 places looked at expose axios@1.14.1: 2 with high confidence, in 2 it ran" in " ".join(text.split())
    code, text = person.runs("exposed", "axios@1.14.0", "--verbose")
    assert code == 0
    assert "other versions held: npm:axios@1.14.1" in text
    assert person.runs("exposed", "axios@1.14.1", "--exit-zero")[0] == 0
    assert "package-lock.json" in person.runs("inventory", "list")[1]
    assert "2  places" in person.runs("inventory", "status")[1]
    assert json.loads(person.runs("inventory", "status", "--format", "json")[1])["places"] == 2


@pytest.mark.parametrize(
    "words",
    [
        ("exposed",),
        ("exposed", "axios"),
        ("exposed", "axios@^1.0.0"),
        ("exposed", "axios@1.14.1", "--window", "yesterday"),
        ("exposed", "axios@1.14.1", "--window", "2026-03-31T03:00Z/2026-03-31T01:00Z"),
        ("exposed", "axios@1.14.1", "--packument", "x.json"),
        ("exposed", "axios@1.14.1", "--packument", "x.json", "--window", "2026-03-31/2026-04-01"),
        ("exposed", "--advisory", "MAL-2026-1"),
        ("exposed", "--advisory", "MAL-2026-1", "--feed", "none.json"),
        ("inventory", "add", "nowhere"),
        ("inventory", "add", ".", "--name", "a/b"),
    ],
)
def test_wrong_usage(person: Person, words: tuple[str, ...]) -> None:
    """What cannot be understood is said, with an exit code of its own."""
    assert person.runs(*words)[0] == 2


def test_names_of_machines_keep_them_apart(person: Person) -> None:
    """Two disks that are mounted at one place are two machines, if they are named."""
    tree(person.folder / "mnt")
    for name in ("build-7", "build-8"):
        assert person.runs("inventory", "add", "--name", name, str(person.folder / "mnt"))[0] == 0
    places = [one["place"]["path"] for one in person.asks("axios@1.14.1")["exposures"]]
    assert places == ["build-7/node_modules", "build-8/node_modules"]


def test_advisories_that_lie_here_are_found_by_any_of_their_numbers(person: Person) -> None:
    """Without a file the ones that the firewall keeps are asked: by id, by alias, and not by a piece of either."""
    book = SqliteAdvisories(person.folder.parent / "home" / "lazaretto_cache_dir", {"npm": NPM.name})
    affected = (Affected("npm", "axios", ("1.14.1",)),)
    book.replace("osv", [Advisory("MAL-2026-2307", BAD, affected, aliases=("GHSA-fw8c-xr5c-95f9",))], BAD, "")
    book.close()
    write(person.folder / "package-lock.json", lockfile())
    person.adds(person.folder)
    for identifier in ("MAL-2026-2307", "GHSA-fw8c-xr5c-95f9"):
        (one,) = person.asks("--advisory", identifier)["exposures"]
        assert one["advisory"] == "MAL-2026-2307"
    assert person.runs("exposed", "--advisory", "MAL-2026-230")[0] == 2
