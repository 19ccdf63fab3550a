package bench

import "encoding/json"

// Object is one of JSON.
type Object = map[string]any

// Marshal is compact.
func Marshal(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return text
}

// Env is an entry of a container's environment.
func Env(name, value string) Object { return Object{"name": name, "value": value} }

// Engine is the container of a vLLM server with that much memory.
func Engine(memory string) Object {
	probe := func(seconds int) Object {
		return Object{"httpGet": Object{"path": "/health", "port": 8000, "scheme": "HTTP"}, "timeoutSeconds": 5,
			"periodSeconds": seconds, "successThreshold": 1, "failureThreshold": 60}
	}
	return Object{
		"name": "vllm", "image": "vllm/vllm-openai:v0.11.0", "imagePullPolicy": "IfNotPresent",
		"args": []string{"--model", "Qwen/Qwen2.5-7B-Instruct", "--served-model-name", "qwen",
			"--max-model-len", "32768", "--gpu-memory-utilization", "0.92"},
		"ports": []Object{{"name": "http", "containerPort": 8000, "protocol": "TCP"}},
		"env": []Object{Env("HF_HOME", "/models/hf"), Env("VLLM_LOGGING_LEVEL", "INFO"),
			{"name": "POD_IP", "valueFrom": Object{"fieldRef": Object{"apiVersion": "v1", "fieldPath": "status.podIP"}}}},
		"resources": Object{"requests": Object{"cpu": "8", "memory": memory}, "limits": Object{"cpu": "16", "memory": memory}},
		"volumeMounts": []Object{{"name": "models", "mountPath": "/models"},
			{"name": "kube-api-access-x7k2p", "readOnly": true, "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}},
		"startupProbe": probe(10), "readinessProbe": probe(5), "livenessProbe": probe(15),
		"terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
	}
}

// Volumes are those that Engine mounts.
func Volumes() []Object {
	return []Object{
		{"name": "models", "persistentVolumeClaim": Object{"claimName": "models", "readOnly": true}},
		{"name": "kube-api-access-x7k2p", "projected": Object{"defaultMode": 420, "sources": []Object{
			{"serviceAccountToken": Object{"expirationSeconds": 3607, "path": "token"}},
			{"configMap": Object{"name": "kube-root-ca.crt", "items": []Object{{"key": "ca.crt", "path": "ca.crt"}}}},
			{"downwardAPI": Object{"items": []Object{{"path": "namespace",
				"fieldRef": Object{"apiVersion": "v1", "fieldPath": "metadata.namespace"}}}}}}}},
	}
}
