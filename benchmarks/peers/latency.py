#!/usr/bin/env python3
"""Latency of Halftone against ONNX Runtime (and OpenVINO), in interleaved rounds of one run.

    benchmarks/peers/setup
    benchmarks/peers/.venv/bin/python benchmarks/peers/latency.py --models ../shared/models [NAME ...]

Prints per model and number of threads the median, minimum and 90th percentile in milliseconds, and Halftone's median over
ONNX Runtime's. --busy keeps a process busy on one core during the rounds of Halftone with two threads and compares their
90th percentile with the quiet median of one thread. --check compares the outputs; --memory the peak memory of fresh
processes that import, lower and run once at batch 1. --int8 DIR quantizes the models into DIR (what is there already is
kept), once with Halftone and once with ONNX Runtime's own quantizer, and measures the INT8 models: Halftone's on every
runtime, ONNX Runtime's on its own, and Halftone's float model beside them.
"""

import argparse
import logging
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnxruntime

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAMES = ["mobilenet_v2", "mobilenet_v2_tfslim_bn", "resnet20_cifar10", "resnet56_cifar10", "resnet8_mlperf_tiny",
         "vww_mobilenet_v1_025", "ultraface_rfb320"]

onnxruntime.set_default_logger_severity(3)


class Halftone:
    def __init__(self, program, path, threads, batch=1):
        self.process = subprocess.Popen([program, str(path), str(threads), str(batch)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, bufsize=1)
        self.load_ms = float(self.process.stdout.readline().split()[1])

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline()

    def run(self, count):
        return [float(t) for t in self.ask(f"run {count}").split()]

    def output(self, array):
        with tempfile.TemporaryDirectory() as folder:
            array.astype("<f4").tofile(f"{folder}/in")
            self.ask(f"output {folder}/in {folder}/out")
            return np.fromfile(f"{folder}/out", "<f4")

    def peak_mib(self):
        return float(self.ask("peak"))

    def close(self):
        self.process.stdin.close()
        self.process.wait()


PEER_SCRIPT = """
import sys, time
import numpy as np
peak = lambda: int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) / 1024
kind, path, threads, batch = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
begin = time.perf_counter()
if kind == "ort":
    import onnxruntime
    onnxruntime.set_default_logger_severity(3)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    begin = time.perf_counter()
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    port = session.get_inputs()[0]
    x = np.random.rand(*[d if isinstance(d, int) else batch for d in port.shape]).astype(np.float32)
    run = lambda: session.run(None, {port.name: x})
else:
    import openvino
    core = openvino.Core()
    model = core.read_model(path)
    shape = [d.get_length() if d.is_static else batch for d in model.inputs[0].partial_shape]
    model.reshape({model.inputs[0].any_name: shape})
    compiled = core.compile_model(model, "CPU", {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1})
    request = compiled.create_infer_request()
    x = np.random.rand(*shape).astype(np.float32)
    run = lambda: request.infer([x], share_inputs=True)
run()
print("ready", (time.perf_counter() - begin) * 1e3, flush=True)
for line in sys.stdin:
    words = line.split()
    if words[0] == "run":
        times = []
        for _ in range(int(words[1])):
            start = time.perf_counter()
            run()
            times.append((time.perf_counter() - start) * 1e3)
        print(*times, flush=True)
    elif words[0] == "peak":
        print(peak(), flush=True)
"""


class Peer(Halftone):
    """Another runtime in a process of its own, spoken to in the same way."""

    def __init__(self, kind, path, threads, batch=1):
        self.process = subprocess.Popen([sys.executable, "-c", PEER_SCRIPT, kind, str(path), str(threads), str(batch)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.load_ms = float(self.process.stdout.readline().split()[1])


def percentile(times, p):
    return sorted(times)[min(len(times) - 1, int(len(times) * p / 100))]


def describe(times):
    return f"{statistics.median(times):8.3f} {min(times):8.3f} {percentile(times, 90):8.3f}"


def interleave(runners, rounds, seconds):
    """Rounds in which every runner has its turn; the number of runs per turn is such that a round takes `seconds`."""
    counts = {name: max(1, int(seconds / len(runners) / (min(r.run(3)) / 1e3))) for name, r in runners.items()}
    times = {name: [] for name in runners}
    for _ in range(rounds):
        for name, runner in runners.items():
            time.sleep(0.1)  # the threads of the runtime before may spin on for a while after it has answered
            runner.run(2)
            times[name] += runner.run(min(counts[name], 200))
    return times


def compare_latency(args, path):
    for threads in args.threads:
        runners = {"halftone": Halftone(args.program, path, threads), "ort": Peer("ort", path, threads)}
        if args.openvino:
            runners["openvino"] = Peer("openvino", path, threads)
        times = interleave(runners, args.rounds, args.seconds)
        ratio = statistics.median(times["halftone"]) / statistics.median(times["ort"])
        for name, list_ in times.items():
            tail = f"  ratio {ratio:.3f}" if name == "halftone" else ""
            print(f"{path.stem:24} {threads} {name:9} {describe(list_)}{tail}", flush=True)
        for runner in runners.values():
            runner.close()


# What the INT8 models are calibrated with. Which images they are has no influence on their speed.
CALIBRATION = {"resnet": "cifar10/train4000.bin", "": "imagenet-samples"}


class RandomInputs:
    """Calibration data for ONNX Runtime's quantizer."""

    def __init__(self, path):
        self.port = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]).get_inputs()[0]
        self.left = 4

    def get_next(self):
        self.left -= 1
        shape = [d if isinstance(d, int) else 1 for d in self.port.shape]
        return {self.port.name: np.random.rand(*shape).astype(np.float32)} if self.left >= 0 else None


def quantized(args, path):
    """The model quantized by Halftone and by ONNX Runtime."""
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static, shape_inference
    args.int8.mkdir(parents=True, exist_ok=True)
    ours, theirs = args.int8 / f"{path.stem}.int8.onnx", args.int8 / f"{path.stem}.ort.int8.onnx"
    if not ours.exists():
        data = next(d for prefix, d in CALIBRATION.items() if path.stem.startswith(prefix))
        subprocess.run([pathlib.Path(args.program).parent / "halftone", "quantize", path, "-o", ours, "--quiet", "--data",
                        path.parents[1] / "data" / data, "--calibration-images", "100"], check=True, stdout=subprocess.DEVNULL)
    if not theirs.exists():
        prepared = args.int8 / f"{path.stem}.prepared.onnx"
        shape_inference.quant_pre_process(str(path), str(prepared))
        quantize_static(str(prepared), str(theirs), RandomInputs(prepared), quant_format=QuantFormat.QDQ, per_channel=True,
                        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)
    return ours, theirs


def compare_int8(args, path):
    logging.disable(logging.WARNING)  # the quantizer's, about every constant that it leaves alone
    ours, theirs = quantized(args, path)
    for threads in args.threads:
        runners = {"halftone": Halftone(args.program, ours, threads), "float": Halftone(args.program, path, threads),
                   "ort": Peer("ort", ours, threads), "ort, own": Peer("ort", theirs, threads)}
        if args.openvino:
            runners["openvino"] = Peer("openvino", ours, threads)
        times = interleave(runners, args.rounds, args.seconds)
        median = statistics.median(times["halftone"])
        for name, list_ in times.items():
            tail = "" if name == "halftone" else f"  halftone's / this {median / statistics.median(list_):.3f}"
            print(f"{path.stem:24} {threads} {name:9} {describe(list_)}{tail}", flush=True)
        for runner in runners.values():
            runner.close()


def compare_busy(args, path):
    one, two, ort = Halftone(args.program, path, 1), Halftone(args.program, path, 2), Peer("ort", path, 2)
    quiet = [t for _ in range(args.rounds) for t in one.run(20)]
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        os.sched_setaffinity(busy.pid, {max(os.sched_getaffinity(0))})
        times = interleave({"halftone": two, "ort": ort}, args.rounds, args.seconds)
    finally:
        busy.kill()
    limit = percentile(times["halftone"], 90) / statistics.median(quiet)
    print(f"{path.stem:24} quiet, 1 thread   {describe(quiet)}")
    print(f"{path.stem:24} busy, 2 threads   {describe(times['halftone'])}  p90 / quiet median {limit:.2f}")
    print(f"{path.stem:24} busy, 2, ort      {describe(times['ort'])}", flush=True)
    for runner in (one, two, ort):
        runner.close()


def check_outputs(args, path):
    for batch in (1, 5):
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        port = session.get_inputs()[0]
        shape = [d if isinstance(d, int) else batch for d in port.shape]
        x = np.random.default_rng(1).random(shape, dtype=np.float32)
        expected = session.run(None, {port.name: x})[0].ravel()
        for threads in args.threads:
            runner = Halftone(args.program, path, threads, batch)
            got = runner.output(x)
            error = np.abs(got - expected).max() / np.abs(expected).max()
            print(f"{path.stem:24} batch {batch} threads {threads}: largest difference / largest output {error:.2e}")
            runner.close()


def compare_memory(args, path):
    for threads in args.threads:
        for name, runner in (("halftone", Halftone(args.program, path, threads)), ("ort", Peer("ort", path, threads))):
            print(f"{path.stem:24} {threads} {name:9} load {runner.load_ms:7.1f} ms, peak {runner.peak_mib():7.1f} MiB",
                  flush=True)
            runner.close()
    # What the peers' Python costs by itself.
    empty = subprocess.run([sys.executable, "-c", "import numpy, onnxruntime;"
                            "print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])"],
                           capture_output=True, text=True, check=True)
    print(f"{'(python with ort loaded)':24} {float(empty.stdout) / 1024:7.1f} MiB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=NAMES)
    parser.add_argument("--models", type=pathlib.Path, default=ROOT.parent / "shared" / "models")
    parser.add_argument("--program", default=str(ROOT / "build" / "bin" / "halftone_latency"))
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=0.3, help="length of a round")
    parser.add_argument("--openvino", action="store_true")
    parser.add_argument("--busy", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--int8", type=pathlib.Path, metavar="DIR")
    args = parser.parse_args()
    task = (compare_busy if args.busy else check_outputs if args.check else compare_memory if args.memory else
            compare_int8 if args.int8 else compare_latency)
    if task in (compare_latency, compare_int8):
        print(f"{'model':24} t {'runtime':9} {'median':>8} {'min':>8} {'p90':>8}")
    for name in args.names:
        task(args, args.models / f"{name}.onnx")


if __name__ == "__main__":
    main()
