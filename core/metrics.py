"""Counters and timings for Prometheus, named in one place; `app.server` serves them at /metrics."""

from prometheus_client import Counter, Histogram

JOB_SECONDS = Histogram(
    "imp_job_seconds",
    "Duration of jobs by kind and how they ended.",
    ["kind", "status"],
    buckets=(0.05, 0.2, 1, 5, 20, 60, 300, 1800, 7200),
)
QUESTION_SECONDS = Histogram(
    "imp_question_seconds",
    "Time from a question to its answer by stage.",
    ["stage"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
QUESTIONS = Counter("imp_questions_total", "Questions by outcome.", ["outcome"])
WEBHOOKS = Counter(
    "imp_webhooks_total", "Webhook deliveries by provider and what became of them.", ["provider", "result"]
)
