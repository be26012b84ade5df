"""What CloudFormation in moto lacks of a stack like Petra's: HTTP APIs, and state machines that run.

These types are made with moto's own service, so that they are found there by the service's API afterwards. Types that
moto knows nothing of get an id and an ARN, for others to refer to. Only creation: a virtual account lives shorter
than a stack that is updated.
"""

import json

from moto.apigatewayv2.models import apigatewayv2_backends
from moto.cloudformation import parsing
from moto.core.common_models import CloudFormationModel
from moto.stepfunctions import models as step_functions
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

# CloudFormation would else make state machines in the backend that does not execute them.
step_functions.stepfunctions_backends = stepfunctions_parser_backends


class Created:
    def __init__(self, physical_id, attributes):
        self.physical_resource_id = physical_id
        self.attributes = attributes

    @staticmethod
    def cloudformation_name_type():
        return ""

    @classmethod
    def has_cfn_attr(cls, attr):
        return True

    def is_created(self):
        return True

    def get_cfn_attribute(self, attribute_name):
        return self.attributes[attribute_name]


def creates(kind, create):
    """A CloudFormation type: `create` gets the backend and the properties, and gives id and attributes."""

    def from_json(cls, resource_name, cloudformation_json, account_id, region_name, **_):
        made = create(apigatewayv2_backends[account_id][region_name], cloudformation_json["Properties"])
        return cls(*made)

    return type(
        kind.replace("::", ""),
        # moto looks for types among its model's direct subclasses, and for their service in the module's name.
        (Created, CloudFormationModel),
        {
            "__module__": "moto.apigatewayv2.cloudformation",
            "cloudformation_type": staticmethod(lambda: kind),
            "create_from_cloudformation_json": classmethod(from_json),
        },
    )


def create_api(backend, properties):
    api = backend.create_api(
        api_key_selection_expression=None,
        cors_configuration=properties.get("CorsConfiguration"),
        description=properties.get("Description"),
        disable_schema_validation=None,
        disable_execute_api_endpoint=properties.get("DisableExecuteApiEndpoint"),
        name=properties["Name"],
        protocol_type=properties["ProtocolType"],
        route_selection_expression=None,
        tags=properties.get("Tags", {}),
        version=properties.get("Version"),
    )
    return api.api_id, {"ApiId": api.api_id, "ApiEndpoint": api.api_endpoint}


def create_integration(backend, properties):
    integration = backend.create_integration(
        api_id=properties["ApiId"],
        connection_id=None,
        connection_type="INTERNET",
        content_handling_strategy=None,
        credentials_arn=properties.get("CredentialsArn"),
        description=properties.get("Description"),
        integration_method=properties.get("IntegrationMethod"),
        integration_subtype=None,
        integration_type=properties["IntegrationType"],
        integration_uri=properties["IntegrationUri"],
        passthrough_behavior=None,
        payload_format_version=properties.get("PayloadFormatVersion"),
        request_parameters=None,
        request_templates=None,
        response_parameters=None,
        template_selection_expression=None,
        timeout_in_millis=properties.get("TimeoutInMillis"),
        tls_config=None,
    )
    return integration.id, {"IntegrationId": integration.id}


def create_route(backend, properties):
    route = backend.create_route(
        api_id=properties["ApiId"],
        api_key_required=False,
        authorization_scopes=[],
        authorization_type=properties.get("AuthorizationType", "NONE"),
        authorizer_id=properties.get("AuthorizerId"),
        model_selection_expression=None,
        operation_name=properties.get("OperationName"),
        request_models=None,
        request_parameters=None,
        route_key=properties["RouteKey"],
        route_response_selection_expression=None,
        target=properties["Target"],
    )
    return route.route_id, {"RouteId": route.route_id}


def create_stage(backend, properties):
    config = {name[0].lower() + name[1:]: value for name, value in properties.items()}
    stage = backend.create_stage(properties["ApiId"], config)
    return stage.name, {}


types = [
    creates("AWS::ApiGatewayV2::Api", create_api),
    creates("AWS::ApiGatewayV2::Integration", create_integration),
    creates("AWS::ApiGatewayV2::Route", create_route),
    creates("AWS::ApiGatewayV2::Stage", create_stage),
]


class Unknown(Created, CloudFormationModel):
    """A resource of a type that moto does not know: nothing is made, but others may refer to it."""

    __module__ = "moto.cloudformation.unknown"

    @staticmethod
    def cloudformation_type():
        return "AWS::SERVICE::UNKNOWN"

    @classmethod
    def create_from_cloudformation_json(cls, resource_name, cloudformation_json, account_id, region_name, **kwargs):
        service = kwargs["ResourceType"].split("::")[1].lower()
        return cls(resource_name, {"Arn": f"arn:aws:{service}:{region_name}:{account_id}:{resource_name}"})

    def get_cfn_attribute(self, attribute_name):
        return self.attributes.get(attribute_name, f"{self.physical_resource_id}.{attribute_name}")


resource_class = parsing.resource_class_from_type


def known_or_unknown(kind):
    found = resource_class(kind)
    return Unknown if found is None and kind not in parsing.NULL_MODELS else found


parsing.resource_class_from_type = known_or_unknown

# Tags of a parameter are an object in a template, and a list in the service's API, which is what moto takes for both.
from moto.ssm.models import Parameter  # noqa: E402

create_parameter = Parameter.create_from_cloudformation_json.__func__


def create_tagged_parameter(cls, resource_name, cloudformation_json, account_id, region_name, **kwargs):
    properties = dict(cloudformation_json["Properties"])
    tags = properties.get("Tags")
    if isinstance(tags, dict):
        properties["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
    tagged = {**cloudformation_json, "Properties": properties}
    return create_parameter(cls, resource_name, tagged, account_id, region_name, **kwargs)


Parameter.create_from_cloudformation_json = classmethod(create_tagged_parameter)

# `Ref` of an event bus is its name; without an id, moto puts its own object in the place.
from moto.events.models import EventBus  # noqa: E402

EventBus.physical_resource_id = property(lambda self: self.name)

# A role's own policies stay Python objects when a template makes them; the API would print them as such.
from moto.iam.models import Role  # noqa: E402

put_policy = Role.put_policy


def put_policy_text(self, policy_name, policy_json):
    put_policy(self, policy_name, policy_json if isinstance(policy_json, str) else json.dumps(policy_json))


Role.put_policy = put_policy_text

# moto leaves the placeholders of a definition as they are.
create_machine = step_functions.StateMachine.create_from_cloudformation_json.__func__


def create_filled_in_machine(cls, resource_name, cloudformation_json, account_id, region_name, **kwargs):
    properties = dict(cloudformation_json["Properties"])
    for name, value in properties.pop("DefinitionSubstitutions", {}).items():
        properties["DefinitionString"] = properties["DefinitionString"].replace("${" + name + "}", str(value))
    filled = {**cloudformation_json, "Properties": properties}
    return create_machine(cls, resource_name, filled, account_id, region_name, **kwargs)


step_functions.StateMachine.create_from_cloudformation_json = classmethod(create_filled_in_machine)

# Without a region, `Fn::GetAZs` means the stack's own; moto takes us-east-1.
clean_json = parsing.clean_json


def clean_json_of_region(resource_json, resources_map):
    if isinstance(resource_json, dict) and resource_json.get("Fn::GetAZs", None) == "":
        resource_json = {"Fn::GetAZs": resources_map["AWS::Region"]}
    return clean_json(resource_json, resources_map)


parsing.clean_json = clean_json_of_region
