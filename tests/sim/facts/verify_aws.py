"""The program behind `make verify-aws`, which checks the facts in tests/sim/facts in the user's AWS account.

Exit status 0: every fact holds; 1: a fact does not hold or could not be checked, or a resource could not be
removed; 2: nothing was created; 130: interrupted.
"""

from __future__ import annotations

import argparse
import secrets
import signal
import sys
import time
from collections import Counter
from collections.abc import Generator, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING
from urllib.parse import urlparse

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from support.account import TAG, VERIFIED, is_no_answer
from support.cleanup import find, name, remove, remove_run, tell
from support.real_account import NotThereError, Pace, RealAccount

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_service_quotas import ServiceQuotasClient
    from mypy_boto3_sts import STSClient

HERE = Path(__file__).parent
ALL_HOLD, NOT_ALL_HOLD, NOTHING_BEGUN, INTERRUPTED = 0, 1, 2, 130
HOLDS, DOES_NOT_HOLD, NOT_CHECKED = "holds", "DOES NOT HOLD", "could not be checked"
AWS_DOMAINS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")

PLAN = f"""\
It will create these resources with the tag {TAG}, use them and remove them again:
  2 VPCs with a subnet each, 1 internet gateway; no routes and no instances, so no traffic
  1 public and 1 private NAT gateway; another public one when a fact has made it unusable
  2 Elastic IPs, and up to 2 more for facts that need more than the default quota of 2 on a gateway
All facts take about an hour. In us-east-1 they cost about $0.20, and $0.045 for each further gateway:
  NAT gateways  $0.045 per hour or part of an hour: 2 x 2 x $0.045 = $0.18, or half of it within an hour
  Elastic IPs   $0.005 per hour: 4 x $0.005 = $0.02
  (https://aws.amazon.com/vpc/pricing/ has the prices of your region; there is no charge for data here)"""


class Interruption:
    """The handler of SIGINT, SIGTERM and SIGHUP: the first ends the work, none ends the cleaning up."""

    def __init__(self) -> None:
        self.happened = False
        self.working = True
        signal.signal(signal.SIGINT, self._note)
        signal.signal(signal.SIGTERM, self._note)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup sets it
            signal.signal(signal.SIGHUP, self._note)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        first, self.happened = not self.happened, True
        if first and self.working:
            raise KeyboardInterrupt
        tell("Still cleaning up. This cannot be interrupted, because resources that stay cost money.")


class Verifier:
    """A pytest plugin that runs the facts in the cheapest order and reports a verdict on each."""

    def __init__(self, account: RealAccount, only: str) -> None:
        self._account = account
        self._only = only
        self.verdicts: Counter[str] = Counter()
        self.count = 0

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Move facts that make the gateway unusable for others to the end."""
        last = ("deleted", "draining")
        items.sort(key=lambda one: [fixture in one.fixturenames for fixture in last])  # type: ignore[attr-defined]  # all are functions

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.count = len(session.items)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Report a verdict; a fact is not checked if a fixture fails or EC2 gave no response."""
        report = yield
        if call.excinfo is None:
            if call.when == "call":
                self._report(item, HOLDS)
        elif call.when == "call" and not report.skipped and not is_no_answer(call.excinfo.value):
            self._report(item, DOES_NOT_HOLD, f"seen: {call.excinfo.value}")
        elif call.when != "teardown":
            self._report(item, NOT_CHECKED, f"why: {call.excinfo.value}")
        return report

    def _report(self, item: pytest.Item, verdict: str, detail: str = "") -> None:
        self.verdicts[verdict] += 1
        text, source = item.get_closest_marker("fact").args  # type: ignore[union-attr]  # only facts run
        case = f" [{item.callspec.id}]" if hasattr(item, "callspec") else ""
        tell(f"{verdict:<21} {text}{case} ({source})")
        for line in detail.splitlines()[:6]:
            tell(f"{'':<24}{line}")

    def run(self, *options: str) -> None:
        """Run the facts without pytest's report and without the options of this project's tests."""
        # An interruption of pytest's own work must not count as a failure.
        off = [f"-pno:{plugin}" for plugin in ("terminal", "cacheprovider", "xdist", "unraisableexception")]
        chosen = ["-m", "fact", "-k", self._only, str(HERE)]
        pytest.main(["-o", "addopts=", "--strict-markers", "-s", *off, *options, *chosen], [self])

    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[VERIFIED] = self._account

    # Errors that pytest's own report would show.
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            tell(report.longreprtext)

    def pytest_internalerror(self, excrepr: object) -> None:
        tell(str(excrepr))

    @property
    def all_hold(self) -> bool:
        return 0 < self.count == self.verdicts[HOLDS]

    def summary(self) -> str:
        seen = self.verdicts
        return (
            f"{self.count} facts: {seen[HOLDS]} hold, {seen[DOES_NOT_HOLD]} do not, "
            f"{seen[NOT_CHECKED]} could not be checked, {self.count - seen.total()} not reached"
        )


def main(arguments: Sequence[str] | None = None) -> int:
    chosen = _parser().parse_args(arguments)
    interruption = Interruption()
    try:
        ec2, quotas, pace = _connect()
        left_over = find(ec2)
        run_id = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
        account = RealAccount(ec2, quotas, run_id, pace)
        verifier = Verifier(account, chosen.only)
        verifier.run("--collect-only")
        if interruption.happened:  # pytest keeps it
            return INTERRUPTED
        if not verifier.count:
            tell(f"Nothing was created: no fact has a test name that matches {chosen.only!r}.")
            return NOTHING_BEGUN
        if not _agreed(left_over, yes=chosen.yes):
            return NOTHING_BEGUN
    except (BotoCoreError, ClientError) as error:
        sys.stderr.write(f"verify-aws: {error}\n")
        return NOTHING_BEGUN
    except KeyboardInterrupt:
        return INTERRUPTED
    tell(f"Run {run_id}")
    return _verify(account, verifier, left_over, interruption)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="verify-aws", description="Check the facts about EC2 in your own account."
    )
    parser.add_argument("--only", default="", metavar="WORDS", help="only tests that match, as pytest's -k")
    parser.add_argument("--yes", action="store_true", help="create and remove without confirmation")
    return parser


def _connect() -> tuple[EC2Client, ServiceQuotasClient, Pace]:
    """Connect with the environment's settings; print the account and the speed of its time."""
    session = boto3.Session()
    ec2 = session.client("ec2", config=Config(retries={"mode": "standard", "total_max_attempts": 8}))
    quotas = session.client("service-quotas", config=ec2.meta.config)
    endpoint = ec2.meta.endpoint_url
    sts = session.client("sts")
    account = sts.get_caller_identity()["Account"]
    tell(f"Account {account}, region {ec2.meta.region_name}, endpoint {endpoint}")
    if (urlparse(endpoint).hostname or "").endswith(AWS_DOMAINS):
        return ec2, quotas, Pace()
    pace = Pace(_speed(sts))
    tell(f"Not an endpoint of AWS; its time passes {pace.speed or 1:g} times as fast as real time")
    return ec2, quotas, pace


def _speed(sts: STSClient) -> float | None:
    """Measure the speed of an embedded cloud's time by the dates of its responses; None is real time."""

    def date() -> datetime:
        headers = sts.get_caller_identity()["ResponseMetadata"]["HTTPHeaders"]
        return parsedate_to_datetime(headers["date"])

    began_at, began = date(), time.monotonic()
    time.sleep(1)
    speed = (date() - began_at).total_seconds() / (time.monotonic() - began)
    # Dates are whole seconds, so a small value is real time.
    return round(speed) if speed > 2.5 else None


def _agreed(left_over: Sequence[str], *, yes: bool) -> bool:
    if left_over:
        tell(f"Resources have the tag {TAG}. An earlier run left them, or another run is using them:")
        for one in left_over:
            tell(f"  {name(one)}")
        tell("They will be removed first.")
    tell(PLAN)
    if yes:
        return True
    tell("Type yes to continue: ")
    if sys.stdin.readline().strip() == "yes":
        return True
    tell("Nothing was created. Without a terminal, use --yes to agree.")
    return False


def _verify(
    account: RealAccount, verifier: Verifier, left_over: Sequence[str], interruption: Interruption
) -> int:
    ec2, pace = account.ec2, account.pace
    left = list(left_over)
    try:
        try:
            left = list(remove(ec2, left_over, pace))
            account.prepare()
            verifier.run()
        finally:
            interruption.working = False
    except KeyboardInterrupt:
        pass  # reported below; pytest handles one that comes while a fact is checked
    except (BotoCoreError, ClientError, NotThereError) as error:
        tell(f"No fact could be checked: {error}")
    finally:
        tell("Cleaning up")
        clean = remove_run(ec2, account.run_id, [*left, *account.created], pace)
    ended = "interrupted; " if interruption.happened else ""
    left_or_not = "everything is cleaned up" if clean else "RESOURCES MAY BE LEFT, see above"
    tell(f"{ended}{verifier.summary()}; {left_or_not}")
    if interruption.happened:
        return INTERRUPTED
    return ALL_HOLD if verifier.all_hold and clean else NOT_ALL_HOLD


if __name__ == "__main__":
    sys.exit(main())
