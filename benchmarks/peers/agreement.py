#!/usr/bin/env python3
"""How closely other runtimes reproduce a quantized file: Halftone, ONNX Runtime, and OpenVINO.

    benchmarks/peers/setup
    benchmarks/peers/.venv/bin/python benchmarks/peers/agreement.py MODEL --inputs INPUTS.npy [--reference FLOAT_MODEL]

INPUTS.npy holds prepared inputs, the samples along the first axis. Prints for each pair the share of samples whose
highest output is the same, the SQNR of the outputs, and the share whose outputs are the same bit for bit. ONNX Runtime
runs twice: with its optimizations off, and as it runs by default ("ort, default").
"""

import argparse
import itertools
import pathlib
import subprocess
import tempfile

import numpy as np
import onnx
import onnxruntime
import openvino

ROOT = pathlib.Path(__file__).resolve().parents[2]


def run_halftone(program, path, port, x):
    outputs = []
    with tempfile.TemporaryDirectory() as folder:
        for batch in np.split(x, range(64, len(x), 64)):
            np.save(f"{folder}/in.npy", batch)
            subprocess.run([program, "run", path, "--input", f"{port}={folder}/in.npy", "--output-dir", f"{folder}/out",
                            "--quiet"], check=True, stdout=subprocess.DEVNULL)
            (output,) = pathlib.Path(folder, "out").iterdir()
            outputs.append(np.load(output).reshape(len(batch), -1))
    return np.concatenate(outputs)


def run_onnxruntime(path, port, x, level):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = level
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return np.concatenate([session.run(None, {port: x[i:i + 1]})[0].reshape(1, -1) for i in range(len(x))])


def run_openvino(path, port, x):
    core = openvino.Core()
    model = core.read_model(path)
    model.reshape({port: [1, *x.shape[1:]]})
    compiled = core.compile_model(model, "CPU")
    return np.concatenate([np.array(compiled(x[i:i + 1])[0]).reshape(1, -1) for i in range(len(x))])


def sqnr(a, b):
    error = np.square(a.astype(np.float64) - b).sum()
    return 10 * np.log10(np.square(a.astype(np.float64)).sum() / error) if error > 0 else np.inf


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--inputs", required=True)
    parser.add_argument("--reference")
    parser.add_argument("--program", default=str(ROOT / "build" / "bin" / "halftone"))
    args = parser.parse_args()
    x = np.load(args.inputs).astype(np.float32)
    port = onnx.load(args.model).graph.input[0].name
    levels = onnxruntime.GraphOptimizationLevel
    outputs = {"halftone": run_halftone(args.program, args.model, port, x),
               "ort": run_onnxruntime(args.model, port, x, levels.ORT_DISABLE_ALL),
               "ort, default": run_onnxruntime(args.model, port, x, levels.ORT_ENABLE_ALL),
               "openvino": run_openvino(args.model, port, x)}
    if args.reference:
        outputs["reference"] = run_halftone(args.program, args.reference, port, x)
    print(f"{'':12} {'':12} agreement     SQNR  bit for bit")
    for a, b in itertools.combinations(outputs, 2):
        p, q = outputs[a], outputs[b]
        print(f"{a:12} {b:12} {100 * (p.argmax(1) == q.argmax(1)).mean():7.2f} % {sqnr(p, q):5.1f} dB "
              f"{100 * (p == q).all(1).mean():9.1f} %")


if __name__ == "__main__":
    main()
