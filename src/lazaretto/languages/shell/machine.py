"""Walks a parsed script in order, folds what is constant, and writes facts. Nothing is ever executed.

Every condition counts as true, every branch as taken. Values carry the facts they came from (``taint``), through
variables, pipes, substitutions and files, so that a flow is known where one value reaches another command.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping

from lazaretto.core.facts import Fact, Kind, Moment, Problem, Span, bounded
from lazaretto.languages._sensitive import agent_path, persist_path, secret_env, secret_path
from lazaretto.languages.shell import expand
from lazaretto.languages.shell.syntax import Function, Group, Part, Pipeline, Redirect, Script, Simple
from lazaretto.languages.shell.values import NOTHING, Call, Value, merge

MAX_STEPS = 50_000
"""Most commands that are walked in one file, loops and calls included."""

MAX_FACTS = 20_000
"""Most facts of one file."""

MAX_CALLS = 3
"""How often one function is walked; what more calls would add are repetitions."""

MAX_DEPTH = 48
"""Deepest nesting of calls, groups and substitutions that is walked."""

MAX_SCRIPTS = 8
"""Deepest nesting of scripts inside scripts (``eval``, ``sh -c``, decoded text) that is walked."""

MAX_ITEMS = 16
"""Most items of a loop that are walked one by one."""

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
        self.cwd: str | None = "."
        self.parse = parse
        self.folds_case = folds_case
        self._dispatch = dispatch
        self._functions: dict[str, Function] = {}
        self._calls: dict[str, int] = {}
        self._moment = Moment.LOAD
        self._pin: tuple[int, int] | None = None
        self._steps = 0
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
        start, end = self._pin or (start, end)
        start, end = min(start, self._size), min(end, self._size)
        line = bisect_right(self._lines, start)
        return Span(line, start - self._lines[line - 1], start, end)

    def fact(self, kind: Kind, value: str | None, call: Call, via: str = "plain") -> int:
        """Write a fact at a command and return its index."""
        if len(self.facts) >= MAX_FACTS:
            self.problem(call, f"more than {MAX_FACTS} facts", unread=True)
            self._steps = MAX_STEPS + 1
            return MAX_FACTS - 1
        text = None if value is None else value.encode("latin-1", "replace").decode("utf-8", "replace")
        text = None if text is None else bounded(text)
        self.facts.append(Fact(kind, text, self.span(call.start, call.end), self._moment, via))
        return len(self.facts) - 1

    def flow(self, taint: tuple[int, ...], sink: int) -> None:
        """Write a flow from each fact of ``taint`` to ``sink``."""
        for source in taint:
            if source != sink:
                self.flows[source, sink] = None

    def problem(self, call: Call, reason: str, *, unread: bool = False) -> None:
        """Write why something was not understood; the same reason once per line."""
        found = Problem(self.span(call.start, call.end).line, reason, unread)
        if found not in self.problems and (unread or len(self.problems) < 50):
            self.problems.append(found)

    def script(self, text: Value, call: Call, parse: Callable[[str, int], Script] | None = None) -> Value:
        """Walk a script that was found as text (decoded, ``sh -c``, ``eval``); its facts stand at ``call``."""
        if self._scripts >= MAX_SCRIPTS:
            self.problem(call, "scripts inside scripts are nested too deeply", unread=True)
            return NOTHING
        self._scripts += 1
        outer, self._pin = self._pin, self._pin or (call.start, call.end)
        try:
            script = (parse or self.parse)(text.text, 0)
            before = len(self.facts)
            result = self.run(script.body, call.stdin)
            # Every branch is walked, also where that joins texts that never meet: what holds no command is no script.
            does = any(fact.kind not in _REDIRECTIONS for fact in self.facts[before:])
            if text.known and does and " #( " not in text.text:  # autoconf's idiom, no script either
                for _, reason in script.defects:
                    self.problem(call, f"inner script: {reason}")
            return result
        finally:
            self._pin = outer
            self._scripts -= 1

    def nested(self, call: Call) -> Value:
        """Run the command that the arguments of another one spell (``sudo``, ``xargs``, ``find -exec``)."""
        if self._depth >= MAX_DEPTH:
            self.problem(call, "commands are nested too deeply", unread=True)
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
            return self._call(function, call)
        return self._dispatch(self, call)

    # --- walking -------------------------------------------------------------------------------------------------

    def read(self, script: Script) -> None:
        """Walk a whole file, then the functions that nobody called."""
        for offset, reason in script.defects:
            found = Problem(self.span(offset, offset).line, reason)
            if found not in self.problems:
                self.problems.append(found)
        self.run(script.body, None)
        self._moment = Moment.CALL
        for name in sorted(self._functions.keys() - self._calls.keys()):
            self._calls[name] = MAX_CALLS
            self.run(self._functions[name].body, None)

    def run(self, body: tuple[Pipeline, ...], stdin: Value | None) -> Value:
        """Walk pipelines one after the other; return what they print, joined."""
        if self._depth >= MAX_DEPTH:
            self.problems.append(Problem(1, "commands are nested too deeply", unread=True))
            return Value("", known=False)
        self._depth += 1
        printed = [self._pipeline(pipeline, stdin) for pipeline in body]
        self._depth -= 1
        shown = [value for value in printed if value.text or value.taint]
        if len(shown) == 1:
            return shown[0]
        return Value(
            "".join(value.text for value in shown),
            known=all(value.known for value in shown),
            taint=merge(*(value.taint for value in shown)),
            via=next((value.via for value in shown if value.via != "plain"), "plain"),
        )

    def _pipeline(self, pipeline: Pipeline, stdin: Value | None) -> Value:
        value = stdin
        for stage in pipeline.stages:
            value = self._stage(stage, value)
        return value or NOTHING

    def _stage(self, stage: Simple | Group | Function, stdin: Value | None) -> Value:
        if isinstance(stage, Function):
            self._functions[stage.name] = stage
            return NOTHING
        if isinstance(stage, Simple):
            return self._simple(stage, stdin)
        return self._group(stage, stdin)

    def _group(self, group: Group, stdin: Value | None) -> Value:
        saved = (dict(self.variables), self.cwd) if group.subshell else None
        call = Call("(", NOTHING, (), None, group.start, group.start + 1)
        stdin = self._inputs(group.redirects, call, stdin)
        items = [value for word in group.items for value in expand.words(self, word)]
        if group.variable and 0 < len(items) <= MAX_ITEMS and all(item.known for item in items):
            outputs = []
            for item in items:
                self.variables[group.variable] = item
                outputs.append(self.run(group.body, stdin))
            value = Value(
                "".join(o.text for o in outputs), all(o.known for o in outputs), merge(*(o.taint for o in outputs))
            )
        else:
            if group.variable:
                taint = merge(*(item.taint for item in items))
                self.variables[group.variable] = Value(f"${group.variable}", known=False, taint=taint)
            value = self.run(group.body, stdin)
        if saved:
            self.variables, self.cwd = saved
        return self._outputs(group.redirects, call, value)

    def _simple(self, command: Simple, stdin: Value | None) -> Value:
        self._steps += 1
        if self._steps > MAX_STEPS:
            if self._steps == MAX_STEPS + 1:
                self.problems.append(
                    Problem(self.span(command.start, 0).line, f"more than {MAX_STEPS} commands", unread=True)
                )
            return NOTHING
        assigned = {name: expand.value(self, word) for name, word in command.assigns}
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

    def _call(self, function: Function, call: Call) -> Value:
        self._calls[function.name] = self._calls.get(function.name, 0) + 1
        if self._calls[function.name] > MAX_CALLS:
            return Value(f"$({call.text})", known=False, taint=call.taint)
        outer = dict(self.variables)
        joined = Value(
            " ".join(v.text for v in call.args), all(v.known for v in call.args), merge(*(v.taint for v in call.args))
        )
        self.variables.update({str(number): value for number, value in enumerate(call.args, 1)})
        self.variables.update({"@": joined, "*": joined, "#": Value(str(len(call.args)))})
        printed = self.run(function.body, call.stdin)
        for name in ("@", "*", "#", *(str(number) for number in range(1, len(call.args) + 1))):
            if name in outer:
                self.variables[name] = outer[name]
            else:
                self.variables.pop(name, None)
        return printed

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
            content = Value(old.text + content.text, old.known and content.known, merge(old.taint, content.taint))
        self.files[name] = content
