"""Three prepared homes, each a folder with a project in it: good, average, bad. Every secret in them is known."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

from msgspec import Struct

from lazaretto._plugins import discover
from lazaretto.app.doctor.client import ClientModule
from lazaretto.app.doctor.examine import examine
from lazaretto.app.doctor.machine import Public
from lazaretto.app.doctor.ours import Ourselves
from lazaretto.core.posture import Advice, Posture
from lazaretto.core.ruling import FeedState
from lazaretto.infra.machine import LocalMachine

NOW = datetime(2026, 3, 31, 0, 22, tzinfo=UTC)
CLIENTS = cast("tuple[ClientModule, ...]", discover("lazaretto.app.doctor.clients", ("CLIENT", "examine")))
SECRET = "npm_Zq8Xv5TtW2mK9sLd4RjY7uPb3HcN6gFe1A0o"
PASSWORD = "hunter2-Correct.Horse"
KEY = "AKIA0000EXAMPLE00000"
SECRETS = (SECRET, PASSWORD, KEY)
GATE = "http://127.0.0.1:8790"

GOOD: Mapping[str, str] = {
    "~/.npmrc": f"registry={GATE}/npm/\nmin-release-age=7\nignore-scripts=true\n",
    "~/.config/pip/pip.conf": (
        f"[global]\nindex-url = {GATE}/pypi/simple/\nuploaded-prior-to = P7D\nonly-binary = :all:\n"
    ),
    "~/.config/uv/uv.toml": (
        f'exclude-newer = "7 days"\nno-build = true\n[[index]]\nurl = "{GATE}/pypi/simple/"\ndefault = true\n'
    ),
    "package.json": json.dumps({"name": "app", "private": True, "dependencies": {"@acme/a": "^1"}}, indent=2),
    ".npmrc": "@acme:registry=https://npm.acme.invalid/\n//npm.acme.invalid/:_authToken=${NPM_TOKEN}\n",
    "package-lock.json": '{"lockfileVersion": 3, "packages": {}}',
    "pnpm-workspace.yaml": "packages:\n  - 'web'  # one\nminimumReleaseAge: 10080\ntrustPolicy: no-downgrade\n",
    "bunfig.toml": "[install]\nminimumReleaseAge = 604800\n",
    ".yarnrc.yml": "npmMinimalAgeGate: 7d\nenableScripts: false\n",
    "poetry.toml": '[solver]\nmin-release-age = 7\n[installer]\nonly-binary = [":all:"]\n',
    "uv.lock": "version = 1\n",
    "renovate.json": '{"extends": ["config:recommended"], "minimumReleaseAge": "7 days"}',
    ".github/dependabot.yml": (
        "version: 2\nupdates:\n  - package-ecosystem: npm\n    directory: /\n    schedule:\n      interval: weekly\n"
        '    cooldown:\n      default-days: 7\n  - package-ecosystem: "github-actions"\n    directory: /\n'
    ),
}
AVERAGE: Mapping[str, str] = {
    "~/.npmrc": f"//registry.invalid/:_authToken={SECRET}\n",
    "~/.netrc": f"machine git.invalid\n  login ada\n  password {PASSWORD}\n",
    "~/.aws/credentials": f"[default]\naws_access_key_id = {KEY}\naws_secret_access_key = {PASSWORD}\n",
    "package.json": json.dumps({"name": "app", "dependencies": {"left": "^1"}}, indent=2),
    "package-lock.json": '{"lockfileVersion": 3, "packages": {}}',
    "requirements.txt": "left==1.0\n",
    "renovate.json5": "// ours\n{extends: ['config:recommended'], lockFileMaintenance: {enabled: true,},}\n",
}
BAD: Mapping[str, str] = {
    "~/.npmrc": f"@acme:registry=http://npm.acme.invalid/\n//npm.acme.invalid/:_authToken={SECRET}\nmin-release-age=10080\n",
    "~/.config/pip/pip.conf": (
        f"[global]\nindex-url = https://ada:{PASSWORD}@pypi.acme.invalid/simple/\n"
        "extra-index-url =\n    https://pypi.example.invalid/simple/\ntrusted-host = pypi.acme.invalid\n"
        "uploaded-prior-to = 7d\n"
    ),
    "~/.pypirc": f"[pypi]\nusername = __token__\npassword = {PASSWORD}\n",
    "~/.docker/config.json": json.dumps({"auths": {"hub.invalid": {"auth": PASSWORD}}}),
    "~/.git-credentials": f"https://ada:{PASSWORD}@git.invalid\n",
    ".npmrc": f"strict-ssl=false\n//registry.invalid/:_authToken={SECRET}\n",
    ".env": f"DATABASE_PASSWORD={PASSWORD}\nNPM_TOKEN=${{CI_TOKEN}}\n",
    "package.json": json.dumps(
        {
            "name": "@acme/app",
            "private": True,
            "dependencies": {"@acme/secret-sauce": "^1", "acme-inner": "^2", "left": "^1"},
            "pnpm": {"minimumReleaseAge": 20160},
        },
        indent=2,
    ),
    "package-lock.json": json.dumps(
        {
            "lockfileVersion": 3,
            "packages": {
                "": {},
                "node_modules/left": {"resolved": "https://registry.example.invalid/left/-/left-1.0.0.tgz"},
                "node_modules/right": {"resolved": "https://registry.example.invalid/right/-/right-1.0.0.tgz"},
                "node_modules/acme-inner": {"resolved": "https://npm.acme.invalid/acme-inner-2.0.0.tgz"},
            },
        }
    ),
    "pnpm-workspace.yaml": "minimumReleaseAge: 7\ndangerouslyAllowAllBuilds: true\n",
    "bunfig.toml": "[install]\nminimumReleaseAge = 10080\n",
    ".yarnrc.yml": f'npmMinimalAgeGate: 3\nnpmAuthToken: "{SECRET}"\nenableScripts: true\n',
    "poetry.toml": "[solver]\nmin-release-age = 10080\n",
    "pyproject.toml": (
        '[tool.uv]\nexclude-newer = "7"\nindex-strategy = "unsafe-best-match"\n'
        '[[tool.poetry.source]]\nname = "acme"\nurl = "https://pypi.acme.invalid/simple/"\n'
    ),
    "uv.lock": "version = 1\n",
    "renovate.json": '{"minimumReleaseAge": "3", "internalChecksFilter": "none"}',
    ".github/dependabot.yml": (
        "version: 2\nupdates:\n- package-ecosystem: npm\n  cooldown:\n    default-days: 10080\n"
        "- package-ecosystem: pip\n  directory: /\n"
    ),
}
WELL = Ourselves(
    in_force={"seccomp": "filters calls"}, feeds=(FeedState("osv", NOW - timedelta(hours=2), 9),), gates=(GATE,)
)
BAD_ENV = {
    "NPM_TOKEN": SECRET,
    "AWS_SECRET_ACCESS_KEY": PASSWORD,
    "UV_INDEX_URL": f"http://ada:{PASSWORD}@pypi.invalid/",
}


class Home(Struct):
    """A home that lies in a folder, and the look at it."""

    folder: Path
    machine: LocalMachine

    def look(self, ours: Ourselves = WELL, public: Public | None = None) -> Posture:
        """Return what the doctor says."""
        return examine(self.machine, CLIENTS, ours, NOW, "lazaretto 0.1.0", public)


def prepare(folder: Path, files: Mapping[str, str], env: Mapping[str, str] | None = None) -> Home:
    """Write the files of a home and its project, and return a machine that is nothing but them."""
    home, project, system = folder / "home", folder / "home" / "project", folder / "system"
    for one in (project, system):
        one.mkdir(parents=True, exist_ok=True)
    (project / ".git").mkdir(exist_ok=True)
    for path, text in files.items():
        where = home / path[2:] if path.startswith("~/") else system / path[1:] if path[0] == "/" else project / path
        where.parent.mkdir(parents=True, exist_ok=True)
        where.write_text(text, encoding="utf-8")
        where.chmod(0o600)
    return Home(folder, LocalMachine({"HOME": str(home), **(env or {})}, home, project, system))


def told(posture: Posture) -> set[tuple[str, str]]:
    """Return subject and id of each piece of advice."""
    return {(one.subject, one.id) for one in posture.advice}


def of(posture: Posture, subject: str, identifier: str) -> Advice:
    """Return the one piece of advice of this kind."""
    (found,) = _matching(posture, subject, identifier)
    return found


def _matching(posture: Posture, subject: str, identifier: str) -> Iterator[Advice]:
    return (one for one in posture.advice if (one.subject, one.id) == (subject, identifier))
