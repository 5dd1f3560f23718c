"""Methods of values of which little is known: open files, connections, paths."""

from typing import TYPE_CHECKING

from lazaretto.core.facts import Kind
from lazaretto.languages.python.effects.handed import handed
from lazaretto.languages.python.scope import Frame
from lazaretto.languages.python.values import NO_TAINT, Value, all_taint, known, unknown

if TYPE_CHECKING:
    from lazaretto.languages.python.machine import Machine

_WRITES = frozenset(("write_text", "write_bytes"))
_READS = frozenset(("read_text", "read_bytes"))
_WALLET_METHODS = frozenset(
    (
        "from_mnemonic",
        "from_seed_phrase",
        "from_secret_key",
        "from_private_key",
        "create_from_mnemonic",
        "importprivkey",
    )
)


def unknown_method(
    vm: "Machine",
    receiver: Value,
    name: str,
    args: list[Value],
    keywords: dict[str, Value],
    place: tuple[int, int],
    frame: Frame,
) -> Value:
    """Return what a method of an unknown object gives; a few names are said by hardly anything else."""
    values = [*args, *keywords.values()]
    taint = all_taint(values)
    if name in _WRITES:
        handle = vm.emit(Kind.FS_WRITE, None, place, frame)
        receiver.mark |= {handle}
        vm.record.flow(sorted(taint), handle)
        return unknown()
    if name in _READS:
        handle = vm.emit(Kind.FS_READ, None, place, frame)
        return unknown(frozenset((handle,)) | receiver.taint)
    if name in _WALLET_METHODS:
        taint |= {vm.emit(Kind.WALLET_TOUCH, name, place, frame)}
    for handle in sorted(receiver.mark):
        vm.record.flow(sorted(taint), handle)
    if name in ("append", "add", "update", "extend", "put", "write", "setdefault", "insert") and taint:
        receiver.taint |= taint
    given = handed(vm, known(args[0]), place, frame) if name == "get" and args else NO_TAINT
    made = unknown(receiver.taint | receiver.mark | taint | given)
    made.via = receiver.via
    if receiver.taint is NO_TAINT and name in ("strip", "decode", "encode", "read"):
        made.mark = receiver.mark
    return made
