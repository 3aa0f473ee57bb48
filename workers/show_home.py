"""Job: draw one person's home tab from what that person may open."""

from datetime import UTC, datetime
from typing import Any

from slack_sdk import WebClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from connectors.slack.home import (
    MAX_ROWS,
    AdminPanel,
    Home,
    HomeAction,
    HomeDraft,
    HomeRow,
    home_view,
    progress_bar,
)
from connectors.slack.web import translated
from core.access import passed_gates
from core.running_job import RunningJob
from core.tables.meetings import Minutes, Recording
from core.tables.people import Account, Person
from core.tables.questions import Question
from workers import slack_people
from workers.action_items import open_actions
from workers.connect_atlassian import connect_url
from workers.context import Context
from workers.review_minutes import may_review
from workers.slack_workspaces import account_of, client_of
from workers.sync_status import SourceStatus, sync_status

RECORDINGS = text("""
    SELECT r.id, r.title, r.state, r.error, j.progress,
           (SELECT page_url FROM minutes m WHERE m.recording_id = r.id AND page_url IS NOT NULL
            ORDER BY version DESC LIMIT 1) AS page_url
    FROM recordings r
    LEFT JOIN jobs j ON j.kind = 'transcribe_recording' AND j.key = r.id::text AND j.state = 'running'
    WHERE r.gate_ids <@ CAST(:passed AS int[]) OR r.submitted_by = :person_id
    ORDER BY r.created_at DESC LIMIT :most
""")
OUTCOMES = {
    None: "being answered", "answered": "answered", "nothing_found": "nothing found", "refused": "not for you to ask there",
    "low_confidence": "no clear answer", "unsupported": "no clear answer",
}  # fmt: skip
STATES = {
    "received": "waiting to be heard", "transcribing": "being transcribed", "transcribed": "transcribed",
    "failed": "could not be transcribed",
}  # fmt: skip
NUMBERS = text("""
    SELECT (SELECT count(*) FROM questions WHERE asked_at > now() - interval '1 day') AS n_questions,
           (SELECT count(*) FROM jobs WHERE state = 'failed') AS n_failed,
           (SELECT count(*) FROM jobs WHERE state IN ('queued', 'running')) AS n_open,
           (SELECT count(*) FROM alerts WHERE closed_at IS NULL) AS n_alerts
""")
N_DRAFTS_LOOKED_AT = 50


def run(context: Context, job: RunningJob) -> dict[str, Any]:
    """Args: `user`, `team`. Outcome: how much was shown."""
    client = client_of(context, job.args.get("team"))
    user = str(job.args["user"])
    person_id = slack_people.person_of(context, client, user)
    with context.factory() as session:
        home = _home(context, session, client, user, person_id)
    with translated("the home tab"):
        client.views_publish(user_id=user, view=home_view(home))
    return {
        "n_recordings": len(home.recordings), "n_drafts": len(home.drafts), "n_actions": len(home.actions),
    }  # fmt: skip


def _home(context: Context, session: Session, client: WebClient, user: str, person_id: int | None) -> Home:
    person = session.get(Person, person_id) if person_id is not None else None
    is_linked = _is_linked(session, person_id)
    return Home(
        actions=tuple(_actions(session, person_id)),
        recordings=tuple(_recordings(context, session, person_id)),
        drafts=tuple(_drafts(context, session, person_id)),
        questions=tuple(_questions(session, user)),
        admin=_admin(session) if person is not None and person.is_admin else None,
        is_linked=is_linked,
        command=context.settings.slack_command,
        connect_url=None if is_linked else _connect_url(context, session, client, user),
    )


def _is_linked(session: Session, person_id: int | None) -> bool:
    """Somebody of ours with an account in Confluence: their doors are known."""
    statement = select(Account.id).where(Account.provider == "confluence", Account.person_id == person_id)
    return person_id is not None and session.execute(statement.limit(1)).first() is not None


def _connect_url(context: Context, session: Session, client: WebClient, user: str) -> str | None:
    """None also for people of other organizations: only an admin may link them."""
    account_id = account_of(context, client, user)
    statement = select(Account).where(Account.provider == "slack", Account.external_id == account_id)
    account = session.execute(statement).scalar_one_or_none()
    if account is not None and (account.is_external or account.is_bot):
        return None
    return connect_url(context.settings, account_id)


def _actions(session: Session, person_id: int | None) -> list[HomeAction]:
    today = datetime.now(UTC).date()
    return [
        HomeAction(one.text, one.meeting, one.page_url, one.due, one.is_overdue(today))
        for one in open_actions(session, person_id)
    ]


def _admin(session: Session) -> AdminPanel:
    found = session.execute(NUMBERS).one()
    numbers = [f"{found.n_questions} questions in 24 hours", f"{found.n_open} jobs open"]
    if found.n_failed:
        numbers.append(f"⚠️ {found.n_failed} jobs failed: `imp jobs list`")
    if found.n_alerts:
        numbers.append(f"⚠️ {found.n_alerts} warnings: `imp doctor`")
    return AdminPanel(tuple(_source(one) for one in sync_status(session)), tuple(numbers))


def _recordings(context: Context, session: Session, person_id: int | None) -> list[HomeRow]:
    values = {"passed": passed_gates(session, person_id), "person_id": person_id, "most": MAX_ROWS}
    rows = []
    for row in session.execute(RECORDINGS, values):
        about = STATES.get(row.state, row.state)
        done, total = (row.progress or {}).get("done"), (row.progress or {}).get("total")
        if done and total:
            about += f"  {progress_bar(done, total)}"
        if row.error:
            about += f": {row.error}"
        url = row.page_url or f"{context.settings.public_url}/recordings/{row.id}"
        rows.append(HomeRow(row.title, url, f"{about}{', minutes published' if row.page_url else ''}"))
    return rows


def _drafts(context: Context, session: Session, person_id: int | None) -> list[HomeDraft]:
    statement = (
        select(Minutes, Recording)
        .join(Recording, Recording.id == Minutes.recording_id)
        .where(Minutes.state == "draft")
        .order_by(Minutes.created_at.desc())
        .limit(N_DRAFTS_LOOKED_AT)
    )
    return [
        HomeDraft(
            row.id, recording.title, f"{context.settings.public_url}/recordings/{recording.id}",
            f"{len(row.lines)} lines",
        )
        for row, recording in session.execute(statement)
        if may_review(session, recording, person_id)
    ][:MAX_ROWS]  # fmt: skip


def _questions(session: Session, user: str) -> list[HomeRow]:
    statement = (
        select(Question)
        .where(Question.place["user"].as_string() == user, Question.place["via"].as_string() == "slack")
        .where(Question.place["kind"].as_string() != "share")
        .order_by(Question.asked_at.desc())
        .limit(MAX_ROWS)
    )
    return [
        HomeRow(row.text, None, f"{OUTCOMES.get(row.outcome, 'answered')}, {row.asked_at:%d %b}")
        for row in session.execute(statement).scalars()
    ]


def _source(source: SourceStatus) -> HomeRow:
    lag = "never synced" if source.lag_s is None else f"synced {round(source.lag_s / 60)} min ago"
    about = f"{source.n_current} documents, {source.n_failed} could not be read, {lag}"
    return HomeRow(source.name, None, f"{about}{f'; {source.error}' if source.error else ''}")
