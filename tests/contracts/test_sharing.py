"""What is asked of every form in which intelligence is passed on, present and future; and what each is to its readers.

Whoever reads them is asked: the schemas of OSV, STIX and MISP, the reader of STIX patterns that OASIS publishes,
YARA-X, pySigma, and a grammar of Suricata's rules. Nothing that is told so that nobody is hurt stands where a machine
blocks by it.
"""

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import pytest
import yara_x
from hypothesis import given, settings
from hypothesis import strategies as st
from referencing import Registry, Resource
from stix2patterns.validator import run_validator

from lazaretto._plugins import discover
from lazaretto.app.intelligence.pass_on import shipped_too
from lazaretto.core.advisory import Advisory
from lazaretto.core.exchange import Collection, Told, Unread, package_of
from lazaretto.core.intel import Confidence, Indicator, IndicatorKind, Source, Use
from lazaretto.core.stix import confidence_of
from lazaretto.feeds import lists, misp, osv, stix
from lazaretto.infra.knowledge import shipped
from lazaretto.sharing import csv as csv_form
from lazaretto.sharing import hosts, navigator, sigma, suricata, yara
from lazaretto.sharing import json as json_form
from lazaretto.sharing import misp as misp_form
from lazaretto.sharing import osv as osv_form
from lazaretto.sharing import stix as stix_form
from tests.contracts.collections_shared import COLLECTIONS, EMPTY, HOSTILE, NOW, PRODUCT, WHOLE, hostile
from tests.contracts.rules_shared import compared, queries, rule_of

MODULES = discover("lazaretto.sharing", ("MEDIA_TYPE", "SUMMARY", "render"))
BLOCKING = (hosts, suricata, sigma, yara, osv_form)
SCHEMAS = Path(__file__).parents[1] / "data" / "schemas"
STIX_BASE = "http://raw.githubusercontent.com/oasis-open/cti-stix2-json-schemas/stix2.1/schemas/"
TOLD = Told(Source("me"))
ACTING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\U000e0000-\U000e007f]")

each = pytest.mark.parametrize("form", MODULES, ids=lambda form: form.__name__.rpartition(".")[2])
each_hostile = pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[1:24])


@each
def test_the_same_collection_gives_the_same_text(form: ModuleType) -> None:
    """With one line feed at the end, whatever is in it, and a media type."""
    for collection in (WHOLE, EMPTY):
        text = form.render(collection)
        assert text == form.render(collection)
        assert text.endswith("\n")
    assert re.fullmatch(r"[a-z]+/[a-z0-9.+-]+", form.MEDIA_TYPE)
    assert form.SUMMARY


@each
@each_hostile
def test_hostile_text_is_inert(form: ModuleType, text: str) -> None:
    """No text acts in a terminal or a log, and none ends the place where it stands."""
    written = form.render(hostile(text))
    assert not ACTING.search(written)
    assert not re.search(r"^\s*::", written, re.MULTILINE)
    check_form(form, written)


@each
@settings(max_examples=15)
@given(data=st.data())
def test_any_text_is_inert(form: ModuleType, data: st.DataObject) -> None:
    """The same for any text."""
    text = data.draw(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
    written = form.render(hostile(text))
    assert not ACTING.search(written)
    check_form(form, written)


def check_form(form: ModuleType, text: str) -> None:
    """Ask whoever reads a form whether it is one."""
    checks = {
        stix_form: check_stix,
        osv_form: check_osv,
        misp_form: check_misp,
        yara: yara_x.compile,
        suricata: check_suricata,
        hosts: check_table,
        csv_form: check_table,
        sigma: check_sigma,
        json_form: json.loads,
        navigator: json.loads,
    }
    checks[form](text)


@each
def test_each_is_what_it_says(form: ModuleType) -> None:
    """By the schema, or the reader, of its form."""
    check_form(form, form.render(WHOLE))
    check_form(form, form.render(EMPTY))


def schema(name: str) -> Any:
    """Return one of the schemas of others."""
    return json.loads((SCHEMAS / name).read_bytes())


def stix_validators() -> dict[str, Any]:
    """Return what validates each type of STIX object."""
    known = {path: json.loads(path.read_bytes()) for path in sorted((SCHEMAS / "stix2.1").rglob("*.json"))}
    found = [(one["$id"], Resource.from_contents(one)) for one in known.values()]
    registry: Any = Registry().with_resources(found)
    return {
        path.stem: jsonschema.Draft202012Validator(one, registry=registry)
        for path, one in known.items()
        if path.stem not in ("core", "properties")
    }


STIX = stix_validators()


def check_stix(text: str) -> None:
    """Each object by the schema of OASIS, each pattern by its reader; every reference is in the bundle."""
    bundle = json.loads(text)
    assert bundle["type"] == "bundle"
    identifiers = [one["id"] for one in bundle["objects"]]
    assert len(identifiers) == len(set(identifiers))
    for one in bundle["objects"]:
        STIX[one["type"]].validate(one)
        if one["type"] == "indicator":
            assert not run_validator(one["pattern"], stix_version="2.1"), one["pattern"]
        for key, value in one.items():
            if key.endswith("_ref"):
                assert value in identifiers
            if key.endswith("_refs"):
                assert set(value) <= set(identifiers)


def check_osv(text: str) -> None:
    """Each record by the schema of OSV, and by our own reader."""
    records = json.loads(text)
    for record in records:
        jsonschema.Draft202012Validator(schema("osv-1.7.schema.json")).validate(record)
    if records:
        assert len(list(osv.parse(text.encode()))) == len(records)


def check_misp(text: str) -> None:
    """By the schema of PyMISP."""
    jsonschema.Draft4Validator(schema("misp-event.schema.json")).validate(json.loads(text))


def check_table(text: str) -> None:
    """Every row has the cells of the header, and none of them is a formula."""
    rows = list(csv.reader(io.StringIO(text), strict=True))
    for row in rows:
        assert len(row) == len(rows[0])
        for cell in row:
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))


RULE = re.compile(
    r'alert [a-z]+ \$HOME_NET any -> [a-z0-9.:]+ any \(msg:"[^";|\\]*";(?: [a-z.]+(?::(?:"[^";\\]*"|[\w-]+))?;)*\)'
)


def check_suricata(text: str) -> None:
    """Every line is a comment or one whole rule that others can read, with a number of its own for local rules."""
    numbers = []
    for line in text.splitlines():
        if not line.startswith("#"):
            assert RULE.fullmatch(line), line
            rule_of(line)
            numbers += [int(number) for number in re.findall(r" sid:(\d+);", line)]
            for content in re.findall(r'content:"([^"]*)"', line):
                assert re.fullmatch(r"(?:[^|]|\|[0-9A-F]{2}(?: [0-9A-F]{2})*\|)*", content)
    assert len(numbers) == len(set(numbers))
    assert all(1_000_000 <= number < 2_000_000 for number in numbers)


def check_sigma(text: str) -> None:
    """Every line is one that we write; every text on it is a whole one; pySigma reads it and makes a query of it."""
    for line in text.splitlines():
        known = re.fullmatch(
            r"(#.*|---|[a-z]+:(?: [a-zA-Z0-9-]+)?| +[a-zA-Z|0-9]+:(?: [a-z_0-9 ]+)?|    - [\w. -]+)", line
        )
        quoted = re.fullmatch(r" *(?:- |[a-z]+: )(\".*\")", line)
        assert known or quoted, line
        if quoted:
            assert isinstance(json.loads(quoted.group(1)), str)
    assert len(queries(text)) == text.count("title: ")


@pytest.mark.parametrize("form", BLOCKING, ids=lambda form: form.__name__.rpartition(".")[2])
@pytest.mark.parametrize("use", [use for use in Use if use is not Use.BLOCK])
def test_what_must_not_be_blocked_is_in_no_block_list(form: ModuleType, use: Use) -> None:
    """Neither what is called good, nor what is to be hunted, nor what nobody is sure of."""
    assert f"{use.replace('_', '-')}.example" not in form.render(WHOLE)
    for kind in IndicatorKind:
        value = next(one.value for one in WHOLE.indicators if one.kind is kind)
        spared = Indicator(kind, value, use, Confidence.HIGH)
        unsure = Indicator(kind, value, Use.BLOCK, Confidence.LOW)
        assert form.render(Collection(PRODUCT, NOW, (spared, unsure))) == form.render(EMPTY)
        if use in (Use.KNOWN_GOOD, Use.DO_NOT_BLOCK, Use.DO_NOT_USE):
            blocked = Indicator(kind, value, Use.BLOCK, Confidence.HIGH)
            assert form.render(Collection(PRODUCT, NOW, (spared, blocked))) == form.render(EMPTY)


def test_what_must_not_be_blocked_has_no_pattern() -> None:
    """Whoever takes every indicator of a bundle for a block list does not find it; nor is it marked for detection."""
    bundle = json.loads(stix_form.render(WHOLE))
    warned = [one["extensions"] for one in bundle["objects"] if one["type"] == "indicator"]
    uses = {own["use"] for one in warned for own in one.values()}
    assert uses == {"block", "hunt"}
    event = json.loads(misp_form.render(WHOLE))["Event"]
    for one in event["Attribute"]:
        names = {tag["name"] for tag in one["Tag"]}
        assert not one["to_ids"] or 'lazaretto:use="block"' in names


def test_yara_finds_a_payload_and_not_the_innocent() -> None:
    """By what it speaks of."""
    scanner = yara_x.Scanner(yara_x.compile(yara.render(WHOLE)))
    assert list(scanner.scan(b'fetch("http://C2.example.invalid:8000/6202033")').matching_rules)
    assert not list(scanner.scan(b'fetch("http://example.invalid/")').matching_rules)
    assert not list(yara_x.Scanner(yara_x.compile(yara.render(EMPTY))).scan(b"x").matching_rules)


def test_identifiers_do_not_change() -> None:
    """A receiver that takes a bundle twice has everything once: names follow from what they are of, not from when."""
    from msgspec.structs import replace

    def names(collection: Collection) -> set[str]:
        return {one["id"] for one in json.loads(stix_form.render(collection))["objects"]}

    assert names(WHOLE) == names(replace(WHOLE, at=NOW.replace(year=2031)))


def read(feed: ModuleType, text: str) -> list[Any]:
    """Read a text again; nothing of it may be broken."""
    found = list(feed.read(text.encode(), TOLD))
    assert not [one for one in found if isinstance(one, Unread) and one.broken]
    return [one for one in found if not isinstance(one, Unread)]


def by_value(found: list[Indicator] | tuple[Indicator, ...]) -> dict[tuple[str, str], Indicator]:
    """Return indicators by what they are of."""
    return {(one.kind.value, one.value): one for one in found}


@settings(max_examples=30)
@given(COLLECTIONS)
def test_stix_comes_back(collection: Collection) -> None:
    """Every indicator, with all that we keep of it."""
    text = stix_form.render(collection)
    check_stix(text)
    assert by_value(read(stix, text)) == by_value(collection.indicators)


@settings(max_examples=30)
@given(COLLECTIONS)
def test_misp_comes_back(collection: Collection) -> None:
    """The same, where MISP has no field for most of it."""
    if collection.indicators:
        text = misp_form.render(collection)
        check_misp(text)
        assert by_value(read(misp, text)) == by_value(collection.indicators)


@pytest.mark.parametrize(
    ("value", "pattern", "attribute"),
    [
        ("HKCU\\Evil", r"[windows-registry-key:key = 'HKCU\\Evil']", "regkey"),
        (
            "HKCU\\Evil|x.exe",
            r"[windows-registry-key:key = 'HKCU\\Evil' AND windows-registry-key:values[*].data = 'x.exe']",
            "regkey|value",
        ),
        ("|x.exe", "", "regkey|value"),
    ],
)
def test_a_value_of_the_registry_with_its_data(value: str, pattern: str, attribute: str) -> None:
    """Whoever does not know our words gets key and data apart, as each form has them, or no pattern at all."""
    one = Indicator(IndicatorKind.REGISTRY_VALUE, value, Use.BLOCK, sources=(Source("x"),))
    collection = Collection("lazaretto", NOW, indicators=(one,))
    objects = json.loads(stix_form.render(collection))["objects"]
    assert [item["pattern"] for item in objects if item["type"] == "indicator"] == [pattern] * bool(pattern)
    event = json.loads(misp_form.render(collection))["Event"]
    assert [item["type"] for item in event["Attribute"]] == [attribute]


@settings(max_examples=30)
@given(COLLECTIONS)
def test_json_comes_back(collection: Collection) -> None:
    """The form that loses nothing."""
    assert by_value(read(lists, json_form.render(collection))) == by_value(collection.indicators)


@settings(max_examples=30)
@given(COLLECTIONS)
def test_csv_comes_back(collection: Collection) -> None:
    """But for the sources after the first."""
    from msgspec.structs import replace

    first = [replace(one, sources=one.sources[:1]) for one in collection.indicators]
    assert by_value(read(lists, csv_form.render(collection))) == by_value(first)


@settings(max_examples=30)
@given(COLLECTIONS)
def test_osv_comes_back(collection: Collection) -> None:
    """The releases that are to be blocked, and no others."""
    records = read(osv, text) if (text := osv_form.render(collection)) != "[]\n" else []
    said = {
        (affected.ecosystem, affected.name, version)
        for record in records
        if isinstance(record, Advisory)
        for affected in record.affected
        for version in affected.versions or ("",)
    }
    blocked = {package_of(one.value) for one in blocked_packages(collection)}
    assert said == blocked


def blocked_packages(collection: Collection) -> Iterator[Indicator]:
    """Yield what must stand in the records."""
    for one in collection.indicators:
        valid = (one.valid_from is None or one.valid_from <= NOW) and (one.valid_until is None or one.valid_until > NOW)
        sure = one.confidence in (Confidence.HIGH, Confidence.MEDIUM)
        if one.kind is IndicatorKind.PACKAGE and one.use is Use.BLOCK and sure and valid:
            yield one


def test_a_layer_counts_techniques() -> None:
    """Of campaigns and of those behind them."""
    layer = json.loads(navigator.render(WHOLE))
    assert layer["techniques"] == [
        {"techniqueID": "T1195.002", "score": 2, "comment": "Plain, Somebody", "enabled": True}
    ]
    attack = json.loads((Path(__file__).parents[2] / "src/lazaretto/data/attack.json").read_bytes())
    assert layer["versions"]["attack"] == attack["version"]


@pytest.mark.parametrize(
    ("kind", "value", "rules"),
    [
        (IndicatorKind.DOMAIN, "*.C2.example.invalid", 3),
        (IndicatorKind.IPV4, "192.0.2.7", 1),
        (IndicatorKind.IPV6, "2001:DB8::1", 1),
        (IndicatorKind.IPV6, "2001:0db8::1", 0),  # Suricata has one spelling of it; ours is told elsewhere
        (IndicatorKind.IPV6, "2001:db8::1::2", 0),
        (IndicatorKind.URL, "http://u@c2.example.invalid:8000/a", 1),
        (IndicatorKind.URL, "http://c2.example.invalid", 0),
    ],
)
def test_rules_of_suricata(kind: IndicatorKind, value: str, rules: int) -> None:
    """What each kind is looked for by; an address without a path is looked for by its host alone."""
    text = suricata.render(Collection(PRODUCT, NOW, (Indicator(kind, value, Use.BLOCK, Confidence.HIGH),)))
    check_suricata(text)
    assert len(text.splitlines()) == 1 + rules


def blocked(kind: IndicatorKind, *values: str) -> Collection:
    """Return a collection of what is to be blocked."""
    return Collection(PRODUCT, NOW, tuple(Indicator(kind, one, Use.BLOCK, Confidence.HIGH) for one in values))


def test_suricata_compares_what_is_meant() -> None:
    """The bytes of each value and no others, also those that a rule has to spell: whoever reads them has them again."""
    (rule,) = suricata.render(blocked(IndicatorKind.URL, "http://u@C2.example.invalid:8000/a;|b:é")).splitlines()[1:]
    assert compared(rule) == [("http.host", b"c2.example.invalid"), ("http.uri", "/a;|b:é".encode())]
    lines = suricata.render(blocked(IndicatorKind.DOMAIN, "*.C2.example.invalid")).splitlines()[1:]
    expected = [(buffer, b".c2.example.invalid") for buffer in ("dns.query", "tls.sni", "http.host")]
    assert [pair for line in lines for pair in compared(line)] == expected


@pytest.mark.parametrize(
    ("kind", "value", "query"),
    [
        (
            IndicatorKind.DOMAIN,
            "*.C2.example.invalid",
            'QueryName in ("c2.example.invalid", "*.c2.example.invalid")',
        ),
        (IndicatorKind.IPV4, "192.0.2.7", 'DestinationIp="192.0.2.7"'),
        (IndicatorKind.MD5, "d" * 32, f'Hashes contains "MD5={"D" * 32}"'),
        (IndicatorKind.FILE_PATH, r"%PROGRAMDATA%\wt.exe", r'TargetFilename endswith "\ProgramData\wt.exe"'),
        (IndicatorKind.FILE_PATH, r"C:\a\b?cd.exe", r'TargetFilename endswith "\a\b\?cd.exe"'),
        (IndicatorKind.FILE_PATH, "/opt/<name>/run.sh", 'TargetFilename match "*/opt/*/run.sh"'),
        (
            IndicatorKind.REGISTRY_VALUE,
            r"HKLM\SYSTEM\CurrentControlSet\Services\Ev<x>il",
            r'TargetObject match "*\SYSTEM\CurrentControlSet\Services\Ev*il"',
        ),
        (
            IndicatorKind.REGISTRY_VALUE,
            r"HKLM\SOFTWARE\Evil",
            r'TargetObject in ("*\SOFTWARE\Evil", "*\SOFTWARE\Wow6432Node\Evil")',
        ),
        (
            IndicatorKind.REGISTRY_VALUE,
            r"HKU\S-1-5-21-1_Classes\evil",
            r'TargetObject in ("*_Classes\evil", "*_Classes\Wow6432Node\evil")',
        ),
        (
            IndicatorKind.REGISTRY_VALUE,
            r"HKU\S-1-5-21-1\Software\Evil",
            r'TargetObject in ("*\Software\Evil", "*\Software\Wow6432Node\Evil")',
        ),
        (IndicatorKind.FILE_PATH, "dropper.bin", r'TargetFilename in ("*/dropper.bin", "*\dropper.bin")'),
        (
            IndicatorKind.FILE_PATH,
            r"%TEMP%\x<pid>.vbs",
            (
                r'TargetFilename in ("*\Users\*\AppData\Local\Temp\x*.vbs", '
                r'"*\Windows\System32\config\systemprofile\AppData\Local\Temp\x*.vbs", '
                r'"*\Windows\ServiceProfiles\*\AppData\Local\Temp\x*.vbs", "*\Windows\Temp\x*.vbs")'
            ),
        ),
    ],
)
def test_rules_of_sigma(kind: IndicatorKind, value: str, query: str) -> None:
    """A name and what lies below it, and no other that ends alike; a path as it stands in a log, without variables."""
    assert queries(sigma.render(blocked(kind, value))) == [query]


@pytest.mark.parametrize(
    "value", [r"HKCU\Ab\Evil|data", r"HKCU\Evil\(Default)", r"HKCU\Ab\E[v]il", r"HKCU\Evil", "nonsense"]
)
def test_entries_that_no_line_of_a_log_tells(value: str) -> None:
    """Data stands in another field than the name, a default value has none, and a name alone would fit too much."""
    assert queries(sigma.render(blocked(IndicatorKind.REGISTRY_VALUE, value))) == []


@pytest.mark.parametrize("value", ["/opt/folder/", "x", "../up.sh", "%NOBODY%\\run.exe"])
def test_paths_that_would_fit_too_much(value: str) -> None:
    """What no single file can be told by is in no rule of Sigma."""
    assert queries(sigma.render(blocked(IndicatorKind.FILE_PATH, value))) == []


def test_degrees_of_confidence() -> None:
    """By the scale of STIX; what is none says nothing."""
    told = {degree: confidence_of(degree) for degree in (100, 70, 69, 30, 29, 1, 0, -1, 101)}
    assert [one.value for one in told.values()] == ["high"] * 2 + ["medium"] * 2 + ["low"] * 2 + ["unknown"] * 3
    for odd in (None, True, "high"):
        assert confidence_of(odd) is Confidence.UNKNOWN


@each
def test_what_ships_can_be_passed_on(form: ModuleType) -> None:
    """All that is known here, in every form; what comes in again is what went out."""
    knowledge = shipped()
    whole = shipped_too(None, knowledge, PRODUCT)
    text = form.render(whole)
    check_form(form, text)
    if form in (stix_form, json_form, misp_form):
        feed = {stix_form: stix, json_form: lists, misp_form: misp}[form]
        found = [one for one in read(feed, text) if isinstance(one, Indicator)]
        assert by_value(found) == by_value(knowledge.indicators)
