"""Read the corpus with one language under an audit hook; print a digest of all facts. Run by test_languages.py.

The first pass may import the parsers of the language, from where Python finds modules; the second may do nothing at
all but compute. Exit status 1 names what was touched.
"""

import hashlib
import sys
import traceback
from importlib import import_module

import msgspec

from lazaretto.core.language import NoUnits
from tests.contracts import corpus

PARSERS = ("tree_sitter", "tree_sitter_javascript", "tree_sitter_typescript", "tree_sitter_python", "isal", "msgspec")
NEVER = (
    "socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.startfile", "os.system",
    "os.putenv", "os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.chmod", "os.chown", "os.link", "os.symlink",
    "os.truncate", "os.kill", "shutil.", "tempfile.", "ctypes.", "pty.", "urllib.", "http.", "sqlite3.", "webbrowser.",
    "ftplib.", "smtplib.", "signal.", "sys.setprofile", "sys.settrace", "pickle.", "mmap.", "gc.", "code.__new__",
    "builtins.input", "os.walk", "glob.",
)  # fmt: skip
WHEN_WARM = ("open", "import", "exec", "marshal.", "os.listdir", "os.scandir", "os.open")


def main(dotted: str) -> None:
    """Read every sample in every dialect, twice."""
    language = import_module(dotted)
    state = {"pass": 0}
    touched: list[str] = []

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        banned = (*NEVER, *WHEN_WARM) if state["pass"] == 2 else NEVER
        if state["pass"] == 0 or not event.startswith(banned):
            return
        number, state["pass"] = state["pass"], 0  # telling where reads source files
        where = "".join(traceback.format_stack(limit=6)[:-1])
        touched.append(f"pass {number}: {event} {str(arguments)[:200]}\n{where}")
        state["pass"] = number

    sys.addaudithook(hook)
    before = set(sys.modules)
    digest = hashlib.sha256()
    for number in (1, 2):
        state["pass"] = number
        claims = [language.claim(path, data) for path in corpus.NAMES for data in corpus.SAMPLES]
        results = [language.read(dialect, data, NoUnits()) for dialect in language.DIALECTS for data in corpus.SAMPLES]
        state["pass"] = 0
        digest.update(msgspec.msgpack.encode((claims, results)))
    foreign = {
        module.partition(".")[0]
        for module in set(sys.modules) - before
        if module.partition(".")[0] not in {*sys.stdlib_module_names, *PARSERS, "lazaretto"}
    }
    if foreign:
        touched.append(f"imported {', '.join(sorted(foreign))}")
    if touched:
        sys.exit("\n".join(touched[:5]))
    sys.stdout.write(f"{digest.hexdigest()}\n")


if __name__ == "__main__":
    main(sys.argv[1])
