"""What the tests of the program share: a folder with the demo's model, and how the program is called. Standard library only.
Every test is used as: test_NAME.py PROGRAM SOURCE_DIR [unittest arguments]"""

import ast
import json
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
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
        options.setdefault("cwd", self.folder)
        return subprocess.run([str(PROGRAM), *map(str, arguments)], capture_output=True, text=True, timeout=120,
                              check=False, **options)

    def ok(self, *arguments, **options):
        done = self.call(*arguments, **options)
        self.assertEqual(done.returncode, 0, f"{arguments}: {done.stderr}")
        return done

    def json(self, *arguments, **options):
        return json.loads(self.ok(*arguments, "--json", "-", **options).stdout)

    def contents(self):
        return {p: p.read_bytes() for p in self.folder.rglob("*") if p.is_file()}

    def refused(self, expected, *arguments, **options):
        """Exit code 2 and one clear line with the expected words; nothing appears or changes in the folder."""
        before = self.contents()
        done = self.call(*arguments, **options)
        self.assertEqual(done.returncode, 2, f"{arguments}: {done.stdout}\n{done.stderr}")
        lines = [line for line in done.stderr.splitlines() if line.startswith("halftone: ")]
        self.assertEqual(len(lines), 1, done.stderr)
        for word in [expected] if isinstance(expected, str) else expected:
            self.assertIn(word, lines[0], arguments)
        self.assertEqual(before, self.contents())

    def quantize(self, *more, out="int8.onnx", images=100):
        return self.json("quantize", self.model, "-o", out, "--data", GLYPHS.format(images, 7), "--calibration-images",
                         images, *more)


def main():
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
