"""The help in other forms: pages of the manual that groff takes without a warning, and what bash and zsh offer."""
import os
import pathlib
import re
import shutil
import subprocess
import sys

COMPLETION = pathlib.Path(__file__).resolve().parent.parent.parent / "lib/cli/completion"
import support
from support import CommandTest, clean_environment

BASH = """
. {script}
COMP_WORDS=({words})
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_heapgauge
printf '%s\\n' "${{COMPREPLY[@]}}"
"""

# zsh's own functions, as far as they would show something.
ZSH = """
compadd() {{ shift; print -l -- $@ }}
_describe() {{ local -a shown; shown=(${{(P)2}}); print -l -- ${{shown%%:*}} }}
_files() {{ print files }}
_command_names() {{ print commands }}
words=({words})
CURRENT=${{#words}}
. {script}
"""


class HelpForms(CommandTest):
    def subcommands(self):
        return [line.split("\t")[0] for line in self.heapgauge("--help=words").stdout.splitlines()]

    def shell(self, shell, template, script, words):
        quoted = " ".join(f"'{word}'" for word in words)
        environment = clean_environment(PATH=f"{os.path.dirname(support.COMMAND)}:{os.environ['PATH']}")
        done = subprocess.run([shell, *(["-f"] if shell == "zsh" else ["--norc"]), "-c", template.format(script=script, words=quoted)],
                              cwd=self.here, env=environment, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.stderr, "")
        return sorted(set(done.stdout.split()))

    def bash(self, *words):
        return self.shell("bash", BASH, COMPLETION / "heapgauge.bash", words)

    def zsh(self, *words):
        return self.shell("zsh", ZSH, COMPLETION / "_heapgauge", words)

    def test_manual(self):
        names = self.subcommands()
        self.assertIn("report", names)
        for name in ["", *names]:
            page = self.heapgauge(*filter(None, [name]), "--help=man")
            self.assertEqual((page.returncode, page.stderr), (0, ""))
            done = subprocess.run(["groff", "-man", "-Tascii", "-ww", "-P-c"], input=page.stdout, capture_output=True, text=True, timeout=60)
            self.assertEqual((done.returncode, done.stderr), (0, ""), name)
            text = " ".join(re.sub(".\x08", "", done.stdout).split())  # bold is a letter struck twice
            self.assertIn(f"heapgauge {name}".strip(), text)
            plain = self.heapgauge(*filter(None, [name]), "--help").stdout
            for word in plain.split():
                if word.startswith("--") and word[2:].replace("-", "").isalpha():
                    self.assertIn(word, text.replace("- ", "-"), name)

    def test_each_subcommand_has_words(self):
        for name in self.subcommands():
            words = self.heapgauge(name, "--help=words")
            self.assertEqual((words.returncode, words.stderr), (0, ""), name)
            self.assertEqual(words.stdout.splitlines()[-1].split("\t")[0], "-")
            self.assertIn("--help", words.stdout)

    def test_bash(self):
        self.assertEqual(self.bash("heapgauge", "rep"), ["report"])
        self.assertEqual(set(self.subcommands()) - set(self.bash("heapgauge", "")), set())
        self.assertEqual(self.bash("heapgauge", "report", "--form"), ["--format"])
        self.assertIn("speedscope", self.bash("heapgauge", "report", "--format", ""))
        self.assertEqual(self.bash("heapgauge", "report", "--format", "=", "dh"), ["dhat"])
        self.assertEqual(self.bash("heapgauge", "report", "--open", "fire"), ["firefox"])
        self.assertEqual(self.bash("heapgauge", "nonsense", ""), [])
        (self.here / "heapgauge.x.1").mkdir()
        self.assertEqual(self.bash("heapgauge", "report", "heapg"), ["heapgauge.x.1"])
        self.assertEqual(self.bash("heapgauge", "ps", "--help", "x"), [])

    def test_zsh(self):
        if not shutil.which("zsh"):
            self.skipTest("no zsh")
        self.assertEqual(set(self.subcommands()) - set(self.zsh("heapgauge", "")), set())
        self.assertIn("--format", self.zsh("heapgauge", "report", "--"))
        self.assertIn("speedscope", self.zsh("heapgauge", "report", "--format", ""))
        self.assertEqual(self.zsh("heapgauge", "report", ""), ["files"])
        self.assertEqual(self.zsh("heapgauge", "run", ""), ["commands", "files"])


support.main()
