"""report.html of a run that is cut, goes on and ends, and the command that writes it anew."""

import json
import re
import unittest

from sae_program import ProgramTest, mnist_subset

SETTINGS = ["--data", "data.h5", "--validation-size", "100", "--units", "20,15", "--batch-size", "50",
            "--corruption", "0.1,0.2", "--pretrain-epochs", "2", "--checkpoint-every", "7",
            "--progress", "lines", "--finetune-epochs", "3"]
STEPS = 7 * 20  # Epochs of 1,000 samples.


class Report(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        mnist_subset(cls.folder / "data.h5", train=1100, test=200)
        cls.train("run", *SETTINGS, "--stop-after-steps", 50, ranks=2, code=75)
        cls.stopped = cls.page("run")
        cls.train("run", *SETTINGS, "--resume", "required", ranks=3)

    @classmethod
    def page(cls, run):
        return (cls.folder / run / "report.html").read_text()

    def journal(self, run):
        return [json.loads(line) for line in
                (self.folder / run / "journal.jsonl").read_text().splitlines()]

    def test_tells_that_the_run_was_stopped_and_went_on(self):
        self.assertIn("stopped", self.stopped)
        self.assertNotIn('http-equiv="refresh"', self.stopped)
        page = self.page("run")
        self.assertIn("✓ finished</span>", page)
        self.assertIn("resumed from update 50", page)
        self.assertIn("2 × 1", page)  # The first session.
        self.assertIn("rank 2", page)  # The last.
        events = self.journal("run")
        self.assertEqual([event["step"] for event in events if event["event"] == "begin"], [0, 50])
        self.assertEqual([event["step"] for event in events if event["event"] == "epoch"],
                         list(range(20, STEPS + 1, 20)))
        checkpoints = [event["step"] for event in events if event["event"] == "checkpoint"]
        self.assertEqual(checkpoints, sorted(checkpoints))
        self.assertEqual(checkpoints[-1], STEPS)

    def test_tells_the_result(self):
        output = self.run_program("evaluate", "run/best.h5", "--data", "data.h5")
        errors = re.search(r"error +([\d.]+) %", output)[1]
        self.assertIn(f"<dt>Test error</dt><dd>{errors} %", self.page("run"))

    def test_shows_the_images_with_the_largest_losses(self):
        hardest = self.journal("run")[-1]["models"][-1]["hardest"]
        self.assertEqual(len(hardest), 50)
        self.assertEqual(len({image["sample"] for image in hardest}), 50)
        losses = [image["loss"] for image in hardest]
        self.assertEqual(losses, sorted(losses, reverse=True))
        self.assertEqual(self.page("run").count('alt="test image '), 50)

    def test_is_small_and_needs_nothing_else(self):
        page = self.page("run")
        self.assertLess(len(page.encode()), 1_500_000)
        for link in re.findall(r'(?:src|href)="([^"]*)"', page):
            self.assertRegex(link, "^(#|data:)")

    def test_the_command_writes_the_same_page_again(self):
        def of(page):
            return re.sub(r"Written by .*|Hidden layer|As of epoch \d+ of \w+", "", page)

        before = self.page("run")
        (self.folder / "run" / "report.html").unlink()
        output = self.run_program("report", "run")
        self.assertEqual(output, "run/report.html\n")
        self.assertEqual(of(self.page("run")), of(before))
        self.run_program("report", "run", ranks=2)
        self.assertEqual(of(self.page("run")), of(before))

    def test_without_the_data_set_the_command_leaves_the_pictures_out_and_says_so(self):
        self.train("alone", *SETTINGS, "--stop-after-steps", 25, code=75)
        output = self.run_program("report", "alone", "--data", "none.h5")
        self.assertIn("without pictures", output)
        self.assertIn("none.h5", self.page("alone"))
        self.assertNotIn("<img", self.page("alone"))
        self.assertIn("<svg", self.page("alone"))

    def test_where_there_is_no_run_the_command_fails(self):
        self.assert_refused((66, ["nowhere", "not the folder of a run"], ("report", "nowhere")),
                            (64, ["RUN"], ("report",)))

    def test_a_page_that_cannot_be_written_is_a_warning(self):
        blocked = self.folder / "blocked"
        (blocked / "report.html").mkdir(parents=True)
        output = self.train("blocked", *SETTINGS, "--resume", "auto")
        self.assertEqual(len(re.findall(r"^warning: .*report\.html.*Training goes on", output,
                                        re.MULTILINE)), 1, output)
        self.assertTrue((blocked / "model.h5").exists())
        self.assertEqual([path.name for path in blocked.iterdir() if path.suffix == ".tmp"], [])

    def test_is_kept_up_to_date_while_the_run_goes_on(self):
        def look():
            if not (self.folder / "live" / "report.html").exists():
                return None
            page = self.page("live")
            self.assertTrue(page.endswith("</html>\n"))  # Never half of it.
            return page if "finetune: error" in page else None

        page = self.while_training("live", look, *SETTINGS[:-2], "--finetune-epochs", 100000)
        self.assertIn('http-equiv="refresh"', page)
        self.assertIn("running", page)
        self.assertNotIn('http-equiv="refresh"', self.page("live"))


if __name__ == "__main__":
    unittest.main()
