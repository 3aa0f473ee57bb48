"""The server as it is started: every route there, Slack's closed until it is configured."""

from fastapi.testclient import TestClient

from app.server import create_app
from tests.app.conftest import MAX_UPLOAD_BYTES
from workers.add_recording import MAX_TRANSCRIPT_BYTES
from workers.context import Context


def test_every_route_is_there(context: Context) -> None:
    with TestClient(create_app(context), raise_server_exceptions=False) as client:
        described = client.get("/openapi.json").json()["paths"]
        assert client.get("/docs").status_code == 200
        assert client.get("/healthz").status_code == 200
        assert client.post("/slack/events").status_code == 404
        assert client.get("/recordings/1").status_code == 401
        too_large = MAX_UPLOAD_BYTES + MAX_TRANSCRIPT_BYTES + 2 * 1024**2
        for path in ("/v1/recordings", "/v1/ask", "/webhooks/confluence/1/page_created"):
            reply = client.post(path, content=b"", headers={"Content-Length": str(too_large)})
            assert reply.status_code == 413, path
    assert {
        "/healthz", "/readyz", "/metrics", "/v1/ask", "/v1/recordings", "/v1/recordings/{recording_id}",
        "/v1/jobs/{job_id}", "/slack/events", "/webhooks/confluence/{source}/{event}",
    } <= set(described)  # fmt: skip
