"""Files that are read, written or deleted, also through path objects; credentials and start-up places among them."""

from typing import TYPE_CHECKING

from lazaretto.core.facts import Kind
from lazaretto.languages._sensitive import agent_path, persist_path, secret_path, wallet_text
from lazaretto.languages.python.folding import joined_path
from lazaretto.languages.python.scope import Call
from lazaretto.languages.python.values import (
    HOLE,
    ITEM,
    Value,
    all_taint,
    constant,
    container,
    elements,
    holes,
    known,
    partial,
    render,
    symbol,
    unknown,
    variants,
)

if TYPE_CHECKING:
    from lazaretto.languages.python.effects.table import Handler
    from lazaretto.languages.python.machine import Machine

_MIN_PATH = 4
_MAX_PATH = 4096
"""Longest path in characters that a system call takes (Linux, PATH_MAX)."""

_ENDINGS = {"gztar": "tar.gz", "bztar": "tar.bz2", "xztar": "tar.xz"}
"""Formats of ``shutil.make_archive`` whose files do not end as they are called."""


def path_text(value: Value | None) -> str | None:
    """Return the path that a value names; ``__file__`` for the running file."""
    if value is None:
        return None
    shown = value.text if value.text is not None else render(value)
    return shown[:_MAX_PATH] if shown and shown.strip("{}/") else None


def reading(vm: "Machine", path: Value | None, call: Call, *, quiet: bool = False) -> frozenset[int]:
    """Note that a path is read; ``quiet``: only if it is a credential or a wallet."""
    found: set[int] = set()
    for option in variants(path) if path is not None else (unknown(),):
        text = path_text(option)
        via = option.via
        if not quiet:
            found.add(vm.emit(Kind.FS_READ, text, call.place, call.frame, via))
        if text is not None and secret_path(text):
            found.add(vm.emit(Kind.SECRET_READ, text, call.place, call.frame, via))
        if text is not None and wallet_text(text):
            found.add(vm.emit(Kind.WALLET_TOUCH, text, call.place, call.frame, via))
    return frozenset(found)


def writing(vm: "Machine", path: Value | None, call: Call, data: list[Value] | None = None) -> int:
    """Note that a path is written, with what flows into it."""
    text = path_text(path)
    via = path.via if path is not None else ()
    handle = vm.sink(Kind.FS_WRITE, text, call, data or [], via)
    if data:
        vm.payloads.setdefault(handle, []).append(data[0])
    if text is not None and text != "/dev/null":
        if len(text) >= _MIN_PATH:
            vm.written[text] = handle
        if persist_path(text) or agent_path(text) or text.endswith(".pth"):
            vm.emit(Kind.PERSIST, text, call.place, call.frame, via)
    if path is not None and text != "/dev/null":
        path.mark |= {handle}
    return handle


def deleting(vm: "Machine", path: Value | None, call: Call) -> None:
    """Note that a path is deleted; a file that deletes itself is a fact of its own."""
    text = path_text(path)
    kind = Kind.FS_SELF_DELETE if text is not None and "__file__" in text else Kind.FS_DELETE
    vm.emit(kind, text, call.place, call.frame, path.via if path is not None else ())


def opened(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """``open(path, mode)`` and its kin."""
    path, mode = call.arg(0, "file", "filename", "name"), call.arg(1, "mode")
    return _opened(vm, path, mode, call)


def opened_path(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """``Path(...).open(mode)``."""
    return _opened(vm, receiver, call.arg(0, "mode"), call)


def _opened(vm: "Machine", path: Value | None, mode: Value | None, call: Call) -> Value:
    how = known(mode) if mode is not None else "r"
    made = symbol("io.file()")
    if isinstance(how, str) and any(letter in how for letter in "wax+"):
        made.mark = frozenset((writing(vm, path, call),))
        made.attrs = {"name": path} if path is not None else None
    if not isinstance(how, str) or "r" in how or not any(letter in how for letter in "wax"):
        made.taint = reading(vm, path, call)
    return made


def read(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """Methods that read a path object."""
    return unknown(reading(vm, receiver, call))


def read_argument(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """Functions that read the path they are given."""
    return unknown(reading(vm, call.arg(0, "path", "filename", "file"), call))


def looked(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """Listing or testing a place: told only where credentials or wallets live."""
    path = call.arg(0, "path", "pathname", "top")
    if receiver is not None and receiver.text is not None:
        path = joined_path([receiver, *call.args[:1]])
    made = unknown(reading(vm, path, call, quiet=True))
    made.text = path_text(path)
    return made


def walked(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """``Path(...).iterdir()``, ``Path(...).glob(pattern)``, ``glob.glob(pattern)``: each item is a path in there."""
    made = looked(vm, call, receiver)
    if call.sym.startswith("glob."):
        item = unknown(made.taint)
        item.text = made.text
    else:
        listed = call.sym.endswith(".iterdir") or not call.args
        item = joined_path([receiver or unknown(), unknown()] if listed else [receiver or unknown(), call.args[0]])
    made.attrs = {ITEM: item}
    return made


def tree(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """``os.walk(top)``: a folder in there, the names of its folders, and those of its files."""
    made = looked(vm, call, receiver)
    top = call.arg(0, "top")
    folder = unknown(made.taint) if top is None else partial(f"{holes(top)}/{HOLE}", [top])
    made.attrs = {ITEM: container("tuple", [folder, unknown(made.taint), unknown(made.taint)])}
    return made


def written(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """``Path(...).write_text(data)``."""
    writing(vm, receiver, call, call.args)
    return unknown()


def deleted(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """Functions that delete the path they are given, or the path object they belong to."""
    path = receiver if receiver is not None and not call.sym.startswith(("os.", "shutil.")) else call.arg(0, "path")
    deleting(vm, path, call)
    return unknown()


def copied(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """From the first path to the second: copy, move, rename."""
    if receiver is not None and not call.sym.startswith(("os.", "shutil.")):
        source, target = path_or_none(receiver), call.arg(0, "target")
    else:
        source, target = call.arg(0, "src", "fsrc"), call.arg(1, "dst", "fdst")
    if call.sym.endswith("copyfileobj"):
        if source is not None and target is not None:
            for handle in sorted(target.mark):
                vm.record.flow(sorted(all_taint([source])), handle)
        return unknown()
    made = unknown(reading(vm, source, call))
    handle = writing(vm, target, call, [made])
    if source is not None and source.mark and target is not None:
        target.mark |= source.mark
    return unknown(frozenset((handle,)))


def path_or_none(value: Value) -> Value | None:
    """Return the value; its type says that another branch may have none."""
    return value


def archived(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """``ZipFile(path, mode)``, ``tarfile.open(path, mode)``."""
    made = _opened(vm, call.arg(0, "file", "name"), call.arg(1, "mode"), call)
    made.sym = "zipfile.archive()"
    return made


def archive_made(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """``shutil.make_archive(base, format, folder)``: a file whose ending is the format's, with all of the folder."""
    base, form = call.arg(0, "base_name"), call.arg(1, "format")
    text, ending = path_text(base), known(form) if form is not None else None
    folder = call.arg(2, "root_dir") or call.arg(3, "base_dir")
    found = reading(vm, folder, call) if folder is not None else frozenset()
    path = unknown(found)
    if text is not None and isinstance(ending, str):
        path.text = f"{text}.{_ENDINGS.get(ending, ending)}"
    writing(vm, path, call, [unknown(found)])
    return path


def added(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """A path is put into an archive."""
    found = reading(vm, call.arg(0, "filename", "name"), call)
    if receiver is not None:
        receiver.taint |= found
    return unknown()


def extracted(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """An archive is unpacked."""
    target = call.arg(0 if call.sym.endswith("extractall") else 1, "path", "extract_dir")
    handle = writing(vm, target, call, [receiver] if receiver is not None else call.args[:1])
    return unknown(frozenset((handle,)))


def temporary(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """A temporary file: its name is not known, but it is the same wherever it goes."""
    handle = vm.emit(Kind.FS_WRITE, None, call.place, call.frame, soft=not call.sym.endswith("NamedTemporaryFile"))
    made = symbol("io.file()")
    made.mark = frozenset((handle,))
    suffix = call.arg(5 if call.sym.endswith("SpooledTemporaryFile") else 4, "suffix")
    name = unknown()
    if suffix is not None and isinstance(suffix.const, str):
        name.text = f"/tmp/{{}}{suffix.const}"  # noqa: S108 - a text, not a path of ours
    name.mark = made.mark
    made.attrs = {"name": name}
    return made


def temporary_name(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """``tempfile.mkstemp()``: a descriptor and a name."""
    if call.sym.endswith("mkstemp"):
        result = Value()
        result.kind = "tuple"
        result.items = [unknown(), unknown()]
        return result
    made = unknown()
    made.text = "/tmp/{}" if call.sym.endswith(("gettempdir", "mkdtemp")) else None  # noqa: S108 - a text, not a path of ours
    return made


def same_path(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """Methods that give the same path again: resolve, absolute, expanduser."""
    return receiver if receiver is not None else unknown()


def joined(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """``Path(...).joinpath(...)``, ``with_name``."""
    return joined_path([receiver, *call.args]) if receiver is not None else unknown()


def beside(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """``Path(...).with_name(name)``: another file of the same folder."""
    folder = constant((receiver.text or HOLE).rpartition("/")[0] if receiver is not None else HOLE)
    return joined_path([folder if folder.const else constant(HOLE), *call.args[:1]])


def resource(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """A file that the package carries: ``pkgutil.get_data``, ``importlib.resources.read_text``."""
    name = call.arg(1, "resource")
    return unknown(reading(vm, joined_path([constant(HOLE), name]) if name is not None else None, call))


def own_text(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """``inspect.getsource(thing)``, ``__loader__.get_source(name)``: text of the program itself."""
    return unknown(frozenset((vm.emit(Kind.FS_READ, "__file__", call.place, call.frame, soft=True),)))


def media(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """A picture or a sound: what is in it is data like any other."""
    source = call.arg(0, "fp", "filename", "file", "uri", "f")
    taint = all_taint(call.data())
    return symbol(f"{call.sym}()", taint if taint or source is None else reading(vm, source, call))


def settings(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """``dotenv_values(path)``: whatever its name, such a file is one of secrets."""
    path = call.arg(0, "dotenv_path")
    named = path if path is not None and path_text(path) is not None else constant(".env")
    found = reading(vm, named, call)
    if not secret_path(path_text(named) or ""):
        found |= {vm.emit(Kind.SECRET_READ, ".env", call.place, call.frame)}
    return unknown(found)


def resources(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """``importlib.resources.files(package)``: the folder of a package."""
    return joined_path([constant(HOLE)])


def listed(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """``os.walk(path)``: keeps the place it walks through."""
    made = looked(vm, call, receiver)
    parts = elements(made)
    return made if parts is None else unknown(made.taint)


_DELETES = "os.remove os.unlink os.rmdir os.removedirs shutil.rmtree"
_COPIES = (
    "shutil.copy shutil.copy2 shutil.copyfile shutil.copytree shutil.move shutil.copyfileobj os.rename "
    "os.replace os.renames os.link"
)
_LOOKS = "os.listdir os.scandir os.path.exists os.path.isfile os.path.isdir os.access os.stat"

_RESOURCES = (
    "pkgutil.get_data importlib.resources.read_text importlib.resources.read_binary importlib.resources.open_text "
    "importlib.resources.open_binary pkg_resources.resource_string pkg_resources.resource_stream"
)

_MEDIA = (
    "PIL.Image.open cv2.imread imageio.imread imageio.v2.imread imageio.v3.imread wave.open soundfile.read "
    "scipy.io.wavfile.read"
)
"""What reads a picture or a sound, from a path or from what has been opened."""

_OWN = (
    "inspect.getsource inspect.getsourcelines inspect.getcomments inspect.getdoc __loader__.get_source "
    "__loader__.get_data __spec__.loader.get_source"
)

HANDLERS: "dict[str, Handler]" = {
    **dict.fromkeys(_OWN.split(), own_text),
    "builtins.open": opened,
    "os.open": opened,
    "os.fdopen": lambda vm, call, receiver: symbol("io.file()"),
    "gzip.open": opened,
    "bz2.open": opened,
    "lzma.open": opened,
    "io.FileIO": opened,
    **dict.fromkeys(("zipfile.ZipFile", "tarfile.open", "tarfile.TarFile", "tarfile.TarFile.open"), archived),
    "shutil.make_archive": archive_made,
    **dict.fromkeys(("zipfile.archive().write", "zipfile.archive().add"), added),
    **dict.fromkeys(("zipfile.archive().extractall", "zipfile.archive().extract", "shutil.unpack_archive"), extracted),
    **dict.fromkeys(_DELETES.split(), deleted),
    **dict.fromkeys(_COPIES.split(), copied),
    **dict.fromkeys(_LOOKS.split(), looked),
    **dict.fromkeys(("glob.glob", "glob.iglob"), walked),
    "os.walk": tree,
    **dict.fromkeys(_RESOURCES.split(), resource),
    **dict.fromkeys(_MEDIA.split(), media),
    "importlib.resources.files": resources,
    "linecache.getlines": read_argument,
    "sqlite3.connect": read_argument,
    "dotenv.dotenv_values": settings,
    "configparser.ConfigParser().read": read_argument,
    **dict.fromkeys(
        ("tempfile.NamedTemporaryFile", "tempfile.TemporaryFile", "tempfile.SpooledTemporaryFile"), temporary
    ),
    **dict.fromkeys(("tempfile.mkstemp", "tempfile.mktemp", "tempfile.gettempdir", "tempfile.mkdtemp"), temporary_name),
}
for _path in ("pathlib.Path()", "__file__"):
    HANDLERS[f"{_path}.open"] = opened_path
    HANDLERS.update(dict.fromkeys((f"{_path}.{name}" for name in ("read_text", "read_bytes")), read))
    HANDLERS.update(dict.fromkeys((f"{_path}.{name}" for name in ("write_text", "write_bytes")), written))
    HANDLERS.update(dict.fromkeys((f"{_path}.{name}" for name in ("unlink", "rmdir", "rmtree")), deleted))
    HANDLERS.update(dict.fromkeys((f"{_path}.{name}" for name in ("rename", "replace", "copy", "move")), copied))
    HANDLERS.update(
        dict.fromkeys((f"{_path}.{name}" for name in ("resolve", "absolute", "expanduser", "as_posix")), same_path)
    )
    HANDLERS.update(dict.fromkeys((f"{_path}.{name}" for name in ("exists", "is_file", "is_dir")), looked))
    HANDLERS.update(dict.fromkeys((f"{_path}.{name}" for name in ("glob", "rglob", "iterdir")), walked))
    HANDLERS[f"{_path}.with_name"] = beside
HANDLERS["pathlib.Path().joinpath"] = joined
HANDLERS["pathlib.Path().__truediv__"] = joined
