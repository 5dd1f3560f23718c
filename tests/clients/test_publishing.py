"""npm logs in and publishes through the firewall, at a real Verdaccio; and what is new is judged like anything else."""

import json
import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import Struct

from tests.clients.client import Place
from tests.clients.firewall import Firewall, firewall
from tests.clients.npm_clients import NPM, npm_program
from tests.clients.rig import Run, environment, run
from tests.clients.upstreams import verdaccio

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PASSWORD = "a-password-of-ada"


class Desk(Struct, frozen=True):
    """Where ada works: her project, her home, and the firewall that she is told is the registry."""

    place: Place
    gate: Firewall

    def npm(self, *words: str) -> Run:
        """Run npm and return what it said."""
        return run([*npm_program(), *words], self.place.project, self._env)

    def logs_in(self) -> Run:
        """Run ``npm login`` at a terminal, as a person would."""
        near, far = pty.openpty()
        process = subprocess.Popen(
            [*npm_program(), "login"], cwd=self.place.project, env=self._env, stdin=far, stdout=far, stderr=far,
            start_new_session=True,
        )  # fmt: skip
        os.close(far)
        shown = ""
        for asked, answer in (("Username:", "ada"), ("Password:", PASSWORD)):
            shown += _until(near, asked)
            os.write(near, f"{answer}\n".encode())
        shown += _until(near, "")
        os.close(near)
        return Run(process.wait(60), shown)

    def writes(self, name: str, version: str) -> None:
        """Write a package."""
        manifest = {"name": name, "version": version}
        (self.place.project / "package.json").write_text(json.dumps(manifest), encoding="utf-8")
        (self.place.project / "index.js").write_text("module.exports = 1;\n", encoding="utf-8")

    @property
    def _env(self) -> dict[str, str]:
        return environment(
            self.place.home,
            **NPM.env(self.place),
            npm_config_registry=self.gate.npm,
            npm_config_fetch_retries="0",
            npm_config_ignore_scripts="true",
        )


def _until(terminal: int, words: str) -> str:
    """Return what a terminal shows until it shows these words, or ends."""
    shown, deadline = "", time.monotonic() + 60
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            data = os.read(terminal, 4096)
        except OSError:  # the program has ended
            return shown
        shown += data.decode(errors="replace")
        if words and words in shown:
            return shown
    raise AssertionError(f"npm did not ask for the {words}: {shown}")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Return a desk behind a firewall that passes both on to a Verdaccio without packages."""
    more = 'publish = "pass"\nlogin = "pass"'
    users = {"ada": PASSWORD}
    with (
        verdaccio(tmp_path / "verdaccio", users=users) as upstream,
        firewall(tmp_path / "gate", upstream, npm_more=more) as gate,
    ):
        yield Desk(Place.made(tmp_path / "ada", gate.npm), gate)


def test_npm_logs_in_publishes_and_logs_out(desk: Desk) -> None:
    """Through the firewall as at the registry; what is published is hidden until it is read, and then installed."""
    desk.writes("ours", "1.0.0")
    assert "ENEEDAUTH" in desk.npm("publish").output
    said = desk.logs_in()
    assert (said.code, "Logged in" in said.output) == (0, True), said.output
    assert desk.npm("whoami").output.strip() == "ada"
    said = desk.npm("publish")
    assert (said.code, "+ ours@1.0.0" in said.output) == (0, True), said.output
    desk.gate.shows(f"{desk.gate.npm}ours", "1.0.0")  # at once, although the page was asked for before: it is young
    said = desk.npm("publish")
    assert said.code != 0
    token = re.findall(r"_authToken=(\S+)", (desk.place.home / ".npmrc").read_text(encoding="utf-8"))[0]
    desk.writes("consumer", "1.0.0")
    said = desk.npm("install", "ours@^1.0.0")
    assert said.code == 0, said.output
    said = desk.npm("search", "ours")
    assert "Version 1.0.0 published" in said.output, said.output
    said = desk.npm("deprecate", "ours@1.0.0", "old")
    assert (said.code != 0, "at the registry itself" in said.output) == (True, True), said.output
    assert desk.npm("logout").code == 0
    assert desk.npm("whoami").code != 0

    assert "1 acts" in (audit := desk.gate.audits().output), audit
    assert '"status":201' in desk.gate.log
    assert PASSWORD not in desk.gate.log
    assert token not in desk.gate.log


def test_a_publication_is_refused_where_the_settings_say_nothing(tmp_path: Path) -> None:
    """With the reason on the screen."""
    with verdaccio(tmp_path / "verdaccio") as upstream, firewall(tmp_path / "gate", upstream) as gate:
        desk = Desk(Place.made(tmp_path / "ada", gate.npm), gate)
        desk.writes("ours", "1.0.0")
        config = f"//{gate.npm.partition('//')[2]}:_authToken=anything-at-all\n"
        (desk.place.home / ".npmrc").write_text(config, encoding="utf-8")
        said = desk.npm("publish")

        assert said.code != 0
        assert "does not publish ours: publish at the registry itself" in said.output
