"""What a command starts that is told elsewhere: a file of the release, a dependency, a tool asked once more."""

import pytest

from lazaretto.core.facts import Fact, Kind, Moment, Reach
from lazaretto.core.model import Dependency, DependencyGroup, DependencySource
from lazaretto.core.names import ProjectName
from lazaretto.core.started import asks_again, is_tame, starts_tame
from lazaretto.core.update import ArtifactView, Placed
from tests.detectors.updates import fact, view

CALL = Moment.CALL


def dependency(name: str, **more: object) -> Dependency:
    """Return an edge of a manifest."""
    return Dependency(ProjectName(name), "^1", **more)  # type: ignore[arg-type]


def release() -> ArtifactView:
    """Return a release that has a file, dependencies, and a dependency of its own making."""
    return view(
        {"package.json": "{}", "lib/set.js": "x", "node_modules/carried/index.js": "y"},
        dependencies=(
            dependency("addon-api"),
            dependency("@scope/api"),
            dependency("carried"),
            dependency("example-package"),
            dependency("tool", group=DependencyGroup.DEV),
            dependency("near", source=DependencySource.FILE),
        ),
    )


@pytest.mark.parametrize(
    ("code", "loads"),
    [
        ("require('./lib/set')", True),
        ("try{require('./lib/set.js')}catch(e){}", True),
        ("node -e try{require('./lib/set')}catch{}", True),
        ("node -p \"require('addon-api').include_dir\"", True),
        ("console.log(require('@scope/api/root').include)", True),
        ("node -e \"if(process.versions.node.split('.')[0]<18){console.error('No (old)');process.exit(1)}\"", True),
        ("console.log('thanks')", True),
        ("console.log(eval('x'))", False),
        ("console.log(process.mainModule['req' + 'uire']('x'))", False),
        ("console.log`${x}`", False),
        ("if(process.version.split('.')){import('x')}", False),
        ("x = 1", False),
        ("console.log=eval;console.log('x')", False),
        ("node -e \"console.log('$(curl x)')\"", False),
        ("if(process.version==='v1'){process.exit(1)}", True),
        ("require('./lib/other')", False),
        ("require('../other/index.js')", False),
        ("require('left')", False),
        ("require('tool')", False),
        ("require('near')", False),
        ("require('carried')", False),
        ("require('example-package/lib/set')", False),
        ("require('addon-api/../example-package/lib/set')", False),
        ("require('addon-api')()", False),
        ("require('addon-api').run('id')", False),
        ("require('./lib/set');require('left')", False),
        ("node -e require('./lib/set') && curl x", False),
        ("node lib/set.js", False),
        (None, False),
    ],
)
def test_tame_code_starts_nothing_unknown(code: str | None, loads: bool) -> None:
    """Only what is read on its own account: no call, nothing unknown, nothing by a name that could be any file's."""
    assert is_tame(release(), code) is loads


def test_tame_code_stands_in_plain_words() -> None:
    """What had to be decoded says something about itself, whatever it loads."""
    code = "require('./lib/set')"

    assert starts_tame(release(), Placed("package.json", fact(Kind.CODE_EVAL, code), Reach.INSTALL))
    assert not starts_tame(release(), Placed("package.json", fact(Kind.CODE_EVAL, code, via="base64"), Reach.INSTALL))
    assert not starts_tame(release(), Placed("package.json", fact(Kind.LITERAL_COMMAND, code), Reach.INSTALL))


@pytest.mark.parametrize(
    ("facts", "asks"),
    [
        ([fact(Kind.PROCESS_SPAWN, "{} {}", moment=CALL), fact(Kind.PROCESS_SPAWN, "{} --libs ssl")], True),
        ([fact(Kind.PROCESS_SPAWN, "{} {} ffi", moment=CALL), fact(Kind.PROCESS_SPAWN, "{} --libs-only-l ffi")], True),
        ([fact(Kind.PROCESS_SPAWN, "{} {} ffi", moment=CALL), fact(Kind.PROCESS_SPAWN, "{} -c ffi")], False),
        ([fact(Kind.PROCESS_SPAWN, "{} {}", moment=CALL)], False),
        ([fact(Kind.PROCESS_SPAWN, "{} {}"), fact(Kind.PROCESS_SPAWN, "{} --libs ssl")], False),
        ([fact(Kind.PROCESS_SPAWN, None, moment=CALL), fact(Kind.PROCESS_SPAWN, "{} --libs ssl")], False),
        ([fact(Kind.PROCESS_SPAWN, "sh {}", moment=CALL), fact(Kind.PROCESS_SPAWN, "{} --libs ssl")], False),
        ([fact(Kind.PROCESS_SPAWN, "{} {}", moment=CALL), fact(Kind.PROCESS_SPAWN, "{} --libs ssl", 2)], False),
        (
            [
                fact(Kind.PROCESS_SPAWN, "{} {}", moment=CALL),
                fact(Kind.PROCESS_SPAWN, "{} --libs ssl"),
                fact(Kind.PROCESS_SPAWN, "{} /tmp/x"),
            ],
            False,
        ),
    ],
)
def test_a_function_is_what_its_calls_are(facts: list[Fact], asks: bool) -> None:
    """Its own text does not know the program; each call that was followed does, and all of them must ask."""
    made = view({"setup.py": "x"}, {"setup.py": facts}, {"setup.py": Reach.INSTALL})

    assert asks_again(made, made.placed[0]) is asks
