"""What is seen in a release: values that were recovered, habits of whoever published it; bounded, sorted, told once."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from lazaretto.core.facts import Kind, Reach
from lazaretto.core.finding import Card, Evidence, Finding
from lazaretto.core.intel import Sighting, SightingKind
from lazaretto.core.model import Publisher
from lazaretto.core.names import ProjectName, Purl, Version
from lazaretto.core.sighting import (
    MAX_SEEN,
    MAX_SHAPES,
    MAX_SIGHTINGS,
    chain,
    of_edge,
    of_evidence,
    of_finding,
    of_update,
    settled,
    told_in,
)
from tests.core.test_shape import CODE
from tests.detectors.updates import NOW, edge, fact, release, update, view

K = SightingKind
CARDS = {"d": Card("d", "D", {"v": "V."}, "g", "why", ("T1105",))}
HASHED = "0x" + "ab" * 20


def seen(text: str) -> set[tuple[SightingKind, str]]:
    """Return what stands in a text."""
    return {(one.kind, one.value) for one in told_in(text)}


def purl(name: ProjectName, version: Version) -> Purl:
    """Return the name of an npm release."""
    return Purl(f"pkg:npm/{name}@{version}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://c2.invalid:8000/stage/1", {(K.HOST, "c2.invalid"), (K.URI_PATH, "/stage/1")}),
        ("http://203.0.113.9/x", {(K.ADDRESS, "203.0.113.9"), (K.URI_PATH, "/x")}),
        ("c2.invalid", {(K.HOST, "c2.invalid")}),
        ("C2.invalid:443", {(K.HOST, "c2.invalid")}),
        ("someone@mail.invalid", {(K.EMAIL, "someone@mail.invalid")}),
        (r"HKCU\Software\Run\Update", {(K.REGISTRY_VALUE, r"HKCU\Software\Run\Update")}),
        (r"Global\{one-at-a-time}", {(K.MUTEX, r"Global\{one-at-a-time}")}),
        ("Mozilla/4.0 (compatible; MSIE 8.0)", {(K.USER_AGENT, "Mozilla/4.0 (compatible; MSIE 8.0)")}),
        (HASHED, {(K.WALLET, HASHED)}),
        ("ssh-ed25519 " + "A" * 60, {(K.KEY, "ssh-ed25519 " + "A" * 60)}),
        ("nohup python3 /tmp/ld.py", {(K.FILE_PATH, "/tmp/ld.py"), (K.COMMAND, "nohup python3 /tmp/ld.py")}),
        (r"%TEMP%\x.vbs", {(K.FILE_PATH, r"%TEMP%\x.vbs")}),
    ],
)
def test_values_are_told_by_what_they_are(text: str, expected: set[tuple[SightingKind, str]]) -> None:
    """A host is no path and an address no host: each is compared with its own kind."""
    assert expected <= seen(text)


def test_files_are_no_hosts() -> None:
    """``setup.js`` is a file, although somebody may own a domain of that name; an address is no host."""
    kinds = {kind for text in ("setup.js", "compile.bat", "http://203.0.113.9/x", "abc") for kind, _ in seen(text)}

    assert K.HOST not in kinds
    assert (K.URI_PATH, "/") not in seen("https://c2.invalid/")
    assert seen("abc") == set()


def test_a_text_that_is_one_value_is_told_once() -> None:
    """A host is no string besides; a command that names a host is a command, and the host stands for itself."""
    assert seen("c2.invalid") == {(K.HOST, "c2.invalid")}
    assert (K.STRING, "Key_of_77") in seen("Key_of_77")
    assert {(K.COMMAND, "curl https://c2.invalid/x"), (K.HOST, "c2.invalid")} <= seen("curl https://c2.invalid/x")


def test_a_text_that_is_read_is_bounded() -> None:
    """What is far inside a long text is not looked for, and no value is longer than the bound."""
    found = list(told_in("x" * 100_000 + " c2.invalid"))

    assert found
    assert all(len(one.value) <= MAX_SEEN for one in found)


@given(st.lists(st.builds(Sighting, st.sampled_from(list(K)), st.text(max_size=3), st.text(max_size=2))))
def test_each_thing_is_told_once_whatever_the_order(sightings: list[Sighting]) -> None:
    """The same sightings in another order, or twice, are the same."""
    once = settled(sightings)

    assert once == settled([*reversed(sightings), *sightings])
    assert len({(one.kind, one.value) for one in once}) == len(once)


def test_what_is_rare_is_kept_where_there_is_too_much() -> None:
    """Thousands of strings do not push out the one address."""
    many = [Sighting(K.STRING, f"text {number}") for number in range(MAX_SIGHTINGS + 50)]
    found = settled([*many, Sighting(K.ADDRESS, "203.0.113.9")])

    assert len(found) == MAX_SIGHTINGS
    assert Sighting(K.ADDRESS, "203.0.113.9") in found


def test_a_chain_keeps_what_is_a_choice() -> None:
    """Joining characters is what every program does."""
    assert chain("reverse>base64>xor>char-codes") == "reverse>base64>xor"
    assert chain("concat") == "plain"
    assert chain(">".join(["reverse", "base64", "zlib"] * 50)) == "reverse>base64>zlib"


def test_evidence_shows_its_value_its_hiding_and_its_hook() -> None:
    """The decoded value counts before the line; a line of the manifest names the hook."""
    hidden = Evidence("a.js", 3, decoded="https://c2.invalid/x", via="base64>xor", reach=Reach.IMPORT)
    hook = Evidence("package.json", 5, text='"postinstall": "node setup.js"')
    found = {(one.kind, one.value) for one in (*of_evidence(hidden), *of_evidence(hook))}

    assert {(K.HOST, "c2.invalid"), (K.HABIT, "hidden-by=base64>xor"), (K.HABIT, "runs-at-import=yes")} <= found
    assert (K.HABIT, "hook=postinstall") in found


def test_a_finding_shows_its_techniques_and_its_habit() -> None:
    """The row of a variant counts before that of its detector; no row is no habit; no evidence has no place."""
    habits = {"d": "a=1", "d/v": "a=2"}

    assert [one.value for one in of_finding("d", "v", ("T1105",), (), habits)] == ["T1105", "a=2"]
    assert [one.value for one in of_finding("d", "w", (), (Evidence("a.js", 2),), habits)] == ["a=1"]
    assert list(of_finding("e", "v", (), (), habits)) == []


@pytest.mark.parametrize(("text", "value"), [("^1.0.0", "caret"), ("1.0.0", "exact"), ("", "open"), (">=1", "open")])
def test_a_new_dependency_shows_its_range(text: str, value: str) -> None:
    """How the range is written is a habit; a dependency that resolves to nothing has no name to show."""
    assert (K.HABIT, f"range={value}") in {(one.kind, one.value) for one in of_edge(text, None)}
    assert K.PACKAGE not in {one.kind for one in of_edge(text, None)}


def test_an_update_shows_what_it_newly_does() -> None:
    """Findings, new acts, new files with their shape, the release itself: and nothing that was there before."""
    old = view({"index.js": "1", "gone.js": "x"})
    new = view(
        {"index.js": "1", "setup.js": CODE, "README.md": CODE},
        {
            "setup.js": [fact(Kind.NET_CONNECT, "https://c2.invalid/x", via="xor"), fact(Kind.PROCESS_SPAWN)],
            "README.md": [fact(Kind.LITERAL_URL, "https://docs.invalid")],
        },
        {"setup.js": Reach.INSTALL},
    )
    found = of_update(update(old, new), purl, [Finding("d", "v", "m", (Evidence("setup.js", 1),))], CARDS, {})
    told = {(one.kind, one.value) for one in found}

    assert {(K.PACKAGE, "pkg:npm/example-package@1.0.1"), (K.TECHNIQUE, "T1105"), (K.HOST, "c2.invalid")} <= told
    assert {(K.FILE_PATH, "setup.js"), (K.HABIT, "ecosystem=npm"), (K.HABIT, "hidden-by=xor")} <= told
    assert (K.HOST, "docs.invalid") not in told
    shapes = [(one.path, one.value.partition(":")[0]) for one in found if one.kind is K.SHAPE]
    assert shapes == [("setup.js", "minhash"), ("setup.js", "tlsh")]


def test_the_publisher_shows_only_if_it_is_new() -> None:
    """Who always published is the victim, not the hand; a release without a time or a publisher shows neither."""
    old, new = view({"a.js": "1"}), view({"a.js": "2"})
    known, other = Publisher("owner", "owner@mail.invalid"), Publisher("other", "o@else.invalid")
    before = release("1.0.0", publisher=known)

    same = of_update(update(old, new, before=before, after=release("1.0.1", publisher=known)), purl, (), {}, {})
    changed = release("1.0.1", publisher=other, published=NOW)
    taken = of_update(update(old, new, before=before, after=changed), purl, (), {}, {})
    told = {(one.kind, one.value) for one in taken}

    assert {one.kind for one in same} & {K.ACCOUNT, K.EMAIL} == set()
    assert {(K.ACCOUNT, "other"), (K.EMAIL, "o@else.invalid"), (K.HABIT, "mail=else.invalid")} <= told
    assert (K.HABIT, "hours=12-18") in told
    nameless = of_update(update(old, new, after=release("1.0.1", publisher=Publisher("bot"))), purl, (), {}, {})
    assert K.EMAIL not in {one.kind for one in nameless}


def test_a_clean_version_first_is_a_habit() -> None:
    """A project of days whose first version came before the one that is installed: the decoy."""
    decoy, armed = (release(v, published=NOW - timedelta(days=d)) for v, d in (("1.0.0", 1), ("1.0.1", 0)))
    old_one = replace(decoy, published=NOW - timedelta(days=900))
    publisher = replace(armed, publisher=Publisher("nobody"))

    def habits(*edges: object) -> set[str]:
        made = update(view({}), view({}), edges=edges)  # type: ignore[arg-type]
        return {one.value for one in of_update(made, purl, (), {}, {}) if one.kind in (K.HABIT, K.ACCOUNT)}

    assert {"decoy-first=yes", "new-dependency=yes", "range=caret", "nobody"} <= habits(edge("d", decoy, publisher))
    assert "decoy-first=yes" not in habits(edge("d", old_one, armed))
    assert "decoy-first=yes" not in habits(edge("d", replace(armed, published=None)))
    assert "new-dependency=yes" in habits(edge("d"))


def test_few_files_are_given_a_shape() -> None:
    """A release of hundreds of changed files costs no more than the bound."""
    files = {f"f{number:03}.js": CODE for number in range(MAX_SHAPES + 5)}
    new = view(files, {}, dict.fromkeys(files, Reach.IMPORT))
    found = of_update(update(None, new), purl, (), {}, {})

    assert {one.kind for one in found} >= {K.SHAPE, K.DIGEST}
    assert len([one for one in found if one.kind is K.SHAPE]) == 2  # of either sort one: all alike, told once
