// The load generator of `make bench`: starts our webhook and its peers one at a time, asks them about pods
// over TLS, and says how they compare. scripts/bench.sh builds, prepares and calls it.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"shm-operator-bench/internal/bench"
)

// Scenario is one row of the tables.
type Scenario struct {
	connections, kilobytes int
	kind                   bench.Kind
}

func (s Scenario) String() string {
	return fmt.Sprintf("%s, %d KB, %d conn.", s.kind, s.kilobytes, s.connections)
}

var (
	connections = []int{1, 8, 64}
	kilobytes   = []int{3, 6, 30}
	kinds       = []bench.Kind{bench.Hit, bench.Skip, bench.Deny}
)

func scenarios() (all []Scenario) {
	for _, kind := range kinds {
		for _, size := range kilobytes {
			for _, count := range connections {
				all = append(all, Scenario{count, size, kind})
			}
		}
	}
	return all
}

type options struct {
	bin, certificates, folder, cpus, preload, out, reviews string
	seconds                                                float64
	rounds, fill                                           int
}

func readOptions() (o options) {
	flag.StringVar(&o.bin, "bin", "", "folder of the programs")
	flag.StringVar(&o.certificates, "certificates", "", "folder of tls.crt and tls.key")
	flag.StringVar(&o.folder, "folder", "", "where pods and logs are written")
	flag.StringVar(&o.cpus, "server-cpus", "", "the CPUs of the servers, as taskset takes them; empty: all")
	flag.StringVar(&o.preload, "preload", "", "also measure our webhook with this library (an allocator) preloaded")
	flag.StringVar(&o.out, "out", "", "file that the tables are also written to")
	flag.StringVar(&o.reviews, "reviews", "", "folder to write the reviews to, for bench_handler; nothing is measured then")
	flag.Float64Var(&o.seconds, "seconds", 1, "of each measurement")
	flag.IntVar(&o.rounds, "rounds", 5, "of all measurements")
	flag.IntVar(&o.fill, "fill", 10000, "InferenceServices to reflect at the end; 0: skip that")
	flag.Parse()
	return o
}

const (
	webhook  = "webhook"
	runtime_ = "controller-runtime"
	maps     = "Go maps"
	echo     = "echo floor"
)

func servers(o options) []bench.Server {
	program := func(name string) string { return filepath.Join(o.bin, name) }
	ours := bench.Server{Name: webhook, Readyz: true, Command: []string{program("shm-webhook"), "--kubeconfig", os.Getenv("KUBECONFIG"),
		"--namespace", "shm-system", "--listen-address", "127.0.0.1", "--port", "PORT", "--health-port", "HEALTH"}}
	all := []bench.Server{ours,
		{Name: runtime_, Command: []string{program("peer-controller-runtime"), "-port", "PORT", "-certificates", o.certificates}},
		{Name: maps, Command: []string{program("peer-maps"), "-port", "PORT", "-certificates", o.certificates}},
		{Name: echo, Command: []string{program("bench_echo"), "PORT", o.certificates}}}
	if o.preload != "" {
		other := ours
		other.Name, other.Environ = webhook+" with "+filepath.Base(o.preload), []string{"LD_PRELOAD=" + o.preload}
		all = append(all, other)
	}
	return all
}

// checkOf tells whether an answer is of this kind. The echo floor answers nothing of the sort.
func checkOf(server bench.Server, kind bench.Kind) func([]byte) error {
	return func(answer []byte) error {
		if server.Name == echo {
			return nil
		}
		var review struct {
			Response struct {
				Allowed bool
				Patch   []byte
			}
		}
		if err := json.Unmarshal(answer, &review); err != nil {
			return err
		}
		patched := bytes.Contains(review.Response.Patch, []byte(`"sizeLimit"`)) &&
			bytes.Contains(review.Response.Patch, []byte("nvidia.com~1gpu"))
		if review.Response.Allowed != (kind != bench.Deny) || patched != (kind == bench.Hit) {
			return errors.New("not the answer to " + string(kind))
		}
		return nil
	}
}

// pods holds a review for each kind and size, made once and also written to files.
type pods map[bench.Kind]map[int][]byte

func makePods(folder string) pods {
	all := pods{}
	for _, kind := range kinds {
		all[kind] = map[int][]byte{}
		for _, size := range kilobytes {
			pod := bench.Pod(kind, size*1024)
			all[kind][size] = bench.Review(pod)
			file := filepath.Join(folder, fmt.Sprintf("%s-%dk.json", kind, size))
			if err := os.WriteFile(file, bench.Marshal(pod), 0o644); err != nil {
				panic(err)
			}
		}
	}
	return all
}

// write leaves each review in a file, KIND-SIZEk-review.json.
func (p pods) write(folder string) error {
	for kind, sizes := range p {
		for size, review := range sizes {
			file := filepath.Join(folder, fmt.Sprintf("%s-%dk-review.json", kind, size))
			if err := os.WriteFile(file, review, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p pods) load(server bench.Server, process *bench.Served, s Scenario) bench.Load {
	path := "/mutate/labelled"
	if s.kind == bench.Skip {
		path = "/mutate/namespace"
	}
	return bench.Load{Address: process.Address, Connections: s.connections, Path: path, Body: p[s.kind][s.kilobytes],
		Check: checkOf(server, s.kind)}
}

// Result is what one round found of one server.
type Result struct {
	samples map[Scenario]bench.Sample
	peakMB  float64
	readyMS float64
}

// visit starts a server, measures all scenarios of it and ends it. The echo floor does the same
// whatever is asked: once is enough.
func visit(o options, server bench.Server, all pods) (Result, error) {
	log := filepath.Join(o.folder, strings.ReplaceAll(server.Name, " ", "-")+".log")
	process, err := bench.Serve(server, o.cpus, log)
	if err != nil {
		return Result{}, err
	}
	defer process.Kill()
	result := Result{samples: map[Scenario]bench.Sample{}, readyMS: float64(process.Ready) / float64(time.Millisecond)}
	for _, scenario := range scenarios() {
		if server.Name == echo && scenario.kind != bench.Hit {
			continue
		}
		sample, err := bench.Measure(process, all.load(server, process, scenario), time.Duration(o.seconds*float64(time.Second)))
		if err != nil {
			return Result{}, fmt.Errorf("%s, %s: %w", server.Name, scenario, err)
		}
		result.samples[scenario] = sample
	}
	result.peakMB = process.PeakMB()
	return result, nil
}

func run(o options) error {
	if o.reviews != "" {
		return makePods(o.reviews).write(o.reviews)
	}
	all := makePods(o.folder)
	programs := servers(o)
	results := map[string][]Result{}
	for round := range o.rounds {
		// Each round begins with another server, so that none always follows the same.
		first := round % len(programs)
		for _, server := range slices.Concat(programs[first:], programs[:first]) {
			fmt.Fprintf(os.Stderr, "bench: round %d of %d: %s\n", round+1, o.rounds, server.Name)
			result, err := visit(o, server, all)
			if err != nil {
				return err
			}
			results[server.Name] = append(results[server.Name], result)
		}
	}
	full := []Result{}
	if o.fill > 0 {
		var err error
		if full, err = measureFull(o, programs[0], all); err != nil {
			return err
		}
	}
	report := Report(o, programs, results, full)
	fmt.Print(report)
	if o.out == "" {
		return nil
	}
	return os.WriteFile(o.out, []byte(report), 0o644)
}

func main() {
	o := readOptions()
	// It allocates next to nothing while it measures; a collection would be in the servers' latencies.
	debug.SetGCPercent(400)
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
