"""GitLab's runner and Jenkins's agent, as far as the pipelines of `ngp ci init` need them: no server is to be had.

They read the rendered file, choose jobs or stages as the published grammars say, and run their scripts by a shell, with
the variables of the system. What they do not know is an error, so no line of a pipeline is passed over.
"""

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ngp import yaml

# .gitlab-ci.yml: https://docs.gitlab.com/ci/yaml/
_GLOBAL = {"stages", "workflow", "variables"}
_CHOOSING = {"extends", "stage", "rules"}
_SHOWN = {"image", "interruptible", "id_tokens", "cache", "artifacts", "resource_group", "environment"}
_RUN = {"variables", "before_script", "script", "after_script"}
_TERM = re.compile(r'\$(\w+)(?: (==|!=) (?:"([^"]*)"|\$(\w+)))?')
_VARIABLE = re.compile(r"\$(\w+)")


@dataclass(frozen=True)
class Step:
    """How a job or a stage ended."""

    exit_code: int
    text: str


def shell(lines, cwd, environ, *, flags="-eo pipefail"):
    """Run lines as one script; return its exit code and all that it wrote."""
    argv = ["bash", *flags.split(), "-c", "\n".join(lines)]
    out = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "stdin": subprocess.DEVNULL}
    done = subprocess.run(argv, cwd=cwd, env=environ, text=True, check=False, **out)
    return Step(done.returncode, done.stdout)


@dataclass(frozen=True)
class GitLab:
    """The jobs of a .gitlab-ci.yml in a checkout; `environ` is that of the runner."""

    checkout: Path
    environ: dict

    @property
    def _file(self):
        path = self.checkout / ".gitlab-ci.yml"
        return yaml.parse(path.read_text(), path).data

    def jobs(self, **variables):
        """The jobs of a pipeline with these variables, by name: whether each waits for a person."""
        known = {**self._defaults(), **variables}
        if _when(self._file["workflow"]["rules"], known) is None:
            return {}
        found = {name: _when(job["rules"], known) for name, job in self._all().items()}
        return {name: when == "manual" for name, when in found.items() if when not in (None, "never")}

    def run(self, name, **variables):
        """Run one job, and what it runs afterwards whatever became of it; both see the variables of the job."""
        job = self._all()[name]
        known = {"CI": "true", "GITLAB_CI": "true", "CI_PROJECT_DIR": str(self.checkout), **self._defaults()}
        known |= {"NGP_OIDC": "an identity token"} | variables
        for key, value in job.get("variables", {}).items():
            known[key] = _VARIABLE.sub(lambda found: known.get(found[1], ""), value)
        done = shell([*job["before_script"], *job["script"]], self.checkout, self.environ | known)
        after = shell(job.get("after_script", []), self.checkout, self.environ | known)
        return Step(done.exit_code, done.text + after.text)

    def _defaults(self):
        return {"CI_DEFAULT_BRANCH": "main", **{name: one["value"] for name, one in self._file["variables"].items()}}

    def _all(self):
        found = {}
        for name, job in self._file.items():
            if name in _GLOBAL or name.startswith("."):
                continue
            whole = {**self._file[job["extends"]], **job}
            whole["variables"] = {**self._file[job["extends"]].get("variables", {}), **job.get("variables", {})}
            assert set(whole) <= _CHOOSING | _SHOWN | _RUN, name
            assert job["stage"] in self._file["stages"]
            found[name] = whole
        return found


def _when(rules, variables):
    """What the first rule that holds says: `when`, "on_success" without one; None where none holds."""
    for rule in rules:
        assert set(rule) <= {"if", "when", "allow_failure"}
        if all(_holds(term, variables) for term in rule["if"].split(" && ")):
            return rule.get("when", "on_success")
    return None


def _holds(term, variables):
    found = _TERM.fullmatch(term)
    assert found, f"this expression is not known: {term}"
    name, sign, text, other = found.groups()
    value = variables.get(name)
    if sign is None:
        return bool(value)
    against = variables.get(other) if other else text
    return (value == against) is (sign == "==")


# Jenkinsfile: https://www.jenkins.io/doc/book/pipeline/syntax/#declarative-pipeline
_KNOWN = {
    "": {"pipeline"},
    "pipeline": {"agent", "options", "triggers", "parameters", "environment", "stages", "post"},
    "options": {"disableConcurrentBuilds()", "timeout"},
    "triggers": {"cron"},
    "parameters": {"string"},
    "environment": {"CI", "PATH"},
    "stages": {"stage"},
    "stage": {"when", "input", "steps"},
    "when": {"changeRequest()", "branch", "triggeredBy", "not", "expression", "beforeInput"},
    "not": {"triggeredBy"},
    "input": {"message"},
    "steps": {"sh", "withCredentials", "script"},
    "script": {"currentBuild.result", "def", "if"},
    "if": {"copyArtifacts"},
    "withCredentials": {"sh"},
    "post": {"always"},
    "always": {"sh", "archiveArtifacts"},
}
_OPENS = re.compile(r"(\w+)(?: ?\((.*)\))? \{")
_ASKS = re.compile(r"def number = sh\(returnStdout: true, script: '''")
_COPIES = re.compile(
    r"""copyArtifacts projectName: "(.+)\$\{number\}", filter: '(.+)', selector: lastCompleted\(\), optional: true"""
)
_INLINE = re.compile(r"(\w+) \{ (.+) \}")
_BRANCH = re.compile(r"branch ['\"](.+)['\"]")
_PARAMETER = re.compile(r"string\(name: '(\w+)', defaultValue: '', description: '[^']+'\)")
_EXPRESSION = re.compile(r"params\.(\w+) \|\| params\.(\w+)|!params\.(\w+) && !params\.(\w+)")


@dataclass
class Block:
    """A section of a Jenkinsfile: its directives as lines, and its own sections."""

    name: str
    label: str = ""
    lines: list = field(default_factory=list)
    blocks: list = field(default_factory=list)

    def all(self, name):
        return [one for one in self.blocks if one.name == name]

    def sh(self):
        """The scripts of its steps, in order."""
        found = [line[3:].strip("'") for line in self.lines if line.startswith("sh ")]
        return found + [text for one in self.all("withCredentials") for text in one.sh()]


def parse_jenkinsfile(text):
    """Read a declarative pipeline as a tree. A section or a directive that is not known is an AssertionError."""
    stack, script = [Block("")], None
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if script is not None:
            if line in ("'''", "''').trim()"):
                stack[-1].lines.append(("sh " if line == "'''" else "number ") + "\n".join(script))
                script = None
            else:
                script.append(line)
            continue
        if not line or line.startswith("//"):
            continue
        if line == "sh '''" or _ASKS.fullmatch(line):
            script = []
            continue
        if line == "}":
            stack.pop()
            continue
        opened, inline = _OPENS.fullmatch(line), _INLINE.fullmatch(line)
        name = (opened or inline)[1] if opened or inline else re.match(r"[\w.]+(\(\))?", line)[0]
        assert name in _KNOWN[stack[-1].name], f"line {number}: `{name}` is not known in `{stack[-1].name}`"
        if opened:
            made = Block(name, (opened[2] or "").strip("'\""))
            stack[-1].blocks.append(made)
            stack.append(made)
        elif inline:
            stack[-1].blocks.append(Block(name, "", [inline[2]]))
        else:
            stack[-1].lines.append(line)
    assert len(stack) == 1, "a section is not closed"
    return stack[0].blocks[0]


@dataclass(frozen=True)
class Jenkins:
    """The stages of a Jenkinsfile in a checkout; `environ` is that of the agent.

    `artifacts` are folders with what builds have archived, by project, for the plugin Copy Artifact.
    """

    checkout: Path
    environ: dict
    artifacts: dict = field(default_factory=dict)

    def result(self, label):
        """What a stage that went well sets as the result of its build, "" for nothing."""
        tree = parse_jenkinsfile((self.checkout / "Jenkinsfile").read_text())
        [stage] = [one for one in tree.all("stages")[0].all("stage") if one.label == label]
        lines = [line for one in stage.all("steps")[0].all("script") for line in one.lines]
        return lines[-1].split("'")[1] if lines else ""

    def run(self, cause="", **variables):
        """Run a build; return its stages that ran with how each ended, those that waited for a person, and the log.

        `cause` is "TimerTrigger" for a build by the clock. Parameters are variables, as Jenkins hands them to scripts.
        """
        tree = parse_jenkinsfile((self.checkout / "Jenkinsfile").read_text())
        [known] = tree.all("parameters")
        names = [_PARAMETER.fullmatch(line)[1] for line in known.lines]
        values = {**dict.fromkeys(names, ""), **variables}
        environ = self.environ | {"CI": "true", "JENKINS_URL": "https://ci.example/", "BUILD_NUMBER": "7", **values}
        ran, asked, log, failed = {}, [], [], False
        for stage in tree.all("stages")[0].all("stage"):
            when = stage.all("when")
            if failed or (when and not _is_wanted(when[0], values, cause)):
                continue
            asked += [stage.label] if stage.all("input") else []
            for block in stage.all("steps")[0].all("script"):
                ran |= {stage.label: 0} if self._copy(block, environ) else {}
            for script in stage.all("steps")[0].sh():
                done = shell([script], self.checkout, environ, flags="-xe")
                ran[stage.label] = done.exit_code
                log.append(done.text)
                if done.exit_code:
                    failed = True
                    break
        for script in tree.all("post")[0].all("always")[0].sh():
            log.append(shell([script], self.checkout, environ, flags="-xe").text)
        return ran, asked, "".join(log)

    def _copy(self, block, environ):
        """Run the script of a block that finds a build's number, and copy its artifacts; whether it is such a block."""
        asked = [line.removeprefix("number ") for line in block.lines if line.startswith("number ")]
        for script in asked:
            argv = ["bash", "-xe", "-c", script]
            done = subprocess.run(argv, cwd=self.checkout, env=environ, text=True, check=True, capture_output=True)
            for line in [line for one in block.all("if") for line in one.lines if done.stdout.strip()]:
                project, pattern = _COPIES.fullmatch(line).groups()
                home = self.artifacts.get(f"{project}{done.stdout.strip()}")
                for path in home.glob(pattern) if home else ():
                    place = self.checkout / path.relative_to(home)
                    place.parent.mkdir(parents=True, exist_ok=True)
                    place.write_bytes(path.read_bytes())
        return bool(asked)


def _is_wanted(when, values, cause):
    """Whether all conditions of a stage hold."""
    found = [_condition(line, values, cause) for line in when.lines if not line.startswith("beforeInput")]
    found += [_condition(block.lines[0], values, cause) for block in when.all("expression")]
    found += [not _condition(block.lines[0], values, cause) for block in when.all("not")]
    return all(found)


def _condition(line, values, cause):
    if line == "changeRequest()":
        return "CHANGE_ID" in values
    if line == "triggeredBy 'TimerTrigger'":
        return cause == "TimerTrigger"
    if found := _BRANCH.fullmatch(line):
        return values.get("BRANCH_NAME") == found[1]
    found = _EXPRESSION.fullmatch(line)
    if not found:
        pytest.fail(f"this condition is not known: {line}")
    one, other, *none = found.groups()
    return bool(values.get(one) or values.get(other)) if one else not any(values.get(name) for name in none)
