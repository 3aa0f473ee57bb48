"""A small company in the database: people with groups, and pages behind doors, indexed like real ones."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.access import set_gate
from core.db import make_engine, make_session_factory
from core.tables.documents import Document, Source
from core.tables.people import Account, Membership, Person
from rag.chunking import chunk_markdown
from rag.embedding import Embedder, load_embedder
from rag.store import index_document, mark_indexed, register_model, store_embeddings

STAFF, LEADS = "group:staff", "user:acc-ada"


@cache
def embedder() -> Embedder:
    return load_embedder()


class Library:
    """Writes people and pages; every call commits."""

    def __init__(self, database_url: str, source_id: int) -> None:
        self.engine = make_engine(database_url)
        self.factory = make_session_factory(self.engine)
        self.source_id = source_id
        with self.factory.begin() as session:
            self.model_id = register_model(session, embedder())

    @classmethod
    def open(cls, database_url: str) -> "Library":
        """The library of this database, made at the first opening."""
        engine = make_engine(database_url)
        with make_session_factory(engine).begin() as session:
            source = session.execute(select(Source).where(Source.name == "site")).scalar_one_or_none()
            if source is None:
                source = Source(name="site", kind="confluence")
                session.add(source)
                session.flush()
            source_id = source.id
        engine.dispose()
        return cls(database_url, source_id)

    def close(self) -> None:
        self.engine.dispose()

    def person(self, name: str, email: str, account: str, groups: Sequence[str] = ()) -> int:
        with self.factory.begin() as session:
            person = Person(name=name, email=email)
            session.add(person)
            session.flush()
            identity = Account(
                provider="confluence", external_id=account, person_id=person.id, linked_by="email"
            )
            session.add(identity)
            session.flush()
            session.add_all(Membership(identity_id=identity.id, group_name=group) for group in groups)
            return person.id

    def page(
        self, title: str, markdown: str, *doors: Sequence[str], url: str | None = None, space: str = "ENG"
    ) -> int:
        """`doors`: the principals of each door on the way to the page; none at all means unknown, so closed."""
        with self.factory.begin() as session:
            gates = [
                set_gate(session, self.source_id, f"door:{'+'.join(door)}", door) for door in doors
            ] or None
            row = Document(
                source_id=self.source_id, external_id=f"{title[:80]}:{datetime.now(UTC).timestamp()}", kind="page",
                title=title, url=url or f"https://wiki.example/{abs(hash(title))}", space_key=space,
                markdown=markdown, content_hash=str(hash(markdown)), gate_ids=gates,
                updated_at=datetime.now(UTC), version=1,
            )  # fmt: skip
            session.add(row)
            session.flush()
            self._index(session, row)
            return row.id

    def _index(self, session: Session, row: Document) -> None:
        passages = chunk_markdown(
            row.title, row.markdown, count_tokens=embedder().count_tokens, max_tokens=200, overlap=0
        )
        outcome = index_document(session, row.id, passages, model_id=self.model_id)
        if outcome.to_embed:
            vectors = embedder().embed_passages([chunk.embedded_text for chunk in outcome.to_embed])
            store_embeddings(session, self.model_id, [chunk.chunk_id for chunk in outcome.to_embed], vectors)
        mark_indexed(session, row.id, row.content_hash)


def furnish(library: Library) -> None:
    """Ada leads, Ben is staff, Gus is a guest with an account; Chi and Eve are nobody in Confluence."""
    library.person("Ada Weber", "ada@example.com", "acc-ada", ["staff"])
    library.person("Ben Ortiz", "ben@example.com", "acc-ben", ["staff"])
    library.person("Gus Guest", "gus@example.org", "acc-gus", ["guests"])
    library.page(
        "Office hours", "The Berlin office opens at eight o'clock in the morning.", ["anyone"],
        url="https://wiki.example/office-hours",
    )  # fmt: skip
    library.page(
        "Kestrel launch",
        "The Kestrel launch was moved to 14 March because the supplier Norvik delivered late.",
        [STAFF],
        url="https://wiki.example/kestrel",
    )
    library.page(
        "Orchid severance",
        "The Orchid severance package pays nine monthly salaries to each employee.",
        [STAFF],
        [LEADS],
        url="https://wiki.example/orchid",
    )
