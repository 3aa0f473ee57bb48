"""The README's configuration table, written from the settings class: `python -m app.configuration_table`.

Knows the class and two marker lines in the README, nothing else. A test fails when the two disagree.
"""

import sys
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from core.settings import Settings

BEGIN = "<!-- configuration: written by `python -m app.configuration_table` -->"
END = "<!-- end of configuration -->"
README = Path(__file__).resolve().parents[1] / "README.md"


def markdown_table() -> str:
    """One row a setting, in the order of the class."""
    rows = ["| Variable | Default | Meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        meaning = f"{field.description}{' *(secret)*' if _is_secret(field.annotation) else ''}"
        rows.append(f"| `{name.upper()}` | {_default(field)} | {meaning}{_choices(field.annotation)} |")
    return "\n".join(row.replace("\n", " ") for row in rows)


def with_table(text: str) -> str:
    """The README's text with the present table between its markers.

    Raises:
        ValueError: a marker is missing.
    """
    before, found, rest = text.partition(BEGIN)
    _, found_end, after = rest.partition(END)
    if not (found and found_end):
        raise ValueError(f"the markers {BEGIN} and {END} are not both there")
    return f"{before}{BEGIN}\n{markdown_table()}\n{END}{after}"


def _default(field: FieldInfo) -> str:
    value = field.get_default()
    if value is None or value == ():
        return ""
    return f"`{value}`"


def _choices(annotation: Any) -> str:
    found = [value for kind in _parts(annotation) if get_origin(kind) is Literal for value in get_args(kind)]
    return f" One of {', '.join(f'`{value}`' for value in found)}." if found else ""


def _is_secret(annotation: Any) -> bool:
    return SecretStr in _parts(annotation)


def _parts(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) in (Union, UnionType, Annotated):
        return get_args(annotation)
    return (annotation,)


def main() -> None:
    old = README.read_text()
    new = with_table(old)
    README.write_text(new)
    sys.stdout.write("README.md: table was up to date\n" if new == old else "README.md: table written\n")


if __name__ == "__main__":
    main()
