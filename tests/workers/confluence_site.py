"""The stand-in Confluence as a process of its own, driven over HTTP: what tests change on it and break in it."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).resolve().parents[2]
SERVICE_EMAIL = "imp@larkmoor.example"
SERVICE_TOKEN = "sample-token-imp-bot"


class StandIn:
    """One server. `reset` brings it back to the sample company."""

    def __init__(self, port: int, seed: Path | None = ROOT / "sandbox" / "company") -> None:
        self.url = f"http://127.0.0.1:{port}"
        argv = [sys.executable, "-m", "sandbox.confluence", "--port", str(port)]
        self.process = subprocess.Popen([*argv, *(("--seed", str(seed)) if seed else ())], cwd=ROOT)
        for _ in range(200):
            try:
                requests.get(f"{self.url}/_sandbox/faults", timeout=1)
                return
            except requests.ConnectionError:
                time.sleep(0.05)
        raise RuntimeError("the stand-in Confluence did not start")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)

    def reset(self) -> None:
        self._call("POST", "reset")

    def faults(self, *rules: dict[str, Any]) -> None:
        self._call("PUT", "faults", list(rules))

    def act(self, page_id: str, action: str, **body: Any) -> dict[str, Any]:
        return self._call("POST", f"pages/{page_id}/{action}", body)

    def edit(self, page_id: str, **body: Any) -> dict[str, Any]:
        return self._call("PUT", f"pages/{page_id}", body)

    def add(self, **body: Any) -> dict[str, Any]:
        return self._call("POST", "pages", body)

    def space_permissions(self, key: str, principals: list[str]) -> None:
        self._call("PUT", f"spaces/{key}/permissions", principals)

    def leave_group(self, group: str, account_id: str) -> None:
        requests.delete(
            f"{self.url}/_sandbox/groups/{group}/members/{account_id}", timeout=5
        ).raise_for_status()

    def property(self, page_id: str, key: str, value: Any) -> None:
        response = requests.post(
            f"{self.url}/wiki/rest/api/content/{page_id}/property",
            json={"key": key, "value": value},
            auth=(SERVICE_EMAIL, SERVICE_TOKEN),
            timeout=5,
        )
        response.raise_for_status()

    def requests(self) -> list[dict[str, Any]]:
        return list(requests.get(f"{self.url}/_sandbox/state", timeout=5).json()["requests"])

    def forget_log(self) -> None:
        requests.delete(f"{self.url}/_sandbox/log", timeout=5).raise_for_status()

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        response = requests.request(method, f"{self.url}/_sandbox/{path}", json=body, timeout=20)
        assert response.ok, response.text
        return response.json() if response.content else None
