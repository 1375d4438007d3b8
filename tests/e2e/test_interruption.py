"""Full disks, Ctrl-C and runs at once: nothing half-written is left, and finished work is not lost. Usage: cli_case.py"""

import json
import resource
import signal
import subprocess
import time

from cli_case import GLYPHS, PROGRAM, Cli, main


class FullDisk(Cli):
    def test_unwritable_output_and_full_disk(self):
        self.refused("no/such", "quantize", self.model, "-o", "no/such/o.onnx", "--data", GLYPHS.format(9, 1))
        self.refused("folder", "quantize", self.model, "-o", self.folder, "--data", GLYPHS.format(9, 1))

        def small_disk():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))

        self.refused("o.onnx", "quantize", self.model, "-o", "o.onnx", "--data", GLYPHS.format(9, 1),
                     preexec_fn=small_disk)
        for place in ("no/such/net.ht", "glyphs.onnx/net.ht"):
            self.refused(place, "compile", self.model, "-o", place)
        self.refused("folder", "compile", self.model, "-o", self.folder)
        self.refused("net.ht", "compile", self.model, "-o", "net.ht", preexec_fn=small_disk)
        with open("/dev/full", "w") as full:
            done = subprocess.run([str(PROGRAM), "inspect", str(self.model)], stdout=full, stderr=subprocess.PIPE,
                                  text=True, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("standard output", done.stderr)

    def on_small_disk(self, kibibytes, *arguments):
        """The program's run with a file system of that size at `small`, in a mount namespace of its own; what lay there at
        the end is the last line of its standard output."""
        script = f'mount -t tmpfs -o size={kibibytes}k tmpfs small || exit 77; "$@"; code=$?; echo $(ls -A small); exit $code'
        (self.folder / "small").mkdir(exist_ok=True)
        try:
            done = subprocess.run(["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", str(PROGRAM),
                                   *map(str, arguments)], capture_output=True, text=True, timeout=120, cwd=self.folder,
                                  check=False)
        except FileNotFoundError:
            self.skipTest("no unshare")
        if done.returncode in (1, 77):  # unshare's and the script's own
            self.skipTest(f"no mount namespace: {done.stderr}")
        return done

    def test_a_disk_that_fills_up(self):
        data = ("--data", GLYPHS.format(9, 1))
        for output, command in (("small/net.ht", ["compile", self.model]), ("small/o.onnx", ["quantize", self.model, *data]),
                                ("small/r.html", ["report", self.model, self.model, *data])):
            done = self.on_small_disk(16, *command, "-o", output, "--quiet")
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            self.assertIn(f"halftone: {output}", done.stderr)
            self.assertIn("No space left", done.stderr)
            self.assertEqual(done.stdout.strip(), "")

    def test_a_journal_that_does_not_fit_costs_nothing_else(self):
        words = ("quantize", self.model, "--data", GLYPHS.format(40, 7), "--weights", "int4", "--preset", "best")
        self.ok(*words, "-o", "o.onnx", "--quiet")
        done = self.on_small_disk(160, *words, "-o", "small/o.onnx", "--json", "out.json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr.count("o.onnx.journal: "), 1, done.stderr)
        self.assertIn("No space left", done.stderr)
        self.assertEqual(done.stdout.splitlines()[-1], "o.onnx")
        self.assertEqual(json.loads((self.folder / "out.json").read_text())["size_bytes"],
                         (self.folder / "o.onnx").stat().st_size)


class Interruption(Cli):
    def test_interrupt_leaves_nothing_behind(self):
        process = subprocess.Popen([str(PROGRAM), "quantize", str(self.model), "-o", "o.onnx", "--data",
                                    GLYPHS.format(1000000, 1), "--calibration-images", "1000000", "--quiet"],
                                   cwd=self.folder, stderr=subprocess.PIPE)
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        self.assertNotEqual(process.returncode, 0)
        self.assertEqual([p.name for p in self.folder.iterdir()], ["glyphs.onnx"])

    def test_keeping_accuracy_interrupted(self):
        process = subprocess.Popen([str(PROGRAM), "quantize", str(self.model), "-o", "o.onnx", "--data", GLYPHS.format(400, 7),
                                    "--weights", "int2", "--max-drop", "0", "--json", "o.json"], cwd=self.folder,
                                   stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        # Until the first attempt is behind it, and it is at work on others.
        while "points lost" not in process.stderr.readline():
            self.assertIsNone(process.poll())
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        self.assertEqual(process.returncode, -signal.SIGINT)
        self.assertEqual({p.name for p in self.folder.iterdir()} - {"o.onnx.journal"}, {"glyphs.onnx"})

    def test_learned_rounding_goes_on_where_it_was_interrupted(self):
        words = ("quantize", "glyphs.onnx", "--data", GLYPHS.format(100, 7), "--weights", "int4", "--preset", "best")
        whole = self.ok(*words, "-o", "whole.onnx")
        self.assertNotIn("are taken from", whole.stderr)
        for number in (signal.SIGINT, signal.SIGKILL):
            process = subprocess.Popen([str(PROGRAM), *words, "-o", "o.onnx"], cwd=self.folder, stderr=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL)
            while not (self.folder / "o.onnx.journal").exists():
                self.assertIsNone(process.poll())
                time.sleep(0.005)
            process.send_signal(number)
            self.assertEqual(process.wait(timeout=30), -number)
            self.assertEqual({p.name for p in self.folder.iterdir()}, {"glyphs.onnx", "whole.onnx", "o.onnx.journal"})
        done = self.ok(*words, "-o", "o.onnx")
        self.assertRegex(done.stderr, r"\d+ layers are taken from o.onnx.journal")
        self.assertEqual((self.folder / "o.onnx").read_bytes(), (self.folder / "whole.onnx").read_bytes())
        self.assertEqual({p.name for p in self.folder.iterdir()}, {"glyphs.onnx", "whole.onnx", "o.onnx"})

    def test_two_runs_at_once_leave_one_whole_file(self):
        command = [str(PROGRAM), "quantize", str(self.model), "-o", "o.onnx", "--data", GLYPHS.format(50, 1), "--quiet"]
        runs = [subprocess.Popen(command, cwd=self.folder) for _ in range(3)]
        self.assertEqual([run.wait(timeout=120) for run in runs], [0, 0, 0])
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()), ["glyphs.onnx", "o.onnx"])
        self.ok("inspect", "o.onnx")

if __name__ == "__main__":
    main()
