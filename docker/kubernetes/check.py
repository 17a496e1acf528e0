#!/usr/bin/env python3
# SPDX-FileCopyrightText: the ipc-gateway authors
# SPDX-License-Identifier: Apache-2.0
"""Checks what no schema says of the manifests beside this file: that names lead somewhere, and who may do what.

check.py FOLDER: writes the manifests of each variant to FOLDER/VARIANT.yaml, and its configuration to
FOLDER/VARIANT.gateway.yaml, for other programs to check. Needs PyYAML.
"""

import pathlib
import sys

import yaml

HERE = pathlib.Path(__file__).resolve().parent
NAME = {"app.kubernetes.io/name": "ipc-gateway"}
problems = []


def load(folder):
    """What a kustomization takes in; of kustomize no more than resources is read."""
    documents = []
    for resource in yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]:
        path = (folder / resource).resolve()
        documents += load(path) if path.is_dir() else list(yaml.safe_load_all(path.read_text()))
    return documents


def expect(variant, what, good):
    if not good:
        problems.append(f"{variant}: {what}")


def check(variant, documents):
    by_kind = {}
    for document in documents:
        by_kind.setdefault(document["kind"], []).append(document)
        expect(variant, f"{document['kind']} has no namespace of its own", "namespace" not in document["metadata"])
    workload = (by_kind.get("Deployment", []) + by_kind.get("StatefulSet", []))[0]
    template = workload["spec"]["template"]
    pod = template["spec"]
    gateway = next(one for one in pod["containers"] if one["name"] == "gateway")
    ports = {port["name"] for port in gateway["ports"]}
    for selector in (
        workload["spec"]["selector"]["matchLabels"],
        *(one["spec"]["selector"] for one in by_kind["Service"]),
        by_kind["NetworkPolicy"][0]["spec"]["podSelector"]["matchLabels"],
        by_kind["PodDisruptionBudget"][0]["spec"]["selector"]["matchLabels"],
    ):
        expect(variant, f"a selector that finds the pods: {selector}", selector == NAME == template["metadata"]["labels"])
    for service in by_kind["Service"]:
        expect(variant, "ports of the Service are the gateway's", {p["targetPort"] for p in service["spec"]["ports"]} <= ports)
    if workload["kind"] == "StatefulSet":
        headless = [one["metadata"]["name"] for one in by_kind["Service"] if one["spec"].get("clusterIP") == "None"]
        expect(variant, "serviceName is the headless Service", headless == [workload["spec"]["serviceName"]])

    security = pod["securityContext"]
    expect(variant, "not root", security["runAsNonRoot"] is True and security["runAsUser"] == 10001)
    expect(variant, "system calls filtered", security["seccompProfile"]["type"] == "RuntimeDefault")
    expect(variant, "no token of the cluster", pod["automountServiceAccountToken"] is False)
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    for container in pod["containers"]:
        own = container["securityContext"]
        name = container["name"]
        expect(variant, f"{name}: root file system is read-only", own["readOnlyRootFilesystem"] is True)
        expect(variant, f"{name}: no way to more privileges", own["allowPrivilegeEscalation"] is False)
        expect(variant, f"{name}: no capabilities", own["capabilities"] == {"drop": ["ALL"]})
        expect(variant, f"{name}: memory is limited", "memory" in container["resources"]["limits"])
        for mount in container["volumeMounts"]:
            expect(variant, f"{name}: volume {mount['name']}", mount["name"] in volumes)
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        expect(variant, f"gateway: {probe}", probe in gateway)
    secrets = [volume["secret"] for volume in volumes.values() if "secret" in volume]
    expect(variant, "the Secret has to be there", [one.get("optional") for one in secrets] == [False])
    for mount in gateway["volumeMounts"]:
        if mount["name"] in ("configuration", "tls", "sockets"):
            expect(variant, f"gateway: {mount['name']} is read-only", mount.get("readOnly") is True)
    return by_kind["ConfigMap"][0]["data"]["gateway.yaml"]


def main():
    folder = pathlib.Path(sys.argv[1])
    for kustomization in sorted(HERE.glob("*/kustomization.yaml")):
        variant = kustomization.parent.name
        if variant == "base":
            continue
        documents = load(kustomization.parent)
        (folder / f"{variant}.gateway.yaml").write_text(check(variant, documents))
        (folder / f"{variant}.yaml").write_text(yaml.safe_dump_all(documents, sort_keys=False))
        print(variant)
    for problem in problems:
        print(f"docker/kubernetes: not so: {problem}", file=sys.stderr)
    sys.exit(1 if problems else 0)


main()
