"""One target under Atheris (libFuzzer), in a process of its own: ``python -m evals.fuzz.one TARGET [OPTIONS]``."""

import sys

import atheris


def main() -> None:
    """Fuzz until the options of libFuzzer say that it is enough, or something does not hold."""
    # Only what is instrumented guides: our own modules. Whatever imports them must come later.
    with atheris.instrument_imports(include=["lazaretto"]):
        from evals.fuzz.targets import targets

        target = targets()[sys.argv[1]]
        for seed in target.seeds:  # what is loaded late must be instrumented too
            target.check(seed)
    atheris.Setup([sys.argv[0], *sys.argv[2:]], target.check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
