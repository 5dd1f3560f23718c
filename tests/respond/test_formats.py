"""What is asked of every format of an incident: the same bytes, hostile text inert, and readers who understand it."""

import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from referencing import Registry, Resource

from lazaretto._plugins import discover
from lazaretto.app.rendering import RenderOptions
from lazaretto.app.respond.incident import Closed, Credential, Disk, Ground, Note, Repair
from lazaretto.app.respond.plan import Known, respond
from lazaretto.app.respond.response import Response
from lazaretto.bootstrap import DATA
from lazaretto.core.exposure import Reason
from lazaretto.core.host import Found, HostReport
from lazaretto.core.intel import Confidence, IndicatorKind, Use
from lazaretto.core.inventory import Place
from lazaretto.infra.guidance import guidance
from tests.respond.company import NOW, exposure, incident

FORMATS = discover("lazaretto.outputs._incident", ("FORMAT", "render"))
GUIDANCE = guidance(DATA)
SCHEMAS = Path(__file__).parents[1] / "data" / "schemas" / "stix2.1"
ACTING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\U000e0000-\U000e007f]")
HOSTILE = (
    "\x1b[31mred\x1b[0m",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "a | b\n| c | d |",
    "```\n# heading\n```",
    "`code` ``more``",
    "[link](https://x.invalid) ![i](https://x.invalid/i.png)",
    "@someone #1 https://x.invalid www.x.invalid",
    "\u202ecod\u202c \u200b",
    "##[group]x ##vso[task]",
    "::error::x",
    "\n::error::x\n",
    "<!-- --> ]]> & &amp; &#60;",
    "*bold* _it_ ~~no~~ # h\n- item\n1. one\n> quote",
)
each = pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.FORMAT.name)


def response(text: str) -> Response:
    """Return an answer in which everything that may come from outside is this text."""
    found = Found(text, IndicatorKind.FILE_PATH, text, Use.HUNT, Confidence.LOW, text, text)
    place = Place("lockfile", f"/{text}", client=text, why=text)
    one = incident(
        title=text,
        by=text,
        campaign=text,
        payloads=(text, "worm"),
        exposures=(
            exposure(place, name=text, path=(text, text), note=text, reasons=(Reason(supports=True, text=text),)),
        ),
        outside=(text,),
        grounds=(Ground("home", text, (text,), (Credential(text, text, text, 3, text),), (text,)),),
        repairs=(Repair(text, text, f"--- a/{text}\n+{text}\n", text), Repair(text, "npm", by_hand=text)),
        hosts=(
            HostReport(
                "1", text, text, text, NOW, 1, 1, 1, 1, (found, replace(found, known=True)), (), (text,), (text,)
            ),
        ),
        disks=(Disk(text, text),),
        notes=(Note(NOW, text, text, "general/rebuild"),),
        told=(text,),
        unread=(text,),
        closed=Closed(NOW, text, text, (text,)),
    )
    return respond(one, GUIDANCE, Known(), "lazaretto 0")


@each
@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[1:20])
def test_hostile_text_is_inert(form: ModuleType, text: str) -> None:
    """Nothing acts in a terminal, a log, a page, a comment or a cell, wherever it comes from."""
    answer = response(text)
    for options in (RenderOptions(), RenderOptions(colour=False, width=60, verbose=True)):
        written = form.render(answer, options)
        assert not ACTING.search(written)
        assert not re.search(r"(?m)^\s*::", written)
        assert "##[" not in written
        assert "##vso" not in written
        if form.FORMAT.name == "html":
            tags = set(re.findall(r"<(/?[a-z0-9!]+)", written))
            assert not {"script", "img", "svg", "iframe", "object", "form"} & tags
            assert "<!--" not in written
        if form.FORMAT.name == "markdown":
            check_markdown(written)


def check_markdown(text: str) -> None:
    """Outside code there is no markup but ours: no link, mention, tag or heading of somebody else's."""
    lines, fence = [], ""
    for line in text.split("\n"):
        mark = re.match(r"\s*(`{3,})", line)
        if mark and not fence:
            fence = mark[1]
        elif fence:
            fence = "" if line.strip() == fence else fence
        else:
            lines.append(re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", line))
    prose = "\n".join(lines)
    assert not fence
    assert not re.search(r"https?://|www\.|[<@\]]\w|\]\(|!\[|~~", prose), prose
    assert all(re.match(r"#{1,3} [A-Z]", line) for line in lines if line.startswith("#"))
    rows = [line for line in lines if line.startswith("|")]
    assert {line.count("|") for line in rows} <= {3, 7}


@each
@settings(max_examples=20, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_any_text_is_inert(form: ModuleType, text: str) -> None:
    """The same for any text; and the same answer gives the same bytes."""
    answer = response(text)
    written = form.render(answer, RenderOptions())
    assert not ACTING.search(written)
    assert written == form.render(answer, RenderOptions())
    if form.FORMAT.name == "markdown":
        check_markdown(written)


def test_json_is_of_its_schema() -> None:
    """What is written is what the schema that ships says."""
    schema = json.loads((DATA / "response.schema.json").read_bytes())
    for form in FORMATS:
        if form.FORMAT.name == "json":
            jsonschema.validate(json.loads(form.render(response("x"), RenderOptions())), schema)


def validators() -> dict[str, Any]:
    """Return what validates each type of STIX object."""
    known = {path: json.loads(path.read_bytes()) for path in sorted(SCHEMAS.rglob("*.json"))}
    resources = [(one["$id"], Resource.from_contents(one)) for one in known.values()]
    registry: Any = Registry().with_resources(resources)
    return {path.stem: jsonschema.Draft202012Validator(one, registry=registry) for path, one in known.items()}


def test_stix_is_valid() -> None:
    """Each object by the schema of OASIS; the incident is marked, and every reference but the campaign's is there."""
    (form,) = (one for one in FORMATS if one.FORMAT.name == "stix")
    known = validators()
    for text in ("x", *HOSTILE):
        bundle = json.loads(form.render(response(text), RenderOptions()))
        identifiers = [one["id"] for one in bundle["objects"]]
        assert len(set(identifiers)) == len(identifiers)
        for one in bundle["objects"]:
            known[one["type"]].validate(one)
            refs = [value for key, value in one.items() if key.endswith("_ref") and not value.startswith("campaign--")]
            assert {*refs, *one.get("object_refs", ()), *one.get("object_marking_refs", ())} <= set(identifiers)
    kinds = [one["type"] for one in bundle["objects"]]
    assert kinds.count("incident") == 1
    assert kinds.count("note") == 2
    assert kinds.count("course-of-action") > 5
