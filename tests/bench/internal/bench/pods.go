package bench

import (
	"fmt"
	"strings"
)

// Kind is what a review asks for.
type Kind string

const (
	Hit  Kind = "hit"  // a labelled pod without GPUs and /dev/shm: patched
	Skip Kind = "skip" // a pod of an enabled namespace that has no GPU: left alone
	Deny Kind = "deny" // its memory limit cannot hold the size, and its policy is Reject
)

// Namespace holds all that tests/bench/services.yaml makes.
const Namespace = "bench"

// The InferenceServices that the labels of the pods name; the peers know them by heart.
var services = map[Kind]string{Hit: "bench", Deny: "bench-reject"}

func proxy() Object {
	return Object{
		"name": "metrics-proxy", "image": "metrics-proxy:1.4.2", "imagePullPolicy": "IfNotPresent",
		"ports":     []Object{{"name": "metrics", "containerPort": 9090, "protocol": "TCP"}},
		"env":       []Object{Env("UPSTREAM", "http://127.0.0.1:8000/metrics")},
		"resources": Object{"limits": Object{"cpu": "200m", "memory": "128Mi"}, "requests": Object{"cpu": "50m", "memory": "64Mi"}},
		"volumeMounts": []Object{
			{"name": "kube-api-access-x7k2p", "readOnly": true, "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}},
		"terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
	}
}

func metadata(kind Kind) Object {
	labels := Object{"app": "qwen", "pod-template-hash": "6d4cf56db6"}
	if service, named := services[kind]; named {
		labels["shm-operator.dev/service"] = service
	}
	return Object{
		"generateName": "qwen-6d4cf56db6-", "namespace": Namespace, "labels": labels,
		"annotations": Object{"prometheus.io/scrape": "true", "prometheus.io/port": "9090"},
		"ownerReferences": []Object{{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "qwen-6d4cf56db6",
			"uid": "5f0cd6d2-6f0f-4d3a-9d4e-5b0c3c1c2f11", "controller": true, "blockOwnerDeletion": true}},
	}
}

// What a pod of this size holds beside its containers' own: the fields' owners, as the API server
// keeps them, and environment, one and one.
func pad(pod, container Object, bytes int) {
	owned := Object{}
	pod["metadata"].(Object)["managedFields"] = []Object{{"manager": "kube-controller-manager", "operation": "Update",
		"apiVersion": "v1", "time": "2026-01-01T00:00:00Z", "fieldsType": "FieldsV1",
		"fieldsV1": Object{"f:metadata": Object{"f:generateName": Object{}, "f:labels": Object{".": Object{}, "f:app": Object{}}},
			"f:spec": Object{"f:containers": Object{`k:{"name":"vllm"}`: Object{".": Object{}, "f:env": owned}}}}}}
	// Counted, not marshalled anew each time: pods of megabytes are made too.
	size := len(Marshal(pod))
	for i := 0; size < bytes-60; i++ {
		name := fmt.Sprintf("ENGINE_OPTION_%d", i)
		variable := Env(name, fmt.Sprintf("value-%d-of-this-model", i))
		container["env"] = append(container["env"].([]Object), variable)
		size += len(Marshal(variable)) + len(",")
		if size < bytes-160 {
			key, fields := fmt.Sprintf(`k:{"name":%q}`, name), Object{".": Object{}, "f:name": Object{}, "f:value": Object{}}
			owned[key] = fields
			size += len(Marshal(Object{key: fields})) - len("{}") + len(",")
		}
	}
	// To the byte.
	pod["metadata"].(Object)["annotations"].(Object)["note"] = ""
	missing := bytes - len(Marshal(pod))
	pod["metadata"].(Object)["annotations"].(Object)["note"] = strings.Repeat("n", max(missing, 0))
}

// Pod makes a pod of so many bytes of JSON, as a ReplicaSet's arrives at a webhook.
func Pod(kind Kind, bytes int) Object {
	memory := "64Gi"
	if kind == Deny {
		memory = "2Gi" // the size alone is 2Gi
	}
	container := Engine(memory)
	pod := Object{
		"kind": "Pod", "apiVersion": "v1", "metadata": metadata(kind),
		"spec": Object{
			"volumes": Volumes(), "containers": []Object{container, proxy()}, "restartPolicy": "Always",
			"terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst", "serviceAccountName": "default",
			"securityContext": Object{}, "schedulerName": "default-scheduler", "enableServiceLinks": true,
			"tolerations": []Object{
				{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"},
				{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}},
		},
		"status": Object{},
	}
	pad(pod, container, bytes)
	return pod
}

// UIDMark stands where each request puts its own number.
const UIDMark = "00000000-0000-4000-8000-000000000000"

// Review wraps a pod as the API server asks about it.
func Review(pod Object) []byte {
	const kind, resource = `{"group":"","version":"v1","kind":"Pod"}`, `{"group":"","version":"v1","resource":"pods"}`
	return fmt.Appendf(nil, `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"%s","kind":%s,`+
		`"resource":%s,"requestKind":%s,"requestResource":%s,"namespace":"%s","operation":"CREATE",`+
		`"userInfo":{"username":"system:serviceaccount:kube-system:replicaset-controller",`+
		`"uid":"0c1d6f2e-1b1f-4c55-8f64-6a2f8f9d8f02","groups":["system:serviceaccounts",`+
		`"system:serviceaccounts:kube-system","system:authenticated"]},"object":%s,"oldObject":null,"dryRun":false,`+
		`"options":{"kind":"CreateOptions","apiVersion":"meta.k8s.io/v1"}}}`,
		UIDMark, kind, resource, kind, resource, Namespace, Marshal(pod))
}
