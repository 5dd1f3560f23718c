"""What the comparison with a repository is asked: only artifacts that were compared, only what runs by itself."""

from msgspec.structs import replace

from lazaretto.core.finding import Example
from lazaretto.core.update import Update
from lazaretto.detectors import source_differs
from tests.examples import build_update


def fired() -> Update:
    """Return the update of the first example that fires."""
    return build_update(next(one for one in source_differs.EXAMPLES if one.expect == "import"))


def test_without_a_comparison_nothing_is_said() -> None:
    """Nobody asked, or this artifact was not compared."""
    update = fired()
    assert update.source is not None
    other = replace(update.source, comparisons=())

    assert list(source_differs.detect(update)) != []
    assert list(source_differs.detect(replace(update, source=None))) == []
    assert list(source_differs.detect(replace(update, source=other))) == []


def test_what_is_only_called_is_not_charged() -> None:
    """It is told in the report; other detectors weigh what it does."""
    files = {"package.json": '{"name": "example-package", "version": "1.0.1", "main": "index.js"}\n'}
    code = "exports.run = () => require('child_process').execSync('node a.js');\n"
    example = Example(title="x", after={**files, "index.js": code}, world={"source": {**files, "index.js": ""}})

    assert list(source_differs.detect(build_update(example))) == []


def test_a_hook_of_the_repository_is_not_charged() -> None:
    """What is installed as the repository says it is nothing that the artifact alone has."""
    manifest = (
        '{"name": "example-package", "version": "1.0.1",\n "scripts": {\n  "postinstall": "node a.js"\n },\n'
        ' "main": "index.js"}\n'
    )
    files = {"package.json": manifest, "index.js": "module.exports = 1;\n", "a.js": "console.log(1);\n"}
    example = Example(title="x", after=files, world={"source": files})

    assert list(source_differs.detect(build_update(example))) == []
