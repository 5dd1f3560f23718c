"""The questions that detectors share: chains, commands, tallies, what only a manifest changed."""

from hypothesis import given
from hypothesis import strategies as st

from lazaretto.core.facts import Flow, Kind, Moment, Reach
from lazaretto.core.finding import Card
from lazaretto.core.question import (
    MAX_CHAINS,
    MAX_EVIDENCE,
    MAX_TOLD,
    Tally,
    chains,
    command_files,
    decoded,
    hidden,
    new_chains,
    only_manifest_changed,
    shown,
)
from lazaretto.core.update import Pair
from tests.detectors.updates import fact, view

SECRET, NET, WRITE, SPAWN = Kind.SECRET_READ, Kind.NET_CONNECT, Kind.FS_WRITE, Kind.PROCESS_SPAWN
IMPORTED = {"a.js": Reach.IMPORT}
CARD = Card("x", "X", {"b": "B.", "a": "A."}, "g", "Why.")


def test_a_chain_goes_through_what_lies_between() -> None:
    """A download that is written and then started is one chain, and it is data all the way."""
    facts = {"a.js": [fact(NET, "u"), fact(WRITE, "/f", 2), fact(SPAWN, "/f", 3)]}
    flows = {"a.js": (Flow(0, 1, "data"), Flow(1, 2, "data"))}

    found = list(chains(view({"a.js": ""}, facts, IMPORTED, flows=flows), (NET,), (SPAWN,)))

    assert [(c.source.fact.value, c.sink.fact.value, c.data, c.reach) for c in found] == [
        ("u", "/f", True, Reach.IMPORT)
    ]


def test_things_that_only_stand_together_make_no_long_chain() -> None:
    """A guess may be the first step, not a later one; data after a guess stays a guess."""
    facts = {"a.js": [fact(NET, "u"), fact(WRITE, "/f", 2), fact(SPAWN, "/f", 3)]}
    guess = {"a.js": (Flow(0, 1, "data"), Flow(1, 2, "scope"))}
    first = {"a.js": (Flow(0, 1, "scope"), Flow(1, 2, "data"))}

    assert list(chains(view({"a.js": ""}, facts, IMPORTED, flows=guess), (NET,), (SPAWN,))) == []
    assert [c.data for c in chains(view({"a.js": ""}, facts, IMPORTED, flows=first), (NET,), (SPAWN,))] == [False]


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12), st.sampled_from(["data", "scope"])), max_size=60))
def test_any_flows_end(steps: list[tuple[int, int, str]]) -> None:
    """Circles, and indices that lead nowhere, neither hang nor raise."""
    facts = {"a.js": [fact(NET, str(n), n + 1) if n % 2 else fact(SPAWN, str(n), n + 1) for n in range(10)]}
    flows = {"a.js": tuple(Flow(*step) for step in steps)}

    assert len(list(chains(view({"a.js": ""}, facts, IMPORTED, flows=flows), (NET,), (SPAWN,)))) <= MAX_CHAINS


def test_chains_are_bounded() -> None:
    """Of a file in which everything flows everywhere, the first chains are told."""
    facts = {"a.js": [fact(NET if n < 80 else SPAWN, str(n), n + 1) for n in range(160)]}
    flows = {"a.js": tuple(Flow(source, sink, "data") for source in range(80) for sink in range(80, 160))}

    assert len(list(chains(view({"a.js": ""}, facts, IMPORTED, flows=flows), (NET,), (SPAWN,)))) == MAX_CHAINS


def test_chains_are_new_by_value_and_by_kind() -> None:
    """The same chain is no news; another value of a known kind is news of a known kind; an easier reach is new."""
    flows = {"a.js": (Flow(0, 1, "data"),)}
    old = view({"a.js": "1"}, {"a.js": [fact(SECRET, "A"), fact(NET, "u", 2)]}, IMPORTED, flows=flows)
    other = view({"a.js": "2"}, {"a.js": [fact(SECRET, "B"), fact(NET, "u", 2)]}, IMPORTED, flows=flows)
    easier = view({"a.js": "3"}, {"a.js": [fact(SECRET, "A"), fact(NET, "u", 2)]}, {"a.js": Reach.INSTALL}, flows=flows)

    assert list(new_chains(Pair(old, old), (SECRET,), (NET,))) == []
    assert [new for _, new in new_chains(Pair(old, other), (SECRET,), (NET,))] == [False]
    assert [new for _, new in new_chains(Pair(old, easier), (SECRET,), (NET,))] == [True]
    assert [new for _, new in new_chains(Pair(None, old), (SECRET,), (NET,))] == [True]


def test_command_files() -> None:
    """Files are found behind dots, quotes, separators and left-out endings, and nothing else is."""
    tree = view({"setup.js": "", "lib/index.js": "", "a/b.cjs": ""}).tree

    assert command_files("node ./setup && node 'lib'; sh a\\b.cjs", tree) == ("setup.js", "lib/index.js", "a/b.cjs")
    assert command_files("node-gyp rebuild || exit 0", tree) == ()


def test_hidden_is_an_encoding_and_no_concatenation() -> None:
    """Pieces that are joined hide nothing; one decoding step in a chain does."""
    assert not hidden(fact(SPAWN, "x"))
    assert not hidden(fact(SPAWN, "x", via="concat>join"))
    assert hidden(fact(SPAWN, "x", via="reverse>base64>xor"))
    assert hidden(fact(SPAWN, "x", via="concat>hex"))


def test_tally_is_bounded_and_in_the_order_of_the_card() -> None:
    """However much is put in, a finding stays readable; variants come as the card lists them."""
    pair = Pair(None, view({"a.js": "x\n" * 50}, {"a.js": [fact(SPAWN, str(n), n) for n in range(1, 40)]}, IMPORTED))
    tally = Tally(CARD)
    tally.add("a", pair, *pair.after.placed)
    tally.add("b", pair, pair.after.placed[0])

    first, second = tally.findings({"a": "does a", "b": "does b"})

    assert (first.variant, second.variant) == ("b", "a")
    assert len(second.evidence) == MAX_EVIDENCE
    assert second.message.endswith(f"and {39 - MAX_TOLD} more")


def test_decoded_shows_each_hidden_value_once() -> None:
    """Plain values and other files stay out; so do repetitions."""
    facts = {
        "a.js": [
            fact(SPAWN, "plain"),
            fact(NET, "h", 2, "base64"),
            fact(NET, "h", 3, "base64"),
            fact(Kind.DECODE, "d", 4),
        ],
        "b.js": [fact(NET, "other", 1, "hex")],
    }

    assert [e.decoded for e in decoded(Pair(None, view({"a.js": "", "b.js": ""}, facts)), "a.js")] == ["h", "d"]


def test_only_the_manifest() -> None:
    """Documents and what packers write do not count as a change; code does."""
    old = view({"package.json": "1", "index.js": "a", "README.md": "r"})

    assert only_manifest_changed(Pair(old, view({"package.json": "2", "index.js": "a", "README.md": "s"})))
    assert not only_manifest_changed(Pair(old, view({"package.json": "2", "index.js": "b", "README.md": "r"})))
    assert not only_manifest_changed(Pair(old, view({"package.json": "2", "README.md": "r"})))
    assert not only_manifest_changed(Pair(None, old))


def test_shown_is_one_bounded_line() -> None:
    """A message never breaks, whatever the value."""
    assert shown("a\n\tb\r\n c") == "a b c"
    assert len(shown("x" * 1000)) == 80
    assert shown(None) == ""


def test_moments() -> None:
    """The helper of these tests places what is called later at CALL."""
    placed = view({"a.js": ""}, {"a.js": [fact(SPAWN, "x", moment=Moment.CALL)]}, IMPORTED).placed

    assert [one.reach for one in placed] == [Reach.CALL]


def test_a_followed_value_is_preferred_to_a_guess() -> None:
    """The same end by two ways: the way on which the value was followed is the one that counts."""
    facts = {"a.js": [fact(Kind.DECODE, "d"), fact(WRITE, None, 2), fact(SPAWN, "python {}", 3)]}
    flows = {"a.js": (Flow(0, 2, "scope"), Flow(0, 1, "data"), Flow(1, 2, "data"))}

    assert [c.data for c in chains(view({"a.js": ""}, facts, IMPORTED, flows=flows), (Kind.DECODE,), (SPAWN,))] == [
        True
    ]
