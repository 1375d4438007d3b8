"""What training is for: at few bits it brings back what post-training quantization loses, and a teacher teaches. On the
demo's model and its procedural data, a minute in all. Usage: cli_case.py"""

import json
import sys

from cli_case import GLYPHS, PROGRAM, Cli, main

VALIDATION = GLYPHS.format(1000, 9)


class Training(Cli):
    def train(self, recipe, images, seed=1):
        path = self.folder / "recipe.json"
        path.write_text(json.dumps({"optimizer": "adam", "freeze_batch_norm": 0, "epochs": 3, **recipe}))
        return self.json("train", self.model, "-o", "trained.onnx", "--data", GLYPHS.format(images, 3), "--validation",
                         VALIDATION, "--recipe", path, "--seed", seed)["accuracy"]

    def test_two_bits_recover_most_of_what_quantization_loses(self):
        whole = self.json("evaluate", self.model, "--data", VALIDATION)["top1"]
        self.ok("quantize", self.model, "-o", "w2a4.onnx", "--data", GLYPHS.format(500, 3), "--weights", "int2",
                "--activations", "uint4")
        quantized = self.json("evaluate", "w2a4.onnx", "--data", VALIDATION)["top1"]
        self.assertLess(quantized, whole - 0.5, "there is something to bring back")
        trained = self.train({"quantize": {"weights": {"type": "int2"}, "activations": {"type": "uint4"}}, "batch": 50,
                              "rate": 0.003, "epochs": 2}, 4000)
        self.assertGreater(trained, (2 * whole + quantized) / 3)
        self.assertAlmostEqual(self.json("evaluate", "trained.onnx", "--data", VALIDATION)["top1"], trained, delta=0.005)

    def test_a_teacher_is_worth_more_than_labels(self):
        grids = {"quantize": {"weights": {"type": "int2"}, "activations": {"type": "uint3"}}, "batch": 50, "rate": 0.003}
        alone = distilled = 0
        for seed in (1, 2, 3):
            alone += self.train({**grids, "losses": ["cross_entropy"]}, 1000, seed)
            distilled += self.train({**grids, "losses": ["soft_targets:temperature=4"]}, 1000, seed)
        self.assertGreater(distilled, alone + 0.1)


if __name__ == "__main__":
    if PROGRAM and not (PROGRAM.parent / "halftone-train").exists():
        print("skipped: built without training")
        sys.exit(77)
    main()
