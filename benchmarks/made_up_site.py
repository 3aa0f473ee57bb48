"""A Confluence site of any size for the stand-in: pages of about 4 kB that read and nest like real ones.

Words come from the sample company's pages, in their own frequency, so that tokens per character are those of prose.
The same number of pages always gives the same site.
"""

import random
import re
from dataclasses import dataclass
from typing import Any

from sandbox.confluence.process import REPOSITORY, ConfluenceSandbox

ACCOUNT = {"email": "imp@larkmoor.example", "token": "sample-token-imp-bot"}
SPACES = ("ALPHA", "BETA", "GAMMA", "DELTA")
MEDIAN_BYTES = 4_000
SHARE_WITH_FILES = 0.05
SHARE_RESTRICTED = 0.03
BATCH = 200
SECTION = 25
"""Pages below one section page: three levels of titles, as sites have."""


@dataclass(frozen=True)
class Site:
    """What was put into the stand-in."""

    n_pages: int
    n_files: int
    n_bytes: int


def fill(sandbox: ConfluenceSandbox, n_pages: int, *, seed: int = 7) -> Site:
    """Put people, four spaces and `n_pages` pages into an empty stand-in; every twentieth page has a file."""
    writer = _Writer(random.Random(seed))
    sandbox.seed(
        {
            "people": [
                {"account_id": "imp", "username": "imp", "name": "IMP", **ACCOUNT, "groups": ["staff"], "admin": True},
                {"account_id": "ann", "username": "ann", "name": "Ann Archer", "groups": ["staff", "leads"]},
                {"account_id": "bob", "username": "bob", "name": "Bob Baker", "groups": ["staff"]},
            ],
            "groups": ["staff", "leads"],
            "spaces": [{"key": key, "name": key.title(), "permissions": ["group:staff"]} for key in SPACES],
        }
    )  # fmt: skip
    n_bytes, with_files = 0, []
    for first in range(0, n_pages, BATCH):
        pages = [writer.page(number) for number in range(first, min(first + BATCH, n_pages))]
        sandbox.seed({"pages": pages})
        n_bytes += sum(len(page["body"]) for page in pages)
        with_files += [page["id"] for page in pages if int(page["id"]) % round(1 / SHARE_WITH_FILES) == 0]
    for page_id in with_files:
        sandbox.act(page_id, "attach", filename=f"notes-{page_id}.txt", text=writer.prose(3_000))
    return Site(n_pages, len(with_files), n_bytes)


class _Writer:
    """Pages out of one stream of random numbers."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._words = _company_words()

    def page(self, number: int) -> dict[str, Any]:
        in_batch = number % BATCH
        is_section = in_batch % SECTION == 0
        section = number - in_batch % SECTION
        parent = f"Section {number - in_batch}" if in_batch else None
        if in_batch and not is_section:
            parent = f"Section {section}"
        return {
            "id": str(1_000_000 + number),
            "space": SPACES[number // BATCH % len(SPACES)],
            "title": f"Section {number}" if is_section else f"{self._sentence(4)} {number}",
            "parent": parent,
            "body": self._body(),
            "author": self._chance.choice(("ann", "bob")),
            "labels": [self._chance.choice(("runbook", "policy", "plan"))],
            "restrict": ["group:leads", "user:imp"] if self._chance.random() < SHARE_RESTRICTED else [],
            "created": f"2026-01-{1 + number % 28:02d}T08:00:00Z",
            "updated": f"2026-05-{1 + number % 28:02d}T09:30:00Z",
        }

    def prose(self, n_chars: int) -> str:
        sentences: list[str] = []
        while sum(map(len, sentences)) < n_chars:
            sentences.append(self._sentence(self._chance.randint(7, 20)) + ".")
        return " ".join(sentences)

    def _body(self) -> str:
        """Storage format whose length is log-normal around the median."""
        wanted = int(self._chance.lognormvariate(0, 0.5) * MEDIAN_BYTES)
        parts: list[str] = []
        while sum(map(len, parts)) < wanted:
            parts.append(f"<h2>{self._sentence(4)}</h2>")
            parts.append(self._chance.choice((self._paragraphs, self._list, self._table, self._panel))())
        return "".join(parts)

    def _paragraphs(self) -> str:
        return "".join(f"<p>{self.prose(300)}</p>" for _ in range(3))

    def _list(self) -> str:
        return (
            "<ul>"
            + "".join(
                f"<li><strong>{self._sentence(2)}</strong>: {self._sentence(12)}.</li>" for _ in range(6)
            )
            + "</ul>"
        )

    def _table(self) -> str:
        rows = ["<tr>" + "".join(f"<th>{self._sentence(1)}</th>" for _ in range(3)) + "</tr>"]
        rows += [
            "<tr>" + "".join(f"<td>{self._sentence(4)}</td>" for _ in range(3)) + "</tr>" for _ in range(6)
        ]
        return f"<table><tbody>{''.join(rows)}</tbody></table>"

    def _panel(self) -> str:
        return (
            f'<ac:structured-macro ac:name="info"><ac:rich-text-body><p>{self.prose(250)}</p>'
            f"</ac:rich-text-body></ac:structured-macro><p>{self.prose(200)}</p>"
            '<ac:structured-macro ac:name="code"><ac:parameter ac:name="language">bash</ac:parameter>'
            f"<ac:plain-text-body><![CDATA[imp sync {self._sentence(2)}]]></ac:plain-text-body></ac:structured-macro>"
        )

    def _sentence(self, n_words: int) -> str:
        return " ".join(self._chance.choices(self._words, k=n_words)).capitalize()


def _company_words() -> list[str]:
    folder = REPOSITORY / "sandbox" / "company" / "pages"
    text = " ".join(re.sub(r"<[^>]*>", " ", path.read_text()) for path in sorted(folder.glob("*.xml")))
    return re.findall(r"\b[A-Za-z][a-z]+\b", text)
