"""How an incident accumulates, and how each place is repaired."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from lazaretto.app.inventory.exposed import Answer, Asked
from lazaretto.app.respond.gather import Means, gather
from lazaretto.app.respond.incident import Good, Incident
from lazaretto.app.respond.ports import IncidentError, Looked, Trace
from lazaretto.app.respond.repair import repairs
from lazaretto.bootstrap import DATA
from lazaretto.core.exposure import Exposure, Window, judge
from lazaretto.core.inventory import Entry, Place, Proof, Sign
from lazaretto.infra.guidance import guidance
from tests.respond.company import NOW, incident, reported

GUIDANCE = guidance(DATA)
GOOD = (Good("npm", "axios", "1.14.0", "1.14.1"), Good("pypi", "litellm", "1.82.6"))


class FakeReach:
    """``app.respond.ports.Reach`` that knows what it was given."""

    def __init__(self, texts: dict[str, str] | None = None, looked: tuple[Looked, ...] | str = ()) -> None:
        self.texts = texts or {}
        self.looked = looked
        self.asked: list[tuple[str, bool]] = []

    def around(self, place: str, *, whole_machine: bool) -> tuple[Looked, ...] | str:
        self.asked.append((place, whole_machine))
        return self.looked

    def text(self, place: str, name: str) -> str | None:
        text = self.texts.get(name)
        if text == "secret":
            raise IncidentError(f"{name} holds what looks like a secret")
        return text


def exposed(path: str = "/srv/p/package-lock.json", kind: str = "lockfile", **more: Any) -> Exposure:
    """Return an exposure as the inventory judges it."""
    fields: dict[str, Any] = {"proof": Proof.FIXED, "number": 0, **more}
    return judge(Place(kind, path, client="npm"), Entry("npm", "axios", "1.14.1", **fields))


def looks(one: Incident, found: Sequence[Exposure], reach: FakeReach, hours: int = 0) -> Incident:
    """Return the incident after a look that finds this."""

    def answer(asked: Sequence[Asked], window: Window | None) -> Answer:
        return Answer(tuple(asked), window, tuple(found), (), (), (), 4)

    return gather(one, Means(answer, reach, GUIDANCE, NOW + timedelta(hours=hours), "lazaretto"))


def test_what_was_seen_stays() -> None:
    """A place that is cleaned and a token that is deleted were hit and within reach all the same."""
    token = Looked("home", "/home/a", (Trace("npm token", "", "/home/a/.npmrc", 1, "a line"),))
    first = looks(incident(), [exposed()], FakeReach(looked=(token,)))
    other = Looked("home", "/home/a", (Trace("", "GH_TOKEN", "/home/a/.bashrc", 2, "a variable"),))
    then = looks(first, [exposed("/srv/q/package-lock.json")], FakeReach(looked=(other,)), hours=2)
    assert [one.exposure.place.path for one in then.exposures] == [
        "/srv/p/package-lock.json",
        "/srv/q/package-lock.json",
    ]
    assert [one.at for one in then.exposures] == [NOW, NOW + timedelta(hours=2)]
    (ground,) = then.grounds
    assert [one.kind for one in ground.credentials] == ["GitHub token", "npm token"]
    assert ground.places == ("/srv/p/package-lock.json", "/srv/q/package-lock.json")
    assert then.places == 4
    again = looks(then, [exposed()], FakeReach(looked=()), hours=3)
    assert again.grounds == then.grounds


def test_what_cannot_be_looked_at_is_said_and_what_was_not_taken_is_not_looked_at() -> None:
    """A disk that is not here is named; a proxy's log lies on no machine that was hit."""
    reach = FakeReach(looked="its disk is not known")
    found = [
        exposed(),
        exposed("log", "proxy-log", proof=Proof.SERVED),
        exposed("/r", proof=Proof.SERVED, signs=Sign.REFUSED),
    ]
    after = looks(incident(), found, reach)
    assert reach.asked == [("/srv/p/package-lock.json", False)]
    assert after.unread == ("/srv/p/package-lock.json: its disk is not known",)


def test_where_it_ran_the_whole_machine_is_within_reach() -> None:
    """Code that ran is not bound to its project."""
    reach = FakeReach()
    looks(incident(), [exposed("/t/node_modules", "node_modules", signs=Sign.SCRIPT_RAN, proof=Proof.LOGGED)], reach)
    assert reach.asked == [("/t/node_modules", True)]


def test_grounds_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound nothing more is looked at, and that is said."""
    monkeypatch.setattr("lazaretto.app.respond.gather.MAX_GROUNDS", 1)
    both = (Looked("home", "/a", ()), Looked("home", "/b", ()))
    after = looks(incident(), [exposed()], FakeReach(looked=both))
    assert len(after.grounds) == 1
    assert "more than 1 folders and homes" in after.unread[0]


MANIFEST = '{\n  "dependencies": {\n    "axios": "^1.13.0"\n  }\n}\n'


def mend(one: Any, texts: dict[str, str]) -> Any:
    """Return the only repair of one exposure."""
    (found,) = repairs([one], GOOD, FakeReach(texts), GUIDANCE.clients)
    return found


def test_a_patch_has_one_line_of_context_and_the_path_from_the_root() -> None:
    """Nothing of a file is shown that the change does not need."""
    found = mend(reported(), {"package.json": MANIFEST})
    assert found.patch.startswith("--- a/srv/app/package.json\n+++ b/srv/app/package.json\n@@ ")
    assert '+    "axios": "1.14.0"\n' in found.patch
    assert found.command == "npm install --package-lock-only --ignore-scripts"
    assert not found.by_hand
    place = Place("lockfile", "/requirements.txt", client="pip")
    one = reported(place, ecosystem="pypi", name="litellm", version="1.82.7")
    at_the_root = mend(one, {"requirements.txt": "litellm==1.82.7"})
    assert "--- a/requirements.txt" in at_the_root.patch
    assert "\\ No newline at end of file" in at_the_root.patch


@pytest.mark.parametrize(
    ("client", "file", "ecosystem", "name", "texts", "wanted"),
    [
        ("pnpm", "pnpm-lock.yaml", "npm", "axios", {"pnpm-workspace.yaml": "packages: []\n"}, '+  "axios": "1.14.0"'),
        ("pnpm", "pnpm-lock.yaml", "npm", "axios", {"package.json": MANIFEST}, '+    "overrides": {'),
        ("uv", "uv.lock", "pypi", "litellm", {"pyproject.toml": ""}, '+override-dependencies = ["litellm==1.82.6"]'),
        ("pip", "requirements.txt", "pypi", "litellm", {"requirements.txt": "litellm==1.82.7\n"}, "+litellm==1.82.6"),
    ],
)
def test_each_client_is_repaired_in_its_own_words(
    client: str, file: str, ecosystem: str, name: str, texts: dict[str, str], wanted: str
) -> None:
    """The patch changes the file that the client reads."""
    version = "1.82.7" if ecosystem == "pypi" else "1.14.1"
    place = Place("lockfile", f"/p/{file}", client=client)
    found = mend(reported(place, ecosystem=ecosystem, name=name, version=version), texts)
    assert wanted in found.patch


@pytest.mark.parametrize(
    ("one", "texts", "why"),
    [
        (reported(name="other"), {}, "--good other@VERSION"),
        (reported(), {}, "there is no package.json beside it"),
        (reported(), {"package.json": "secret"}, "looks like a secret"),
        (reported(), {"package.json": "["}, "cannot be read"),
        (reported(Place("lockfile", "/p/deno.lock", client="deno")), {}, "deno has no word for it"),
        (reported(), {"package.json": MANIFEST.replace('"axios"', f'"{"a" * 30_000}":"1",\n"axios"')}, "too long"),
    ],
)
def test_what_cannot_be_patched_is_said(one: Any, texts: dict[str, str], why: str) -> None:
    """A place without a patch is named with the reason, never left out."""
    found = mend(one, texts)
    assert why in found.by_hand
    assert not found.patch


def test_only_lockfiles_that_name_it_now_are_repaired() -> None:
    """What is gone needs no repair; what a release brought goes with it."""
    gone = reported(last=NOW)
    tree = reported(Place("node_modules", "/n"), proof=Proof.INSTALLED)
    bad = reported(brought=("plain-crypto-js@4.2.1",))
    brought = reported(name="plain-crypto-js", version="4.2.1")
    found = list(repairs([gone, tree, bad, bad, brought], GOOD, FakeReach({"package.json": MANIFEST}), ()))
    assert len(found) == 1
    (_, other) = repairs([reported(), brought], GOOD, FakeReach({"package.json": MANIFEST}), ())
    assert "goes with what brought it" in other.by_hand
