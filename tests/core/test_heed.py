"""What imported indicators ask for: only what is to be blocked, now, and by how sure its source is."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.core.exchange import NEVER_BLOCKED
from lazaretto.core.facts import Kind
from lazaretto.core.heed import Answer, Borne, HeedPolicy, digests, heed, spoken
from lazaretto.core.intel import Confidence, Indicator, IndicatorKind, Source, Use
from lazaretto.core.policy import Outcome
from tests.core.test_exchange import NOW, indicator
from tests.detectors.updates import ARTIFACT, fact, release, update, view

HOST = "host:c2.invalid"
BORNE = {HOST: Borne(HOST, "a.tgz!x.js:3", "base64")}
POLICY = HeedPolicy()


def asked(*told: Indicator, own: tuple[Indicator, ...] = ()) -> Answer:
    """Ask about a release that speaks of a host."""
    return heed(BORNE, told, POLICY, NOW, own)


def host(use: Use = Use.BLOCK, confidence: Confidence = Confidence.HIGH, **fields: object) -> Indicator:
    """Return an indicator of the host."""
    return indicator(IndicatorKind.DOMAIN, "c2.invalid", use, confidence=confidence, **fields)


def package(use: Use = Use.BLOCK, confidence: Confidence = Confidence.HIGH) -> Indicator:
    """Return an indicator that names the release."""
    return indicator(IndicatorKind.PACKAGE, "pkg:npm/a@1.0.0", use, confidence=confidence, sources=(Source("feed"),))


def test_a_sure_indicator_of_the_release_blocks_it() -> None:
    """With the source, the value and how sure it is."""
    answer = asked(own=(package(),))
    assert answer.demand is Outcome.BLOCK
    assert answer.demands == ("feed says that the package pkg:npm/a@1.0.0 is to be blocked (high confidence)",)


def test_a_host_that_it_speaks_of_holds_it() -> None:
    """With the place, and how the value was recovered: a person looks."""
    answer = asked(host())
    assert answer.demand is Outcome.HOLD
    assert answer.demands[0].endswith(", in a.tgz!x.js:3 (base64)")
    assert answer.demands[0].startswith("an import says that the domain c2.invalid")


@pytest.mark.parametrize("confidence", [Confidence.LOW, Confidence.UNKNOWN])
def test_what_nobody_is_sure_of_never_blocks(confidence: Confidence) -> None:
    """It is held."""
    assert asked(own=(package(confidence=confidence),)).demand is Outcome.HOLD
    assert asked(host(confidence=confidence)).demand is Outcome.HOLD


def test_what_is_hunted_is_noted() -> None:
    """It asks for nothing."""
    answer = asked(host(Use.HUNT))
    assert (answer.demand, answer.demands) == (Outcome.ALLOW, ())
    assert "is to be hunted for" in answer.notes[0]
    assert asked(host(Use.REFERENCE)) == Answer()


@pytest.mark.parametrize("use", sorted(NEVER_BLOCKED))
def test_who_calls_it_good_is_heard(use: Use) -> None:
    """A shared value is not held against a release; an exact one is held and not blocked."""
    answer = asked(host(), host(use))
    assert (answer.demand, answer.demands) == (Outcome.ALLOW, ())
    assert f"says {use}" in answer.notes[0]
    exact = asked(own=(package(), package(use)))
    assert exact.demand is Outcome.HOLD
    assert "says otherwise" in exact.demands[0]
    assert asked(host(use)) == Answer()


def test_out_of_its_time_it_says_nothing() -> None:
    """Neither before nor after."""
    assert asked(host(valid_until=NOW)) == Answer()
    assert asked(host(valid_from=NOW + timedelta(days=1))) == Answer()


def test_what_the_release_does_not_bear_says_nothing() -> None:
    """Nor does what cannot be looked up."""
    assert asked(indicator(IndicatorKind.DOMAIN, "other.invalid"), indicator(IndicatorKind.STRING, "x")) == Answer()


def test_many_are_counted() -> None:
    """Ten are told, the rest is a number."""
    borne = {f"host:h{number}.invalid": Borne("") for number in range(12)}
    told = [indicator(IndicatorKind.DOMAIN, f"h{number}.invalid") for number in range(12)]
    answer = heed(borne, told, POLICY, NOW)
    assert len(answer.demands) == 11
    assert answer.demands[-1] == "and 2 more indicators"


def test_hostile_text_is_inert() -> None:
    """Neither a value nor the name of a source acts in a terminal."""
    hostile = host(sources=(Source("\x1b[31mme"),))
    (sentence,) = asked(hostile).demands
    assert sentence.isprintable()


def test_what_a_release_speaks_of() -> None:
    """Decoded hosts, their addresses and mailboxes, each with its first place; paths say nothing."""
    facts = {
        "a.js": [
            fact(Kind.NET_CONNECT, "https://api.c2.invalid/x", 3, "base64"),
            fact(Kind.LITERAL_EMAIL, "me@c2.invalid", 4),
            fact(Kind.LITERAL_PATH, "other.invalid", 5),
            fact(Kind.LITERAL_URL, None, 6),
        ]
    }
    found = spoken(update(None, view({"a.js": "x\n" * 6}, facts)))
    assert found[HOST] == Borne(HOST, f"{ARTIFACT.filename}!a.js:3", "base64")
    assert {"host:api.c2.invalid", "url:https://api.c2.invalid/x", "email:me@c2.invalid"} <= found.keys()
    assert "host:other.invalid" not in found


def test_digests_of_artifacts_and_files() -> None:
    """What was published, and every file that the update added or changed; not what is gone or stayed."""
    from msgspec.structs import replace

    artifact = replace(ARTIFACT, digests={"sha512": "AB"})
    before, after = view({"gone.js": "1", "same.js": "2"}), view({"same.js": "2", "new.js": "3"})
    found = digests(update(before, after, after=release("1.0.1", artifacts=(artifact,))))
    assert set(found) == {"digest:ab", "digest:'3'"}
    assert found["digest:'3'"].place == f"{ARTIFACT.filename}!new.js"


INDICATORS = st.lists(
    st.builds(
        indicator,
        st.sampled_from([IndicatorKind.DOMAIN, IndicatorKind.URL]),
        st.just("c2.invalid"),
        st.sampled_from(list(Use)),
        confidence=st.sampled_from(list(Confidence)),
        valid_until=st.sampled_from([None, NOW, NOW + timedelta(days=1)]),
    ),
    max_size=6,
)
OWN = st.lists(st.builds(package, st.sampled_from(list(Use)), st.sampled_from(list(Confidence))), max_size=4)


@given(INDICATORS, OWN)
def test_only_what_is_to_be_blocked_asks_for_anything(told: list[Indicator], own: list[Indicator]) -> None:
    """Without it there is no demand, whoever else says what; and a further warning never lowers one."""
    mild = [one for one in told if one.use is not Use.BLOCK], [one for one in own if one.use is not Use.BLOCK]
    assert heed(BORNE, mild[0], POLICY, NOW, mild[1]).demand is Outcome.ALLOW
    whole = heed(BORNE, told, POLICY, NOW, own)
    assert not heed(BORNE, told, POLICY, NOW, [*own, package()]).demand < whole.demand
    fewer = [one for one in own if one.use not in NEVER_BLOCKED]
    assert not heed(BORNE, told, POLICY, NOW, fewer).demand < whole.demand, "leaving out who spares never permits"
