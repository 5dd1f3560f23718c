"""Run the coroutines of a client from code that is not asynchronous."""

import asyncio
import functools
import inspect
import threading


def async_to_sync(obj, name):
    function = getattr(obj, name)
    main_loop = asyncio.new_event_loop()

    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        coroutine = function(*args, **kwargs)
        if threading.current_thread() is threading.main_thread() and not main_loop.is_running():
            return main_loop.run_until_complete(coroutine)
        return coroutine

    setattr(obj, name, wrapper)


def wrap_methods(source):
    for name in dir(source):
        if not name.startswith("_") and inspect.iscoroutinefunction(getattr(source, name)):
            async_to_sync(source, name)
