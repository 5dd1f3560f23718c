"""Whose handiwork: unknown is the default, weak things name nobody, and what everybody has weighs nothing."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from lazaretto.core.attribution import Attribution, Attributor, Hypothesis
from lazaretto.core.intel import (
    Alias,
    Campaign,
    Claim,
    Confidence,
    Indicator,
    IndicatorKind,
    IntrusionSet,
    Sighting,
    SightingKind,
    Source,
    Use,
)
from lazaretto.core.knowledge import Knowledge
from lazaretto.core.shape import shape
from lazaretto.core.traits import of_campaign, of_set
from lazaretto.infra.knowledge import scale, shipped
from tests.core.test_shape import CODE

K = SightingKind
DAY = date(2026, 1, 2)
SOURCE = Source("s")


def indicator(kind: IndicatorKind, value: str, campaign: str, use: Use = Use.BLOCK) -> Indicator:
    """Return an indicator that is sure."""
    return Indicator(kind, value, use, Confidence.HIGH, campaign=campaign, sources=(SOURCE,))


def campaign(name: str, actor: str = "", **fields: object) -> Campaign:
    """Return a campaign, at somebody's door if ``actor`` is named."""
    claims = (Claim("V", actor, Confidence.HIGH, SOURCE),) if actor else ()
    return replace(
        Campaign(name, name, DAY, ecosystem="npm", claims=claims, confidence=Confidence.HIGH),
        **fields,
    )


KNOWN = Knowledge(
    sets=(
        IntrusionSet(
            "alpha", "Alpha", (Alias("Alef", "V"),), techniques=("T1485",), marks=("a word or two", "ALPHA_KEY")
        ),
        IntrusionSet("beta", "Beta"),
    ),
    campaigns=(
        campaign("one", "Alpha", techniques=("T1195.002", "T1105"), habits={"range": "caret", "runtime": "second"}),
        campaign("two", "Alef", techniques=("T1195.002",), packages=("pkg:npm/planted@1.0.1", "pkg:npm/victim")),
        campaign("three", "Beta", techniques=("T1195.002",), habits={"runtime": "second"}, marks=("install.js",)),
        campaign("four", techniques=("T1195.002",), habits={"range": "exact"}, ecosystem=""),
    ),
    indicators=(
        indicator(IndicatorKind.DOMAIN, "c2.invalid", "one"),
        indicator(IndicatorKind.URL, "http://203.0.113.9:8000/77", "one"),
        indicator(IndicatorKind.STRING, "Xor_Key_1", "two", Use.HUNT),
        indicator(IndicatorKind.ACCOUNT, "victim", "two", Use.HUNT),
        indicator(IndicatorKind.SHA256, "00" * 32, "two", Use.KNOWN_GOOD),
        indicator(IndicatorKind.SHA256, "11" * 32, "two"),
        indicator(IndicatorKind.CIDR, "203.0.113.0/24", "two", Use.HUNT),
        indicator(IndicatorKind.EMAIL, "hand@mail.invalid", "one"),
    ),
)
ASKED = Attributor(KNOWN, scale())


def ask(*sightings: tuple[SightingKind, str]) -> Attribution:
    """Return the answer for what was seen."""
    return ASKED.attribute(Sighting(kind, value) for kind, value in sightings)


def of(answer: Attribution, name: str) -> Hypothesis:
    """Return one hypothesis."""
    return next(one for one in answer.hypotheses if one.id == name)


def test_nothing_seen_is_nobody() -> None:
    """Unknown is the default."""
    assert ask().hypotheses == ()
    assert ask((K.HOST, "other.invalid"), (K.TECHNIQUE, "T9999")).named == ()


def test_what_is_a_hands_own_names_it_with_reasons_and_claims() -> None:
    """A host and the digest of a file: the campaign, the set behind it, where it is known from, and who says so."""
    answer = ask((K.HOST, "C2.invalid"), (K.EMAIL, "hand@mail.invalid"), (K.DIGEST, f"sha256:{'11' * 32}"))
    alpha = of(answer, "alpha")

    assert "alpha" in {one.id for one in answer.named}
    assert {name for reason in alpha.supports for name in reason.campaigns} == {"one", "two"}
    assert {claim.actor for claim in alpha.claims} == {"Alpha", "Alef"}
    assert all(reason.strong for reason in alpha.supports)
    assert any("alpha_key" in text for text in alpha.missing)
    assert answer.hypotheses[0].named


def test_weak_things_name_nobody() -> None:
    """All techniques and habits of a campaign together do not reach a name, however many they are."""
    techniques = tuple(f"T{number}" for number in range(1000, 1060))
    known = Knowledge(campaigns=(campaign("x", techniques=techniques, habits={"a": "1", "b": "2", "c": "3"}),))
    seen = [Sighting(K.TECHNIQUE, one) for one in techniques] + [Sighting(K.HABIT, f"{n}={v}") for n, v in ("a1", "b2")]
    answer = Attributor(known, scale()).attribute(seen)

    assert answer.named == ()
    assert 0 < answer.hypotheses[0].weight < scale().name_at


def test_what_is_not_fit_to_be_used_shows_nothing() -> None:
    """A known good file, the account that was taken, a range of addresses: none of them is the hand's."""
    answer = ask((K.DIGEST, f"sha256:{'00' * 32}"), (K.ACCOUNT, "victim"), (K.PACKAGE, "pkg:npm/victim"))

    assert answer.hypotheses == ()


def test_what_all_have_weighs_nothing() -> None:
    """A technique that every hand has is listed as shared, with how many have it."""
    answer = ask((K.TECHNIQUE, "T1195.002"), (K.HOST, "c2.invalid"))
    shared = of(answer, "alpha").shared

    assert [(reason.text, reason.hands) for reason in shared] == [("technique T1195.002", 3)]
    assert ASKED.spread(K.TECHNIQUE, "t1195.002") == 0.0


@settings(max_examples=20)
@given(hands=st.integers(1, 40), more=st.integers(0, 20))
def test_a_trait_weighs_less_the_more_hands_have_it(hands: int, more: int) -> None:
    """With each further hand the weight falls or stays, from 1 for one hand's own to 0 where all have it."""

    def asked(count: int) -> Attributor:
        some = [campaign(f"c{n}", techniques=("T1",) if n < count else ()) for n in range(61)]
        return Attributor(Knowledge(campaigns=tuple(some)), scale())

    assert asked(hands + more).spread(K.TECHNIQUE, "t1") <= asked(hands).spread(K.TECHNIQUE, "t1")
    assert asked(1).spread(K.TECHNIQUE, "t1") == 1.0
    assert asked(61).spread(K.TECHNIQUE, "t1") == 0.0


@pytest.mark.parametrize("name", ["TruffleHog", "Bun"])
def test_what_the_published_worm_brought_is_near_nothing(name: str) -> None:
    """Since its source is public its tools are everybody's: the shipped knowledge itself says so."""
    asked = Attributor(shipped(), scale())
    hypotheses = asked.attribute([Sighting(K.STRING, f"run {name} now")]).hypotheses

    assert all(one.weight <= 3.0 for one in hypotheses)


def test_another_value_speaks_against() -> None:
    """Another range than it always had, and a host that is none of its own: counted, and told."""
    fits = of(ask((K.HABIT, "runtime=second"), (K.TECHNIQUE, "T1105"), (K.HABIT, "range=caret")), "one")
    other = of(ask((K.TECHNIQUE, "T1105"), (K.HABIT, "range=exact"), (K.HOST, "else.invalid")), "one")

    assert fits.contradicts == ()
    assert len(other.contradicts) == 2
    assert all(reason.weight < 0 for reason in other.contradicts)
    assert "else.invalid" in " ".join(reason.text for reason in other.contradicts)


EVERYTHING = [
    Sighting(trait.kind, trait.value)
    for one in KNOWN.campaigns
    for trait in of_campaign(one, KNOWN.of_campaign(one.id))
]
AGAINST = st.sampled_from(
    [Sighting(K.HABIT, "range=tilde"), Sighting(K.HOST, "else.invalid"), Sighting(K.EMAIL, "x@y.invalid")]
)


@given(seen=st.lists(st.sampled_from(EVERYTHING)), against=AGAINST)
def test_what_contradicts_never_raises(seen: list[Sighting], against: Sighting) -> None:
    """Whatever else was seen, one more thing that does not fit makes no hypothesis likelier."""
    before = {(one.sort, one.id): one.weight for one in ASKED.attribute(seen).hypotheses}
    after = {(one.sort, one.id): one.weight for one in ASKED.attribute([*seen, against]).hypotheses}

    assert all(after[name] <= weight for name, weight in before.items())


@given(seen=st.lists(st.sampled_from(EVERYTHING)), order=st.randoms(use_true_random=False))
def test_the_order_does_not_matter(seen: list[Sighting], order: object) -> None:
    """The same sightings in any order, or told twice, give the same answer."""
    mixed = [*seen, *seen[:3]]
    order.shuffle(mixed)  # type: ignore[attr-defined]

    assert ASKED.attribute(mixed) == ASKED.attribute(seen)


@given(st.lists(st.sampled_from([one for one in EVERYTHING if one.kind in (K.TECHNIQUE, K.HABIT, K.FILE_PATH)])))
def test_weak_evidence_alone_never_names(seen: list[Sighting]) -> None:
    """Techniques, habits and names of files, in any combination: unknown."""
    assert ASKED.attribute(seen).named == ()


def test_of_two_that_are_near_none_is_named() -> None:
    """What two campaigns have in common to the last names neither of them."""
    twins = Knowledge(
        campaigns=(campaign("x"), campaign("y"), campaign("z")),
        indicators=tuple(
            indicator(kind, value, name)
            for name in "xy"
            for kind, value in ((IndicatorKind.DOMAIN, "c2.invalid"), (IndicatorKind.SHA1, "1" * 40))
        ),
    )
    answer = Attributor(twins, scale()).attribute(
        [Sighting(K.HOST, "c2.invalid"), Sighting(K.DIGEST, f"sha1:{'1' * 40}")]
    )

    assert [one.weight for one in answer.hypotheses] == [answer.hypotheses[0].weight] * 2
    assert answer.named == ()


def test_a_mark_is_found_inside_a_text() -> None:
    """A key stands in a longer string, a name of a file at the end of a path; an address in a URL is one of its own."""
    answer = ask((K.COMMAND, "decode xor_key_1 now"), (K.FILE_PATH, "lib/install.js"), (K.ADDRESS, "203.0.113.9"))

    assert "string" in {reason.kind.value for reason in of(answer, "two").supports}
    assert "file-path" in {reason.kind.value for reason in of(answer, "three").supports}
    assert "address" in {reason.kind.value for reason in of(answer, "one").supports}


def test_an_indicator_that_stands_in_any_text_shows_nothing() -> None:
    """A feed that gives an empty or a short string, or one over two lines, names nobody by it."""
    kinds = ((IndicatorKind.STRING, "abc"), (IndicatorKind.FILE_PATH, "/"), (IndicatorKind.STRING, "one text\nanother"))
    known = Knowledge(
        campaigns=(campaign("x", ecosystem=""),), indicators=tuple(indicator(kind, value, "x") for kind, value in kinds)
    )
    seen = [Sighting(K.STRING, value) for value in ("abcdef", "one text", "another")] + [Sighting(K.FILE_PATH, "/")]

    assert Attributor(known, scale()).attribute(seen).hypotheses == ()


def test_alike_code_is_one_shape() -> None:
    """A fingerprint that a campaign is known by is met by code that is nearly the same."""
    told = shape(CODE.encode())
    near = shape((CODE + "module.exports.more = (one) => one + 1;\n").encode())
    assert told is not None
    assert near is not None
    assert told != near
    asked = Attributor(Knowledge(campaigns=(campaign("x", marks=(told,)), campaign("y"))), scale())
    same, alike, none = (asked.attribute([Sighting(K.SHAPE, one)]) for one in (told, near, "minhash:"))

    assert of(same, "x").named
    assert 0 < of(alike, "x").weight < of(same, "x").weight
    assert none.hypotheses == ()


def test_marks_in_words_are_for_people() -> None:
    """What can stand in no program is no trait; a profile's techniques are."""
    assert [trait.value for trait in of_set(KNOWN.sets[0])] == ["alpha_key", "t1485"]
