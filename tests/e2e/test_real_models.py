"""A trained network and photographs through the program, where they are at hand: HALFTONE_SHARED, or ../shared beside the
repository. Usage: test_real_models.py PROGRAM SOURCE_DIR [unittest arguments]"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

PROGRAM = pathlib.Path(sys.argv[1]).resolve()
SOURCE = pathlib.Path(sys.argv[2]).resolve()
SHARED = pathlib.Path(os.environ.get("HALFTONE_SHARED", SOURCE.parent / "shared"))
EXIT_SKIPPED = 77


class RealModels(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="halftone_real_"))

    def tearDown(self):
        shutil.rmtree(self.folder)

    def json(self, *arguments):
        done = subprocess.run([str(PROGRAM), *map(str, arguments), "--quiet", "--json", "-"], capture_output=True,
                              text=True, timeout=300, cwd=self.folder, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_mobilenet_v2_on_photographs(self):
        model = SHARED / "models" / "mobilenet_v2.onnx"
        made = self.json("quantize", model, "-o", "int8.onnx", "--data", SHARED / "data" / "imagenet-samples",
                         "--calibration-images", 16)
        self.assertLess(made["size_bytes"], 0.3 * model.stat().st_size)
        self.assertLess(made["peak_rss_mib"], 400)
        # Everything that multiplies is in integers.
        for layer in made["layers"]:
            if layer["op"] in ("Conv", "Gemm"):
                self.assertEqual(layer["weights"], "int8", layer)

        test = SHARED / "data" / "imagenet-nips17"
        before = self.json("evaluate", model, "--data", test, "--limit", 100)
        after = self.json("evaluate", "int8.onnx", "--data", test, "--limit", 100)
        reference = self.json("evaluate", "int8.onnx", "--data", test, "--limit", 8, "--engine", "reference")
        fast = self.json("evaluate", "int8.onnx", "--data", test, "--limit", 8)
        self.assertGreater(before["top1"], 0.8)
        self.assertGreater(after["top1"], before["top1"] - 0.06)
        self.assertEqual(reference["top5"], fast["top5"])
        difference = self.json("compare", model, "int8.onnx", "--data", test, "--limit", 100)
        self.assertGreater(difference["agreement"], 0.88)
        self.assertGreater(difference["sqnr_db"], 14)

    def test_every_model_is_inspected_and_survives_quantization(self):
        for path in sorted((SHARED / "models").glob("*.onnx")):
            with self.subTest(path.stem):
                inspected = self.json("inspect", path)
                self.assertGreater(inspected["macs"], 1_000_000)
                card = json.loads(path.with_suffix(".json").read_text())
                channels, height, width = card["input"]["shape"][1:]
                cifar = (height, width) == (32, 32)
                data = SHARED / "data" / ("cifar10/train4000.bin" if cifar else "imagenet-samples")
                self.json("quantize", path, "-o", "int8.onnx", "--data", data, "--calibration-images", 8)
                again = self.json("inspect", "int8.onnx")
                self.assertTrue(again["quantized"])
                self.assertEqual(again["parameters"] // 1000, sum(
                    layer["parameters"] for layer in again["layers"]) // 1000)
                difference = self.json("compare", path, "int8.onnx", "--data", data, "--limit", 8)
                self.assertGreater(difference["sqnr_db"], 8)
                for mode in ("float", "dyadic"):
                    verified = self.json("verify", "int8.onnx", "--data", data, "--limit", 1, "--requantize", mode)
                    self.assertEqual(verified["mismatched_bytes"], 0)
                    self.assertGreater(verified["tensors"], 10)
                for file in (path, "int8.onnx"):
                    self.assertGreater(len(self.json("explain", file, "--threads", 2)["nodes"]), 5)
                speed = self.json("benchmark", "int8.onnx", "--against", path, "--runs", 3, "--per-layer")
                self.assertGreater(speed["ratio"], 0)
                self.assertGreater(len(speed["layers"]), 5)


if __name__ == "__main__":
    if not (SHARED / "models").is_dir():
        print(f"skipped: there are no models at {SHARED / 'models'} (set HALFTONE_SHARED)")
        sys.exit(EXIT_SKIPPED)
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
