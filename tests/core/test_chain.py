"""The chain of entries: whatever is done to it afterwards is found, at the first place."""

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lazaretto.core.chain import START, Break, Content, Entry, Head, append, canonical, verify
from lazaretto.core.names import Digest

VALUES = st.one_of(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), st.integers(-(2**60), 2**60))
CONTENTS = st.dictionaries(st.sampled_from(["at", "who", "what", "reason"]), st.none() | st.booleans() | VALUES)
LISTS = st.lists(CONTENTS, min_size=1, max_size=8)


def chain(contents: list[dict[str, str | int | bool | None]], start: Head = START) -> list[Entry]:
    """Return the entries of a chain."""
    entries: list[Entry] = []
    for content in contents:
        entries.append(append(entries[-1].head if entries else start, content))
    return entries


@given(contents=st.lists(CONTENTS, max_size=8))
def test_a_chain_holds(contents: list[dict[str, str | int | bool | None]]) -> None:
    """What was appended and left alone holds, through every head that it ever had, and can be gone on with."""
    entries = chain(contents)

    assert verify(entries, [entry.head for entry in entries]) is None
    for entry in entries:
        assert verify(entries[entry.number :], start=entry.head) is None
        assert canonical(entry.content) == canonical(dict(sorted(entry.content.items(), reverse=True)))


@given(contents=LISTS, data=st.data())
def test_a_change_is_found(contents: list[dict[str, str | int | bool | None]], data: st.DataObject) -> None:
    """An entry that says something else breaks the chain there, sealed anew or not."""
    entries = chain(contents)
    at = data.draw(st.integers(0, len(entries) - 1))
    other = data.draw(CONTENTS)
    assume(canonical(other) != canonical(entries[at].content))
    changed = [*entries[:at], msgspec.structs.replace(entries[at], content=other), *entries[at + 1 :]]
    sealed = [*entries[:at], append(entries[at - 1].head if at else START, other), *entries[at + 1 :]]

    assert verify(changed) == Break(at + 1, "its hash is not that of what it says: it was changed")
    assert verify(sealed, [entries[-1].head])
    if at + 1 < len(entries):
        found = verify(sealed)
        assert found
        assert found.number == at + 2


@given(contents=LISTS, data=st.data())
def test_a_removal_is_found(contents: list[dict[str, str | int | bool | None]], data: st.DataObject) -> None:
    """A chain without one of its entries is broken there; without its end, if the head is known."""
    entries = chain(contents)
    at = data.draw(st.integers(0, len(entries) - 1))
    found = verify([*entries[:at], *entries[at + 1 :]], [entries[-1].head])

    assert found
    assert found.number == at + 1


@given(contents=LISTS, keep=st.integers(0, 7))
def test_a_cut_is_found_by_a_known_head(contents: list[dict[str, str | int | bool | None]], keep: int) -> None:
    """A chain whose end was cut off holds by itself, and not against a head that was noted."""
    entries = chain(contents)
    assume(keep < len(entries))

    assert verify(entries[:keep]) is None
    found = verify(entries[:keep], [entries[-1].head])
    assert found
    assert "cut off" in found.reason


@given(contents=st.lists(CONTENTS, min_size=2, max_size=8), data=st.data())
def test_a_swap_is_found(contents: list[dict[str, str | int | bool | None]], data: st.DataObject) -> None:
    """Two entries that changed places break the chain at the first of them."""
    entries = chain(contents)
    low = data.draw(st.integers(0, len(entries) - 2))
    high = data.draw(st.integers(low + 1, len(entries) - 1))
    entries[low], entries[high] = entries[high], entries[low]
    found = verify(entries)

    assert found
    assert found.number == low + 1


@given(contents=LISTS, data=st.data())
def test_an_insertion_is_found(contents: list[dict[str, str | int | bool | None]], data: st.DataObject) -> None:
    """An entry that was put in, however well sealed, breaks the chain, by itself or against a known head."""
    entries = chain(contents)
    at = data.draw(st.integers(0, len(entries)))
    extra = append(entries[at - 1].head if at else START, data.draw(CONTENTS))
    mixed = [*entries[:at], extra, *entries[at:]]

    assert verify(mixed) if at < len(entries) else verify(mixed, [Head(extra.number, entries[0].previous)])


@given(contents=LISTS, other=LISTS)
def test_another_chain_is_found(contents: list[dict[str, str | int | bool | None]], other: list[Content]) -> None:
    """A chain that was made anew from its beginning holds by itself, and not against any known head of the old one."""
    entries = chain(contents)
    forged = chain([{"what": "forged"}, *(dict(content) for content in other)])
    assume(contents[0] != {"what": "forged"})

    assert verify(forged) is None
    assert all(verify(forged, [entry.head]) for entry in entries)


@pytest.mark.parametrize("content", [{"a": 1.5}, {"a": ["x"]}, {"a": "\ud800"}, {1: "a"}])
def test_what_has_no_one_spelling_is_refused(content: Content) -> None:
    """Fractions, lists and broken text cannot be sealed; found in a chain, they are a break."""
    with pytest.raises((TypeError, ValueError)):
        append(START, content)
    assert verify([Entry(1, content, START.hash, Digest("sha256:0"))])
