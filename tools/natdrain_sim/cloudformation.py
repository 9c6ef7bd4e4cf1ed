"""What moto's CloudFormation needs so that a template of the CDK deploys and runs as it is.

State machines must land in the backend that executes, with their substitutions applied; functions must
keep their log group, and their code may lie in a bucket that does not exist; a reference to a version must
be the ARN of that version.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from moto.awslambda import models as lambda_models
from moto.awslambda.utils import get_backend
from moto.stepfunctions import models as stepfunctions_models
from moto.stepfunctions.parser.models import stepfunctions_parser_backends


@contextmanager
def install() -> Iterator[None]:
    """Fill the gaps of moto's CloudFormation."""
    with ExitStack() as stack:
        stack.enter_context(patch.object(lambda_models, "do_validate_s3", lambda: False))
        stack.enter_context(
            patch.object(stepfunctions_models, "stepfunctions_backends", stepfunctions_parser_backends)
        )
        for name, replacement in _state_machine():
            stack.enter_context(
                patch.object(stepfunctions_models.StateMachine, name, staticmethod(replacement))
            )
        for owner, create in (
            (lambda_models.LambdaFunction, _create_function()),
            (lambda_models.LambdaVersion, _create_version),
        ):
            stack.enter_context(patch.object(owner, "create_from_cloudformation_json", staticmethod(create)))
        yield


def _state_machine() -> Iterator[tuple[str, Any]]:
    create = stepfunctions_models.StateMachine.create_from_cloudformation_json
    update = stepfunctions_models.StateMachine.update_from_cloudformation_json

    def create_state_machine(resource_name: str, cloudformation_json: Any, *rest: Any, **more: Any) -> Any:
        machine = create(resource_name, _with_definition(cloudformation_json), *rest, **more)
        properties = cloudformation_json["Properties"]
        if "LoggingConfiguration" in properties:
            machine.loggingConfiguration = _as_api(properties["LoggingConfiguration"])
        if "TracingConfiguration" in properties:
            machine.tracingConfiguration = _as_api(properties["TracingConfiguration"])
        return machine

    def update_state_machine(*, cloudformation_json: Any, **more: Any) -> Any:
        return update(cloudformation_json=_with_definition(cloudformation_json), **more)

    yield "create_from_cloudformation_json", create_state_machine
    yield "update_from_cloudformation_json", update_state_machine


def _with_definition(resource: Any) -> Any:
    """The resource with its definition as a string, substitutions applied."""
    properties = resource["Properties"]
    definition = properties.get("DefinitionString") or json.dumps(properties["Definition"])
    for name, value in properties.get("DefinitionSubstitutions", {}).items():
        definition = definition.replace(f"${{{name}}}", str(value))
    return {**resource, "Properties": {**properties, "DefinitionString": definition}}


def _as_api(value: Any) -> Any:
    """CloudFormation's property names as the Step Functions API spells them: with a small first letter."""
    if isinstance(value, dict):
        return {name[0].lower() + name[1:]: _as_api(member) for name, member in value.items()}
    return [_as_api(member) for member in value] if isinstance(value, list) else value


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
