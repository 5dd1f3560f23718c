"""``python -m evals.corpora CORPORA``: read what is there, judge it, and write the report. See ``--help``."""

import argparse
import os
import signal
import sys
from collections import defaultdict
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from evals.corpora import layouts, pool
from evals.corpora.beside import Beside
from evals.corpora.development import development
from evals.corpora.items import Item, Label
from evals.corpora.judge import Judged, Surveyed, app
from evals.corpora.layouts import Archive

OUT = Path(__file__).parent.parent / "out" / "corpora"


def main() -> int:
    """Run the steps that are asked for; all of them if none is."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the processes of the pool end with this one
    options = _options()
    out: Path = options.out
    product = app()
    version = product.rules_version
    malicious, absent = gather(Path(options.corpora)) if options.corpora else ([], ["no folder of corpora is named"])
    for sentence in absent:
        print(f"absent: {sentence}", file=sys.stderr)
    benign = benign_items(options.artifacts, out, options.processes)
    items = [*malicious, *benign]
    if options.only:
        items = [item for item in items if options.only in item.corpus]
    surveyed = survey([item for item in items if item.before is None and item.label is Label.MALICIOUS], out, options)
    chosen = choose(items, surveyed, options.per_cluster, options.sample)
    path = out / f"judged-{version.replace('+', '-')}.jsonl"
    done = {result.key for result in pool.known(path, Judged)}
    left = [item for item in chosen if item.key not in done]
    if options.as_judged:
        chosen, left = [item for item in chosen if item.key in done], []
    print(f"{len(items)} items, {len(chosen)} chosen, {len(left)} to judge with rules {version}", file=sys.stderr)
    pool.through(pool.judge, left, path, "judged", options.processes)
    from evals.corpora.report import write

    beside = out / "beside.jsonl"
    if options.guarddog is not None:
        from evals.corpora.beside import compare, sample

        compare(sample(chosen, surveyed, options.beside), _guarddog(options.guarddog), version, beside)
    compared = [one for one in pool.known(beside, Beside) if one.rules == version]
    write(out, version, items, surveyed, pool.known(path, Judged), absent, product.rules.table, compared)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m evals.corpora", description=__doc__)
    where = os.environ.get("LAZARETTO_CORPORA")
    parser.add_argument("corpora", nargs="?", default=where, help="folder that holds the corpora")
    parser.add_argument(
        "--artifacts", action="append", default=[], help="folder with real releases, benign as far as known"
    )
    parser.add_argument("--out", type=Path, default=OUT, help="where results go (default: evals/out/corpora)")
    parser.add_argument("--per-cluster", type=int, default=3, help="members of each cluster of clones that are judged")
    parser.add_argument("--sample", type=int, default=0, help="clusters and pairs of each corpus, at most (0: all)")
    parser.add_argument("--only", default="", help="only corpora whose name has this word")
    parser.add_argument("--as-judged", action="store_true", help="judge nothing more; report what was judged so far")
    parser.add_argument(
        "--guarddog", nargs="?", const="", help="read a sample with guarddog, too (default: the one of make bench)"
    )
    parser.add_argument("--beside", type=int, default=60, help="releases of each side that guarddog reads, too")
    parser.add_argument("--processes", type=int, default=2)
    return parser.parse_args()


def _guarddog(named: str) -> Path:
    from evals.bench import peer

    return Path(named) if named else peer()


def gather(corpora: Path) -> tuple[list[Item], list[str]]:
    """Return what lies in a folder of corpora, and a sentence for each development corpus that does not."""
    items, absent = development(corpora)
    for folder in sorted(path for path in corpora.iterdir() if path.is_dir()):
        if folder.name in ("malicious", "benign"):
            items += layouts.archives(folder, f"archives/{folder.name}", Label(folder.name))
        elif folder.name == "pairs":
            items += layouts.pairs(folder, "pairs", Label.BENIGN)
        elif "malicious-software-packages" in folder.name:
            items += layouts.datadog(folder)
        elif "backstabber" in folder.name.lower():
            items += layouts.backstabber(folder)
    return items, absent


def benign_items(folders: Iterable[str], out: Path, processes: int) -> list[Item]:
    """Return the updates that the releases in some folders make, and the newest of each at first contact."""
    paths = {path.name: path for folder in folders for path in sorted(Path(folder).rglob("*")) if path.is_file()}
    if not paths:
        return []
    known = out / "archives.jsonl"
    named = {one.path for one in pool.known(known, Archive)}
    pool.through(pool.name, [str(path) for path in paths.values() if str(path) not in named], known, "named", processes)
    wanted = {str(path) for path in paths.values()}
    found = [one for one in pool.known(known, Archive) if one.path in wanted]
    return [*layouts.steps(found, "updates"), *layouts.newest(found, "newest")]


def survey(items: list[Item], out: Path, options: argparse.Namespace) -> dict[str, Surveyed]:
    """Return what is known of each item before it is judged."""
    path = out / "surveyed.jsonl"
    known = {one.key: one for one in pool.known(path, Surveyed)}
    pool.through(pool.survey, [item for item in items if item.key not in known], path, "surveyed", options.processes)
    return {one.key: one for one in pool.known(path, Surveyed)}


def choose(items: Iterable[Item], surveyed: dict[str, Surveyed], per_cluster: int, sample: int) -> list[Item]:
    """Return some members of each cluster, the same ones each time; and all that has no cluster.

    What is read last of one corpus is spread over it: a run that is cut short is a sample.
    """
    strata: dict[tuple[str, str], list[Item]] = defaultdict(list)
    for item in items:
        known = surveyed.get(item.key)
        strata[item.corpus, known.cluster if known and known.cluster else item.key].append(item)
    chosen: dict[str, list[list[Item]]] = defaultdict(list)
    for (corpus, _), members in strata.items():
        chosen[corpus].append(sorted(members, key=_lot)[: per_cluster or None])
    picked: list[Item] = []
    for groups in chosen.values():
        groups.sort(key=lambda members: _lot(members[0]))
        picked += [item for members in groups[: sample or None] for item in members]
    return sorted(picked, key=_lot)


def _lot(item: Item) -> str:
    return sha256(item.key.encode()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
