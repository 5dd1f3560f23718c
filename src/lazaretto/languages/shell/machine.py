"""Walks a parsed script in order, folds what is constant, and writes facts. Nothing is ever executed.

Every condition counts as true, every branch as taken. Values carry the facts they came from (``taint``), through
variables, pipes, substitutions and files, so that a flow is known where one value reaches another command.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping

from lazaretto.core.facts import Fact, Kind, Moment, Problem, Span, bounded
from lazaretto.languages._sensitive import agent_path, persist_path, secret_env, secret_path
from lazaretto.languages.shell import expand
from lazaretto.languages.shell.calls import Calls
from lazaretto.languages.shell.repeats import becomes
from lazaretto.languages.shell.syntax import UNREAD, Function, Group, Part, Pipeline, Redirect, Script, Simple
from lazaretto.languages.shell.values import NOTHING, Call, Value, merge

MAX_STEPS = 50_000
"""Most commands that are walked in one file, each for the first time."""

MAX_REPEATED = 150_000
"""Most commands that are walked again, in a long script: for other items of a loop, in later calls of a function."""

MAX_FACTS = 20_000
"""Most facts of one file."""

MAX_PROBLEMS = 50
"""Most things of one file that are told as not understood; a bound that was met is told whatever their number."""

MAX_FLOWS = 20_000
"""Most flows from facts of one kind to facts of another."""

MAX_DEPTH = 48
"""Deepest nesting of calls, groups and substitutions that is walked."""

MAX_SCRIPTS = 8
"""Deepest nesting of scripts inside scripts (``eval``, ``sh -c``, decoded text) that is walked."""

_REDIRECTIONS = (Kind.FS_READ, Kind.FS_WRITE)

Handler = Callable[["Machine", Call], Value]


class Machine:
    """The state of one reading. ``dispatch`` runs a command; ``parse`` reads text of the same shell."""

    def __init__(self, data: str, dispatch: Handler, parse: Callable[[str, int], Script], *, folds_case: bool) -> None:
        self.facts: list[Fact] = []
        self.flows: dict[tuple[int, int], None] = {}
        self.problems: list[Problem] = []
        self.variables: dict[str, Value] = {}
        self.files: dict[str, Value] = {}
        self.loaded: set[str] = set()
        self.unpacked: tuple[int, ...] = ()
        self.aliases: dict[str, str] = {}
        self.calls = Calls()
        self.moment = Moment.LOAD
        self.pin: tuple[int, int] | None = None
        self.writes = 0
        self.cwd: str | None = "."
        self.parse = parse
        self.folds_case = folds_case
        self._dispatch = dispatch
        self._functions: dict[str, Function] = {}
        self._between: Counter[tuple[Kind, Kind]] = Counter()
        self._known: dict[Fact, int] = {}
        self._acts = 0
        self._steps = 0
        self._repeated = 0
        self._patience = min(MAX_REPEATED, 5_000 + 10 * len(data))
        self._again = 0
        self._depth = 0
        self._scripts = 0
        self._size = len(data)
        self._lines = [0]
        at = data.find("\n")
        while at >= 0:
            self._lines.append(at + 1)
            at = data.find("\n", at + 1)

    # --- what commands use ---------------------------------------------------------------------------------------

    def span(self, start: int, end: int) -> Span:
        """Return the place in the file; inside a decoded script, that of the command that decoded it."""
        start, end = self.pin or (start, end)
        start, end = min(start, self._size), min(end, self._size)
        line = bisect_right(self._lines, start)
        return Span(line, start - self._lines[line - 1], start, end)

    def fact(self, kind: Kind, value: str | None, call: Call, via: str = "plain") -> int:
        """Write a fact at a command and return its index; what was told of the same place is told once."""
        text = None if value is None else bounded(value.encode("latin-1", "replace").decode("utf-8", "replace"))
        self._acts += kind not in _REDIRECTIONS
        told = Fact(kind, text, self.span(call.start, call.end), self.moment, via)
        if told in self._known:
            return self._known[told]
        if len(self.facts) >= MAX_FACTS:
            self.unread(call.start, f"more than {MAX_FACTS} facts")
            self._steps = MAX_STEPS + 1
            return MAX_FACTS - 1
        self.facts.append(told)
        self._known[told] = len(self.facts) - 1
        return len(self.facts) - 1

    def flow(self, taint: tuple[int, ...], sink: int) -> None:
        """Write a flow from each fact of ``taint`` to ``sink``; many of one sort do not keep out those of another."""
        for source in taint:
            between = (self.facts[source].kind, self.facts[sink].kind)
            if source != sink and self._between[between] < MAX_FLOWS:
                self._between[between] += (source, sink) not in self.flows
                self.flows[source, sink] = None
            elif source != sink and self._between[between] == MAX_FLOWS:
                self._between[between] += 1
                self.unread(self.facts[sink].span.start, f"more than {MAX_FLOWS} flows of one sort")

    def problem(self, call: Call, reason: str, *, unread: bool = False) -> None:
        """Write why something was not understood; the same reason once per line."""
        found = Problem(self.span(call.start, call.end).line, reason, unread)
        if found not in self.problems and (unread or len(self.problems) < MAX_PROBLEMS):
            self.problems.append(found)

    def unread(self, start: int, reason: str) -> None:
        """Write once that a bound was met: something was not looked at."""
        if all(one.reason != reason for one in self.problems):
            self.problems.append(Problem(self.span(start, start).line, reason, unread=True))

    def cut(self, text: Value, start: int) -> None:
        """Say of a text that is read on that it was cut, if it was."""
        if len(text.text) >= expand.MAX_TEXT:
            self.unread(start, f"a text of more than {expand.MAX_TEXT} characters was cut")

    def script(self, text: Value, call: Call, parse: Callable[[str, int], Script] | None = None) -> Value:
        """Walk a script that was found as text (decoded, ``sh -c``, ``eval``); its facts stand at ``call``."""
        if self._scripts >= MAX_SCRIPTS:
            self.unread(call.start, "scripts inside scripts are nested too deeply")
            return NOTHING
        self.cut(text, call.start)
        self._scripts += 1
        outer, self.pin = self.pin, self.pin or (call.start, call.end)
        try:
            script = (parse or self.parse)(text.text, 0)
            before = self._acts
            result = self.run(script.body, call.stdin)
            # Every branch is walked, also where that joins texts that never meet: what holds no command is no script,
            # nor is autoconf's idiom.
            guessed = not text.known or self._acts == before or " #( " in text.text
            for _, reason in script.defects:
                if not guessed or reason in UNREAD:
                    self.problem(call, f"inner script: {reason}", unread=reason in UNREAD)
            return result
        finally:
            self.pin = outer
            self._scripts -= 1

    def nested(self, call: Call) -> Value:
        """Run the command that the arguments of another one spell (``sudo``, ``xargs``, ``find -exec``)."""
        if self._depth >= MAX_DEPTH:
            self.unread(call.start, "commands are nested too deeply")
            return NOTHING
        self._depth += 1
        name = expand.program_name(call.args[0].text, folds_case=self.folds_case)
        printed = self.dispatch(call.inner(name, call.args))
        self._depth -= 1
        return printed

    def dispatch(self, call: Call) -> Value:
        """Run one command: an alias or a function of the script, or whatever knows its name."""
        if call.name in self.aliases and "(" not in call.name:
            text = self.aliases.pop(call.name)  # an alias is not expanded inside itself
            rest = " ".join(value.text for value in call.args)
            printed = self.script(Value(f"{text} {rest}"), call)
            self.aliases[call.name] = text
            return printed
        function = self._functions.get(call.name)
        if function is not None:
            return self.calls.run(self, function, call)
        return self._dispatch(self, call)

    # --- walking -------------------------------------------------------------------------------------------------

    def read(self, script: Script) -> None:
        """Walk a whole file, then the functions that nobody called."""
        for offset, reason in script.defects:
            found = Problem(self.span(offset, offset).line, reason, reason in UNREAD)
            if found not in self.problems:
                self.problems.append(found)
        self.run(script.body, None)
        self.moment = Moment.CALL
        while left := self.calls.uncalled():  # one may define others
            for function, self.pin in left:
                self.run(function.body, None)

    def run(self, body: tuple[Pipeline, ...], stdin: Value | None) -> Value:
        """Walk pipelines one after the other; return what they print, joined."""
        if self._depth >= MAX_DEPTH:
            self.unread(0, "commands are nested too deeply")
            return Value("", known=False)
        self._depth += 1
        printed = [self._pipeline(pipeline, stdin) for pipeline in body]
        self._depth -= 1
        return _joined(printed)

    def _pipeline(self, pipeline: Pipeline, stdin: Value | None) -> Value:
        value = stdin
        for stage in pipeline.stages:
            value = self._stage(stage, value)
        return value or NOTHING

    def _stage(self, stage: Simple | Group | Function, stdin: Value | None) -> Value:
        if isinstance(stage, Function):
            self._functions[stage.name] = stage
            self.calls.define(stage, self.pin)
            return NOTHING
        if isinstance(stage, Simple):
            return self._simple(stage, stdin)
        return self._group(stage, stdin)

    def _group(self, group: Group, stdin: Value | None) -> Value:
        saved = (dict(self.variables), self.cwd) if group.subshell else None
        call = Call("(", NOTHING, (), None, group.start, group.start + 1)
        stdin = self._inputs(group.redirects, call, stdin)
        items = [value for word in group.items for value in expand.words(self, word)]
        value = self._loop(group, items, stdin) if group.variable else self.run(group.body, stdin)
        if saved:
            self.variables, self.cwd = saved
        return self._outputs(group.redirects, call, value)

    def _loop(self, group: Group, items: list[Value], stdin: Value | None) -> Value:
        """Walk a loop once for each item that is known, and once for all others together."""
        known = list(dict.fromkeys(item for item in items if item.known))
        rest = [item for item in items if not item.known]
        if rest or not known:
            taint = merge(*(item.taint for item in rest))
            known.append(Value(f"${group.variable}", known=False, taint=taint))
        outputs = []
        for count, item in enumerate(known):
            self.variables[group.variable] = item
            outputs.append(self.repeat(group.body, stdin, group.start) if count else self.run(group.body, stdin))
        return _joined(outputs)

    def repeat(self, body: tuple[Pipeline, ...], stdin: Value | None, start: int) -> Value:
        """Walk what was walked before, for other values."""
        if self._too_many(start, again=True):
            return Value("", known=False)
        self._again += 1
        printed = self.run(body, stdin)
        self._again -= 1
        return printed

    def _too_many(self, start: int, *, again: bool) -> bool:
        """Count a command; whether it is not walked any more."""
        self._repeated += again
        self._steps += not again
        if again and self._repeated == self._patience + 1:
            self.unread(start, f"more than {self._patience} commands in loops and calls")
        if not again and self._steps == MAX_STEPS + 1:
            self.unread(start, f"more than {MAX_STEPS} commands")
        return self._steps > MAX_STEPS or (again and self._repeated > self._patience)

    def _simple(self, command: Simple, stdin: Value | None) -> Value:
        if self._too_many(command.start, again=self._again > 0):
            return NOTHING
        values = ((name, self.variables.get(name), expand.value(self, word)) for name, word in command.assigns)
        assigned = {name: becomes(name, old, value) for name, old, value in values}
        words = [value for word in command.words for value in expand.words(self, word)]
        if not words:
            self.variables.update(assigned)
        name = expand.program_name(words[0].text, folds_case=self.folds_case) if words else ""
        call = Call(name, words[0] if words else NOTHING, tuple(words[1:]), stdin, command.start, command.end)
        call = Call(name, call.program, call.args, self._inputs(command.redirects, call, stdin), call.start, call.end)
        self._preloads(assigned, call)
        if not words:
            return self._outputs(command.redirects, call, call.stdin or NOTHING if command.redirects else NOTHING)
        before = {key: self.variables.get(key) for key in assigned}
        self.variables.update(assigned)
        printed = self.dispatch(call)
        for key, value in before.items():
            if value is None:
                self.variables.pop(key, None)
            else:
                self.variables[key] = value
        return self._outputs(command.redirects, call, printed)

    def _preloads(self, assigned: Mapping[str, Value], call: Call) -> None:
        """A file that an assignment makes every later program load."""
        for name in ("NODE_OPTIONS", "LD_PRELOAD", "DYLD_INSERT_LIBRARIES", "BASH_ENV", "PYTHONSTARTUP"):
            if name in assigned:
                for word in assigned[name].text.replace("=", " ").split():
                    if word.startswith((".", "/")):
                        self.fact(Kind.IMPORT, word, call)

    # --- redirections and substitutions ----------------------------------------------------------------------------

    def substitute(self, part: Part) -> Value:
        """Walk the commands of a substitution and return what they print."""
        saved, cwd = dict(self.variables), self.cwd
        printed = self.run(part.body, None)
        self.variables, self.cwd = saved, cwd
        if printed.known and (printed.text or not part.body):
            return Value(printed.text.rstrip("\n"), True, printed.taint, printed.via)
        return Value(part.text, False, printed.taint, printed.via)

    def variable(self, part: Part) -> Value:
        """Return the value of a variable, or its source text; a credential from the environment is a fact."""
        value = self.variables.get(part.text)
        if value is not None:
            return value
        if part.body:  # a default or an index that is itself a command
            return Value(part.text, False, self.substitute(part).taint)
        if not self._is_secret(part.text):
            return Value(
                f"${part.text.lstrip(':')}" if not part.operator else f"${{{part.text}{part.operator}}}", known=False
            )
        call = Call("$", NOTHING, (), None, part.start, part.start + len(part.text) + 1)
        return Value(f"${part.text}", False, (self.fact(Kind.SECRET_READ, part.text, call),))

    def _is_secret(self, name: str) -> bool:
        """Whether an unset variable is a credential of the environment; shells write locals in lower case."""
        upper = self.folds_case or name.isupper() or name.startswith("npm_config_")
        return upper and not name.startswith(":") and secret_env(name)

    def _inputs(self, redirects: tuple[Redirect, ...], call: Call, stdin: Value | None) -> Value | None:
        for redirect in redirects:
            if redirect.operator in {"<<", "<<<"}:
                stdin = expand.value(self, redirect.target)
            elif redirect.operator in {"<", "<>"}:
                target = expand.value(self, redirect.target)
                stdin = self.input_file(target, call)
            elif redirect.operator == "case":
                expand.value(self, redirect.target)
        return stdin

    def input_file(self, path: Value, call: Call) -> Value:
        """Return the content of a file as far as it is known here."""
        known = self.files.get(expand.tidy(path.text))
        if known is not None:
            return known
        if path.text.startswith(("/dev/tcp/", "/dev/udp/")):
            return Value("", False, (self.connect_device(path, call),))
        if secret_path(path.text):
            return Value("", False, (*path.taint, self.fact(Kind.SECRET_READ, path.text, call)))
        return Value(f"$(< {path.text})", False, path.taint)

    def connect_device(self, path: Value, call: Call) -> int:
        """Write the connection that bash opens for ``/dev/tcp/host/port``."""
        host, _, port = path.text[len("/dev/tcp/") :].partition("/")
        return self.fact(Kind.NET_CONNECT, f"{host}:{port}", call)

    def _outputs(self, redirects: tuple[Redirect, ...], call: Call, printed: Value) -> Value:
        for redirect in redirects:
            if redirect.operator not in {">", ">>", ">|", "&>", "&>>", ">&"}:
                continue
            target = expand.value(self, redirect.target)
            if target.text.startswith(("/dev/tcp/", "/dev/udp/")):
                self.flow(printed.taint, self.connect_device(target, call))
            elif target.text.lower() not in {"/dev/null", "nul", "$null", "/dev/stderr", "/dev/stdout", "/dev/tty"}:
                self.written(target, printed, call, append=">>" in redirect.operator)
            printed = NOTHING
        return printed

    def written(self, path: Value, content: Value, call: Call, *, append: bool = False) -> None:
        """Write the facts of a file that a command writes, and remember its content."""
        name = expand.tidy(path.text)
        index = self.fact(Kind.FS_WRITE, path.text, call)
        self.flow(content.taint, index)
        if name == "package.json":
            self.fact(Kind.FS_SELF_DELETE, path.text, call)
        if persist_path(path.text) or agent_path(path.text):
            self.flow(content.taint, self.fact(Kind.PERSIST, path.text, call))
        old = self.files.get(name) if append else None
        if old is not None:
            text, whole = expand.joined((old.text, content.text))
            known = whole and old.known and content.known
            content = Value(text, known, merge(old.taint, content.taint))
        self.writes += content != self.files.get(name)
        self.files[name] = content


def _joined(printed: list[Value]) -> Value:
    shown = [value for value in printed if value.text or value.taint]
    if len(shown) == 1:
        return shown[0]
    text, whole = expand.joined(value.text for value in shown)
    return Value(
        text,
        known=whole and all(value.known for value in shown),
        taint=merge(*(value.taint for value in shown)),
        via=next((value.via for value in shown if value.via != "plain"), "plain"),
    )
