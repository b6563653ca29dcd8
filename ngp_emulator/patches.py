"""All patches, in the order in which they are applied."""

from __future__ import annotations

from ngp_emulator import (
    accounts,
    apigateway,
    autoscaling,
    awslambda,
    backup,
    dlm,
    ec2,
    ec2_refusals,
    ecr,
    ecr_templates,
    efs,
    eks,
    elasticache,
    elbv2,
    iam,
    iam_limits,
    rds,
    rds_refusals,
    route53,
    s3,
    sqs,
    ssm,
    stepfunctions,
)

SERVICES = (
    accounts,
    apigateway,
    autoscaling,
    awslambda,
    backup,
    dlm,
    ec2,
    ec2_refusals,
    ecr,
    ecr_templates,
    efs,
    eks,
    elasticache,
    elbv2,
    iam,
    iam_limits,
    rds,
    rds_refusals,
    route53,
    s3,
    sqs,
    ssm,
    stepfunctions,
)


def apply() -> None:
    """Patch the moto of this process. Call it once, before the first request."""
    for service in SERVICES:
        for patch in service.PATCHES:
            patch()
