"""How much memory the GPU has left, asked of NVIDIA's own tool; knows no model."""

import shutil
import subprocess

MIB = 1024**2
# Assumed where the tool is missing or silent: enough for a small batch, safe on an 8 GB card.
ASSUMED_FREE_BYTES = 2500 * MIB


def free_bytes(device_index: int = 0) -> int:
    """Free bytes on one GPU; a cautious guess where nvidia-smi does not answer."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return ASSUMED_FREE_BYTES
    question = [tool, f"--id={device_index}", "--query-gpu=memory.free", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(question, capture_output=True, text=True, timeout=10, check=True)
        return int(answer.stdout.split()[0]) * MIB
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return ASSUMED_FREE_BYTES
