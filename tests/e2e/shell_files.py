"""Bash completes commands, options and values as the functions say that `sae_dist generate` writes; zsh
and man read what it writes for them."""

import shutil
import subprocess
import unittest

from sae_program import ProgramTest

# Prints what bash would offer, one a line, for the words behind the program; the last is not complete.
ASK = """
. ./completion
COMP_WORDS=(sae_dist "$@") COMP_CWORD=$#
_sae_dist
printf '%s\\n' "${COMPREPLY[@]}"
"""


class ShellFiles(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        (cls.folder / "completion").write_text(cls.run_program("generate", "bash"))
        (cls.folder / "runs").mkdir()
        (cls.folder / "rows.csv").write_text("1,2\n")

    def offered(self, *words):
        return self.run_program("-c", ASK, "ask", *words, program="bash").split()

    def test_bash_completes_commands_and_options(self):
        self.assertEqual(self.offered("re"), ["reconstruct", "report"])
        self.assertIn("doctor", self.offered(""))
        self.assertEqual(self.offered("--pretrain-e"), ["--pretrain-epochs"])
        self.assertEqual(self.offered("train", "--pretrain-e"), ["--pretrain-epochs"])
        self.assertEqual(self.offered("score", "--pretrain-e"), [])
        self.assertEqual(self.offered("predict", "--quiet", "--cs"), ["--csv"])

    def test_bash_completes_values(self):
        self.assertEqual(self.offered("--recipe", "few"), ["few-labels-100", "few-labels-1000"])
        self.assertEqual(self.offered("--resume", "re"), ["required"])
        self.assertEqual(self.offered("--resume", "=", "re"), ["required"])
        self.assertEqual(sorted(self.offered("--resume", "=")),
                         sorted(["never", "auto", "required", *self.offered("predict", "")]))
        self.assertEqual(self.offered("import", "--csv", "ro"), ["rows.csv"])
        self.assertEqual(self.offered("--run", "r"), ["runs"])
        self.assertEqual(self.offered("--units", "r"), [])
        self.assertEqual(sorted(self.offered("inspect", "r")), ["rows.csv", "runs"])

    def test_other_kinds_are_refused(self):
        self.assertIn("'fish'", self.run_program("generate", "fish", code=64))

    @unittest.skipUnless(shutil.which("zsh"), "there is no zsh")
    def test_zsh_reads_its_functions(self):
        (self.folder / "_sae_dist").write_text(self.run_program("generate", "zsh"))
        self.run_program("-n", "_sae_dist", program="zsh")

    @unittest.skipUnless(shutil.which("groff"), "there is no groff")
    def test_the_page_is_read_without_warnings(self):
        page = self.run_program("generate", "man")
        read = subprocess.run(["groff", "-man", "-Tascii", "-P-cbou", "-ww"], input=page, text=True, capture_output=True, check=True)
        self.assertEqual(read.stderr, "")
        for words in ("--finetune-epochs N", "--csv FILE", "EXIT STATUS"):
            self.assertTrue(words in read.stdout, words)


if __name__ == "__main__":
    unittest.main()
