"""Job: draw one person's home tab from what that person may open."""

from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from connectors.slack.home import MAX_ROWS, Home, HomeDraft, HomeRow, home_view
from connectors.slack.web import translated
from core.access import passed_gates
from core.running_job import RunningJob
from core.tables.meetings import Minutes, Recording
from core.tables.people import Person
from core.tables.questions import Question
from workers import slack_people
from workers.context import Context
from workers.review_minutes import may_review
from workers.slack_workspaces import client_of
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
    None: "being answered", "answered": "answered", "nothing_found": "nothing found",
    "low_confidence": "no clear answer", "unsupported": "no clear answer",
}  # fmt: skip
N_DRAFTS_LOOKED_AT = 50


def run(context: Context, job: RunningJob) -> dict[str, Any]:
    """Args: `user`. Outcome: how much was shown."""
    client = client_of(context, job.args.get("team"))
    user = str(job.args["user"])
    person_id = slack_people.person_of(context, client, user)
    with context.factory() as session:
        home = _home(context, session, user, person_id)
    with translated("the home tab"):
        client.views_publish(user_id=user, view=home_view(home))
    return {"n_recordings": len(home.recordings), "n_drafts": len(home.drafts)}


def _home(context: Context, session: Session, user: str, person_id: int | None) -> Home:
    person = session.get(Person, person_id) if person_id is not None else None
    is_admin = person is not None and person.is_admin
    return Home(
        recordings=tuple(_recordings(context, session, person_id)),
        drafts=tuple(_drafts(context, session, person_id)),
        questions=tuple(_questions(session, user)),
        sources=tuple(_source(one) for one in sync_status(session)) if is_admin else None,
        is_linked=person_id is not None,
        command=context.settings.slack_command,
    )


def _recordings(context: Context, session: Session, person_id: int | None) -> list[HomeRow]:
    values = {"passed": passed_gates(session, person_id), "person_id": person_id, "most": MAX_ROWS}
    rows = []
    for row in session.execute(RECORDINGS, values):
        about = row.state
        done, total = (row.progress or {}).get("done"), (row.progress or {}).get("total")
        if done and total:
            about += f", {round(100 * done / total)}%"
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
