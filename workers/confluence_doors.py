"""Read a site's doors again: who may see which space, who is in which group."""

import logging
from collections.abc import Iterable

from sqlalchemy import text

from connectors.confluence import permissions
from connectors.confluence.facts import SpaceFacts
from core.db import SessionFactory
from core.errors import Denied, ImpError, NotFound, TryAgain
from workers.confluence_people import save_group, save_users
from workers.confluence_source import Site
from workers.doors import Doors, space_door

logger = logging.getLogger(__name__)

GROUPS_IN_USE = text("""
    SELECT DISTINCT substr(principal, 7) FROM gates, unnest(principals) AS principal
    WHERE source_id = :source_id AND principal LIKE 'group:%' ORDER BY 1
""")
OPEN_SPACES = text("""
    SELECT substr(door, 7) FROM gates
    WHERE source_id = :source_id AND door LIKE 'space:%' AND cardinality(principals) > 0
""")


def read_space_doors(factory: SessionFactory, site: Site, spaces: Iterable[SpaceFacts]) -> list[str]:
    """One gate a space. A space whose permissions may not be seen (any more) lets nobody through: unknown is closed.

    Raises:
        TryAgain: the site fails; what was read so far is kept.
    """
    problems: list[str] = []
    for space in spaces:
        try:
            found = permissions.space_readers(site.client, space)
        except (Denied, NotFound) as exc:
            problems.append(f"space {space.key} is closed to everyone: {exc}")
            _close(factory, site, space.key)
            continue
        with factory.begin() as session:
            save_users(session, found.people)
            Doors(session, site.source_id).set(space_door(space.key), found.principals)
        site.learn_names(found.people)
    return problems


def close_unseen_spaces(factory: SessionFactory, site: Site, visible: Iterable[SpaceFacts]) -> list[str]:
    """Close what the account sees no more: the space is gone, or closed to us, and so to everyone through us."""
    with factory.begin() as session:
        known = session.execute(OPEN_SPACES, {"source_id": site.source_id}).scalars()
        gone = sorted(set(known) - {space.key for space in visible})
    for key in gone:
        _close(factory, site, key)
    return [f"space {key} is closed to everyone: the service account sees it no more" for key in gone]


def _close(factory: SessionFactory, site: Site, key: str) -> None:
    with factory.begin() as session:
        doors = Doors(session, site.source_id)
        if doors.has_space(key):
            doors.set(space_door(key), ())


def read_groups(factory: SessionFactory, site: Site) -> tuple[int, list[str]]:
    """Members of every group that stands at a door of this source. A group that is gone loses its members.

    Raises:
        TryAgain: the site fails for a group; the others are read first.
    """
    with factory.begin() as session:
        names = list(session.execute(GROUPS_IN_USE, {"source_id": site.source_id}).scalars())
    problems: list[str] = []
    try:
        ids = permissions.group_ids(site.client) if names else {}
    except Denied as exc:
        return 0, [f"groups cannot be read: {exc}"]
    failure: ImpError | None = None
    for name in names:
        try:
            members = permissions.group_members(site.client, name, ids.get(name, name))
        except NotFound:
            members = ()
            problems.append(f"group {name} is at a door but does not exist (any more): it lets nobody in")
        except Denied as exc:
            problems.append(f"members of group {name} cannot be read: {exc}")
            continue
        except TryAgain as exc:
            failure = exc
            continue
        with factory.begin() as session:
            save_group(session, name, members)
        site.learn_names(members)
    if failure is not None:
        raise failure
    return len(names), problems
