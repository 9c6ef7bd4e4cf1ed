"""The rule that sentences are written in `report` alone, and that nothing reads one to find a fact."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import natdrain

[_SHIPPED] = map(Path, natdrain.__path__)

READING = re.compile(
    r"[lr]?(strip|split|find|index)|r?partition|splitlines|(starts|ends)with|remove(pre|suf)fix|replace"
    r"|translate|sub|search|(full)?match|find(all|iter)|count|isprintable|(low|upp)er|capitalize|title"
)
"""The methods by which a text is split, matched, replaced, stripped or searched."""

TEXTS = {"cause", "detail", "fix", "message", "reason", "summary", "text", "why"}
"""The names of what carries a sentence."""

ALLOWED_IN_REPORT = {
    ("hints.py", "each.lower()"): "a field's or guard's name",
    ("hints.py", "name.lower()"): "the same, as it was written",
    ("message.py", "'{where}' not in template"): "fills in a place of a sentence",
    ("message.py", "template.partition('{where}')"): "the same",
    ("message.py", "wording.joined(text, put_back).strip(' ;')"): "closes a paragraph",
    ("message.py", "execution.rsplit(':', 1)"): "shortens an ARN",
    ("result.py", "name.replace('_', ' ')"): "writes an outcome as words",
    ("result.py", "_words(end.outcome).capitalize()"): "begins a sentence with it",
    (
        "wording.py",
        "re.sub('\\\\[([^|\\\\]]*)\\\\|([^\\\\]]*)\\\\]', '\\\\1' if count == 1 else '\\\\2', template)",
    ): ("chooses singular or plural"),
    ("ways.py", "execution.rpartition(':')"): "finds the state machine of an ARN",
    ("ways.py", "execution.rpartition(':')[0].replace(':execution:', ':stateMachine:')"): "the same",
    ("ways.py", "json.dumps(request).replace(\"'\", '\\\\u0027')"): "lets a shell read other people's words",
    ("wording.py", "text.split()"): "puts other people's words into one line",
    ("wording.py", "' '.join(text.split()).translate({ord('\"'): \"'\", ord('\\\\'): '/'})"): "the same",
    ("wording.py", "character.isprintable()"): "the same",
    ("wording.py", "one_line(text).translate(_MARKUP)"): "takes the markup out of other people's words",
    ("wording.py", "re.sub(pattern, instead, text)"): "the same",
    ("wording.py", "text[:most - 3].rstrip()"): "cuts a text",
    ("wording.py", "text.strip()"): "the same",
    ("wording.py", "text.endswith(('.', '!', '?', ';'))"): "sets a full stop",
    ("wording.py", "problem.fix.endswith('.')"): "sets none after a command",
    ("wording.py", "text.endswith('...')"): "sets none after a text that was cut",
    ("wording.py", "text.removesuffix('.')"): "takes the full stop off a part of a list",
}
ALLOWED_ELSEWHERE = {
    # Ids, ARNs, names of modules and zones.
    ("history/entries.py", "execution.rpartition(':')"): "an ARN",
    ("model/gateway.py", "'-az' in zone"): "a zone",
    ("steps/look_and_decide.py", "name.startswith('eip')"): "an id",
    ("steps/look_and_decide.py", "name.startswith(prefix)"): "an id",
    ("steps/task.py", "function.__module__.rpartition('.')"): "a module",
    # Tags, and the patterns of the configuration that describe them.
    ("guards/eligibility.py", "key.lower()"): "a tag",
    ("guards/ownership.py", "'=' in pattern"): "a pattern of the configuration",
    ("guards/ownership.py", "pattern.split('*')"): "a pattern of the configuration",
    ("guards/ownership.py", "re.fullmatch('.*'.join(map(re.escape, pattern.split('*'))), text, re.DOTALL)"): (
        "a tag, by such a pattern"
    ),
    # The environment and inputs.
    ("intake/alarm_event.py", "re.match('\\\\s*SELECT\\\\b', one, re.IGNORECASE)"): "an alarm's query",
    ("intake/alarm_event.py", "re.search('\\\\bGROUP\\\\s+BY\\\\b', query, re.IGNORECASE)"): "the same",
    ("intake/alarm_event.py", "text.lower()"): "a metric's name or an alarm's query",
    ("intake/alarm_event.py", "reason.lower()"): "AWS's words, where it says nothing else",
    ("intake/alarm_event.py", "'treated as [breaching]' in reason.lower()"): "the same",
    ("intake/alarms.py", "pattern.search(_words(text))"): "a metric's name or an alarm's query",
    ("intake/alarms.py", "re.findall('[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+', text)"): "the same",
    (
        "intake/alarms.py",
        "' '.join(re.findall('[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+', text)).lower()",
    ): "the same",
    ("intake/alarms.py", "re.sub('\\\\ballocation ?ids?\\\\b', '', words)"): "the same",
    ("intake/alarms.py", "change.alarm.startswith(tuple(policy.name_prefixes))"): "an alarm's name",
    ("intake/request.py", "pattern.fullmatch(value)"): "an id in a request",
    ("intake/request.py", "re.fullmatch('[a-z0-9-]{4,64}', value)"): "a zone in a request",
    ("intake/request.py", "named.count(one)"): "names in a request: a list",
    ("store/drains.py", "key[1].startswith(_JOIN)"): "the key of an item",
    ("intake/request.py", "texts.count(text)"): "names in a request: a list",
    ("steps/settings.py", "text == 'true'"): "an environment variable",
    ("steps/settings.py", "text not in {'true', 'false'}"): "an environment variable",
    ("store/holds.py", "written.split()"): "a person's words, put into one line",
    # Answers of AWS, and of earlier versions.
    (
        "aws/errors.py",
        "message.split('Encoded authorization failure message', 1)",
    ): "leaves out an encoded part",
    ("aws/errors.py", "message.split('Encoded authorization failure message', 1)[0].strip()"): "the same",
    ("change/failure.py", "text.splitlines()"): "a caught exception has a line for each problem, and no more",
    (
        "model/conclusion.py",
        "document['Outcome'].replace(' ', '_')",
    ): "an outcome's name of an earlier version",
    # Bounds.
    ("model/problem.py", "problem.fix[:MAX_PROBLEM_CHARACTERS].replace('\\n', ' ')"): "one line",
    ("model/problem.py", "problem.text[:MAX_PROBLEM_CHARACTERS].replace('\\n', ' ')"): "one line",
    # No texts at all.
    ("change/after/release.py", "drains.index(drain)"): "a list",
    ("change/join/progress.py", "_ORDER.index(entry.status)"): "the same",
}

ENGLISH_ELSEWHERE = {
    ("aws/errors.py", "Encoded authorization failure message"): "EC2's words",
    ("contract.py", "Change Ended"): "a name on the event bus",
    ("contract.py", "Change Started"): "a name on the event bus",
    ("contract.py", "Drain Ended"): "a name on the event bus",
    ("contract.py", "Drain Started"): "a name on the event bus",
    ("intake/alarm_event.py", "CloudWatch Alarm Contributor State Change"): "a name on the event bus",
    ("intake/alarm_event.py", "CloudWatch Alarm State Change"): "a name on the event bus",
    ("intake/alarm_event.py", "treated as [breaching]"): "a part of AWS's words",
    ("intake/alarms.py", r"\ballocation ?ids?\b"): "a pattern of names",
    (
        "intake/alarms.py",
        (
            r"\b(ports?|snat) (alloc|error|exhaust|fail|shortage|us(ed|age)|util)"
            r"|\b(alloc|exhaust|used)\w* ports?\b|(?<!re)port(alloc|exhaust)"
        ),
    ): "a pattern of names",
    (
        "intake/alarms.py",
        (
            r"\bdrop\w* (bytes|connections?|count|packets?|traffic)\b"
            r"|\b(bytes|connections?|packets?|traffic) (drop|los[st])|packets?(drop|loss)|droppedpacket"
        ),
    ): "a pattern of names",
    ("intake/alarms.py", "alarm {}: {}"): "the request's reason, which the history keeps",
    ("intake/request.py", " or "): "joins the values that a field may have",
    ("model/gateway.py", " --availability-zone{} {}"): "an option of a command",
    ("model/problem.py", "... and {} more."): "stands for the problems for which there is no room",
    ("store/table.py", "{0} = if_not_exists({0}, {1})"): "a DynamoDB expression",
}
_TABLES = {"guards/policy.py"}  # a table for the documents: what each guard finds


def _modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(_SHIPPED.rglob("*.py")):
        yield path.relative_to(_SHIPPED).as_posix(), ast.parse(path.read_text())


def _is_text(node: ast.expr) -> bool:
    """Return True for a string constant, and for what is called as a sentence is."""
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id == "str"
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else None
    return name in TEXTS


def _reads(tree: ast.AST) -> Iterator[str]:
    """Yield the expressions that look into a text."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and READING.fullmatch(node.func.attr)
        ):
            # What a class makes is no text: `Executions(table).find(execution)`.
            made = node.func.value.func if isinstance(node.func.value, ast.Call) else None
            if not (isinstance(made, ast.Name) and made.id[0].isupper()):
                yield ast.unparse(node)
        elif isinstance(node, ast.Compare):
            key = isinstance(node.left, ast.Constant) and not re.search(r"^\w+$", str(node.left.value))
            if isinstance(node.ops[0], ast.In | ast.NotIn):
                searched = key or _is_text(node.left) or _is_text(node.comparators[0])
            else:
                searched = isinstance(node.ops[0], ast.Eq | ast.NotEq) and (
                    _is_text(node.left) or _is_text(node.comparators[0])
                )
            if searched:
                yield ast.unparse(node)


def _english(tree: ast.AST) -> Iterator[str]:
    """Yield the strings with words, except docstrings and errors of malformed values, quoted by `report`."""
    apart: set[ast.AST] = set()
    for node in ast.walk(tree):
        raised = node.exc if isinstance(node, ast.Raise) else None
        malformed = isinstance(raised, ast.Call) and ast.unparse(raised.func) in {"ValueError", "TypeError"}
        if malformed or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            apart.update(ast.walk(node))
        elif isinstance(node, ast.JoinedStr):
            apart.update(node.values)
    for node in ast.walk(tree):
        if node in apart:
            continue
        if isinstance(node, ast.JoinedStr):
            text = "".join(str(one.value) if isinstance(one, ast.Constant) else "{}" for one in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        if " " in text and re.search("[a-z]{2}", text):
            yield text


def _everywhere() -> set[tuple[str, str]]:
    return {(module, text) for module, tree in _modules() for text in _reads(tree)}


def test_report_looks_into_texts_only_to_write_them() -> None:
    here = {
        (path.removeprefix("report/"), text) for path, text in _everywhere() if path.startswith("report/")
    }
    assert here == set(ALLOWED_IN_REPORT)


def test_no_other_room_reads_a_sentence() -> None:
    there = {(module, text) for module, text in _everywhere() if not module.startswith("report/")}
    assert there == set(ALLOWED_ELSEWHERE)


def test_no_other_room_writes_a_sentence() -> None:
    written = {
        (module, text)
        for module, tree in _modules()
        if not module.startswith("report/") and module not in _TABLES
        for text in _english(tree)
    }
    assert written == set(ENGLISH_ELSEWHERE)


@pytest.mark.parametrize(
    "code",
    [
        "guard = str(problem).split(':')[0]",
        "guard, _, rest = problem.text.partition(': ')",
        "re.sub(r' \\(eipassoc-.*\\)', '', message)",
        "found = gateway_id in problem.text",
        "found = 'is held' in warning",
        "found = name in str(problem)",
        "same = drain.detail == other",
        "held = text.startswith('hold: ')",
    ],
)
def test_reading_a_sentence_is_found(code: str) -> None:
    assert [*_reads(ast.parse(code))]


@pytest.mark.parametrize(
    "code",
    [
        "problem = Problem(text='The gateway is busy.')",
        "text = f'{gateway} is busy'",
        "raise RequestRefused(f'{gateway} is busy')",
        "text = f'{gateway}: {\"it is busy\"}'",
    ],
)
def test_writing_a_sentence_is_found(code: str) -> None:
    assert [*_english(ast.parse(code))]
