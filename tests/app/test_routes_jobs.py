"""`GET /v1/jobs/{id}`: for admins, and for who submitted the recording a job works on."""

import pytest
from fastapi.testclient import TestClient

from core import jobs
from tests.app.conftest import House


@pytest.mark.parametrize("kind", ["transcribe_recording", "draft_minutes", "publish_minutes"])
def test_the_submitter_and_admins_see_a_job(client: TestClient, house: House, kind: str) -> None:
    ann, eve, boss = house.person("ann"), house.person("eve"), house.person("boss", is_admin=True)
    recording_id = house.recording(submitted_by=ann.id)
    with house.context.factory.begin() as session:
        job_id = jobs.enqueue(session, kind, str(recording_id), recording_id=recording_id)
    said = client.get(f"/v1/jobs/{job_id}", headers=ann.headers)
    assert said.status_code == 200, said.text
    assert (said.json()["kind"], said.json()["state"]) == (kind, "queued")
    assert "args" not in said.json()
    assert client.get(f"/v1/jobs/{job_id}", headers=boss.headers).status_code == 200
    assert client.get(f"/v1/jobs/{job_id}", headers=eve.headers).status_code == 404


def test_jobs_of_no_recording_are_for_admins(client: TestClient, house: House) -> None:
    ann = house.person("ann")
    recording_id = house.recording(submitted_by=ann.id)
    with house.context.factory.begin() as session:
        # The key is the number of a source that happens to be the recording's.
        job_id = jobs.enqueue(session, "sync_source", str(recording_id), source_id=recording_id)
    assert client.get(f"/v1/jobs/{job_id}", headers=ann.headers).status_code == 404


@pytest.mark.parametrize(
    ("number", "status"), [("0", 422), ("-1", 422), (str(2**63 - 1), 404), ("9" * 400, 422)]
)
def test_numbers_no_job_has(client: TestClient, house: House, number: str, status: int) -> None:
    assert client.get(f"/v1/jobs/{number}", headers=house.person("ann").headers).status_code == status
