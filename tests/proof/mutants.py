"""`make prove-mutants`: deliberate faults, one at a time in a copy of the tree; the proof must find each."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from proof.saying import DISPROVEN, say
from support.places import PROJECT

AT_ONCE = 2
MAX_SHOWN_CHARACTERS = 300
NOTHING = "nothing, first"
"""The cases in which nothing goes wrong; every invariant holds for them too."""


@dataclass(frozen=True)
class Mutant:
    """A deliberate fault: the replaced text of a file, and the paths and cases that must find it."""

    name: str
    file: str
    before: str
    after: str
    paths: tuple[str, ...]
    only: str = NOTHING


MUTANTS = (
    Mutant(
        "the lock is taken without its condition",
        "infra/workflows/lock.py",
        "attribute_not_exists(#owner) OR #owner = :me",
        "attribute_not_exists(Never) OR #owner = :me",
        ("busy",),
    ),
    Mutant(
        "the lock is taken over while its holder runs",
        "infra/workflows/lock.py",
        "$holderStatus = 'RUNNING'",
        "$holderStatus = 'NEVER'",
        ("busy",),
    ),
    Mutant(
        "the fencing is removed: an execution that lost the lock still asks EC2",
        "lambdas/natdrain/store/lock.py",
        "return Attr(R.OWNER).eq(self.owner)",
        'return Attr(R.OWNER).eq(self.owner) | Attr("Never").not_exists()',
        ("by_hand",),
        "takes the lock by hand",
    ),
    Mutant(
        "the lock is not freed at the end",
        "lambdas/natdrain/store/lock.py",
        "_HELD = ((R.OWNER,), (R.SINCE,), (R.REASON,))",
        '_HELD = (("Never",), (R.SINCE,), (R.REASON,))',
        ("by_hand",),
    ),
    Mutant(
        "the second look before a release is removed",
        "lambdas/natdrain/change/after/release.py",
        "SECOND_LOOK_AFTER = timedelta(",
        "SECOND_LOOK_AFTER = 0 * timedelta(",
        ("release_left_before",),
    ),
    Mutant(
        "the primary address may go",
        "lambdas/natdrain/model/gateway.py",
        "return address.is_primary is True or (",
        "return False and (",
        ("primary",),
    ),
    Mutant(
        "the guard of what remains is removed",
        "lambdas/natdrain/guards/capacity.py",
        ") < least:",
        ") < 0:",
        ("too_many",),
    ),
    Mutant(
        "a protected address may go",
        "lambdas/natdrain/guards/eligibility.py",
        "key.lower() == PROTECT_TAG",
        "key.lower() is None",
        ("protected",),
    ),
    Mutant(
        "a hold is ignored",
        "lambdas/natdrain/store/holds.py",
        "for held in (gateway_id, R.ALL))",
        "for held in (R.ALL,))",
        ("by_hand",),
        "holds the gateway",
    ),
    Mutant(
        "an overdue drain is reported as drained",
        "lambdas/natdrain/change/leave/progress.py",
        "drain.ended(AddressOutcome.OVERDUE",
        "drain.ended(AddressOutcome.DRAINED",
        ("overdue",),
    ),
    Mutant(
        "transient failures are not retried",
        "infra/workflows/retries.py",
        "    TransientFailure.__name__,\n",
        "",
        ("by_hand",),
        "throttled for 60 s",
    ),
    Mutant(
        "answers that doubt the credentials are not retried",
        "lambdas/natdrain/aws/errors.py",
        "DOUBTED_CODES if repeatable",
        "frozenset() if repeatable",
        ("by_hand",),
        "odd credentials, first",
    ),
    Mutant(
        "automatic requests are not counted",
        "lambdas/natdrain/handlers/disassociate.py",
        "and before.takes:",
        "and not before.takes:",
        ("past_the_pace",),
    ),
    Mutant(
        "what an earlier attempt has asked for is asked for again",
        "lambdas/natdrain/handlers/associate.py",
        "if earlier := _asked_by_an_earlier_attempt(written, joins, ids):",
        "if earlier := list[Join]():",
        ("join",),
        "Associate lambda:Invoke: dies after (Sandbox.Timedout), first",
    ),
    Mutant(
        "a request whose answer was lost is made again at once",
        "lambdas/natdrain/change/waiting.py",
        "SETTLE_SECONDS = 60",
        "SETTLE_SECONDS = 0",
        ("join",),
        "Associate ec2:AssociateNatGatewayAddress: internal error, first",
    ),
    Mutant(
        "the intent of a join is forgotten although its answer is unknown",
        "lambdas/natdrain/handlers/close.py",
        "_UNFINISHED = {None, ",
        "_UNFINISHED = {",
        ("join",),
        "Associate dynamodb:UpdateItem: access denied, later",
    ),
    Mutant(
        "a join is forgotten by the next execution",
        "lambdas/natdrain/change/join/progress.py",
        "return join if entry is not None or look.seen_at",
        "return None if entry is not None or look.seen_at",
        ("join_take_over",),
    ),
    Mutant(
        "what has come into service is taken off with what has failed",
        "lambdas/natdrain/change/join/decide.py",
        "for join in listed if _to_remove(join))",
        "for join in listed if any(map(_to_remove, joins)))",
        ("join_one_fails",),
    ),
    Mutant(
        "what somebody else has associated is taken off when it fails",
        "lambdas/natdrain/model/join.py",
        "asked = known and progress.requested_at is not None and progress.removal_at is None",
        "asked = known and progress.removal_at is None",
        ("join_adopted_fails",),
    ),
    Mutant(
        "what has failed to join is taken off although somebody protects it",
        "lambdas/natdrain/guards/judging.py",
        "Guard.PROTECT, Guard.HOLD, Guard.AWS_MANAGED)\n",
        "Guard.HOLD, Guard.AWS_MANAGED)\n",
        ("join_fails",),
        "protects the joining one, look 3",
    ),
    Mutant(
        "what has failed to join stays and is reported as absent",
        "lambdas/natdrain/change/join/progress.py",
        "    if entry.status == FAILED:\n        return _failed(join, entry, look)\n",
        "    if entry.status == FAILED:\n        return join.ended(AddressOutcome.JOIN_FAILED)\n",
        ("join_fails",),
    ),
    Mutant(
        "the guard of free room is removed",
        "lambdas/natdrain/guards/joining.py",
        "    if needed <= most:\n",
        "    if needed:\n",
        ("join_no_room",),
    ),
    Mutant(
        "a stopped execution is not recorded", "infra/workflows/record.py", '"ABORTED", ', "", ("stopped",)
    ),
)


class StaleMutantError(Exception):
    """The error of a mutant whose text does not occur exactly once, and which so proves nothing."""


def found_by(mutant: Mutant) -> str | None:
    """Return what the proof finds first on a copy of the tree with this fault; None if nothing.

    Raises:
        StaleMutantError: the code has changed, and the mutant must be adapted.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "natdrain"
        left_out = shutil.ignore_patterns(".*", "node_modules", "cdk.out", "dist", "__pycache__")
        shutil.copytree(PROJECT, copy, ignore=left_out)
        apply(copy, mutant)
        # First in the path, before installed packages; proof.prove checks that it runs these.
        path = os.pathsep.join(str(copy / folder) for folder in ("lambdas", "tools", "tests"))
        asked = ["--paths", *mutant.paths, "--only", mutant.only, "--stop-at-first"]
        proved = subprocess.run(
            [sys.executable, "-m", "proof.prove", *asked],
            cwd=copy,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
    if proved.returncode not in {0, DISPROVEN}:
        raise RuntimeError(f"{mutant.name}: the proof did not run: {proved.stdout}{proved.stderr}")
    wrong = proved.stdout.partition("WRONG ")[2].strip()
    return wrong if proved.returncode == DISPROVEN else None


def apply(tree: Path, mutant: Mutant) -> None:
    """Put the fault into this tree.

    Raises:
        StaleMutantError: the text to replace does not occur exactly once.
    """
    file = tree / mutant.file
    text = file.read_text()
    if text.count(mutant.before) != 1:
        raise StaleMutantError(f"{mutant.name}: {mutant.before!r} is {text.count(mutant.before)} times there")
    file.write_text(text.replace(mutant.before, mutant.after))


def main() -> int:
    """Try all mutants; return 1 if one survives."""
    began = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(pool.map(found_by, MUTANTS))
    for mutant, wrong in zip(MUTANTS, found, strict=True):
        say(f"{'found' if wrong else 'SURVIVES'}: {mutant.name} ({mutant.file})")
        say(f"  {wrong[:MAX_SHOWN_CHARACTERS]}" if wrong else "  the proof does not see it")
    say(f"{sum(map(bool, found))} of {len(MUTANTS)} found in {time.monotonic() - began:.0f} s")
    return 0 if all(found) else 1


if __name__ == "__main__":
    sys.exit(main())
