"""A CSV of people and their accounts: every line is looked at, all lines are written or none.

Columns: `email` and at least one of `slack`, `confluence`, `name`, `admin`; any order, others are refused by name.
"""

import csv
import io
import re
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import BadInput
from core.tables.people import Account, Person
from workers.people import ensure_person, link

COLUMNS = ("email", "name", "slack", "confluence", "admin")
MAX_BYTES = 20_000_000
MAX_LINES = 200_000
MAX_SHOWN = 50
TRUTHS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False, "": None}
_EMAIL = re.compile(r"[^@\s,;<>\"]{1,64}@[^@\s,;<>\"]{1,255}")
_SLACK = re.compile(r"[UW][A-Z0-9]{2,30}")
_CONFLUENCE = re.compile(r"[\w:.@-]{1,128}")


@dataclass(frozen=True, slots=True)
class PersonLine:
    """One line, checked. `number` is its line in the file; `is_admin` None leaves that as it is."""

    number: int
    email: str
    name: str | None
    slack: str | None
    confluence: str | None
    is_admin: bool | None


@dataclass(frozen=True, slots=True)
class Change:
    """What a line does: `new person`, `link …`, `admin …`, or nothing at all."""

    email: str
    does: tuple[str, ...]


def read_people(data: bytes) -> tuple[PersonLine, ...]:
    """The lines of a file.

    Raises:
        BadInput: names every line that cannot be used and why; then nothing of the file is.
    """
    if len(data) > MAX_BYTES:
        raise BadInput(f"the file is larger than {MAX_BYTES // 10**6} MB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise BadInput(f"the file is not UTF-8 (byte {exc.start}): save it as CSV UTF-8") from exc
    head = text.split("\n", 1)[0]
    reader = csv.reader(
        io.StringIO(text.replace("\x00", ""), newline=""), delimiter=";" if ";" in head else ","
    )
    try:
        columns = [cell.strip().lower() for cell in next(reader, [])]
        _check_columns(columns)
        lines, problems = _lines(reader, columns)
    except csv.Error as exc:
        raise BadInput(f"line {reader.line_num}: this is no CSV ({exc})") from exc
    if problems:
        more = f"\n… and {len(problems) - MAX_SHOWN} more" if len(problems) > MAX_SHOWN else ""
        raise BadInput("nothing was imported:\n" + "\n".join(problems[:MAX_SHOWN]) + more)
    if not lines:
        raise BadInput("the file holds no line below its header")
    return tuple(lines)


def import_people(session: Session, lines: tuple[PersonLine, ...]) -> tuple[Change, ...]:
    """Write what the lines say; a second run changes nothing. Returns what changed, line by line."""
    return tuple(_apply(session, line) for line in lines)


def _check_columns(columns: list[str]) -> None:
    unknown = [name or "(empty)" for name in columns if name not in COLUMNS]
    if unknown:
        raise BadInput(f"line 1: unknown column {', '.join(unknown)}; known are {', '.join(COLUMNS)}")
    if len(set(columns)) != len(columns):
        raise BadInput("line 1: a column stands there twice")
    if "email" not in columns or len(columns) < 2:
        raise BadInput(f"line 1 must name the columns: email and one more of {', '.join(COLUMNS[1:])}")


def _lines(reader: "csv._reader", columns: list[str]) -> tuple[list[PersonLine], list[str]]:  # type: ignore[name-defined]
    lines: list[PersonLine] = []
    problems: list[str] = []
    seen: dict[tuple[str, str], tuple[int, str]] = {}
    for cells in reader:
        number = reader.line_num
        if number > MAX_LINES:
            raise BadInput(f"the file has more than {MAX_LINES:,} lines")
        if not any(cell.strip() for cell in cells):
            continue
        try:
            line = _line(number, cells, columns)
        except BadInput as exc:
            problems.append(f"line {number}: {exc}")
            continue
        for provider in ("slack", "confluence"):
            account = getattr(line, provider)
            before = seen.setdefault((provider, account), (number, line.email)) if account else None
            if before is not None and before[1] != line.email:
                problems.append(
                    f"line {number}: {provider} {account} was given to {before[1]} in line {before[0]}"
                )
        lines.append(line)
    return lines, problems


def _line(number: int, cells: list[str], columns: list[str]) -> PersonLine:
    if len(cells) != len(columns):
        raise BadInput(f"{len(cells)} cells, but the header has {len(columns)}")
    found = {name: " ".join(cell.split()) for name, cell in zip(columns, cells, strict=True)}
    email = found["email"].lower()
    slack, confluence, admin = (
        found.get("slack", ""),
        found.get("confluence", ""),
        found.get("admin", "").lower(),
    )
    if not _EMAIL.fullmatch(email):
        raise BadInput(f"{email[:80]!r} is no e-mail address")
    if slack and not _SLACK.fullmatch(slack):
        raise BadInput(f"{slack[:80]!r} is no Slack user id (they look like U012AB3CD)")
    if confluence and not _CONFLUENCE.fullmatch(confluence):
        raise BadInput(f"{confluence[:80]!r} is no Atlassian account id")
    if admin not in TRUTHS:
        raise BadInput(f"admin is {admin[:80]!r}: write yes, no or nothing")
    return PersonLine(
        number, email, found.get("name", "")[:200] or None, slack or None, confluence or None, TRUTHS[admin]
    )


def _apply(session: Session, line: PersonLine) -> Change:
    does: list[str] = []
    known = session.execute(select(Person).where(Person.email == line.email)).scalar_one_or_none()
    if known is None:
        does.append("new person")
    person_id = ensure_person(session, name=line.name or line.email.split("@")[0], email=line.email)
    person = session.get_one(Person, person_id)
    for provider, account in (("slack", line.slack), ("confluence", line.confluence)):
        if account and not _is_linked(session, provider, account, person_id):
            link(session, person_id, provider, account, by="csv")
            does.append(f"link {provider} {account}")
    if line.name and known is not None and known.name != line.name:
        person.name = line.name
        does.append(f"name {line.name}")
    if line.is_admin is not None and person.is_admin != line.is_admin:
        person.is_admin = line.is_admin
        does.append("admin" if line.is_admin else "no admin")
    session.flush()
    return Change(line.email, tuple(does))


def _is_linked(session: Session, provider: str, account: str, person_id: int) -> bool:
    row = session.execute(
        select(Account).where(Account.provider == provider, Account.external_id == account)
    ).scalar_one_or_none()
    return row is not None and row.person_id == person_id and row.linked_by not in (None, "email")
