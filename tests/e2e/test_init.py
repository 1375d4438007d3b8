"""`init` as a user meets it: untrained networks that every other command takes, and files that get weights. Usage: cli_case.py"""

import json

from cli_case import GLYPHS, Cli, main, read_npy, write_npy

PREPROCESS = {"mean": [127.5, 127.5, 127.5], "std": [60, 60, 60]}


def field(number, content):
    """A field of a protobuf message: a number, or the bytes of a text or a message."""
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    content = content.encode() if isinstance(content, str) else content
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(number):
    more = b""
    while number > 0x7F:
        more += bytes([number & 0x7F | 0x80])
        number >>= 7
    return more + bytes([number])


def value(name, *dims):
    shape = b"".join(field(1, field(2, d) if isinstance(d, str) else field(1, d)) for d in dims)
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, shape)))


def without_weights():
    """y = relu(x w) w2 + b, all four of them inputs."""
    def node(op, output, *inputs):
        return field(1, b"".join(field(1, i) for i in inputs) + field(2, output) + field(3, output) + field(4, op))
    graph = node("MatMul", "m", "x", "w") + node("Relu", "r", "m") + node("Gemm", "y", "r", "w2", "b") + field(2, "bare")
    graph += b"".join(field(11, value(*v)) for v in (("x", "N", 50), ("w", 50, 40), ("w2", 40, 3), ("b", 3)))
    graph += field(12, value("y", "N", 3))
    return field(1, 8) + field(8, field(2, 13)) + field(7, graph)


class Init(Cli):
    def test_networks_run_and_quantize(self):
        (self.folder / "p.json").write_text(json.dumps(PREPROCESS))
        values = [((i * 37) % 101) / 50 - 1 for i in range(3 * 32 * 32)]
        write_npy(self.folder / "x.npy", (1, 3, 32, 32), values)
        for arch in ("resnet:depth=8:width=0.5", "mobilenet_v1:width=0.25:size=32:classes=10",
                     "mobilenet_v2:width=0.25:size=32:classes=10", "transformer:depth=2:width=32:patch=8"):
            with self.subTest(arch):
                made = self.json("init", arch, "-o", "net.onnx", "--preprocess", "p.json")
                self.assertEqual(made["inputs"], "image")
                looked = self.json("inspect", "net.onnx")
                self.assertEqual(looked["inputs"], [{"name": "image", "type": "float[N, 3, 32, 32]"}])
                self.assertEqual(looked["outputs"], [{"name": "logits", "type": "float[N, 10]"}])
                logits = {}
                for engine in ("auto", "reference"):
                    self.ok("run", "net.onnx", "--input", "image=x.npy", "--output-dir", engine, "--engine", engine)
                    shape, logits[engine] = read_npy(self.folder / engine / "logits.npy")
                    self.assertEqual(shape, (1, 10))
                for a, b in zip(logits["auto"], logits["reference"]):
                    self.assertAlmostEqual(a, b, delta=1e-3 * max(1, abs(b)))
                # The preprocessing is in the file: data needs no more.
                self.json("quantize", "net.onnx", "-o", "int8.onnx", "--data", GLYPHS.format(16, 7), "--preset", "fast")
                self.assertTrue(self.json("inspect", "int8.onnx")["quantized"])
                self.json("verify", "int8.onnx", "--data", GLYPHS.format(3, 7))

    def test_known_networks_have_the_published_sizes(self):
        for arch, parameters, macs in (("resnet", 0.27e6, 41e6), ("mobilenet_v1", 4.25e6, 569e6), ("mobilenet_v2", 3.5e6, 300e6)):
            self.ok("init", arch, "-o", "net.onnx", "--quiet")
            looked = self.json("inspect", "net.onnx")
            self.assertAlmostEqual(looked["parameters"] / parameters, 1, delta=0.03, msg=arch)
            self.assertAlmostEqual(looked["macs"] / macs, 1, delta=0.02, msg=arch)

    def test_seed_and_method_are_all_that_counts(self):
        def content(*options):
            self.ok("init", "resnet:depth=8", "-o", "net.onnx", *options)
            return (self.folder / "net.onnx").read_bytes()
        self.assertEqual(content(), content())
        self.assertEqual(content("--seed", 0, "--method", "he"), content())
        self.assertNotEqual(content("--seed", 1), content())
        self.assertNotEqual(content("--method", "xavier"), content())

    def test_a_file_without_weights_gets_them(self):
        (self.folder / "bare.onnx").write_bytes(without_weights())
        made = self.json("init", "bare.onnx", "-o", "net.onnx")
        self.assertEqual((made["parameters"], made["tensors"], made["inputs"]), (50 * 40 + 40 * 3 + 3, 3, "x"))
        write_npy(self.folder / "x.npy", (2, 50), [1.0] * 50 + [0.0] * 50)
        self.ok("run", "net.onnx", "--input", "x=x.npy", "--output-dir", ".")
        _, y = read_npy(self.folder / "y.npy")
        self.assertTrue(all(v != 0 for v in y[:3]))
        self.assertEqual(y[3:], (0, 0, 0), "biases begin at 0")
        self.refused("--all draws new ones", "init", "net.onnx", "-o", "again.onnx")
        # All of them anew: the same ones, as names and shapes are the same.
        self.ok("init", "net.onnx", "-o", "again.onnx", "--all")
        self.assertEqual((self.folder / "again.onnx").read_bytes(), (self.folder / "net.onnx").read_bytes())

    def test_from_scratch_forgets_what_was_learned(self):
        self.ok("init", self.model, "-o", "net.onnx", "--all")
        accuracy = self.json("evaluate", "net.onnx", "--data", GLYPHS.format(200, 9))["top1"]
        self.assertLess(accuracy, 0.4)

    def test_list(self):
        networks = self.json("init", "--list")["networks"]
        self.assertIn("resnet", [n["name"] for n in networks])
        text = self.ok("init", "--list").stdout
        for network in networks:
            self.assertIn(network["words"], text)

    def test_mistakes(self):
        out = ("-o", "net.onnx")
        self.refused("did you mean 'resnet'?", "init", "resent", *out)
        self.refused("did you mean 'depth'?", "init", "resnet:depht=20", *out)
        self.refused(("6n+2", "take 20 or 26"), "init", "resnet:depth=22", *out)
        self.refused("leaves none", "init", "resnet:width=0.001", *out)
        self.refused("536870912", "init", "transformer:width=4096:depth=64", *out)
        self.refused("did you mean 'xavier'?", "init", "resnet", *out, "--method", "xavir")
        self.refused("--output", "init", "resnet")
        self.refused("ARCH", "init", *out)
        self.refused("no.onnx", "init", "no.onnx", *out)
        self.refused("another file than the model", "init", self.model, "-o", self.model, "--all")
        self.refused("no/such", "init", "resnet", "-o", "no/such/net.onnx")
        self.refused("nothing.json", "init", "resnet", *out, "--preprocess", "nothing.json")
        (self.folder / "p.json").write_text('{"maen": [1, 2, 3]}')
        self.refused("did you mean 'mean'?", "init", "resnet", *out, "--preprocess", "p.json")
        self.quantize(images=10)
        self.refused("a float model is required", "init", "int8.onnx", *out, "--all")


if __name__ == "__main__":
    main()
