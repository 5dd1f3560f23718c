"""What the documents say can be read back: a comment that fits, a suite whose counts add up, commands that unescape."""

from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from lazaretto.app.rendering import RenderOptions
from lazaretto.app.report import Report, ReportedPlace, ReportedWaiver
from lazaretto.core.inert import inert
from lazaretto.outputs import github, html, junit, markdown
from lazaretto.outputs._paper import quiet
from tests.contracts import reports

PLAIN = RenderOptions()


def many(count: int) -> Report:
    """Return a report of many refused releases, each with long evidence."""
    evidence = reports.finding().evidence[0]
    long = reports.finding(evidence=(evidence,) * 30, message="x" * 100_000)
    return reports.report(
        *(
            reports.update(purl=f"pkg:npm/p{n}@1.0.0", verdict="hold", findings=(long,), reasons=("y" * 5_000,))
            for n in range(count)
        )
    )


def test_comment_fits() -> None:
    """However much there is to say: one comment, and what was left out is counted."""
    text = markdown.render(many(300), PLAIN)

    assert len(text) <= markdown.MAX_COMMENT
    assert "300 releases: 300 hold" in text
    assert "more refused releases not shown here" in text


def test_small_comment_leaves_nothing_out() -> None:
    """A report that fits is whole."""
    assert "not shown here" not in markdown.render(many(3), PLAIN)


def test_suite_counts_its_cases() -> None:
    """The counts of a suite are those of its elements, in every canonical report."""
    for report in reports.CASES.values():
        root = ET.fromstring(junit.render(report, PLAIN))
        assert root.get("tests") == str(len(root.findall(".//testcase")))
        assert root.get("failures") == str(len(root.findall(".//failure")))
        assert root.get("errors") == str(len(root.findall(".//error")))


def test_waived_release_passes_and_says_why() -> None:
    """A waiver turns a case into one that passes; who waived it stands in its output."""
    waiver = ReportedWaiver(by="Ada Example", reason="read by hand", until="2026-12-31", instead_of="hold")
    report = reports.report(reports.update(waiver=waiver))
    case = ET.fromstring(junit.render(report, PLAIN)).find(".//testcase")

    assert case is not None
    assert case.find("failure") is None
    assert "Ada Example" in (case.findtext("system-out") or "")
    assert "Ada Example" in html.render(report, PLAIN)


@given(path=st.text(min_size=1, max_size=40), line=st.integers(0, 9_999))
def test_annotation_unescapes_to_its_place(path: str, line: int) -> None:
    """What a runner reads out of a command is the very path and line."""
    update = reports.update(verdict="block", reasons=("charges",))
    report = reports.report(update, places=(ReportedPlace(purl=update.purl, path=path, line=line),))
    command = github.render(report, PLAIN).splitlines()[0]
    properties = dict(one.split("=", 1) for one in command.split("::")[1].partition(" ")[2].split(","))
    told = properties["file"].replace("%2C", ",").replace("%3A", ":").replace("%25", "%")

    assert told == quiet(inert(path))
    assert properties.get("line") == (str(line) if line else None)


def test_every_place_is_annotated() -> None:
    """Two lockfiles that pin a refused release are two annotations."""
    update = reports.update(verdict="hold", reasons=("too young",))
    places = tuple(ReportedPlace(purl=update.purl, path=path, line=3) for path in ("a/uv.lock", "b/uv.lock"))
    text = github.render(reports.report(update, places=places), PLAIN)

    assert text.count("::warning file=") == 2
