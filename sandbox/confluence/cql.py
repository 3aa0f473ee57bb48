"""The part of Confluence's query language that connectors use: parsed, then asked of each content in turn.

Times have minute precision and are read in the time zone of the account that asks, as on the real sites.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sandbox.confluence.problems import Refused
from sandbox.confluence.storage import plain
from sandbox.confluence.store import Content, Person, Store, moment

MAX_CHARS = 10_000
MAX_NESTING = 50
TOKEN = re.compile(
    r"""\s*(?:(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<mark><=|>=|!=|!~|[=<>~(),])"""
    r"""|(?P<word>[^\s=<>~!(),"']+))"""
)
DATE_FORMATS = ("%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M", "%Y-%m-%d", "%Y/%m/%d")
TIME_FIELDS = ("lastmodified", "created")
FIELDS = [
    "type",
    "space",
    "space.key",
    "space.type",
    "id",
    "content",
    "label",
    "title",
    "text",
    "sitesearch",
    "lastmodified",
    "created",
    "ancestor",
    "parent",
    "creator",
    "contributor",
    "container",
    "status",
]
Test = Callable[[Content], bool]


@dataclass(frozen=True)
class Query:
    """`matches` decides about one content; `order` is `[(field, descending), ...]`."""

    matches: Test
    order: list[tuple[str, bool]]
    mentions_status: bool


def search(store: Store, person: Person, text: str) -> list[Content]:
    """Everything that matches, in the asked order; permissions are the caller's business.

    Only current and archived content is searched, never drafts or the trash; archived content only when
    the query names `status`.

    Raises: Refused 400 with what could not be read.
    """
    query = parse(store, person, text)
    statuses = "status IN ('current', 'archived')" if query.mentions_status else "status = 'current'"
    found = [content for content in store.contents(statuses) if query.matches(content)]
    for name, descending in reversed(query.order):
        found.sort(key=lambda content: _sort_key(store, content, name), reverse=descending)
    return found


def parse(store: Store, person: Person, text: str) -> Query:
    """Raises: Refused 400."""
    return _Parser(store, person, text).query()


class _Parser:
    def __init__(self, store: Store, person: Person, text: str) -> None:
        if len(text) > MAX_CHARS:
            raise self.error(f"longer than {MAX_CHARS} characters")
        self.store, self.person, self.text = store, person, text
        self.tokens = self.tokenize(text)
        self.at = 0
        self.nesting = 0
        self.mentions_status = False

    def error(self, why: str) -> Refused:
        return Refused(400, f"Could not parse cql : {getattr(self, 'text', '')[:200]} ({why})")

    def tokenize(self, text: str) -> list[tuple[str, str]]:
        tokens, at = [], 0
        while text[at:].strip():
            found = TOKEN.match(text, at)
            if not found:
                raise self.error(f"cannot read from {text[at : at + 20]!r}")
            kind = found.lastgroup or ""
            value = found[kind]
            if kind == "string":
                value = re.sub(r"\\(.)", r"\1", value[1:-1])
            tokens.append((kind, value))
            at = found.end()
        return tokens

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")

    def take(self) -> tuple[str, str]:
        token = self.peek()
        self.at += 1
        return token

    def takes(self, *words: str) -> bool:
        """Take these words if they come next."""
        ahead = self.tokens[self.at : self.at + len(words)]
        if [value.lower() for kind, value in ahead if kind != "string"] == list(words):
            self.at += len(words)
            return True
        return False

    def query(self) -> Query:
        order: list[tuple[str, bool]] = []
        starts_with_order = [value.lower() for _, value in self.tokens[:2]] == ["order", "by"]
        matches = (lambda content: True) if starts_with_order or not self.tokens else self.any_of()
        if self.takes("order", "by"):
            while True:
                name = self.take()[1].lower()
                if name not in FIELDS:
                    raise self.error(f"cannot order by {name!r}")
                order.append((name, self.takes("desc") or (self.takes("asc") and False)))
                if not self.takes(","):
                    break
        if self.peek()[0] != "end":
            raise self.error(f"unexpected {self.peek()[1]!r}")
        return Query(matches, order, self.mentions_status)

    def any_of(self) -> Test:
        tests = [self.all_of()]
        while self.takes("or"):
            tests.append(self.all_of())
        return tests[0] if len(tests) == 1 else lambda content: any(test(content) for test in tests)

    def all_of(self) -> Test:
        tests = [self.one()]
        while self.takes("and"):
            tests.append(self.one())
        return tests[0] if len(tests) == 1 else lambda content: all(test(content) for test in tests)

    def one(self) -> Test:
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            raise self.error("nested too deeply")
        try:
            if self.takes("not"):
                inner = self.one()
                return lambda content: not inner(content)
            if self.takes("("):
                inner = self.any_of()
                if not self.takes(")"):
                    raise self.error("missing )")
                return inner
            return self.clause()
        finally:
            self.nesting -= 1

    def clause(self) -> Test:
        kind, name = self.take()
        name = name.lower()
        if kind != "word" or name not in FIELDS:
            raise self.error(f"there is no field {name!r}")
        self.mentions_status |= name == "status"
        if self.takes("not", "in"):
            values = self.values()
            return lambda content: not any(self.holds(content, name, "=", value) for value in values)
        if self.takes("in"):
            values = self.values()
            return lambda content: any(self.holds(content, name, "=", value) for value in values)
        kind, operator = self.take()
        if kind != "mark" or operator in "(),":
            raise self.error(f"expected an operator after {name}, found {operator!r}")
        value = self.value()
        if name in TIME_FIELDS:
            value = self.time(value)
        elif operator not in ("=", "!=", "~", "!~"):
            raise self.error(f"{name} cannot be compared with {operator}")
        if operator in ("!=", "!~"):
            positive = operator[1:]
            return lambda content: not self.holds(content, name, positive, value)
        return lambda content: self.holds(content, name, operator, value)

    def values(self) -> list[Any]:
        if not self.takes("("):
            raise self.error("expected ( after in")
        found = [self.value()]
        while self.takes(","):
            found.append(self.value())
        if not self.takes(")"):
            raise self.error("missing )")
        return found

    def value(self) -> Any:
        kind, value = self.take()
        if kind not in ("word", "string"):
            raise self.error(f"expected a value, found {value!r}")
        if kind == "word" and self.takes("("):
            argument = "" if self.peek()[1] == ")" else self.take()[1]
            if not self.takes(")"):
                raise self.error(f"missing ) after {value}(")
            return self.call(value.lower(), argument)
        return value

    def call(self, name: str, argument: str) -> Any:
        if name == "currentuser":
            return self.person.account_id
        here = datetime.now(UTC).astimezone(self.zone())
        midnight = here.replace(hour=0, minute=0, second=0, microsecond=0)
        starts = {
            "now": here,
            "startofday": midnight,
            "startofweek": midnight - timedelta(days=(midnight.weekday() + 1) % 7),
            "startofmonth": midnight.replace(day=1),
            "startofyear": midnight.replace(month=1, day=1),
            "endofday": midnight + timedelta(days=1, minutes=-1),
        }
        if name not in starts:
            raise self.error(f"there is no function {name}()")
        return starts[name] + self.shift(argument)

    def shift(self, argument: str) -> timedelta:
        if not argument:
            return timedelta()
        found = re.fullmatch(r"([+-]?\d{1,5})([yMwdhm])", argument)
        if not found:
            raise self.error(f"cannot read the increment {argument!r}")
        days = {"y": 365.0, "M": 30.0, "w": 7.0, "d": 1.0, "h": 1 / 24, "m": 1 / 1440}[found[2]]
        return timedelta(days=int(found[1]) * days)

    def zone(self) -> ZoneInfo:
        try:
            return ZoneInfo(self.person.time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            return ZoneInfo("UTC")

    def time(self, value: Any) -> datetime:
        if isinstance(value, datetime):
            return value.astimezone(UTC).replace(second=0, microsecond=0)
        for form in DATE_FORMATS:
            try:
                return datetime.strptime(str(value), form).replace(tzinfo=self.zone()).astimezone(UTC)
            except ValueError:
                continue
        raise self.error(f'cannot read the date {value!r}; write "yyyy-MM-dd HH:mm"')

    def holds(self, content: Content, name: str, operator: str, value: Any) -> bool:
        if name in TIME_FIELDS:
            wanted = value if isinstance(value, datetime) else self.time(value)
            there = moment(content.updated if name == "lastmodified" else content.created)
            return _compare(there.astimezone(UTC).replace(second=0, microsecond=0), operator, wanted)
        if operator == "~":
            return _contains(self.haystack(content, name), str(value))
        wanted_text = str(value).lower()
        return any(wanted_text == one.lower() for one in self.found(content, name))

    def haystack(self, content: Content, name: str) -> str:
        if name == "title":
            return content.title
        if name in ("text", "sitesearch"):
            return f"{content.title} {plain(content.body)}"
        return " ".join(self.found(content, name))

    def found(self, content: Content, name: str) -> list[str]:
        """All values of a field of one content."""
        if name in ("space", "space.key"):
            return [self.store.space(content.space_id).key]
        if name in ("ancestor", "parent", "container"):
            chain = [above.id for above in self.store.ancestors(content)]
            if name == "container":
                return [content.container_id] if content.container_id else []
            return chain if name == "ancestor" else [content.parent_id or ""]
        if name == "label":
            return [row["name"] for row in self.store.labels(content.id)]
        if name in ("creator", "contributor"):
            rows = self.store.rows("SELECT DISTINCT author FROM versions WHERE content_id = ?", content.id)
            ids = [content.author] if name == "creator" else [row["author"] for row in rows]
            people = [self.store.person(one) for one in ids]
            return [alias for who in people if who for alias in (who.account_id, who.username, who.user_key)]
        single = {
            "type": content.type,
            "id": content.id,
            "content": content.id,
            "title": content.title,
            "status": content.status,
            "space.type": self.store.space(content.space_id).type,
        }
        return [single.get(name, ""), *([content.id.removeprefix("att")] if name == "id" else [])]


def _compare(left: datetime, operator: str, right: datetime) -> bool:
    return {
        "=": left == right, ">": left > right, ">=": left >= right, "<": left < right, "<=": left <= right,
    }.get(operator, False)  # fmt: skip


def _contains(text: str, wanted: str) -> bool:
    """Every word is there; a phrase in quotes as a whole; `*` stands for the rest of a word."""
    low = text.lower()
    phrase = re.fullmatch(r'"(.+)"', wanted)
    if phrase:
        return phrase[1].lower() in low
    words = [re.escape(word).replace(r"\*", r"\w*").replace(r"\?", r"\w") for word in wanted.lower().split()]
    return bool(words) and all(re.search(rf"\b{word}(?!\w)", low) for word in words)


def _sort_key(store: Store, content: Content, name: str) -> Any:
    if name in ("id", "content"):
        return int(content.id.removeprefix("att"))
    if name in ("space", "space.key"):
        return store.space(content.space_id).key
    return {"lastmodified": content.updated, "created": content.created, "title": content.title.lower(),
            "type": content.type, "creator": content.author}.get(name, "")  # fmt: skip
