"""A virtual AWS account: moto, with state machines that really run and functions that are called over HTTP.

Prints the port it listens on, and ends when its standard input does, so that no parent leaves it behind.
LAMBDA_ENDPOINT, if set, is where each Invoke is posted, under /2015-03-31/functions/NAME/invocations. It answers like
Lambda's own runtime: 404 for an unknown function, and an X-Amz-Function-Error header when the function failed.
"""

import copy
import json
import os
import sys
import threading
import urllib.error
import urllib.request
import uuid

LAMBDA_ENDPOINT = os.environ.get("LAMBDA_ENDPOINT")
# As long as a function may run at most on AWS.
INVOKE_SECONDS = 900

from moto.core.config import default_user_config

default_user_config["stepfunctions"] = {"execute_state_machine": True}
default_user_config["lambda"] = {"use_docker": False}

from moto.awslambda.exceptions import UnknownFunctionException
from moto.awslambda_simple.models import LambdaSimpleBackend
from moto.ec2.models.instances import Instance
from moto.ec2.models.nat_gateways import NatGatewayBackend
from moto.ec2.models.tags import TagBackend
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, generic_filter, get_prefix
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.s3.responses import S3Response
from moto.secretsmanager.models import SecretsManagerBackend
from moto.stepfunctions.parser import api as step_functions_api
from moto.stepfunctions.parser.models import StepFunctionsParserBackend
from werkzeug.serving import make_server


def invoke(self, function_name, qualifier, body, headers, response_headers):
    name = function_name.split(":function:")[-1].split(":")[0]
    unknown = UnknownFunctionException(f"arn:aws:lambda:{self.region_name}:{self.account_id}:function:{name}")
    if LAMBDA_ENDPOINT is None:
        raise unknown
    request = urllib.request.Request(
        f"{LAMBDA_ENDPOINT}/2015-03-31/functions/{name}/invocations",
        data=(body.encode() if isinstance(body, str) else body) or b"{}",
        headers={"Content-Type": "application/json"},
    )
    if headers.get("X-Amz-Invocation-Type") == "Event":
        threading.Thread(target=urllib.request.urlopen, args=(request, None, INVOKE_SECONDS), daemon=True).start()
        return b""
    try:
        with urllib.request.urlopen(request, timeout=INVOKE_SECONDS) as response:
            failed = response.headers.get("X-Amz-Function-Error")
            if failed:
                response_headers["x-amz-function-error"] = failed
            return response.read()
    except urllib.error.HTTPError as error:
        if error.code == 404:
            raise unknown from error
        raise


LambdaSimpleBackend.invoke = invoke

# Some errors of Step Functions leave moto as `"__type": null`, at which the SDK for JavaScript throws a TypeError.
for kind in list(vars(step_functions_api).values()):
    if isinstance(kind, type) and issubclass(kind, step_functions_api.ServiceException):
        if kind is not step_functions_api.ServiceException and getattr(kind, "TYPE", None) is None:
            kind.TYPE = kind.__name__

# moto calls an execution that is started without a name "None", so that there can be only one.
start_execution = StepFunctionsParserBackend.start_execution


def start_named_execution(self, state_machine_arn, name=None, *rest, **named):
    return start_execution(self, state_machine_arn, name or str(uuid.uuid4()), *rest, **named)


StepFunctionsParserBackend.start_execution = start_named_execution

# moto looks for a secret and then adds it, in threads: without a lock, two creations of one name may both succeed.
creation = threading.Lock()
create_secret = SecretsManagerBackend.create_secret


def create_secret_alone(self, *rest, **named):
    with creation:
        return create_secret(self, *rest, **named)


SecretsManagerBackend.create_secret = create_secret_alone

# The same with objects that are to be written only where there is none: on AWS one of many at once wins.
put_object = S3Response.put_object


def put_object_alone(self):
    with creation:
        return put_object(self)


S3Response.put_object = put_object_alone

# A second end of an instance fails in moto, at the network interface that ended with it.
terminate = Instance.terminate


def terminate_once(self):
    return copy.copy(self._state) if self._state.name == "terminated" else terminate(self)


Instance.terminate = terminate_once

# moto looks through the tags of the whole account for those of one resource, for each resource that it tells or filters.
describe_tags = TagBackend.describe_tags


def describe_tags_of_known(self, filters=None):
    ids = (filters or {}).get("resource-id", [])
    if list(filters or {}) != ["resource-id"] or any(wildcard in id for id in ids for wildcard in "*?["):
        return describe_tags(self, filters)
    return [
        {"resource_id": id, "key": key, "value": value, "resource_type": EC2_PREFIX_TO_RESOURCE.get(get_prefix(id), "")}
        for id in dict.fromkeys(ids)
        for key, value in list(self.tags.get(id, {}).items())
    ]


TagBackend.describe_tags = describe_tags_of_known

# moto looks for NAT gateways by everything but their tags.
describe_nat_gateways = NatGatewayBackend.describe_nat_gateways


def describe_nat_gateways_by_tags_too(self, filters, nat_gateway_ids):
    by_tags = {name: values for name, values in (filters or {}).items() if name.startswith("tag")}
    return generic_filter(by_tags, describe_nat_gateways(self, filters, nat_gateway_ids))


NatGatewayBackend.describe_nat_gateways = describe_nat_gateways_by_tags_too

# EC2 has other names for two kinds in DescribeTags than moto.
EC2_PREFIX_TO_RESOURCE.update({"nat": "natgateway", "eipalloc": "elastic-ip"})


# Each changes moto when it is imported.
import cloudformation_types  # noqa: E402, F401
import step_functions  # noqa: E402, F401

if os.environ.get("CLUSTER_API_PROVIDER"):
    import cluster_api_provider  # noqa: E402, F401


services = DomainDispatcherApplication(create_backend_app)


def application(environ, start_response):
    if environ["PATH_INFO"] != "/petra/step-functions-speed":
        return services(environ, start_response)
    text = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    step_functions.set_speed(float(text))
    start_response("204 No Content", [])
    return []


def end_with_parent():
    sys.stdin.read()
    os._exit(0)


server = make_server(
    "127.0.0.1",
    0,
    application,
    threaded=True,
    request_handler=MotoRequestHandler,
)
# The interpreter of state machines calls moto's services, Lambda among them, on this port.
os.environ["MOTO_PORT"] = str(server.port)
threading.Thread(target=end_with_parent, daemon=True).start()
print(json.dumps({"port": server.port}), flush=True)
server.serve_forever()
