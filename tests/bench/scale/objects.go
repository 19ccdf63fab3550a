package main

import (
	"encoding/json"
	"fmt"
	"net/http"

	"shm-operator-bench/internal/bench"
)

const (
	systemNamespace = "shm-system"
	inNamespace     = 100 // InferenceServices in a namespace
)

// Set is a number of InferenceServices, spread over namespaces of their own.
type Set struct {
	name  string
	count int
}

func (s Set) space(n int) string { return fmt.Sprintf("%s-%d", s.name, n/inNamespace) }
func (s Set) spaces() int        { return (s.count + inNamespace - 1) / inNamespace }
func (s Set) folder(n int) string {
	return fmt.Sprintf("%s/namespaces/%s/inferenceservices", services, s.space(n))
}
func (s Set) path(n int) string { return fmt.Sprintf("%s/model-%d", s.folder(n), n) }

// Each has a template with one engine: its container, environment, probes and volumes.
func (s Set) object(n int) bench.Object {
	return bench.Object{"apiVersion": "shm-operator.dev/v1alpha1", "kind": "InferenceService",
		"metadata": bench.Object{"name": fmt.Sprintf("model-%d", n), "labels": bench.Object{"set": s.name}},
		"spec": bench.Object{"tensorParallelSize": 2, "gpuCount": 2,
			"template": bench.Object{"metadata": bench.Object{"labels": bench.Object{"app": "qwen"}},
				"spec": bench.Object{"containers": []bench.Object{bench.Engine("64Gi")}, "volumes": bench.Volumes()}}}}
}

func (a *API) makeNamespace(name string) error {
	_, err := a.Call("POST", "/api/v1/namespaces", bench.JSONType,
		bench.Object{"apiVersion": "v1", "kind": "Namespace", "metadata": bench.Object{"name": name}})
	if bench.IsStatus(err, http.StatusConflict) {
		return nil
	}
	return err
}

func (a *API) MakeNamespaces(s Set) error {
	return Each(s.spaces(), func(n int) error { return a.makeNamespace(s.space(n * inNamespace)) })
}

func (a *API) Create(s Set) error {
	return Each(s.count, func(n int) error {
		_, err := a.Call("POST", s.folder(n), bench.JSONType, s.object(n))
		return err
	})
}

// Change doubles the degree: another size, and another Deployment.
func (a *API) Change(s Set) error {
	spec := bench.Object{"spec": bench.Object{"tensorParallelSize": 4, "gpuCount": 4}}
	return Each(s.count, func(n int) error {
		_, err := a.Call("PATCH", s.path(n), bench.MergeType, spec)
		return err
	})
}

// Delete takes them and their children, which nothing collects here, in this order: no child is made anew.
func (a *API) Delete(s Set) error {
	for _, folder := range []string{services + "/namespaces/%s/inferenceservices", "/apis/apps/v1/namespaces/%s/deployments",
		"/api/v1/namespaces/%s/services", "/api/v1/namespaces/%s/events"} {
		if err := Each(s.spaces(), func(n int) error {
			_, err := a.Call("DELETE", fmt.Sprintf(folder, s.space(n*inNamespace)), "", nil)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// Count is of all namespaces.
func (a *API) Count(path string) (int, error) {
	text, err := a.Call("GET", path+"?limit=1", "", nil)
	if err != nil {
		return 0, err
	}
	var list struct {
		Metadata struct{ RemainingItemCount int }
		Items    []json.RawMessage
	}
	err = json.Unmarshal(text, &list)
	return len(list.Items) + list.Metadata.RemainingItemCount, err
}

// CheckChildren tells whether there are as many children as wanted, no more and no less.
func (a *API) CheckChildren(wanted int) error {
	deployments, err := a.Count("/apis/apps/v1/deployments")
	if err != nil {
		return err
	}
	ports, err := a.Count("/api/v1/services")
	if err != nil {
		return err
	}
	if deployments != wanted || ports != wanted+1 { // and default/kubernetes
		return fmt.Errorf("%d InferenceServices, but %d Deployments and %d Services", wanted, deployments, ports-1)
	}
	return nil
}
