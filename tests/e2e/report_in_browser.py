"""report.html, and the page that compares runs, in headless Chromium, on a screen and on a phone, in the
light and in the dark: no error, no missing picture, nothing wider than the window. Arguments: the
browser, its driver and a folder for the screenshots."""

import pathlib
import sys
import unittest

from browser import Browser
from sae_program import ProgramTest, mnist_subset

CHROMIUM, DRIVER, SHOTS = sys.argv.pop(1), sys.argv.pop(1), pathlib.Path(sys.argv.pop(1))
SETTINGS = ["--recipe", "quick", "--data", "data.h5", "--validation-size", "200"]
WINDOWS = {"screen": (1200, False), "screen-dark": (1200, True), "phone": (360, False),
           "phone-dark": (360, True)}

# Elements that reach beyond the right edge of the window, but for what scrolls in a box of its own.
TOO_WIDE = """
return [...document.querySelectorAll('body *')].filter(element =>
  !element.closest('.wide') && element.getBoundingClientRect().right > document.documentElement.clientWidth + 1
).map(element => element.outerHTML.slice(0, 100))"""
MISSING = "return [...document.images].filter(image => !image.complete || image.naturalWidth == 0).length"
SIZES = """
const root = document.documentElement;
return {window: innerWidth, overflow: root.scrollWidth - root.clientWidth}"""
OPEN_ALL = "document.querySelectorAll('details').forEach(details => details.open = true)"
BACKGROUND = "return getComputedStyle(document.body).backgroundColor"
# Names of the runs in the table from top to bottom, and whether cells stand below their heads.
ROWS = """
return [...document.querySelectorAll('.runs tbody a')].map(link => [link.getBoundingClientRect().top, link.text])
  .sort((a, b) => a[0] - b[0]).map(([, name]) => name)"""
ALIGNED = """
const left = cell => Math.round(cell.getBoundingClientRect().left);
const heads = [...document.querySelectorAll('.runs thead th')];
return [...document.querySelectorAll('.runs tbody tr')].every(row =>
  [...row.children].every((cell, i) => left(cell) == left(heads[i])))"""
SHOWN = "return [...document.querySelectorAll('.by+label')].some(label => label.offsetParent)"
RATES = {"run-2": "0.9", "run-10": "0.1", "run-1": "0.5"}


class ReportInBrowser(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        mnist_subset(cls.folder / "data.h5", train=1200, test=300)
        SHOTS.mkdir(parents=True, exist_ok=True)
        cls.browser = cls.enterClassContext(Browser(CHROMIUM, DRIVER))
        cls.train("run", *SETTINGS, "--stop-after-steps", 35, ranks=2, code=75)
        cls.train("run", *SETTINGS, "--resume", "required", ranks=2)

    def test_of_a_run_that_went_on_and_ended(self):
        self.look_at(self.folder / "run" / "report.html", "report", pictures=2 + 2 + 50)

    def test_of_a_run_in_progress(self):
        report = self.folder / "live" / "report.html"

        def look():
            page = report.read_text() if report.exists() else ""
            return page if "finetune: error" in page else None

        page = self.folder / "live.html"
        page.write_text(self.while_training("live", look, *SETTINGS, "--finetune-epochs", 100000))
        self.assertIn('http-equiv="refresh"', page.read_text())
        self.look_at(page, "report-live", pictures=2 + 2)

    def test_of_runs_that_are_compared(self):
        for run, momentum in RATES.items():
            self.train(f"rates/{run}", *SETTINGS, "--momentum", momentum, "--units", "50,50")
        self.run_program("report", *(f"rates/{run}" for run in RATES))
        page = self.folder / "comparison.html"
        self.look_at(page, "comparison", pictures=0)
        browser = self.browser
        browser.look_through(1200)
        browser.open(page)
        best_first = browser.run(ROWS)
        for column, order in ((0, ["run-1", "run-2", "run-10"]), (7, ["run-10", "run-1", "run-2"])):
            browser.run(f"document.querySelector('label[for=by{column}]').click()")
            self.assertEqual(browser.run(ROWS), order)
            self.assertTrue(browser.run(ALIGNED))
            self.assertEqual(browser.run(TOO_WIDE), [])
        browser.screenshot(SHOTS / "comparison-by-momentum.png", whole=True)
        browser.run("document.querySelector('th label[for=by1]').click()")
        self.assertEqual(browser.run(ROWS), best_first)
        self.assertTrue(browser.run(SHOWN))
        browser.print_media()
        self.assertFalse(browser.run(SHOWN))

    def look_at(self, page, name, pictures):
        self.assertLess(page.stat().st_size, 1_500_000)
        backgrounds = {}
        for window, (width, dark) in WINDOWS.items():
            with self.subTest(window):
                browser = self.browser
                browser.look_through(width, dark=dark)
                browser.open(page)
                self.assertEqual(browser.run("return document.images.length"), pictures)
                self.check(browser, width)
                backgrounds[dark] = browser.run(BACKGROUND)
                browser.screenshot(SHOTS / f"{name}-{window}.png", whole=True)
                browser.run(OPEN_ALL)
                self.check(browser, width)
        self.assertNotEqual(backgrounds[True], backgrounds[False])

    def check(self, browser, width):
        self.assertEqual(browser.messages(), [])
        self.assertEqual(browser.run(MISSING), 0)
        self.assertEqual(browser.run(SIZES), {"window": width, "overflow": 0})
        self.assertEqual(browser.run(TOO_WIDE), [])


if __name__ == "__main__":
    unittest.main()
