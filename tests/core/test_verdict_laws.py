"""The laws of the verdict, asked by Hypothesis: monotonic, empty means no, what is not required has no say."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from lazaretto.core.finding import Finding
from lazaretto.core.names import Digest, Purl
from lazaretto.core.policy import Outage, Outcome, Policy, Waiver
from lazaretto.core.verdict import Record, RecordState, Subject, Verdict, decide
from lazaretto.core.weight import Weight, WeightTable

NOW = datetime(2026, 3, 31, tzinfo=UTC)
SUBJECT = Subject(Purl("pkg:npm/x@1.0.0"), (Digest("sha256:" + "0" * 64),), NOW - timedelta(days=3))
CHECKS = ("files", "edges", "spawn", "flow", "publisher")
TABLE = WeightTable(
    version="t",
    date="2026-01-01",
    status="test",
    weights={
        f"{check}/{weight}": Weight(weight, f"g{weight % 3}") for check in CHECKS for weight in (0, 5, 12, 30, 60)
    },
    caps={"g0": 45.0},
)
OUTAGES = st.sampled_from(list(Outage))


@st.composite
def record(draw: st.DrawFn, check: str) -> Record:
    """Draw any record of a check: complete or not, with any findings."""
    weights = draw(st.lists(st.sampled_from([0, 5, 12, 30, 60]), max_size=3))
    findings = tuple(Finding(check, str(weight), "m", ()) for weight in weights)
    demand = draw(st.sampled_from(list(Outcome)))
    if draw(st.booleans()):
        return Record(check, 1, RecordState.COMPLETE, findings, demand=demand, demands=("said",))
    return Record(check, 1, RecordState.INCOMPLETE, findings, ("why",), draw(OUTAGES), demand, ("said",))


RECORDS = st.fixed_dictionaries({}, optional={check: record(check) for check in CHECKS})
REQUIRED = st.frozensets(st.sampled_from(CHECKS))


def ask(required: frozenset[str], records: dict[str, Record], policy: Policy | None = None) -> Verdict:
    """Decide about the standing subject."""
    return decide(SUBJECT, required, records, TABLE, policy or Policy(), NOW)


@given(REQUIRED, RECORDS, st.sampled_from(CHECKS))
def test_leaving_out_a_record_never_permits(required: frozenset[str], records: dict[str, Record], gone: str) -> None:
    """What is refused with a record is refused without it."""
    less = {check: known for check, known in records.items() if check != gone}
    if ask(required, records).outcome is not Outcome.ALLOW:
        assert ask(required, less).outcome is not Outcome.ALLOW


@given(REQUIRED, RECORDS, st.sampled_from(CHECKS))
def test_requiring_more_never_permits_more(required: frozenset[str], records: dict[str, Record], more: str) -> None:
    """A further required check never turns a refusal into a permission."""
    if required and ask(required, records).outcome is not Outcome.ALLOW:
        assert ask(required | {more}, records).outcome is not Outcome.ALLOW


@given(REQUIRED, RECORDS, st.sampled_from(CHECKS), st.sampled_from([0, 5, 12, 30, 60]))
def test_a_further_finding_never_lowers_the_verdict(
    required: frozenset[str], records: dict[str, Record], check: str, weight: int
) -> None:
    """Innocence is not earned: findings only add."""
    if check not in records:
        return
    known = records[check]
    finding = Finding(check, str(weight), "m", ())
    more = {**records, check: replace(known, findings=(*known.findings, finding))}
    assert not ask(required, more).outcome < ask(required, records).outcome


@given(REQUIRED, RECORDS)
def test_a_demand_is_the_least_that_the_verdict_is(required: frozenset[str], records: dict[str, Record]) -> None:
    """Whatever is charged, what a required record demands is met, for cause and with its reason."""
    verdict = ask(required, records)
    for check in required & records.keys():
        assert not verdict.outcome < records[check].demand
        if records[check].demand is not Outcome.ALLOW:
            assert verdict.for_cause
            assert "said" in verdict.reasons


@given(RECORDS)
def test_an_empty_requirement_permits_nothing(records: dict[str, Record]) -> None:
    """Empty means no."""
    assert ask(frozenset(), records).outcome is Outcome.HOLD


@given(REQUIRED, RECORDS)
def test_not_understood_is_not_clean(required: frozenset[str], records: dict[str, Record]) -> None:
    """ALLOW needs a complete record of every required check, and says so."""
    verdict = ask(required, records)
    full = all(check in records and records[check].state is RecordState.COMPLETE for check in required)
    assert verdict.complete == (full and bool(required))
    if verdict.outcome is Outcome.ALLOW:
        assert verdict.complete


@given(REQUIRED, RECORDS, st.sampled_from(CHECKS))
def test_what_is_not_required_has_no_say(required: frozenset[str], records: dict[str, Record], other: str) -> None:
    """Dropping the record of a check that is not required changes nothing."""
    if other not in required:
        less = {check: known for check, known in records.items() if check != other}
        assert ask(required, less) == ask(required, records)


@given(REQUIRED, RECORDS, st.randoms(use_true_random=False))
def test_the_order_of_records_does_not_matter(
    required: frozenset[str], records: dict[str, Record], shuffler: object
) -> None:
    """The same records in another order give the same verdict."""
    items = list(records.items())
    shuffler.shuffle(items)  # type: ignore[attr-defined]
    assert ask(required, dict(items)) == ask(required, records)


@given(REQUIRED, RECORDS)
def test_a_waiver_is_a_positive_record(required: frozenset[str], records: dict[str, Record]) -> None:
    """A waiver permits until it ends, says what it replaces, and permits nothing afterwards."""
    waiver = Waiver("known", "somebody", NOW + timedelta(days=1), purl=SUBJECT.purl)
    policy = Policy(waivers=(waiver,))
    plain, waived = ask(required, records), ask(required, records, policy)
    assert waived.outcome is Outcome.ALLOW
    assert waived.unwaived == (None if plain.outcome is Outcome.ALLOW else plain.outcome)
    late = decide(SUBJECT, required, records, TABLE, policy, waiver.until)
    assert late.outcome is plain.outcome


def test_a_waiver_by_digest_covers_only_exactly_what_was_read() -> None:
    """A digest among several is not enough: the others were not accepted."""
    digest = SUBJECT.digests[0]
    waiver = Waiver("known", "somebody", NOW + timedelta(days=1), digest=digest)
    assert waiver.covers(SUBJECT.purl, (digest,), NOW)
    assert not waiver.covers(SUBJECT.purl, (digest, Digest("sha256:" + "1" * 64)), NOW)


def test_a_cooldown_holds_the_young_and_the_undated() -> None:
    """An unknown age is held; a complete reading without a finding ends the cooldown early, if that is wanted."""
    records = {"files": Record("files", 1, RecordState.COMPLETE)}
    strict = Policy(cooldown=timedelta(days=7), early_release=False)
    undated = Subject(SUBJECT.purl, SUBJECT.digests)
    assert decide(SUBJECT, frozenset({"files"}), records, TABLE, strict, NOW).outcome is Outcome.HOLD
    assert decide(undated, frozenset({"files"}), records, TABLE, strict, NOW).outcome is Outcome.HOLD
    aged = NOW + timedelta(days=7)
    assert decide(SUBJECT, frozenset({"files"}), records, TABLE, strict, aged).outcome is Outcome.ALLOW
    early = Policy(cooldown=timedelta(days=7))
    assert ask(frozenset({"files"}), records, early).outcome is Outcome.ALLOW
    suspicious = {"files": Record("files", 1, RecordState.COMPLETE, (Finding("files", "5", "m", ()),))}
    assert ask(frozenset({"files"}), suspicious, early).outcome is Outcome.HOLD


def test_an_outage_class_can_be_opened_by_name_only() -> None:
    """The failure policy is closed by default; opening one class leaves the others closed."""
    records = {"files": Record("files", 1, RecordState.INCOMPLETE, (), ("x",), Outage.UPSTREAM)}
    opened = Policy(outages={Outage.UPSTREAM: Outcome.ALLOW})
    assert ask(frozenset({"files"}), records, opened).outcome is Outcome.ALLOW
    assert ask(frozenset({"files", "edges"}), records, opened).outcome is Outcome.HOLD
