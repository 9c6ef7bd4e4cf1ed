"""What moto's CloudFormation needs so that a template of the CDK deploys and runs as it is.

State machines must land in the backend that executes, with their substitutions applied; functions must
keep their log group, and their code may lie in a bucket that does not exist; a reference to a version must
be the ARN of that version.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from moto.awslambda import models as lambda_models
from moto.awslambda.utils import get_backend
from moto.stepfunctions import models as stepfunctions_models
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from natdrain_sim.jsonata import Seam


@contextmanager
def install() -> Iterator[None]:
    """Fill the gaps of moto's CloudFormation."""
    create = "create_from_cloudformation_json"
    seams: tuple[Seam, ...] = (
        (lambda_models, "do_validate_s3", lambda: False),
        (stepfunctions_models, "stepfunctions_backends", stepfunctions_parser_backends),
        (stepfunctions_models.StateMachine, create, staticmethod(_create_state_machine())),
        (lambda_models.LambdaFunction, create, staticmethod(_create_function())),
        (lambda_models.LambdaVersion, create, staticmethod(_create_version)),
    )
    with ExitStack() as stack:
        for seam in seams:
            stack.enter_context(patch.object(*seam))
        yield


def _create_state_machine() -> Any:
    create = stepfunctions_models.StateMachine.create_from_cloudformation_json

    def create_state_machine(resource_name: str, cloudformation_json: Any, *rest: Any, **more: Any) -> Any:
        properties = cloudformation_json["Properties"]
        definition = properties["DefinitionString"]
        for name, value in properties.get("DefinitionSubstitutions", {}).items():
            definition = definition.replace(f"${{{name}}}", str(value))
        applied = {**cloudformation_json, "Properties": {**properties, "DefinitionString": definition}}
        return create(resource_name, applied, *rest, **more)

    return create_state_machine


def _create_function() -> Any:
    create = lambda_models.LambdaFunction.create_from_cloudformation_json

    def create_function(resource_name: str, cloudformation_json: Any, *rest: Any, **more: Any) -> Any:
        function: Any = create(resource_name, cloudformation_json, *rest, **more)
        logging_config = cloudformation_json["Properties"].get("LoggingConfig", {})
        function.logs_group_name = logging_config.get("LogGroup", function.logs_group_name)
        return function

    return create_function


def _create_version(
    resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **rest: Any
) -> Any:
    del resource_name, rest
    backend = get_backend(account_id, region_name)
    function: Any = backend.publish_version(cloudformation_json["Properties"]["FunctionName"])
    make: Any = lambda_models.LambdaVersion  # moto leaves it abstract for the type checker
    version = make({"Version": function.version})
    version.physical_resource_id = function.function_arn
    return version
