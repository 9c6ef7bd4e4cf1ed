"""The command `natdrain-sim`, run in this process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from natdrain_sim import progress
from natdrain_sim.cli import main
from natdrain_sim.scenario import DEFAULT, Scenario, ScenarioError
from support.places import SAMPLES

REQUEST = SAMPLES / "request.manual.json"

BROKEN = """
[[gateway]]
gateway_id = "nat-1234567890abcdef0"
adress = []
"""


def scenario_file(folder: Path, text: str) -> Path:
    path = folder / "scenario.toml"
    path.write_text(text)
    return path


def test_run_reports_status_result_states_calls_and_cuts_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--input", str(REQUEST), "-o", "json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["status"], report["result"]["Changed"], report["connections_cut"]) == (
        "SUCCEEDED",
        "all",
        0,
    )
    assert report["states"][0] == [0.0, "Begin"]
    assert report["calls"]["ec2:DisassociateNatGatewayAddress"] == 1


def test_run_prints_a_readable_report_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--input", str(REQUEST)]) == 0
    output = capsys.readouterr().out
    for part in ("SUCCEEDED after 3", "0 s  Disassociate", "1    ec2:Disassociate", "Connections cut: 0"):
        assert part in output


def test_run_returns_1_when_the_execution_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    request = tmp_path / "request.json"
    request.write_text('{"NatGatewayId": "nat-1234567890abcdef0"}')
    assert main(["run", "--input", str(request)]) == 1
    assert "FAILED RequestRefused" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "No such file"),
        ("", "is not JSON"),
        ("{", "is not JSON"),
        ('{"MaxDrainDurationSeconds": NaN}', "NaN is not a JSON number"),
    ],
)
def test_run_explains_an_invalid_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None, problem: str
) -> None:
    request = tmp_path / "request.json"
    if text is not None:
        request.write_text(text)
    assert main(["run", "--input", str(request)]) == 2
    assert problem in capsys.readouterr().err


def test_run_applies_lags_faults_and_a_foreign_drain_of_a_scenario(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    foreign = 'public_ip = "3.211.231.218"\n'
    text = DEFAULT.read_text().replace(foreign, f"{foreign}draining_with_limit = 900\n")
    text = f"seed = 4\nlags = {{ leave_after_limit = [10, 10] }}\n{text}"
    text += '\n[[fault]]\noperation = "ec2:DescribeAddresses"\nerror = "Unavailable"\ncalls = [1]\n'
    path = scenario_file(tmp_path, text)
    assert main(["run", "--input", str(REQUEST), "--scenario", str(path), "-o", "json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["result"]["Addresses"][0]["Adopted"] is True
    assert 850 <= report["seconds"] <= 850 + 91, "the foreign drain began a minute before"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (BROKEN, "gateway[0].adress: unknown key; did you mean address?"),
        ("seed = 'x'", "seed: Input should be a valid integer"),
        ("start_at = 2026-10-02T17:00:00", "start_at: Input should have timezone info"),
        ("[[gateway", "Expected"),
        ("[[gateway]]\nstate = 'gone'", "gateway[0].state: Input should be 'pending', 'available'"),
        ("[[gateway]]\ntags = { managed = true }", "gateway[0].tags.managed: Input should be a valid string"),
        ("lags = { leave_after_limit = [40, 0] }", "lags.leave_after_limit must be [least, most]"),
        ("lags = { associate = -3 }", "lags.associate: Input should be greater than or equal to 0"),
        (
            "[[gateway]]\ntraffic = { per_second = 1, lifetime_seconds = [50, 5] }",
            "gateway[0].traffic: lifetime_seconds must be [least, most], neither of them negative",
        ),
        (
            "[[gateway]]\ntraffic = { per_second = 0, lifetime_seconds = [5, 50] }",
            "gateway[0].traffic.per_second: Input should be greater than 0",
        ),
        (
            "[[fault]]\noperation = 'ec2:DescribeNatGatewayz'\nerror = 'x'",
            "fault.operation 'ec2:DescribeNatGatewayz' does not exist; an example is ec2:DescribeNatGateways",
        ),
        ("[[fault]]\noperation = 'DescribeNatGateways'\nerror = 'x'", "'DescribeNatGateways' does not exist"),
        (
            "[[fault]]\noperation = 'sts:GetCallerIdentity'\nerror = 'x'\ncalls = [0]",
            "fault[0].calls[0]: Input should be greater than 0",
        ),
        (
            "[[fault]]\noperation = 'sts:GetCallerIdentity'\nerror = 'x'\ncalls = []",
            "fault[0].calls: Frozenset should have at least 1 item",
        ),
    ],
)
def test_scenario_names_the_wrong_key(tmp_path: Path, text: str, problem: str) -> None:
    path = scenario_file(tmp_path, text)
    with pytest.raises(ScenarioError) as wrong:
        Scenario.load(path)
    assert str(path) in str(wrong.value)
    assert problem in str(wrong.value)


# Each asks the application, which takes five seconds to start: `make test` sees one of them.
COMMANDS_WITH_A_CONFIGURATION = [
    pytest.param(["demo"], marks=pytest.mark.deep),
    pytest.param(["run", "--input", str(REQUEST)], marks=pytest.mark.deep),
    ["serve"],
]
MISTAKE = "[table]\nrecovery_dayz = 7\n"


def config_file(folder: Path, text: str) -> Path:
    path = folder / "natdrain.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("command", COMMANDS_WITH_A_CONFIGURATION)
def test_command_prints_one_line_when_the_configuration_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setattr(progress, "FIRST_LINE_AFTER_SECONDS", 600)
    path = config_file(tmp_path, MISTAKE)
    assert main([*command, "--config", str(path)]) == 2
    errors = capsys.readouterr().err
    assert errors.startswith(f"natdrain-sim: {path}: table.recovery_dayz")
    assert "Traceback" not in errors
    assert len(errors.splitlines()) == 1


def test_command_names_the_file_when_the_configuration_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "--input", str(REQUEST), "--config", str(tmp_path / "none.toml")]) == 2
    assert "none.toml" in capsys.readouterr().err


def test_run_deploys_the_given_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    request = tmp_path / "request.json"
    request.write_text('{"NatGatewayId": "nat-1234567890abcdef0", "PublicIps": ["3.211.231.218"]}')
    path = config_file(tmp_path, "[defaults]\nmax_drain_duration_seconds = 60\n")
    assert main(["run", "--input", str(request), "--config", str(path), "-o", "json"]) == 0
    assert 60 <= json.loads(capsys.readouterr().out)["seconds"] <= 60 + 91


@pytest.mark.parametrize("speed", ["0", "-1", "nan", "inf", "fast"])
def test_serve_refuses_an_invalid_speed(capsys: pytest.CaptureFixture[str], speed: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["serve", "--speed", speed])
    assert f"{speed} is not a number greater than 0" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_serve_refuses_an_invalid_port(capsys: pytest.CaptureFixture[str], port: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["serve", "--port", port])
    assert f"{port} is not a number from 0 to 65535" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text",
    [
        "[[gateway]]\ngateway_id = 'nat-foo'\naddress = [{}]",
        "[[gateway]]\naddress = [{ draining_with_limit = 60 }, {}]",
        "[[gateway]]\naddress = [{}, { draining_with_limit = 9000 }]",
        f"[[gateway]]\naddress = [{', '.join(['{}'] * 9)}]",
    ],
)
def test_run_explains_why_ec2_refuses_a_scenario(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    path = scenario_file(tmp_path, text)
    assert main(["run", "--input", str(REQUEST), "--scenario", str(path)]) == 2
    assert "EC2 refuses the scenario: " in capsys.readouterr().err


def test_run_ignores_the_aws_settings_of_the_shell(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_PROFILE": "nosuch",
        "AWS_USE_FIPS_ENDPOINT": "true",
        "AWS_REGION": "eu-west-1",
    }.items():
        monkeypatch.setenv(name, value)
    assert main(["run", "--input", str(REQUEST), "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["status"] == "SUCCEEDED"


def test_run_counts_connections_that_outlive_the_limit_as_cut(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request = tmp_path / "request.json"
    request.write_text(json.dumps({**json.loads(REQUEST.read_text()), "MaxDrainDurationSeconds": 1}))
    assert main(["run", "--input", str(request), "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["connections_cut"] > 10


def test_demo_compares_both_and_ends_with_the_command_that_puts_the_address_back(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["demo"]) == 0
    lines = capsys.readouterr().out.splitlines()
    (comparison,) = [line for line in lines if line.startswith("Connections cut by the script")]
    by_script, by_natdrain = [
        int(word.rstrip(".")) for word in comparison.split() if word.rstrip(".").isdigit()
    ]
    assert by_script > 0
    assert by_natdrain == 0
    assert any("still open 150 s after EC2 accepts the request is cut" in line for line in lines)
    assert "Connections cut by EC2: 1. To put the address back:" in lines
    assert lines[-1].startswith("aws stepfunctions start-execution ")
    assert '"Associate"' in lines[-1]
