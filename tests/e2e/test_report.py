"""The report in a real browser: the page runs without errors and shows what the JSON says, in a wide and in a narrow window.
Usage: test_report.py PROGRAM SOURCE_DIR [unittest arguments]. Without Chromium the tests are skipped."""

import html.parser
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

PROGRAM = pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else None
SOURCE = pathlib.Path(sys.argv[2]).resolve() if len(sys.argv) > 2 else None
CHROMIUM = shutil.which("chromium")
DATA = "synthetic:glyphs?count=120&seed=5"


class Page(html.parser.HTMLParser):
    """The text of each element with an id, and how often each tag occurs below it."""

    def __init__(self, text):
        super().__init__()
        self.texts, self.tags, self.open = {}, {}, []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        for name in self.names():
            self.tags.setdefault(name, []).append((tag, dict(attributes)))
        if tag not in ("meta", "img", "br", "link"):
            self.open.append((tag, dict(attributes).get("id")))

    def handle_endtag(self, tag):
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        for name in self.names():
            self.texts[name] = self.texts.get(name, "") + data

    def names(self):
        return [name for _, name in self.open if name]

    def count(self, name, tag, css_class=None):
        return sum(1 for t, a in self.tags.get(name, []) if t == tag and css_class in (None, a.get("class")))


def picture_size(path):
    return struct.unpack(">II", path.read_bytes()[16:24])


def training_log(epochs=3, accuracy=True, scales=2, end=True, every=5):
    """The lines of a run log: 30 steps an epoch."""
    events = [{"event": "start", "model": "glyphs.onnx", "images": 3000, "validation_images": 120, "parameters": 50000,
               "epochs": epochs, "batch": 100, "seed": 7, "recipe": {"epochs": epochs, "augment": ["flip", "<b>crop</b>"]}}]
    for step in range(every, 30 * epochs + 1, every):
        event = {"event": "step", "epoch": (step - 1) // 30, "step": step, "loss": 2 / step, "rate": 0.1 / step,
                 "images_per_second": 300.0, "seconds": step}
        events.append({**event, "accuracy": 1 - 1 / step} if accuracy else event)
        if step % 30 == 0:
            epoch = step // 30
            event = {"event": "epoch", "epoch": epoch, "train_loss": 2 / epoch, "validation_loss": 3 / epoch, "rate": 0.1,
                     "seconds": 9.0, "best": True, "scales": {f"scale<i>{i}": 0.1 * epoch ** i for i in range(scales)}}
            events.append({**event, "train_accuracy": 0.8, "validation_accuracy": 0.7} if accuracy else event)
    if end:
        events.append({"event": "end", "best_epoch": 2, "validation_accuracy": 0.8125, "agreement_with_engine": 0.9975,
                       "seconds": 600.0})
    return [json.dumps(event) for event in events]


@unittest.skipIf(CHROMIUM is None, "Chromium is not installed")
class Report(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="halftone_report_"))
        cls.model = cls.folder / "glyphs.onnx"
        shutil.copy(SOURCE / "examples" / "glyphs.onnx", cls.model)
        # Two bits change answers, which the page has to show.
        cls.call("quantize", cls.model, "-o", "low.onnx", "--data", DATA, "--weights", "int2", "--report", "made.html")
        cls.call("report", cls.model, "low.onnx", "--data", DATA, "-o", "report.html")
        cls.call("report", cls.model, "low.onnx", "--data", DATA, "-o", "report.json")
        cls.report = json.loads((cls.folder / "report.json").read_text())

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    @classmethod
    def call(cls, *arguments):
        subprocess.run([str(PROGRAM), *map(str, arguments)], capture_output=True, text=True, timeout=300, cwd=cls.folder,
                       check=True)

    def browse(self, page, *options):
        arguments = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--incognito",
                     f"--user-data-dir={self.folder / 'profile'}", "--host-resolver-rules=MAP * ~NOTFOUND",
                     "--enable-logging=stderr", "--virtual-time-budget=5000", *options, (self.folder / page).as_uri()]
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=120, check=True,
                              env={**os.environ, "HOME": str(self.folder)})
        complaints = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
        self.assertEqual(complaints, [])
        return done.stdout

    def test_shows_what_the_data_says(self):
        for name in ("report.html", "made.html"):
            page = Page(self.browse(name, "--dump-dom"))
            report = self.report
            self.assertIn("low.onnx", page.texts["title"])
            self.assertIn("glyphs.onnx", page.texts["subtitle"])
            self.assertIn(f"{100 * report['agreement']:.2f} %", page.texts["tiles"])
            self.assertIn(f"{report['sqnr_db']:.1f} dB", page.texts["tiles"])
            # A row per layer and one for the titles; each layer by name.
            self.assertEqual(page.count("layers", "tr"), len(report["layers"]) + 1)
            for layer in report["layers"]:
                self.assertIn(layer["name"], page.texts["layers"])
            # The worst layer is open: its histograms are drawn.
            self.assertGreaterEqual(page.count("layer", "svg"), 1)
            self.assertEqual(page.count("depth", "rect"), len(report["layers"]))
            self.assertGreater(report["changed_answers"], 0)
            self.assertEqual(page.count("pictures", "figure"), len(report["changed"]))
            self.assertEqual(page.count("pictures", "img"), len(report["changed"]))

    def test_needs_nothing_but_itself(self):
        text = (self.folder / "report.html").read_text()
        page = text[:text.index('id="report"')] + text[text.index("'use strict'"):]
        for word in ("src=", "href=", "@import", "url(", "fetch(", "XMLHttpRequest"):
            self.assertNotIn(word, page)

    def test_draws_in_wide_and_narrow_windows(self):
        for width in (1400, 420):
            shot = self.folder / f"shot{width}.png"
            self.browse("report.html", f"--window-size={width},2400", f"--screenshot={shot}")
            self.assertEqual(picture_size(shot), (width, 2400))
            # Something is drawn: a blank page compresses to next to nothing.
            self.assertGreater(shot.stat().st_size, 30000)

    def test_the_data_agree_with_compare_and_evaluate(self):
        result = json.loads(self.output("compare", self.model, "low.onnx", "--data", DATA, "--json", "-"))
        self.assertEqual(self.report["samples"], 120)
        self.assertEqual(result["agreement"], self.report["agreement"])
        self.assertAlmostEqual(result["sqnr_db"], self.report["sqnr_db"], places=3)
        self.assertEqual(self.report["changed_answers"], round((1 - self.report["agreement"]) * 120))
        for side, model in (("before", self.model), ("after", "low.onnx")):
            accuracy = json.loads(self.output("evaluate", model, "--data", DATA, "--json", "-"))
            self.assertEqual(accuracy["top1"], self.report[side]["top1"])
            self.assertEqual((self.folder / model).stat().st_size, self.report[side]["size_bytes"])
        for answer in self.report["changed"]:
            self.assertNotEqual(answer["before"], answer["after"])

    def test_bins_count_every_weight(self):
        for layer in self.report["layers"]:
            if layer["weights"]:
                bins = layer["weights"]["values"]
                self.assertLessEqual(abs(sum(bins["counts"]) - layer["parameters"]), 0.05 * layer["parameters"] + 96)
                self.assertLess(layer["weights"]["bits_per_value"], 2.01)

    def test_names_from_files_do_no_harm(self):
        names = "</script><script>document.title='broken'</script>\n<b>bold</b>\n" + "\n".join(map(str, range(8))) + "\n"
        (self.folder / "names.txt").write_text(names)
        self.call("report", self.model, "low.onnx", "--data", DATA, "-o", "named.html", "--class-names", "names.txt")
        dom = self.browse("named.html", "--dump-dom")
        self.assertNotIn("<title>broken</title>", dom)
        self.assertEqual(Page(dom).count("pictures", "b"), 0)

    def report_with_log(self, name, lines, text_behind=""):
        (self.folder / "run.jsonl").write_text("\n".join(lines) + "\n" + text_behind)
        self.call("report", self.model, "low.onnx", "--data", "synthetic:glyphs?count=20", "-o", name, "--training-log", "run.jsonl")

    def test_shows_the_curves_of_a_training(self):
        self.report_with_log("trained.html", training_log())
        dom = self.browse("trained.html", "--dump-dom")
        page = Page(dom)
        self.assertIn("81.25 %", page.texts["training-text"])
        self.assertIn("99.75 %", page.texts["training-text"])
        self.assertNotIn("no end", page.texts["training-text"])
        self.assertIn("3,000", page.texts["training-facts"])
        self.assertIn("10.0 min", page.texts["training-facts"])
        self.assertEqual(page.count("training-charts", "svg"), 4)
        for chart, (title, curves) in enumerate((("Loss", 3), ("Accuracy", 3), ("Learning rate", 1), ("Scales", 2))):
            self.assertIn(title, page.texts["training-charts"])
            self.assertEqual(page.count(f"training-chart-{chart}", "path"), curves, title)
        self.assertIn("epoch 2: training 1, validation 1.5", page.texts["training-chart-0"])
        self.assertIn("scale<i>1: 0.1 → 0.3", page.texts["training-charts"])
        self.assertIn('"augment"', page.texts["training-recipe"])
        self.assertEqual(page.count("training-recipe", "b"), 0)
        for width in (1400, 420):
            shot = self.folder / f"trained{width}.png"
            self.browse("trained.html", f"--window-size={width},2400", f"--screenshot={shot}")
            self.assertGreater(shot.stat().st_size, 30000)

    def test_shows_of_a_training_what_the_log_has(self):
        self.report_with_log("cut.html", training_log(accuracy=False, scales=0, end=False), '{"event":"step","lo')
        page = Page(self.browse("cut.html", "--dump-dom"))
        self.assertIn("no end", page.texts["training-text"])
        self.assertEqual(page.count("training-charts", "svg"), 2)
        self.assertNotIn("Accuracy", page.texts["training-charts"])
        self.report_with_log("begun.html", training_log(epochs=1)[:1])
        self.assertEqual(Page(self.browse("begun.html", "--dump-dom")).count("training-charts", "svg"), 0)
        page = Page(self.browse("report.html", "--dump-dom"))
        self.assertEqual(page.count("training", "svg"), 0)
        self.assertIsNone(self.report["training"])

    def test_the_data_have_the_numbers_of_the_log(self):
        lines = training_log()
        self.report_with_log("trained.json", lines)
        training = json.loads((self.folder / "trained.json").read_text())["training"]
        events = [json.loads(line) for line in lines]
        steps = [event for event in events if event["event"] == "step"]
        for key in ("loss", "accuracy", "rate"):
            self.assertEqual(training["steps"][key], [event[key] for event in steps])
        self.assertEqual(training["steps"]["epoch"], [event["step"] / 30 for event in steps])
        self.assertEqual(training["epoch_ends"]["validation_loss"], [3.0, 1.5, 1.0])
        self.assertEqual(training["recipe"], events[0]["recipe"])
        self.assertEqual(training["scales"][1]["scale"], [0.1, 0.2, 0.1 * 3])

    def test_a_long_training_makes_no_long_page(self):
        lines = training_log(epochs=3000, every=1, scales=3)
        self.assertGreater(len(lines), 90000)
        self.report_with_log("long.json", lines)
        data = json.loads((self.folder / "long.json").read_text())
        self.assertLess(len(json.dumps(data["training"])), 400_000)
        self.assertEqual(data["training"]["all_steps"], 90000)

    def test_refuses_a_damaged_log(self):
        lines = training_log()
        (self.folder / "bad.jsonl").write_text("\n".join([lines[0], lines[1][:20], lines[2]]) + "\n")
        done = subprocess.run([str(PROGRAM), "report", str(self.model), "low.onnx", "--data", DATA, "-o", "bad.html",
                               "--training-log", "bad.jsonl"], capture_output=True, text=True, cwd=self.folder)
        self.assertEqual(done.returncode, 2)
        self.assertIn("bad.jsonl:2:", done.stderr)
        self.assertFalse((self.folder / "bad.html").exists())

    def output(self, *arguments):
        return subprocess.run([str(PROGRAM), *map(str, arguments)], capture_output=True, text=True, timeout=300,
                              cwd=self.folder, check=True).stdout


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
