"""`quantize` as a user meets it: what its options make, what --max-drop keeps, presets and steps by name. Usage: cli_case.py"""

import json

from cli_case import GLYPHS, Cli, main


class Quantize(Cli):
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

if __name__ == "__main__":
    main()
