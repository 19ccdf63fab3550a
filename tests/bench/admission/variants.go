package main

import (
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/yaml"

	"shm-operator-bench/internal/bench"
)

const (
	none     = "no webhook"
	webhook  = "webhook"
	allowing = "echo, allows"
	patching = "echo, the webhook's answer"
	runtime_ = "controller-runtime"
	maps     = "Go maps"
	policy   = "MutatingAdmissionPolicy"

	variantLabel = "admission-bench" // of a namespace, as policy.yaml has it
	serviceName  = "webhook"
	labelledPath = "/mutate/labelled"
)

// Variant is what one namespace's pods meet.
type Variant struct {
	name, key string
	server    *bench.Server // unset: none is asked
	patches   bool
}

func (v Variant) namespace() string { return "bench-" + v.key }
func (v Variant) hook() string      { return v.key + ".bench.shm-operator.dev" }

func variants(o options) []Variant {
	program := func(name string) string { return filepath.Join(o.bin, name) }
	echo := func(answer string) *bench.Server {
		return &bench.Server{Command: []string{program("bench_echo"), "PORT", o.certificates, filepath.Join(o.folder, answer)}}
	}
	return []Variant{
		{name: none, key: "none"},
		// First of the servers: its answer is what the second echo says.
		{name: webhook, key: "ours", patches: true, server: &bench.Server{Readyz: true, Command: []string{program("shm-webhook"),
			"--kubeconfig", filepath.Join(o.cluster, "kubeconfig"), "--namespace", "shm-system",
			"--listen-address", "127.0.0.1", "--port", "PORT", "--health-port", "HEALTH"}}},
		{name: allowing, key: "allows", server: echo("allows.json")},
		{name: patching, key: "echo", patches: true, server: echo("patches.json")},
		{name: runtime_, key: "runtime", patches: true,
			server: &bench.Server{Command: []string{program("peer-controller-runtime"), "-port", "PORT", "-certificates", o.certificates}}},
		{name: maps, key: "maps", patches: true,
			server: &bench.Server{Command: []string{program("peer-maps"), "-port", "PORT", "-certificates", o.certificates}}},
		{name: policy, key: "policy", patches: true},
	}
}

// saveAnswers writes what the echoes say: to allow, and what the webhook answers to such a pod.
func saveAnswers(o options, ours *bench.Served) error {
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	answer, err := client.Post("https://"+ours.Address+labelledPath, bench.JSONType, bytes.NewReader(bench.Review(bench.Pod(bench.Hit, podBytes))))
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if !bytes.Contains(text, []byte(`"patch"`)) {
		return fmt.Errorf("the webhook does not patch the pod: %.300s", text)
	}
	allows := fmt.Sprintf(`{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","response":{"uid":%q,"allowed":true}}`, bench.UIDMark)
	return errors.Join(os.WriteFile(filepath.Join(o.folder, "patches.json"), text, 0o644),
		os.WriteFile(filepath.Join(o.folder, "allows.json"), []byte(allows), 0o644))
}

// installedHook is the webhook of labelled pods as it is installed.
func installedHook(file string) (bench.Object, error) {
	opened, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	for documents := yaml.NewYAMLOrJSONDecoder(opened, 4096); ; {
		var one struct {
			Kind     string
			Webhooks []bench.Object
		}
		if err := documents.Decode(&one); err != nil {
			return nil, fmt.Errorf("%s: no MutatingWebhookConfiguration: %w", file, err)
		}
		if one.Kind == "MutatingWebhookConfiguration" {
			return one.Webhooks[0], nil
		}
	}
}

// configuration is the installed webhook for the pods of one namespace, asked at one port. The Service that it names leads
// to this machine: to what a Service names, API servers speak HTTP/1.1; to a URL of this machine they would offer HTTP/2.
func configuration(hook bench.Object, v Variant, port int, bundle []byte) bench.Object {
	copied := bench.Object{}
	for field, value := range hook {
		copied[field] = value
	}
	copied["name"] = v.hook()
	copied["namespaceSelector"] = bench.Object{"matchLabels": bench.Object{variantLabel: v.key}}
	copied["clientConfig"] = bench.Object{"caBundle": base64.StdEncoding.EncodeToString(bundle),
		"service": bench.Object{"name": serviceName, "namespace": bench.Namespace, "path": labelledPath, "port": port}}
	return bench.Object{"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
		"metadata": bench.Object{"name": v.hook()}, "webhooks": []bench.Object{copied}}
}

// register makes a namespace for each variant, with the InferenceService that the pods name, and has the API server ask
// the servers about the pods of theirs. policy.yaml is there already.
func register(o options, api *bench.API, all []Variant, processes map[string]*bench.Served) error {
	hook, err := installedHook(o.install)
	if err != nil {
		return err
	}
	bundle, err := os.ReadFile(filepath.Join(o.certificates, "tls.crt"))
	if err != nil {
		return err
	}
	post := func(path string, value any) {
		_, failed := api.Call("POST", path, bench.JSONType, value)
		err = errors.Join(err, failed)
	}
	text, err := api.Call("GET", "/apis/shm-operator.dev/v1alpha1/namespaces/"+bench.Namespace+"/inferenceservices/bench", "", nil)
	if err != nil {
		return err
	}
	var service struct{ Spec json.RawMessage }
	if err := json.Unmarshal(text, &service); err != nil {
		return err
	}
	post("/api/v1/namespaces/"+bench.Namespace+"/services", bench.Object{"apiVersion": "v1", "kind": "Service",
		"metadata": bench.Object{"name": serviceName}, "spec": bench.Object{"type": "ExternalName", "externalName": "127.0.0.1"}})
	for _, v := range all {
		post("/api/v1/namespaces", bench.Object{"apiVersion": "v1", "kind": "Namespace",
			"metadata": bench.Object{"name": v.namespace(), "labels": bench.Object{variantLabel: v.key}}})
		post("/apis/shm-operator.dev/v1alpha1/namespaces/"+v.namespace()+"/inferenceservices",
			bench.Object{"apiVersion": "shm-operator.dev/v1alpha1", "kind": "InferenceService",
				"metadata": bench.Object{"name": "bench"}, "spec": service.Spec})
		if v.server == nil {
			continue
		}
		_, after, _ := strings.Cut(processes[v.name].Address, ":")
		port, _ := strconv.Atoi(after)
		post("/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations", configuration(hook, v, port, bundle))
	}
	return err
}
