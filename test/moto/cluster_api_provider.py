"""What Cluster API's provider for AWS needs of moto beyond what Petra itself calls.

Only where CLUSTER_API_PROVIDER is set: the other tests see moto as it was.
"""

import itertools

import moto.ec2.responses.instances as instance_requests
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.amis import Ami, AmiBackend
from moto.ec2.models.instances import Instance
from moto.elbv2.exceptions import TargetGroupNotFoundError
from moto.elbv2.models import ELBv2Backend
from moto.iam.exceptions import NotFoundException

# A load balancer without target groups has none on AWS, which is no error; the provider asks right after it made one.
describe_target_groups = ELBv2Backend.describe_target_groups


def describe_target_groups_if_any(self, load_balancer_arn, target_group_arns, names):
    try:
        return describe_target_groups(self, load_balancer_arn, target_group_arns, names)
    except TargetGroupNotFoundError:
        if load_balancer_arn:
            return []
        raise


ELBv2Backend.describe_target_groups = describe_target_groups_if_any

# Names of load balancers are addresses here, one after the other out of 10.250.0.0/16: whoever owns that network can
# listen where a real load balancer would lead to. No address is given twice.
addresses = (f"10.250.{third}.{last}" for third in range(256) for last in range(1, 255))
create_load_balancer = ELBv2Backend.create_load_balancer


def create_load_balancer_at_an_address(self, *rest, **named):
    made = create_load_balancer(self, *rest, **named)
    made.dns_name = next(addresses)
    return made


ELBv2Backend.create_load_balancer = create_load_balancer_at_an_address

# Ubuntu's images under the names that Canonical gives them, in the accounts that are Canonical's; in every region.
UBUNTU = [
    {
        "ami_id": f"ami-0{number:016x}",
        "name": f"ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-{architecture}-server-20260301",
        "description": f"Canonical, Ubuntu, 24.04, {architecture} noble image (stand-in)",
        "image_location": f"amazon/ubuntu-noble-24.04-{architecture}-server-20260301",
        "architecture": "x86_64" if architecture == "amd64" else architecture,
        "owner_id": owner,
        "owner_alias": "amazon",
        "public": True,
        "virtualization_type": "hvm",
        "hypervisor": "xen",
        "root_device_type": "ebs",
        "root_device_name": "/dev/sda1",
        "platform": "",
    }
    for number, (architecture, owner) in enumerate(
        itertools.product(("amd64", "arm64"), ("099720109477", "513442679011")), start=0x2404
    )
]
load_amis = AmiBackend._load_amis


def load_amis_and_ubuntu(self):
    load_amis(self)
    for image in UBUNTU:
        self.amis[image["ami_id"]] = Ami(self, **image)


AmiBackend._load_amis = load_amis_and_ubuntu

# A network interface that a launch makes ends with the instance, unless the launch says otherwise.
prep_nics = Instance.prep_nics


def prep_nics_that_end(self, nic_spec, *rest, **named):
    given = {nic.get("NetworkInterfaceId") for nic in nic_spec}
    kept = {int(nic["DeviceIndex"]) for nic in nic_spec if nic.get("DeleteOnTermination") is False}
    prep_nics(self, nic_spec, *rest, **named)
    for index, nic in self.nics.items():
        if nic.id not in given and index not in kept:
            nic.delete_on_termination = True


Instance.prep_nics = prep_nics_that_end

# A launch with an instance profile that is not there is refused as EC2 does it, and not with IAM's error, whose form
# clients of EC2 cannot read.
find_profile = instance_requests.filter_iam_instance_profiles


def find_profile_or_refuse(account_id, **named):
    try:
        return find_profile(account_id, **named)
    except NotFoundException:
        name, arn = named["iam_instance_profile_name"], named["iam_instance_profile_arn"]
        parameter, value = ("name", name) if name else ("arn", arn)
        raise EC2ClientError(
            "InvalidParameterValue",
            f"Value ({value}) for parameter iamInstanceProfile.{parameter} is invalid. "
            f"Invalid IAM Instance Profile {parameter}",
        ) from None


instance_requests.filter_iam_instance_profiles = find_profile_or_refuse
