"""What the user types, copies and sees, taken by a program."""

from typing import TYPE_CHECKING

from lazaretto.core.facts import Kind
from lazaretto.languages.python import calls
from lazaretto.languages.python.scope import Bound, Call, Function, Partial
from lazaretto.languages.python.values import Value, unknown

if TYPE_CHECKING:
    from lazaretto.languages.python.effects.table import Handler
    from lazaretto.languages.python.machine import Machine

_TAKEN = {
    "keyboard": "pynput.keyboard.Listener keyboard.on_press keyboard.on_release keyboard.hook keyboard.record "
    "keyboard.start_recording keyboard.read_event pyxhook.HookManager pyWinhook.HookManager pyHook.HookManager",
    "clipboard": "pyperclip.paste clipboard.paste win32clipboard.GetClipboardData tkinter.Tk().clipboard_get "
    "PIL.ImageGrab.grabclipboard",
    "screen": "PIL.ImageGrab.grab pyautogui.screenshot mss.mss pyscreenshot.grab",
}
"""What is taken -> the dotted names of what takes it."""

EXCHANGED = "clipboard exchanged"

_NATIVE = {
    "SetWindowsHookExA": "keyboard",
    "SetWindowsHookExW": "keyboard",
    "GetAsyncKeyState": "keyboard",
    "GetClipboardData": "clipboard",
}
"""Native functions that do, reached through ``ctypes``."""

_REPLACED = (
    "pyperclip.copy clipboard.copy win32clipboard.SetClipboardData win32clipboard.SetClipboardText "
    "tkinter.Tk().clipboard_append".split()
)
"""What puts something else into the clipboard: told where the clipboard has been read."""

_TOLD = {name: what for what, names in _TAKEN.items() for name in names.split()}


def by_shape(sym: str) -> "Handler | None":
    """Return the handler for a native function (``ctypes.windll.user32.GetAsyncKeyState``)."""
    return watched if sym.startswith("ctypes.") and sym.rpartition(".")[2] in _NATIVE else None


def watched(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """Something of the user is taken; it flows on."""
    what = _TOLD.get(call.sym) or _NATIVE[call.sym.rpartition(".")[2]]
    taken = frozenset((vm.emit(Kind.USER_WATCH, what, call.place, call.frame),))
    for value in (*call.args, *call.keywords.values()):
        if isinstance(value.ref, (Function, Bound, Partial)):
            calls.call(vm, value, [unknown(taken)], {}, call.place, call.frame)
    return unknown(taken)


def exchanged(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """Something else is put into the clipboard by who has looked into it."""
    if vm.record.has(Kind.USER_WATCH, "clipboard"):
        vm.emit(Kind.USER_WATCH, EXCHANGED, call.place, call.frame)
    return unknown()


HANDLERS: "dict[str, Handler]" = {**dict.fromkeys(_TOLD, watched), **dict.fromkeys(_REPLACED, exchanged)}
