"""Two tiny ONNX models with the interfaces sherpa-onnx expects, made on the spot: they tell loud from silent and high
from low. They prove the road, not that anybody's voice is told from another's.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

WINDOW = 160_000
SHIFT, SIZE = 270, 991
N_BANDS = 80


def build(folder: Path) -> tuple[Path, Path]:
    """(segmentation, embedding)."""
    return _segmentation(folder / "segmentation.onnx"), _embedding(folder / "embedding.onnx")


def _segmentation(path: Path) -> Path:
    """Scores of pyannote's 7 sets of speakers a frame: nobody in silence, the first speaker low, the second high.

    Neighbouring samples of a high tone differ more: 0.01 of its power at 300 Hz, 0.9 at 2500 Hz.
    """
    nodes = [
        helper.make_node("Conv", ["x", "step"], ["change"], pads=[1, 0]),
        helper.make_node("Concat", ["x", "change"], ["both"], axis=1),
        helper.make_node("Mul", ["both", "both"], ["power"]),
        helper.make_node("AveragePool", ["power"], ["frames"], kernel_shape=[SIZE], strides=[SHIFT]),
        helper.make_node("Transpose", ["frames"], ["rows"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["rows", "weights"], ["scores"]),
        helper.make_node("Add", ["scores", "bias"], ["y"]),
    ]
    step = np.array([[[-1, 1]]], np.float32)
    weights = np.array([[0, 3e4, -3e4, 0, 0, 0, 0], [0, -1e5, 1e5, 0, 0, 0, 0]], np.float32)
    bias = np.array([[[1, 0, 0, -100, -100, -100, -100]]], np.float32)
    facts = {
        "num_speakers": 3, "powerset_max_classes": 2, "num_classes": 7, "sample_rate": 16000, "window_size": WINDOW,
        "receptive_field_shift": SHIFT, "receptive_field_size": SIZE,
    }  # fmt: skip
    return _save(
        path,
        nodes,
        [("x", ["N", 1, "T"])],
        [("y", ["N", "F", 7])],
        {"step": step, "weights": weights, "bias": bias},
        facts,
    )


def _embedding(path: Path) -> Path:
    """How much each band moves in an utterance, the mean of all bands taken off; sherpa-onnx has centred them before."""
    nodes = [
        helper.make_node("Mul", ["x", "x"], ["moves"]),
        helper.make_node("ReduceMean", ["moves", "time"], ["spectrum"], keepdims=0),
        helper.make_node("ReduceMean", ["spectrum", "bands"], ["level"], keepdims=1),
        helper.make_node("Sub", ["spectrum", "level"], ["y"]),
    ]
    axes = {"time": np.array([1], np.int64), "bands": np.array([1], np.int64)}
    facts = {
        "framework": "wespeaker", "language": "English", "url": "-", "comment": "-", "sample_rate": 16000,
        "output_dim": N_BANDS, "normalize_samples": 0,
    }  # fmt: skip
    return _save(path, nodes, [("x", ["N", "T", N_BANDS])], [("y", ["N", N_BANDS])], axes, facts)


def _save(path, nodes, inputs, outputs, constants, facts) -> Path:  # type: ignore[no-untyped-def]
    graph = helper.make_graph(
        nodes,
        path.stem,
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    helper.set_model_props(model, {key: str(value) for key, value in facts.items()})
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path
