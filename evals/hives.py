"""Our reader of hives beside another, on hives of yours: ``python -m evals.hives FOLDER [--keys N]``.

Needs ``python-registry`` in the same environment, which nothing else here does. Of every hive in the folder keys and
values are drawn, and looked for by their paths; as many that are not there are looked for too. Exit 1 if one is missed
or one too many is found. No hive is ever committed: those of others hold what is theirs.
"""

import argparse
import random
import sys
import time
from collections.abc import Iterator
from datetime import UTC
from importlib import import_module
from pathlib import Path
from typing import Any

from lazaretto.core.hive.find import MAX_HITS, Wanted, look

Entry = tuple[tuple[str, ...], str | None, int]
"""The names of a key from the root on, a value of it (None: the key itself), and when the key was written."""


def main() -> int:
    """Compare, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m evals.hives")
    parser.add_argument("folder", type=Path, help="where hives lie, under any names")
    parser.add_argument("--keys", type=int, default=MAX_HITS // 2, help="keys and values that are drawn of each")
    options = parser.parse_args()
    other = import_module("Registry.Registry")
    missed = found = 0
    for path in sorted(options.folder.iterdir()):
        data = path.read_bytes() if path.is_file() else b""
        try:
            whole = list(_entries(other.Registry(str(path)).root(), ())) if data[:4] == b"regf" else []
        except Exception as error:  # noqa: BLE001  # a peer may fail in any way: then there is nothing to compare
            print(f"| {path.name:40} | the other reader failed: {type(error).__name__} |")
            continue
        drawn = random.Random(path.name).sample(whole, min(options.keys, len(whole)))  # noqa: S311  # a sample, no secret
        if not drawn:
            continue
        began = time.process_time()
        lost, many, gaps = compared(data, drawn)
        print(
            f"| {path.name:40} | {len(drawn):5} | {lost:3} | {many:3} | {time.process_time() - began:5.2f} s | {gaps} |"
        )
        missed += lost
        found += many
    print(f"{missed} missed, {found} found that are not there")
    return 1 if missed or found else 0


def compared(data: bytes, drawn: list[Entry]) -> tuple[int, int, str]:
    """Return how many of these were missed, how many others were found, and what could not be read."""
    wanted = [Wanted(number, _patterns(names, value)) for number, (names, value, _) in enumerate(drawn)]
    absent = [Wanted(len(drawn) + number, (*one.names, "is not there")) for number, one in enumerate(wanted)]
    answer = look(data, (), [*wanted, *absent])
    hits = {(hit.number, hit.key.casefold(), hit.value, hit.written) for hit in answer.hits}
    told = {(number, "\\".join(names).casefold(), value, at) for number, (names, value, at) in enumerate(drawn)}
    return len(told - hits), sum(hit.number >= len(drawn) for hit in answer.hits), "; ".join(answer.gaps)


def _entries(key: Any, names: tuple[str, ...]) -> Iterator[Entry]:  # noqa: ANN401 - the other reader's key
    at = int(key.timestamp().replace(tzinfo=UTC).timestamp())
    if names:
        yield names, None, at
        for value in key.values():
            yield names, "" if value.name() == "(default)" else value.name(), at
    for below in key.subkeys():
        yield from _entries(below, (*names, below.name()))


def _patterns(names: tuple[str, ...], value: str | None) -> tuple[str, ...]:
    parts = names if value is None else (*names, *value.split("\\"))
    return tuple("".join(f"[{sign}]" if sign in "*?[" else sign for sign in part) for part in parts)


if __name__ == "__main__":
    sys.exit(main())
