package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"shm-operator-bench/internal/bench"
)

const (
	servicesPerNamespace = 100
	fillers              = 8
	fullStarts           = 3
)

// proxyToCluster runs `kubectl proxy`: plain HTTP to the API server, without its credentials here.
func proxyToCluster() (url string, end func(), err error) {
	command := exec.Command("kubectl", "proxy", "--port=0")
	output, err := command.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := command.Start(); err != nil {
		return "", nil, err
	}
	end = func() {
		command.Process.Kill()
		command.Wait()
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		end()
		return "", nil, err
	}
	return "http://" + strings.TrimSpace(line[strings.LastIndex(line, " ")+1:]), end, nil
}

func post(url string, value any) error {
	answer, err := http.Post(url, "application/json", bytes.NewReader(bench.Marshal(value)))
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode >= 300 && answer.StatusCode != http.StatusConflict {
		err = fmt.Errorf("%s: %s: %.300s", url, answer.Status, text)
	}
	return err
}

// fullService is the n-th of many: every tenth looks after pods by a selector, the others have a
// template with the engine's container, environment and probes.
func fullService(n int) bench.Object {
	spec := bench.Object{"tensorParallelSize": 2, "gpuCount": 2}
	if n%10 == 0 {
		spec["selector"] = bench.Object{"matchLabels": bench.Object{"app": fmt.Sprintf("engine-%d", n)}}
	} else {
		spec["template"] = bench.Object{"metadata": bench.Object{"labels": bench.Object{"app": "qwen"}},
			"spec": bench.Object{"containers": []bench.Object{bench.Engine("64Gi")}, "volumes": bench.Volumes()}}
	}
	return bench.Object{"apiVersion": "shm-operator.dev/v1alpha1", "kind": "InferenceService",
		"metadata": bench.Object{"name": fmt.Sprintf("model-%d", n)}, "spec": spec}
}

func fill(count int) error {
	url, end, err := proxyToCluster()
	if err != nil {
		return err
	}
	defer end()
	failed := make([]error, fillers)
	var group sync.WaitGroup
	for worker := range fillers {
		group.Go(func() {
			for n := worker; n < count && failed[worker] == nil; n += fillers {
				space := fmt.Sprintf("fill-%d", n/servicesPerNamespace)
				if n%servicesPerNamespace < fillers {
					failed[worker] = post(url+"/api/v1/namespaces",
						bench.Object{"apiVersion": "v1", "kind": "Namespace", "metadata": bench.Object{"name": space}})
				}
				if failed[worker] == nil {
					failed[worker] = post(url+"/apis/shm-operator.dev/v1alpha1/namespaces/"+space+"/inferenceservices", fullService(n))
				}
			}
		})
	}
	group.Wait()
	return errors.Join(failed...)
}

// measureFull makes many InferenceServices and starts the webhook anew on them, with load on it.
func measureFull(o options, server bench.Server, all pods) ([]Result, error) {
	fmt.Fprintf(os.Stderr, "bench: making %d InferenceServices\n", o.fill)
	if err := fill(o.fill); err != nil {
		return nil, err
	}
	var results []Result
	for range fullStarts {
		process, err := bench.Serve(server, o.cpus, filepath.Join(o.folder, "full.log"))
		if err != nil {
			return nil, err
		}
		scenario := Scenario{64, 6, bench.Hit}
		sample, err := bench.Measure(process, all.load(server, process, scenario), time.Duration(o.seconds*float64(time.Second)))
		if err == nil {
			results = append(results, Result{map[Scenario]bench.Sample{scenario: sample}, process.PeakMB(),
				float64(process.Ready) / float64(time.Millisecond)})
		}
		process.Kill()
		if err != nil {
			return nil, err
		}
	}
	return results, nil
}
