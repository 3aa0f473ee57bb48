"""Confluence users and groups as identities, people and memberships, linked by e-mail where the site shows one."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict

from sqlalchemy import text
from sqlalchemy.orm import Session

from connectors.confluence.facts import UserFacts

# Some answers of Data Center hold nothing but a user's key; a name once known stays then.
SAVE_IDENTITIES = text("""
    INSERT INTO identities (provider, external_id, name, email)
    SELECT 'confluence', r.id, r.name, r.email
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(id text, name text, email text)
    ORDER BY r.id
    ON CONFLICT (provider, external_id) DO UPDATE SET
        name = CASE WHEN excluded.name = excluded.external_id THEN coalesce(identities.name, excluded.name)
                    ELSE excluded.name END,
        email = coalesce(excluded.email, identities.email), refreshed_at = now()
""")
SAVE_PEOPLE = text("""
    INSERT INTO people (name, email)
    SELECT DISTINCT ON (r.email) r.name, r.email
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(id text, name text, email text)
    WHERE r.email IS NOT NULL AND NOT EXISTS (SELECT 1 FROM people p WHERE lower(p.email) = r.email)
    ORDER BY r.email
    ON CONFLICT (email) DO NOTHING
""")
# A link somebody made by hand is never changed.
LINK = text("""
    UPDATE identities i SET person_id = p.id, linked_by = 'email'
    FROM people p
    WHERE i.provider = 'confluence' AND i.external_id = ANY(:ids) AND lower(p.email) = i.email
      AND (i.linked_by IS NULL OR i.linked_by = 'email') AND i.person_id IS DISTINCT FROM p.id
""")
LEAVE_GROUP = text("""
    DELETE FROM memberships m USING identities i
    WHERE i.id = m.identity_id AND i.provider = 'confluence' AND m.group_name = :name
      AND NOT i.external_id = ANY(:ids)
""")
JOIN_GROUP = text("""
    INSERT INTO memberships (identity_id, group_name)
    SELECT id, :name FROM identities WHERE provider = 'confluence' AND external_id = ANY(:ids) ORDER BY id
    ON CONFLICT DO NOTHING
""")


def save_users(session: Session, users: Iterable[UserFacts]) -> None:
    """Keep users as identities; each with an e-mail belongs to the person of that e-mail, made if there is none."""
    found = {user.id: user for user in users}
    if not found:
        return
    rows = json.dumps([asdict(user) for user in found.values()]).replace("\\u0000", "")
    session.execute(SAVE_IDENTITIES, {"rows": rows})
    session.execute(SAVE_PEOPLE, {"rows": rows})
    session.execute(LINK, {"ids": list(found)})


def save_group(session: Session, name: str, members: Sequence[UserFacts]) -> None:
    """Exactly these users are in the group from now on."""
    save_users(session, members)
    ids = [user.id for user in members]
    session.execute(LEAVE_GROUP, {"name": name, "ids": ids})
    session.execute(JOIN_GROUP, {"name": name, "ids": ids})
