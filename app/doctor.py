"""Everything `imp doctor` looks at, in the order in which one needs the other."""

import time
from collections.abc import Callable, Iterator

from sqlalchemy import text

from app import checks
from app.checks import Check
from app.session import open_context
from core import jobs
from core.errors import ImpError, NotConfigured
from core.job_kinds import QUEUES
from core.tables.jobs import Job
from workers.context import Context

QUEUE_PATIENCE_S = 10.0
NEEDS_POSTGRES = ("migrations", "people", "backlog")


def examine() -> Iterator[Check]:
    """One check after another; stops after the settings when those are unusable."""
    try:
        context = open_context()
    except ImpError as exc:
        yield Check("settings", problem=str(exc))
        return
    yield Check("settings", note=f"IMP_HOME {context.settings.imp_home}, web {context.settings.public_url}")
    looks: dict[str, Callable[[Context], str]] = {
        "postgres": checks.postgres,
        "migrations": checks.migrations,
        "redis": checks.redis,
        "blobs": checks.blobs,
        "ffmpeg": checks.ffmpeg,
        "embedder": checks.models,
        "generator": lambda c: c.generator.name,
        "transcriber": checks.transcriber,
        "voices": checks.voices,
        "confluence": confluence,
        "minutes space": minutes_space,
        "slack": slack,
        "people": people,
        "backlog": backlog,
    }
    is_down = False
    for name, look in looks.items():
        if is_down and name in NEEDS_POSTGRES:
            yield Check(name, problem="not looked at: Postgres does not answer")
            continue
        found = checks.run(name, context, look)
        is_down = is_down or (name == "postgres" and found.problem is not None)
        yield found
    for queue in QUEUES:
        if is_down:
            yield Check(f"queue {queue}", problem="not looked at: Postgres does not answer")
            continue
        yield checks.run(f"queue {queue}", context, lambda c, queue=queue: answered_by(c, queue))  # type: ignore[misc]


def confluence(context: Context) -> str:
    """Credentials, and what the account can see: none at all is a problem too."""
    from connectors.confluence import reading
    from workers.confluence_site import connect

    if context.settings.confluence_url is None:
        raise NotConfigured("CONFLUENCE_URL is not set: no pages are synced and no minutes published")
    client = connect(context.settings)
    try:
        account = reading.account(client)
        spaces = reading.spaces(client)
    finally:
        client.close()
    wanted = set(context.settings.confluence_spaces)
    if missing := sorted(wanted - {space.key for space in spaces}):
        raise ImpError(
            f"CONFLUENCE_SPACES names spaces that {account.name} does not see: {', '.join(missing)}"
        )
    if not spaces:
        raise ImpError(f"{account.name} sees no space at all: give the account permission to view them")
    return f"signed in as {account.name}, sees {len(spaces)} spaces"


def minutes_space(context: Context) -> str:
    from connectors.confluence import publishing
    from workers.confluence_site import connect

    key = context.settings.confluence_minutes_space
    if key is None:
        raise NotConfigured("CONFLUENCE_MINUTES_SPACE is not set: minutes stay drafts")
    client = connect(context.settings)
    try:
        parent = publishing.resolve_parent(client, key, context.settings.confluence_minutes_parent)
    finally:
        client.close()
    return f"{key}, under page {parent}" if parent else key


def slack(context: Context) -> str:
    """The token of each workspace, and the scopes it carries."""
    if context.settings.slack_client_id is None:
        return f"{_slack_bot(context, None)}, over {_slack_door(context)}"
    teams = context.installations.teams()
    if not teams:
        raise NotConfigured("no workspace has installed the bot yet: open /slack/install")
    bots = ", ".join(_slack_bot(context, team) for team, _ in teams)
    return f"{bots}, over {_slack_door(context)}"


def _slack_bot(context: Context, team: str | None) -> str:
    """Raises ImpError, naming the workspace, when its token is refused or its app lacks scopes."""
    from connectors.slack.scopes import missing_scopes
    from connectors.slack.web import translated
    from workers.slack_workspaces import client_of

    where = f" of workspace {team}" if team else ""
    client = client_of(context, team)
    try:
        with translated(f"the sign-in{where}"):
            reply = client.auth_test()
    except NotConfigured as exc:
        if team is None:
            raise
        raise NotConfigured(
            f"Slack refuses the token{where}: install the bot again at /slack/install"
        ) from exc
    if missing := missing_scopes(reply.headers.get("x-oauth-scopes")):
        raise ImpError(
            f"the app{where} lacks the scopes {', '.join(missing)}: add them and install the app again"
        )
    return f"{reply['user']} in {reply['team']}"


def _slack_door(context: Context) -> str:
    return "Socket Mode" if context.settings.slack_app_token else "HTTP, /slack/events"


def people(context: Context) -> str:
    with context.factory() as session:
        n_people, n_linked = session.execute(
            text("""
                SELECT count(*), count(*) FILTER (WHERE EXISTS (SELECT 1 FROM identities i
                    WHERE i.person_id = p.id AND i.provider = 'confluence')) FROM people p
            """)
        ).one()
    return f"{n_people} people, {n_linked} with a Confluence account"


def backlog(context: Context) -> str:
    """Failed jobs are a problem until somebody looked at them, or the same work was begun anew."""
    with context.factory() as session:
        n_queued, n_failed = session.execute(
            text("""
                SELECT count(*) FILTER (WHERE state = 'queued'),
                    count(*) FILTER (WHERE state = 'failed' AND NOT EXISTS (
                        SELECT 1 FROM jobs o WHERE o.kind = jobs.kind AND o.key = jobs.key AND o.id > jobs.id
                        AND o.state <> 'cancelled'))
                FROM jobs
            """)
        ).one()
    if n_failed:
        raise ImpError(
            f"{n_failed} jobs failed: `imp jobs list` says why, `imp jobs retry ID` runs one again"
        )
    return f"{n_queued} jobs waiting, none failed"


def answered_by(context: Context, queue: str) -> str:
    """A ping through the queue: the broker, a worker and the job table all did their part."""
    started = time.monotonic()
    with context.factory.begin() as session:
        job_id = jobs.enqueue(session, "ping", f"doctor:{queue}", queue=queue)
    while time.monotonic() - started < QUEUE_PATIENCE_S:
        with context.factory() as session:
            job = session.get_one(Job, job_id)
        if job.state == "done":
            return f"answered by {job.outcome['worker']} in {time.monotonic() - started:.1f} s"
        time.sleep(0.1)
    with context.factory.begin() as session:
        jobs.cancel(session, job_id)
    raise ImpError(
        f"no worker answered in {QUEUE_PATIENCE_S:.0f} s: is one running with `-Q {queue}`, or is it busy?"
    )
