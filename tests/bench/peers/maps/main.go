// The same admission as a plain net/http handler that reads the review into maps and writes the
// patch by hand: the least that a webhook in Go can do with the standard library.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"path"
	"strconv"
	"strings"
)

type object = map[string]any

type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

// service is what an InferenceService says, known by heart.
type service struct {
	gpus, sizeMi int64
	reject       bool
}

var services = map[string]service{
	"bench":        {gpus: 2, sizeMi: 2048},
	"bench-reject": {gpus: 2, sizeMi: 2048, reject: true},
}

const (
	prefix     = "shm-operator.dev/"
	gpu        = "nvidia.com/gpu"
	volume     = "shm-operator-dshm"
	headroomMi = 1024
)

// mebibytes reads the quantities that memory is commonly given in.
func mebibytes(quantity string) (int64, error) {
	for _, unit := range []struct {
		suffix string
		shift  uint
	}{{"Ki", 10}, {"Mi", 20}, {"Gi", 30}, {"Ti", 40}} {
		if digits, found := strings.CutSuffix(quantity, unit.suffix); found {
			n, err := strconv.ParseInt(digits, 10, 64)
			return n << unit.shift >> 20, err
		}
	}
	n, err := strconv.ParseInt(quantity, 10, 64)
	return n >> 20, err
}

func child(parent object, name string) object {
	value, _ := parent[name].(object)
	return value
}

func list(parent object, name string) []any {
	value, _ := parent[name].([]any)
	return value
}

func hasSharedMemory(container object) bool {
	for _, mount := range list(container, "volumeMounts") {
		if at, _ := mount.(object)["mountPath"].(string); path.Clean(at) == "/dev/shm" {
			return true
		}
	}
	return false
}

func gpusOf(container object) (int64, bool) {
	value, found := child(child(container, "resources"), "limits")[gpu]
	if !found {
		return 0, false
	}
	n, err := strconv.ParseInt(fmt.Sprint(value), 10, 64)
	return n, err == nil
}

// gpuContainer is the one that asks for GPUs, else the engine by its name, else the first.
func gpuContainer(containers []any) int {
	named := 0
	for i, one := range containers {
		container := one.(object)
		if _, asks := gpusOf(container); asks {
			return i
		}
		if container["name"] == "vllm" {
			named = i
		}
	}
	return named
}

// entry adds a key to a map of the pod that may not be there yet.
func entry(parent object, at, key string, value any) operation {
	if parent == nil {
		return operation{"add", at, object{key: value}}
	}
	return operation{"add", at + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key), value}
}

// item appends to a list of the pod that may not be there yet.
func item(there []any, at string, value any) operation {
	if there == nil {
		return operation{"add", at, []any{value}}
	}
	return operation{"add", at + "/-", value}
}

func resources(container object, at string, gpus int64) []operation {
	count := strconv.FormatInt(gpus, 10)
	there := child(container, "resources")
	if there == nil {
		return []operation{{"add", at, object{"limits": object{gpu: count}, "requests": object{gpu: count}}}}
	}
	return []operation{entry(child(there, "limits"), at+"/limits", gpu, count),
		entry(child(there, "requests"), at+"/requests", gpu, count)}
}

// mutate returns the patch, or why the pod is denied.
func mutate(pod object) (patch []operation, denied string) {
	meta, spec := child(pod, "metadata"), child(pod, "spec")
	name, _ := child(meta, "labels")[prefix+"service"].(string)
	wanted, known := services[name]
	containers := list(spec, "containers")
	if len(containers) == 0 {
		return nil, ""
	}
	chosen := gpuContainer(containers)
	container := containers[chosen].(object)
	gpus, asks := gpusOf(container)
	if !known && (!asks || name != "") {
		if name != "" {
			return nil, fmt.Sprintf("there is no InferenceService %q", name)
		}
		return nil, ""
	}
	if !asks {
		gpus = wanted.gpus
	}
	size := wanted.sizeMi
	if !known {
		size = gpus * 1024
	}
	if limit, limited := child(child(container, "resources"), "limits")["memory"].(string); limited {
		has, err := mebibytes(limit)
		if err == nil && size+headroomMi > has && wanted.reject {
			return nil, fmt.Sprintf("%dMi of shared memory and %dMi beside it do not fit a memory limit of %s",
				size, headroomMi, limit)
		}
	}
	if !asks {
		patch = append(patch, resources(container, fmt.Sprintf("/spec/containers/%d/resources", chosen), gpus)...)
	}
	missing := false
	for i, one := range containers {
		if hasSharedMemory(one.(object)) {
			continue
		}
		missing = true
		patch = append(patch, item(list(one.(object), "volumeMounts"), fmt.Sprintf("/spec/containers/%d/volumeMounts", i),
			object{"name": volume, "mountPath": "/dev/shm"}))
	}
	if missing {
		patch = append(patch, item(list(spec, "volumes"), "/spec/volumes",
			object{"name": volume, "emptyDir": object{"medium": "Memory", "sizeLimit": fmt.Sprintf("%dMi", size)}}))
	}
	record, _ := json.Marshal(object{"v": 1, "size": fmt.Sprintf("%dMi", size), "gpus": gpus})
	return append(patch, entry(child(meta, "labels"), "/metadata/labels", prefix+"injected", "true"),
		entry(child(meta, "annotations"), "/metadata/annotations", prefix+"injection", string(record))), ""
}

func answer(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 8<<20))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var review object
	if err := json.Unmarshal(body, &review); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	request := child(review, "request")
	patch, denied := mutate(child(request, "object"))
	response := object{"uid": request["uid"], "allowed": denied == ""}
	if denied != "" {
		response["status"] = object{"code": http.StatusForbidden, "message": denied}
	}
	if len(patch) > 0 {
		text, err := json.Marshal(patch)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		response["patchType"], response["patch"] = "JSONPatch", text // bytes: base64
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(object{"kind": review["kind"], "apiVersion": review["apiVersion"], "response": response})
}

func main() {
	port := flag.String("port", "8443", "")
	certificates := flag.String("certificates", ".", "folder of tls.crt and tls.key")
	flag.Parse()
	http.HandleFunc("/mutate/labelled", answer)
	http.HandleFunc("/mutate/namespace", answer)
	log.Fatal(http.ListenAndServeTLS("127.0.0.1:"+*port, *certificates+"/tls.crt", *certificates+"/tls.key", nil))
}
