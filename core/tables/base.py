"""What every table is made of: the declarative base, its types and names, and the usual columns.

The schema itself is only ever changed in `migrations/`. Natural keys carry the idempotence: every write is an
upsert on one of the unique constraints. Times are UTC and aware.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Integer,
    MetaData,
    Text,
    func,
)
from sqlalchemy import (
    text as sql_text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

Json = dict[str, Any]


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {
        str: Text,
        int: Integer,
        float: Double,
        datetime: DateTime(timezone=True),
        Json: JSONB,
        list[Json]: JSONB,
        list[str]: ARRAY(Text),
        list[int]: ARRAY(Integer),
        list[float]: ARRAY(Double),
    }


def big_key() -> Mapped[int]:
    return mapped_column(BigInteger, Identity(), primary_key=True)


def now() -> Mapped[datetime]:
    return mapped_column(server_default=func.now())


def texts() -> Mapped[list[str]]:
    return mapped_column(server_default=sql_text("'{}'"))


def json_object() -> Mapped[Json]:
    return mapped_column(server_default=sql_text("'{}'"))


def parent(column: Any, *, index: bool = True, ondelete: str = "CASCADE") -> Any:
    return mapped_column(ForeignKey(column, ondelete=ondelete), index=index)
