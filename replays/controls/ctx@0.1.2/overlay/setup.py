from setuptools import setup

setup(
    name="ctx",
    version="0.1.2",
    description="A minimal but opinionated dict/object combo",
    author="robert ledger",
    py_modules=["ctx"],
    license="MIT",
)
