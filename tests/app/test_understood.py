"""Files that are understood as what they are, though code of the package could load them as JavaScript."""

from lazaretto.core.finding import Example
from lazaretto.core.question import package_json
from tests.examples import build_update

LOADER = "const find = (name) => require(name);\nmodule.exports = find;\n"


def problems(**files: str) -> list[str]:
    """Return what is not understood of a package that loads anything."""
    after = {"package.json": package_json("1.0.0"), "index.js": LOADER, **files}
    update = build_update(Example(title="a loader", after=after))
    return sorted({path for path, _ in update.pairs[0].after.problems})


def test_understood_by_their_own_readers() -> None:
    """Scripts and build files that are understood, and source of other languages, are no JavaScript."""
    files = {
        "deps/get.sh": "# === get\nset -e\nif true; then echo a; fi\n",
        "binding.gyp": "{ 'targets': [{ 'target_name': 'pad' }] }\n",
        "src/pad.c": "/* pad */\n#include <a.h>\nint main(void) { return 0; }\n",
    }

    assert problems(**files) == []


def test_neither_nor() -> None:
    """What its own reader does not understand either stays a problem."""
    assert problems(**{"deps/get.sh": "if true; then (\n"}) == ["deps/get.sh"]
    assert problems(**{"binding.gyp": "{ 'targets': [\n"}) == ["binding.gyp"]
