from typing import Any

from support.stub_functions import StubCloud, invoke, stub_cloud


def machine(cloud: StubCloud) -> Any:
    return cloud.client("stepfunctions").describe_state_machine(stateMachineArn=cloud.outputs["MachineArn"])


def test_template_deploys_when_its_assets_do_not_exist() -> None:
    with stub_cloud({"Type": "Succeed"}) as cloud:
        (stack,) = cloud.client("cloudformation").describe_stacks(StackName="stub")["Stacks"]
        assert stack["StackStatus"] == "CREATE_COMPLETE"


def test_template_state_machine_has_its_substitutions_applied() -> None:
    with stub_cloud(invoke("${Look}")) as cloud:
        assert cloud.outputs["LookArn"] in machine(cloud)["definition"]


def test_template_reference_to_a_version_is_the_arn_of_that_version() -> None:
    with stub_cloud({"Type": "Succeed"}) as cloud:
        assert cloud.outputs["LookArn"].startswith(
            "arn:aws:lambda:eu-central-1:123456789012:function:stub-Look"
        )
        assert cloud.outputs["LookArn"].endswith(":1")


def test_template_deletion_removes_the_state_machine() -> None:
    with stub_cloud({"Type": "Succeed"}) as cloud:
        cloud.client("cloudformation").delete_stack(StackName="stub")
        assert cloud.client("stepfunctions").list_state_machines()["stateMachines"] == []
