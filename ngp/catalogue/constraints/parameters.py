"""Maps arguments of resources to API parameters.

An argument is matched by its name: `health_check.path` is `HealthCheckPath`, `vpc_config.subnet_ids` is
`VpcConfig.SubnetIds`. Exceptions are listed here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from ngp.aws import models
from ngp.aws.models import ParameterLimits
from ngp.cache import recall


@dataclass(frozen=True)
class _Call:
    """An operation that makes the resource. `inside` is the parameter that holds the others; `names` are renamed."""

    service: str
    operation: str
    names: Mapping[str, str]
    inside: str = ""


def _call(service: str, operation: str, inside: str = "", **names: str) -> _Call:
    return _Call(service, operation, {name.replace("__", "."): each for name, each in names.items()}, inside)


CALLS: Mapping[str, tuple[_Call, ...]] = {
    "aws_acm_certificate": (_call("acm", "RequestCertificate"),),
    "aws_apigatewayv2_api": (_call("apigatewayv2", "CreateApi"),),
    "aws_apigatewayv2_integration": (_call("apigatewayv2", "CreateIntegration"),),
    "aws_apigatewayv2_route": (_call("apigatewayv2", "CreateRoute"),),
    "aws_apigatewayv2_stage": (_call("apigatewayv2", "CreateStage"),),
    "aws_autoscaling_group": (
        _call("autoscaling", "CreateAutoScalingGroup", name="AutoScalingGroupName", tag__key="Tags[].Key"),
    ),
    "aws_autoscaling_lifecycle_hook": (_call("autoscaling", "PutLifecycleHook", name="LifecycleHookName"),),
    "aws_autoscaling_policy": (_call("autoscaling", "PutScalingPolicy", name="PolicyName"),),
    "aws_backup_plan": (
        _call(
            "backup",
            "CreateBackupPlan",
            "BackupPlan",
            rule__rule_name="Rules[].RuleName",
            rule__target_vault_name="Rules[].TargetBackupVaultName",
        ),
    ),
    "aws_backup_selection": (_call("backup", "CreateBackupSelection", "BackupSelection", name="SelectionName"),),
    "aws_backup_vault": (_call("backup", "CreateBackupVault", name="BackupVaultName"),),
    "aws_cloudwatch_event_rule": (_call("events", "PutRule"),),
    "aws_cloudwatch_event_target": (_call("events", "PutTargets", "Targets[]", target_id="Id"),),
    "aws_cloudwatch_log_group": (_call("logs", "CreateLogGroup", name="logGroupName"),),
    "aws_cloudwatch_log_metric_filter": (
        _call(
            "logs",
            "PutMetricFilter",
            name="filterName",
            pattern="filterPattern",
            metric_transformation__name="metricTransformations[].metricName",
            metric_transformation__namespace="metricTransformations[].metricNamespace",
            metric_transformation__value="metricTransformations[].metricValue",
        ),
    ),
    "aws_cloudwatch_log_resource_policy": (_call("logs", "PutResourcePolicy"),),
    "aws_cloudwatch_metric_alarm": (_call("cloudwatch", "PutMetricAlarm"),),
    "aws_db_instance": (_call("rds", "CreateDBInstance"),),
    "aws_ecr_lifecycle_policy": (_call("ecr", "PutLifecyclePolicy", policy="lifecyclePolicyText"),),
    "aws_ecr_pull_through_cache_rule": (_call("ecr", "CreatePullThroughCacheRule"),),
    "aws_ecr_registry_scanning_configuration": (_call("ecr", "PutRegistryScanningConfiguration"),),
    "aws_ecr_registry_policy": (_call("ecr", "PutRegistryPolicy", policy="policyText"),),
    "aws_ecr_repository": (_call("ecr", "CreateRepository", name="repositoryName"),),
    "aws_ecr_repository_policy": (_call("ecr", "SetRepositoryPolicy", policy="policyText"),),
    "aws_efs_file_system": (_call("efs", "CreateFileSystem"),),
    "aws_efs_file_system_policy": (_call("efs", "PutFileSystemPolicy"),),
    "aws_eks_access_entry": (_call("eks", "CreateAccessEntry"),),
    "aws_eks_addon": (_call("eks", "CreateAddon"),),
    "aws_eks_cluster": (_call("eks", "CreateCluster"),),
    "aws_eks_node_group": (_call("eks", "CreateNodegroup"),),
    "aws_elasticache_replication_group": (_call("elasticache", "CreateReplicationGroup"),),
    "aws_elasticache_user": (_call("elasticache", "CreateUser"),),
    "aws_elasticache_user_group": (_call("elasticache", "CreateUserGroup"),),
    "aws_iam_group_policy": (
        _call("iam", "PutGroupPolicy", name="PolicyName", group="GroupName", policy="PolicyDocument"),
    ),
    "aws_iam_instance_profile": (_call("iam", "CreateInstanceProfile", name="InstanceProfileName"),),
    "aws_iam_policy": (_call("iam", "CreatePolicy", name="PolicyName", policy="PolicyDocument"),),
    "aws_iam_role": (_call("iam", "CreateRole", name="RoleName", assume_role_policy="AssumeRolePolicyDocument"),),
    "aws_iam_role_policy": (
        _call("iam", "PutRolePolicy", name="PolicyName", role="RoleName", policy="PolicyDocument"),
    ),
    "aws_iam_role_policy_attachment": (_call("iam", "AttachRolePolicy", role="RoleName"),),
    "aws_iam_service_linked_role": (_call("iam", "CreateServiceLinkedRole"),),
    "aws_iam_user_policy": (
        _call("iam", "PutUserPolicy", name="PolicyName", user="UserName", policy="PolicyDocument"),
    ),
    "aws_kms_alias": (_call("kms", "CreateAlias", name="AliasName"),),
    "aws_kms_key": (_call("kms", "CreateKey"),),
    "aws_lambda_function": (_call("lambda", "CreateFunction", s3_key="Code.S3Key"),),
    "aws_lambda_permission": (_call("lambda", "AddPermission"),),
    "aws_lb": (_call("elbv2", "CreateLoadBalancer", load_balancer_type="Type"),),
    "aws_lb_listener": (_call("elbv2", "CreateListener", default_action__type="DefaultActions[].Type"),),
    "aws_lb_listener_rule": (_call("elbv2", "CreateRule", action__type="Actions[].Type"),),
    "aws_lb_target_group": (
        _call(
            "elbv2",
            "CreateTargetGroup",
            health_check__interval="HealthCheckIntervalSeconds",
            health_check__timeout="HealthCheckTimeoutSeconds",
            health_check__healthy_threshold="HealthyThresholdCount",
            health_check__unhealthy_threshold="UnhealthyThresholdCount",
        ),
    ),
    "aws_opensearch_domain": (_call("opensearch", "CreateDomain"),),
    "aws_route53_record": (_call("route53", "ChangeResourceRecordSets", "ChangeBatch.Changes[].ResourceRecordSet"),),
    "aws_secretsmanager_secret": (_call("secretsmanager", "CreateSecret"),),
    "aws_secretsmanager_secret_policy": (_call("secretsmanager", "PutResourcePolicy", policy="ResourcePolicy"),),
    "aws_sns_topic": (_call("sns", "CreateTopic"),),
    "aws_sqs_queue": (_call("sqs", "CreateQueue"),),
    "aws_ssm_association": (_call("ssm", "CreateAssociation"),),
    "aws_ssm_document": (_call("ssm", "CreateDocument"),),
    "aws_ssm_parameter": (_call("ssm", "PutParameter"),),
}


@dataclass(frozen=True)
class Parameter:
    """An API parameter with limits, and their source."""

    accepted: ParameterLimits
    source: str


Tables = Mapping[str, Mapping[str, tuple[Parameter, ...]]]  # type → name of the argument, or its letters → parameters


@cache
def load(folder: Path | None = None) -> Tables:
    """Return the limited parameters of all types, cached in `folder` (`ngp.cache`) by botocore's version."""
    plain = recall(folder, "aws models", f"{models.version()} {CALLS}".encode(), _plain)
    return {
        type_: {
            key: tuple(Parameter(_accepted(each), each["source"]) for each in found) for key, found in table.items()
        }
        for type_, table in plain.items()
    }


def find(tables: Tables, type_: str, path: str) -> tuple[Parameter, ...]:
    """Return the API parameters that the argument at `path` (``health_check.path``) of a type sets."""
    table = tables.get(type_, {})
    return table.get(path) or table.get(_folded(path), ())


def _accepted(plain: Mapping[str, Any]) -> ParameterLimits:
    named = {each.name: plain[each.name] for each in fields(ParameterLimits)}
    return ParameterLimits(**{**named, "enum": tuple(plain["enum"])})


@cache  # the same for every platform
def _plain() -> dict[str, dict[str, list[dict[str, Any]]]]:
    return {type_: _table(calls) for type_, calls in CALLS.items()}


def _table(calls: Sequence[_Call]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for call in calls:
        renamed = {target: name for name, target in call.names.items()}
        for each in models.parameters(call.service, call.operation):
            path = each.path.removeprefix(f"{call.inside}.") if call.inside else each.path
            if call.inside and path == each.path:
                continue
            key = renamed.get(path) or _folded(path)
            if key not in call.names or path in renamed:  # a renamed argument matches no other parameter
                source = f"botocore {models.version()}: {call.service} {call.operation}, {each.path}"
                found.setdefault(key, []).append({**asdict(each), "source": source})
    return found


def _folded(path: str) -> str:
    """The letters alone."""
    return re.sub(r"\[\]|[._]", "", path).lower()
