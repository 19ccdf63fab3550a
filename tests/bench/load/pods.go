package main

import (
	"fmt"
	"strings"

	"shm-operator-bench/internal/bench"
)

// Kind is what a review asks for.
type Kind string

const (
	hit  Kind = "hit"  // a labelled pod without GPUs and /dev/shm: patched
	skip Kind = "skip" // a pod of an enabled namespace that has no GPU: left alone
	deny Kind = "deny" // its memory limit cannot hold the size, and its policy is Reject
)

const benchNamespace = "bench"

// The InferenceServices that the labels of the pods name; the peers know them by heart.
var services = map[Kind]string{hit: "bench", deny: "bench-reject"}

type object = bench.Object

func proxy() object {
	return object{
		"name": "metrics-proxy", "image": "metrics-proxy:1.4.2", "imagePullPolicy": "IfNotPresent",
		"ports":     []object{{"name": "metrics", "containerPort": 9090, "protocol": "TCP"}},
		"env":       []object{bench.Env("UPSTREAM", "http://127.0.0.1:8000/metrics")},
		"resources": object{"limits": object{"cpu": "200m", "memory": "128Mi"}, "requests": object{"cpu": "50m", "memory": "64Mi"}},
		"volumeMounts": []object{
			{"name": "kube-api-access-x7k2p", "readOnly": true, "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}},
		"terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
	}
}

func metadata(kind Kind) object {
	labels := object{"app": "qwen", "pod-template-hash": "6d4cf56db6"}
	if service, named := services[kind]; named {
		labels["shm-operator.dev/service"] = service
	}
	return object{
		"generateName": "qwen-6d4cf56db6-", "namespace": benchNamespace, "labels": labels,
		"annotations": object{"prometheus.io/scrape": "true", "prometheus.io/port": "9090"},
		"ownerReferences": []object{{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "qwen-6d4cf56db6",
			"uid": "5f0cd6d2-6f0f-4d3a-9d4e-5b0c3c1c2f11", "controller": true, "blockOwnerDeletion": true}},
	}
}

// What a pod of this size holds beside its containers' own: the fields' owners, as the API server
// keeps them, and environment, one and one.
func pad(pod object, container object, bytes int) {
	owned := object{}
	pod["metadata"].(object)["managedFields"] = []object{{"manager": "kube-controller-manager", "operation": "Update",
		"apiVersion": "v1", "time": "2026-01-01T00:00:00Z", "fieldsType": "FieldsV1",
		"fieldsV1": object{"f:metadata": object{"f:generateName": object{}, "f:labels": object{".": object{}, "f:app": object{}}},
			"f:spec": object{"f:containers": object{`k:{"name":"vllm"}`: object{".": object{}, "f:env": owned}}}}}}
	for i := 0; len(bench.Marshal(pod)) < bytes-60; i++ {
		name := fmt.Sprintf("ENGINE_OPTION_%d", i)
		container["env"] = append(container["env"].([]object), bench.Env(name, fmt.Sprintf("value-%d-of-this-model", i)))
		if len(bench.Marshal(pod)) < bytes-160 {
			owned[fmt.Sprintf(`k:{"name":%q}`, name)] = object{".": object{}, "f:name": object{}, "f:value": object{}}
		}
	}
	// To the byte.
	pod["metadata"].(object)["annotations"].(object)["note"] = ""
	missing := bytes - len(bench.Marshal(pod))
	pod["metadata"].(object)["annotations"].(object)["note"] = strings.Repeat("n", max(missing, 0))
}

// Pod makes a pod of so many bytes of JSON, as a ReplicaSet's arrives at a webhook.
func Pod(kind Kind, bytes int) object {
	memory := "64Gi"
	if kind == deny {
		memory = "2Gi" // the size alone is 2Gi
	}
	container := bench.Engine(memory)
	pod := object{
		"kind": "Pod", "apiVersion": "v1", "metadata": metadata(kind),
		"spec": object{
			"volumes": bench.Volumes(), "containers": []object{container, proxy()}, "restartPolicy": "Always",
			"terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst", "serviceAccountName": "default",
			"securityContext": object{}, "schedulerName": "default-scheduler", "enableServiceLinks": true,
			"tolerations": []object{
				{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"},
				{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}},
		},
		"status": object{},
	}
	pad(pod, container, bytes)
	return pod
}

// uidMark stands where each request puts its own number.
const uidMark = "00000000-0000-4000-8000-000000000000"

// Review wraps a pod as the API server asks about it.
func Review(pod object) []byte {
	const kind, resource = `{"group":"","version":"v1","kind":"Pod"}`, `{"group":"","version":"v1","resource":"pods"}`
	return fmt.Appendf(nil, `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"%s","kind":%s,`+
		`"resource":%s,"requestKind":%s,"requestResource":%s,"namespace":"%s","operation":"CREATE",`+
		`"userInfo":{"username":"system:serviceaccount:kube-system:replicaset-controller",`+
		`"uid":"0c1d6f2e-1b1f-4c55-8f64-6a2f8f9d8f02","groups":["system:serviceaccounts",`+
		`"system:serviceaccounts:kube-system","system:authenticated"]},"object":%s,"oldObject":null,"dryRun":false,`+
		`"options":{"kind":"CreateOptions","apiVersion":"meta.k8s.io/v1"}}}`,
		uidMark, kind, resource, kind, resource, benchNamespace, bench.Marshal(pod))
}
