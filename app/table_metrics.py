"""Numbers read from the tables at scrape time, so that they are true whichever process did the work."""

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from sqlalchemy import text

from workers.context import Context

JOBS = text("SELECT queue, state, count(*) AS n FROM jobs GROUP BY queue, state")
OLDEST = text("""
    SELECT queue, extract(epoch FROM now() - min(run_after))::float AS age_s FROM jobs
    WHERE state = 'queued' AND run_after <= now() GROUP BY queue
""")
DOCUMENTS = text("""
    SELECT kind, count(*) FILTER (WHERE deleted_at IS NULL) AS n,
           count(*) FILTER (WHERE deleted_at IS NULL AND indexed_hash IS DISTINCT FROM content_hash) AS n_due
    FROM documents GROUP BY kind
""")
RECORDINGS = text("SELECT state, count(*) AS n FROM recordings GROUP BY state")
QUESTIONS = text("SELECT coalesce(outcome, 'open') AS outcome, count(*) AS n FROM questions GROUP BY 1")


def exposition(context: Context) -> bytes:
    """Prometheus text of all tables; one short query each."""
    registry = CollectorRegistry()
    jobs = Gauge("imp_jobs", "Jobs by queue and state.", ["queue", "state"], registry=registry)
    oldest = Gauge("imp_jobs_oldest_wait_s", "Wait of the oldest due job.", ["queue"], registry=registry)
    documents = Gauge("imp_documents", "Documents by kind.", ["kind"], registry=registry)
    due = Gauge(
        "imp_documents_unindexed",
        "Documents whose newest text is not searchable.",
        ["kind"],
        registry=registry,
    )
    recordings = Gauge("imp_recordings", "Recordings by state.", ["state"], registry=registry)
    questions = Gauge("imp_questions", "Questions by outcome.", ["outcome"], registry=registry)
    with context.factory() as session:
        for row in session.execute(JOBS):
            jobs.labels(row.queue, row.state).set(row.n)
        for row in session.execute(OLDEST):
            oldest.labels(row.queue).set(row.age_s)
        for row in session.execute(DOCUMENTS):
            documents.labels(row.kind).set(row.n)
            due.labels(row.kind).set(row.n_due)
        for row in session.execute(RECORDINGS):
            recordings.labels(row.state).set(row.n)
        for row in session.execute(QUESTIONS):
            questions.labels(row.outcome).set(row.n)
    return generate_latest(registry)
