"""The program as a user meets it: its commands on the demo's model, their JSON keys, and that they agree with each other.
Usage: cli_case.py"""

import json
import os

from cli_case import GLYPHS, Cli, main, read_npy, write_npy


class Commands(Cli):
    def test_help_names_every_command_and_its_examples(self):
        text = self.ok("--help").stdout
        for command in ("inspect", "quantize", "evaluate", "compare", "run", "benchmark", "compile", "explain", "verify",
                        "version", "report", "init"):
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

    def test_quiet_says_nothing_and_json_goes_where_asked(self):
        done = self.ok("evaluate", self.model, "--data", GLYPHS.format(20, 1), "--quiet", "--json", "result.json")
        self.assertEqual(done.stderr, "")
        self.assertIn("top-1", done.stdout)
        self.assertEqual(json.loads((self.folder / "result.json").read_text())["images"], 20)

if __name__ == "__main__":
    main()
