"""The user's own clients: which registry and index they ask, and with what. All hosts are under .invalid."""

from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.app.ports import Unavailable
from lazaretto.core.npmrc_text import parse_ini
from lazaretto.infra import npmrc, pipconf, pipdefault
from lazaretto.infra.client_config import NpmConfig, PipConfig, load_npm, load_pip
from lazaretto.infra.redact import Secret
from lazaretto.infra.transport import basic

Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file under a folder of the test's own."""

    def put(path: str, text: str) -> Path:
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        return target

    return put


def npm(tmp_path: Path, **env: str) -> NpmConfig:
    """Return npm's configuration in ``project`` with a home of its own and no npm installed."""
    (tmp_path / "project").mkdir(exist_ok=True)
    return load_npm(
        {"HOME": str(tmp_path / "home"), "PATH": "", "PREFIX": str(tmp_path / "prefix"), **env}, tmp_path / "project"
    )


def pip(tmp_path: Path, **env: str) -> PipConfig:
    """Return pip's configuration in ``project`` with a home of its own."""
    (tmp_path / "project").mkdir(exist_ok=True)
    own = {
        "HOME": str(tmp_path / "home"),
        "PATH": "",
        "XDG_CONFIG_DIRS": str(tmp_path / "xdg"),
        "VIRTUAL_ENV": str(tmp_path / "venv"),
    }
    return load_pip({**own, **env}, tmp_path / "project")


def test_the_strongest_file_wins(tmp_path: Path, write: Write) -> None:
    """Project over user over global, and the environment over all; the address ends in a slash."""
    write("prefix/etc/npmrc", "registry=https://global.invalid")
    assert npm(tmp_path).registry == "https://global.invalid/"
    write("home/.npmrc", "registry = https://user.invalid/npm")
    assert npm(tmp_path).registry == "https://user.invalid/npm/"
    write("project/.npmrc", "registry=https://project.invalid/")
    assert npm(tmp_path).registry == "https://project.invalid/"
    assert npm(tmp_path, NPM_CONFIG_REGISTRY="https://env.invalid").registry == "https://env.invalid/"
    assert npm(tmp_path, npm_config_registry="https://low.invalid").registry == "https://low.invalid/"


def test_the_project_is_found_upwards(tmp_path: Path, write: Write) -> None:
    """Npm's project root is the nearest folder with a manifest."""
    write("project/package.json", "{}")
    write("project/.npmrc", "registry=https://project.invalid/")
    (tmp_path / "project/deep/inside").mkdir(parents=True)

    assert (
        load_npm({"HOME": "/nonexistent", "PATH": ""}, tmp_path / "project/deep/inside").registry
        == "https://project.invalid/"
    )


def test_another_user_file(tmp_path: Path, write: Write) -> None:
    """``userconfig`` and ``globalconfig`` name other files."""
    user, everyone = write("u", "@s:registry=https://scope.invalid"), write("g", "registry=https://global.invalid")
    config = npm(tmp_path, NPM_CONFIG_USERCONFIG=str(user), npm_config_globalconfig=str(everyone))

    assert config.registry_for("pad") == "https://global.invalid/"
    assert config.registry_for("@s/pad") == "https://scope.invalid/"
    assert config.registry_for("@other/pad") == "https://global.invalid/"


def test_ini_as_npm_reads_it() -> None:
    """Comments, quotes, lists, bare keys; what stands in a section is no setting of npm's."""
    text = '; c\n# c\na = 1 ; note\nb="x;y"\nc\nd[]=1\ne=\\;f\n\n[section]\ng=1\n'

    assert list(parse_ini(text)) == [("a", "1"), ("b", "x;y"), ("c", "true"), ("d", "1"), ("e", ";f")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${A}", "1"),
        ("x${A}y", "x1y"),
        ("${B}", "${B}"),
        ("${B?}", ""),
        ("\\${A}", "${A}"),
        ("$A", "$A"),
        ("${A}${A}", "11"),
    ],
)
def test_variables(text: str, expected: str) -> None:
    """``${NAME}`` is the environment's; an unknown one stays as it is."""
    assert npmrc.expand(text, {"A": "1"}) == expected


def test_tokens_go_to_their_paths(tmp_path: Path, write: Write) -> None:
    """The most specific path wins; another host, another port and a path above get nothing."""
    password = b64encode(b"secret").decode()
    write(
        "home/.npmrc",
        "registry=https://npm.invalid/a/\n//npm.invalid/a/:_authToken=${TOKEN}\n//npm.invalid/a/b/:_auth=cGFpcg==\n"
        f"//basic.invalid/:username=me\n//basic.invalid/:_password={password}\n"
        "//cert.invalid/:certfile=/nonexistent/c.pem\n//cert.invalid/:keyfile=/nonexistent/k.pem\n",
    )
    config = npm(tmp_path, TOKEN="hidden")

    def sent(url: str) -> str | None:
        found = config.credentials(url, "pad")
        return found.authorization.reveal() if found and found.authorization else None

    assert sent("https://npm.invalid/a/pad") == "Bearer hidden"
    assert sent("https://npm.invalid/a/b/pad") == "Basic cGFpcg=="
    assert sent("https://npm.invalid/files/pad.tgz") == "Bearer hidden"
    assert sent("http://npm.invalid/files/pad.tgz") is None
    assert sent("https://npm.invalid:8443/files/x") is None
    assert sent("https://cdn.invalid/a/pad") is None
    assert sent("https://basic.invalid/x") == basic("me", "secret").reveal()
    certified = config.credentials("https://cert.invalid/x", "pad")
    assert certified is not None
    assert certified.certificate == ("/nonexistent/c.pem", "/nonexistent/k.pem")
    assert "hidden" not in repr(config)


def test_a_token_without_a_host_is_never_sent(tmp_path: Path, write: Write) -> None:
    """The old form without a host is refused by npm, and sent nowhere by us."""
    write("home/.npmrc", "registry=https://npm.invalid/\n_authToken=hidden\n")

    assert npm(tmp_path).credentials("https://npm.invalid/pad", "pad") is None


def test_connections_as_npm_makes_them(tmp_path: Path, write: Write) -> None:
    """Authorities, proxies and ``strict-ssl`` are npm's own."""
    write(
        "home/.npmrc",
        "registry=https://npm.invalid/\ncafile=/nonexistent/ca.pem\nhttps-proxy=http://proxy.invalid\nnoproxy=x.invalid\n",
    )
    transport = npm(tmp_path, NODE_EXTRA_CA_CERTS="/nonexistent/extra.pem").transport

    assert (transport.ca_files, transport.extra_ca_files, transport.verify) == (("/nonexistent/ca.pem",), (), True)
    assert transport.proxies.https == Secret("http://proxy.invalid")
    assert transport.proxies.bypass == ("x.invalid",)
    write("home/.npmrc", "registry=https://npm.invalid/\nstrict-ssl=false\n")
    other = npm(tmp_path, NODE_EXTRA_CA_CERTS="/nonexistent/extra.pem", HTTPS_PROXY="http://env.invalid").transport
    assert (other.verify, other.extra_ca_files) == (False, ("/nonexistent/extra.pem",))
    assert other.proxies.https == Secret("http://env.invalid")


def test_the_default_comes_from_the_installed_npm(tmp_path: Path, write: Write) -> None:
    """Neither written here nor asked for: it stands in the files of the npm on the path."""
    cli = write("lib/node_modules/npm/bin/npm-cli.js", "#!/bin/sh\nexit 1\n")
    cli.chmod(0o755)
    write(
        "lib/node_modules/npm/node_modules/@npmcli/config/lib/definitions/definitions.js",
        "registry: new Definition('registry', {\n    default: 'https://default.invalid/',\n",
    )
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/npm").symlink_to(cli)
    config = npm(tmp_path, PATH=str(tmp_path / "bin"))

    assert (config.registry, config.origin, config.default) == (
        "https://default.invalid/",
        "npm's own default",
        "https://default.invalid/",
    )


def test_an_npm_with_other_files_is_asked_once(tmp_path: Path, write: Write) -> None:
    """Where the files lie elsewhere, npm itself answers, from an empty folder."""
    write("bin/npm", '#!/bin/sh\n[ -z "$(ls)" ] && echo https://asked.invalid/\n').chmod(0o755)

    assert npm(tmp_path, PATH=f"{tmp_path / 'bin'}:/usr/bin:/bin").registry == "https://asked.invalid/"


def test_no_npm_and_no_setting(tmp_path: Path) -> None:
    """Without either, the error says what to set."""
    with pytest.raises(Unavailable, match=r"~/\.npmrc, or set NPM_CONFIG_REGISTRY"):
        npm(tmp_path)


def test_a_registry_that_is_none(tmp_path: Path) -> None:
    """An address that cannot be asked is an error at once."""
    with pytest.raises(Unavailable, match="no http or https address"):
        npm(tmp_path, NPM_CONFIG_REGISTRY="file:///nonexistent")


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, write: Write) -> None:
    """A broken file does not stop the others, and is told."""
    write("home/.npmrc", "").write_bytes(b"\xff\xfe")
    config = npm(tmp_path, NPM_CONFIG_REGISTRY="https://npm.invalid")

    assert ".npmrc cannot be read" in config.notes[0]


@pytest.mark.parametrize(
    ("setting", "url", "expected"),
    [
        ("npmjs", "https://default.invalid/pad/-/pad.tgz", "https://mirror.invalid/npm/pad/-/pad.tgz"),
        ("npmjs", "https://other.invalid/pad.tgz", "https://other.invalid/pad.tgz"),
        ("never", "https://default.invalid/pad.tgz", "https://default.invalid/pad.tgz"),
        ("always", "https://other.invalid/npm/pad.tgz", "https://mirror.invalid/npm/pad.tgz"),
        ("other.invalid", "https://other.invalid/pad.tgz", "https://mirror.invalid/npm/pad.tgz"),
        ("npmjs", "http://mirror.invalid/npm/pad.tgz", "https://mirror.invalid/npm/pad.tgz"),
    ],
)
def test_tarballs_of_the_default_registry(setting: str, url: str, expected: str) -> None:
    """A mirror that hands out the default registry's addresses is asked for the files itself, as npm does."""
    config = NpmConfig(
        "https://mirror.invalid/npm/",
        "",
        {"replace-registry-host": Secret(setting)},
        default="https://default.invalid/",
    )

    assert config.artifact_url(url, "pad") == expected


def test_pip_files_and_environment(tmp_path: Path, write: Write) -> None:
    """Global, user, environment of Python, a named file, ``[install]`` over ``[global]``, and ``PIP_*`` over all."""
    write("xdg/pip/pip.conf", "[global]\nindex-url = https://global.invalid/simple\n")
    assert pip(tmp_path).indexes[0].url == "https://global.invalid/simple/"
    write(
        "home/.config/pip/pip.conf",
        "[global]\nindex_url = https://user.invalid/simple/\nextra-index-url =\n  https://a.invalid/\n  https://b.invalid\n",
    )
    assert [index.url for index in pip(tmp_path).indexes] == [
        "https://user.invalid/simple/",
        "https://a.invalid/",
        "https://b.invalid/",
    ]
    write("venv/pip.conf", "[install]\nindex-url = https://venv.invalid/\n")
    assert pip(tmp_path).indexes[0].url == "https://venv.invalid/"
    named = write("named.conf", "[install]\nindex-url = https://named.invalid/\n")
    assert pip(tmp_path, PIP_CONFIG_FILE=str(named)).indexes[0].url == "https://named.invalid/"
    config = pip(
        tmp_path, PIP_INDEX_URL="https://env.invalid/", PIP_EXTRA_INDEX_URL="https://c.invalid/ https://d.invalid/"
    )
    assert [index.url for index in config.indexes] == [
        "https://env.invalid/",
        "https://c.invalid/",
        "https://d.invalid/",
    ]
    assert (
        pip(tmp_path, PIP_CONFIG_FILE="/dev/null", PIP_INDEX_URL="https://e.invalid").indexes[0].url
        == "https://e.invalid/"
    )


def test_uv_settings(tmp_path: Path, write: Write) -> None:
    """Uv's environment first, then the project's settings; named and explicit indexes as uv means them."""
    write(
        "project/pyproject.toml",
        '[[tool.uv.index]]\nurl = "https://extra.invalid/"\n'
        '[[tool.uv.index]]\nurl = "https://main.invalid/"\ndefault = true\n'
        '[[tool.uv.index]]\nurl = "https://explicit.invalid/"\nexplicit = true\n',
    )
    assert [index.url for index in pip(tmp_path).indexes] == ["https://main.invalid/", "https://extra.invalid/"]
    write("project/uv.toml", 'index-url = "https://toml.invalid/"\nextra-index-url = ["https://x.invalid/"]\n')
    assert [index.url for index in pip(tmp_path).indexes] == ["https://toml.invalid/", "https://x.invalid/"]
    env = {
        "UV_DEFAULT_INDEX": "main=https://env.invalid/?a=b",
        "UV_INDEX": "n=https://y.invalid/",
        "UV_EXTRA_INDEX_URL": "https://z.invalid/",
    }
    found = pip(tmp_path, **env)
    assert [index.url for index in found.indexes][1:3] == ["https://y.invalid/", "https://z.invalid/"]
    assert "UV_DEFAULT_INDEX" in found.origin
    write("home/.config/uv/uv.toml", 'index-url = "https://home.invalid/"\n')
    (tmp_path / "project/uv.toml").unlink()
    (tmp_path / "project/pyproject.toml").unlink()
    assert pip(tmp_path).indexes[0].url == "https://home.invalid/"


def test_credentials_of_indexes(tmp_path: Path, write: Write) -> None:
    """From the address or from netrc, for that host and port alone, and in no text."""
    write("home/.netrc", "machine netrc.invalid login me password hidden2\n").chmod(0o600)
    config = pip(
        tmp_path,
        PIP_INDEX_URL="https://user:hid%40den@index.invalid:8443/simple",
        PIP_EXTRA_INDEX_URL="https://netrc.invalid/",
    )
    first, second = config.indexes

    assert first.url == "https://index.invalid:8443/simple/"
    found = config.credentials("https://index.invalid:8443/files/a.whl")
    assert found is not None
    assert found.authorization == basic("user", "hid@den")
    assert second.credentials is not None
    assert second.credentials.authorization == basic("me", "hidden2")
    assert config.credentials("https://index.invalid/files/a.whl") is None
    assert config.credentials("http://index.invalid:8443/files/a.whl") is None
    assert config.credentials("https://files.invalid/a.whl") is None
    assert "hid" not in repr(config)


def test_connections_as_pip_makes_them(tmp_path: Path) -> None:
    """``cert``, ``proxy`` and ``trusted-host`` are pip's own; the usual variables stand behind them."""
    config = pip(
        tmp_path,
        PIP_INDEX_URL="https://i.invalid",
        PIP_CERT="/nonexistent/pip.pem",
        REQUESTS_CA_BUNDLE="/nonexistent/other.pem",
        PIP_PROXY="http://proxy.invalid",
        PIP_TRUSTED_HOST="a.invalid b.invalid:8443",
        PIP_FIND_LINKS="/nonexistent/wheels",
    )

    assert config.transport.ca_files == ("/nonexistent/pip.pem",)
    assert config.transport.proxies.https == Secret("http://proxy.invalid")
    assert config.transport.insecure_hosts == ("a.invalid", "b.invalid:8443")
    assert "find-links" in config.notes[0]


def test_the_default_comes_from_the_installed_pip(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither written here nor asked for: it stands in the files of a pip, wherever there is one."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setattr("sys.base_prefix", str(tmp_path / "nothing"))
    assert pipdefault.default_index({"PATH": ""}) is None
    with pytest.raises(Unavailable, match="set PIP_INDEX_URL"):
        pip(tmp_path)
    write("py/bin/python3", "").chmod(0o755)
    write(
        "py/lib/python3.12/site-packages/pip/_internal/models/index.py",
        'PyPI = PackageIndex("https://pip.invalid/", x)\n',
    )
    found = pip(tmp_path, PATH=str(tmp_path / "py/bin"))
    assert (found.indexes[0].url, found.origin) == ("https://pip.invalid/simple/", "pip's own default")


def test_the_default_of_this_python_is_known() -> None:
    """The pip beside us, or the one that Python carries, tells its default."""
    assert (pipdefault.default_index({}) or "").startswith("https://")


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"PIP_NO_INDEX": "1"}, "no-index"),
        ({"PIP_INDEX_URL": "ftp://i.invalid/"}, "no http, https or file"),
        ({"PIP_INDEX_URL": "https://[bad/"}, "cannot be read"),
    ],
)
def test_indexes_that_cannot_be_asked(tmp_path: Path, env: dict[str, str], words: str) -> None:
    """An error at once, with what to correct."""
    with pytest.raises(Unavailable, match=words):
        pip(tmp_path, **env)


def test_broken_files_are_told(tmp_path: Path, write: Write) -> None:
    """Files that cannot be read do not stop the others, and are told without what is in them."""
    write("home/.config/pip/pip.conf", "index-url = https://u:hidden@x.invalid\n")
    write("project/uv.toml", 'index-url = "https://u:hidden@x.invalid\n')
    config = pip(tmp_path, PIP_INDEX_URL="https://i.invalid")

    assert len(config.notes) == 2
    assert "hidden" not in repr(config)


@given(st.text(max_size=200))
def test_any_ini_text_is_read(text: str) -> None:
    """No text of an ``.npmrc`` raises."""
    for key, value in parse_ini(text):
        assert isinstance(npmrc.expand(key + value, {}), str)


def test_uv_names_are_taken_off() -> None:
    """An equals sign in a query is no name."""
    assert pipconf._unnamed("n=https://a.invalid/") == "https://a.invalid/"
    assert pipconf._unnamed("https://a.invalid/?b=https://c.invalid") == "https://a.invalid/?b=https://c.invalid"
