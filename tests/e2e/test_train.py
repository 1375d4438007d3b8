"""Training through the program: recipes, interruption, mistakes. Usage: cli_case.py"""

import json
import os
import signal
import subprocess
import sys
import time

from cli_case import GLYPHS, PROGRAM, SOURCE, Cli, main, write_npy

DATA, VALIDATION = GLYPHS.format(256, 7), GLYPHS.format(100, 8)
RECIPES = sorted((SOURCE / "recipes").glob("*.json")) if SOURCE else []


class Train(Cli):
    def recipe(self, **words):
        path = self.folder / "recipe.json"
        path.write_text(json.dumps(words))
        return path

    def words(self, recipe, *more, command="train", out="trained.onnx"):
        return [command, self.model, "-o", out, "--data", DATA, "--validation", VALIDATION, "--recipe", recipe, *more]

    def test_recipes_of_the_project(self):
        self.assertGreater(len(RECIPES), 4)
        for path in RECIPES:
            with self.subTest(path.name):
                result = self.json(*self.words(path, "--epochs", 1, "--threads", 1, out=f"{path.stem}.onnx"))
                self.assertEqual(result["validation_samples"], 100)
                self.assertGreaterEqual(result["engine_agreement"], 0.99)
                self.assertGreaterEqual(result["accuracy"], result["start_accuracy"])
                grids = "quantize" in json.loads(path.read_text())
                inspected = self.json("inspect", f"{path.stem}.onnx")
                self.assertEqual("int8" in json.dumps(inspected) or "int4" in json.dumps(inspected), grids)
                # The file is what was measured.
                evaluated = self.json("evaluate", f"{path.stem}.onnx", "--data", VALIDATION)
                self.assertAlmostEqual(evaluated["top1"], result["accuracy"], delta=0.011)
                self.assertFalse((self.folder / f"{path.stem}.onnx.checkpoint").exists())

    def test_distilling_needs_no_labels(self):
        pictures = self.folder / "pictures"
        pictures.mkdir()
        # 32 x 32 noise, as the network takes it.
        write_npy(pictures / "x.npy", (40, 3, 32, 32), [((i * 2654435761) % 1000) / 500 - 1 for i in range(40 * 3072)])
        self.ok("init", "resnet:depth=8:width=0.25", "-o", "student.onnx")
        done = self.json("distill", "student.onnx", "--teacher", self.model, "-o", "s.onnx", "--data",
                         pictures / "x.npy", "--validation", pictures / "x.npy", "--epochs", 1, "--threads", 1)
        self.assertEqual(done["measure"], "agreement")

    def test_a_student_takes_the_inputs_of_its_teacher(self):
        self.ok("init", "resnet:depth=8:width=0.25", "-o", "student.onnx")
        self.ok("distill", "student.onnx", "--teacher", self.model, "-o", "s.onnx", "--data", GLYPHS.format(64, 7),
                "--validation", GLYPHS.format(20, 8), "--epochs", 1, "--threads", 1, "--report", "r.json")
        # Images become inputs as the file now says.
        self.assertEqual(self.json("evaluate", "s.onnx", "--data", VALIDATION)["images"], 100)

    def test_interrupted_and_resumed_it_is_the_same(self):
        recipe = self.recipe(quantize={"weights": {"type": "int4"}, "activations": {"type": "uint4"}}, batch=16,
                             augment=["flip", "crop"], average=0.9, epochs=2, rate=0.001)
        self.ok(*self.words(recipe, "--threads", 1, out="whole.onnx"))
        command = [str(PROGRAM), *map(str, self.words(recipe, "--threads", 1, out="parts.onnx"))]
        log, checkpoint = self.folder / "parts.onnx.log.jsonl", self.folder / "parts.onnx.checkpoint"
        process = subprocess.Popen(command, cwd=self.folder, stderr=subprocess.PIPE, text=True)
        while process.poll() is None and (not log.exists() or log.read_text().count('"step"') < 5):
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, errors)
        self.assertIn("--resume", errors)
        self.assertTrue(checkpoint.exists())
        self.assertFalse((self.folder / "parts.onnx").exists())
        self.refused("--resume", *command[1:])
        self.ok(*command[1:], "--resume", "--report", "made.json")
        self.assertEqual((self.folder / "parts.onnx").read_bytes(), (self.folder / "whole.onnx").read_bytes())
        self.assertFalse(checkpoint.exists())

        def steps(path):
            lines = [json.loads(line) for line in path.read_text().splitlines()]
            return [(line["step"], line["loss"]) for line in lines if line["event"] == "step"]

        self.assertEqual(steps(log), steps(self.folder / "whole.onnx.log.jsonl"))
        self.ok("report", self.model, "parts.onnx", "-o", "r.json", "--data", VALIDATION, "--training-log", log)
        reports = [json.loads((self.folder / name).read_text()) for name in ("made.json", "r.json")]
        self.assertEqual(reports[0]["training"], reports[1]["training"])
        self.assertEqual(reports[0]["sqnr_db"], reports[1]["sqnr_db"])

    def test_killed_it_goes_on_from_the_last_checkpoint(self):
        recipe = self.recipe(batch=16, epochs=3, rate=0.001)
        words = self.words(recipe, "--threads", 1, "--checkpoint-minutes", 0.0001)
        checkpoint = self.folder / "trained.onnx.checkpoint"
        process = subprocess.Popen([str(PROGRAM), *map(str, words)], cwd=self.folder, stderr=subprocess.DEVNULL)
        while process.poll() is None and not checkpoint.exists():
            time.sleep(0.01)
        process.kill()
        process.wait()
        self.ok(*words, "--resume")
        self.ok(*self.words(recipe, "--threads", 1, out="whole.onnx"))
        self.assertEqual((self.folder / "trained.onnx").read_bytes(), (self.folder / "whole.onnx").read_bytes())

    def test_two_at_once_do_not_write_one_log(self):
        recipe = self.recipe(batch=16, epochs=50)
        words = self.words(recipe, "--threads", 1)
        process = subprocess.Popen([str(PROGRAM), *map(str, words)], cwd=self.folder, stderr=subprocess.DEVNULL)
        try:
            log = self.folder / "trained.onnx.log.jsonl"
            while process.poll() is None and not log.exists():
                time.sleep(0.01)
            done = self.call(*words)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertRegex(done.stderr, "another training writes this log|an unfinished training is kept there")
        finally:
            process.kill()
            process.wait()

    def test_mistakes(self):
        for expected, words in (
            ("'epochs'", {"epoch": 1}),
            ("cross_entropy", {"losses": ["cross_entrpy"]}),
            ("sgd", {"optimizer": "sdg"}),
            ("cosine", {"schedule": "cosin"}),
            ("flip", {"augment": ["flp"]}),
            ("lsq", {"quantize": {}, "quantizers": {"weights": "lsqq"}}),
            ("nowhere", {"quantize": {}, "quantizers": {"rules": [{"match": {"name": "nowhere"}, "quantizer": "lsq"}]}}),
            ("head/pol", {"losses": [{"loss": "features", "student": "head/pol"}]}),
            ("steps", {"quantize": {"steps": ["round"]}}),
        ):
            self.refused(expected, *self.words(self.recipe(**words)))
        fine = self.recipe(epochs=1)
        self.refused("no checkpoint", *self.words(fine, "--resume"))
        self.refused("--epochs", *self.words(fine, "--epochs", 0))
        self.refused("--checkpoint-minutes", *self.words(fine, "--checkpoint-minutes", 0))
        self.refused("glyphs.onnx", *self.words(fine, out="glyphs.onnx"))
        self.refused("no/such", *self.words(fine, out="no/such/o.onnx"))
        self.quantize(images=20)
        self.refused("a float model is required", "train", "int8.onnx", "-o", "o.onnx", "--data", DATA, "--validation",
                     VALIDATION, "--recipe", fine)
        self.ok("init", "resnet:depth=8:width=0.25:classes=7", "-o", "seven.onnx")
        self.refused("10 classes are required, as the network has, found 7",
                     *self.words(self.recipe(losses=["soft_targets"]), "--teacher", "seven.onnx"))
        pictures = self.folder / "pictures.json"
        pictures.write_text(json.dumps({"resize": {"height": 32, "width": 32}}))
        self.refused(["glyph", "label"], "train", "seven.onnx", "-o", "o.onnx", "--data", DATA, "--validation", VALIDATION,
                     "--recipe", fine, "--preprocess", pictures)
        (self.folder / "trained.onnx.checkpoint").write_bytes(b"HTTRAIN1" + bytes(100))
        self.refused("the checkpoint is damaged", *self.words(fine, "--resume"))


if __name__ == "__main__":
    if PROGRAM and not (PROGRAM.parent / "halftone-train").exists():
        print("skipped: built without training")
        sys.exit(77)
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    main()
