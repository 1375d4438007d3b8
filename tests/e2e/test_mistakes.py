"""What the program says about mistakes: one clear line, an exit code, and nothing changed. Usage: cli_case.py"""

import os

from cli_case import GLYPHS, Cli, main, write_npy


def message(*fields):
    """A protobuf message of (number, content): integers below 128, texts, and messages of less than 16 KiB."""
    done = b""
    for number, content in fields:
        if isinstance(content, int):
            done += bytes([number << 3, content])
        else:
            content = content.encode() if isinstance(content, str) else content
            done += bytes([number << 3 | 2]) + length(len(content)) + content
    return done


def length(size):
    return bytes([size]) if size < 128 else bytes([size & 127 | 128, size >> 7])


def write_relu(path, source, target):
    """A network of one Relu, on float[N, 3, 32, 32]."""
    shape = message((1, message((2, "N"))), *((1, message((1, size))) for size in (3, 32, 32)))
    values = [message((1, name), (2, message((1, message((1, 1), (2, shape)))))) for name in (source, target)]
    graph = message((1, message((1, source), (2, target), (4, "Relu"))), (2, "relu"), (11, values[0]), (12, values[1]))
    path.write_bytes(message((1, 8), (7, graph), (8, message((2, 13)))))


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

    def test_two_networks_that_have_nothing_to_do_with_each_other(self):
        write_relu(self.folder / "other.onnx", "image", "logits")
        write_relu(self.folder / "fed.onnx", "picture", "logits")
        renamed = self.model.read_bytes()
        for word in (b"stem", b"block", b"head", b"logits"):
            self.assertIn(word, renamed)
            renamed = renamed.replace(word, word[::-1])
        (self.folder / "named.onnx").write_bytes(renamed)
        data = ("--data", GLYPHS.format(5, 1))
        for model, words in (("other.onnx", ("an output", "'logits' float[N, 10]", "'logits' float[N, 3, 32, 32]")),
                             ("fed.onnx", ("the same inputs", "'image' float[N, 3, 32, 32]", "'picture'")),
                             ("named.onnx", ("named as in", "38"))):
            for command in (["compare"], ["report", "-o", "r.html"]):
                self.refused((model + ": ", "one network, before and after", *words), *command, self.model, model, *data)
        self.ok("evaluate", "named.onnx", *data)  # nothing is wrong with it by itself


if __name__ == "__main__":
    main()
