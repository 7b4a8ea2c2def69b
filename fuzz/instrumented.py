"""One target under libFuzzer: ``python -m fuzz.instrumented TARGET [OPTION…] [FOLDER…]``."""

import sys

import atheris

# What is imported here tells the fuzzer which branches an input took.
with atheris.instrument_imports(include=["smbrare"]):
    from fuzz.targets import TARGETS

if __name__ == "__main__":
    atheris.Setup([sys.argv[0], *sys.argv[2:]], TARGETS[sys.argv[1]])
    atheris.Fuzz()
