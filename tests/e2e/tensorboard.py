"""The real TensorBoard opens the event files of a run that was killed and resumed, and lists what it
holds, through its python reader and through its server."""

import json
import pathlib
import re
import subprocess
import sys
import time
import unittest
import urllib.parse
import urllib.request

from event_reader import events_of
from sae_program import ProgramTest, mnist_subset

TENSORBOARD = pathlib.Path(sys.argv.pop()).absolute()
SUPPORT = pathlib.Path(__file__).parent.parent / "support"
# 200 steps an epoch: pretrain1 is steps 1 to 400, pretrain2 401 to 800, finetune 801 to 1400.
SETTINGS = ["--data", "data.h5", "--validation-size", "100", "--units", "60,50",
            "--pretrain-epochs", "2", "--finetune-epochs", "3", "--batch-size", "10",
            "--summary-every", "5", "--checkpoint-every", "100", "--resume", "auto"]
STAGES = {"pretrain1": (1, 400), "pretrain2": (401, 800), "finetune": (801, 1400)}
PRETRAINING = {"scalars": ["learning_rate", "loss/epoch", "loss/minibatch",
                           "speed/communication_share", "speed/samples_per_second"],
               "images": ["images/corrupted", "images/inputs", "images/reconstructed"]}
EXPECTED = {
    "pretrain1": {"scalars": PRETRAINING["scalars"],
                  "histograms": ["hidden1/bias", "hidden1/visible_bias", "hidden1/weights"],
                  "images": ["filters/hidden1", *PRETRAINING["images"]]},
    "pretrain2": {"scalars": PRETRAINING["scalars"],
                  "histograms": ["hidden2/bias", "hidden2/visible_bias", "hidden2/weights"],
                  "images": ["filters/hidden2", *PRETRAINING["images"]]},
    "finetune": {"scalars": ["error/test", "error/train", "error/validation",
                             *PRETRAINING["scalars"], "loss/validation"],
                 "histograms": [f"{layer}/{name}" for layer in ("hidden1", "hidden2", "output")
                                for name in ("bias", "visible_bias", "weights")
                                if (layer, name) != ("output", "visible_bias")],
                 "images": ["filters/hidden1", "filters/hidden2"]}}
NODES = {"pretrain1": {"inputs", "masking_noise/corrupted", "trained/hidden1/weights",
                       "trained/hidden1/decoder/reconstruction", "loss/mean_over_samples"},
         "pretrain2": {"inputs", "masking_noise/corrupted", "frozen/hidden1/weights",
                       "trained/hidden2/weights", "trained/hidden2/decoder/reconstruction",
                       "loss/mean_over_samples"},
         "finetune": {"inputs", "labels", "trained/hidden1/weights", "trained/output/weights",
                      "loss/mean_over_samples"}}


class TensorBoard(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        mnist_subset(cls.folder / "data.h5", 2100, 100)
        # Killed in fine-tuning, with curves that go beyond the checkpoint that is left; then stopped;
        # then trained to the end.
        run = cls.folder / "run"
        metrics = run / "metrics.jsonl"
        cls.kill_when("run", lambda: metrics.exists() and "finetune" in metrics.read_text(),
                      *SETTINGS, ranks=2)
        oldest, *newer = sorted(run.glob("checkpoints/step-*.h5"))
        for checkpoint in newer:
            checkpoint.unlink()
        step = int(re.search("[0-9]+", oldest.name)[0])
        cls.expired = {stage: sum(event["step"] > step and isinstance(value, float)
                                  for event in events_of(run / "events" / stage)
                                  for value in event.get("values", {}).values())
                       for stage in STAGES}
        cls.train("run", *SETTINGS, "--stop-after-steps", "150", ranks=2, code=75)
        cls.train("run", *SETTINGS, ranks=2)
        cls.events = cls.folder / "run/events"

    def check(self, stage, found):
        """`found`: kind -> tag -> steps."""
        first, last = STAGES[stage]
        for kind, tags in EXPECTED[stage].items():
            self.assertEqual(sorted(found[kind]), sorted(tags), (stage, kind))
            for tag, steps in found[kind].items():
                self.assertEqual(steps, sorted(set(steps)), (stage, tag))
                self.assertTrue(all(first <= step <= last for step in steps), (stage, tag))
        self.assertEqual(found["scalars"]["loss/minibatch"],
                         [step for step in range(first, last + 1) if step % 5 == 0])
        self.assertEqual(found["scalars"]["loss/epoch"], list(range(first + 199, last + 1, 200)))

    def test_its_reader_lists_everything(self):
        self.assertGreater(self.expired["finetune"], 0)
        for stage in STAGES:
            answer = subprocess.run([TENSORBOARD / "bin/python", SUPPORT / "ask_tensorboard.py",
                                     self.events / stage], check=True, timeout=120,
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            # Warnings of damage or disorder would be there, beside the one of what is void.
            expired = self.expired[stage]
            expected = [f"Removing {expired} scalars"] if expired else []
            self.assertEqual(re.findall("Removing [0-9]+ scalars", answer.stderr), expected)
            self.assertEqual(answer.stderr.count("\n"), len(expected), answer.stderr)
            found = json.loads(answer.stdout)
            self.check(stage, found)
            self.assertEqual(list(found["tensors"]), ["configuration"])
            self.assertLessEqual(NODES[stage], set(found["graph"]))

    def test_its_server_shows_everything(self):
        with subprocess.Popen([TENSORBOARD / "bin/tensorboard", "--logdir", self.events, "--port", "0",
                               "--host", "127.0.0.1"], stderr=subprocess.PIPE, text=True) as server:
            try:
                address = ""
                while not (found := re.search(r"http://127\.0\.0\.1:\d+/", address)):
                    line = server.stderr.readline()
                    self.assertTrue(line, f"it ended: {address}")
                    address += line
                self.ask_server(found[0] + "data/")
            finally:
                server.terminate()

    def ask_server(self, address):
        def ask(path, **query):
            with urllib.request.urlopen(f"{address}{path}?{urllib.parse.urlencode(query)}",
                                        timeout=60) as answer:
                return answer.read().decode()

        def ask_json(path, **query):
            return json.loads(ask(path, **query))

        deadline = time.monotonic() + 100
        # It reads files after it has begun to serve.
        while sorted(ask_json("runs")) != sorted(STAGES) or "error/test" not in ask_json(
                "plugin/scalars/tags").get("finetune", {}):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.2)
        tags = {"scalars": ask_json("plugin/scalars/tags"),
                "histograms": ask_json("plugin/histograms/tags"),
                "images": ask_json("plugin/images/tags")}
        paths = {"scalars": "plugin/scalars/scalars", "histograms": "plugin/histograms/histograms"}
        for stage in STAGES:
            found = {"images": {tag: [point["step"] for point in ask_json(
                "plugin/images/images", run=stage, tag=tag, sample=0)]
                                for tag in tags["images"][stage]}}
            for kind, path in paths.items():
                found[kind] = {tag: [point[1] for point in ask_json(path, run=stage, tag=tag)]
                               for tag in tags[kind][stage]}
            self.check(stage, found)
            graph = ask("plugin/graphs/graph", run=stage, conceptual="false")
            self.assertLessEqual(NODES[stage], set(re.findall('name: "([^"]*)"', graph)))
            self.assertEqual(ask_json("plugin/text/tags")[stage], ["configuration"])
            self.assertIn("finetune-epochs=3",
                          ask("plugin/text/text", run=stage, tag="configuration"))
        self.assertTrue(ask_json("plugin/graphs/info")["pretrain2"]["run_graph"])


if __name__ == "__main__":
    unittest.main()
