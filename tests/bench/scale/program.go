package main

import (
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"shm-operator-bench/internal/bench"
)

const (
	quietFor  = time.Second
	lookEvery = 50 * time.Millisecond
	patience  = 30 * time.Minute
)

// Program is a controller with a cluster of its own.
type Program struct {
	name  string
	words []string // METRICS and HEALTH stand for free ports
	lease string
	api   *API
}

// Running is one that was started.
type Running struct {
	*bench.Process
	program *Program
	metrics string
	synced  time.Duration // from exec: all caches are listed
}

// Start runs it as one that finds no leader, and returns when its caches are listed.
func (p *Program) Start(folder, cpus string) (*Running, error) {
	_, err := p.api.Call("DELETE", "/apis/coordination.k8s.io/v1/namespaces/"+systemNamespace+"/leases/"+p.lease, "", nil)
	if err != nil && !bench.IsStatus(err, http.StatusNotFound) {
		return nil, err
	}
	p.api.Calm()
	metrics, health := bench.FreePort(), bench.FreePort()
	for health == metrics {
		health = bench.FreePort()
	}
	replace := strings.NewReplacer("METRICS", metrics, "HEALTH", health, "KUBECONFIG", p.api.Kubeconfig)
	var words []string
	for _, word := range p.words {
		words = append(words, replace.Replace(word))
	}
	if p.name == ours {
		health = metrics // one server has both
	}
	process, err := bench.Launch(words, nil, cpus, filepath.Join(folder, p.name+".log"))
	if err != nil {
		return nil, err
	}
	running := &Running{Process: process, program: p, metrics: "http://127.0.0.1:" + metrics + "/metrics"}
	for {
		answer, err := http.Get("http://127.0.0.1:" + health + "/readyz")
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				running.synced = time.Since(process.Begin)
				return running, nil
			}
		}
		if time.Since(process.Begin) > patience {
			process.Kill()
			return nil, fmt.Errorf("%s is not ready after %s, see its log in %s", p.name, patience, folder)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (r *Running) samples() (bench.Samples, error) {
	answer, err := http.Get(r.metrics)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return bench.Samples(text), err
}

// Quiet waits until it leads, has worked on so many keys since it began, and for a second nothing happens:
// no key waits or is worked on, and it calls for nothing but its lease. Events are not waited for. Returns
// when the last thing happened, to lookEvery.
func (r *Running) Quiet(worked int) (time.Time, error) {
	last, before := time.Now(), ""
	for begin := time.Now(); time.Since(begin) < patience; time.Sleep(lookEvery) {
		samples, err := r.samples()
		if err != nil {
			return last, err
		}
		applied := 0.0
		samples.Each("rest_client_requests_total", func(labels map[string]string, value float64) {
			if labels["method"] == "PATCH" {
				applied += value
			}
		})
		done := samples.Sum("workqueue_work_duration_seconds_count")
		if now := fmt.Sprint(applied, done); now != before || samples.Sum("workqueue_depth") > 0 {
			last, before = time.Now(), now
		}
		if time.Since(last) > quietFor && int(done) >= worked && samples.Sum("leader_election_master_status") == 1 {
			return last, nil
		}
	}
	return last, fmt.Errorf("%s does not become quiet", r.program.name)
}
