"""A rank that is stopped, or that the network does not let through, ends every command soon, also before
it has begun. usage: ... PRELOADED_LIBRARY"""

import re
import sys
import unittest

from sae_program import PROGRAM, ProgramTest, command_line, toy_samples, write_dataset

PRELOADED = sys.argv.pop(1)
INTERNAL = 70
# Rank 1 is stopped before MPI starts, or when it is to gather something.
BEFORE = f"""#!/bin/sh
if [ "$OMPI_COMM_WORLD_RANK" = 1 ]; then kill -STOP $$; fi
exec '{PROGRAM}' "$@"
"""
LATER = f"""#!/bin/sh
if [ "$OMPI_COMM_WORLD_RANK" = 1 ]; then export LD_PRELOAD='{PRELOADED}'; fi
exec '{PROGRAM}' "$@"
"""


class SilentRank(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        write_dataset(cls.folder / "data.h5", toy_samples(50), toy_samples(9), classes=3)
        cls.train("run", "--data", "data.h5", "--units", 5, "--validation-size", 0, "--quiet",
                  "--pretrain-epochs", 1, "--finetune-epochs", 1)
        cls.before, cls.later = cls.script("before", BEFORE), cls.script("later", LATER)

    def ended(self, program, *arguments):
        """What the command prints, which ends by itself soon after the timeout."""
        command = command_line(*arguments, "--stall-timeout", "3s", ranks=2, program=program)
        code, text = self.act_upon(command, lambda: True, lambda *_: None, within=15)
        self.assertEqual(code, INTERNAL, text)
        self.assertRegex(text, r"sae_dist \[rank 0, \S+\]: no progress for ", text)
        return text

    def test_before_the_start_ends_all_commands(self):
        for arguments in (["doctor", "--data", "data.h5"], ["--data", "data.h5", "--run", "none"]):
            with self.subTest(arguments[0]):
                self.assertIn("stage start", self.ended(self.before, *arguments))

    def test_later_ends_all_commands(self):
        model = "run/model.h5"
        for arguments in (["evaluate", model, "--data", "data.h5"],
                          ["predict", model, "--data", "data.h5", "--csv", "out.csv"], ["bench"]):
            with self.subTest(arguments[0]):
                self.assertIn(f"stage {arguments[0].replace('predict', 'predictions')}",
                              self.ended(self.later, *arguments))

    def test_is_reported_by_doctor_with_the_remedy(self):
        text = self.ended(self.later, "doctor", "--data", "data.h5")
        found = re.search("^problem +messages +.*", text, re.MULTILINE)
        self.assertTrue(found, text)
        self.assertIn("btl_tcp_if_include", found[0])


if __name__ == "__main__":
    unittest.main()
