"""The doctor on three prepared homes: nothing to do on the good one, and each mistake of the bad one named."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.app.doctor.examine import exit_code
from lazaretto.app.doctor.machine import Public
from lazaretto.app.ports import Unavailable
from lazaretto.core.posture import Posture, PrivateName
from lazaretto.outputs._paper import Paper
from lazaretto.surfaces.cli.doctor import render
from tests.doctor import homes
from tests.doctor.homes import Home, of, prepare, told


def printed(posture: Posture) -> str:
    """Return everything that is ever printed of a posture."""
    text = render(posture, Paper(200, colour=True), verbose=True)
    return text + msgspec.json.encode(posture).decode() + repr(posture)


@pytest.fixture
def bad(tmp_path: Path) -> Home:
    """Return the bad home."""
    return prepare(tmp_path, homes.BAD, homes.BAD_ENV)


def test_good_home_has_nothing_to_do(tmp_path: Path) -> None:
    """Nine clients that are set up well: no advice, exit code 0, and each cooldown is named as it is."""
    posture = prepare(tmp_path, homes.GOOD).look()

    assert (posture.advice, posture.unread, exit_code(posture)) == ((), (), 0)
    assert posture.subjects == ("bun", "dependabot", "npm", "pip", "pnpm", "poetry", "renovate", "uv", "yarn")
    waits = {one.subject for one in posture.standing if one.message.startswith("cooldown of 7 days")}
    assert waits == set(posture.subjects)


def test_average_home(tmp_path: Path) -> None:
    """A home as most are: no cooldown anywhere, tokens in files, nothing wrong on purpose."""
    posture = prepare(tmp_path, homes.AVERAGE).look()

    assert told(posture) == {
        ("npm", "cooldown-missing"),
        ("npm", "scripts-on"),
        ("pip", "cooldown-missing"),
        ("pip", "scripts-on"),
        ("renovate", "cooldown-missing"),
        ("renovate", "cooldown-bypassed"),
        ("secrets", "secret-publishing"),
        ("secrets", "secret-in-home"),
        ("lazaretto", "firewall-absent"),
    }
    assert exit_code(posture) == 1
    assert [place.path for place in of(posture, "secrets", "secret-publishing").places] == ["~/.npmrc"]


@pytest.mark.parametrize(
    ("subject", "identifier", "words", "place"),
    [
        ("npm", "cooldown-unit", "27.6 years", "~/.npmrc:3"),
        ("pnpm", "cooldown-unit", "7 minutes", "pnpm-workspace.yaml:1"),
        ("yarn", "cooldown-unit", "3 minutes", ".yarnrc.yml:1"),
        ("bun", "cooldown-unit", "2.8 hours", "bunfig.toml:2"),
        ("poetry", "cooldown-unit", "27.6 years", "poetry.toml:2"),
        ("dependabot", "cooldown-unit", "1 to 90", ".github/dependabot.yml:5"),
        ("pip", "cooldown-unreadable", "P7D", "~/.config/pip/pip.conf:6"),
        ("uv", "cooldown-unreadable", "7 days", "pyproject.toml:2"),
        ("renovate", "cooldown-unreadable", "3 days", "renovate.json:1"),
        ("pnpm", "cooldown-ignored", "package.json", "package.json:10"),
        ("renovate", "cooldown-bypassed", "internalChecksFilter", "renovate.json:1"),
        ("pip", "several-indexes", "pypi.example.invalid", "~/.config/pip/pip.conf:3"),
        ("uv", "several-indexes", "index-strategy", "pyproject.toml:3"),
        ("poetry", "several-indexes", "1 sources", "pyproject.toml:5"),
        ("npm", "scope-not-in-project", "@acme/secret-sauce", "package.json:5"),
        ("npm", "private-name-unscoped", "acme-inner", "package.json:6"),
        ("npm", "registry-plain-http", "@acme", "~/.npmrc:1"),
        ("uv", "registry-plain-http", "an index", "UV_INDEX_URL"),
        ("npm", "tls-off", "strict-ssl", ".npmrc:1"),
        ("pip", "tls-off", "trusted-host", "~/.config/pip/pip.conf:5"),
        ("pnpm", "scripts-allowed", "dangerouslyAllowAllBuilds", "pnpm-workspace.yaml:2"),
        ("yarn", "scripts-on", "scripts", ".yarnrc.yml:3"),
        ("secrets", "secret-in-environment", "2 places", "AWS_SECRET_ACCESS_KEY"),
    ],
)
def test_bad_home_names_each_mistake(bad: Home, subject: str, identifier: str, words: str, place: str) -> None:
    """Each mistake is named in words that say what it means, at its file and line, with a remedy."""
    advice = of(bad.look(), subject, identifier)

    assert words in f"{advice.message} {advice.remedy}"
    assert place in [str(one) for one in advice.places]
    assert advice.remedy


def test_bad_home_secrets(bad: Home) -> None:
    """Kinds and places of all that lies about; a reference to a variable is no secret."""
    found = {(one.id, str(place)) for one in bad.look().advice if one.subject == "secrets" for place in one.places}

    assert found == {
        ("secret-in-project", ".npmrc:2"),
        ("secret-in-project", ".yarnrc.yml:2"),
        ("secret-in-project", ".env:1"),
        ("secret-publishing", "~/.npmrc:2"),
        ("secret-publishing", "~/.pypirc:3"),
        ("secret-in-home", "~/.config/pip/pip.conf:2"),
        ("secret-in-home", "~/.docker/config.json:1"),
        ("secret-in-home", "~/.git-credentials:1"),
        ("secret-in-environment", "AWS_SECRET_ACCESS_KEY"),
        ("secret-in-environment", "NPM_TOKEN"),
    }


def test_worst_comes_first(bad: Home) -> None:
    """Advice stands in the order of its severity; the same look says the same."""
    order = [one.severity for one in bad.look().advice]

    assert order == sorted(order, key=["high", "medium", "low"].index)
    assert bad.look() == bad.look()


@pytest.mark.parametrize("home", ["AVERAGE", "BAD"])
def test_no_secret_is_printed(tmp_path: Path, home: str) -> None:
    """No secret of a home is in anything that the doctor prints."""
    text = printed(prepare(tmp_path, getattr(homes, home), homes.BAD_ENV).look())

    assert [secret for secret in homes.SECRETS if secret in text] == []


PLACES = (
    ("~/.npmrc", "//registry.invalid/:_authToken={}\n"),
    ("~/.npmrc", "registry=https://{}@npm.invalid/\n"),
    ("~/.npmrc", "min-release-age={}\n"),
    (".npmrc", "_password = {}\n"),
    ("~/.config/pip/pip.conf", "[global]\nextra-index-url = https://a:{}@b.invalid/{}/simple\n"),
    ("~/.config/pip/pip.conf", "[install]\nuploaded-prior-to = {}\n"),
    ("requirements.txt", "--extra-index-url https://{}@b.invalid/{}/simple\n"),
    ("pyproject.toml", '[tool.uv]\nexclude-newer = "{}"\nindex-url = "http://u:{}@b.invalid/"\n'),
    ("pnpm-workspace.yaml", "minimumReleaseAge: {}\ntrustPolicy: {}\n"),
    (".yarnrc.yml", "npmMinimalAgeGate: {}\nnpmAuthIdent: {}\n"),
    ("renovate.json", '{{"minimumReleaseAge": "{}", "hostRules": [{{"token": "{}"}}]}}'),
    (".github/dependabot.yml", "updates:\n- package-ecosystem: npm\n  cooldown:\n    default-days: {}\n"),
    ("~/.docker/config.json", '{{"auths": {{"a": {{"auth": "{}"}}}}}}'),
    ("~/.netrc", "machine a login b password {}\n"),
    ("~/.ssh/id_rsa", "-----BEGIN RSA PRIVATE KEY-----\n{}\n"),
)
VALUES = st.text(st.sampled_from("abcXYZ0123456789_-.~"), min_size=12, max_size=40).map(lambda text: f"Qq{text}")


@given(where=st.sampled_from(PLACES), value=VALUES)
def test_no_value_is_ever_printed(tmp_path_factory: pytest.TempPathFactory, where: tuple[str, str], value: str) -> None:
    """Whatever a secret looks like and wherever it was written, by mistake too: its text never comes out."""
    path, line = where
    home = prepare(tmp_path_factory.mktemp("home"), {path: line.format(value, value)}, {"SOME_TOKEN": value})

    assert value not in printed(home.look())


class Names:
    """A public registry that has some names, or that is down."""

    def __init__(self, taken: set[str], *, down: bool = False) -> None:
        self.taken = taken
        self.down = down
        self.asked: list[str] = []

    def has(self, name: PrivateName) -> bool:
        """Return whether a name is taken."""
        self.asked.append(name.name)
        if self.down:
            raise Unavailable("no route")
        return name.name in self.taken


def test_names_are_looked_up_only_if_asked(bad: Home) -> None:
    """Offline the names are told; online those that are taken, and those that are free, are advice."""
    offline = bad.look()
    public = Names({"acme-inner"})
    online = bad.look(public=public)

    assert any("@acme/secret-sauce" in one.message for one in offline.standing if one.subject == "names")
    assert sorted(public.asked) == ["@acme/secret-sauce", "acme-inner"]
    assert "acme-inner" in of(online, "names", "name-taken").message
    assert "@acme/secret-sauce" in of(online, "names", "name-free").message


def test_registry_that_is_down_is_not_silence(bad: Home) -> None:
    """A name that could not be looked up is told."""
    posture = bad.look(public=Names(set(), down=True))

    assert len(posture.unread) == 2
    assert "no route" in posture.unread[0]


def test_file_that_is_not_understood_is_told(tmp_path: Path) -> None:
    """What cannot be read is not taken for well: exit code 3 where nothing else is to do."""
    broken = {**homes.GOOD, "renovate.json": "{", "pnpm-workspace.yaml": "a: &x 1\n", "bunfig.toml": "["}
    posture = prepare(tmp_path, broken).look()

    assert {one.split()[0] for one in posture.unread} == {"renovate.json", "pnpm-workspace.yaml", "bunfig.toml"}
    quiet = Posture("1", "lazaretto", (), (), posture.unread)
    assert exit_code(quiet) == 3


def test_readable_by_others_is_told(tmp_path: Path) -> None:
    """A token in a file that others may read is the worst kind."""
    home = prepare(tmp_path, homes.AVERAGE)
    (tmp_path / "home" / ".npmrc").chmod(0o644)
    advice = of(home.look(), "secrets", "secret-shared")

    assert advice.remedy == "chmod 600 ~/.npmrc"


def test_public_is_a_port() -> None:
    """The fake of this file is what the use case asks for."""
    port: Public = Names(set())

    assert port.has(PrivateName("npm", "x")) is False
