"""What moto's CloudFormation needs so that a template of the CDK deploys, runs and is updated as it is.

State machines must land in the backend that executes, with their substitutions applied; functions must
keep their log group, and their code may lie in a bucket that does not exist; a reference to a version must
be the ARN of that version. An update must follow the references, or a version would be published before its
function has changed; it must keep what it cannot change, and whatever is to be retained.
"""

from collections.abc import Callable, Iterator
from typing import Any

from moto.awslambda import models as lambda_models
from moto.awslambda.utils import get_backend
from moto.cloudformation import parsing
from moto.stepfunctions import models as stepfunctions_models
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from natdrain_sim import resources  # noqa: F401 - moto finds its models by having them imported
from natdrain_sim.seams import Seam, private


def seams() -> Iterator[Seam]:
    """What to replace in moto: owner, name and replacement."""
    for known in (parsing.get_model_list, parsing.get_model_map, parsing.get_name_type_map):
        known.cache_clear()  # they may have been asked before the models below were there
    create, update = "create_from_cloudformation_json", "update_from_cloudformation_json"
    machine, function = stepfunctions_models.StateMachine, lambda_models.LambdaFunction
    yield lambda_models, "do_validate_s3", lambda: False
    yield stepfunctions_models, "stepfunctions_backends", stepfunctions_parser_backends
    yield machine, create, staticmethod(_substituted(private(machine, create)))
    yield machine, update, staticmethod(_substituted(private(machine, update)))
    yield function, create, staticmethod(_logging(private(function, create)))
    yield function, update, staticmethod(_logging(private(function, update)))
    yield lambda_models.LambdaVersion, create, staticmethod(_create_version)
    yield parsing.ResourceMap, "update", _update
    yield parsing, "parse_and_create_resource", _create_or_update(parsing.parse_and_create_resource)


def _substituted(make: Callable[..., Any]) -> Callable[..., Any]:
    def make_state_machine(*given: Any, **named: Any) -> Any:
        properties = _properties(given, named)
        for name, value in properties.get("DefinitionSubstitutions", {}).items():
            text = properties["DefinitionString"].replace(f"${{{name}}}", str(value))
            properties["DefinitionString"] = text
        return make(*given, **named)

    return make_state_machine


def _logging(make: Callable[..., Any]) -> Callable[..., Any]:
    def make_function(*given: Any, **named: Any) -> Any:
        function: Any = make(*given, **named)
        logging_config = _properties(given, named).get("LoggingConfig", {})
        function.logs_group_name = logging_config.get("LogGroup", function.logs_group_name)
        return function

    return make_function


def _properties(given: Any, named: Any) -> Any:
    """The resource's properties, which moto hands over for a creation by position, for an update by name."""
    return (named.get("cloudformation_json") or given[1])["Properties"]


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


def _update(self: Any, template: dict[str, Any], parameters: dict[str, Any] | None = None) -> None:
    """Change what differs when it is first referred to, and remove what is no longer there at the end."""
    names = self.build_resource_diff(template, parameters)
    earlier, there = dict(private(self, "_resource_json_map")), private(self, "_parsed_resources")
    self.changing = {name: there.pop(name) for name in names["Modify"] if name in there}
    removed = {name: there.pop(name) for name in names["Remove"] if name in there}
    self._template = template
    self._resource_json_map = template["Resources"]
    self.input_parameters = parameters or self.input_parameters
    self.load()
    self.create(template)
    for name, resource in removed.items():
        if earlier[name].get("DeletionPolicy") != "Retain":
            private(self, "_delete_resource")(resource, earlier[name])


def _create_or_update(create: Callable[..., Any]) -> Callable[..., Any]:
    def create_or_update(
        logical_id: str, resource_json: Any, resources_map: Any, account_id: str, region_name: str
    ) -> Any:
        original = vars(resources_map).get("changing", {}).pop(logical_id, None)
        if original is None:
            return create(logical_id, resource_json, resources_map, account_id, region_name)
        model, cleaned, _ = parsing.parse_resource(resource_json, resources_map)
        name_property = parsing.resource_name_property_from_type(resource_json["Type"])
        update = model.update_from_cloudformation_json
        if hasattr(update, "__isabstractmethod__"):
            return original  # moto cannot change it
        updated: Any = update(
            original_resource=original,
            new_resource_name=cleaned["Properties"].get(name_property, original.physical_resource_id),
            cloudformation_json=cleaned,
            account_id=account_id,
            region_name=region_name,
        )
        updated.cf_resource_type, updated.logical_resource_id = resource_json["Type"], logical_id
        return updated

    return create_or_update
