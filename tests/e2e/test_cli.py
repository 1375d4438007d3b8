"""The program as a user meets it: every command on the demo's model, its JSON keys, its exit codes, and what it says about
mistakes. Standard library only. Usage: test_cli.py PROGRAM SOURCE_DIR [unittest arguments]"""

import ast
import json
import os
import pathlib
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM = pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else None
SOURCE = pathlib.Path(sys.argv[2]).resolve() if len(sys.argv) > 2 else None
GLYPHS = "synthetic:glyphs?count={}&seed={}"


def write_npy(path, shape, values):
    header = str({"descr": "<f4", "fortran_order": False, "shape": tuple(shape)})
    header += " " * (63 - (10 + len(header)) % 64) + "\n"
    data = struct.pack(f"<{len(values)}f", *values)
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data)


def read_npy(path):
    data = path.read_bytes()
    length = struct.unpack("<H", data[8:10])[0]
    header = ast.literal_eval(data[10:10 + length].decode())
    count = (len(data) - 10 - length) // 4
    return header["shape"], struct.unpack(f"<{count}f", data[10 + length:])


class Cli(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="halftone_e2e_"))
        self.model = self.folder / "glyphs.onnx"
        shutil.copy(SOURCE / "examples" / "glyphs.onnx", self.model)

    def tearDown(self):
        subprocess.run(["chmod", "-R", "u+w", str(self.folder)], check=False)
        shutil.rmtree(self.folder)

    def call(self, *arguments, **options):
        return subprocess.run([str(PROGRAM), *map(str, arguments)], capture_output=True, text=True, timeout=120,
                              cwd=self.folder, check=False, **options)

    def ok(self, *arguments):
        done = self.call(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def json(self, *arguments):
        return json.loads(self.ok(*arguments, "--json", "-").stdout)

    def refused(self, expected, *arguments, **options):
        """Exit code 2 and one clear line; nothing appears or changes in the folder."""
        before = {p: p.read_bytes() for p in self.folder.rglob("*") if p.is_file()}
        done = self.call(*arguments, **options)
        self.assertEqual(done.returncode, 2, f"stdout: {done.stdout}\nstderr: {done.stderr}")
        lines = [line for line in done.stderr.splitlines() if line.startswith("halftone: ")]
        self.assertEqual(len(lines), 1, done.stderr)
        self.assertIn(expected, lines[0])
        after = {p: p.read_bytes() for p in self.folder.rglob("*") if p.is_file()}
        self.assertEqual(before.keys(), after.keys())
        self.assertEqual(before, after)

    def quantize(self, *more, out="int8.onnx", images=100):
        return self.json("quantize", self.model, "-o", out, "--data", GLYPHS.format(images, 7), "--calibration-images",
                         images, *more)


class Commands(Cli):
    def test_help_names_every_command_and_its_examples(self):
        text = self.ok("--help").stdout
        for command in ("inspect", "quantize", "evaluate", "compare", "run", "benchmark", "compile", "explain", "verify",
                        "version", "report"):
            self.assertIn(command, text)
            self.assertIn("Example", self.ok("help", command).stdout)

    def test_inspect(self):
        result = self.json("inspect", self.model)
        self.assertGreater(result["nodes"], 5)
        self.assertEqual(result["nodes"], len(result["layers"]))
        self.assertGreater(result["parameters"], 1000)
        # A Conv's cost by hand from its row: the stem sees 3 channels.
        conv = next(layer for layer in result["layers"] if layer["op"] == "Conv")
        shape = json.loads(conv["output"])
        self.assertEqual(conv["macs"] % (shape[1] * shape[2] * shape[3]), 0)
        self.assertEqual(result["macs"], sum(layer["macs"] for layer in result["layers"]))

    def test_quantize_evaluate_compare(self):
        before = self.model.read_bytes()
        made = self.quantize()
        self.assertEqual(before, self.model.read_bytes())
        out = self.folder / "int8.onnx"
        self.assertEqual(made["size_bytes"], out.stat().st_size)
        self.assertEqual(made["images"], 100)
        self.assertLess(made["size_bytes"], 0.45 * self.model.stat().st_size)
        for key in ("output", "seconds", "peak_rss_mib"):
            self.assertIn(key, made)
        for layer in made["layers"]:
            self.assertEqual({"name", "op", "weights", "activations", "reason"} - layer.keys(), set())
        self.assertTrue(any(layer["weights"] == "int8" for layer in made["layers"]))

        data = GLYPHS.format(500, 99)
        accuracy = {}
        for engine in ("auto", "reference"):
            for name in ("glyphs.onnx", "int8.onnx"):
                result = self.json("evaluate", name, "--data", data, "--engine", engine)
                self.assertEqual(result["images"], 500)
                self.assertGreaterEqual(result["top5"], result["top1"])
                self.assertGreater(result["images_per_second"], 0)
                self.assertGreater(result["peak_rss_mib"], 0)
                accuracy[name, engine] = result["top1"]
        self.assertGreater(accuracy["glyphs.onnx", "auto"], 0.95)
        self.assertEqual(accuracy["glyphs.onnx", "auto"], accuracy["glyphs.onnx", "reference"])
        self.assertGreater(accuracy["int8.onnx", "reference"], accuracy["glyphs.onnx", "auto"] - 0.02)
        self.assertAlmostEqual(accuracy["int8.onnx", "reference"], accuracy["int8.onnx", "auto"], delta=0.005)

        result = self.json("compare", self.model, "int8.onnx", "--data", data, "--limit", 200)
        self.assertEqual(result["images"], 200)
        self.assertGreater(result["agreement"], 0.96)
        self.assertGreater(result["sqnr_db"], 15)
        values = [layer["sqnr_db"] for layer in result["layers"]]
        self.assertEqual(values, sorted(values))
        self.assertGreater(len(values), 5)
        same = self.json("compare", self.model, self.model, "--data", data, "--limit", 20)
        self.assertEqual(same["agreement"], 1)
        self.assertIsNone(same["sqnr_db"])

    def test_quantizing_twice_gives_the_same_bytes_whatever_the_threads(self):
        self.quantize("--threads", 1, out="a.onnx")
        self.quantize("--threads", 3, out="b.onnx")
        self.assertEqual((self.folder / "a.onnx").read_bytes(), (self.folder / "b.onnx").read_bytes())

    def test_options_change_what_is_made(self):
        per_channel = self.quantize(out="a.onnx")
        per_tensor = self.quantize("--granularity", "per_tensor", out="b.onnx")
        self.assertLess(per_tensor["size_bytes"], per_channel["size_bytes"])
        self.quantize("--activations", "int8", "--observer", "min_max", out="c.onnx")
        self.assertNotEqual((self.folder / "a.onnx").read_bytes(), (self.folder / "c.onnx").read_bytes())
        layers = self.json("inspect", "c.onnx")["layers"]
        self.assertTrue(any(layer["activations"] == "int8" for layer in layers))

    def test_dynamic_quantization_needs_no_data(self):
        for range_of_activations in ("per_tensor", "per_row"):
            made = self.json("quantize", self.model, "-o", "dynamic.onnx", "--dynamic", range_of_activations)
            self.assertEqual((made["images"], made["trial"]), (0, None))
            for layer in made["layers"] + self.json("inspect", "dynamic.onnx")["layers"]:
                if layer["op"] in ("Gemm", "MatMul"):
                    self.assertEqual((layer["weights"], layer["activations"]), ("int8", "dynamic uint8"))
                self.assertFalse(layer["op"] == "Conv" and layer["weights"] != "float")
            compared = self.json("compare", self.model, "dynamic.onnx", "--data", GLYPHS.format(50, 3))
            self.assertEqual(compared["agreement"], 1)
            self.assertGreater(compared["sqnr_db"], 30)
        tried = self.json("quantize", self.model, "-o", "dynamic.onnx", "--dynamic", "--data", GLYPHS.format(50, 3))
        self.assertGreater(tried["trial"]["sqnr_db"], 30)
        self.refused("did you mean 'per_row'", "quantize", self.model, "-o", "o.onnx", "--dynamic", "per_raw")
        self.refused("--dynamic", "quantize", self.model, "-o", "o.onnx")
        self.refused("float model", "quantize", "dynamic.onnx", "-o", "o.onnx", "--dynamic")

    def test_recipe_keeps_a_layer_float_and_says_so(self):
        (self.folder / "recipe.json").write_text('{"rules": [{"match": {"op": "Gemm"}, "keep": "float"}]}')
        made = self.quantize("--recipe", "recipe.json")
        gemm = next(layer for layer in made["layers"] if layer["op"] == "Gemm")
        self.assertEqual(gemm["weights"], "float")
        self.assertIn("recipe", gemm["reason"])

    def test_run_writes_what_the_model_computes(self):
        values = [((i * 37) % 101) / 50 - 1 for i in range(3 * 32 * 32)]
        write_npy(self.folder / "x.npy", (1, 3, 32, 32), values)
        name = self.json("inspect", self.model)["inputs"][0]["name"]
        outputs = {}
        for engine in ("auto", "reference"):
            made = self.json("run", self.model, "--input", f"{name}=x.npy", "--output-dir", engine, "--engine", engine)
            path = self.folder / next(iter(made["outputs"].values()))
            shape, outputs[engine] = read_npy(path)
            self.assertEqual(shape, (1, 10))
        for a, b in zip(outputs["auto"], outputs["reference"]):
            self.assertAlmostEqual(a, b, delta=1e-3 * max(1, abs(b)))

    def test_benchmark(self):
        result = self.json("benchmark", self.model, "--runs", 5)
        self.assertGreaterEqual(result["median_ms"], result["min_ms"])
        self.assertGreater(result["min_ms"], 0)
        self.assertAlmostEqual(result["images_per_second"], 1000 / result["median_ms"])
        self.assertGreater(result["peak_rss_mib"], 1)
        self.assertEqual(result["runs"], 5)

    def test_benchmark_of_two_models_layer_by_layer(self):
        self.quantize(images=20)
        result = self.json("benchmark", "int8.onnx", "--against", self.model, "--runs", 5, "--batch", 2, "--threads", 2,
                           "--per-layer", "--requantize", "dyadic")
        other = result["against"]
        self.assertAlmostEqual(result["ratio"], result["median_ms"] / other["median_ms"])
        self.assertAlmostEqual(other["images_per_second"], 2000 / other["median_ms"])
        self.assertGreater(other["peak_rss_mib"], 1)
        self.assertLessEqual(result["p10_ms"], result["p90_ms"])
        self.assertAlmostEqual(sum(layer["share"] for layer in result["layers"]), 1)
        convolutions = [layer for layer in result["layers"] if layer["macs"] > 0]
        self.assertGreater(len(convolutions), 3)
        for layer in convolutions:
            self.assertAlmostEqual(layer["gops"], 2e-3 * layer["macs"] / layer["microseconds"])
            # A multiplier can't be busier than all the time; neighbours may slow the yardstick down.
            self.assertLess(layer["fraction_of_peak"], 1.5)
        self.refused("--runs", "benchmark", self.model, "--runs", "-1")
        self.refused("batch", "benchmark", self.model, "--batch", "0")
        self.refused("no.onnx", "benchmark", self.model, "--against", "no.onnx")

    def test_explain(self):
        self.quantize(images=20)
        nodes = self.json("explain", "int8.onnx", "--threads", 2)["nodes"]
        for node in nodes:
            self.assertTrue(node["rule"], node)
            self.assertGreaterEqual(node["parts"], 1)
        convolutions = [node for node in nodes if node["node"].startswith("Conv")]
        self.assertTrue(convolutions)
        self.assertTrue(all(node["integers"] for node in convolutions))
        self.assertFalse(any(node["integers"] for node in self.json("explain", self.model)["nodes"]))
        self.assertIn("Conv", self.ok("explain", "int8.onnx", "--requantize", "dyadic").stdout)

    def test_verify(self):
        self.quantize(images=20)
        for mode in ("float", "dyadic"):
            for more in ([], ["--data", GLYPHS.format(20, 3), "--limit", 3, "--threads", 2, "--batch", 2]):
                result = self.json("verify", "int8.onnx", "--requantize", mode, *more)
                self.assertEqual(result["mismatched_bytes"], 0)
                self.assertEqual(result["tensors"], len(result["layers"]))
                self.assertGreater(result["tensors"], 5)
                self.assertTrue(all(layer["elements"] > 0 for layer in result["layers"]))
        self.assertEqual(self.json("verify", self.model, "--limit", 1)["tensors"], 0)

    def test_both_requantization_modes_evaluate_alike(self):
        self.quantize(images=20)
        data = GLYPHS.format(200, 99)
        accuracy = [self.json("evaluate", "int8.onnx", "--data", data, "--requantize", mode, "--engine", engine)["top1"]
                    for mode in ("float", "dyadic") for engine in ("auto", "reference")]
        self.assertLess(max(accuracy) - min(accuracy), 0.02)
        self.json("compare", self.model, "int8.onnx", "--data", data, "--limit", 5, "--requantize", "dyadic")
        self.refused("did you mean 'dyadic'", "verify", "int8.onnx", "--requantize", "diadic")

    def test_compiled_programs_compute_what_their_models_do(self):
        self.quantize()
        made = self.json("compile", "int8.onnx", "-o", "net.ht")
        self.assertEqual(made["bytes"], (self.folder / "net.ht").stat().st_size)
        write_npy(self.folder / "x.npy", (1, 3, 32, 32), [i % 17 / 17 for i in range(3 * 32 * 32)])
        name = self.json("inspect", self.model)["inputs"][0]["name"]
        for model in ("int8.onnx", "net.ht"):
            self.json("run", model, "--input", f"{name}=x.npy", "--output-dir", model + ".out")
        outputs = sorted((self.folder / "net.ht.out").iterdir())
        self.assertEqual(len(outputs), 1)
        self.assertEqual(outputs[0].read_bytes(), (self.folder / "int8.onnx.out" / outputs[0].name).read_bytes())
        self.assertGreater(self.json("benchmark", "net.ht", "--runs", "3")["median_ms"], 0)
        self.assertTrue(any(node["integers"] for node in self.json("explain", "net.ht")["nodes"]))
        # Elsewhere, damaged, or where a model is needed.
        self.refused("compile the model on this machine", "benchmark", "net.ht", env={**os.environ, "HALFTONE_ISA": "portable"})
        self.refused("a compiled program", "evaluate", "net.ht", "--data", GLYPHS.format(5, 1))
        program = self.folder / "net.ht"
        program.write_bytes(program.read_bytes()[:-100])
        self.refused("the compiled program is damaged", "benchmark", "net.ht")

    def test_tuning_keeps_its_measurements(self):
        first = self.quantize("--tune", "--tune-cache", "times.json")
        self.assertLessEqual(first["tuning"]["tuned_ms"], first["tuning"]["integer_ms"])
        measured = (self.folder / "times.json").read_text()
        second = self.quantize("--tune", "--tune-cache", "times.json")
        self.assertEqual(measured, (self.folder / "times.json").read_text())
        self.assertEqual([layer["integer_us"] for layer in first["tuning"]["layers"]],
                         [layer["integer_us"] for layer in second["tuning"]["layers"]])
        # Known before the work: there is not even data to work on.
        (self.folder / "times.json").write_text("nonsense")
        self.refused("times.json", "quantize", self.model, "-o", "x.onnx", "--data", "nowhere", "--tune",
                     "--tune-cache", "times.json")

    def test_times_that_cannot_be_kept_cost_nothing_else(self):
        done = self.ok("quantize", self.model, "-o", "int8.onnx", "--data", GLYPHS.format(20, 7), "--quiet", "--tune",
                       "--tune-cache", "glyphs.onnx/times.json")
        self.assertEqual(done.stderr.count("the measured times are lost"), 1, done.stderr)
        self.assertIn("tuned for", done.stdout)
        self.ok("inspect", "int8.onnx")

    def test_quiet_says_nothing_and_json_goes_where_asked(self):
        done = self.ok("evaluate", self.model, "--data", GLYPHS.format(20, 1), "--quiet", "--json", "result.json")
        self.assertEqual(done.stderr, "")
        self.assertIn("top-1", done.stdout)
        self.assertEqual(json.loads((self.folder / "result.json").read_text())["images"], 20)


class MaxDrop(Cli):
    def test_is_met_and_says_what_it_took(self):
        made = self.json("quantize", self.model, "-o", "out.onnx", "--data", GLYPHS.format(400, 7),
                         "--calibration-images", 100, "--weights", "int2", "--max-drop", "3%")
        drop = made["max_drop"]
        self.assertTrue(drop["met"])
        self.assertEqual((drop["asked"], drop["measure"]), (0.03, "top1"))
        # No sample is used for both.
        self.assertEqual((drop["calibration_samples"], drop["validation_samples"]), (100, 300))
        attempts = drop["attempts"]
        self.assertGreater(attempts[0]["drop"], 0.03, "two bits as they are lose more, or this shows nothing")
        self.assertGreater(len(attempts), 1)
        self.assertIn(drop["drop"], [a["drop"] for a in attempts if a["kept"]])
        self.assertLessEqual(drop["drop"], 0.03)
        # Held against samples of which the search knows nothing.
        fresh = GLYPHS.format(400, 1234)
        before = self.json("evaluate", self.model, "--data", fresh)["top1"]
        after = self.json("evaluate", "out.onnx", "--data", fresh)["top1"]
        self.assertLess(before - after, 0.08)

    def test_validation_data_of_its_own(self):
        made = self.json("quantize", self.model, "-o", "out.onnx", "--data", GLYPHS.format(60, 7), "--validation",
                         GLYPHS.format(90, 8), "--max-drop", "0.5")
        self.assertEqual(made["max_drop"]["calibration_samples"], 60)
        self.assertEqual(made["max_drop"]["validation_samples"], 90)
        self.assertEqual(len(made["max_drop"]["attempts"]), 1, "what meets the drop as it is needs nothing more")

    def test_half_of_a_small_set_is_kept_for_validation(self):
        made = self.json("quantize", self.model, "-o", "out.onnx", "--data", GLYPHS.format(41, 7), "--max-drop", "50%")
        self.assertEqual(made["max_drop"]["calibration_samples"], 20)
        self.assertEqual(made["max_drop"]["validation_samples"], 21)

    def test_what_cannot_be_met_is_said_and_the_best_is_written(self):
        # Half of the layers stay on one-bit grids whatever is tried.
        done = self.call("quantize", self.model, "-o", "out.onnx", "--data", GLYPHS.format(80, 7), "--weights", "int2",
                         "--activations", "uint1", "--max-drop", "0", "--steps", "correct_bias, round:method=nearest",
                         "--json", "result.json")
        result = json.loads((self.folder / "result.json").read_text())["max_drop"]
        self.assertFalse(result["met"], "one bit is enough, which shows nothing")
        self.assertEqual(done.returncode, 2)
        self.assertIn("can't be met", done.stderr)
        self.ok("evaluate", "out.onnx", "--data", GLYPHS.format(20, 3))

    def test_mistakes(self):
        data = ("--data", GLYPHS.format(40, 7))
        for text in ("x", "-1%", "100%", "1.5", "nan", "%", ""):
            self.refused("--max-drop", "quantize", self.model, "-o", "out.onnx", *data, "--max-drop=" + text)
        self.refused("--data", "quantize", self.model, "-o", "out.onnx", "--max-drop", "1%")
        self.refused("at least 2", "quantize", self.model, "-o", "out.onnx", "--data", GLYPHS.format(1, 7), "--max-drop",
                     "1%")


class Steps(Cli):
    def test_presets_and_steps_by_name(self):
        self.quantize("--preset", "fast")
        self.quantize("--steps", "correct_bias")
        for words, expected in ((("--preset", "fsat"), "did you mean 'fast'?"), (("--steps", "corect_bias"), "correct_bias"),
                                (("--steps", "correct_bias:method=magic"), "method"),
                                (("--steps", "correct_bias, equalize"), "can't come after")):
            self.refused(expected, "quantize", self.model, "-o", "out.onnx", "--data", GLYPHS.format(20, 7), *words)


class Mistakes(Cli):
    def test_command_line(self):
        self.refused("did you mean 'evaluate'", "evalute", self.model)
        self.refused("--data", "evaluate", self.model)
        self.refused("did you mean '--limit'", "evaluate", self.model, "--data", "x", "--limt", "3")
        self.refused("did you mean 'percentile'", "quantize", self.model, "-o", "o.onnx", "--data", GLYPHS.format(9, 1),
                     "--observer", "percentil")
        self.refused("did you mean 'int8'", "quantize", self.model, "-o", "o.onnx", "--data", GLYPHS.format(9, 1),
                     "--weights", "itn8")

    def test_damaged_and_missing_models(self):
        self.refused("no.onnx", "inspect", "no.onnx")
        data = self.model.read_bytes()
        for name, content in (("cut.onnx", data[:len(data) // 2]), ("empty.onnx", b""), ("text.onnx", b"hello\n")):
            (self.folder / name).write_bytes(content)
            self.refused(name, "quantize", name, "-o", "o.onnx", "--data", GLYPHS.format(9, 1))
        self.refused("folder", "inspect", self.folder)

    def test_data(self):
        pictures = self.folder / "pictures"
        pictures.mkdir()
        self.refused("pictures", "evaluate", self.model, "--data", pictures)
        (pictures / "labels.csv").write_text("file,label\nmissing.png,3\n")
        self.refused("missing.png", "evaluate", self.model, "--data", pictures)
        (pictures / "missing.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(20))
        self.refused("missing.png", "evaluate", self.model, "--data", pictures)
        (pictures / "labels.csv").write_text("file,label\nmissing.png,cat\n")
        self.refused("cat", "evaluate", self.model, "--data", pictures)
        self.refused("nowhere", "evaluate", self.model, "--data", "nowhere")

    def test_recipe_with_an_unknown_word_names_the_nearest(self):
        (self.folder / "recipe.json").write_text('{"rules": [{"mach": {"op": "Gemm"}, "keep": "float"}]}')
        self.refused("did you mean 'match'", "quantize", self.model, "-o", "o.onnx", "--data", GLYPHS.format(9, 1),
                     "--recipe", "recipe.json")
        (self.folder / "recipe.json").write_text("{")
        self.refused("recipe.json", "quantize", self.model, "-o", "o.onnx", "--data", GLYPHS.format(9, 1), "--recipe",
                     "recipe.json")

    def test_zero_calibration_images(self):
        self.refused("calibration", "quantize", self.model, "-o", "o.onnx", "--data", GLYPHS.format(9, 1),
                     "--calibration-images", "0")

    def test_unwritable_output_and_full_disk(self):
        self.refused("no/such", "quantize", self.model, "-o", "no/such/o.onnx", "--data", GLYPHS.format(9, 1))
        self.refused("folder", "quantize", self.model, "-o", self.folder, "--data", GLYPHS.format(9, 1))

        def small_disk():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))

        self.refused("o.onnx", "quantize", self.model, "-o", "o.onnx", "--data", GLYPHS.format(9, 1),
                     preexec_fn=small_disk)
        for place in ("no/such/net.ht", "glyphs.onnx/net.ht"):
            self.refused(place, "compile", self.model, "-o", place)
        self.refused("folder", "compile", self.model, "-o", self.folder)
        self.refused("net.ht", "compile", self.model, "-o", "net.ht", preexec_fn=small_disk)
        with open("/dev/full", "w") as full:
            done = subprocess.run([str(PROGRAM), "inspect", str(self.model)], stdout=full, stderr=subprocess.PIPE,
                                  text=True, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("standard output", done.stderr)

    def test_a_disk_that_fills_up(self):
        """A file system of 32 KiB, in a mount namespace of its own."""
        script = 'mount -t tmpfs -o size=32k tmpfs small || exit 77; "$@"; code=$?; ls -A small; exit $code'
        (self.folder / "small").mkdir()
        for command in (["compile", self.model, "-o", "small/net.ht"],
                        ["quantize", self.model, "-o", "small/o.onnx", "--data", GLYPHS.format(9, 1)]):
            try:
                done = subprocess.run(["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh",
                                       str(PROGRAM), *map(str, command), "--quiet"], capture_output=True, text=True,
                                      timeout=120, cwd=self.folder, check=False)
            except FileNotFoundError:
                self.skipTest("no unshare")
            if done.returncode in (1, 77):  # unshare's and the script's own
                self.skipTest(f"no mount namespace: {done.stderr}")
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            self.assertIn(f"halftone: {command[3]}", done.stderr)
            self.assertIn("No space left", done.stderr)
            self.assertEqual(done.stdout, "")

    def test_models_are_never_overwritten(self):
        (self.folder / "inner").mkdir()
        (self.folder / "link.onnx").symlink_to("glyphs.onnx")
        os.link(self.model, self.folder / "inner" / "hard.onnx")
        for model, output in (("glyphs.onnx", "glyphs.onnx"), (self.model, "inner/../glyphs.onnx"),
                              ("glyphs.onnx", "link.onnx"), ("link.onnx", "glyphs.onnx"),
                              ("glyphs.onnx", "inner/hard.onnx")):
            self.refused("another file than the model", "compile", model, "-o", output)
            self.refused("another file than the model", "quantize", model, "-o", output, "--data", "nowhere")
        self.assertTrue((self.folder / "link.onnx").is_symlink())

    def test_run_with_wrong_tensors(self):
        name = self.json("inspect", self.model)["inputs"][0]["name"]
        write_npy(self.folder / "wrong.npy", (1, 3, 5), [0.0] * 15)
        self.refused(name, "run", self.model, "--output-dir", ".")
        self.refused(name, "run", self.model, "--input", f"{name}=wrong.npy", "--output-dir", ".")
        self.refused("NAME=FILE", "run", self.model, "--input", "wrong.npy", "--output-dir", ".")
        (self.folder / "cut.npy").write_bytes((self.folder / "wrong.npy").read_bytes()[:90])
        self.refused("cut.npy", "run", self.model, "--input", f"{name}=cut.npy", "--output-dir", ".")


class Interruption(Cli):
    def test_interrupt_leaves_nothing_behind(self):
        process = subprocess.Popen([str(PROGRAM), "quantize", str(self.model), "-o", "o.onnx", "--data",
                                    GLYPHS.format(1000000, 1), "--calibration-images", "1000000", "--quiet"],
                                   cwd=self.folder, stderr=subprocess.PIPE)
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        self.assertNotEqual(process.returncode, 0)
        self.assertEqual([p.name for p in self.folder.iterdir()], ["glyphs.onnx"])

    def test_two_runs_at_once_leave_one_whole_file(self):
        command = [str(PROGRAM), "quantize", str(self.model), "-o", "o.onnx", "--data", GLYPHS.format(50, 1), "--quiet"]
        runs = [subprocess.Popen(command, cwd=self.folder) for _ in range(3)]
        self.assertEqual([run.wait(timeout=120) for run in runs], [0, 0, 0])
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()), ["glyphs.onnx", "o.onnx"])
        self.ok("inspect", "o.onnx")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
