#!/usr/bin/env python3
"""How closely other runtimes reproduce a quantized file: Halftone, ONNX Runtime without optimizations, and OpenVINO.

    benchmarks/peers/setup
    benchmarks/peers/.venv/bin/python benchmarks/peers/agreement.py MODEL --inputs INPUTS.npy [--reference FLOAT_MODEL]

INPUTS.npy holds prepared inputs, the samples along the first axis. Prints for each pair the share of samples whose
highest output is the same, the SQNR of the outputs, and the share whose outputs are the same bit for bit. --twice gives
the operands of an Add that nothing else reads a second pair of QuantizeLinear and DequantizeLinear: it changes nothing
that ONNX defines, but OpenVINO leaves out the rounding of a convolution's result in front of an Add, if it is there once.
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


def run_onnxruntime(path, port, x):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return np.concatenate([session.run(None, {port: x[i:i + 1]})[0].reshape(1, -1) for i in range(len(x))])


def run_openvino(path, port, x):
    core = openvino.Core()
    model = core.read_model(path)
    model.reshape({port: [1, *x.shape[1:]]})
    compiled = core.compile_model(model, "CPU")
    return np.concatenate([np.array(compiled(x[i:i + 1])[0]).reshape(1, -1) for i in range(len(x))])


def round_twice(source, target):
    model = onnx.load(source)
    producers = {output: node for node in model.graph.node for output in node.output}
    readers = [name for node in model.graph.node for name in node.input]
    nodes = []
    for node in model.graph.node:
        for i in range(2 if node.op_type == "Add" else 0):
            name = node.input[i]
            producer = producers.get(name)
            if producer is None or producer.op_type != "DequantizeLinear" or readers.count(name) > 1:
                continue
            grid = list(producer.input[1:])
            nodes.append(onnx.helper.make_node("QuantizeLinear", [name, *grid], [name + "_codes_again"]))
            nodes.append(onnx.helper.make_node("DequantizeLinear", [name + "_codes_again", *grid], [name + "_again"]))
            node.input[i] = name + "_again"
        nodes.append(node)
    nodes = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.save(model, target)


def sqnr(a, b):
    error = np.square(a.astype(np.float64) - b).sum()
    return 10 * np.log10(np.square(a.astype(np.float64)).sum() / error) if error > 0 else np.inf


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--inputs", required=True)
    parser.add_argument("--reference")
    parser.add_argument("--twice", action="store_true")
    parser.add_argument("--program", default=str(ROOT / "build" / "bin" / "halftone"))
    args = parser.parse_args()
    x = np.load(args.inputs).astype(np.float32)
    port = onnx.load(args.model).graph.input[0].name
    with tempfile.TemporaryDirectory() as folder:
        path = args.model
        if args.twice:
            path = f"{folder}/twice.onnx"
            round_twice(args.model, path)
        outputs = {"halftone": run_halftone(args.program, args.model, port, x),
                   "onnxruntime": run_onnxruntime(path, port, x), "openvino": run_openvino(path, port, x)}
    if args.reference:
        outputs["reference"] = run_halftone(args.program, args.reference, port, x)
    print(f"{'':11} {'':11} agreement     SQNR  bit for bit")
    for a, b in itertools.combinations(outputs, 2):
        p, q = outputs[a], outputs[b]
        print(f"{a:11} {b:11} {100 * (p.argmax(1) == q.argmax(1)).mean():7.2f} % {sqnr(p, q):5.1f} dB "
              f"{100 * (p == q).all(1).mean():9.1f} %")


if __name__ == "__main__":
    main()
