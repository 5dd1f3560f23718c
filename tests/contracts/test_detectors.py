"""What is asked of every detector, present and future. Nothing here names one."""

import re
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import cast

import msgspec
import pytest

from lazaretto._plugins import discover, names
from lazaretto.core.finding import Card, Detector, Example, Finding
from lazaretto.core.update import Update
from lazaretto.core.weight import WeightTable, row_key, weigh
from tests.examples import build_update

REQUIRED = ("CARD", "EXAMPLES", "detect")
MODULES = discover("lazaretto.detectors", REQUIRED)
DATA = Path(__file__).parents[2] / "src" / "lazaretto" / "data"
GOLDEN = Path(__file__).parents[1] / "golden" / "detectors.txt"
SECTIONS = ("## What it detects", "## Why it matters", "## What it misses", "## References")
EXAMPLES = [(module, example) for module in MODULES for example in module.EXAMPLES]
TREES_ALONE = [(module, example) for module, example in EXAMPLES if not example.world]
"""The examples whose signal stands in the files: the others' stands in the index, which no tree can hold still."""

INERT = re.compile(r"https?://[^\s\"'`<>)\\]+", re.IGNORECASE)
HARMLESS = re.compile(
    r"\.invalid\b|//(192\.0\.2|198\.51\.100|203\.0\.113|127\.0\.0)\.|//localhost|//example\.(com|org|net)|\$\{|//\{"
)


class Attack(msgspec.Struct, frozen=True):
    """The vendored table of techniques: id -> name, and revoked id -> its successor."""

    framework: str
    version: str
    basis: str
    notice: str
    techniques: dict[str, str]
    revoked: dict[str, str | None]


@cache
def attack() -> Attack:
    """Return the vendored ATT&CK table."""
    return msgspec.json.decode((DATA / "attack.json").read_bytes(), type=Attack)


@cache
def weights() -> WeightTable:
    """Return the shipped weight table."""
    return msgspec.json.decode((DATA / "weights.json").read_bytes(), type=WeightTable)


def short_name(module: ModuleType) -> str:
    """Return the last part of a module's name."""
    return module.__name__.rpartition(".")[2]


def example_name(value: object) -> str | None:
    """Return what pytest calls a module or an example."""
    if isinstance(value, Example):
        return re.sub(r"\W+", "-", value.title.lower())
    return short_name(value) if isinstance(value, ModuleType) else None


@pytest.fixture(params=MODULES, ids=short_name)
def module(request: pytest.FixtureRequest) -> ModuleType:
    """Return each detector's module in turn."""
    return cast("ModuleType", request.param)


@pytest.fixture
def card(module: ModuleType) -> Card:
    """Return the card of each detector in turn."""
    return cast("Card", module.CARD)


def test_id_is_the_name_of_the_file(module: ModuleType, card: Card) -> None:
    """A finding's id leads to its file without a search."""
    assert card.id == short_name(module).replace("_", "-")
    assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", card.id)


def test_docstring_is_a_page(module: ModuleType) -> None:
    """The docstring reads after "This update ...", and has every section, in order, none of them empty."""
    page = module.__doc__ or ""
    places = [page.find(f"\n{section}\n") for section in SECTIONS]

    assert page.startswith("This update "), "the first sentence says what this update does"
    assert -1 not in places, f"missing: {[s for s, place in zip(SECTIONS, places, strict=True) if place < 0]}"
    assert places == sorted(places)
    for (start, end), section in zip(pairwise([*places, len(page)]), SECTIONS, strict=True):
        assert page[start + len(section) + 1 : end].strip(), f"{section} is empty"
    assert "- " in page[places[-1] :], "references are a list"


def test_card_is_complete(card: Card) -> None:
    """A card says, in sentences, all that a page, a SARIF rule and a report need."""
    assert card.title
    assert not card.title.endswith(".")
    assert card.why.endswith(".")
    assert card.group
    assert card.version >= 1
    assert re.fullmatch(r"\d+\.\d+\.\d+", card.since)
    assert card.variants
    for variant, sentence in card.variants.items():
        assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", variant)
        assert sentence.endswith("."), f"{variant}: the sentence that says when it applies ends in a full stop"


def test_techniques_are_known(card: Card) -> None:
    """ATT&CK ids are looked up in the vendored table: an id that was revoked says something else now."""
    revoked = {identifier: attack().revoked[identifier] for identifier in card.attack if identifier in attack().revoked}

    assert not revoked, f"ATT&CK {attack().version} revoked {revoked}: use the successor"
    assert set(card.attack) <= attack().techniques.keys()


def test_examples_fire_and_stay_silent(module: ModuleType) -> None:
    """A detector shows what it finds and what it leaves alone."""
    fired = {example.expect for example in module.EXAMPLES}

    assert None in fired, "at least one benign example"
    assert fired - {None}, "at least one example that fires"
    assert fired - {None} <= module.CARD.variants.keys()
    titles = [example.title for example in module.EXAMPLES]
    assert len(titles) == len(set(titles))


@pytest.mark.parametrize(("detector", "example"), EXAMPLES, ids=example_name)
def test_examples_are_inert(detector: ModuleType, example: Example) -> None:
    """Nothing in an example can reach a real host."""
    texts = [*example.after.values(), *(example.before or {}).values()]
    addresses = [address for text in texts for address in INERT.findall(text)]

    assert [address for address in addresses if not HARMLESS.search(address)] == [], detector.__name__


@pytest.mark.parametrize(("detector", "example"), EXAMPLES, ids=example_name)
def test_examples_are_true(detector: Detector, example: Example) -> None:
    """Through the real pipeline, each example fires as it says, where it says, and only that."""
    update = build_update(example)
    findings = tuple(detector.detect(update))

    assert {finding.variant for finding in findings} == ({example.expect} if example.expect else set())
    assert tuple(detector.detect(update)) == findings, "a second look sees the same"
    for finding in findings:
        check(detector, finding, update)
    if example.at is not None:
        places = {f"{one.path}:{one.line}" for finding in findings for one in finding.evidence}
        assert example.at in places


def check(detector: Detector, finding: Finding, update: Update) -> None:
    """Assert that a finding can be looked at, weighed and shown."""
    assert finding.detector == detector.CARD.id
    assert finding.variant in detector.CARD.variants
    assert finding.message
    assert "\n" not in finding.message
    assert finding.evidence, "a finding without a place cannot be looked at"
    for one in finding.evidence:
        if one.path.startswith("index:"):
            continue
        trees = [pair.after.tree for pair in update.pairs if one.artifact in {"", pair.after.artifact.filename}]
        assert any(one.path in tree for tree in trees), f"{one.path} is not in the artifact"
        if one.line:
            lines = max(tree.files[one.path].data.count(b"\n") + 1 for tree in trees if one.path in tree)
            assert one.line <= lines
    assert weigh([finding], weights()).total > 0, "a finding that weighs nothing is noise"


@pytest.mark.parametrize(("detector", "example"), TREES_ALONE, ids=example_name)
def test_nothing_fires_on_no_change(detector: Detector, example: Example) -> None:
    """What is the same on both sides is no finding: the question is about change."""
    update = build_update(msgspec.structs.replace(example, before=example.after))

    assert tuple(detector.detect(update)) == ()


def test_weights_and_cards_agree() -> None:
    """Each variant has exactly one row in the weight table, each row a variant, each group the one of its card."""
    cards = [cast("Card", module.CARD) for module in MODULES]
    rows = {row_key(card.id, variant): card.group for card in cards for variant in card.variants}

    assert weights().weights.keys() == rows.keys()
    assert {key: row.group for key, row in weights().weights.items()} == rows
    assert all(row.weight >= 0 for row in weights().weights.values())
    assert weights().caps.keys() <= set(rows.values())


def test_weight_table_is_honest() -> None:
    """The table says its version, its date, and how its figures were come by."""
    assert weights().version
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", weights().date)
    assert weights().status
    if "calibrated" in weights().status and "provisional" not in weights().status:
        assert all(row.counts for row in weights().weights.values())


def test_no_detector_disappeared() -> None:
    """The golden list makes a detector that comes or goes visible in review (`make golden` writes it)."""
    expected = GOLDEN.read_text(encoding="utf-8").split()

    assert expected == [name.replace("_", "-") for name in names("lazaretto.detectors")]


def test_vendored_techniques_have_a_version() -> None:
    """The ATT&CK table names the release that it was taken from, and no id is both known and revoked."""
    assert attack().version
    assert not attack().techniques.keys() & attack().revoked.keys()
