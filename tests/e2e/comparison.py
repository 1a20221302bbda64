"""The page that compares runs: sae_dist report RUN RUN ..."""

import html.parser
import re
import shutil
import unittest

from sae_program import ProgramTest, metrics_of, toy_samples, write_dataset

SETTINGS = ["--data", "data.h5", "--validation-size", "100", "--units", "12", "--batch-size", "50",
            "--pretrain-epochs", "1", "--finetune-epochs", "3", "--quiet"]
EVIL = "<b>&\"'x:y #%"  # A run's name.
VARIED = {"sweep/run-1": ["--momentum", "0.5"], "sweep/run-10": ["--momentum", "0.9", "--seed", "2"],
          f"sweep/{EVIL}": ["--finetune-learning-rate", "0"]}
VOID = {"meta", "link", "input", "br", "img", "line", "path", "circle"}


class Page(html.parser.HTMLParser):
    """Tables (rows of texts), links, ids and ends of elements."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.links, self.ids, self.open, self.faults = [], [], [], [], []
        self.feed(text)
        self.close()
        self.faults += [f"{tag} is not closed" for tag in self.open]

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.links += [values[name] for name in ("href", "src") if name in values]
        self.ids += [values["id"]] if "id" in values else []
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append((values.get("style"), []))
        if tag in ("th", "td"):
            self.rows[-1][1].append("")

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"{tag} ends at {self.getpos()}")

    def handle_data(self, data):
        if any(tag in self.open for tag in ("th", "td")):
            self.rows[-1][1][-1] += data


def best_of(run):
    best = [line for line in metrics_of(run) if line.get("best")][-1]
    return best["validation_error"], best["validation_loss"], best["epoch"]


class Comparison(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        write_dataset(cls.folder / "data.h5", toy_samples(600), toy_samples(80, seed=1), classes=3)
        for run, settings in VARIED.items():
            cls.train(run, *SETTINGS, *settings)
        cls.output = cls.run_program("report", *VARIED)
        cls.text = (cls.folder / "comparison.html").read_text()
        cls.page = Page(cls.text)

    def table(self, page=None):
        """Rows of the first table by the name of the run, in their order; each by its heading."""
        rows = (page or self.page).rows
        head = rows[0][1]
        found = {}
        for _, cells in rows[1:]:
            if len(cells) != len(head):
                break
            found[cells[0].removesuffix(" ★ best")] = dict(zip(head, cells))
        return found

    def test_has_a_row_for_each_run_the_best_first(self):
        self.assertEqual(self.output, "comparison.html\n")
        table = self.table()
        names = [run.partition("/")[2] for run in VARIED]
        self.assertEqual(list(table), sorted(names, key=lambda name: best_of(self.folder / "sweep" / name)))
        self.assertEqual([cells["Run"].endswith("★ best") for cells in table.values()],
                         [True, False, False])
        for name, cells in table.items():
            error, _, epoch = best_of(self.folder / "sweep" / name)
            self.assertEqual(cells["Best validation error"], f"{error:.2f} %")
            self.assertEqual(cells["Best epoch"], str(epoch))
            self.assertEqual(cells["End"], "finished")
            self.assertRegex(cells["Time"], r"^\d+:\d\d$")

    def test_tells_the_test_errors_of_both_models(self):
        for name, cells in self.table().items():
            for model in ("model.h5", "best.h5"):
                output = self.run_program("evaluate", f"sweep/{name}/{model}", "--data", "data.h5")
                errors = re.search(r"error +([\d.]+) %", output)[1]
                self.assertEqual(cells[f"Test error, {model}"], f"{errors} %")

    def test_settings_that_differ_are_columns_and_the_others_are_listed_once(self):
        table = self.table()
        values = {name: (cells["momentum"], cells["seed"], cells["finetune-learning-rate"])
                  for name, cells in table.items()}
        self.assertEqual(values, {"run-1": ("0.5", "1", "0.6"), "run-10": ("0.9", "2", "0.6"),
                                  EVIL: ("0.9", "1", "0")})
        self.assertNotIn("batch-size", list(table.values())[0])
        others = [cells for _, cells in self.page.rows if len(cells) == 2]
        self.assertEqual(others.count(["batch-size", "50"]), 1)
        self.assertNotIn("momentum", [cells[0] for cells in others])

    def test_rows_know_their_place_for_each_column(self):
        head, *rows = self.page.rows[:4]
        for column, name in enumerate(head[1]):
            places = [int(re.search(rf"--o{column}:(\d+);", style)[1]) for style, _ in rows]
            self.assertEqual(sorted(places), [0, 1, 2], name)
        by_name = sorted(rows, key=lambda row: int(re.search(r"--o0:(\d+);", row[0])[1]))
        self.assertEqual([cells[0].removesuffix(" ★ best") for _, cells in by_name],
                         [EVIL, "run-1", "run-10"])

    def test_is_whole_and_needs_nothing_else(self):
        self.assertEqual(self.page.faults, [])
        self.assertEqual(len(self.page.ids), len(set(self.page.ids)))
        for part in ("<script", "http://", "https://", "url(", "<b>&"):
            self.assertNotIn(part, self.text)
        self.assertEqual(self.text.count("<path"), 6)
        self.assertEqual(self.text.count("<svg"), 2)

    def test_names_are_text_and_links_lead_to_the_pages_of_the_runs(self):
        self.assertIn(EVIL, self.table())
        links = [link for link in self.page.links if link != "data:,"]
        self.assertEqual(set(links), {"sweep/run-1/report.html", "sweep/run-10/report.html",
                                      "sweep/%3Cb%3E%26%22%27x%3Ay%20%23%25/report.html"})
        self.run_program("report", *VARIED, "--output", "sweep/run-1/other.html")
        self.assertIn('href="../run-10/report.html"', (self.folder / "sweep/run-1/other.html").read_text())

    def test_under_mpirun_it_is_written_once_more(self):
        output = self.run_program("report", *VARIED, ranks=2)
        self.assertEqual(output, "comparison.html\n")
        self.assertEqual((self.folder / "comparison.html").read_text().partition("<footer>")[0],
                         self.text.partition("<footer>")[0])

    def test_other_files_are_replaced_only_if_that_is_asked_for(self):
        (self.folder / "notes.html").write_text("<!DOCTYPE html>\n")
        runs = list(VARIED)
        (self.folder / "folder").mkdir()
        self.assert_refused(
            (73, ["notes.html", "--force"], ("report", *runs, "--output", "notes.html")),
            (73, ["report.html", "--force"], ("report", *runs, "--output", "sweep/run-1/report.html")),
            (73, ["model.h5", "--force"], ("report", *runs, "--output", "sweep/run-1/model.h5")),
            (73, ["metrics.jsonl", "is read"],
             ("report", *runs, "--output", "sweep/run-1/metrics.jsonl", "--force")),
            (73, ["'folder'"], ("report", *runs, "--output", "folder")),
            (73, ["none/page.html"], ("report", *runs, "--output", "none/page.html")))
        self.run_program("report", *runs, "--output", "notes.html", "--force")
        self.run_program("report", *runs, "--output", "notes.html")
        self.assertEqual(Page((self.folder / "notes.html").read_text()).faults, [])

    def test_what_is_no_run_is_named(self):
        self.assert_refused(
            (66, ["nowhere", "not the folder of a run"], ("report", "sweep/run-1", "nowhere")),
            (66, ["data.h5", "not the folder of a run"], ("report", "data.h5", "sweep/run-1")),
            (64, ["--data"], ("report", *VARIED, "--data", "data.h5")),
            (64, ["--output"], ("report", "sweep/run-1", "--output", "page.html")),
            (64, ["--force"], ("report", "sweep/run-1", "--force")),
            (64, ["--output"], ("report", *VARIED, "--output", "-")),
            (64, ["RUN"], ("report", "sweep/run-1", "")))

    def test_shows_runs_that_were_stopped_or_cut_or_are_damaged(self):
        self.train("stopped", *SETTINGS, "--stop-after-steps", 25, code=75)
        shutil.copytree(self.folder / "sweep/run-1", self.folder / "cut")
        journal = (self.folder / "cut/journal.jsonl").read_text().splitlines(keepends=True)
        (self.folder / "cut/journal.jsonl").write_text("".join(journal[:-1]) + "{\n")
        (self.folder / "begun").mkdir()
        (self.folder / "begun/config.cfg").write_text("momentum=0.1\n")
        self.run_program("report", "stopped", "cut", "begun", "--output", "others.html")
        text = (self.folder / "others.html").read_text()
        table = self.table(Page(text))
        self.assertEqual(list(table)[0], "cut")
        self.assertRegex(table["stopped"]["End"], r"^stopped by .*, finetune 1 of 3$")
        self.assertEqual(table["cut"]["End"], "running or cut, finetune 3 of 3")
        self.assertEqual(table["cut"]["Test error, best.h5"], "–")
        self.assertEqual(table["begun"]["End"], "running or cut, no epoch yet")
        self.assertEqual(table["begun"]["Best validation error"], "–")
        self.assertIn("3 runs: 1 stopped, 2 running or cut.", text)
        self.assertIn("1 line of metrics.jsonl and journal.jsonl of cut could not be read.", text)

    def test_one_run_has_its_own_page(self):
        self.assertEqual(self.run_program("report", "sweep/run-1"), "sweep/run-1/report.html\n")


if __name__ == "__main__":
    unittest.main()
