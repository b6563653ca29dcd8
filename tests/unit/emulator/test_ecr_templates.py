"""Templates of the repositories that ECR makes itself: asked of the patched moto in this process."""

import pytest
from botocore.exceptions import ClientError

CACHE = {"prefix": "hub", "appliedFor": ["PULL_THROUGH_CACHE"]}
ROLE = "arn:aws:iam::123456789012:role/cache"


def shown(ecr):
    return ecr.describe_repository_creation_templates(prefixes=["hub"])["repositoryCreationTemplates"][0]


def test_a_template_is_made_changed_and_deleted(client):
    ecr = client("ecr")
    made = ecr.create_repository_creation_template(**CACHE, lifecyclePolicy="{}")
    assert made["registryId"] == "123456789012"
    assert (shown(ecr)["imageTagMutability"], shown(ecr)["lifecyclePolicy"]) == ("MUTABLE", "{}")
    ecr.update_repository_creation_template(prefix="hub", description="Caches")
    assert (shown(ecr)["description"], shown(ecr)["lifecyclePolicy"]) == ("Caches", "{}")
    ecr.delete_repository_creation_template(prefix="hub")
    with pytest.raises(ClientError, match="TemplateNotFoundException"):
        shown(ecr)


def test_a_second_one_of_the_prefix_is_refused(client):
    ecr = client("ecr")
    ecr.create_repository_creation_template(**CACHE)
    with pytest.raises(ClientError, match="TemplateAlreadyExistsException"):
        ecr.create_repository_creation_template(**CACHE)


@pytest.mark.parametrize(
    "more", [{"resourceTags": [{"Key": "a", "Value": "b"}]}, {"encryptionConfiguration": {"encryptionType": "KMS"}}]
)
def test_tags_and_a_key_need_a_role(client, more):
    ecr = client("ecr")
    with pytest.raises(ClientError, match="InvalidParameterException"):
        ecr.create_repository_creation_template(**CACHE, **more)
    ecr.create_repository_creation_template(**CACHE, **more, customRoleArn=ROLE)
