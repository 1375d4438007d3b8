"""Post-training quantization by a hostile user: every kind of grid, granularity and step on the demo's model works or is
refused in one line that leaves nothing behind; combinations that can't be; poor data. Usage: cli_case.py"""

import concurrent.futures
import itertools
import os
import shutil
import struct
import zlib

from cli_case import Cli, main

DATA = "synthetic:glyphs?count=12&seed=7"
# Every step, with words that keep it quick.
STEPS = {"equalize": "", "absorb_bias": "", "split_channels": "", "correct_bias": "", "correct_weights": "",
         "reestimate_batch_norm": "", "allocate_bits": "", "search_ranges": ":images=8", "round": ":rows=100:iterations=10",
         "squant": "", "refine_blocks": ":images=8:iterations=2", "short_scales": ""}


def step(name):
    return name + STEPS[name]


def write_png(path, pixel):
    """32 x 32 pixels of three bytes pixel(x, y)."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + b"".join(bytes(pixel(x, y)) for x in range(32)) for y in range(32))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 32, 32, 8, 2, 0, 0, 0)) +
                     chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


class Ptq(Cli):
    def refused_quantizing(self, expected, *arguments):
        return self.refused(expected, "quantize", self.model, "-o", "out.onnx", "--data", DATA, *arguments)

    def try_out(self, name, arguments):
        """Quantizes in a folder of its own. What is written comes back, runs, and the engine computes what the interpreter
        does; what is refused is refused in one line and leaves nothing. Returns what is wrong, and whether it was refused."""
        folder = self.folder / name
        folder.mkdir()
        done = self.call("quantize", self.model, "-o", "out.onnx", "--data", DATA, "--threads", 1, "--quiet", *arguments,
                         cwd=folder)
        left = sorted(p.name for p in folder.iterdir())
        wrong = []
        if done.returncode == 2:
            if sum(line.startswith("halftone: ") for line in done.stderr.splitlines()) != 1 or left:
                wrong.append(f"refused with {done.stderr!r}, left {left}")
        elif done.returncode != 0 or left != ["out.onnx"]:
            wrong.append(f"exit code {done.returncode}: {done.stderr!r}, left {left}")
        else:
            for check in (["evaluate", "out.onnx", "--data", DATA, "--engine", "reference", "--limit", 2],
                          ["verify", "out.onnx", "--data", DATA, "--limit", 2]):
                checked = self.call(*check, "--threads", 1, "--quiet", cwd=folder)
                if checked.returncode != 0:
                    wrong.append(f"{check[0]}: {checked.stderr or checked.stdout[-200:]}")
        shutil.rmtree(folder)
        return [f"{' '.join(map(str, arguments))}: {w}" for w in wrong], done.returncode == 2

    def sweep(self, cases):
        """All cases, as many at a time as there are cores. Returns those that were refused."""
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            results = list(pool.map(self.try_out, map(str, range(len(cases))), cases))
        self.assertEqual([w for wrong, _ in results for w in wrong], [])
        return [case for case, (_, refused) in zip(cases, results) if refused]


class Sweeps(Ptq):
    def test_weights_of_every_width_by_every_granularity(self):
        granularities = ("per_tensor", "per_channel", "per_group:3", "per_block:4")
        cases = [["--preset", "fast", "--weights", f"{sign}{bits}", "--granularity",
                  granularities[(i + i // 4) % 4]]
                 for i, (bits, sign) in enumerate(itertools.product(range(1, 17), ("int", "uint")))]
        refused = self.sweep(cases)
        # One bit has no room for a sign, everything else is a grid.
        self.assertEqual({case[3] for case in refused}, {"int1", "uint1"})

    def test_other_grids_by_every_granularity(self):
        grids = ("int4:codebook", "uint2:codebook", "int8:codebook", "int1:binary", "int4:powers_of_two",
                 "int5:sums_of_powers_of_two", "int3:power_of_two_scale", "uint8:power_of_two_scale")
        cases = [["--preset", "fast", "--weights", grid, "--granularity", granularity] for grid in grids
                 for granularity in ("per_tensor", "per_channel", "per_group:3", "per_block:4")]
        for case in self.sweep(cases):
            self.assertIn("per_block", case[5])

    def test_activations_of_every_width(self):
        cases = [["--preset", "fast", "--activations", f"{sign}{bits}", "--weights", weights]
                 for bits in range(1, 17) for sign, weights in (("int", "int8"), ("uint", "int4:codebook"))]
        self.assertEqual(self.sweep(cases), [])

    def test_every_step_on_every_grid(self):
        grids = (["--weights", "int8"], ["--weights", "int4:codebook"], ["--weights", "int1:binary"],
                 ["--weights", "int4", "--granularity", "per_block:4"], ["--weights", "uint3", "--granularity", "per_tensor"],
                 ["--weights", "int16", "--activations", "int16"])
        self.assertEqual(self.sweep([["--steps", step(name), *grid] for name in STEPS for grid in grids]), [])

    def test_pairs_of_steps(self):
        graph_steps = ("equalize", "absorb_bias", "split_channels")
        for case in self.sweep([["--weights", "int4", "--steps", f"{step(a)}, {step(b)}"]
                                for i, (a, b) in enumerate(itertools.product(STEPS, STEPS)) if i % 5 == 0]):
            first, second = case[3].split(", ")
            self.assertTrue(first.split(":")[0] not in graph_steps and second in graph_steps, case)

    def test_threads_make_no_difference(self):
        cases = [["--preset", name] for name in ("fast", "balanced")] + [["--steps", step(name)] for name in STEPS]

        def bytes_of(case, threads):
            out = self.folder / f"{cases.index(case)}.{threads}.onnx"
            self.json("quantize", self.model, "-o", out, "--data", DATA, "--weights", "int4", "--threads", threads, *case)
            return out.read_bytes()

        for case in cases:
            self.assertEqual(bytes_of(case, 1), bytes_of(case, 3), case)


class Combinations(Ptq):
    def test_nothing_is_said_to_dynamic_ranges_that_they_ignore(self):
        for option in (["--steps", "correct_bias"], ["--preset", "fast"], ["--max-drop", "1%"], ["--observer", "mse"],
                       ["--activations", "int4"], ["--sums", "uint4"]):
            self.refused_quantizing(["--dynamic", option[0]], "--dynamic", "per_row", *option)
        (self.folder / "r.json").write_text('{"steps": [{"step": "correct_bias"}]}')
        self.refused_quantizing("correct_bias", "--dynamic", "per_row", "--recipe", "r.json")
        self.refused_quantizing(["--validation", "--max-drop"], "--validation", DATA)

    def test_grids(self):
        for words, expected in ((("int4:powers_of_two", "per_block:4"), ("powers_of_two", "per_block")),
                                (("int4:codebook", "per_block:4"), ("codebook", "per_block")),
                                (("int2:binary", "per_channel"), ("binary", "2")),
                                (("int16:codebook", "per_channel"), ("codebook", "16")),
                                (("int0", "per_channel"), "int1 to int16"), (("uint17", "per_channel"), "int1 to int16"),
                                (("int8", "per_group:0"), "per_group"), (("int8", "per_block"), "per_block")):
            self.refused_quantizing(expected, "--weights", words[0], "--granularity", words[1])
        self.refused_quantizing("int4:codebook", "--activations", "int4:codebook")

    def test_recipes(self):
        for text, expected in (
                ('{"activations": {"granularity": "per_block:3"}}', "per_block"),
                ('{"weights": {"rounding": "binary", "type": "int4"}}', ("binary", "affine")),
                ('{"weights": {"observer": "batch_norm"}}', "batch_norm"),
                ('{"weights": {"type": 8}}', "type"),
                ('{"rules": [{"match": {"op": "Conv"}, "keep": "float", "range": "dynamic"}]}', "rule 1"),
                ('{"rules": [{"match": {"name": "*"}, "keep": "float"}]}', "nothing in this network can be quantized"),
                ('{"steps": [{"step": "round"}, {"step": "equalize"}]}', ("round", "equalize")),
                ('{"steps": [{"step": "rond"}]}', "did you mean 'round'"),
                ("[" * 100000, "r.json")):
            (self.folder / "r.json").write_text(text)
            self.refused_quantizing(expected, "--recipe", "r.json")

    def test_steps(self):
        for text in (",", "round:", "round:rows", "round:rows=0", "round:rows=-1", "round:method=gptq:method=nearest",
                     "equalize:exponent=nan", "allocate_bits:weights=9"):
            self.refused_quantizing("step", "--steps", text)
        for name in ("correct_bias", "correct_weights", "round"):
            self.refused_quantizing("nonesuch", "--steps", f"{name}:layers=nonesuch")

    def test_without_data(self):
        words = ("quantize", self.model, "-o", "out.onnx")
        self.refused("samples are required", *words, "--preset", "fast")
        for name in ("round", "search_ranges"):
            self.refused(name, *words, "--observer", "batch_norm", "--steps", name)
        self.refused("--max-drop", *words, "--max-drop", "1%")
        self.refused("--report", *words, "--report", "r.html")


class Files(Ptq):
    def test_results_never_take_the_place_of_something_else(self):
        words = ("quantize", self.model, "-o", "out.html", "--data", DATA)
        self.refused("--json", *words, "--json", "out.html")
        self.refused("--json", *words, "--json", self.folder / ".." / self.folder.name / "glyphs.onnx")
        self.refused("--report", *words, "--report", "out.html")
        shutil.copy(self.model, self.folder / "model.html")
        self.refused("another file than the model", "report", "model.html", self.model, "--data", DATA, "-o", "model.html")

    def test_what_cannot_be_written_is_known_before_the_work(self):
        for option in ("--json", "--report"):
            self.refused("no/such/r.html", "quantize", self.model, "-o", "out.onnx", "--data", DATA, option, "no/such/r.html")
        os.mkfifo(self.folder / "pipe")
        self.refused("pipe", "quantize", self.model, "-o", "pipe", "--data", DATA)
        self.assertTrue((self.folder / "pipe").is_fifo())


class PoorData(Ptq):
    def setUp(self):
        super().setUp()
        self.pictures = self.folder / "pictures"
        self.pictures.mkdir()

    def test_black_pictures_and_a_single_one(self):
        write_png(self.pictures / "a.png", lambda x, y: (0, 0, 0))
        everything = ", ".join(map(step, STEPS))
        for count in (1, 3):
            for words in (["--steps", everything], ["--preset", "balanced"], ["--observer", "entropy"], ["--observer", "aciq"]):
                self.json("quantize", self.model, "-o", "out.onnx", "--data", self.pictures, "--weights", "int4", *words)
                self.assertEqual(self.json("verify", "out.onnx", "--data", DATA, "--limit", 2)["mismatched_bytes"], 0)
            for i in range(count):
                write_png(self.pictures / f"{i}.png", lambda x, y: (0, 0, 0))

    def test_pictures_without_labels(self):
        for i in range(6):
            write_png(self.pictures / f"{i}.png", lambda x, y: ((x * 37 + y * i) % 256, x * y % 256, (x * x + i) % 256))
        done = self.call("quantize", self.model, "-o", "out.onnx", "--data", self.pictures, "--max-drop", "99%")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("agreement with the float network (no labels)", done.stdout)

    def test_none_and_damaged_ones(self):
        words = ("quantize", self.model, "-o", "out.onnx", "--data", "pictures")
        self.refused("pictures", *words)
        self.refused("pictures", *words, "--max-drop", "1%")
        (self.pictures / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
        self.refused("a.png", *words)
        self.refused("a.png", "quantize", self.model, "-o", "out.onnx", "--data", DATA, "--max-drop", "1%", "--validation",
                     "pictures")

    def test_more_calibration_images_than_there_are(self):
        made = self.json("quantize", self.model, "-o", "out.onnx", "--data", DATA, "--preset", "fast", "--calibration-images",
                         2**63 - 1)
        self.assertEqual(made["images"], 12)


if __name__ == "__main__":
    main()
