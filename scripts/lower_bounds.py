"""Prints the lower bounds of `pyproject.toml` as a constraints file of pip; with --check, compares what is installed.

python scripts/lower_bounds.py [EXTRA ...]            keras==3.15, numpy==1.26, ...
python scripts/lower_bounds.py --check [EXTRA ...]    exit 1 if another version is installed
"""

import re
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from pip._vendor.packaging.requirements import Requirement
from pip._vendor.packaging.version import Version

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    from pip._vendor import tomli as tomllib

PROJECT = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def lower_bounds(extras: list[str]) -> Iterator[tuple[str, str]]:
    """Name and oldest version of each dependency that this Python needs."""
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in PROJECT["optional-dependencies"][extra])]
    for line in lines:
        requirement = Requirement(line)
        if requirement.name == PROJECT["name"] or (requirement.marker and not requirement.marker.evaluate()):
            continue
        (oldest,) = re.findall(r">=\s*([\w.]+)", str(requirement.specifier))  # every dependency has one lower bound
        yield requirement.name, oldest


def main() -> None:
    arguments = sys.argv[1:]
    extras = [argument for argument in arguments if argument != "--check"]
    bounds = dict(lower_bounds(extras))
    if "--check" not in arguments:
        for name, oldest in bounds.items():
            print(f"{name}=={oldest}")
        return
    wrong = []
    for name, oldest in bounds.items():
        installed = metadata.version(name)
        print(f"{name:22} {installed}")
        if Version(installed) != Version(oldest):
            wrong.append(f"{name} {installed} is installed; the oldest promised is {oldest}")
    sys.exit("\n".join(wrong) or 0)


if __name__ == "__main__":
    main()
