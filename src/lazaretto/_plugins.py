"""Strict discovery: one module of a package is one plug-in, and a broken one stops the program.

A list of plug-ins would be a second place to keep (ADR 0002). The danger of having none, a plug-in that is silently
missing, is met by strictness: whatever lies in the package must import and must offer the names that its kind asks
for. Helpers that are not plug-ins have names that start with an underscore.

Plug-ins of third parties are loaded by dotted name only, from the settings. Entry points are never looked at: a
hostile package that lies in the same environment must not be able to put itself inside its own judge.
"""

import os
from collections.abc import Iterable
from importlib import import_module
from types import ModuleType


class PluginError(Exception):
    """A plug-in cannot be used. The message names it and says what is wrong with it."""


def names(package: str) -> tuple[str, ...]:
    """Return the names of the plug-ins in ``package``, sorted, without importing any of them.

    Args:
        package: dotted name, for instance ``lazaretto.detectors``.

    Raises:
        PluginError: the package cannot be imported or listed, holds no plug-in at all, or a folder that is none.
    """
    found = {name for folder in _folders(package) for name in _names_in(folder)}
    if not found:
        raise PluginError(f"{package} holds no plug-in: the installation is broken, install Lazaretto again")
    return tuple(sorted(found))


def load(dotted: str, required: Iterable[str] = ()) -> ModuleType:
    """Import one plug-in and check that it offers every name in ``required``.

    Raises:
        PluginError: it fails to import, or lacks a required name.
    """
    try:
        module = import_module(dotted)
    except Exception as error:
        raise PluginError(f"plug-in {dotted} cannot be imported: {type(error).__name__}: {error}") from error
    missing = [name for name in required if not hasattr(module, name)]
    if missing:
        raise PluginError(f"plug-in {dotted} lacks {', '.join(missing)}")
    return module


def discover(package: str, required: Iterable[str] = (), extra: Iterable[str] = ()) -> tuple[ModuleType, ...]:
    """Import every plug-in of ``package``, in the order of their names, then those named in ``extra``.

    Args:
        package: dotted name of the package whose modules and sub-packages are the plug-ins.
        required: names that each plug-in must offer.
        extra: dotted names of plug-ins of third parties, as the settings name them.

    Raises:
        PluginError: one of them cannot be used, or two of them have the same last name.
    """
    required = tuple(required)
    dotted = [f"{package}.{name}" for name in names(package)] + list(extra)
    seen: dict[str, str] = {}
    for name in dotted:
        other = seen.setdefault(name.rpartition(".")[2], name)
        if other != name:
            raise PluginError(f"plug-ins {other} and {name} have the same name: rename one")
    return tuple(load(name, required) for name in dict.fromkeys(dotted))


def _folders(package: str) -> tuple[str, ...]:
    try:
        return tuple(import_module(package).__path__)
    except Exception as error:
        raise PluginError(f"package {package} cannot be imported: {type(error).__name__}: {error}") from error


def _names_in(folder: str) -> Iterable[str]:
    # os.scandir takes 0.1 ms; pkgutil.iter_modules takes 6 ms, because it imports inspect.
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                name, extension = os.path.splitext(entry.name)
                if name.startswith(("_", ".")):
                    continue
                if extension == ".py":
                    yield name
                elif not extension and entry.is_dir():
                    # Without __init__.py Python would take it for a package that is empty.
                    if not os.path.exists(os.path.join(entry.path, "__init__.py")):
                        raise PluginError(f"plug-in {entry.path} has no __init__.py")
                    yield name
    except OSError as error:
        raise PluginError(f"plug-ins in {folder} cannot be listed: {error.strerror}") from error
